//! What peers and servers do beside the plain call: delayed offers, forks, reliable provisional
//! responses, identities, lamps and requests out of the blue. The peer is played by hand.

mod support;

use offhook_model::{DialString, Link};
use offhook_sip::{By, Event, Identity, SipCall};
use support::{
    SDP, Solo, account, between, body, cucm_account, first_line, header, headers, response, secs,
};

const ANSWER: &str = "v=0\r\no=- 2 1 IN IP4 10.0.0.2\r\ns=-\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";
const CONTACT: &str = "Contact: <sip:bob@10.0.0.9:5060>\r\n";

fn tcp() -> Solo {
    Solo::registered(account("alice", Link::Tcp))
}

/// Our call, up to the INVITE.
fn calling(solo: &mut Solo) -> (SipCall, String) {
    let call = solo.ua.invite(&DialString::Number("2002".into()), SDP.into(), solo.now);
    solo.drain();
    let invite = solo.take("INVITE ");
    assert_eq!(body(&invite), SDP);
    (call, invite)
}

/// Our call, up.
fn talking(solo: &mut Solo) -> (SipCall, String) {
    let (call, invite) = calling(solo);
    solo.feed(&response(&invite, "200 OK", "b", CONTACT, ANSWER));
    solo.take("ACK sip:bob@10.0.0.9:5060 ");
    solo.take_events();
    (call, invite)
}

/// A call of theirs, up; the 200 comes back.
fn taken(solo: &mut Solo, offer: &str) -> (SipCall, String) {
    solo.request("INVITE", 10, "in-1", ("b", ""), "", offer);
    solo.take("SIP/2.0 100");
    let call = match &solo.take_events()[..] {
        [Event::Incoming { call, .. }] => *call,
        other => panic!("{other:?}"),
    };
    solo.ua.answer(call, SDP.into(), solo.now);
    solo.drain();
    (call, solo.take("SIP/2.0 200"))
}

fn tags(answer: &str) -> (String, String) {
    let tag = |name| between(header(answer, name).unwrap_or(""), ";tag=", ';').to_owned();
    (tag("From"), tag("To"))
}

#[test]
fn what_is_dialled_becomes_a_uri() {
    let check = |account, text: &str, uri: &str| {
        let mut solo = Solo::registered(account);
        solo.ua.invite(&text.parse().expect("dial string"), SDP.into(), solo.now);
        solo.drain();
        assert_eq!(first_line(&solo.take("INVITE ")), format!("INVITE {uri} SIP/2.0"));
    };
    let standard = || account("alice", Link::Tcp);
    check(standard(), "+49 30 5550", "sip:+49305550@example.test;user=phone");
    check(standard(), "*81#", "sip:*81%23@example.test");
    check(standard(), "bob", "sip:bob@example.test");
    check(standard(), "bob@other.test", "sip:bob@other.test");
    check(cucm_account(), "2002", "sip:2002@10.0.0.9;user=phone");
}

#[test]
fn a_delayed_offer_is_answered_in_the_ack() {
    let mut solo = tcp();
    let (call, answer) = taken(&mut solo, "");
    assert_eq!(body(&answer), SDP, "our offer");
    solo.ack(&answer, ANSWER);
    assert_eq!(solo.take_events(), [Event::Confirmed { call, sdp: Some(ANSWER.into()) }]);
    let (from, to) = tags(&answer);
    solo.request("INVITE", 11, "in-1", (&from, &to), "", "");
    assert_eq!(solo.take_events(), [Event::Offer { call, sdp: None }]);
    solo.ua.accept_offer(call, SDP.into(), solo.now);
    solo.drain();
    let answer = solo.take("SIP/2.0 200");
    solo.ack(&answer, ANSWER);
    assert_eq!(solo.take_events(), [Event::Confirmed { call, sdp: Some(ANSWER.into()) }]);
}

