//! Hold and resume, by either side.

use offhook_model::{CallState, ErrorCode};

use crate::stage::{Stage, sdp};

#[test]
fn we_hold_and_resume() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    stage.phone.hold(id, stage.now).expect("held");
    stage.drain();
    let offer = stage.take("INVITE ");
    assert!(offer.contains("a=sendonly"), "{offer}");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Held, (false, false)));
    stage.respond(&offer, "200 OK", "", &sdp("recvonly"));
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Held, (false, false)));
    assert_eq!(stage.phone.hold(id, stage.now).expect_err("held").code, ErrorCode::NotPossible);

    stage.phone.resume(id, stage.now).expect("resumed");
    stage.drain();
    let offer = stage.take("INVITE ");
    assert!(offer.contains("a=sendrecv"), "{offer}");
    stage.respond(&offer, "200 OK", "", &sdp("sendrecv"));
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
    assert!(stage.phone.resume(id, stage.now).is_err());
}

#[test]
fn they_hold_and_resume() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.talking();
    stage.request(&mut leg, "INVITE", "", &sdp("sendonly"));
    // A re-INVITE is answered at once; nobody has to be asked.
    let answer = stage.sent.pop().expect("an answer");
    assert!(answer.starts_with("SIP/2.0 200 ") && answer.contains("a=recvonly"), "{answer}");
    stage.request(&mut leg, "ACK", "", "");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::RemoteHeld, (false, true)));
    stage.sent.clear();
    stage.request(&mut leg, "INVITE", "", &sdp("sendrecv"));
    stage.request(&mut leg, "ACK", "", "");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
}

#[test]
fn both_may_hold() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.talking();
    stage.request(&mut leg, "INVITE", "", &sdp("sendonly"));
    stage.request(&mut leg, "ACK", "", "");
    stage.sent.clear();
    stage.phone.hold(id, stage.now).expect("held");
    stage.drain();
    let offer = stage.take("INVITE ");
    stage.respond(&offer, "200 OK", "", &sdp("inactive"));
    stage.take("ACK ");
    assert_eq!(stage.state(id), CallState::Held);
    stage.phone.resume(id, stage.now).expect("resumed");
    stage.drain();
    let offer = stage.take("INVITE ");
    stage.respond(&offer, "200 OK", "", &sdp("sendonly"));
    assert_eq!(stage.state(id), CallState::RemoteHeld, "they still hold us");
}

#[test]
fn a_refused_hold_is_kept_on_our_side() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    stage.phone.hold(id, stage.now).expect("held");
    stage.drain();
    let offer = stage.take("INVITE ");
    stage.respond(&offer, "488 Not Acceptable Here", "", "");
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Held, (false, false)));
    stage.phone.resume(id, stage.now).expect("resumed");
    stage.drain();
    let offer = stage.take("INVITE ");
    assert!(offer.contains("a=sendrecv"), "{offer}");
    stage.respond(&offer, "200 OK", "", &sdp("sendrecv"));
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
}

#[test]
fn a_refused_resume_leaves_the_call_on_hold() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    stage.phone.hold(id, stage.now).expect("held");
    stage.drain();
    let offer = stage.take("INVITE ");
    stage.respond(&offer, "200 OK", "", &sdp("recvonly"));
    stage.take("ACK ");
    stage.phone.resume(id, stage.now).expect("resumed");
    stage.drain();
    let offer = stage.take("INVITE ");
    stage.respond(&offer, "500 Server Error", "", "");
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Held, (false, false)));
    stage.phone.resume(id, stage.now).expect("once more");
    stage.drain();
    stage.take("INVITE ");
}

#[test]
fn a_change_of_mind_follows_the_answer() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    stage.phone.hold(id, stage.now).expect("held");
    stage.phone.resume(id, stage.now).expect("resumed");
    stage.drain();
    let hold = stage.take("INVITE ");
    stage.nothing_sent();
    stage.respond(&hold, "200 OK", "", &sdp("recvonly"));
    stage.take("ACK ");
    let resume = stage.take("INVITE ");
    assert!(resume.contains("a=sendrecv"), "{resume}");
    stage.respond(&resume, "200 OK", "", &sdp("sendrecv"));
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
}

#[test]
fn a_change_of_theirs_without_offer_gets_ours() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.talking();
    stage.request(&mut leg, "INVITE", "", "");
    let offer = stage.sent.pop().expect("an answer");
    assert!(offer.starts_with("SIP/2.0 200 ") && offer.contains("m=audio "), "{offer}");
    stage.request(&mut leg, "ACK", "", &sdp("sendonly"));
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::RemoteHeld, (false, true)));
}

#[test]
fn a_change_that_cannot_be_used_is_refused_and_changes_nothing() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.talking();
    stage.request(&mut leg, "INVITE", "", crate::stage::FOREIGN);
    let answer = stage.sent.pop().expect("an answer");
    assert!(answer.starts_with("SIP/2.0 488 "), "{answer}");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
}

#[test]
fn their_change_does_not_end_our_hold() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.talking();
    stage.phone.hold(id, stage.now).expect("held");
    stage.drain();
    let offer = stage.take("INVITE ");
    stage.respond(&offer, "200 OK", "", &sdp("recvonly"));
    stage.take("ACK ");
    stage.request(&mut leg, "INVITE", "", &sdp("sendrecv"));
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Held, (false, false)));
}
