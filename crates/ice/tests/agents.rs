//! Two agents in a network of the test's own, in virtual time.

#![allow(clippy::disallowed_methods, reason = "an origin for virtual time")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use offhook_ice::{Agent, Base, Config};
use offhook_model::{CandidateKind, Link, Secret};
use offhook_ports::{
    Helper, HelperFault, IceCandidate, IceCredentials, IceFact, IcePlan, default_candidate,
};

const WAY: Duration = Duration::from_millis(10);

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn credentials(name: &str) -> IceCredentials {
    IceCredentials {
        fragment: name.to_owned(),
        password: Secret::from(format!("password of {name} long enough")),
    }
}

struct Side {
    agent: Agent,
    name: String,
    bases: Vec<SocketAddr>,
    facts: Vec<IceFact>,
    sent: usize,
}

impl Side {
    fn new(name: &str, bases: &[&str], helpers: Vec<Helper>, seed: u64, now: Instant) -> Self {
        let bases: Vec<SocketAddr> = bases.iter().map(|base| at(base)).collect();
        let component = |place: usize| (place % 2) as u8 + 1;
        let config = Config {
            bases: bases
                .iter()
                .enumerate()
                .map(|(place, address)| Base {
                    component: component(place),
                    address: *address,
                    stream_to: None,
                })
                .collect(),
            helpers,
            relay_only: false,
            local: credentials(name),
            seed,
        };
        let agent = Agent::new(config, now);
        Self { agent, name: name.to_owned(), bases, facts: vec![], sent: 0 }
    }

    fn candidates(&self) -> Vec<IceCandidate> {
        self.facts
            .iter()
            .find_map(|fact| match fact {
                IceFact::Candidates(all) => Some(all.clone()),
                _ => None,
            })
            .expect("gathered")
    }

    fn found(&self) -> Option<(CandidateKind, CandidateKind)> {
        self.facts.iter().rev().find_map(|fact| match fact {
            IceFact::Found { local, remote } => Some((*local, *remote)),
            _ => None,
        })
    }

    fn plan(&self, other: &Self, controlling: bool) -> IcePlan {
        IcePlan {
            local: credentials(&self.name),
            remote: credentials(&other.name),
            candidates: other.candidates(),
            lite: false,
            controlling,
        }
    }

    fn goes_to(&self, component: u8) -> Option<SocketAddr> {
        let mut room = vec![];
        let way = self.agent.wrap(component, at("198.51.100.99:9"), &[0x80], &mut room);
        way.map(|(_, to, _)| to)
    }
}

/// A datagram under way.
struct Flying {
    at: Instant,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// Two sides, and what lies between them.
struct World {
    now: Instant,
    sides: [Side; 2],
    flying: VecDeque<Flying>,
    /// Own address and the one outside of a translator, which lets in whom it has sent to.
    translated: Vec<(SocketAddr, SocketAddr)>,
    opened: Vec<(SocketAddr, SocketAddr)>,
    /// STUN servers.
    servers: Vec<SocketAddr>,
    blocked: Vec<(SocketAddr, SocketAddr)>,
    silent: bool,
}

impl World {
    fn new(first: &[&str], second: &[&str], helpers: Vec<Helper>) -> Self {
        let now = Instant::now();
        let servers = helpers.iter().map(|helper| helper.address).collect();
        Self {
            now,
            sides: [
                Side::new("first", first, helpers.clone(), 1, now),
                Side::new("second", second, helpers, 2, now),
            ],
            flying: VecDeque::new(),
            translated: vec![],
            opened: vec![],
            servers,
            blocked: vec![],
            silent: false,
        }
    }

    fn drain(&mut self) {
        for place in 0..2 {
            while let Some(parcel) = self.sides[place].agent.poll_parcel() {
                self.sides[place].sent += 1;
                let from = self.sides[place].bases[parcel.base];
                self.fly(from, parcel.to, parcel.bytes);
            }
            while let Some(fact) = self.sides[place].agent.poll_fact() {
                self.sides[place].facts.push(fact);
            }
        }
    }

