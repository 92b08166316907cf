//! UDP sockets for one call: bound in pairs, marked with a code point.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::UdpSocket;
use offhook_ports::PortRange;
#[cfg(unix)]
use offhook_qos::{Dscp, dscp_of_tos, tos_of_dscp};
use offhook_qos::{PortSplit, audio_ports};
#[cfg(unix)]
use socket2::SockRef;
use socket2::{Domain, Protocol, Socket, Type};

/// An even port for RTP and the odd one above it for RTCP.
pub(super) struct Pair {
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
    pub(super) local: SocketAddr,
    pub(super) local_rtcp: SocketAddr,
}

/// Binds the first pair of the audio half of `range` that is free, beginning at a place chosen by
/// `seed`.
pub(super) fn bind_pair(ip: IpAddr, range: PortRange, seed: u64) -> Result<Pair, String> {
    PortSplit::new(range).map_err(|error| error.to_string())?;
    let mut last = None;
    for (rtp, rtcp) in audio_ports(range, seed) {
        match bind(ip, rtp).and_then(|first| Ok((first, bind(ip, rtcp)?))) {
            Ok((first, second)) => {
                let address = |error: io::Error| error.to_string();
                return Ok(Pair {
                    local: first.local_addr().map_err(address)?,
                    local_rtcp: second.local_addr().map_err(address)?,
                    rtp: first,
                    rtcp: second,
                });
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = Some(error),
            // Windows says so of ports that the system keeps for itself.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => last = Some(error),
            Err(error) => return Err(format!("no media port at {ip}: {error}")),
        }
    }
    let why = last.map_or_else(String::new, |error| format!(" ({error})"));
    Err(format!("all media ports from {} to {} are in use{why}", range.start, range.end))
}

fn bind(ip: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let address = SocketAddr::new(ip, port);
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(UdpSocket::from_std(socket.into()))
}

/// Marks what the socket sends, and answers what the system says it will mark with: some refuse, and
/// only the answer is worth showing.
#[cfg(unix)]
pub(super) fn mark(socket: &UdpSocket, local: SocketAddr, dscp: u8) -> u8 {
    let tos = u32::from(tos_of_dscp(Dscp(dscp)));
    let socket = SockRef::from(socket);
    let (set, read) = if local.is_ipv6() {
        (socket.set_tclass_v6(tos), socket.tclass_v6())
    } else {
        (socket.set_tos_v4(tos), socket.tos_v4())
    };
    if let Err(error) = set {
        tracing::debug!("code point {dscp} was refused: {error}");
    }
    read.map_or(0, |tos| dscp_of_tos((tos & 0xff) as u8).0)
}

/// The address of ours that packets to `remote` leave from at present; nothing when no way leads there.
pub(super) fn leaving(remote: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Nothing is sent by this: only the way is looked up.
    let probe = std::net::UdpSocket::bind((any, 0)).ok()?;
    probe.connect(remote).ok()?;
    Some(probe.local_addr().ok()?.ip())
}
#[cfg(test)]
mod tests {
    use super::{bind_pair, mark};
    use offhook_ports::PortRange;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn pairs_are_even_and_odd_and_never_given_twice() {
        let range = PortRange { start: 42_000, end: 42_100 };
        let pairs: Vec<_> =
            (0..10).map(|_| bind_pair(HOME, range, 3).expect("a free pair")).collect();
        for (n, pair) in pairs.iter().enumerate() {
            assert!(pair.local.port().is_multiple_of(2));
            assert_eq!(pair.local_rtcp.port(), pair.local.port() + 1);
            assert!(pairs[..n].iter().all(|other| other.local != pair.local));
        }
    }

    #[test]
    fn a_full_or_impossible_range_is_refused_in_words() {
        let range = PortRange { start: 42_200, end: 42_207 };
        let mut held = vec![];
        let why = loop {
            match bind_pair(HOME, range, 0) {
                Ok(pair) => held.push(pair),
                Err(why) => break why,
            }
        };
        assert!(why.contains("in use"), "{why}");
        assert!(!held.is_empty() && held.len() < 4);
        assert!(bind_pair(HOME, PortRange { start: 42_300, end: 42_301 }, 0).is_err());
    }

    #[test]
    fn the_mark_is_what_the_system_says() {
        let pair = bind_pair(HOME, PortRange { start: 42_400, end: 42_500 }, 0).expect("free");
        let set = mark(&pair.rtp, pair.local, 46);
        // Linux marks; a system that does not says 0.
        assert!(set == 46 || set == 0, "{set}");
    }

    #[test]
    fn packets_carry_the_mark_in_both_versions_of_ip() {
        let Some(mut wire) = offhook_testkit::wire::Wire::open() else { return };
        for ip in [HOME, IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            let pair =
                bind_pair(ip, PortRange { start: 42_600, end: 42_700 }, 0).expect("free ports");
            for dscp in [46, 34, 0] {
                for (socket, local) in [(&pair.rtp, pair.local), (&pair.rtcp, pair.local_rtcp)] {
                    assert_eq!(mark(socket, local, dscp), dscp);
                    let send = || _ = socket.send_to(b"sound", pair.local_rtcp);
                    let marks = wire.marks_from(local.port(), send);
                    assert_eq!(marks.into_iter().collect::<Vec<_>>(), [dscp], "{local}");
                }
            }
        }
    }
}
