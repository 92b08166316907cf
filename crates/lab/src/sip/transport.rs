//! SIP over UDP, TCP and TLS: bytes in, messages out, and the way back to each sender.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::message::{Framed, MAX_MESSAGE, Message, frame};
use super::nodes::{INSIDE, Word};

/// Messages one connection may be behind.
const QUEUE: usize = 128;
/// A stream connection without any traffic ends after this.
const IDLE: Duration = Duration::from_secs(900);

/// Transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Udp,
    Tcp,
    Tls,
}

impl Kind {
    /// As in Via.
    pub(crate) fn via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// As in a URI parameter.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// Where a peer is reached: the address or the connection it was heard from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) kind: Kind,
    pub(crate) peer: SocketAddr,
    /// The connection; 0 for UDP.
    pub(crate) stream: u64,
    /// Which node it came to; UDP is at none that goes down.
    pub(crate) node: usize,
    /// It came to the edge's port, from outside.
    pub(crate) edge: bool,
}

/// What the network brings.
#[derive(Debug)]
pub(crate) enum Arrival {
    Message(Route, Message),
    /// A connection ended.
    Closed(Route),
    /// A word of whoever runs the laboratory.
    Word(Word),
}

/// A connection.
struct Stream {
    /// The node it came to.
    node: usize,
    queue: mpsc::Sender<Vec<u8>>,
    /// The certificate that was shown, DER.
    certificate: Option<Vec<u8>>,
}

/// Connections by their number.
type Streams = HashMap<u64, Stream>;

/// All ways out.
pub(crate) struct Transports {
    udp: UdpSocket,
    streams: Mutex<Streams>,
    next: AtomicU64,
    inbox: mpsc::Sender<Arrival>,
}

impl Transports {
    pub(crate) fn new(udp: UdpSocket, inbox: mpsc::Sender<Arrival>) -> Self {
        Self { udp, streams: Mutex::default(), next: AtomicU64::new(1), inbox }
    }

    fn streams(&self) -> std::sync::MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends without waiting; what cannot be sent is lost as on a network.
    pub(crate) fn send(&self, route: &Route, bytes: Vec<u8>) {
        tracing::trace!(kind = route.kind.name(), text = %String::from_utf8_lossy(&bytes), "SIP out");
        let sent = match route.kind {
            Kind::Udp => self.udp.try_send_to(&bytes, route.peer).is_ok(),
            Kind::Tcp | Kind::Tls => {
                let queue = self.streams().get(&route.stream).map(|stream| stream.queue.clone());
                queue.is_some_and(|queue| queue.try_send(bytes).is_ok())
            }
        };
        if !sent {
            tracing::debug!(kind = route.kind.name(), "a SIP message could not be sent");
        }
    }

    /// Ends a connection from our side, without a word.
    pub(crate) fn cut(&self, route: &Route) {
        // The connection's task sees its queue end.
        self.streams().remove(&route.stream);
    }

    /// Connections of a node that went down are no more.
    pub(crate) fn forget_node(&self, node: usize) {
        self.streams().retain(|_, stream| stream.node != node);
    }

    /// The certificate that was shown on a connection, DER.
    pub(crate) fn certificate(&self, route: &Route) -> Option<Vec<u8>> {
        self.streams().get(&route.stream).and_then(|stream| stream.certificate.clone())
    }

    /// Receives over UDP until dropped.
    pub(crate) async fn run_udp(self: Arc<Self>) {
        let mut buffer = vec![0; MAX_MESSAGE];
        loop {
            let Ok((length, peer)) = self.udp.recv_from(&mut buffer).await else { continue };
            let bytes = buffer.get(..length).unwrap_or_default();
            if let Framed::Message(message, _) = frame(bytes, true) {
                let route = Route { kind: Kind::Udp, peer, stream: 0, node: INSIDE, edge: false };
                if self.inbox.send(Arrival::Message(route, message)).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Serves TCP, or TLS when there is a set-up for it, until dropped.
    pub(crate) async fn run_stream(
        self: Arc<Self>,
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        node: usize,
        edge: bool,
    ) {
        let acceptor = tls.map(TlsAcceptor::from);
        crate::net::serve(listener, move |tcp, peer| {
            let (transports, acceptor) = (Arc::clone(&self), acceptor.clone());
            async move {
                match acceptor {
                    None => transports.converse(tcp, (Kind::Tcp, peer, node, edge), None).await,
                    Some(acceptor) => {
                        let patience = Duration::from_secs(30);
                        match tokio::time::timeout(patience, acceptor.accept(tcp)).await {
                            Ok(Ok(tls)) => {
                                let shown = tls.get_ref().1.peer_certificates();
                                let shown = shown.and_then(|chain| chain.first());
                                let shown = shown.map(|first| first.to_vec());
                                let from = (Kind::Tls, peer, node, edge);
                                transports.converse(tls, from, shown).await;
                            }
                            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
                            Err(_) => tracing::debug!("TLS handshake took too long"),
                        }
                    }
                }
            }
        })
        .await;
    }

    async fn converse<S>(
        &self,
        mut io: S,
        (kind, peer, node, edge): (Kind, SocketAddr, usize, bool),
        certificate: Option<Vec<u8>>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        let stream = self.next.fetch_add(1, Ordering::Relaxed);
        self.streams().insert(stream, Stream { node, queue: sender, certificate });
        let route = Route { kind, peer, stream, node, edge };
        let mut buffer = Vec::new();
        let mut chunk = [0; 8192];
        loop {
            let open = tokio::select! {
                read = tokio::time::timeout(IDLE, io.read(&mut chunk)) => match read {
                    Ok(Ok(length)) if length > 0 => {
                        buffer.extend_from_slice(chunk.get(..length).unwrap_or_default());
                        self.drain(&route, &mut buffer, &mut io).await
                    }
                    Ok(Ok(_) | Err(_)) | Err(_) => false,
                },
                out = queue.recv() => match out {
                    Some(bytes) => io.write_all(&bytes).await.is_ok() && io.flush().await.is_ok(),
                    None => false,
                },
            };
            if !open {
                break;
            }
        }
        self.streams().remove(&stream);
        let _ = self.inbox.send(Arrival::Closed(route)).await;
        let _ = io.shutdown().await;
    }

    /// Hands on every complete message; false when the stream makes no sense any more.
    async fn drain<S: AsyncWrite + Unpin>(
        &self,
        route: &Route,
        buffer: &mut Vec<u8>,
        io: &mut S,
    ) -> bool {
        loop {
            match frame(buffer, false) {
                Framed::More => return true,
                Framed::Broken => return false,
                Framed::Blank(length, pings) => {
                    buffer.drain(..length);
                    // A double CRLF asks for a single one (RFC 5626 section 3.5.1).
                    for _ in 0..pings {
                        if io.write_all(b"\r\n").await.is_err() {
                            return false;
                        }
                    }
                    let _ = io.flush().await;
                }
                Framed::Message(message, length) => {
                    buffer.drain(..length);
                    if self.inbox.send(Arrival::Message(*route, message)).await.is_err() {
                        return false;
                    }
                }
            }
        }
    }
}
