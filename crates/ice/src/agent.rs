//! The agent of one call: what comes in, what goes out, and which way sound goes at present.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use offhook_model::CandidateKind;
use offhook_ports::{Helper, IceCandidate, IceCredentials, IceFact, IcePlan, default_candidate};
use ring::digest;

use crate::allocation::Allocation;
use crate::asking::{Asking, Due};
use crate::binding::Early;
use crate::checks::Session;
use crate::gathering::Gathering;
use offhook_stun::{Message, Sort, TransactionId};

/// A socket of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// 1 for RTP, 2 for RTCP.
    pub component: u8,
    /// Where it is bound.
    pub address: SocketAddr,
    /// It is no socket but a stream to this helper, over which a relay is asked for; `address` is
    /// then that of the socket for the same component.
    pub stream_to: Option<usize>,
}

/// What an agent begins with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Sockets; the number of a base is its place here.
    pub bases: Vec<Base>,
    /// Whom to ask for addresses, at most eight are.
    pub helpers: Vec<Helper>,
    /// Only relayed addresses are told and used.
    pub relay_only: bool,
    /// Ours at first.
    pub local: IceCredentials,
    /// Where transactions begin; must be unforeseeable.
    pub seed: u64,
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// From this base.
    pub base: usize,
    /// To there.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// Sound or a report that came, inside of the datagram given to [`Agent::receive`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// 1 for RTP, 2 for RTCP.
    pub component: u8,
    /// Who sent it.
    pub from: SocketAddr,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Whether it comes from one of their candidates; nothing when candidates do not count (no ICE
    /// with them, or no way was found).
    pub vouched: Option<bool>,
}

/// How something is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// From this base.
    Base(usize),
    /// Through this relay.
    Relay(usize),
}

/// A candidate of ours and how to send from it.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub(crate) candidate: IceCandidate,
    pub(crate) via: Via,
}

/// Finds ways for one stream.
#[derive(Debug)]
pub struct Agent {
    pub(crate) bases: Vec<Base>,
    pub(crate) relay_only: bool,
    pub(crate) local: IceCredentials,
    seed: u64,
    drawn: u64,
    pub(crate) asking: Asking,
    pub(crate) allocations: Vec<Allocation>,
    pub(crate) locals: Vec<Local>,
    pub(crate) gathering: Option<Gathering>,
    pub(crate) session: Option<Session>,
    /// Checks of theirs that came before their description.
    pub(crate) early: Vec<Early>,
    /// Who is asked from which base.
    pub(crate) servers: Vec<(usize, SocketAddr)>,
    /// When servers are told next that we are still there.
    pub(crate) alive_at: Option<Instant>,
    pub(crate) out: VecDeque<Parcel>,
    pub(crate) facts: VecDeque<IceFact>,
}

impl Agent {
    /// Begins to gather candidates; [`IceFact::Candidates`] tells the end, at once where there is
    /// nobody to ask.
    pub fn new(config: Config, now: Instant) -> Self {
        let mut agent = Self {
            bases: config.bases,
            relay_only: config.relay_only,
            local: config.local,
            seed: config.seed,
            drawn: 0,
            asking: Asking::default(),
            allocations: vec![],
            locals: vec![],
            gathering: None,
            session: None,
            early: vec![],
            servers: vec![],
            alive_at: None,
            out: VecDeque::new(),
            facts: VecDeque::new(),
        };
        agent.gather(&config.helpers, now);
        agent
    }

    /// Looks for a way to them, by what was agreed. The same credentials as before change nothing;
    /// others begin anew, and sound goes the old way until a new one is found (RFC 8445 section 9).
    /// `components` is 1 where RTCP shares the port of RTP, else 2.
    pub fn begin(&mut self, plan: &IcePlan, components: u8, now: Instant) {
        let same = self.session.as_ref().is_some_and(|session| session.is_for(plan));
        if !same {
            self.start_checks(plan, components, now);
        }
    }

    /// They know nothing of ICE: sound goes to the addresses that their description names.
    pub fn go_plain(&mut self, rtp: SocketAddr, rtcp: Option<SocketAddr>, now: Instant) {
        self.session = None;
        for (component, to) in [(1, Some(rtp)), (2, rtcp)] {
            if let (Some(to), Some(Via::Relay(relay))) = (to, self.usual(component)) {
                self.open_for(relay, to, now);
            }
        }
    }

