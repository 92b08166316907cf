//! Gathering candidates (RFC 8445 section 5.1), within a time that a caller does not notice.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use offhook_model::{CandidateKind, Link};
use offhook_ports::{Helper, HelperFault, IceCandidate, IceFact};

use crate::agent::{Agent, Base, Local, Via};
use crate::allocation::Allocation;
use crate::asking::{HELPER_PACE, Purpose, Repeat};
use offhook_stun::{Class, Draft, Message, Method};

/// Between two new questions (RFC 8445 section 14.2).
pub(crate) const PACE: Duration = Duration::from_millis(50);
/// So long nobody said anything, and the call is not kept waiting any more: a question and its
/// first repetition.
const QUIET: Duration = Duration::from_millis(500);
/// However talkative servers are, the call goes out after this.
const LIMIT: Duration = Duration::from_secs(2);
/// More helpers than this are not asked.
const MAX_HELPERS: usize = 8;
/// Bindings of translators are kept open so often before a way is found (RFC 8445 section 11).
pub(crate) const ALIVE: Duration = Duration::from_secs(15);

/// A relay over a stream is asked when those before it have said nothing for so long: a network
/// that lets UDP out has answered by then.
const UNANSWERED: Duration = Duration::from_millis(300);
/// It has so long to be connected to and to answer.
const STREAM_QUIET: Duration = Duration::from_millis(1_000);

/// What is still to be asked.
#[derive(Debug)]
enum Step {
    Reflexive { base: usize, server: SocketAddr },
    Allocate(usize),
}

/// The search for candidates while it goes on.
#[derive(Debug)]
pub(crate) struct Gathering {
    steps: VecDeque<Step>,
    /// When the next one is asked.
    next: Instant,
    /// Without another word it ends then.
    quiet: Instant,
    end: Instant,
    /// Relays over streams that are asked when no other answers; those of one helper together.
    later: VecDeque<Vec<usize>>,
    /// When the next of them are asked; nothing once a relay has said a word.
    later_at: Option<Instant>,
}

impl Gathering {
    pub(crate) fn next_timeout(&self) -> Instant {
        let later = self.later_at.filter(|_| !self.later.is_empty());
        let step = (!self.steps.is_empty()).then_some(self.next);
        later.into_iter().chain(step).fold(self.end.min(self.quiet), Instant::min)
    }
}

/// Priority of a candidate (RFC 8445 section 5.1.2.1).
pub(crate) fn priority(kind: CandidateKind, preference: u16, component: u8) -> u32 {
    let kind = match kind {
        CandidateKind::Host => 126,
        CandidateKind::PeerReflexive => 110,
        CandidateKind::ServerReflexive => 100,
        CandidateKind::Relayed => 0,
    };
    (kind << 24) | (u32::from(preference) << 8) | (256 - u32::from(component))
}

impl Agent {
    pub(crate) fn gather(&mut self, helpers: &[Helper], now: Instant) {
        let mut steps = VecDeque::new();
        let mut later: VecDeque<Vec<usize>> = VecDeque::new();
        for base in 0..self.bases.len() {
            let Base { address: own, stream_to, .. } = self.bases[base];
            if let Some(turn) = stream_to {
                if let Some(relay) = self.stream_relay(base, turn, helpers) {
                    let same = |all: &&mut Vec<usize>| {
                        all.iter().any(|at| self.allocations[*at].turn == turn)
                    };
                    match later.iter_mut().find(same) {
                        Some(all) => all.push(relay),
                        None => later.push_back(vec![relay]),
                    }
                }
                continue;
            }
            if !self.relay_only {
                self.add(CandidateKind::Host, own, base, Via::Base(base), 0);
            }
            for (turn, helper) in helpers.iter().take(MAX_HELPERS).enumerate() {
                if helper.address.is_ipv4() != own.is_ipv4() || helper.link != Link::Udp {
                    continue;
                }
                self.servers.push((base, helper.address));
                match &helper.login {
                    Some(login) => {
                        self.allocations.push(Allocation::new(
                            (base, turn, false),
                            helper.address,
                            login,
                        ));
                        steps.push_back(Step::Allocate(self.allocations.len() - 1));
                    }
                    // A relay of the same server tells the same.
                    None if self.relay_only || is_asked(helper, helpers) => {}
                    None => steps.push_back(Step::Reflexive { base, server: helper.address }),
                }
            }
        }
        // With nobody to ask by datagrams the first stream is not waited with.
        let alone = self.allocations.iter().all(|it| it.streams);
        let later_at = Some(if alone { now } else { now + UNANSWERED });
        let (quiet, end) = (now + QUIET, now + LIMIT);
        self.gathering = Some(Gathering { steps, next: now, quiet, end, later, later_at });
        self.gather_on(now);
    }

