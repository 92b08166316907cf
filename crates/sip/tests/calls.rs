//! Calls between two phones through a proxy, with delay, loss and challenges.

mod support;

use std::time::Duration;

use offhook_model::{DialString, Link};
use offhook_sip::{By, End, Event, SipCall};
use support::world::World;
use support::{SDP, secs};

const ANSWER: &str = "v=0\r\no=- 2 1 IN IP4 10.0.0.2\r\ns=-\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";
const HOLD: &str =
    "v=0\r\no=- 1 2 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n";
const SHORT: Duration = Duration::from_millis(100);

fn bob() -> DialString {
    DialString::Number("bob".into())
}

fn ended(by: By, status: Option<u16>) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Ended { end: End { by: b, status: s, .. }, .. } if *b == by && *s == status)
}

/// Alice calls, Bob rings.
fn ringing(world: &mut World) -> (SipCall, SipCall) {
    let now = world.now;
    let call = world.phones[0].ua.invite(&bob(), SDP.into(), now);
    world.run(secs(1));
    let events = world.events(1);
    let theirs = match &events[..] {
        [Event::Incoming { call, remote, offer, .. }] => {
            assert_eq!((remote.number.as_str(), remote.name.as_deref()), ("alice", Some("ALICE")));
            assert_eq!(offer.as_deref(), Some(SDP));
            *call
        }
        other => panic!("{other:?} {:#?}", world.trace),
    };
    let now = world.now;
    world.phones[1].ua.ring(theirs, now);
    world.run(secs(1));
    assert!(
        matches!(&world.events(0)[..], [Event::Progress { status: 180, .. }]),
        "{:#?}",
        world.trace
    );
    (call, theirs)
}

fn talking(world: &mut World) -> (SipCall, SipCall) {
    let (call, theirs) = ringing(world);
    let now = world.now;
    world.phones[1].ua.answer(theirs, ANSWER.into(), now);
    world.run(SHORT);
    let events = world.events(0);
    assert!(
        matches!(&events[..], [Event::Answered { sdp: Some(sdp), .. }] if sdp == ANSWER),
        "{events:?} {:#?}",
        world.trace
    );
    let events = world.events(1);
    assert!(
        matches!(&events[..], [Event::Confirmed { sdp: None, .. }]),
        "{events:?} {:#?}",
        world.trace
    );
    (call, theirs)
}

#[test]
fn a_call_from_ring_to_bye_over_every_link() {
    for (link, challenge) in
        [(Link::Udp, false), (Link::Tcp, true), (Link::Tls, false), (Link::Udp, true)]
    {
        let mut world = World::new(link);
        world.challenge = challenge;
        world.start();
        let (call, _) = talking(&mut world);
        let now = world.now;
        world.phones[0].ua.hang_up(call, now);
        world.run(SHORT);
        assert!(matches!(&world.events(0)[..], [event] if ended(By::Us, None)(event)));
        assert!(
            matches!(&world.events(1)[..], [event] if ended(By::Them, None)(event)),
            "{:#?}",
            world.trace
        );
        world.run(secs(40));
        assert!(world.events(0).is_empty() && world.events(1).is_empty());
        let byes = world.trace.iter().filter(|line| line.contains("BYE sip")).count();
        assert_eq!(byes, 2, "once to the proxy, once from it");
    }
}

#[test]
fn the_called_side_may_hang_up() {
    let mut world = World::ready(Link::Tcp);
    let (_, theirs) = talking(&mut world);
    let now = world.now;
    world.phones[1].ua.hang_up(theirs, now);
    world.run(SHORT);
    assert!(
        matches!(&world.events(0)[..], [event] if ended(By::Them, None)(event)),
        "{:#?}",
        world.trace
    );
}

#[test]
fn a_call_can_be_cancelled_while_it_rings() {
    let mut world = World::ready(Link::Udp);
    let (call, _) = ringing(&mut world);
    let now = world.now;
    world.phones[0].ua.hang_up(call, now);
    world.run(secs(1));
    assert!(matches!(&world.events(0)[..], [event] if ended(By::Us, None)(event)));
    assert!(
        matches!(&world.events(1)[..], [event] if ended(By::Them, None)(event)),
        "{:#?}",
        world.trace
    );
    assert!(world.trace.iter().any(|line| line.contains("487")));
    world.run(secs(40));
    assert!(world.events(0).is_empty());
}

