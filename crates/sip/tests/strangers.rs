//! Requests that are broken, meant for somebody else, or never end.

mod support;

use offhook_model::{Fault, Link};
use offhook_sip::Event;
use support::{SDP, Solo, account, cucm_account, first_line, header, secs};

fn request(method: &str, uri: &str, to: &str, more: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{method}{}\r\n\
         From: <sip:bob@example.test>;tag=b\r\nTo: {to}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n\
         Max-Forwards: 70\r\n{more}Content-Length: 0\r\n\r\n",
        uri.len()
    )
}

fn answer(solo: &mut Solo, text: &str) -> String {
    solo.feed(text);
    let answers = solo.take_all();
    answers.first().map_or(String::new(), |answer| first_line(answer).to_owned())
}

#[test]
fn requests_for_somebody_else_are_not_found() {
    let mut solo = Solo::registered(account("alice", Link::Udp));
    let mut asked = |method: &str, uri: &str| {
        let text = request(method, uri, "<sip:alice@example.test>", "");
        answer(&mut solo, &text)
    };
    for method in ["INVITE", "OPTIONS", "NOTIFY", "BYE"] {
        assert_eq!(asked(method, "sip:carol@10.0.0.1:40000"), "SIP/2.0 404 Not Found", "{method}");
    }
    assert_eq!(asked("OPTIONS", "sip:Alice@example.test"), "SIP/2.0 200 OK");
    assert_eq!(asked("OPTIONS", "sip:alice;phone-context=x@10.0.0.1"), "SIP/2.0 200 OK");
    assert_eq!(asked("OPTIONS", "sip:10.0.0.1:40000"), "SIP/2.0 200 OK");
    assert_eq!(asked("REGISTER", "sip:example.test"), "SIP/2.0 405 Method Not Allowed");
    assert_eq!(asked("DANCE", "sip:carol@example.test"), "SIP/2.0 501 Not Implemented");
    assert!(solo.take_events().is_empty());
}

#[test]
fn a_call_manager_names_the_line_or_its_contact() {
    let mut solo = Solo::registered(cucm_account());
    for (user, wanted) in [("2001", "200 OK"), ("guid-1", "200 OK"), ("2002", "404 Not Found")] {
        let uri = format!("sip:{user}@10.0.0.1:40000;transport=tcp");
        let text = request("OPTIONS", &uri, "<sip:2001@10.0.0.9>", "");
        assert_eq!(answer(&mut solo, &text), format!("SIP/2.0 {wanted}"), "{user}");
    }
}

#[test]
fn what_cannot_be_understood_is_refused_with_what_it_has() {
    let mut solo = Solo::registered(account("alice", Link::Udp));
    let good = request("OPTIONS", "sip:alice@10.0.0.1", "<sip:alice@example.test>", "");
    let broken = good.replace("Call-ID: c\r\n", "").replace("To: <", "To: \"<");
    solo.feed(&broken);
    let refusal = solo.take("SIP/2.0 400 ");
    assert_eq!(header(&refusal, "Call-ID"), None);
    assert_eq!(header(&refusal, "CSeq"), Some("1 OPTIONS"));
    assert_eq!(header(&refusal, "Via"), header(&good, "Via"));
    let short = good.replace("Content-Length: 0", "Content-Length: 1");
    assert_eq!(answer(&mut solo, &short), "SIP/2.0 400 Bad Request");
    // Nobody answers an ACK, or a response.
    assert_eq!(answer(&mut solo, &broken.replace("OPTIONS", "ACK")), "");
    assert_eq!(
        answer(
            &mut solo,
            &short.replacen("OPTIONS sip:alice@10.0.0.1 SIP/2.0", "SIP/2.0 200 OK", 1)
        ),
        ""
    );
    assert_eq!(answer(&mut solo, "no message\r\n\r\n"), "");
}

#[test]
fn who_cannot_read_our_answer_is_told_so() {
    let mut solo = Solo::registered(account("alice", Link::Udp));
    solo.request("INVITE", 1, "i1", ("b", ""), "Accept: text/plain\r\n", SDP);
    solo.take("SIP/2.0 406 ");
    solo.request("INVITE", 1, "i2", ("b", ""), "Accept: text/plain, application/*;q=0.5\r\n", SDP);
    solo.take("SIP/2.0 100 ");
}

#[test]
fn a_stream_that_cannot_be_cut_is_answered_and_closed() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    let good = request("OPTIONS", "sip:alice@10.0.0.1", "<sip:alice@example.test>", "");
    solo.feed(&good.replace("Content-Length: 0", "Content-Length: -1"));
    let refusal = solo.take_all().into_iter().next().expect("an answer");
    assert!(refusal.starts_with("SIP/2.0 400 "), "{refusal}");
    assert_eq!(solo.closed.len(), 1);
}

#[test]
fn a_message_without_end_does_not_swallow_the_next_ones_for_ever() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    let good = request("OPTIONS", "sip:alice@10.0.0.1", "<sip:alice@example.test>", "");
    // A message may come in pieces.
    solo.feed(&good[..50]);
    solo.advance(secs(20));
    solo.feed(&good[50..]);
    solo.take("SIP/2.0 200 ");
    solo.advance(secs(40));
    assert!(solo.closed.is_empty(), "it came whole");
    solo.feed(&good.replace("Content-Length: 0", "Content-Length: 9999"));
    solo.advance(secs(20));
    solo.feed(&good);
    assert_eq!(solo.take_all(), Vec::<String>::new());
    solo.advance(secs(13));
    assert_eq!(solo.closed.len(), 1);
    let failed = solo.take_events().into_iter().any(|event| {
        matches!(event, Event::RegistrationFailed { fault: Fault::AnswerTimeout, .. })
    });
    assert!(failed);
}
