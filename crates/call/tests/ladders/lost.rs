//! Silence, a peer that dies and a network that breaks, at each step of a call.

use offhook_model::{CallId, CallState};

use crate::ladder::Ladder;
use crate::stage::{Leg, bob, sdp, secs};

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Dialled,
    Trying,
    Ringing,
    Talking,
    Holding,
    Held,
    HangingUp,
    Incoming,
    Answered,
}

const STEPS: &[(Step, &str)] = &[
    (Step::Dialled, "After the INVITE"),
    (Step::Trying, "After 100"),
    (Step::Ringing, "While it rings there"),
    (Step::Talking, "While they talk"),
    (Step::Holding, "While hold is asked for"),
    (Step::Held, "On hold"),
    (Step::HangingUp, "After the BYE"),
    (Step::Incoming, "While it rings here"),
    (Step::Answered, "Before the answer is acknowledged"),
];

/// Plays a call up to a step.
fn up_to(ladder: &mut Ladder, step: Step) -> (CallId, Option<Leg>) {
    if matches!(step, Step::Incoming | Step::Answered) {
        let leg = ladder.stage.invite(&sdp("sendrecv"));
        ladder.note();
        let id = ladder.stage.newest();
        if step == Step::Answered {
            ladder.you("answer", |phone, now| phone.answer(id, now)).expect("answered");
        }
        return (id, Some(leg));
    }
    let (id, invite) = ladder.dial("Bob", bob());
    if step == Step::Dialled {
        return (id, None);
    }
    ladder.answer(&invite, "100 Trying", "");
    if step == Step::Trying {
        return (id, None);
    }
    ladder.answer(&invite, "180 Ringing", "");
    if step == Step::Ringing {
        return (id, None);
    }
    ladder.answer(&invite, "200 OK", &sdp("sendrecv"));
    match step {
        Step::Holding | Step::Held => {
            ladder.you("hold", |phone, now| phone.hold(id, now)).expect("held");
            if step == Step::Held {
                let offer = ladder.newest("INVITE ");
                ladder.answer(&offer, "200 OK", &sdp("recvonly"));
            }
        }
        Step::HangingUp => {
            ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
        }
        _ => {}
    }
    (id, None)
}

#[test]
fn nothing_comes_any_more() {
    let mut out = String::new();
    for (step, title) in STEPS {
        let words = "The connection stands, and nobody says anything any more: a peer or server \
                     that hangs. Every request has an end (RFC 3261 section 17, timers B, F and H).";
        let mut ladder = Ladder::new(title, words);
        let (id, _) = up_to(&mut ladder, *step);
        ladder.silence("nothing comes any more", secs(240));
        let calls = ladder.stage.phone.calls();
        let state = calls.iter().find(|call| call.id == id).map(|call| call.state);
        let goes_on = matches!(step, Step::Talking | Step::Held | Step::Incoming);
        assert_eq!(state.is_some(), goes_on, "{step:?}: {state:?}");
        if state.is_some() {
            ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
            ladder.wait(secs(60));
        }
        assert!(ladder.stage.phone.calls().is_empty(), "{step:?}");
        ladder.write(&mut out);
    }
    crate::page(
        "silence.md",
        "Nothing comes any more",
        "A timeout at each step of a call. No call stays for ever, and the user can always hang up.",
        &out,
    );
}

#[test]
fn the_peer_dies() {
    let mut out = String::new();
    for (step, title) in STEPS {
        let words = "The server stands and knows nothing of the call any more: the other side's \
                     program has died and what is sent to it is refused.";
        let mut ladder = Ladder::new(title, words);
        let (id, leg) = up_to(&mut ladder, *step);
        match (step, leg) {
            (Step::Dialled | Step::Trying | Step::Ringing, _) => {
                let invite = ladder.newest("INVITE ");
                ladder.answer(&invite, "503 Service Unavailable", "");
            }
            (Step::Holding, _) => {
                let offer = ladder.newest("INVITE ");
                ladder.answer(&offer, "481 Call/Transaction Does Not Exist", "");
            }
            (Step::HangingUp, _) => {
                let bye = ladder.newest("BYE ");
                ladder.answer(&bye, "481 Call/Transaction Does Not Exist", "");
            }
            (Step::Incoming, Some(mut leg)) => {
                ladder.request(&mut leg, "CANCEL", "", "");
                ladder.request(&mut leg, "ACK", "", "");
            }
            (Step::Answered, _) => ladder.silence("no ACK comes", secs(40)),
            _ => {
                ladder.wait(secs(30));
                ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
                let bye = ladder.newest("BYE ");
                ladder.answer(&bye, "481 Call/Transaction Does Not Exist", "");
            }
        }
        ladder.wait(secs(60));
        assert!(ladder.stage.phone.calls().is_empty(), "{step:?}");
        ladder.write(&mut out);
    }
    crate::page(
        "crash.md",
        "The other side dies",
        "A crash of the peer at each step of a call.",
        &out,
    );
}

