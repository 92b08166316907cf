//! SIP over UDP (RFC 3261 section 18). The socket is connected: the system then picks our address
//! on the way to the server, tells of a closed port, and keeps strangers' datagrams out.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use offhook_model::Fault;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{End, Flow, SipFlowEvent, unless_dropped};
use crate::mark::mark;
use crate::{Net, datagrams, errors};

/// Bound on finding the server's address.
const RESOLVE: Duration = Duration::from_secs(6);
/// The largest datagram.
const LARGEST: usize = 65_535;

/// A socket connected to `remote`, marked with `dscp`, and its own address.
pub(crate) fn socket(
    remote: SocketAddr,
    dscp: u8,
) -> io::Result<(std::net::UdpSocket, SocketAddr)> {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = Socket::new(Domain::for_address(remote), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    mark(&SockRef::from(&socket), remote, dscp);
    socket.bind(&SocketAddr::new(any, 0).into())?;
    socket.connect(&remote.into())?;
    let socket = std::net::UdpSocket::from(socket);
    let local = socket.local_addr()?;
    Ok((socket, local))
}

pub(super) async fn run(net: &Net, mut flow: Flow, dropped: oneshot::Receiver<()>) -> End {
    let opening = connect(net, &flow);
    let (socket, local, remote) = match unless_dropped(opening, dropped, &flow.out).await {
        Some(Ok(opened)) => opened,
        Some(Err(fault)) => return End::Failed(fault),
        None => return End::Closed,
    };
    if flow.opened(local, remote, None).await.is_err() {
        return End::Closed;
    }
    carry(&socket, &mut flow).await.unwrap_or_else(|end| end)
}

async fn connect(net: &Net, flow: &Flow) -> Result<(UdpSocket, SocketAddr, SocketAddr), Fault> {
    let at = &flow.at;
    let targets = net.targets(&at.host, at.port, Instant::now() + RESOLVE).await?;
    let mut fault = Fault::Unreachable("no address".to_owned());
    for remote in targets {
        let opened = socket(remote, flow.dscp)
            .and_then(|(socket, local)| Ok((UdpSocket::from_std(socket)?, local, remote)));
        match opened {
            Ok(opened) => return Ok(opened),
            Err(error) => fault = errors::connecting(&error),
        }
    }
    Err(fault)
}

async fn carry(socket: &UdpSocket, flow: &mut Flow) -> Result<End, End> {
    let failed = |error: io::Error| match error.kind() {
        // Windows' word for the ICMP message that a port is closed.
        io::ErrorKind::ConnectionReset => End::Failed(Fault::PortRefused),
        _ => End::Failed(errors::open(&error)),
    };
    loop {
        tokio::select! {
            message = flow.out.recv() => match message {
                Some(message) => {
                    socket.send(&message).await.map_err(failed)?;
                }
                None => return Ok(End::Closed),
            },
            ready = datagrams::readable(socket) => {
                ready.map_err(failed)?;
                // Made when something has come: an idle flow holds no 64 KiB.
                let mut buffer = vec![0; LARGEST];
                while let Some(bytes) = next(socket, &mut buffer).map_err(failed)? {
                    flow.tell(SipFlowEvent::Data { flow: flow.flow, bytes }).await?;
                }
            }
        }
    }
}

/// The next datagram that has come and is not empty (an empty one is a keep-alive of no use).
fn next(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Option<Vec<u8>>> {
    loop {
        match socket.try_recv(buffer) {
            Ok(0) => {}
            Ok(length) => return Ok(buffer.get(..length).map(<[u8]>::to_vec)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}