    fn fly(&mut self, own: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let outside = self.translated.iter().find(|(inside, _)| *inside == own);
        let from = outside.map_or(own, |(_, outside)| *outside);
        self.opened.push((from, to));
        if !self.silent && !self.blocked.contains(&(own, to)) {
            self.flying.push_back(Flying { at: self.now + WAY, from, to, bytes });
        }
    }

    fn land(&mut self, it: Flying) {
        if self.servers.contains(&it.to) {
            let answer = mirror(&it.bytes, it.from);
            self.flying.push_back(Flying {
                at: self.now + WAY,
                from: it.to,
                to: it.from,
                bytes: answer,
            });
            return;
        }
        let inside = self.translated.iter().find(|(_, outside)| *outside == it.to);
        let to = match inside {
            Some((inside, _)) if self.opened.contains(&(it.to, it.from)) => *inside,
            Some(_) => return,
            // Behind a translator nobody is reached by the address there.
            None if self.translated.iter().any(|(inside, _)| *inside == it.to) => return,
            None => it.to,
        };
        for side in &mut self.sides {
            if let Some(base) = side.bases.iter().position(|base| *base == to) {
                side.agent.receive(base, it.from, &it.bytes, self.now);
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.drain();
            let timers = self.sides.iter().filter_map(|side| side.agent.next_timeout());
            let next = timers.chain(self.flying.iter().map(|it| it.at)).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            while let Some(place) = self.flying.iter().position(|it| it.at <= self.now) {
                let it = self.flying.remove(place).expect("it is there");
                self.land(it);
            }
            for side in &mut self.sides {
                if side.agent.next_timeout().is_some_and(|at| at <= self.now) {
                    side.agent.handle_timeout(self.now);
                }
            }
        }
        self.now = end;
    }

    fn meet(&mut self, roles: [bool; 2]) {
        let plans = [
            self.sides[0].plan(&self.sides[1], roles[0]),
            self.sides[1].plan(&self.sides[0], roles[1]),
        ];
        for (side, plan) in self.sides.iter_mut().zip(plans) {
            side.agent.begin(&plan, 2, self.now);
        }
    }
}

/// A STUN server in ten lines, of its own bytes: the answer says where the question came from.
fn mirror(question: &[u8], from: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(from) = from else { return vec![] };
    let mut answer = vec![0x01, 0x01, 0x00, 12];
    answer.extend(&question[4..20]);
    answer.extend([0x00, 0x20, 0x00, 8, 0x00, 0x01]);
    answer.extend((from.port() ^ 0x2112).to_be_bytes());
    answer.extend((u32::from(*from.ip()) ^ 0x2112_a442).to_be_bytes());
    answer
}

fn stun(server: &str) -> Vec<Helper> {
    vec![Helper { address: at(server), link: Link::Udp, login: None }]
}

const FIRST: [&str; 2] = ["192.0.2.1:4000", "192.0.2.1:4001"];
const SECOND: [&str; 2] = ["192.0.2.2:5000", "192.0.2.2:5001"];

#[test]
fn without_servers_nobody_waits_and_host_meets_host() {
    let mut world = World::new(&FIRST, &SECOND, vec![]);
    world.run(Duration::ZERO);
    assert_eq!(world.sides[0].candidates().len(), 2);
    world.meet([true, false]);
    world.run(Duration::from_secs(2));
    for (side, other) in [(0, SECOND), (1, FIRST)] {
        let side = &world.sides[side];
        assert_eq!(side.found(), Some((CandidateKind::Host, CandidateKind::Host)));
        assert_eq!(side.goes_to(1), Some(at(other[0])));
        assert_eq!(side.goes_to(2), Some(at(other[1])));
    }
}

#[test]
fn two_translators_are_passed_by_what_a_server_saw() {
    let mut world = World::new(&["10.0.0.1:4000"], &["10.9.0.1:5000"], stun("203.0.113.1:3478"));
    world.translated = vec![
        (at("10.0.0.1:4000"), at("198.51.100.1:40000")),
        (at("10.9.0.1:5000"), at("198.51.100.2:50000")),
    ];
    world.run(Duration::from_millis(100));
    let candidates = world.sides[0].candidates();
    assert_eq!(candidates.len(), 2, "{candidates:?}");
    let usual = default_candidate(&candidates, 1, true).expect("one");
    assert_eq!(usual.address, at("198.51.100.1:40000"));
    assert_eq!(usual.related, Some(at("10.0.0.1:4000")));
    world.meet([true, false]);
    world.run(Duration::from_secs(3));
    let (ours, theirs) = world.sides[0].found().expect("a way");
    assert_eq!(ours, CandidateKind::ServerReflexive);
    assert_eq!(theirs, CandidateKind::ServerReflexive);
    assert_eq!(world.sides[1].goes_to(1), Some(at("198.51.100.1:40000")));
}

#[test]
fn a_silent_server_costs_half_a_second_and_is_told_of() {
    let mut world = World::new(&FIRST, &SECOND, stun("203.0.113.1:3478"));
    world.silent = true;
    world.run(Duration::from_millis(499));
    assert!(world.sides[0].facts.is_empty());
    world.run(Duration::from_millis(1));
    assert_eq!(world.sides[0].candidates().len(), 2);
    let told = IceFact::Unhelped { relay: false, fault: HelperFault::Silent };
    assert!(world.sides[0].facts.contains(&told));
}

#[test]
fn who_both_want_to_choose_agree() {
    for roles in [[true, true], [false, false]] {
        let mut world = World::new(&FIRST, &SECOND, vec![]);
        world.run(Duration::ZERO);
        world.meet(roles);
        world.run(Duration::from_secs(3));
        for side in &world.sides {
            assert!(side.found().is_some(), "{roles:?} {:?}", side.facts);
        }
    }
}

#[test]
fn checks_that_come_before_the_answer_are_remembered() {
    let mut world = World::new(&FIRST, &SECOND, vec![]);
    world.run(Duration::ZERO);
    let plan = world.sides[1].plan(&world.sides[0], false);
    world.sides[1].agent.begin(&plan, 2, world.now);
    world.run(Duration::from_millis(300));
    let plan = world.sides[0].plan(&world.sides[1], true);
    world.sides[0].agent.begin(&plan, 2, world.now);
    world.run(Duration::from_secs(2));
    assert!(world.sides.iter().all(|side| side.found().is_some()));
}

#[test]
fn no_way_is_said_and_the_description_counts() {
    let mut world = World::new(&FIRST, &SECOND, vec![]);
    world.run(Duration::ZERO);
    world.silent = true;
    world.meet([true, false]);
    world.run(Duration::from_secs(2));
    assert_eq!(world.sides[0].goes_to(1), None, "nothing is sent where nobody wants it");
    world.run(Duration::from_secs(6));
    let side = &world.sides[0];
    assert!(side.facts.contains(&IceFact::NoWay { tried: 2 }), "{:?}", side.facts);
    assert_eq!(side.goes_to(1), Some(at("198.51.100.99:9")));
}

#[test]
fn consent_ends_thirty_seconds_after_the_last_word() {
    let mut world = World::new(&FIRST, &SECOND, vec![]);
    world.run(Duration::ZERO);
    world.meet([true, false]);
    world.run(Duration::from_secs(600));
    assert!(world.sides.iter().all(|side| side.goes_to(1).is_some()), "it is renewed");
    world.silent = true;
    world.run(Duration::from_secs(20));
    assert!(world.sides[0].goes_to(1).is_some());
    world.run(Duration::from_secs(25));
    assert!(world.sides[0].facts.contains(&IceFact::Lost));
    assert_eq!(world.sides[0].goes_to(1), None);
}

#[test]
fn a_restart_keeps_the_old_way_until_there_is_a_new_one() {
    let mut world = World::new(&FIRST, &SECOND, vec![]);
    world.run(Duration::ZERO);
    world.meet([true, false]);
    world.run(Duration::from_secs(2));
    for (side, name) in world.sides.iter_mut().zip(["third", "fourth"]) {
        side.name = name.to_owned();
    }
    let plan = world.sides[0].plan(&world.sides[1], true);
    world.sides[0].agent.begin(&plan, 2, world.now);
    assert_eq!(world.sides[0].goes_to(1), Some(at(SECOND[0])), "the old one");
    let plan = world.sides[1].plan(&world.sides[0], false);
    world.sides[1].agent.begin(&plan, 2, world.now);
    for side in &mut world.sides {
        side.facts.retain(|fact| matches!(fact, IceFact::Candidates(_)));
    }
    world.run(Duration::from_secs(2));
    assert!(world.sides.iter().all(|side| side.found().is_some()));
}

#[test]
fn who_only_answers_is_told_at_once() {
    // The second side as a lite one would be: it never begins to ask.
    let mut world = World::new(&FIRST, &SECOND, vec![]);
    world.run(Duration::ZERO);
    let plan = IcePlan { lite: true, ..world.sides[0].plan(&world.sides[1], false) };
    world.sides[0].agent.begin(&plan, 1, world.now);
    world.run(Duration::from_secs(1));
    assert_eq!(world.sides[0].goes_to(1), Some(at(SECOND[0])));
    assert!(world.sides[0].found().is_some());
}

#[test]
fn strangers_get_no_answer_worth_having_and_change_nothing() {
    let mut world = World::new(&FIRST, &SECOND, vec![]);
    world.run(Duration::ZERO);
    world.meet([true, false]);
    world.run(Duration::from_secs(2));
    let before = world.sides[0].goes_to(1);
    let sent = world.sides[0].sent;
    let mut question = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    question.extend([9; 12]);
    for _ in 0..100 {
        let now = world.now;
        world.sides[0].agent.receive(0, at("203.0.113.66:6"), &question, now);
    }
    world.drain();
    assert!(world.sides[0].sent <= sent + 100);
    assert_eq!(world.sides[0].goes_to(1), before);
    let sound = [0x80; 40];
    let now = world.now;
    let got = world.sides[0].agent.receive(0, at("203.0.113.66:6"), &sound, now).expect("sound");
    assert_eq!(got.vouched, Some(false));
    let got = world.sides[0].agent.receive(0, at(SECOND[0]), &sound, now).expect("sound");
    assert_eq!(got.vouched, Some(true));
}

/// One base, and a stream for each of two ways to the same relay.
fn with_streams(udp: bool) -> (Agent, Instant) {
    let now = Instant::now();
    let login = Some(("user".to_owned(), Secret::from("word")));
    let helper = |link| Helper { address: at("203.0.113.1:3478"), link, login: login.clone() };
    let mut helpers = vec![helper(Link::Tcp), helper(Link::Tls)];
    if udp {
        helpers.insert(0, helper(Link::Udp));
    }
    let first = usize::from(udp);
    let base = |stream_to| Base { component: 1, address: at("192.0.2.1:4000"), stream_to };
    let bases = vec![base(None), base(Some(first)), base(Some(first + 1))];
    let local = credentials("streams");
    (Agent::new(Config { bases, helpers, relay_only: false, local, seed: 7 }, now), now)
}

/// Whom was asked since, by base, and how often.
fn asked(agent: &mut Agent) -> Vec<usize> {
    std::iter::from_fn(|| agent.poll_parcel()).map(|parcel| parcel.base).collect()
}

fn run_until(agent: &mut Agent, end: Instant) -> Vec<usize> {
    let mut all = asked(agent);
    while let Some(at) = agent.next_timeout().filter(|at| *at <= end) {
        agent.handle_timeout(at);
        all.extend(asked(agent));
    }
    all
}

/// An Allocate refused with 401, by its own bytes: the relay is there.
fn who_are_you(question: &[u8]) -> Vec<u8> {
    let mut answer = vec![0x01, 0x13, 0x00, 24];
    answer.extend(&question[4..20]);
    answer.extend([0x00, 0x09, 0x00, 4, 0, 0, 4, 1]);
    answer.extend([0x00, 0x14, 0x00, 2, b'r', b'r', 0, 0]);
    answer.extend([0x00, 0x15, 0x00, 2, b'n', b'n', 0, 0]);
    answer
}

#[test]
fn a_relay_is_asked_by_streams_where_datagrams_do_not_get_through() {
    let (mut agent, start) = with_streams(true);
    let ms = |n| start + Duration::from_millis(n);
    assert!(run_until(&mut agent, ms(299)).iter().all(|base| *base == 0));
    let then = run_until(&mut agent, ms(301));
    assert_eq!(then.iter().filter(|base| **base == 1).count(), 1, "{then:?}");
    // A stream repeats by itself what it was given.
    let then = run_until(&mut agent, ms(599));
    assert!(then.iter().all(|base| *base == 0), "{then:?}");
    let then = run_until(&mut agent, ms(601));
    assert!(then.contains(&2), "{then:?}");
    assert_eq!(agent.poll_fact(), None);
    run_until(&mut agent, ms(2_000));
    let fault = HelperFault::Silent;
    assert_eq!(agent.poll_fact(), Some(IceFact::Unhelped { relay: true, fault }));
    let Some(IceFact::Candidates(all)) = agent.poll_fact() else { panic!("not gathered") };
    assert_eq!(all.len(), 1, "of streams there is no host: {all:?}");
}

#[test]
fn a_relay_that_answers_by_datagrams_is_not_asked_by_streams() {
    let (mut agent, start) = with_streams(true);
    let question = agent.poll_parcel().expect("asked");
    agent.receive(0, question.to, &who_are_you(&question.bytes), start);
    let then = run_until(&mut agent, start + Duration::from_secs(3));
    assert!(then.iter().all(|base| *base == 0), "{then:?}");
}

#[test]
fn a_stream_that_cannot_be_opened_is_not_waited_for() {
    let (mut agent, start) = with_streams(false);
    assert_eq!(asked(&mut agent), [1], "nobody is asked by datagrams, so nothing is waited for");
    let soon = start + Duration::from_millis(20);
    agent.stream_ended(1, soon);
    assert_eq!(asked(&mut agent), [2]);
    assert_eq!(agent.poll_fact(), None);
    agent.stream_ended(2, soon);
    let fault = HelperFault::Silent;
    assert_eq!(agent.poll_fact(), Some(IceFact::Unhelped { relay: true, fault }));
    assert!(matches!(agent.poll_fact(), Some(IceFact::Candidates(_))));
}

/// Both components, of both families.
const BOTH: [[&str; 4]; 2] = [
    ["192.0.2.1:4000", "192.0.2.1:4001", "[2001:db8::1]:4000", "[2001:db8::1]:4001"],
    ["192.0.2.2:5000", "192.0.2.2:5001", "[2001:db8::2]:5000", "[2001:db8::2]:5001"],
];

#[test]
fn of_two_families_the_newer_one_is_taken() {
    let mut world = World::new(&BOTH[0], &BOTH[1], vec![]);
    world.run(Duration::ZERO);
    let candidates = world.sides[0].candidates();
    assert_eq!(candidates.len(), 4, "{candidates:?}");
    // Who knows nothing of ICE is told the family that the call has.
    let usual = default_candidate(&candidates, 1, true).expect("one");
    assert_eq!(usual.address, at(BOTH[0][0]));
    world.meet([true, false]);
    world.run(Duration::from_secs(2));
    for (side, other) in [(0, BOTH[1]), (1, BOTH[0])] {
        assert_eq!(world.sides[side].goes_to(1), Some(at(other[2])));
        assert_eq!(world.sides[side].goes_to(2), Some(at(other[3])));
    }
}

#[test]
fn where_one_family_does_not_get_through_the_other_does() {
    let mut world = World::new(&BOTH[0], &BOTH[1], vec![]);
    for (one, other) in [(0, 1), (1, 0)] {
        let newer = |side: usize| BOTH[side][2..].iter().map(|it| at(it));
        let ways = newer(one).flat_map(|from| newer(other).map(move |to| (from, to)));
        world.blocked.extend(ways);
    }
    world.run(Duration::ZERO);
    world.meet([true, false]);
    world.run(Duration::from_secs(5));
    for (side, other) in [(0, BOTH[1]), (1, BOTH[0])] {
        assert_eq!(world.sides[side].goes_to(1), Some(at(other[0])));
        assert_eq!(world.sides[side].goes_to(2), Some(at(other[1])));
    }
}
