//! Calls that we make.

use offhook_call::Tone;
use offhook_model::{CallDirection, CallState, ErrorCode, Security};

use crate::stage::{FOREIGN, PLAIN, Stage, bob, header, sdp, secs};

#[test]
fn sound_is_marked_unless_it_is_not_to_be() {
    let mut stage = Stage::registered();
    stage.talking();
    assert_eq!(stage.applied.last().map(|(_, plan)| plan.dscp), Some(46));
    let mut stage = Stage::registered();
    stage.phone.mark_packets(false);
    stage.talking();
    assert_eq!(stage.applied.last().map(|(_, plan)| plan.dscp), Some(0));
}

#[test]
fn dialled_rung_answered_and_hung_up() {
    let mut stage = Stage::registered();
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    assert_eq!(stage.state(id), CallState::Dialing);
    let invite = stage.take("INVITE sip:2002@");
    assert!(invite.contains("m=audio 20002 RTP/AVP"), "{invite}");
    assert!(invite.contains("a=sendrecv"), "{invite}");
    stage.respond(&invite, "100 Trying", "", "");
    assert_eq!((stage.state(id), stage.tone), (CallState::Dialing, None));
    stage.respond(&invite, "180 Ringing", "", "");
    assert_eq!((stage.state(id), stage.tone), (CallState::Ringing, Some(Tone::Ringback)));
    let answer = "P-Asserted-Identity: \"Bob B.\" <sip:2002@example.test>\r\n";
    stage.respond(&invite, "200 OK", answer, &sdp("sendrecv"));
    stage.take("ACK ");
    let call = stage.call(id);
    assert_eq!((call.state, stage.tone), (CallState::Connected, None));
    assert_eq!((call.remote.as_str(), call.name.as_deref()), ("2002", Some("Bob B.")));
    assert_eq!((call.connected, call.security), (Some(stage.now.wall), Security::None));
    assert_eq!(stage.sound(id), (true, true));
    let (_, plan) = stage.applied.last().expect("a plan");
    assert_eq!((plan.remote.to_string().as_str(), plan.dtmf), ("10.0.0.2:5000", Some(101)));

    stage.advance(secs(65));
    stage.phone.hang_up(id, stage.now).expect("hung up");
    stage.drain();
    let bye = stage.take("BYE ");
    assert_eq!((stage.end(id), stage.released.clone()), (("hungUp", None), vec![id]));
    stage.respond(&bye, "200 OK", "", "");
    let record = stage.records.last().expect("a record");
    assert_eq!((record.direction, record.seconds), (CallDirection::Outgoing, 65));
    assert!(!record.missed);
    use CallState::{Connected, Dialing, Ended, Ringing};
    assert_eq!(stage.told(id), [Dialing, Ringing, Connected, Ended]);
}

#[test]
fn an_ended_call_is_shown_for_a_moment_and_its_id_is_never_used_again() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    stage.phone.hang_up(id, stage.now).expect("hung up");
    stage.drain();
    let again = stage.phone.hang_up(id, stage.now).expect_err("over");
    assert_eq!(again.code, ErrorCode::NotPossible);
    stage.advance(secs(3));
    assert_eq!(stage.phone.calls().len(), 1);
    stage.advance(secs(2));
    assert!(stage.phone.calls().is_empty());
    let gone = stage.phone.hang_up(id, stage.now).expect_err("gone");
    assert_eq!(gone.code, ErrorCode::NoSuchObject);
    let next = stage.phone.dial(bob(), stage.now).expect("dialled");
    assert!(next > id);
}

#[test]
fn refusals_have_their_causes() {
    for (status, cause, tone) in [
        ("486 Busy Here", "busy", Some(Tone::Busy)),
        ("600 Busy Everywhere", "busy", Some(Tone::Busy)),
        ("404 Not Found", "notFound", None),
        ("603 Decline", "declined", None),
        ("480 Temporarily Unavailable", "noAnswer", None),
        ("488 Not Acceptable Here", "failed", None),
        ("403 Forbidden", "failed", None),
    ] {
        let mut stage = Stage::registered();
        let id = stage.phone.dial(bob(), stage.now).expect("dialled");
        stage.drain();
        let invite = stage.take("INVITE ");
        stage.respond(&invite, status, "", "");
        stage.take("ACK ");
        let code = status[..3].parse().ok();
        assert_eq!(stage.end(id), (cause, code));
        assert_eq!(stage.tone, tone, "{status}");
        assert_eq!(stage.call(id).end.expect("over").problem.is_some(), cause == "failed");
        let record = stage.records.last().expect("a record");
        assert_eq!((record.seconds, record.missed), (0, false));
        stage.advance(secs(5));
        assert_eq!(stage.tone, None, "the busy tone ends with the call's place on the screen");
    }
}

