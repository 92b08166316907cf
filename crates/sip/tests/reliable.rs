//! Reliable provisional responses of ours (RFC 3262) and UPDATE in early dialogs (RFC 3311). The
//! peer is played by hand.

mod support;

use std::time::Duration;

use offhook_sip::{By, Event};
use support::talk::{ANSWER, CONTACT, Talk, calling, ringing, tag, tcp};
use support::{SDP, Solo, body, header, response, secs};

/// A call of theirs that rings reliably; the 180 comes back.
fn rings(solo: &mut Solo, more: &str) -> (Talk, String) {
    let (mut talk, _) = ringing(solo, "in-1", more);
    solo.ua.ring(talk.call, solo.now);
    solo.drain();
    let ringing = solo.take("SIP/2.0 180");
    talk.ours = tag(&ringing, "To");
    (talk, ringing)
}

fn rseq(message: &str) -> u32 {
    header(message, "RSeq").expect("RSeq").parse().expect("a number")
}

fn prack(solo: &mut Solo, talk: &mut Talk, number: u32, status: &str) {
    talk.say(solo, "PRACK", &format!("RAck: {number} 10 INVITE\r\n"), "");
    let found = solo.sent.iter().any(|message| message.starts_with(&format!("SIP/2.0 {status}")));
    assert!(found, "{:#?}", solo.sent);
    solo.sent.retain(|message| header(message, "CSeq").is_none_or(|cseq| !cseq.contains("PRACK")));
}

#[test]
fn ringing_is_repeated_until_it_is_acknowledged() {
    for more in ["Require: 100rel\r\n", "Supported: 100rel\r\n"] {
        let mut solo = tcp();
        let (mut talk, ringing) = rings(&mut solo, more);
        assert_eq!(header(&ringing, "Require"), Some("100rel"));
        let number = rseq(&ringing);
        assert!((1..1 << 31).contains(&number));
        solo.advance(secs(4));
        assert_eq!(solo.take_all(), vec![ringing.clone(); 3], "after 0.5, 1.5 and 3.5 s");
        prack(&mut solo, &mut talk, number + 1, "481");
        prack(&mut solo, &mut talk, number, "200");
        prack(&mut solo, &mut talk, number, "481");
        solo.advance(secs(60));
        assert!(solo.take_all().is_empty());
        solo.ua.answer(talk.call, SDP.into(), solo.now);
        solo.drain();
        solo.take("SIP/2.0 200");
    }
}

#[test]
fn a_caller_who_never_acknowledges_is_given_up() {
    let mut solo = tcp();
    rings(&mut solo, "Require: 100rel\r\n");
    solo.advance(secs(31));
    solo.take_all();
    solo.advance(secs(2));
    assert!(solo.take_all().last().is_some_and(|last| last.starts_with("SIP/2.0 504")));
    assert!(matches!(&solo.take_events()[..], [Event::Ended { end, .. }] if end.by == By::Network));
}

#[test]
fn a_caller_without_the_extension_hears_it_once() {
    let mut solo = tcp();
    let (_, ringing) = rings(&mut solo, "");
    assert_eq!((header(&ringing, "Require"), header(&ringing, "RSeq")), (None, None));
    solo.advance(secs(60));
    assert!(solo.take_all().is_empty());
}

#[test]
fn the_answer_waits_for_what_describes_the_session() {
    let mut solo = tcp();
    let (mut talk, ringing) = rings(&mut solo, "Supported: 100rel\r\n");
    // Only one may be open at a time.
    solo.ua.early_media(talk.call, SDP.into(), solo.now);
    solo.drain();
    assert!(solo.sent.is_empty());
    prack(&mut solo, &mut talk, rseq(&ringing), "200");
    let early = solo.take("SIP/2.0 183");
    assert_eq!((body(&early), rseq(&early)), (SDP, rseq(&ringing) + 1));
    solo.ua.answer(talk.call, SDP.into(), solo.now);
    solo.drain();
    assert!(solo.sent.is_empty(), "not before they have the description");
    prack(&mut solo, &mut talk, rseq(&early), "200");
    let answer = solo.take("SIP/2.0 200");
    assert_eq!(header(&answer, "CSeq"), Some("10 INVITE"));
    solo.ack(&answer, "");
    assert!(matches!(&solo.take_events()[..], [Event::Confirmed { .. }]));
}

#[test]
fn an_answer_without_description_before_it_goes_out_at_once() {
    let mut solo = tcp();
    let (talk, _) = rings(&mut solo, "Supported: 100rel\r\n");
    solo.ua.answer(talk.call, SDP.into(), solo.now);
    solo.drain();
    let answer = solo.take("SIP/2.0 200");
    solo.ack(&answer, "");
    solo.advance(secs(60));
    assert!(!solo.take_all().iter().any(|message| message.starts_with("SIP/2.0 1")));
}