#[test]
fn a_call_that_is_cancelled_and_answered_at_once_is_hung_up() {
    let mut world = World::ready(Link::Tcp);
    let (call, theirs) = ringing(&mut world);
    let now = world.now;
    world.phones[1].ua.answer(theirs, ANSWER.into(), now);
    world.phones[0].ua.hang_up(call, now);
    world.run(secs(2));
    assert!(matches!(&world.events(0)[..], [event] if ended(By::Us, None)(event)));
    let events = world.events(1);
    assert!(events.iter().any(ended(By::Them, None)), "{events:?} {:#?}", world.trace);
    assert!(world.trace.iter().any(|line| line.contains("BYE sip")));
}

#[test]
fn hanging_up_before_anything_came_back_still_cancels() {
    let mut world = World::ready(Link::Udp);
    let now = world.now;
    let call = world.phones[0].ua.invite(&bob(), SDP.into(), now);
    world.phones[0].ua.hang_up(call, now);
    world.run(secs(1));
    assert!(world.events(1).iter().any(ended(By::Them, None)), "{:#?}", world.trace);
}

#[test]
fn a_call_can_be_refused() {
    let mut world = World::ready(Link::Udp);
    let (_, theirs) = ringing(&mut world);
    let now = world.now;
    world.phones[1].ua.reject(theirs, 486, now);
    world.run(secs(1));
    assert!(
        matches!(&world.events(0)[..], [event] if ended(By::Them, Some(486))(event)),
        "{:#?}",
        world.trace
    );
    assert!(matches!(&world.events(1)[..], [event] if ended(By::Us, Some(486))(event)));
}

#[test]
fn an_unknown_number_is_told() {
    let mut world = World::ready(Link::Tcp);
    let now = world.now;
    world.phones[0].ua.invite(&DialString::Number("9999".into()), SDP.into(), now);
    world.run(secs(1));
    let events = world.events(0);
    assert!(matches!(&events[..], [event] if ended(By::Them, Some(404))(event)), "{events:?}");
}

#[test]
fn a_lost_call_of_datagrams_is_repaired() {
    // Every third packet is lost, each one once.
    for phase in 0..3 {
        let mut world = World::ready(Link::Udp);
        let mut lost = std::collections::BTreeSet::new();
        world.drop =
            Box::new(move |number, text| number % 3 == phase && lost.insert(text.to_owned()));
        let now = world.now;
        let call = world.phones[0].ua.invite(&bob(), SDP.into(), now);
        world.run(secs(8));
        let theirs = match &world.events(1)[..] {
            [Event::Incoming { call, .. }] => *call,
            other => panic!("{other:?} {:#?}", world.trace),
        };
        let now = world.now;
        world.phones[1].ua.answer(theirs, ANSWER.into(), now);
        world.run(secs(8));
        let events = world.events(0);
        assert!(
            events.iter().any(|e| matches!(e, Event::Answered { .. })),
            "{phase} {events:?} {:#?}",
            world.trace
        );
        assert!(
            matches!(&world.events(1)[..], [Event::Confirmed { .. }]),
            "{phase} {:#?}",
            world.trace
        );
        let now = world.now;
        world.phones[0].ua.hang_up(call, now);
        world.run(secs(40));
        assert!(
            matches!(&world.events(1)[..], [event] if ended(By::Them, None)(event)),
            "{phase} {:#?}",
            world.trace
        );
        for phone in &world.phones {
            assert!(phone.ua.is_registered());
        }
    }
}

#[test]
fn a_server_that_says_nothing_ends_the_call_after_32_s() {
    let mut world = World::ready(Link::Udp);
    world.up = false;
    let now = world.now;
    world.phones[0].ua.invite(&bob(), SDP.into(), now);
    world.run(secs(31));
    assert!(world.events(0).is_empty());
    world.run(secs(2));
    assert!(matches!(&world.events(0)[..], [event] if ended(By::Network, Some(408))(event)));
    let sent = world.trace.iter().filter(|line| line.contains("INVITE sip")).count();
    assert_eq!(sent, 7, "timer A: 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s");
}