#[test]
fn the_network_breaks() {
    let mut out = String::new();
    for (step, title) in STEPS {
        let words = "The connection to the server breaks and comes back by itself. What is not \
                     answered yet is over; a conversation goes on, and what needs the server is \
                     refused in words until it is back.";
        let mut ladder = Ladder::new(title, words);
        let (id, _) = up_to(&mut ladder, *step);
        ladder.lose();
        let calls = ladder.stage.phone.calls();
        let call = calls.iter().find(|call| call.id == id).expect("seen");
        if call.end.is_none() {
            assert!(call.preserved && !call.can.hold && !call.can.transfer, "{step:?}");
            if call.state == CallState::Connected {
                let held = ladder.you("hold", |phone, now| phone.hold(id, now));
                let error = held.expect_err("refused");
                ladder.read(&error.cause);
            }
        }
        back(&mut ladder);
        if ladder.stage.phone.calls().iter().any(|call| call.end.is_none()) {
            assert!(!ladder.stage.call(id).preserved);
            told_where_we_are(&mut ladder, *step);
            ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
        }
        ladder.wait(secs(60));
        assert!(ladder.stage.phone.calls().is_empty(), "{step:?}");
        ladder.write(&mut out);
    }
    crate::page(
        "network.md",
        "The network breaks",
        "The way to the server is lost at each step of a call.",
        &out,
    );
}

/// The other side hears by which connection we are reached now.
fn told_where_we_are(ladder: &mut Ladder, step: Step) {
    let offer = ladder.newest("INVITE ");
    let direction = if step == Step::Held { "recvonly" } else { "sendrecv" };
    ladder.answer(&offer, "200 OK", &sdp(direction));
}

#[test]
fn the_network_is_another_one() {
    let mut out = String::new();
    for (step, title) in STEPS {
        let words = "The machine is on another network, where it has another address. It registers \
                     from there at once; a conversation goes on with its sound on the new address. \
                     What is not answered yet is over.";
        let mut ladder = Ladder::new(title, words);
        let (id, _) = up_to(&mut ladder, *step);
        ladder.read_network("the machine has another address");
        ladder.stage.home = [192, 168, 7, 7];
        ladder.stage.phone.network_changed(ladder.stage.now);
        ladder.stage.drain();
        back(&mut ladder);
        let goes_on = matches!(step, Step::Talking | Step::Holding | Step::Held);
        assert_eq!(ladder.stage.state(id) != CallState::Ended, goes_on, "{step:?}");
        if goes_on {
            let offer = ladder.newest("INVITE ");
            assert!(offer.contains("c=IN IP4 192.168.7.7"), "{offer}");
            let direction = if *step == Step::Talking { "sendrecv" } else { "recvonly" };
            ladder.answer(&offer, "200 OK", &sdp(direction));
            ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
        }
        ladder.wait(secs(60));
        assert!(ladder.stage.phone.calls().is_empty(), "{step:?}");
        ladder.write(&mut out);
    }
    crate::page(
        "moving.md",
        "Another network",
        "The machine moves to another network at each step of a call.",
        &out,
    );
}

/// The phone finds its way back.
fn back(ladder: &mut Ladder) {
    for _ in 0..120 {
        if ladder.stage.opened < 2 {
            ladder.wait(secs(1));
        }
    }
    assert_eq!(ladder.stage.opened, 2, "it is tried again by itself");
    ladder.stage.sent.clear();
    ladder.read_network("the connection is back");
    ladder.stage.open();
    let register = ladder.newest("REGISTER ");
    let contact = crate::stage::header(&register, "Contact").to_owned();
    ladder.stage.respond(&register, "200 OK", &format!("Contact: {contact};expires=3600\r\n"), "");
    ladder.note();
}
