//! When to register again: expiry, refresh and back-off, without the sending.

use std::time::{Duration, Instant};

use offhook_ports::FlowId;

use crate::message::{Message, Name};
use crate::token::Tokens;

/// How long opening a flow may take.
pub(crate) const OPEN_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a first REGISTER may stay without an answer before the next server is tried.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// When to try again after a refusal that nothing but somebody's work on the server ends.
pub(crate) const REFUSED_WAIT: Duration = Duration::from_secs(60);
/// Within this time after an outage began attempts are at most [`EARLY_CAP`] apart, so that a
/// registrar that was only restarted is found again soon.
const EARLY: Duration = Duration::from_secs(60);
const EARLY_CAP: Duration = Duration::from_secs(5);
const STEPS: [u64; 6] = [1, 2, 4, 8, 16, 30];
/// Base and longest wait where the registrar has many flows to take back (RFC 5626 section 4.5).
const FLOW_BASE: Duration = Duration::from_secs(30);
const FLOW_MOST: Duration = Duration::from_secs(1_800);
/// With datagrams a refresh starts so long before expiry that one whole transaction may fail and
/// another succeed.
const DATAGRAM_MARGIN: Duration = Duration::from_secs(70);

/// Where the registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not started.
    Idle,
    /// A flow is being opened.
    Opening { flow: FlowId, deadline: Instant },
    /// The first REGISTER on this flow is out.
    Registering { flow: FlowId, deadline: Instant },
    /// Registered.
    Registered { flow: FlowId, refresh_at: Instant },
    /// Registered, and a refresh is out.
    Refreshing { flow: FlowId, deadline: Instant },
    /// Waiting for the next attempt; without a time, until somebody starts again.
    Waiting { until: Option<Instant> },
    /// The un-REGISTER is out, or calls are being ended.
    Leaving { flow: FlowId },
    /// Over.
    Stopped,
}

impl Phase {
    /// The flow in use or being opened.
    pub fn flow(self) -> Option<FlowId> {
        match self {
            Self::Opening { flow, .. }
            | Self::Registering { flow, .. }
            | Self::Registered { flow, .. }
            | Self::Refreshing { flow, .. }
            | Self::Leaving { flow } => Some(flow),
            Self::Idle | Self::Waiting { .. } | Self::Stopped => None,
        }
    }

    pub fn is_registered(self) -> bool {
        match self {
            Self::Registered { .. } | Self::Refreshing { .. } => true,
            Self::Idle
            | Self::Opening { .. }
            | Self::Registering { .. }
            | Self::Waiting { .. }
            | Self::Leaving { .. }
            | Self::Stopped => false,
        }
    }

    pub fn timeout(self) -> Option<Instant> {
        match self {
            Self::Opening { deadline, .. }
            | Self::Registering { deadline, .. }
            | Self::Refreshing { deadline, .. } => Some(deadline),
            Self::Registered { refresh_at, .. } => Some(refresh_at),
            Self::Waiting { until } => until,
            Self::Idle | Self::Leaving { .. } | Self::Stopped => None,
        }
    }
}

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// The connection was lost while it worked: the same server again, at once.
    SameAtOnce,
    /// The next server, or after a round of all of them a pause.
    Next,
    /// The next server, but after a round not before this time has passed.
    NextAfter(Duration),
    /// The same server after this time.
    After(Duration),
    /// Not at all: trying again would only lock the account.
    Never,
}

/// The order of attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts {
    /// Index of the server in use or next to be tried.
    pub server: usize,
    tried: usize,
    rounds: usize,
    outage: Option<Instant>,
    /// The registrar agreed to outbound: after the first minute its back-off holds.
    pub outbound: bool,
    /// Rounds since then.
    late: u32,
}

impl Attempts {
    pub fn succeeded(&mut self) {
        (self.tried, self.rounds, self.late, self.outage) = (0, 0, 0, None);
    }

    /// How long to wait, and moves on to the server to try then. Nothing: never.
    pub fn failed(
        &mut self,
        retry: Retry,
        servers: usize,
        tokens: &mut Tokens,
        now: Instant,
    ) -> Option<Duration> {
        let outage = *self.outage.get_or_insert(now);
        match retry {
            Retry::SameAtOnce => Some(Duration::ZERO),
            Retry::Never => None,
            Retry::After(wait) => Some(wait),
            Retry::Next | Retry::NextAfter(_) => {
                self.tried += 1;
                if self.tried < servers {
                    self.server = (self.server + 1) % servers.max(1);
                    return Some(Duration::ZERO);
                }
                (self.server, self.tried) = (0, 0);
                let step = STEPS.get(self.rounds).or(STEPS.last()).copied().unwrap_or(30);
                self.rounds += 1;
                let mut wait = Duration::from_secs(step);
                if now.saturating_duration_since(outage) < EARLY {
                    wait = wait.min(EARLY_CAP);
                } else if self.outbound {
                    return Some(self.flow_wait(retry, tokens));
                }
                let jitter = tokens.below(wait.as_millis() as u64 / 5 + 1);
                if let Retry::NextAfter(least) = retry {
                    wait = wait.max(least);
                }
                Some(wait + Duration::from_millis(jitter))
            }
        }
    }
}

impl Attempts {
    /// RFC 5626 section 4.5: between half and all of a bound that doubles with each failure. Its
    /// times may be set by the client; within the first minute of an outage they are
    /// [`EARLY_CAP`], so that a person is not without a phone for a restart of the server.
    fn flow_wait(&mut self, retry: Retry, tokens: &mut Tokens) -> Duration {
        let bound = FLOW_BASE.saturating_mul(2_u32.saturating_pow(self.late)).min(FLOW_MOST);
        self.late = self.late.saturating_add(1);
        let half = bound / 2;
        let wait = half + Duration::from_millis(tokens.below(half.as_millis() as u64 + 1));
        match retry {
            Retry::NextAfter(least) => wait.max(least),
            _ => wait,
        }
    }
}