#[test]
fn our_2xx_is_repeated_until_its_ack_and_given_up_with_bye() {
    let mut solo = tcp();
    let (call, answer) = taken(&mut solo, SDP);
    solo.advance(secs(4));
    assert_eq!(solo.take_all(), vec![answer.clone(); 3], "after 0.5, 1.5 and 3.5 s");
    solo.ack(&answer, "");
    solo.advance(secs(60));
    assert_eq!(
        (solo.take_all().len(), solo.take_events()),
        (0, vec![Event::Confirmed { call, sdp: None }])
    );
    let mut solo = tcp();
    taken(&mut solo, SDP);
    solo.advance(secs(33));
    assert!(solo.take_all().last().is_some_and(|last| last.starts_with("BYE ")));
    assert!(matches!(&solo.take_events()[..], [Event::Ended { end, .. }] if end.by == By::Network));
}

#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    let mut solo = tcp();
    let (call, answer) = taken(&mut solo, SDP);
    solo.ua.hang_up(call, solo.now);
    solo.drain();
    assert!(solo.sent.is_empty());
    solo.ack(&answer, "");
    solo.take("BYE sip:bob@10.0.0.9:5060 ");
}

#[test]
fn the_first_fork_wins_and_others_are_hung_up() {
    let mut solo = tcp();
    let (call, invite) = calling(&mut solo);
    for tag in ["a", "b"] {
        solo.feed(&response(&invite, "180 Ringing", tag, CONTACT, ""));
    }
    solo.feed(&response(&invite, "200 OK", "b", CONTACT, ANSWER));
    let ack = solo.take("ACK ");
    assert!(header(&ack, "To").is_some_and(|to| to.ends_with(";tag=b")));
    solo.feed(&response(&invite, "200 OK", "a", CONTACT, ANSWER));
    let sent = solo.take_all();
    let kinds: Vec<_> = sent
        .iter()
        .map(|m| {
            (m.split(' ').next().unwrap_or(""), header(m, "To").unwrap_or("").ends_with(";tag=a"))
        })
        .collect();
    assert_eq!(kinds, [("ACK", true), ("BYE", true)]);
    solo.feed(&response(&invite, "200 OK", "b", CONTACT, ANSWER));
    assert_eq!(solo.take("ACK "), ack, "a repeated 2xx gets the same ACK");
    let events = solo.take_events();
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event, Event::Answered { call: c, .. } if *c == call))
            .count(),
        1
    );
}

#[test]
fn a_reliable_ringing_is_acknowledged_once() {
    let mut solo = tcp();
    let (_, invite) = calling(&mut solo);
    let more = format!(
        "{CONTACT}Require: 100rel\r\nRSeq: 9021\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
    );
    let ringing = response(&invite, "180 Ringing", "b", &more, "");
    solo.feed(&ringing);
    let prack = solo.take("PRACK sip:bob@10.0.0.9:5060 ");
    assert_eq!(header(&prack, "RAck"), Some("9021 1 INVITE"));
    assert_eq!(header(&prack, "CSeq"), Some("2 PRACK"));
    assert_eq!(headers(&prack, "Route"), ["<sip:p2;lr>", "<sip:p1;lr>"]);
    solo.feed(&ringing);
    assert!(solo.sent.is_empty(), "a repetition");
    solo.feed(&response(&invite, "200 OK", "b", CONTACT, ANSWER));
    let ack = solo.take("ACK ");
    assert_eq!(header(&ack, "CSeq"), Some("1 ACK"));
}

