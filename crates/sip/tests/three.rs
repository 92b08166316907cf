//! Three phones through a proxy: one gives a call to another, with loss and challenges.

mod support;

use offhook_model::{DialString, Link};
use offhook_sip::{Event, ReferTarget, SipCall, TransferStep};
use support::talk::ANSWER;
use support::world::World;
use support::{SDP, secs};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

fn world(link: Link, challenge: bool) -> World {
    let mut world = World::new(link);
    world.challenge = challenge;
    world.add("carol");
    world.start();
    world
}

/// The caller's call with somebody who takes it, and theirs.
fn talk(world: &mut World, from: usize, to: usize) -> (SipCall, SipCall) {
    let name = ["alice", "bob", "carol"][to];
    let now = world.now;
    let ours = world.phones[from].ua.invite(&DialString::Number(name.into()), SDP.into(), now);
    world.run(secs(8));
    let theirs = taken(world, to);
    world.events(from);
    (ours, theirs)
}

/// Takes the call that rings at this phone.
fn taken(world: &mut World, phone: usize) -> SipCall {
    let incoming = |event| match event {
        Event::Incoming { call, .. } => Some(call),
        _ => None,
    };
    let call = world.events(phone).into_iter().find_map(incoming).expect("a call");
    let now = world.now;
    world.phones[phone].ua.answer(call, ANSWER.into(), now);
    world.run(secs(8));
    world.events(phone);
    call
}

fn step(world: &mut World, phone: usize) -> Vec<TransferStep> {
    let step = |event| match event {
        Event::Transfer { step, .. } => Some(step),
        _ => None,
    };
    world.events(phone).into_iter().filter_map(step).collect()
}

/// Whoever is asked to call somebody does so.
fn follow(world: &mut World, phone: usize, attended: bool) -> SipCall {
    let referred = |event| match event {
        Event::Referred { call, referral } => {
            assert_eq!(referral.attended, attended);
            Some(call)
        }
        _ => None,
    };
    let call = world.events(phone).into_iter().find_map(referred).expect("asked");
    let now = world.now;
    let made = world.phones[phone].ua.follow(call, SDP.into(), now).expect("a call");
    world.run(secs(8));
    made
}

fn ended(world: &mut World, phone: usize) -> Vec<SipCall> {
    let ended = |event| match event {
        Event::Ended { call, .. } => Some(call),
        _ => None,
    };
    world.events(phone).into_iter().filter_map(ended).collect()
}

fn every_way(check: fn(World)) {
    for (link, challenge) in [(Link::Udp, false), (Link::Tcp, true), (Link::Udp, true)] {
        check(world(link, challenge));
    }
    // Every third packet is lost, each one once.
    for phase in 0..3 {
        let mut world = world(Link::Udp, false);
        let mut lost = std::collections::BTreeSet::new();
        world.drop =
            Box::new(move |number, text| number % 3 == phase && lost.insert(text.to_owned()));
        check(world);
    }
}

#[test]
fn a_call_is_given_away_without_asking() {
    every_way(|mut world| {
        let (first, bobs) = talk(&mut world, ALICE, BOB);
        let now = world.now;
        let carol = ReferTarget::Number(DialString::Number("carol".into()));
        world.phones[ALICE].ua.transfer(first, &carol, now);
        world.run(secs(8));
        let made = follow(&mut world, BOB, false);
        taken(&mut world, CAROL);
        let steps = step(&mut world, ALICE);
        assert_eq!(steps.first(), Some(&TransferStep::Accepted), "{:#?}", world.trace);
        assert_eq!(steps.last(), Some(&TransferStep::Done), "{:#?}", world.trace);
        let now = world.now;
        world.phones[ALICE].ua.hang_up(first, now);
        world.run(secs(8));
        assert_eq!(ended(&mut world, BOB), [bobs], "{:#?}", world.trace);
        let now = world.now;
        world.phones[BOB].ua.hang_up(made, now);
        world.run(secs(8));
        assert_eq!(ended(&mut world, CAROL).len(), 1, "{:#?}", world.trace);
    });
}

