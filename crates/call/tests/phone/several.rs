//! More than one call: only one of them sounds.

use offhook_model::{CallId, CallState};

use crate::stage::{Stage, bob, sdp, secs};

/// No two calls may sound at once.
fn one_sounds(stage: &Stage) {
    let sounding: Vec<CallId> = stage
        .phone
        .calls()
        .iter()
        .filter(|call| call.end.is_none() && stage.sound(call.id) != (false, false))
        .map(|call| call.id)
        .collect();
    assert!(sounding.len() <= 1, "{sounding:?}");
}

#[test]
fn a_second_call_holds_the_first() {
    let mut stage = Stage::registered();
    let (first, _) = stage.talking();
    let second = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    assert_eq!((stage.state(first), stage.sound(first)), (CallState::Held, (false, false)));
    let hold = stage.take("INVITE ");
    assert!(hold.contains("a=sendonly"), "{hold}");
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "200 OK", "", &sdp("sendrecv"));
    assert_eq!(stage.state(second), CallState::Connected);
    one_sounds(&stage);
    stage.respond(&hold, "200 OK", "", &sdp("recvonly"));
    stage.sent.clear();

    stage.phone.resume(first, stage.now).expect("resumed");
    stage.drain();
    assert_eq!(stage.state(second), CallState::Held);
    let hold = stage.take("INVITE ");
    let resume = stage.take("INVITE ");
    stage.respond(&hold, "200 OK", "", &sdp("recvonly"));
    stage.respond(&resume, "200 OK", "", &sdp("sendrecv"));
    assert_eq!((stage.state(first), stage.state(second)), (CallState::Connected, CallState::Held));
    one_sounds(&stage);
}

#[test]
fn answering_holds_the_conversation() {
    let mut stage = Stage::registered();
    let (first, _) = stage.talking();
    let (second, _) = stage.ringing_here();
    stage.phone.answer(second, stage.now).expect("answered");
    stage.drain();
    assert_eq!((stage.state(first), stage.state(second)), (CallState::Held, CallState::Connected));
    one_sounds(&stage);
}

#[test]
fn one_that_holds_us_is_held_as_well_lest_it_come_back() {
    let mut stage = Stage::registered();
    let (first, mut leg) = stage.talking();
    stage.request(&mut leg, "INVITE", "", &sdp("sendonly"));
    stage.request(&mut leg, "ACK", "", "");
    stage.sent.clear();
    let (second, _) = stage.ringing_here();
    stage.phone.answer(second, stage.now).expect("answered");
    stage.drain();
    assert_eq!((stage.state(first), stage.state(second)), (CallState::Held, CallState::Connected));
    one_sounds(&stage);
}

#[test]
fn two_that_are_answered_do_not_sound_together() {
    let mut stage = Stage::registered();
    let first = stage.phone.dial(bob(), stage.now).expect("dialled");
    let second = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let (one, two) = (stage.take("INVITE "), stage.take("INVITE "));
    stage.respond(&one, "200 OK", "", &sdp("sendrecv"));
    stage.respond(&two, "200 OK", "", &sdp("sendrecv"));
    assert_eq!((stage.state(first), stage.state(second)), (CallState::Held, CallState::Connected));
    one_sounds(&stage);
}

#[test]
fn a_refused_hold_of_the_first_does_not_open_it_again() {
    let mut stage = Stage::registered();
    let (first, _) = stage.talking();
    let (second, _) = stage.ringing_here();
    stage.phone.answer(second, stage.now).expect("answered");
    stage.drain();
    let hold = stage.take("INVITE ");
    stage.respond(&hold, "500 Server Error", "", "");
    assert_eq!((stage.state(first), stage.state(second)), (CallState::Held, CallState::Connected));
    one_sounds(&stage);
}

#[test]
fn of_many_calls_that_ended_only_the_last_stay_on_the_screen() {
    let mut stage = Stage::registered();
    let mut ids = vec![];
    for _ in 0..20 {
        let (id, _) = stage.ringing_here();
        stage.phone.decline(id, stage.now).expect("declined");
        stage.drain();
        stage.take("SIP/2.0 486 ");
        ids.push(id);
    }
    let shown: Vec<_> = stage.phone.calls().iter().map(|call| call.id).collect();
    assert_eq!((shown.as_slice(), stage.records.len()), (&ids[12..], 20));
    stage.advance(secs(5));
    assert!(stage.phone.calls().is_empty());
}
