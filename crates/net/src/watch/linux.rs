//! rtnetlink (RFC 3549, rtnetlink(7)): the kernel's notices, and its answers to three questions.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with,
};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use super::Shape;
use super::messages::{Collected, QUESTIONS, Question};

/// Links, and addresses and routes of both families (RTMGRP_*).
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// The kernel fills pages of at most 32 KiB.
const BUFFER: usize = 64 * 1024;
/// More pages than any desktop has routes for.
const MOST_PAGES: usize = 4096;
/// The kernel answers at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// A socket that hears the kernel's notices.
#[derive(Debug)]
pub(super) struct Source {
    /// Until it is first waited for: registering it needs the event loop.
    fresh: Option<OwnedFd>,
    /// The event loop's only type that takes any datagram socket; its addresses are never read.
    registered: Option<UnixDatagram>,
}

impl Source {
    pub(super) fn open() -> Result<Self, String> {
        let open = || -> io::Result<OwnedFd> {
            let socket = open(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
            bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
            Ok(socket)
        };
        let socket = open().map_err(|error| words(&error))?;
        Ok(Self { fresh: Some(socket), registered: None })
    }

    /// Waits for the next notices and empties the queue. What they say does not matter.
    pub(super) async fn notice(&mut self) {
        if let Some(fresh) = self.fresh.take() {
            self.registered = UnixDatagram::from_std(fresh.into())
                .inspect_err(|error| tracing::warn!(%error, "network changes are not seen"))
                .ok();
        }
        let Some(socket) = &self.registered else {
            return std::future::pending().await;
        };
        loop {
            if let Err(error) = socket.readable().await {
                // The event loop ends.
                tracing::debug!(%error, "network changes are seen no more");
                return std::future::pending().await;
            }
            match socket.try_io(Interest::READABLE, || empty(socket)) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    tracing::warn!(%error, "network changes are seen no more");
                    return std::future::pending().await;
                }
            }
        }
    }
}

/// Reads all notices that wait. Lost ones (ENOBUFS) are as good as read: something has changed.
fn empty(socket: &UnixDatagram) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut any = false;
    loop {
        match recv(socket, &mut buffer[..], RecvFlags::DONTWAIT) {
            Ok(_) | Err(Errno::NOBUFS) => any = true,
            // The event loop learns that the queue is empty only from this error, so after some
            // notices the next wait ends at once, once.
            Err(Errno::WOULDBLOCK) if any => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Asks for links, addresses and routes.
pub(super) fn look() -> Result<Shape, String> {
    let mut collected = Collected::default();
    for question in QUESTIONS {
        ask(question, &mut collected).map_err(|error| words(&error))?;
    }
    Ok(collected.shape())
}

fn ask(question: Question, collected: &mut Collected) -> io::Result<()> {
    let socket = open(SocketFlags::CLOEXEC)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    send(&socket, &question.bytes(), SendFlags::empty())?;
    let mut buffer = vec![0; BUFFER];
    for _ in 0..MOST_PAGES {
        let (_, length) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        let page = buffer.get(..length).ok_or(io::ErrorKind::InvalidData)?;
        if collected.take(page) {
            return Ok(());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

fn open(flags: SocketFlags) -> io::Result<OwnedFd> {
    // Protocol 0 is NETLINK_ROUTE.
    Ok(socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?)
}

fn words(error: &io::Error) -> String {
    format!("the system does not tell of its network ({error})")
}