    fn stream_relay(&mut self, base: usize, turn: usize, helpers: &[Helper]) -> Option<usize> {
        let helper = helpers.iter().take(MAX_HELPERS).nth(turn)?;
        let login = helper.login.as_ref()?;
        self.allocations.push(Allocation::new((base, turn, true), helper.address, login));
        Some(self.allocations.len() - 1)
    }

    /// Asks the next relays over streams, where no other relay has said a word.
    fn ask_later(&mut self, now: Instant) {
        let Some(gathering) = &mut self.gathering else { return };
        let pending = |it: &Allocation| it.is_wanted();
        let asked = |at: usize| !gathering.later.iter().flatten().any(|later| *later == at);
        let waits =
            (0..self.allocations.len()).any(|at| asked(at) && pending(&self.allocations[at]));
        let due = gathering.later_at.is_some_and(|at| at <= now || !waits);
        let Some(relays) = due.then(|| gathering.later.pop_front()).flatten() else { return };
        gathering.later_at = Some(now + UNANSWERED);
        gathering.quiet = now + STREAM_QUIET;
        for relay in relays {
            self.ask_relay(Purpose::Allocate(relay), 0, now);
        }
    }

    /// Asks the next, or ends the search.
    pub(crate) fn gather_on(&mut self, now: Instant) {
        let Some(gathering) = &mut self.gathering else { return };
        if gathering.next <= now
            && let Some(step) = gathering.steps.pop_front()
        {
            gathering.next = now + PACE;
            match step {
                Step::Reflexive { base, server } => self.ask_reflexive(base, server, now),
                Step::Allocate(relay) => self.ask_relay(Purpose::Allocate(relay), 0, now),
            }
        }
        self.ask_later(now);
        self.end_gathering(now);
    }

