//! Tells when the machine's connection to the world changes.
//!
//! Linux: the kernel's own notices of links, addresses and routes (rtnetlink). Nothing wakes up
//! while there are none. Elsewhere nothing is watched yet, and [`Watch::start`] says so.
//!
//! A change of name servers alone makes no notice; it is seen with the next change of anything
//! else, and questions go to the name servers of their moment in any case.

#[cfg(target_os = "linux")]
mod messages;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod source;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod source;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use offhook_ports::NetworkState;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep_until};

use crate::{clock, dns};
use source::Source;

#[cfg(target_os = "linux")]
pub(crate) use messages::fuzz as fuzz_messages;

/// Notices that follow each other within this time are one change.
const SETTLE: Duration = Duration::from_millis(200);
/// A network that never settles is told of after this time.
const AT_MOST: Duration = Duration::from_secs(2);
/// A machine that slept for longer has lost its connections, whatever its addresses are.
const NAP: Duration = Duration::from_secs(5);

/// What the machine has, apart from loopback and what holds on one cable only.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    /// Addresses with the length of their prefix. Of temporary IPv6 addresses (RFC 8981) the prefix
    /// alone: they are others at each return to the same network.
    addresses: BTreeSet<(IpAddr, u8)>,
    /// Gateways of default routes; nothing for one that leads into an interface, as VPNs do.
    gateways: BTreeSet<Option<IpAddr>>,
}

/// Watches addresses and routes.
///
/// A machine that has had nothing but its loopback since the watch began counts as online: nobody
/// knows what it is connected to, and laboratories live on loopback. Once it has had an address, to
/// have none is to be offline.
///
/// After a sleep of the machine a change is told with the next notice even if everything is as
/// before, because the connections are not.
#[derive(Debug)]
pub struct Watch {
    source: Source,
    state: NetworkState,
    /// There has been an address.
    connected: bool,
    /// A notice has come that was not looked into yet.
    noticed: bool,
    /// How long the machine had slept in all when last looked.
    slept: Duration,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// In words, when the system cannot be watched; the program goes on without.
    pub fn start() -> Result<Self, String> {
        let mut watch = Self {
            source: Source::open()?,
            state: NetworkState::default(),
            connected: false,
            noticed: false,
            slept: clock::slept(),
        };
        watch.state = watch.look()?;
        Ok(watch)
    }

    /// The state as it was found last.
    pub fn state(&self) -> NetworkState {
        self.state.clone()
    }

    /// Waits for the next change that has settled. Cancelling loses nothing.
    pub async fn changed(&mut self) -> NetworkState {
        loop {
            if !self.noticed {
                self.source.notice().await;
                self.noticed = true;
            }
            self.settle().await;
            // What comes from here on is looked at again.
            self.noticed = false;
            let woken = self.woken();
            match self.look() {
                Ok(state) if state != self.state || woken => {
                    self.state = state;
                    return self.state.clone();
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(error, "the network cannot be looked at"),
            }
        }
    }

    /// Waits until there has been no notice for a while.
    async fn settle(&mut self) {
        let at_most = Instant::now() + AT_MOST;
        loop {
            let quiet = (Instant::now() + SETTLE).min(at_most);
            tokio::select! {
                () = self.source.notice() => {}
                () = sleep_until(quiet) => return,
            }
        }
    }

    /// Whether the machine has slept since last asked.
    fn woken(&mut self) -> bool {
        let before = std::mem::replace(&mut self.slept, clock::slept());
        self.slept.saturating_sub(before) > NAP
    }

    fn look(&mut self) -> Result<NetworkState, String> {
        let shape = source::look()?;
        let here = !shape.addresses.is_empty();
        self.connected |= here;
        let fingerprint = fingerprint(&shape, &dns::system_servers());
        Ok(NetworkState { online: here || !self.connected, fingerprint })
    }
}

/// A digest that names nothing of what went in.
fn fingerprint(shape: &Shape, name_servers: &[IpAddr]) -> String {
    let name_servers: BTreeSet<_> = name_servers.iter().collect();
    let text = format!("{:?} {:?} {name_servers:?}", shape.addresses, shape.gateways);
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Shape, fingerprint};

    fn shape(addresses: &[(&str, u8)], gateways: &[&str]) -> Shape {
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        Shape {
            addresses: addresses.iter().map(|(text, length)| (parse(text), *length)).collect(),
            gateways: gateways.iter().map(|text| Some(parse(text))).collect(),
        }
    }

    #[test]
    fn a_fingerprint_is_the_same_on_return_and_differs_between_networks() {
        let home = shape(&[("192.0.2.7", 24), ("2001:db8::7", 64)], &["192.0.2.1"]);
        let again = shape(&[("2001:db8::7", 64), ("192.0.2.7", 24)], &["192.0.2.1"]);
        let away = shape(&[("198.51.100.7", 24)], &["198.51.100.1"]);
        let servers = ["192.0.2.53", "192.0.2.54"].map(|it| it.parse().expect("an address"));
        let turned = [servers[1], servers[0]];
        assert_eq!(fingerprint(&home, &servers), fingerprint(&again, &turned));
        assert_ne!(fingerprint(&home, &servers), fingerprint(&away, &servers));
        assert_ne!(fingerprint(&home, &servers), fingerprint(&home, &servers[..1]));
        assert!(!fingerprint(&home, &servers).contains("192"));
        assert_eq!(fingerprint(&home, &[]).len(), 32);
    }
}
