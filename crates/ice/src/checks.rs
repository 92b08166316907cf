//! Connectivity checks: which pairs work, and which is taken (RFC 8445 sections 6 to 8).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use offhook_model::CandidateKind;
use offhook_ports::{IceCandidate, IceFact, IcePlan};

use crate::agent::{Agent, Local, Via};
use crate::allocation::Permission;
use crate::asking::{Asked, CHECK_PACE, Purpose, Repeat};
use crate::gathering::{self, PACE};
use crate::pairs::{self, MAX_PAIRS, Pair, State};
use crate::upkeep::Consent;
use offhook_stun::{Attribute, Class, Draft, ErrorCode, Key, Message, Method};

/// A check is repeated so often, which with the doubling of the wait makes 7.5 seconds. The RFC's
/// 40 are more than anybody waits for a call's sound, who then hears nothing for lack of the
/// address in the description.
const REPEATS: u32 = 3;
/// Better pairs get so long after the first one that works, before it is taken.
const PATIENCE: Duration = Duration::from_millis(300);

/// The checks with one description of theirs.
#[derive(Debug)]
pub(crate) struct Session {
    /// Tells the answers of an earlier one apart.
    pub(crate) number: u32,
    pub(crate) plan: IcePlan,
    pub(crate) controlling: bool,
    /// Decides who gives way when both want the same (RFC 8445 section 7.3.1.1).
    pub(crate) tie: u64,
    components: u8,
    pub(crate) remotes: Vec<IceCandidate>,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) triggered: VecDeque<usize>,
    next: Option<Instant>,
    /// When the first pair worked.
    first: Option<Instant>,
    /// The pair of each component that is taken.
    pub(crate) taken: [Option<usize>; 2],
    pub(crate) consent: [Option<Consent>; 2],
    pub(crate) told: bool,
    gave_up: bool,
    /// They do not answer any more.
    pub(crate) lost: bool,
    /// Where sound went before a restart.
    earlier: [Option<(Via, SocketAddr)>; 2],
}

impl Session {
    pub(crate) fn is_for(&self, plan: &IcePlan) -> bool {
        self.plan.local == plan.local && self.plan.remote == plan.remote
    }

    /// No way was found.
    pub(crate) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// The address is one of theirs.
    pub(crate) fn knows(&self, component: u8, from: SocketAddr) -> bool {
        self.remotes.iter().any(|it| it.component == component && it.address == from)
            || self.earlier.iter().flatten().any(|(_, to)| *to == from)
    }

    /// The pair that sound of this component takes: the one taken, or the best that works.
    fn pair(&self, component: u8) -> Option<&Pair> {
        let taken = self.taken.get(usize::from(component) - 1).copied().flatten();
        let works = |pair: &&Pair| pair.component == component && pair.state == State::Works;
        taken
            .and_then(|at| self.pairs.get(at))
            .or_else(|| self.pairs.iter().filter(works).max_by_key(|pair| pair.priority))
    }

    pub(crate) fn way(&self, component: u8, locals: &[Local]) -> Option<(Via, SocketAddr)> {
        if self.lost {
            return None;
        }
        match self.pair(component) {
            Some(pair) => {
                Some((locals.get(pair.local)?.via, self.remotes.get(pair.remote)?.address))
            }
            None => self.earlier.get(usize::from(component) - 1).copied().flatten(),
        }
    }

    pub(crate) fn kinds(&self) -> Option<(CandidateKind, CandidateKind)> {
        let pair = self.pair(1).filter(|_| !self.lost && !self.gave_up)?;
        Some((pair.kind, self.remotes.get(pair.remote)?.kind))
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let consent = self.consent.iter().flatten().map(|consent| consent.next);
        consent.chain(self.next).min()
    }

    pub(crate) fn wake(&mut self, now: Instant) {
        self.next.get_or_insert(now);
    }

    /// All components have a pair that is taken.
    fn is_done(&self) -> bool {
        self.taken.iter().take(usize::from(self.components)).all(Option::is_some)
    }

    /// The best pair of this sort that is still to be tried and may be.
    fn best(&self, state: State, may: impl Fn(&Pair) -> bool) -> Option<usize> {
        let fits = |(_, pair): &(usize, &Pair)| pair.state == state && may(pair);
        let all = self.pairs.iter().enumerate().filter(fits);
        all.max_by_key(|(_, pair)| pair.priority).map(|(at, _)| at)
    }

