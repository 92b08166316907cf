//! Waiting for datagrams so that a closed port is noticed at once.

use std::io::{self, ErrorKind};

use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Waits until a datagram may be read.
///
/// # Errors
/// What the system learnt from an ICMP message. It wakes a socket for the error alone, not for
/// reading, so a plain receive would sleep on.
pub(crate) async fn readable(socket: &UdpSocket) -> io::Result<()> {
    loop {
        let ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
        if ready.is_error() {
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
            // Somebody has taken the error before us: wait for the next.
            let none: io::Result<()> =
                socket.try_io(Interest::ERROR, || Err(ErrorKind::WouldBlock.into()));
            drop(none);
        }
        if ready.is_readable() {
            return Ok(());
        }
    }
}

/// Receives the next datagram of a connected socket.
///
/// # Errors
/// As [`readable`].
pub(crate) async fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        readable(socket).await?;
        match socket.try_recv(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => return other,
        }
    }
}