#[test]
fn a_new_number_ends_the_busy_tone() {
    let mut stage = Stage::registered();
    stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "486 Busy Here", "", "");
    assert_eq!(stage.tone, Some(Tone::Busy));
    stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    assert_eq!(stage.tone, None);
}

#[test]
fn a_call_hung_up_while_it_rings_is_cancelled() {
    let mut stage = Stage::registered();
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "180 Ringing", "", "");
    stage.phone.hang_up(id, stage.now).expect("hung up");
    stage.drain();
    let cancel = stage.take("CANCEL ");
    assert_eq!((stage.end(id).0, stage.tone), ("cancelled", None));
    stage.respond(&cancel, "200 OK", "", "");
    stage.respond(&invite, "487 Request Terminated", "", "");
    stage.take("ACK ");
    assert_eq!(stage.end(id).0, "cancelled");
    assert_eq!(stage.records.len(), 1);
}

#[test]
fn a_call_hung_up_before_ports_are_there_never_leaves() {
    let mut stage = Stage::registered();
    stage.ports_at_once = false;
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    stage.phone.hang_up(id, stage.now).expect("hung up");
    stage.drain();
    stage.give_ports(id);
    stage.nothing_sent();
    assert_eq!((stage.end(id).0, stage.released.len()), ("cancelled", 1));
}

#[test]
fn no_free_port_ends_the_call_with_a_remedy() {
    let mut stage = Stage::registered();
    stage.ports_at_once = false;
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.phone.reserved(id, Err("all are taken".into()), stage.now);
    stage.drain();
    stage.nothing_sent();
    let end = stage.call(id).end.expect("over");
    assert_eq!(end.cause, "failed");
    assert!(end.problem.expect("a problem").cause.contains("all are taken"));
}

#[test]
fn sound_before_the_answer_is_heard_instead_of_a_tone() {
    let mut stage = Stage::registered();
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "183 Session Progress", "", &sdp("sendrecv"));
    assert_eq!((stage.state(id), stage.tone), (CallState::Early, None));
    assert!(stage.sound(id).1);
    stage.respond(&invite, "180 Ringing", "", "");
    assert_eq!(stage.state(id), CallState::Early);
    // The same description need not come again.
    stage.respond(&invite, "200 OK", "", "");
    stage.take("ACK ");
    assert_eq!(stage.state(id), CallState::Connected);
}

#[test]
fn progress_without_sound_is_no_ringing() {
    let mut stage = Stage::registered();
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "183 Session Progress", "", "");
    assert_eq!((stage.state(id), stage.tone), (CallState::Dialing, None));
}

#[test]
fn an_answer_that_cannot_be_used_ends_the_call() {
    for content in ["", FOREIGN, "nonsense"] {
        let mut stage = Stage::registered();
        let id = stage.phone.dial(bob(), stage.now).expect("dialled");
        stage.drain();
        let invite = stage.take("INVITE ");
        stage.respond(&invite, "200 OK", "", content);
        stage.take("ACK ");
        stage.take("BYE ");
        assert_eq!(stage.end(id), ("failed", Some(488)), "{content:?}");
        assert!(stage.call(id).end.expect("over").problem.is_some());
    }
}

#[test]
fn dialling_needs_a_registration() {
    let mut stage = Stage::new();
    let error = stage.phone.dial(bob(), stage.now).expect_err("not started");
    assert_eq!(error.code, ErrorCode::NotSignedIn);
    stage.phone.start(stage.now);
    stage.drain();
    stage.open();
    assert!(stage.phone.dial(bob(), stage.now).is_err(), "the registrar has not answered");
    assert!(stage.phone.calls().is_empty());
}

#[test]
fn the_other_side_hangs_up() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.talking();
    stage.advance(secs(7));
    stage.request(&mut leg, "BYE", "", "");
    stage.take("SIP/2.0 200 ");
    assert_eq!(stage.end(id), ("remoteHungUp", None));
    assert_eq!(stage.records.last().expect("a record").seconds, 7);
}

#[test]
fn the_microphone_is_switched_off_and_on() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    for muted in [true, false] {
        stage.phone.mute(id, muted).expect("muted");
        stage.drain();
        assert_eq!((stage.call(id).muted, stage.muted.last()), (muted, Some(&(id, muted))));
    }
    stage.phone.hang_up(id, stage.now).expect("hung up");
    assert_eq!(stage.phone.mute(id, true).expect_err("over").code, ErrorCode::NotPossible);
}

#[test]
fn a_description_without_events_is_no_obstacle() {
    let mut stage = Stage::registered();
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    assert_eq!(header(&invite, "Content-Type"), "application/sdp");
    stage.respond(&invite, "200 OK", "", PLAIN);
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
}