    pub(crate) fn find(&self, local: usize, remote: usize) -> Option<usize> {
        self.pairs.iter().position(|pair| pair.local == local && pair.remote == remote)
    }

    /// Priorities as the new role has them.
    pub(crate) fn change_role(&mut self, controlling: bool, locals: &[Local]) {
        self.controlling = controlling;
        for pair in &mut self.pairs {
            let ours = locals.get(pair.local).map_or(0, |it| it.candidate.priority);
            let theirs = self.remotes.get(pair.remote).map_or(0, |it| it.priority);
            pair.priority = pairs::priority(controlling, ours, theirs);
            if controlling {
                pair.chosen = false;
            }
        }
    }
}

impl Agent {
    pub(crate) fn start_checks(&mut self, plan: &IcePlan, components: u8, now: Instant) {
        let old = self.session.take();
        let earlier = match &old {
            Some(old) if !old.gave_up => [1, 2].map(|component| old.way(component, &self.locals)),
            _ => [None, None],
        };
        let number = old.map_or(1, |old| old.number + 1);
        self.asking.forget(|it| matches!(it, Purpose::Check { .. } | Purpose::Consent { .. }));
        self.local = plan.local.clone();
        let controlling = plan.controlling || plan.lite;
        let remotes: Vec<IceCandidate> =
            plan.candidates.iter().filter(|it| it.component <= components).cloned().collect();
        let components = remotes.iter().map(|it| it.component).max().unwrap_or(1).min(components);
        let tie = self.draw();
        let mut half = [0; 8];
        half.copy_from_slice(&tie[..8]);
        self.session = Some(Session {
            number,
            plan: plan.clone(),
            controlling,
            tie: u64::from_be_bytes(half),
            components,
            pairs: pairs::form(&self.locals, &remotes, controlling),
            remotes,
            triggered: VecDeque::new(),
            next: Some(now),
            first: None,
            taken: [None, None],
            consent: [None, None],
            told: false,
            gave_up: false,
            lost: false,
            earlier,
        });
        self.let_in(now);
        for early in std::mem::take(&mut self.early) {
            self.asked_early(&early, now);
        }
        self.check_on(now);
    }

    /// Relays let their addresses send to us.
    fn let_in(&mut self, now: Instant) {
        let Some(session) = &self.session else { return };
        let wanted: Vec<_> = session
            .pairs
            .iter()
            .filter_map(|pair| match self.locals.get(pair.local)?.via {
                Via::Relay(relay) => Some((relay, session.remotes.get(pair.remote)?.address.ip())),
                Via::Base(_) => None,
            })
            .collect();
        for (relay, peer) in wanted {
            self.permit(relay, peer, now);
        }
    }

    /// Tries the next pair when it is time, chooses one, or gives up.
    pub(crate) fn check_on(&mut self, now: Instant) {
        let due = |session: &Session| session.next.is_some_and(|at| at <= now);
        if !self.session.as_ref().is_some_and(due) {
            return;
        }
        self.refused_pairs();
        let at = self.next_pair();
        if let Some(at) = at {
            self.check(at, false, now);
        }
        self.nominate(now);
        self.conclude();
        let Some(session) = &mut self.session else { return };
        let open = |pair: &Pair| matches!(pair.state, State::Waiting | State::Frozen);
        let busy = at.is_some()
            || !session.triggered.is_empty()
            || session.pairs.iter().any(open)
            || (session.controlling && session.first.is_some() && !session.is_done());
        session.next = (busy && !session.is_done()).then_some(now + PACE);
    }

    /// A pair whose relay may not send there does not work.
    fn refused_pairs(&mut self) {
        let Some(session) = &mut self.session else { return };
        for pair in &mut session.pairs {
            let ip = session.remotes.get(pair.remote).map(|it| it.address.ip());
            if let (Some(Via::Relay(relay)), Some(ip)) =
                (self.locals.get(pair.local).map(|it| it.via), ip)
            {
                let known = self.allocations.get(relay).and_then(|it| it.permission(ip));
                if matches!(known, None | Some(Permission::Refused))
                    && matches!(pair.state, State::Frozen | State::Waiting)
                {
                    pair.state = State::Failed;
                }
            }
        }
    }