#[test]
fn credentials_go_with_the_ack_and_a_second_refusal_ends_the_call() {
    let challenge = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
    let mut solo = tcp();
    let (call, invite) = calling(&mut solo);
    solo.feed(&response(&invite, "407 Proxy Authentication Required", "p", challenge, ""));
    let sent = solo.take_all();
    assert!(sent[0].starts_with("ACK ") && sent[1].starts_with("INVITE "));
    assert_eq!(header(&sent[1], "CSeq"), Some("2 INVITE"));
    solo.feed(&response(&sent[1], "200 OK", "b", CONTACT, ANSWER));
    let ack = solo.take("ACK ");
    assert_eq!(header(&ack, "Proxy-Authorization"), header(&sent[1], "Proxy-Authorization"));
    solo.ua.hang_up(call, solo.now);
    solo.drain();
    let bye = solo.take("BYE ");
    assert!(header(&bye, "Proxy-Authorization").is_some_and(|a| a.contains("nc=00000002")));
    assert_eq!(header(&bye, "CSeq"), Some("3 BYE"));

    let mut solo = tcp();
    let (_, invite) = calling(&mut solo);
    solo.feed(&response(&invite, "407 x", "p", challenge, ""));
    let again = solo.take_all().pop().expect("again");
    solo.feed(&response(&again, "407 x", "p", challenge, ""));
    assert!(
        matches!(&solo.take_events()[..], [Event::Ended { end, .. }] if end.status == Some(407))
    );
    assert!(solo.take_all().iter().all(|m| m.starts_with("ACK ")));
}

#[test]
fn a_call_that_was_hung_up_is_not_made_again_because_of_a_challenge() {
    let mut solo = tcp();
    let (call, invite) = calling(&mut solo);
    solo.ua.hang_up(call, solo.now);
    solo.drain();
    assert!(solo.sent.is_empty(), "no CANCEL before a provisional response");
    let challenge = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n";
    solo.feed(&response(&invite, "407 x", "p", challenge, ""));
    solo.take("ACK ");
    solo.advance(secs(60));
    assert!(solo.sent.is_empty());
}

#[test]
fn an_offer_that_meets_ours_is_told_to_wait() {
    let mut solo = tcp();
    let (call, invite) = talking(&mut solo);
    solo.ua.reinvite(call, SDP.into(), solo.now);
    solo.drain();
    let ours = solo.take("INVITE ");
    let call_id = header(&invite, "Call-ID").expect("call-id").to_owned();
    let local = between(header(&invite, "From").expect("from"), ";tag=", ';').to_owned();
    solo.request("INVITE", 5, &call_id, ("b", &local), "", ANSWER);
    solo.take("SIP/2.0 491");
    solo.feed(&response(&ours, "491 Request Pending", "b", "", ""));
    solo.take("ACK ");
    solo.advance(std::time::Duration::from_millis(2090));
    assert!(solo.sent.is_empty(), "the owner of the Call-ID waits longer");
    solo.advance(secs(2));
    solo.take("INVITE ");
    solo.request("UPDATE", 6, &call_id, ("b", &local), "", ANSWER);
    solo.take("SIP/2.0 491");
}

#[test]
fn an_update_changes_who_we_talk_to() {
    let mut solo = Solo::registered(cucm_account());
    let (call, invite) = calling(&mut solo);
    assert!(header(&invite, "Remote-Party-ID").is_some_and(|r| r.contains("party=calling")));
    assert!(header(&invite, "Session-ID").is_some_and(|s| s.len() == 32 + 8 + 32));
    assert_eq!(header(&invite, "CSeq"), Some("101 INVITE"));
    let session =
        "Session-ID: 0123456789abcdef0123456789abcdef;remote=00000000000000000000000000000000\r\n";
    let party = "Remote-Party-ID: \"Bob\" <sip:2002@10.0.0.9>;party=called;privacy=off\r\n";
    solo.feed(&response(&invite, "180 Ringing", "b", &format!("{CONTACT}{party}"), ""));
    let bob = Identity {
        number: "2002".into(),
        name: Some("Bob".into()),
        uri: "sip:2002@10.0.0.9".into(),
    };
    assert_eq!(
        solo.take_events(),
        [Event::Progress { call, status: 180, sdp: None, remote: Some(bob) }]
    );
    solo.feed(&response(&invite, "200 OK", "b", &format!("{CONTACT}{party}{session}"), ANSWER));
    solo.take("ACK ");
    assert_eq!(
        solo.take_events(),
        [Event::Answered { call, sdp: Some(ANSWER.into()), remote: None }],
        "no news"
    );
    let call_id = header(&invite, "Call-ID").expect("call-id").to_owned();
    let local = between(header(&invite, "From").expect("from"), ";tag=", ';').to_owned();
    let carol = "Remote-Party-ID: \"Carol\" <sip:2003@10.0.0.9;x-cisco-callback-number=912003>;privacy=off\r\n";
    solo.request("UPDATE", 5, &call_id, ("b", &local), carol, "");
    let answer = solo.take("SIP/2.0 200");
    assert!(
        header(&answer, "Session-ID")
            .is_some_and(|s| s.ends_with("remote=0123456789abcdef0123456789abcdef"))
    );
    assert!(
        matches!(&solo.take_events()[..], [Event::RemoteIdentity { remote, .. }] if remote.number == "912003" && remote.name.as_deref() == Some("Carol"))
    );
    solo.request("UPDATE", 6, &call_id, ("b", &local), carol, "");
    solo.take("SIP/2.0 200");
    assert!(solo.take_events().is_empty(), "no news");
}