#[test]
fn a_delayed_offer_is_not_answered_by_ringing() {
    for (more, rings) in [("Require: 100rel\r\n", false), ("Supported: 100rel\r\n", true)] {
        let mut solo = tcp();
        solo.request("INVITE", 10, "in-1", ("b", ""), more, "");
        solo.take("SIP/2.0 100");
        let call = match &solo.take_events()[..] {
            [Event::Incoming { call, .. }] => *call,
            other => panic!("{other:?}"),
        };
        solo.ua.ring(call, solo.now);
        solo.ua.early_media(call, SDP.into(), solo.now);
        solo.drain();
        let sent = solo.take_all();
        assert_eq!(!sent.is_empty(), rings, "{sent:#?}");
        assert!(sent.iter().all(|m| header(m, "RSeq").is_none() && body(m).is_empty()));
        solo.ua.answer(call, SDP.into(), solo.now);
        solo.drain();
        solo.take("SIP/2.0 200");
    }
}

#[test]
fn an_early_session_is_changed_by_update() {
    let mut solo = tcp();
    let (call, invite) = calling(&mut solo, "2002");
    let other = SDP.replace("4000", "4002");
    let more = format!("{CONTACT}Allow: INVITE, UPDATE, PRACK\r\nRequire: 100rel\r\nRSeq: 7\r\n");
    solo.feed(&response(&invite, "183 Session Progress", "b", &more, ANSWER));
    let prack = solo.take("PRACK ");
    solo.feed(&response(&prack, "200 OK", "", "", ""));
    solo.take_events();
    solo.ua.reinvite(call, other.clone(), solo.now);
    solo.drain();
    let update = solo.take("UPDATE sip:bob@10.0.0.9:5060 ");
    assert_eq!((header(&update, "CSeq"), body(&update)), (Some("3 UPDATE"), &*other));
    solo.feed(&response(&update, "491 Request Pending", "", "", ""));
    solo.advance(secs(5));
    let update = solo.take("UPDATE ");
    solo.feed(&response(&update, "200 OK", "", "", ANSWER));
    assert_eq!(solo.take_events(), [Event::OfferAnswered { call, sdp: Some(ANSWER.into()) }]);
    // Theirs.
    let mut talk = Talk {
        call,
        id: header(&invite, "Call-ID").expect("call-id").into(),
        theirs: "b".into(),
        ours: tag(&invite, "From"),
        cseq: 0,
    };
    talk.say(&mut solo, "UPDATE", "", ANSWER);
    assert_eq!(solo.take_events(), [Event::Offer { call, sdp: Some(ANSWER.into()) }]);
    solo.ua.accept_offer(call, SDP.into(), solo.now);
    solo.drain();
    assert_eq!(body(&solo.take("SIP/2.0 200")), SDP);
    solo.feed(&response(&invite, "200 OK", "b", CONTACT, ""));
    let ack = solo.take("ACK ");
    assert_eq!(header(&ack, "CSeq"), Some("1 ACK"));
    solo.ua.hang_up(call, solo.now);
    solo.drain();
    assert_eq!(header(&solo.take("BYE "), "CSeq"), Some("5 BYE"));
}

#[test]
fn a_change_before_the_first_answer_waits_for_the_call() {
    let mut solo = tcp();
    let (call, invite) = calling(&mut solo, "2002");
    solo.feed(&response(&invite, "183 x", "b", CONTACT, ANSWER));
    solo.ua.reinvite(call, SDP.into(), solo.now);
    solo.drain();
    assert!(solo.sent.is_empty());
    solo.feed(&response(&invite, "200 OK", "b", CONTACT, ANSWER));
    let sent = solo.take_all();
    assert!(sent[0].starts_with("ACK ") && sent[1].starts_with("INVITE "), "{sent:#?}");
}

#[test]
fn an_unreliable_caller_may_cancel_what_rings_reliably() {
    let mut solo = tcp();
    let (talk, invite) = ringing(&mut solo, "in-1", "Supported: 100rel\r\n");
    solo.ua.ring(talk.call, solo.now);
    solo.drain();
    solo.take("SIP/2.0 180");
    let head = invite.split("\r\n\r\n").next().expect("head").replace("INVITE", "CANCEL");
    let head = head.replace("Content-Type: application/sdp\r\n", "");
    let length = format!("Content-Length: {}", SDP.len());
    solo.feed(&format!("{}\r\n\r\n", head.replace(&length, "Content-Length: 0")));
    let sent = solo.take_all();
    assert!(sent[0].starts_with("SIP/2.0 200") && sent[1].starts_with("SIP/2.0 487"), "{sent:#?}");
    solo.advance(Duration::from_secs(40));
    assert!(!solo.take_all().iter().any(|message| message.starts_with("SIP/2.0 180")));
}
