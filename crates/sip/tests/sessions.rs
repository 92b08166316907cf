//! Session timers (RFC 4028) in both roles. The peer is played by hand.

mod support;

use std::time::Duration;

use offhook_model::Link;
use offhook_sip::{By, Event, SipCall};
use support::talk::{ANSWER, CONTACT, Talk, calling, taken, talking, tcp};
use support::{SDP, Solo, account, body, cucm_account, header, response, secs};

/// The messages that are no keep-alive.
fn said(solo: &mut Solo) -> Vec<String> {
    solo.take_all().into_iter().filter(|message| !message.trim().is_empty()).collect()
}

fn one(solo: &mut Solo, start: &str) -> String {
    let mut messages = said(solo);
    assert_eq!(messages.len(), 1, "wanted {start}: {messages:#?}");
    let message = messages.remove(0);
    assert!(message.starts_with(start), "wanted {start}: {message}");
    message
}

fn ended(solo: &mut Solo, call: SipCall) -> bool {
    matches!(&solo.take_events()[..], [Event::Ended { call: c, end }] if *c == call && end.by == By::Network)
}

const UPDATES: &str = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n";

#[test]
fn a_session_of_ours_is_refreshed_by_update_at_half_its_time() {
    let mut solo = tcp();
    let (_, invite) = calling(&mut solo, "2002");
    assert_eq!(header(&invite, "Session-Expires"), Some("1800"));
    assert!(header(&invite, "Supported").is_some_and(|tags| tags.contains("timer")));
    let more =
        format!("{CONTACT}{UPDATES}Require: timer\r\nSession-Expires: 600;refresher=uac\r\n");
    solo.feed(&response(&invite, "200 OK", "b", &more, ANSWER));
    solo.take("ACK ");
    solo.take_events();
    for cseq in ["2 UPDATE", "3 UPDATE"] {
        solo.advance(secs(299));
        assert!(said(&mut solo).is_empty());
        solo.advance(secs(2));
        let update = one(&mut solo, "UPDATE sip:bob@10.0.0.9:5060 ");
        assert_eq!(header(&update, "CSeq"), Some(cseq));
        assert_eq!(header(&update, "Session-Expires"), Some("600;refresher=uac"));
        assert_eq!(body(&update), "");
        let again = "Session-Expires: 600;refresher=uac\r\n";
        solo.feed(&response(&update, "200 OK", "", again, ""));
    }
    assert!(solo.take_events().is_empty(), "nobody needs to know");
}

#[test]
fn a_side_without_update_is_refreshed_by_the_same_offer() {
    let mut solo = tcp();
    let more = "Session-Expires: 600;refresher=uac\r\nAllow: INVITE, ACK, BYE, CANCEL\r\n";
    let talk = talking(&mut solo, "2002", "b", more);
    solo.advance(secs(301));
    let invite = one(&mut solo, "INVITE ");
    assert_eq!(body(&invite), SDP);
    let again = format!("{CONTACT}Session-Expires: 600;refresher=uac\r\n");
    solo.feed(&response(&invite, "200 OK", "", &again, ANSWER));
    solo.take("ACK ");
    assert!(solo.take_events().is_empty(), "their description is the same");
    solo.advance(secs(301));
    let invite = one(&mut solo, "INVITE ");
    solo.feed(&response(&invite, "200 OK", "", &again, &ANSWER.replace("5000", "5002")));
    assert!(
        matches!(&solo.take_events()[..], [Event::OfferAnswered { call, .. }] if *call == talk.call),
        "another description is told"
    );
}

#[test]
fn a_refresh_that_fails_is_tried_again_and_then_the_call_ends() {
    let mut solo = tcp();
    let more = format!("{UPDATES}Session-Expires: 600;refresher=uac\r\n");
    let talk = talking(&mut solo, "2002", "b", &more);
    solo.advance(secs(301));
    let update = one(&mut solo, "UPDATE ");
    solo.feed(&response(&update, "500 x", "", "", ""));
    solo.advance(secs(150));
    let update = one(&mut solo, "UPDATE ");
    solo.feed(&response(&update, "500 x", "", "", ""));
    while solo.events.is_empty() {
        solo.advance(secs(1));
        for update in said(&mut solo).iter().filter(|message| message.starts_with("UPDATE ")) {
            solo.feed(&response(update, "500 x", "", "", ""));
        }
    }
    assert!(ended(&mut solo, talk.call));
    // Whoever does not know the session any more has left it.
    let mut solo = tcp();
    let talk = talking(&mut solo, "2002", "b", &more);
    solo.advance(secs(301));
    let update = one(&mut solo, "UPDATE ");
    solo.feed(&response(&update, "481 x", "", "", ""));
    solo.take("BYE ");
    assert!(matches!(&solo.take_events()[..], [Event::Ended { call, .. }] if *call == talk.call));
}

#[test]
fn a_refresh_of_theirs_is_waited_for() {
    let mut solo = tcp();
    let more = "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n";
    let (mut talk, answer) = taken(&mut solo, "in-1", more);
    assert_eq!(header(&answer, "Session-Expires"), Some("300;refresher=uac"));
    assert_eq!(header(&answer, "Require"), Some("timer"));
    for _ in 0..3 {
        solo.advance(secs(250));
        assert!(said(&mut solo).is_empty());
        talk.say(&mut solo, "UPDATE", more, "");
        let answer = one(&mut solo, "SIP/2.0 200");
        assert_eq!(header(&answer, "Session-Expires"), Some("300;refresher=uac"));
    }
    // 300 s less 32 s (RFC 4028 section 10).
    solo.advance(secs(267));
    assert!(said(&mut solo).is_empty());
    solo.advance(secs(2));
    let bye = one(&mut solo, "BYE ");
    assert!(header(&bye, "Reason").is_some_and(|reason| reason.contains("cause=408")));
    assert!(ended(&mut solo, talk.call));
}