#[test]
fn a_cancel_says_whether_somebody_else_took_the_call() {
    for (reason, elsewhere) in
        [("", false), ("Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n", true)]
    {
        let mut solo = tcp();
        let invite = solo.request("INVITE", 10, "in-1", ("b", ""), "", SDP);
        solo.take("SIP/2.0 100");
        solo.take_events();
        let cancel =
            invite.replace("INVITE", "CANCEL").replace("Content-Type: application/sdp\r\n", reason);
        let cancel = format!("{}\r\n\r\n", cancel.split("\r\n\r\n").next().expect("head"))
            .replace(&format!("Content-Length: {}", SDP.len()), "Content-Length: 0");
        solo.feed(&cancel);
        let sent = solo.take_all();
        assert!(
            sent[0].starts_with("SIP/2.0 200") && sent[1].starts_with("SIP/2.0 487"),
            "{sent:?}"
        );
        assert!(
            matches!(&solo.take_events()[..], [Event::Ended { end, .. }] if end.cancelled_elsewhere == elsewhere && end.by == By::Them)
        );
    }
}

#[test]
fn the_lamp_comes_on_in_both_ways() {
    let mut solo = Solo::registered(cucm_account());
    let bulk = "<x-cisco-remotecc-request><bulkupdate><contact all=\"true\"><mwi>yes</mwi></contact></bulkupdate></x-cisco-remotecc-request>";
    let refer = format!(
        "REFER sip:guid-1@10.0.0.1:40000 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9:5060;branch=z9hG4bKr\r\nFrom: <sip:10.0.0.9>;tag=s\r\n\
         To: <sip:2001@10.0.0.9>\r\nCall-ID: r1\r\nCSeq: 101 REFER\r\nRequire: norefersub\r\nRefer-To: cid:1\r\n\
         Content-Type: application/x-cisco-remotecc-request+xml\r\nContent-Length: {}\r\n\r\n{bulk}",
        bulk.len()
    );
    solo.feed(&refer);
    solo.take("SIP/2.0 202");
    assert_eq!(solo.take_events(), [Event::MessageWaiting(waiting(true))]);
    let mut solo = tcp();
    let notify = "NOTIFY sip:alice@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bKm\r\nFrom: <sip:vm@x>;tag=1\r\n\
        To: <sip:alice@x>;tag=unknown\r\nCall-ID: m\r\nCSeq: 12 NOTIFY\r\nEvent: message-summary\r\n\
        Content-Type: application/simple-message-summary\r\nContent-Length: 22\r\n\r\nMessages-Waiting: no\r\n";
    solo.feed(notify);
    solo.take("SIP/2.0 200");
    assert_eq!(solo.take_events(), [Event::MessageWaiting(waiting(false))]);
}