    /// What they tried goes first, then by priority (RFC 8445 section 6.1.4.2).
    fn next_pair(&mut self) -> Option<usize> {
        let may = |agent: &Self, pair: &Pair| {
            let Some(Via::Relay(relay)) = agent.locals.get(pair.local).map(|it| it.via) else {
                return true;
            };
            let session = agent.session.as_ref();
            let ip = session.and_then(|it| it.remotes.get(pair.remote)).map(|it| it.address.ip());
            let allocation = agent.allocations.get(relay);
            let known = ip.and_then(|ip| allocation?.permission(ip));
            matches!(known, Some(Permission::Given(_)))
        };
        let session = self.session.as_ref()?;
        let triggered = session
            .triggered
            .iter()
            .position(|at| session.pairs.get(*at).is_some_and(|pair| may(self, pair)));
        if let Some(place) = triggered {
            return self.session.as_mut()?.triggered.remove(place);
        }
        session.best(State::Waiting, |pair| may(self, pair)).or_else(|| {
            // A foundation of which none is waiting or being tried may be begun.
            let name = |pair: &Pair| pairs::foundation(pair, &self.locals, &session.remotes);
            let busy: Vec<String> = session
                .pairs
                .iter()
                .filter(|pair| matches!(pair.state, State::Waiting | State::Trying))
                .map(name)
                .collect();
            session.best(State::Frozen, |pair| may(self, pair) && !busy.contains(&name(pair)))
        })
    }

    /// Asks over one pair.
    fn check(&mut self, at: usize, nominates: bool, now: Instant) {
        let id = self.draw();
        let Some(session) = &mut self.session else { return };
        let (number, controlling) = (session.number, session.controlling);
        let Some(pair) = session.pairs.get_mut(at) else { return };
        let (Some(local), Some(remote)) =
            (self.locals.get(pair.local), session.remotes.get(pair.remote))
        else {
            return;
        };
        if pair.state != State::Works {
            pair.state = State::Trying;
        }
        // What it would have as a candidate that they learn from this check (RFC 8445 section
        // 7.1.1).
        let kind = gathering::priority(CandidateKind::PeerReflexive, 0, 0) & 0xff00_0000;
        let priority = kind | (local.candidate.priority & 0x00ff_ffff);
        let mut draft = session.request(id).with(Attribute::Priority, &priority.to_be_bytes());
        // Who only answers is told with the first check already (RFC 8445 section 8.1.1).
        if nominates || session.plan.lite {
            draft = draft.with(Attribute::UseCandidate, &[]);
        }
        let nominates = nominates || session.plan.lite;
        let way = (local.via, remote.address);
        let bytes = draft.signed(&Key::short_term(session.plan.remote.password.expose())).finish();
        self.send(way.0, way.1, bytes.clone());
        let purpose = Purpose::Check { session: number, pair: at, nominates, controlling };
        self.asking.add((id, bytes), purpose, way, Repeat(CHECK_PACE, REPEATS), 0, now);
    }

    /// They answered a check.
    pub(crate) fn check_answered(&mut self, asked: &Asked, message: &Message<'_>, now: Instant) {
        let Purpose::Check { session: number, pair: at, nominates, controlling } = asked.purpose
        else {
            return;
        };
        let Some(session) = self.session.as_mut().filter(|it| it.number == number) else { return };
        session.wake(now);
        if message.error() == Some(ErrorCode::ROLE_CONFLICT) {
            if session.controlling == controlling {
                session.change_role(!controlling, &self.locals);
            }
            if let Some(pair) = session.pairs.get_mut(at) {
                pair.state = State::Waiting;
            }
            session.triggered.push_back(at);
            return;
        }
        let Some(mapped) = message.mapped().filter(|_| message.class == Class::Success) else {
            return self.check_failed(at, nominates);
        };
        self.works(at, mapped, now);
        let session = self.session.as_ref().and_then(|it| it.pairs.get(at));
        if nominates || session.is_some_and(|pair| pair.chosen) {
            self.take_pair(at, now);
        }
    }

