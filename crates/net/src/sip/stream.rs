//! SIP over TCP and TLS (RFC 3261 section 18, RFC 5630).

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use offhook_model::{Fault, Link};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{End, Flow, SipFlowEvent, unless_dropped};
use crate::{Net, Wanted, errors};

/// Bound on name and connection, and once more on the handshake; time in which a person is asked
/// about a certificate does not count.
const OPEN: Duration = Duration::from_secs(5);
/// How long written bytes may stay unacknowledged before the peer counts as dead: within the
/// 32 seconds after which a SIP transaction gives up (RFC 3261 timer B).
const UNHEARD: Duration = Duration::from_secs(20);
/// What the other side said before it took no more is waited for this long.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// An idle connection is asked for a sign of life after this time, by the system.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// And then this often.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
/// How much is read at once.
const CHUNK: usize = 4096;

/// A byte stream, in clear or not.
trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

struct Opened {
    stream: Box<dyn Bytes>,
    local: SocketAddr,
    remote: SocketAddr,
    tls: Option<String>,
}

pub(super) async fn run(net: &Net, flow: Flow, dropped: oneshot::Receiver<()>) -> End {
    let opened = match unless_dropped(connect(net, &flow), dropped, &flow.out).await {
        Some(Ok(opened)) => opened,
        Some(Err(fault)) => return End::Failed(fault),
        None => return End::Closed,
    };
    if flow.opened(opened.local, opened.remote, opened.tls).await.is_err() {
        return End::Closed;
    }
    let (reading, writing) = tokio::io::split(opened.stream);
    let Flow { flow, out, events, .. } = flow;
    let mut reading = pin!(read(reading, flow, events));
    tokio::select! {
        end = &mut reading => end,
        end = write(writing, out) => match end {
            End::Closed => End::Closed,
            // What the other side said before it left tells more than that it has left.
            End::Failed(fault) => match timeout(LAST_WORDS, reading).await {
                Ok(End::Failed(Fault::Tls(told))) => End::Failed(Fault::Tls(told)),
                Ok(_) | Err(_) => End::Failed(fault),
            },
        },
    }
}

async fn connect(net: &Net, flow: &Flow) -> Result<Opened, Fault> {
    let at = &flow.at;
    match at.link {
        Link::Udp | Link::Tcp | Link::StartTls => {
            let stream = net.connect_marked((&at.host, at.port), flow.dscp, OPEN).await?;
            let (local, remote) = settle(&stream)?;
            Ok(Opened { stream: Box::new(stream), local, remote, tls: None })
        }
        Link::Tls => {
            let (identity, dscp) = (flow.identity.as_deref(), flow.dscp);
            let wanted = Wanted { identity, dscp, ..Wanted::host(at) };
            let secured = net.connect_tls(&wanted, OPEN, OPEN).await?;
            let (local, remote) = settle(secured.stream.get_ref().0)?;
            let tls = Some(secured.words);
            Ok(Opened { stream: Box::new(secured.stream), local, remote, tls })
        }
    }
}

/// Watches the connection, and tells its two ends. The system does it, so an idle flow costs
/// nothing.
fn settle(stream: &TcpStream) -> Result<(SocketAddr, SocketAddr), Fault> {
    let ends = stream.local_addr().and_then(|local| Ok((local, stream.peer_addr()?)));
    let (local, remote) = ends.map_err(|error| errors::open(&error))?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_EVERY);
    let watched = socket.set_tcp_keepalive(&keepalive);
    #[cfg(target_os = "linux")]
    let watched = watched.and_then(|()| socket.set_tcp_user_timeout(Some(UNHEARD)));
    if let Err(error) = watched {
        tracing::debug!(%error, "a dead peer will be noticed late");
    }
    Ok((local, remote))
}

async fn read(
    mut reading: ReadHalf<Box<dyn Bytes>>,
    flow: offhook_ports::FlowId,
    events: mpsc::Sender<SipFlowEvent>,
) -> End {
    let mut buffer = vec![0; CHUNK];
    loop {
        let bytes = match reading.read(&mut buffer).await {
            Ok(0) => return End::Failed(Fault::Closed),
            Ok(length) => buffer.get(..length).unwrap_or_default().to_vec(),
            Err(error) => return End::Failed(errors::open(&error)),
        };
        if events.send(SipFlowEvent::Data { flow, bytes }).await.is_err() {
            return End::Closed;
        }
    }
}

async fn write(mut writing: WriteHalf<Box<dyn Bytes>>, mut out: mpsc::Receiver<Vec<u8>>) -> End {
    while let Some(message) = out.recv().await {
        let written = timeout(UNHEARD, async {
            writing.write_all(&message).await?;
            writing.flush().await
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return End::Failed(errors::open(&error)),
            Err(_) => return End::Failed(Fault::AnswerTimeout),
        }
    }
    // The other side sees an orderly end, or is gone already.
    let _: Result<io::Result<()>, _> = timeout(UNHEARD, writing.shutdown()).await;
    End::Closed
}
