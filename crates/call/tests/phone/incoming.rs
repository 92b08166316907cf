//! Calls that come.

use offhook_call::Tone;
use offhook_model::{CallDirection, CallState, ErrorCode};

use crate::stage::{FOREIGN, Stage, header, sdp, secs};

#[test]
fn it_rings_is_answered_and_talks() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.ringing_here();
    let call = stage.call(id);
    assert_eq!((call.state, call.direction), (CallState::Incoming, CallDirection::Incoming));
    assert_eq!((call.remote.as_str(), call.name.as_deref()), ("2002", Some("Bob")));
    assert_eq!(stage.tone, Some(Tone::Ring));
    stage.phone.answer(id, stage.now).expect("answered");
    stage.drain();
    let answer = stage.take("SIP/2.0 200 ");
    assert!(answer.contains("m=audio 20002 RTP/AVP 0 101"), "{answer}");
    stage.request(&mut leg, "ACK", "", "");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
    assert_eq!(stage.tone, None);
    stage.advance(secs(3));
    stage.request(&mut leg, "BYE", "", "");
    stage.take("SIP/2.0 200 ");
    assert_eq!(stage.end(id).0, "remoteHungUp");
    let record = stage.records.last().expect("a record");
    assert_eq!((record.seconds, record.missed), (3, false));
    assert_eq!(stage.phone.answer(id, stage.now).expect_err("over").code, ErrorCode::NotPossible);
}

#[test]
fn a_declined_call_is_busy_here_and_not_missed() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.ringing_here();
    stage.phone.decline(id, stage.now).expect("declined");
    stage.drain();
    stage.take("SIP/2.0 486 ");
    stage.request(&mut leg, "ACK", "", "");
    assert_eq!((stage.end(id).0, stage.tone), ("declined", None));
    assert!(!stage.records.last().expect("a record").missed);
    assert!(stage.phone.decline(id, stage.now).is_err());
}

#[test]
fn a_caller_who_gives_up_was_missed() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.ringing_here();
    leg.theirs = "<sip:alice@example.test>".into();
    stage.request(&mut leg, "CANCEL", "", "");
    stage.take("SIP/2.0 200 ");
    stage.take("SIP/2.0 487 ");
    assert_eq!((stage.end(id).0, stage.tone), ("missed", None));
    assert!(stage.records.last().expect("a record").missed);
}

#[test]
fn a_call_taken_on_another_phone_was_not_missed() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.ringing_here();
    leg.theirs = "<sip:alice@example.test>".into();
    let reason = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n";
    stage.request(&mut leg, "CANCEL", reason, "");
    assert_eq!(stage.end(id).0, "answeredElsewhere");
    assert!(!stage.records.last().expect("a record").missed);
}

#[test]
fn answering_may_come_before_the_ports() {
    let mut stage = Stage::registered();
    stage.ports_at_once = false;
    let (id, _) = stage.ringing_here();
    stage.phone.answer(id, stage.now).expect("answered");
    stage.drain();
    stage.nothing_sent();
    assert_eq!(stage.state(id), CallState::Incoming);
    stage.give_ports(id);
    stage.take("SIP/2.0 200 ");
    assert_eq!(stage.state(id), CallState::Connected);
}

#[test]
fn without_a_free_port_the_caller_is_told() {
    let mut stage = Stage::registered();
    stage.ports_at_once = false;
    let (id, _) = stage.ringing_here();
    stage.phone.reserved(id, Err("all are taken".into()), stage.now);
    stage.drain();
    stage.take("SIP/2.0 500 ");
    assert_eq!(stage.end(id).0, "failed");
}

#[test]
fn an_offer_that_cannot_be_answered_does_not_ring() {
    for content in [FOREIGN, "nonsense"] {
        let mut stage = Stage::registered();
        stage.invite(content);
        stage.take("SIP/2.0 100 ");
        stage.take("SIP/2.0 488 ");
        let id = stage.newest();
        assert_eq!((stage.end(id), stage.tone), (("failed", Some(488)), None));
        assert!(stage.records.last().expect("a record").missed, "somebody did call");
        assert_eq!(stage.told(id), [CallState::Ended]);
    }
}

#[test]
fn a_call_without_offer_gets_ours() {
    let mut stage = Stage::registered();
    let mut leg = stage.invite("");
    stage.take("SIP/2.0 100 ");
    stage.take("SIP/2.0 180 ");
    let id = stage.newest();
    stage.phone.answer(id, stage.now).expect("answered");
    stage.drain();
    let offer = stage.take("SIP/2.0 200 ");
    assert!(offer.contains("m=audio ") && offer.contains("opus"), "{offer}");
    leg.theirs = header(&offer, "To").to_owned();
    assert_eq!(stage.sound(id), (false, false));
    stage.request(&mut leg, "ACK", "", &sdp("sendrecv"));
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
}

#[test]
fn a_call_without_offer_and_without_answer_is_ended() {
    for content in ["", FOREIGN] {
        let mut stage = Stage::registered();
        let mut leg = stage.invite("");
        stage.take("SIP/2.0 100 ");
        stage.take("SIP/2.0 180 ");
        let id = stage.newest();
        stage.phone.answer(id, stage.now).expect("answered");
        stage.drain();
        let offer = stage.take("SIP/2.0 200 ");
        leg.theirs = header(&offer, "To").to_owned();
        stage.request(&mut leg, "ACK", "", content);
        stage.take("BYE ");
        assert_eq!(stage.end(id), ("failed", Some(488)), "{content:?}");
    }
}

#[test]
fn a_caller_who_holds_from_the_start_is_shown_so() {
    let mut stage = Stage::registered();
    stage.invite(&sdp("sendonly"));
    let id = stage.newest();
    stage.phone.answer(id, stage.now).expect("answered");
    stage.drain();
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::RemoteHeld, (false, true)));
}

#[test]
fn nothing_rings_over_a_conversation() {
    let mut stage = Stage::registered();
    let (talk, _) = stage.talking();
    let (id, _) = stage.ringing_here();
    // A low tone in the ear tells of it.
    assert_eq!((stage.state(id), stage.tone), (CallState::Incoming, Some(Tone::Waiting)));
    stage.phone.hang_up(talk, stage.now).expect("hung up");
    stage.drain();
    assert_eq!(stage.tone, Some(Tone::Ring));
}

#[test]
fn an_answer_nobody_acknowledges_is_a_lost_call() {
    let mut stage = Stage::registered();
    let (id, _) = stage.ringing_here();
    stage.phone.answer(id, stage.now).expect("answered");
    stage.drain();
    stage.advance(secs(33));
    // It stays on the screen for a moment only, so the record tells.
    assert!(stage.told(id).ends_with(&[CallState::Ended]));
    assert!(stage.sent.iter().any(|message| message.starts_with("BYE ")));
}
