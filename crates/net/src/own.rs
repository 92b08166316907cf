//! Which address this machine has on its way to another. Nothing is sent to find it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::Net;

/// Addresses for documentation (RFC 5737, RFC 3849), which stand for all that is far away.
const FAR_4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const FAR_6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// Our address on the way to `target`.
///
/// # Errors
/// There is no way there.
pub(crate) fn towards(target: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match target {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(target)?;
    Ok(socket.local_addr()?.ip())
}

/// Our address on the way out over IPv4.
pub(crate) fn outwards() -> io::Result<IpAddr> {
    towards(SocketAddr::new(FAR_4, 9))
}

impl Net {
    /// The address that we have in the other family than `ip`: to far away, or of this machine alone
    /// where `ip` is such a one.
    pub fn address_beside(&self, ip: IpAddr) -> Option<IpAddr> {
        let (loopback, far): (IpAddr, IpAddr) = match ip {
            IpAddr::V4(_) => (Ipv6Addr::LOCALHOST.into(), FAR_6),
            IpAddr::V6(_) => (Ipv4Addr::LOCALHOST.into(), FAR_4),
        };
        if ip.is_loopback() {
            return Some(loopback);
        }
        let own = towards(SocketAddr::new(far, 9)).ok()?;
        let reaches = match own {
            IpAddr::V4(own) => !own.is_link_local(),
            IpAddr::V6(own) => !own.is_unicast_link_local(),
        };
        (reaches && !own.is_unspecified() && !own.is_loopback()).then_some(own)
    }
}