    fn end_gathering(&mut self, now: Instant) {
        let Some(gathering) = &self.gathering else { return };
        let asks =
            |purpose: &Purpose| matches!(purpose, Purpose::Reflexive { .. } | Purpose::Allocate(_));
        let later = gathering.later_at.is_some() && !gathering.later.is_empty();
        let done = gathering.steps.is_empty() && !later && !self.asking.has(asks);
        if !done && now < gathering.end.min(gathering.quiet) {
            return;
        }
        self.gathering = None;
        for relay in [false, true] {
            let silent = |purpose: &Purpose| asks(purpose) && relay == is_relay(purpose);
            if self.asking.has(silent) {
                match relay {
                    true => self.relay_unhelped(HelperFault::Silent),
                    false => self.unhelped(false, HelperFault::Silent),
                }
            }
        }
        self.asking.forget(asks);
        self.allocations.iter_mut().for_each(Allocation::give_up_waiting);
        self.alive_at = self.locals.iter().any(is_reflexive).then_some(now + ALIVE);
        let mut candidates: Vec<IceCandidate> =
            self.locals.iter().map(|local| local.candidate.clone()).collect();
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.priority));
        self.facts.push_back(IceFact::Candidates(candidates));
    }

    /// Tells once of each kind.
    pub(crate) fn unhelped(&mut self, relay: bool, fault: HelperFault) {
        let fact = IceFact::Unhelped { relay, fault };
        if !self.facts.contains(&fact) {
            self.facts.push_back(fact);
        }
    }

    fn ask_reflexive(&mut self, base: usize, server: SocketAddr, now: Instant) {
        let id = self.draw();
        let bytes = Draft::new(Class::Request, Method::Binding, id).finish();
        let way = (Via::Base(base), server);
        self.send(way.0, way.1, bytes.clone());
        let purpose = Purpose::Reflexive { base };
        self.asking.add((id, bytes), purpose, way, Repeat(HELPER_PACE, 4), 0, now);
    }

    /// A server said how it sees a base.
    pub(crate) fn seen_as(&mut self, base: usize, message: &Message<'_>, now: Instant) {
        self.word_came(now);
        match message.mapped() {
            Some(address) if message.class == Class::Success => {
                self.reflexive(base, address);
            }
            _ => {
                let code = message.error().map_or(0, |code| code.0);
                self.unhelped(false, HelperFault::Refused(code));
            }
        }
        self.end_gathering(now);
    }

    pub(crate) fn reflexive(&mut self, base: usize, address: SocketAddr) {
        let own = self.bases.get(base).map(|base| base.address);
        // The same address as the host's says nothing new (RFC 8445 section 5.1.3).
        if own != Some(address) && !self.relay_only {
            self.add(CandidateKind::ServerReflexive, address, base, Via::Base(base), 0);
        }
    }

    /// A relay gave an address; `base` is seen as `mapped` by it.
    pub(crate) fn relayed(&mut self, relay: usize, address: SocketAddr, mapped: SocketAddr) {
        let Some((base, turn)) = self.allocations.get(relay).map(|it| (it.base, it.turn)) else {
            return;
        };
        // What a relay sees of a stream is no address for datagrams.
        if self.allocations.get(relay).is_some_and(|it| !it.streams) {
            self.reflexive(base, mapped);
        }
        self.add(CandidateKind::Relayed, address, base, Via::Relay(relay), turn as u16);
    }

    /// A server answered: others get their time.
    pub(crate) fn word_came(&mut self, now: Instant) {
        if let Some(gathering) = &mut self.gathering {
            gathering.quiet = gathering.quiet.max(now + QUIET);
        }
    }

    /// A relay answered: there is no need of others.
    pub(crate) fn relay_spoke(&mut self, now: Instant) {
        if let Some(gathering) = &mut self.gathering {
            gathering.later_at = None;
        }
        self.word_came(now);
    }

    /// A relay did not help, which is told when no other does or may.
    pub(crate) fn relay_unhelped(&mut self, fault: HelperFault) {
        let hope = |it: &Gathering| it.later_at.is_some() && !it.later.is_empty();
        let helped = self.allocations.iter().any(Allocation::is_ready);
        if fault == HelperFault::Silent && (helped || self.gathering.as_ref().is_some_and(hope)) {
            return;
        }
        self.unhelped(true, fault);
    }

    pub(crate) fn gathered(&mut self, now: Instant) {
        self.end_gathering(now);
    }

    fn add(&mut self, kind: CandidateKind, address: SocketAddr, base: usize, via: Via, turn: u16) {
        let Some(own) = self.bases.get(base).copied() else { return };
        let is_known = |local: &Local| {
            local.candidate.address == address && local.candidate.component == own.component
        };
        if self.locals.iter().any(is_known) || address.ip().is_unspecified() {
            return;
        }
        let alike = |it: &&Base| {
            it.component == own.component && it.address.is_ipv4() == own.address.is_ipv4()
        };
        let place = self.bases[..base].iter().filter(alike).count();
        // Of two families the newer one is tried first (RFC 8421 section 4).
        let both = self.bases.iter().any(|it| it.address.is_ipv6());
        let older = u16::from(both && own.address.is_ipv4());
        let preference = u16::MAX - (place as u16 * 2 + older) * 256 - turn;
        let related = match kind {
            CandidateKind::Host => None,
            // Where we are is nobody's business then (RFC 8839 section 5.1 allows it).
            _ if self.relay_only => Some(unspecified(address)),
            _ => Some(own.address),
        };
        let candidate = IceCandidate {
            foundation: foundation(kind, own.address, place, turn),
            component: own.component,
            priority: priority(kind, preference, own.component),
            address,
            kind,
            related,
        };
        self.locals.push(Local { candidate, via });
    }
}

/// The same for candidates of one kind, from one address, by one server (RFC 8445 section 5.1.1.3).
fn foundation(kind: CandidateKind, own: SocketAddr, place: usize, turn: u16) -> String {
    let kind = match kind {
        CandidateKind::Host => 'h',
        CandidateKind::ServerReflexive => 's',
        CandidateKind::PeerReflexive => 'p',
        CandidateKind::Relayed => 'r',
    };
    let family = if own.is_ipv4() { 4 } else { 6 };
    format!("{kind}{family}{place}{turn}")
}

fn unspecified(address: SocketAddr) -> SocketAddr {
    if address.is_ipv4() {
        SocketAddr::from(([0, 0, 0, 0], 9))
    } else {
        SocketAddr::from(([0_u16; 8], 9))
    }
}

fn is_reflexive(local: &Local) -> bool {
    local.candidate.kind == CandidateKind::ServerReflexive
}

fn is_relay(purpose: &Purpose) -> bool {
    matches!(purpose, Purpose::Allocate(_))
}

/// The list has a relay on the same server.
fn is_asked(helper: &Helper, all: &[Helper]) -> bool {
    let same = |it: &Helper| it.link == Link::Udp && it.address == helper.address;
    all.iter().take(MAX_HELPERS).any(|it| it.login.is_some() && same(it))
}