    /// A datagram came to `base`. What is STUN or TURN is dealt with; sound is given back.
    pub fn receive(
        &mut self,
        base: usize,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> Option<Incoming> {
        if let Some((relay, peer, start, end)) = self.unwrap(base, from, datagram) {
            let inner = datagram.get(start..end)?;
            return self.take(Via::Relay(relay), peer, inner, (start, end), now);
        }
        self.take(Via::Base(base), from, datagram, (0, datagram.len()), now)
    }

    fn take(
        &mut self,
        via: Via,
        from: SocketAddr,
        bytes: &[u8],
        (start, end): (usize, usize),
        now: Instant,
    ) -> Option<Incoming> {
        match Sort::of(bytes) {
            Sort::Stun => {
                if let Ok(message) = Message::parse(bytes) {
                    self.message(via, from, &message, now);
                }
                None
            }
            Sort::Media => {
                let component = self.component(via)?;
                let session = self.session.as_ref().filter(|session| !session.gave_up());
                let vouched = session.map(|session| session.knows(component, from));
                Some(Incoming { component, from, start, end, vouched })
            }
            Sort::Channel | Sort::Other => None,
        }
    }

    /// Wraps sound for the way it goes at present, `described` being where their description wants
    /// it. Gives the base, where to, and the bytes, in `room` where a relay wants them wrapped;
    /// nothing while there is no way.
    pub fn wrap<'a>(
        &self,
        component: u8,
        described: SocketAddr,
        packet: &'a [u8],
        room: &'a mut Vec<u8>,
    ) -> Option<(usize, SocketAddr, &'a [u8])> {
        let (via, to) = self.way(component, described)?;
        match via {
            Via::Base(base) => Some((base, to, packet)),
            Via::Relay(relay) => {
                let allocation = self.allocations.get(relay)?;
                allocation.wrap(to, packet, room);
                Some((allocation.base, allocation.server, room))
            }
        }
    }

    /// The kinds of both ends of the way that sound goes at present.
    pub fn kinds(&self) -> Option<(CandidateKind, CandidateKind)> {
        self.session.as_ref()?.kinds()
    }

    /// The address of a relay over a stream, by its place among the helpers.
    pub fn server(&self, helper: usize) -> Option<SocketAddr> {
        self.allocations.iter().find(|it| it.streams && it.turn == helper).map(|it| it.server)
    }

    /// The next datagram to send.
    pub fn poll_parcel(&mut self) -> Option<Parcel> {
        self.out.pop_front()
    }

    /// The next thing to tell.
    pub fn poll_fact(&mut self) -> Option<IceFact> {
        self.facts.pop_front()
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn next_timeout(&self) -> Option<Instant> {
        let gathering = self.gathering.as_ref().map(Gathering::next_timeout);
        let session = self.session.as_ref().and_then(Session::next_timeout);
        let allocations = self.allocations.iter().filter_map(Allocation::next_timeout);
        let others = [gathering, session, self.alive_at].into_iter().flatten();
        others.chain(allocations).chain(self.asking.next_timeout()).min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.asking.due(now) {
            match due {
                Due::Again { via, to, bytes } => self.send(via, to, bytes),
                Due::Over(purpose) => self.silent(&purpose, now),
            }
        }
        self.gather_on(now);
        self.renew(now);
        self.check_on(now);
        self.look_after(now);
    }

    /// A stream to a relay could not be opened, or has ended.
    pub fn stream_ended(&mut self, base: usize, now: Instant) {
        self.relays_gone(base, now);
    }

    /// Gives relays back; the last parcels say so.
    pub fn close(&mut self) {
        self.session = None;
        self.asking = Asking::default();
        self.give_back();
    }

    // ---- inside ----------------------------------------------------------------------------

    /// Where a component's sound goes.
    fn way(&self, component: u8, described: SocketAddr) -> Option<(Via, SocketAddr)> {
        let usual = || Some((self.usual(component)?, described));
        match &self.session {
            None => usual(),
            Some(session) if session.gave_up() => usual(),
            Some(session) => session.way(component, &self.locals),
        }
    }

    /// How sound goes to those who know nothing of ICE.
    pub(crate) fn usual(&self, component: u8) -> Option<Via> {
        let all: Vec<IceCandidate> =
            self.locals.iter().map(|local| local.candidate.clone()).collect();
        let ipv4 = self.bases.first().is_some_and(|base| base.address.is_ipv4());
        let best = default_candidate(&all, component, ipv4);
        let local = best.and_then(|best| self.locals.iter().find(|it| it.candidate == *best));
        let base = || self.bases.iter().position(|base| base.component == component);
        match local {
            Some(local) => Some(local.via),
            None if self.relay_only => None,
            None => base().map(Via::Base),
        }
    }

    pub(crate) fn component(&self, via: Via) -> Option<u8> {
        let base = match via {
            Via::Base(base) => base,
            Via::Relay(relay) => self.allocations.get(relay)?.base,
        };
        self.bases.get(base).map(|base| base.component)
    }

    pub(crate) fn send(&mut self, via: Via, to: SocketAddr, bytes: Vec<u8>) {
        match via {
            Via::Base(base) => self.out.push_back(Parcel { base, to, bytes }),
            Via::Relay(relay) => {
                if let Some(allocation) = self.allocations.get(relay) {
                    let mut room = vec![];
                    allocation.wrap(to, &bytes, &mut room);
                    let (base, to) = (allocation.base, allocation.server);
                    self.out.push_back(Parcel { base, to, bytes: room });
                }
            }
        }
    }

    /// Twelve bytes that nobody foresees.
    pub(crate) fn draw(&mut self) -> TransactionId {
        self.drawn += 1;
        let mut from = self.seed.to_be_bytes().to_vec();
        from.extend(self.drawn.to_be_bytes());
        let hash = digest::digest(&digest::SHA256, &from);
        let mut id = [0; 12];
        id.copy_from_slice(hash.as_ref().get(..12).unwrap_or(&[0; 12]));
        id
    }
}
