//! Marks on what our sockets send (DSCP, RFC 2474).

use std::net::SocketAddr;

use socket2::SockRef;

/// Marks what the socket sends. A system that does not let us still lets us talk.
pub(crate) fn mark(socket: &SockRef<'_>, remote: SocketAddr, dscp: u8) {
    if dscp == 0 {
        return;
    }
    let class = u32::from(dscp) << 2;
    let marked = match remote {
        SocketAddr::V4(_) => socket.set_tos_v4(class),
        #[cfg(unix)]
        SocketAddr::V6(_) => socket.set_tclass_v6(class),
        #[cfg(not(unix))]
        SocketAddr::V6(_) => Err(std::io::ErrorKind::Unsupported.into()),
    };
    if let Err(error) = marked {
        tracing::debug!(%error, dscp, "packets are not marked");
    }
}
