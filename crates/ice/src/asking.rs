//! Requests under way: repeated until they are answered or it is too late (RFC 8489 section 6.2.1).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::agent::Via;
use offhook_stun::TransactionId;

/// How long the first answer of a helper is waited for before it is asked again. Shorter than the
/// RFC's half second: the offer waits for it, and servers that help are near.
pub(crate) const HELPER_PACE: Duration = Duration::from_millis(200);
/// The same of the other side.
pub(crate) const CHECK_PACE: Duration = Duration::from_millis(500);

/// Why something was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// How this base is seen.
    Reflexive { base: usize },
    /// An allocation of this relay.
    Allocate(usize),
    /// That it goes on.
    Refresh(usize),
    /// That it lets this host send to us.
    Permit { relay: usize, peer: IpAddr },
    /// That it has a short name for this address.
    Channel { relay: usize, peer: SocketAddr },
    /// Whether this pair works; `session` tells those of a restart apart.
    Check { session: u32, pair: usize, nominates: bool, controlling: bool },
    /// Whether they still want sound on this component.
    Consent { session: u32, component: u8 },
}

impl Purpose {
    /// The relay it is about.
    pub(crate) fn relay(&self) -> Option<usize> {
        match *self {
            Self::Allocate(relay)
            | Self::Refresh(relay)
            | Self::Permit { relay, .. }
            | Self::Channel { relay, .. } => Some(relay),
            Self::Reflexive { .. } | Self::Check { .. } | Self::Consent { .. } => None,
        }
    }
}

/// One request.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: TransactionId,
    pub(crate) purpose: Purpose,
    pub(crate) via: Via,
    pub(crate) to: SocketAddr,
    /// How often the same was asked anew with other credentials.
    pub(crate) tries: u8,
    bytes: Vec<u8>,
    /// How often it may still be repeated.
    left: u32,
    pace: Duration,
    next: Instant,
}

/// What is due.
pub(crate) enum Due {
    /// Send it again.
    Again { via: Via, to: SocketAddr, bytes: Vec<u8> },
    /// There was no answer.
    Over(Purpose),
}

/// All requests under way.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    items: Vec<Asked>,
}

/// How a request is repeated: the first wait, which doubles, and how often.
#[derive(Clone, Copy)]
pub(crate) struct Repeat(pub(crate) Duration, pub(crate) u32);

impl Asking {
    pub(crate) fn add(
        &mut self,
        (id, bytes): (TransactionId, Vec<u8>),
        purpose: Purpose,
        (via, to): (Via, SocketAddr),
        Repeat(pace, left): Repeat,
        tries: u8,
        now: Instant,
    ) {
        self.items.push(Asked { id, purpose, via, to, tries, bytes, left, pace, next: now + pace });
    }

    /// What an answer belongs to. It counts only when it comes from where the question went, by the
    /// same way (RFC 8445 section 7.2.5.2.1).
    pub(crate) fn find(&self, id: &TransactionId, via: Via, from: SocketAddr) -> Option<usize> {
        self.items.iter().position(|it| it.id == *id && it.via == via && it.to == from)
    }

    pub(crate) fn purpose(&self, at: usize) -> &Purpose {
        &self.items[at].purpose
    }

    pub(crate) fn take(&mut self, at: usize) -> Asked {
        self.items.remove(at)
    }

    pub(crate) fn has(&self, fits: impl Fn(&Purpose) -> bool) -> bool {
        self.items.iter().any(|it| fits(&it.purpose))
    }

    pub(crate) fn forget(&mut self, fits: impl Fn(&Purpose) -> bool) {
        self.items.retain(|it| !fits(&it.purpose));
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.items.iter().map(|it| it.next).min()
    }

    pub(crate) fn due(&mut self, now: Instant) -> Option<Due> {
        let at = self.items.iter().position(|it| it.next <= now)?;
        let item = &mut self.items[at];
        if item.left == 0 {
            return Some(Due::Over(self.items.remove(at).purpose));
        }
        item.left -= 1;
        item.pace *= 2;
        item.next = now + item.pace;
        Some(Due::Again { via: item.via, to: item.to, bytes: item.bytes.clone() })
    }
}
