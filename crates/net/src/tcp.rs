//! TCP connections: every address of the host is tried, a little after the other, and the first
//! that answers is used (RFC 8305 section 5).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use offhook_model::{DnsFault, Fault};
use offhook_ports::Dns;
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::mark::mark;
use crate::{Net, errors};

/// How long an address gets before the next one is tried beside it (RFC 8305 section 8).
const STAGGER: Duration = Duration::from_millis(250);

impl Net {
    /// Connects to the first address of `host` that answers. Nagle's algorithm is off.
    ///
    /// # Errors
    /// [`Fault::Dns`], or of the attempts the one that says most: [`Fault::PortRefused`] (a host
    /// that is up), then [`Fault::ConnectTimeout`], then [`Fault::Unreachable`].
    pub async fn connect_tcp(
        &self,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<TcpStream, Fault> {
        self.connect_marked((host, port), 0, timeout).await
    }

    /// The same with packets that are marked with `dscp` (0 to 63) from the first one on.
    pub(crate) async fn connect_marked(
        &self,
        (host, port): (&str, u16),
        dscp: u8,
        timeout: Duration,
    ) -> Result<TcpStream, Fault> {
        let deadline = Instant::now() + timeout;
        let targets = self.targets(host, port, deadline).await?;
        connect_first(&targets, dscp, deadline).await
    }

    /// Where this port of `host` is, in the order to try, before `deadline`.
    pub(crate) async fn targets(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, Fault> {
        let mapped = self.names.mapped(host, port);
        if !mapped.is_empty() {
            return Ok(mapped);
        }
        let at = |address| SocketAddr::new(address, port);
        match timeout_at(deadline, self.addresses(host)).await {
            Ok(Ok(answer)) => Ok(answer.records.into_iter().map(at).collect()),
            Ok(Err(fault)) => Err(Fault::Dns(fault)),
            Err(_) => Err(Fault::Dns(DnsFault::Silence)),
        }
    }
}

async fn connect(target: SocketAddr, dscp: u8) -> io::Result<TcpStream> {
    let socket = match target {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    mark(&SockRef::from(&socket), target, dscp);
    socket.connect(target).await
}

async fn connect_first(
    targets: &[SocketAddr],
    dscp: u8,
    deadline: Instant,
) -> Result<TcpStream, Fault> {
    if targets.is_empty() {
        return Err(Fault::Dns(DnsFault::NoRecord));
    }
    let mut waiting = targets.iter().copied();
    let mut running = FuturesUnordered::new();
    let mut worst: Option<Fault> = None;
    let connect = |target| connect(target, dscp);
    running.extend(waiting.next().map(connect));
    loop {
        // Each round has just started an attempt.
        let next_start = Instant::now() + STAGGER;
        tokio::select! {
            () = sleep_until(deadline) => {
                return Err(more_telling(worst, Fault::ConnectTimeout));
            }
            Some(result) = running.next() => match result {
                Ok(stream) => {
                    // Only latency suffers without it.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => {
                    worst = Some(more_telling(worst, errors::connecting(&error)));
                    running.extend(waiting.next().map(connect));
                    if running.is_empty() {
                        return Err(worst.unwrap_or(Fault::ConnectTimeout));
                    }
                }
            },
            () = sleep_until(next_start), if waiting.len() > 0 => {
                running.extend(waiting.next().map(connect));
            }
        }
    }
}

/// Of two failed attempts, the one from which a support desk learns more.
fn more_telling(before: Option<Fault>, now: Fault) -> Fault {
    match (before, now) {
        (Some(Fault::PortRefused), _) | (_, Fault::PortRefused) => Fault::PortRefused,
        (Some(Fault::ConnectTimeout), _) | (_, Fault::ConnectTimeout) => Fault::ConnectTimeout,
        (Some(before), _) => before,
        (None, now) => now,
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::Fault;

    use super::more_telling;

    #[test]
    fn a_refusal_says_more_than_silence_and_silence_more_than_no_route() {
        let no_route = || Fault::Unreachable("no route".into());
        let after = |before, now| more_telling(before, now);
        assert_eq!(after(Some(Fault::ConnectTimeout), Fault::PortRefused), Fault::PortRefused);
        assert_eq!(after(Some(no_route()), Fault::ConnectTimeout), Fault::ConnectTimeout);
        assert_eq!(after(None, no_route()), no_route());
    }
}