#[test]
fn either_side_can_hold() {
    let mut world = World::ready(Link::Tcp);
    let (call, theirs) = talking(&mut world);
    for (offerer, offered, ours, other) in [(0, 1, call, theirs), (1, 0, theirs, call)] {
        let now = world.now;
        world.phones[offerer].ua.reinvite(ours, HOLD.into(), now);
        world.run(SHORT);
        assert_eq!(
            world.events(offered),
            [Event::Offer { call: other, sdp: Some(HOLD.into()) }],
            "{:#?}",
            world.trace
        );
        let now = world.now;
        world.phones[offered].ua.accept_offer(other, ANSWER.into(), now);
        world.run(SHORT);
        assert_eq!(
            world.events(offerer),
            [Event::OfferAnswered { call: ours, sdp: Some(ANSWER.into()) }]
        );
        let now = world.now;
        world.phones[offerer].ua.reinvite(ours, HOLD.into(), now);
        world.run(SHORT);
        world.events(offered);
        let now = world.now;
        world.phones[offered].ua.refuse_offer(other, 488, now);
        world.run(SHORT);
        assert_eq!(world.events(offerer), [Event::OfferRefused { call: ours, status: 488 }]);
        assert!(world.events(offered).is_empty());
    }
    let now = world.now;
    world.phones[0].ua.hang_up(call, now);
    world.run(SHORT);
    assert!(world.events(1).iter().any(ended(By::Them, None)));
}

#[test]
fn two_offers_that_meet_are_sorted_out() {
    let mut world = World::ready(Link::Tcp);
    let (call, theirs) = talking(&mut world);
    let now = world.now;
    world.phones[0].ua.reinvite(call, HOLD.into(), now);
    world.phones[1].ua.reinvite(theirs, ANSWER.into(), now);
    let mut answered = [false; 2];
    for _ in 0..50 {
        world.run(SHORT);
        for (index, answered) in answered.iter_mut().enumerate() {
            for event in world.events(index) {
                match event {
                    Event::Offer { call, .. } => {
                        let now = world.now;
                        world.phones[index].ua.accept_offer(call, ANSWER.into(), now);
                    }
                    Event::OfferAnswered { .. } => *answered = true,
                    other => panic!("{other:?} {:#?}", world.trace),
                }
            }
        }
    }
    assert_eq!(answered, [true; 2], "{:#?}", world.trace);
    assert!(world.trace.iter().any(|line| line.contains(" 491 ")));
}

#[test]
fn a_call_outlives_the_servers_restart() {
    let mut world = World::ready(Link::Tcp);
    let (call, _) = talking(&mut world);
    world.run(secs(20));
    world.crash();
    world.run(secs(5));
    world.up = true;
    world.run(secs(10));
    let events = world.events(0);
    assert!(!events.iter().any(|event| matches!(event, Event::Ended { .. })), "{events:?}");
    assert!(
        world.trace.iter().any(|line| line.contains("UPDATE sip:")),
        "the other side is told where we are"
    );
    let now = world.now;
    world.phones[0].ua.hang_up(call, now);
    world.run(secs(1));
    assert!(world.events(1).iter().any(ended(By::Them, None)), "{:#?}", world.trace);
}

#[test]
fn a_call_that_rings_ends_with_its_connection() {
    let mut world = World::ready(Link::Tcp);
    ringing(&mut world);
    world.crash();
    world.run(secs(1));
    for phone in 0..2 {
        assert_eq!(
            world.events(phone).iter().filter(|event| ended(By::Network, None)(event)).count(),
            1
        );
    }
}

#[test]
fn stopping_hangs_up_and_takes_the_registration_back() {
    let mut world = World::ready(Link::Tcp);
    talking(&mut world);
    let now = world.now;
    world.phones[0].ua.stop(now);
    world.run(secs(1));
    assert!(world.phones[0].stopped, "{:#?}", world.trace);
    assert!(world.events(1).iter().any(ended(By::Them, None)));
    assert!(world.events(0).contains(&Event::Unregistered));
}
