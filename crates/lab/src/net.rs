//! Listening: sockets on chosen or free ports, and accept loops that own their connections.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use crate::LabError;

/// Most connections one listener serves at a time.
const MAX_CONNECTIONS: usize = 512;

/// Listens on TCP.
pub(crate) async fn tcp(
    bind: IpAddr,
    port: u16,
    what: &'static str,
) -> Result<TcpListener, LabError> {
    TcpListener::bind((bind, port)).await.map_err(|source| LabError::Listen { what, port, source })
}

/// Listens on UDP and TCP with the same port number.
pub(crate) async fn udp_and_tcp(
    bind: IpAddr,
    port: u16,
    what: &'static str,
) -> Result<(UdpSocket, TcpListener), LabError> {
    let mut last = None;
    // A free TCP port may be taken for UDP; a few tries find one that is free for both.
    for _ in 0..16 {
        let listener = tcp(bind, port, what).await?;
        let chosen = listener.local_addr().map_or(port, |at| at.port());
        match UdpSocket::bind((bind, chosen)).await {
            Ok(socket) => return Ok((socket, listener)),
            Err(source) => last = Some(LabError::Listen { what, port: chosen, source }),
        }
        if port != 0 {
            break;
        }
    }
    Err(last.unwrap_or_else(|| LabError::Config(format!("no port for {what}"))))
}

/// Listens on the same TCP port of several addresses.
pub(crate) async fn tcp_on_all(
    addresses: &[IpAddr],
    port: u16,
    what: &'static str,
) -> Result<Vec<TcpListener>, LabError> {
    let mut last = None;
    // A port that is free on the first address may be taken on another.
    for _ in 0..16 {
        let mut listeners = Vec::new();
        let mut chosen = port;
        for bind in addresses {
            match tcp(*bind, chosen, what).await {
                Ok(listener) => {
                    chosen = address(&listener)?.port();
                    listeners.push(listener);
                }
                Err(error) => {
                    last = Some(error);
                    break;
                }
            }
        }
        if listeners.len() == addresses.len() {
            return Ok(listeners);
        }
        if port != 0 {
            break;
        }
    }
    Err(last.unwrap_or_else(|| LabError::Config(format!("no port for {what}"))))
}

/// Address of a listener.
pub(crate) fn address(listener: &TcpListener) -> Result<SocketAddr, LabError> {
    listener.local_addr().map_err(|source| LabError::Listen { what: "a listener", port: 0, source })
}

/// A port that refuses connections for as long as the value lives: bound, but not listening.
pub(crate) struct RefusedPort {
    _socket: TcpSocket,
    pub(crate) port: u16,
}

impl RefusedPort {
    pub(crate) fn reserve(bind: IpAddr) -> Result<Self, LabError> {
        let fail = |source| LabError::Listen { what: "a port that refuses", port: 0, source };
        let socket = socket_for(bind).map_err(fail)?;
        socket.bind(SocketAddr::new(bind, 0)).map_err(fail)?;
        let port = socket.local_addr().map_err(fail)?.port();
        Ok(Self { _socket: socket, port })
    }
}

/// A port where connections are neither accepted nor refused, as with a dead machine behind a
/// router: its queue of one is full and nobody empties it.
pub(crate) struct DeadPort {
    _listener: TcpListener,
    _fill: Vec<TcpStream>,
    pub(crate) port: u16,
}

impl DeadPort {
    pub(crate) async fn reserve(bind: IpAddr) -> Result<Self, LabError> {
        let fail = |source| LabError::Listen { what: "a port that swallows", port: 0, source };
        let socket = socket_for(bind).map_err(fail)?;
        socket.bind(SocketAddr::new(bind, 0)).map_err(fail)?;
        let listener = socket.listen(1).map_err(fail)?;
        let at = listener.local_addr().map_err(fail)?;
        let mut fill = Vec::new();
        for _ in 0..16 {
            let wait = std::time::Duration::from_millis(150);
            match tokio::time::timeout(wait, TcpStream::connect(at)).await {
                Ok(Ok(stream)) => fill.push(stream),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        Ok(Self { _listener: listener, _fill: fill, port: at.port() })
    }
}

fn socket_for(bind: IpAddr) -> std::io::Result<TcpSocket> {
    if bind.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
}

/// Accepts connections and serves each in a task of its own; dropping the future ends them all.
pub(crate) async fn serve<F, Fut>(listener: TcpListener, handler: F)
where
    F: Fn(TcpStream, SocketAddr) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) if connections.len() < MAX_CONNECTIONS => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(handler(stream, peer));
                }
                Ok(_) => tracing::warn!("too many connections, one was dropped"),
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Returns when the laboratory stops.
pub(crate) async fn stopped(stop: &mut tokio::sync::watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