#[test]
fn a_call_is_given_to_somebody_who_was_asked() {
    every_way(|mut world| {
        let (first, bobs) = talk(&mut world, ALICE, BOB);
        let (second, carols) = talk(&mut world, ALICE, CAROL);
        let now = world.now;
        world.phones[ALICE].ua.transfer(first, &ReferTarget::Call(second), now);
        world.run(secs(8));
        let made = follow(&mut world, BOB, true);
        let incoming = world.events(CAROL);
        let new = match &incoming[..] {
            [Event::Incoming { call, arrival, .. }] if arrival.replaces == Some(carols) => *call,
            other => panic!("{other:?} {:#?}", world.trace),
        };
        let now = world.now;
        world.phones[CAROL].ua.answer(new, ANSWER.into(), now);
        world.run(secs(8));
        assert_eq!(ended(&mut world, CAROL), [carols], "{:#?}", world.trace);
        let events = world.events(ALICE);
        let told =
            |event: &Event| matches!(event, Event::Transfer { step: TransferStep::Done, .. });
        let over = |event: &Event| matches!(event, Event::Ended { call, .. } if *call == second);
        assert!(events.iter().any(told) && events.iter().any(over), "{events:?}");
        let now = world.now;
        world.phones[ALICE].ua.hang_up(first, now);
        world.run(secs(8));
        assert_eq!(ended(&mut world, BOB), [bobs], "{:#?}", world.trace);
        let now = world.now;
        world.phones[CAROL].ua.hang_up(new, now);
        world.run(secs(8));
        assert_eq!(ended(&mut world, BOB), [made], "{:#?}", world.trace);
        (0..3).for_each(|phone| drop(world.events(phone)));
        world.run(secs(400));
        assert!((0..3).all(|phone| world.events(phone).is_empty()));
    });
}

#[test]
fn a_target_that_is_busy_leaves_the_first_call_alone() {
    every_way(|mut world| {
        let (first, _) = talk(&mut world, ALICE, BOB);
        let now = world.now;
        let carol = ReferTarget::Number(DialString::Number("carol".into()));
        world.phones[ALICE].ua.transfer(first, &carol, now);
        world.run(secs(8));
        follow(&mut world, BOB, false);
        let call = match &world.events(CAROL)[..] {
            [Event::Incoming { call, .. }] => *call,
            other => panic!("{other:?}"),
        };
        let now = world.now;
        world.phones[CAROL].ua.reject(call, 486, now);
        world.run(secs(8));
        let steps = step(&mut world, ALICE);
        assert!(
            matches!(steps.last(), Some(TransferStep::Failed { status: 486, .. })),
            "{steps:?} {:#?}",
            world.trace
        );
        let now = world.now;
        world.phones[ALICE].ua.reinvite(first, SDP.into(), now);
        world.run(secs(8));
        assert!(
            world.events(BOB).iter().any(|event| matches!(event, Event::Offer { .. })),
            "it goes on"
        );
    });
}

#[test]
fn sessions_of_phones_that_talk_for_hours_go_on() {
    for link in [Link::Udp, Link::Tcp] {
        let mut world = world(link, false);
        talk(&mut world, ALICE, BOB);
        world.run(secs(4 * 3600));
        let updates = world.trace.iter().filter(|line| line.contains("UPDATE sip:")).count();
        assert_eq!(updates, 2 * 16, "once to the proxy and once from it, every 900 s");
        assert!(ended(&mut world, ALICE).is_empty() && ended(&mut world, BOB).is_empty());
        // The other one vanishes: nobody answers the next refresh.
        world.drop = Box::new(|_, text| text.contains("CSeq") && !text.contains("REGISTER"));
        world.run(secs(1900));
        assert_eq!(ended(&mut world, ALICE).len(), 1, "{:#?}", world.trace.last());
        assert_eq!(ended(&mut world, BOB).len(), 1);
    }
}