    fn works(&mut self, at: usize, mapped: SocketAddr, now: Instant) {
        let Some(session) = &mut self.session else { return };
        session.first.get_or_insert(now);
        let Some(pair) = session.pairs.get_mut(at) else { return };
        pair.state = State::Works;
        let own = self.locals.get(pair.local).map(|it| it.candidate.address);
        if own != Some(mapped) {
            let known = self.locals.iter().find(|it| it.candidate.address == mapped);
            pair.kind = known.map_or(CandidateKind::PeerReflexive, |it| it.candidate.kind);
        }
        // What fares alike may be tried now (RFC 8445 section 7.2.5.3.3).
        let name = pairs::foundation(&session.pairs[at], &self.locals, &session.remotes);
        for pair in session.pairs.iter_mut().filter(|pair| pair.state == State::Frozen) {
            if pairs::foundation(pair, &self.locals, &session.remotes) == name {
                pair.state = State::Waiting;
            }
        }
    }

    /// A check came to nothing.
    pub(crate) fn check_failed(&mut self, at: usize, nominates: bool) {
        let Some(session) = &mut self.session else { return };
        if let Some(pair) = session.pairs.get_mut(at)
            && (pair.state != State::Works || nominates)
        {
            pair.state = State::Failed;
        }
    }

    /// The controlling side chooses, once it is known what works (RFC 8445 section 8.1.1).
    fn nominate(&mut self, now: Instant) {
        let Some(session) = self.session.as_ref().filter(|it| it.controlling) else { return };
        let mut wanted = vec![];
        for component in 1..=session.components {
            let pending = |purpose: &Purpose| match purpose {
                Purpose::Check { nominates: true, pair, .. } => {
                    session.pairs.get(*pair).is_some_and(|pair| pair.component == component)
                }
                _ => false,
            };
            if session.taken[usize::from(component) - 1].is_some() || self.asking.has(pending) {
                continue;
            }
            let of = |pair: &&Pair| pair.component == component;
            let works = |pair: &&Pair| pair.state == State::Works;
            let all = session.pairs.iter().filter(of);
            let Some(best) = all.clone().filter(works).max_by_key(|pair| pair.priority) else {
                continue;
            };
            let better = all
                .clone()
                .any(|pair| pair.priority > best.priority && !matches!(pair.state, State::Failed));
            let patient = session.first.is_some_and(|at| now < at + PATIENCE);
            if better && patient {
                continue;
            }
            wanted.extend(session.find(best.local, best.remote));
        }
        for at in wanted {
            self.check(at, true, now);
        }
    }

    /// A pair works and is chosen. Who nominates everything that works means the best of it.
    pub(crate) fn take_pair(&mut self, at: usize, now: Instant) {
        let Some(session) = &mut self.session else { return };
        let Some(pair) = session.pairs.get(at) else { return };
        let (component, priority) = (pair.component, pair.priority);
        let Some(taken) = session.taken.get_mut(usize::from(component) - 1) else { return };
        let better = |old: usize| session.pairs.get(old).is_none_or(|old| old.priority < priority);
        if !taken.is_none_or(better) {
            return;
        }
        let moved = taken.replace(at) != Some(at);
        session.gave_up = false;
        session.lost = false;
        for other in session.pairs.iter_mut().filter(|it| it.component == component) {
            if matches!(other.state, State::Frozen | State::Waiting) {
                other.state = State::Failed;
            }
        }
        let pairs = &session.pairs;
        session.triggered.retain(|at| pairs.get(*at).is_some_and(|it| it.component != component));
        let number = session.number;
        session.consent[usize::from(component) - 1] = Some(Consent::begin(now));
        let way = session.way(component, &self.locals);
        if let (true, Some((Via::Relay(relay), to))) = (moved, way) {
            self.open_for(relay, to, now);
        }
        let Some(session) = &mut self.session else { return };
        if !session.is_done() {
            return;
        }
        session.told = true;
        let pairs = &session.pairs;
        let taken = session.taken;
        // What is not taken need not be tried to the end; what could still be better may be.
        self.asking.forget(|purpose| match purpose {
            Purpose::Check { session, pair, nominates: false, .. } => {
                *session == number
                    && pairs.get(*pair).is_some_and(|pair| {
                        taken[usize::from(pair.component) - 1]
                            .and_then(|at| pairs.get(at))
                            .is_some_and(|best| best.priority >= pair.priority)
                    })
            }
            _ => false,
        });
        if let Some((local, remote)) = self.kinds().filter(|_| moved) {
            self.facts.push_back(IceFact::Found { local, remote });
        }
    }