/// When to refresh, counted from the answer: `refresh_before` the end, but never before half of
/// the time.
pub(crate) fn refresh_after(
    expires: Duration,
    refresh_before: Duration,
    reliable: bool,
) -> Duration {
    let margin = if reliable { refresh_before } else { refresh_before.max(DATAGRAM_MARGIN) };
    expires - margin.min(expires / 2)
}

/// The expiry the registrar granted: of our Contact or of the whole answer, else what we asked
/// for. Where the two differ the shorter one is safe: CUCM means its `Expires` (reference
/// sip-dialect.md section 2).
pub(crate) fn granted(response: &Message, contact: &str, asked: Duration) -> Duration {
    let same = |uri: &str| same_place(uri, contact);
    let mut contacts = response.addresses(Name::Contact).filter_map(Result::ok);
    let ours = contacts.find(|address| same(address.uri_text));
    let of_contact = ours
        .and_then(|address| crate::message::text::capped_number(address.params.get("expires")?));
    let seconds = of_contact.into_iter().chain(response.number(Name::Expires)).min();
    seconds.map_or(asked, |s| Duration::from_secs(u64::from(s)))
}

fn same_place(a: &str, b: &str) -> bool {
    use crate::message::Uri;
    match (Uri::parse(a), Uri::parse(b)) {
        (Ok(a), Ok(b)) => {
            a.user == b.user && a.host.eq_ignore_ascii_case(b.host) && a.port == b.port
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Attempts, Retry, granted, refresh_after};
    use crate::message::parse;
    use crate::token::Tokens;

    const fn secs(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn refresh_leaves_room() {
        assert_eq!(refresh_after(secs(120), secs(5), true), secs(115));
        assert_eq!(refresh_after(secs(6), secs(5), true), secs(3));
        assert_eq!(refresh_after(secs(3600), secs(5), false), secs(3530));
        assert_eq!(refresh_after(secs(60), secs(5), false), secs(30));
        assert_eq!(refresh_after(secs(0), secs(5), true), secs(0));
    }

    #[test]
    fn attempts_go_round_the_servers_and_then_back_off() {
        #[allow(clippy::disallowed_methods, reason = "a starting point for virtual time")]
        let start = Instant::now();
        let (mut attempts, mut tokens) = (Attempts::default(), Tokens::new(1));
        let mut now = start;
        let mut waits = vec![];
        for _ in 0..16 {
            let wait = attempts.failed(Retry::Next, 2, &mut tokens, now).expect("again");
            waits.push(wait);
            now += wait;
        }
        assert_eq!((waits[0], attempts.server), (Duration::ZERO, 0));
        let near = |wait: Duration, base: u64| wait >= secs(base) && wait <= secs(base) * 6 / 5;
        for (index, base) in [(1, 1), (3, 2), (5, 4), (7, 5), (9, 5), (11, 5)] {
            assert!(near(waits[index], base), "{index}: {:?}", waits[index]);
        }
        let later = attempts.failed(Retry::Next, 1, &mut tokens, start + secs(61)).expect("again");
        assert!(near(later, 30), "{later:?}");
        assert_eq!(attempts.failed(Retry::Never, 1, &mut tokens, now), None);
    }

    #[test]
    fn lost_flows_are_formed_anew_as_outbound_wants() {
        #[allow(clippy::disallowed_methods, reason = "a starting point for virtual time")]
        let start = Instant::now();
        let mut attempts = Attempts { outbound: true, ..Attempts::default() };
        let mut tokens = Tokens::new(3);
        let mut now = start;
        while now < start + secs(60) {
            let wait = attempts.failed(Retry::Next, 1, &mut tokens, now).expect("again");
            assert!(wait <= secs(6), "the first minute: {wait:?}");
            now += wait;
        }
        for bound in [30, 60, 120, 240, 480, 960, 1800, 1800] {
            let wait = attempts.failed(Retry::Next, 1, &mut tokens, now).expect("again");
            assert!(wait >= secs(bound) / 2 && wait <= secs(bound), "{bound}: {wait:?}");
            now += wait;
        }
        let asked = Retry::NextAfter(secs(9_000));
        assert_eq!(attempts.failed(asked, 1, &mut tokens, now), Some(secs(9_000)));
        attempts.succeeded();
        let wait = attempts.failed(Retry::Next, 1, &mut tokens, now).expect("again");
        assert!(wait <= secs(2), "a new outage: {wait:?}");
    }

    #[test]
    fn our_contact_says_how_long() {
        let check = |headers: &str, expected| {
            let text = format!("SIP/2.0 200 OK\r\n{headers}\r\n");
            let message = parse(text.as_bytes()).expect("valid");
            assert_eq!(
                granted(&message, "sip:a@1.2.3.4:5;transport=tcp", secs(3600)),
                secs(expected)
            );
        };
        check("Contact: <sip:a@9.9.9.9:5>;expires=7, <sip:a@1.2.3.4:5>;expires=99\r\n", 99);
        check("Contact: <sip:a@1.2.3.4:5>\r\nExpires: 120\r\n", 120);
        check("Contact: <sip:a@1.2.3.4:5>;expires=3600\r\nExpires: 120\r\n", 120);
        check("", 3600);
    }
}