#[test]
fn who_refreshes_is_agreed_as_the_standard_says() {
    for (more, agreed, required) in [
        ("Supported: timer\r\nSession-Expires: 200\r\n", Some("200;refresher=uac"), true),
        ("Supported: timer\r\nx: 200;refresher=uas\r\n", Some("200;refresher=uas"), false),
        // A proxy asked for it, and the caller cannot.
        ("Session-Expires: 200\r\n", Some("200;refresher=uas"), false),
        ("Supported: timer\r\n", None, false),
        ("Session-Expires: 10\r\n", None, false),
        ("Supported: timer\r\nSession-Expires: nonsense\r\n", None, false),
    ] {
        let mut solo = tcp();
        let (_, answer) = taken(&mut solo, "in-1", more);
        assert_eq!(header(&answer, "Session-Expires"), agreed, "{more}");
        assert_eq!(header(&answer, "Require").is_some(), required, "{more}");
        solo.advance(secs(101));
        let ours = agreed.is_some_and(|agreed| agreed.ends_with("uas"));
        assert_eq!(!said(&mut solo).is_empty(), ours, "{more}");
    }
}

#[test]
fn what_is_too_brief_is_refused_and_refusals_are_heeded() {
    let brief = "Supported: timer\r\nSession-Expires: 60\r\n";
    let mut solo = tcp();
    solo.request("INVITE", 1, "x", ("b", ""), brief, SDP);
    let refusal = solo.take("SIP/2.0 422");
    assert_eq!(header(&refusal, "Min-SE"), Some("90"));
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    talk.say(&mut solo, "UPDATE", brief, "");
    solo.take("SIP/2.0 422");

    let mut solo = tcp();
    let (call, invite) = calling(&mut solo, "2002");
    let mut last = invite;
    for (told, cseq) in [(3600, "2 INVITE"), (7200, "3 INVITE"), (9000, "4 INVITE")] {
        solo.feed(&response(&last, "422 x", "p", &format!("Min-SE: {told}\r\n"), ""));
        let mut sent = solo.take_all();
        assert!(sent[0].starts_with("ACK "), "{sent:#?}");
        last = sent.remove(1);
        assert_eq!(header(&last, "CSeq"), Some(cseq));
        assert_eq!(header(&last, "Session-Expires"), Some(&*told.to_string()));
        assert_eq!(header(&last, "Min-SE"), Some(&*told.to_string()));
    }
    solo.feed(&response(&last, "422 x", "p", "Min-SE: 99999\r\n", ""));
    solo.take("ACK ");
    assert!(
        matches!(&solo.take_events()[..], [Event::Ended { call: c, end }] if *c == call && end.status == Some(422))
    );
}

#[test]
fn a_change_of_the_session_refreshes_it_too() {
    let mut solo = tcp();
    let more = format!("{UPDATES}Session-Expires: 600;refresher=uac\r\n");
    let talk = talking(&mut solo, "2002", "b", &more);
    solo.advance(secs(200));
    said(&mut solo);
    solo.ua.reinvite(talk.call, SDP.into(), solo.now);
    solo.drain();
    let invite = one(&mut solo, "INVITE ");
    assert_eq!(header(&invite, "Session-Expires"), Some("600;refresher=uac"));
    solo.feed(&response(&invite, "422 x", "", "Min-SE: 800\r\n", ""));
    solo.take("ACK ");
    solo.advance(Duration::from_millis(1));
    let invite = one(&mut solo, "INVITE ");
    assert_eq!(header(&invite, "Session-Expires"), Some("800;refresher=uac"));
    // They do not want it any more.
    solo.feed(&response(&invite, "200 OK", "", CONTACT, ANSWER));
    solo.take("ACK ");
    solo.take_events();
    solo.advance(secs(4000));
    assert!(!said(&mut solo).iter().any(|m| m.starts_with("UPDATE ") || m.starts_with("BYE ")));
}

#[test]
fn a_call_without_a_server_is_not_ended_by_its_timer() {
    let mut solo = tcp();
    let more = format!("{UPDATES}Session-Expires: 600;refresher=uas\r\n");
    let talk: Talk = talking(&mut solo, "2002", "b", &more);
    let flow = solo.flow;
    solo.ua.flow_failed(flow, offhook_model::Fault::Closed, solo.now);
    solo.drain();
    for _ in 0..10 {
        solo.advance(secs(100));
        let flow = solo.flow;
        solo.ua.flow_failed(flow, offhook_model::Fault::PortRefused, solo.now);
        solo.drain();
    }
    assert!(!solo.take_events().iter().any(|event| matches!(event, Event::Ended { .. })));
    let _ = (talk.call, Solo::new(account("x", Link::Tcp)));
}

#[test]
fn communications_manager_decides_about_timers() {
    let mut solo = Solo::registered(cucm_account());
    let (_, invite) = calling(&mut solo, "2002");
    assert_eq!(header(&invite, "Session-Expires"), None);
    let more = format!("{CONTACT}{UPDATES}Session-Expires: 600;refresher=uac\r\n");
    solo.feed(&response(&invite, "200 OK", "b", &more, ANSWER));
    solo.take("ACK ");
    solo.advance(secs(301));
    let sent = said(&mut solo);
    assert!(sent.iter().any(|message| message.starts_with("UPDATE ")), "{sent:#?}");
}