    /// Nothing is left to be tried, and some component has no way.
    fn conclude(&mut self) {
        let Some(session) = &mut self.session else { return };
        let has = |component, state| {
            session.pairs.iter().any(|it| it.component == component && it.state == state)
        };
        let hopeless = |component| {
            [State::Frozen, State::Waiting, State::Trying, State::Works]
                .into_iter()
                .all(|state| !has(component, state))
        };
        if hopeless(1) && !session.gave_up {
            session.gave_up = true;
            self.facts.push_back(IceFact::NoWay { tried: session.pairs.len() });
        } else if session.components == 2 && has(1, State::Works) && hopeless(2) {
            // A call can do without reports.
            session.components = 1;
        }
    }

    /// A check of theirs arrived over a candidate of ours: the same is tried the other way (RFC
    /// 8445 section 7.3.1.4).
    pub(crate) fn trigger(
        &mut self,
        via: Via,
        from: SocketAddr,
        (priority, chosen): (u32, bool),
        now: Instant,
    ) {
        let Some(component) = self.component(via) else { return };
        let Some(local) = pairs::local_by(&self.locals, via) else { return };
        let Some(session) = &mut self.session else { return };
        let known = |it: &IceCandidate| it.component == component && it.address == from;
        let remote = match session.remotes.iter().position(known) {
            Some(at) => at,
            None if session.remotes.len() >= MAX_PAIRS => return,
            None => {
                session.remotes.push(learnt(component, priority, from));
                session.remotes.len() - 1
            }
        };
        let at = match session.find(local, remote) {
            Some(at) => at,
            None if session.pairs.len() >= MAX_PAIRS => return,
            None => {
                let theirs = session.remotes.get(remote).map_or(0, |it| it.priority);
                let ours = self.locals.get(local).map(|it| &it.candidate);
                let priority = ours.map_or(0, |it| it.priority);
                session.pairs.push(Pair {
                    local,
                    remote,
                    component,
                    priority: pairs::priority(session.controlling, priority, theirs),
                    state: State::Waiting,
                    chosen: false,
                    kind: ours.map_or(CandidateKind::Host, |it| it.kind),
                });
                session.pairs.len() - 1
            }
        };
        self.tried_by_them(at, chosen, now);
        if let Via::Relay(relay) = via {
            self.permit(relay, from.ip(), now);
        }
    }

    fn tried_by_them(&mut self, at: usize, chosen: bool, now: Instant) {
        let Some(session) = &mut self.session else { return };
        let controlled = !session.controlling;
        let Some(pair) = session.pairs.get_mut(at) else { return };
        pair.chosen |= chosen && controlled;
        let (state, chosen) = (pair.state, pair.chosen);
        match state {
            State::Works if chosen => self.take_pair(at, now),
            State::Works | State::Trying => {}
            State::Frozen | State::Waiting | State::Failed => {
                let taken = session.taken[usize::from(pair.component) - 1].is_some();
                if taken && !chosen {
                    return;
                }
                pair.state = State::Waiting;
                if !session.triggered.contains(&at) {
                    session.triggered.push_back(at);
                }
                session.wake(now);
            }
        }
    }
}

impl Session {
    /// A check without what differs from check to check.
    pub(crate) fn request(&self, id: offhook_stun::TransactionId) -> Draft {
        let (ours, theirs) = (&self.plan.local.fragment, &self.plan.remote.fragment);
        let role =
            if self.controlling { Attribute::IceControlling } else { Attribute::IceControlled };
        Draft::new(Class::Request, Method::Binding, id)
            .with(Attribute::Username, format!("{theirs}:{ours}").as_bytes())
            .with(role, &self.tie.to_be_bytes())
    }
}

/// A candidate of theirs that only their check told of (RFC 8445 section 7.3.1.3).
fn learnt(component: u8, priority: u32, address: SocketAddr) -> IceCandidate {
    IceCandidate {
        foundation: "learnt".to_owned(),
        component,
        priority,
        address,
        kind: CandidateKind::PeerReflexive,
        related: None,
    }
}