#[test]
fn requests_out_of_the_blue_are_answered_sensibly() {
    let check = |method: &str, more: &str, status: &str| {
        let mut solo = tcp();
        solo.request(method, 1, "x", ("b", ""), more, "");
        let answer = solo.take(&format!("SIP/2.0 {status}"));
        assert!(header(&answer, "To").is_some_and(|to| to.contains(";tag=")), "{method}");
        assert!(solo.events.is_empty(), "{method}");
        answer
    };
    assert!(header(&check("OPTIONS", "", "200"), "Allow").is_some_and(|a| a.contains("INVITE")));
    assert_eq!(
        header(&check("INVITE", "Require: 100rel, other, more\r\n", "420"), "Unsupported"),
        Some("other, more")
    );
    check("BYE", "", "481");
    check("MESSAGE", "", "405");
    check("REFER", "Refer-To: <sip:x@y?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n", "403");
    check("SUBSCRIBE", "Event: presence\r\n", "489");
    check("NOTIFY", "Event: presence\r\n", "489");
    check("WHATEVER", "", "501");
    let mut solo = tcp();
    solo.request("BYE", 1, "x", ("b", "unknown"), "", "");
    solo.take("SIP/2.0 481");
    solo.request("ACK", 1, "x", ("b", "unknown"), "", "");
    assert!(solo.sent.is_empty());
}

#[test]
fn service_control_is_believed_only_from_our_registrar() {
    let mut solo = Solo::registered(cucm_account());
    let notify = |id: &str, branch: u8| {
        let text = format!("action=restart\r\nRegisterCallId={{{id}}}\r\n");
        format!(
            "NOTIFY sip:guid-1@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bKsc{branch}\r\nFrom: <sip:10.0.0.9>;tag=1\r\n\
            To: <sip:2001@x>\r\nCall-ID: sc\r\nCSeq: 1 NOTIFY\r\nEvent: service-control\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        )
    };
    solo.feed(&notify("somebody-else", 1));
    solo.take("SIP/2.0 400");
}

#[test]
fn requests_in_a_call_keep_their_order() {
    let mut solo = tcp();
    let (call, answer) = taken(&mut solo, SDP);
    solo.ack(&answer, "");
    solo.take_events();
    let (from, to) = tags(&answer);
    for (method, cseq, status) in [
        ("INFO", 12, "200"),
        ("INFO", 11, "500"),
        ("OPTIONS", 13, "200"),
        ("NOTIFY", 14, "489"),
        ("REFER", 15, "400"),
    ] {
        solo.request(method, cseq, "in-1", (&from, &to), "", "");
        solo.take(&format!("SIP/2.0 {status}"));
    }
    solo.request("BYE", 16, "in-1", (&from, &to), "Reason: Q.850;cause=16;text=\"Normal\"\r\n", "");
    solo.take("SIP/2.0 200");
    assert!(
        matches!(&solo.take_events()[..], [Event::Ended { call: c, end }] if *c == call && end.text == "Normal" && end.by == By::Them)
    );
}

#[test]
fn the_same_call_by_two_ways_is_taken_once() {
    let mut solo = tcp();
    solo.request("INVITE", 10, "in-1", ("b", ""), "", SDP);
    solo.take("SIP/2.0 100");
    solo.request("INVITE", 10, "in-1", ("b", ""), "", SDP);
    solo.take("SIP/2.0 482");
    assert_eq!(solo.take_events().len(), 1);
}

#[test]
fn without_a_flow_a_call_ends_at_once() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.ua.invite(&DialString::Number("1".into()), SDP.into(), solo.now);
    solo.drain();
    assert!(matches!(&solo.take_events()[..], [Event::Ended { end, .. }] if end.by == By::Network));
}

#[test]
fn a_flood_of_calls_is_bounded() {
    let mut solo = tcp();
    for number in 0..100 {
        solo.request("INVITE", 1, &format!("flood-{number}"), ("b", ""), "", SDP);
    }
    let busy = solo.take_all().iter().filter(|m| m.starts_with("SIP/2.0 486")).count();
    assert_eq!(busy, 36);
}

fn waiting(waiting: bool) -> offhook_model::MessagesWaiting {
    offhook_model::MessagesWaiting { waiting, new: None, old: None }
}
