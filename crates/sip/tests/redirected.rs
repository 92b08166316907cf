//! Calls that are sent elsewhere (RFC 3261 section 8.1.3.4) and calls that nobody answers.

mod support;

use offhook_model::{DialString, Link};
use offhook_sip::{By, End, Event, SipCall};
use support::{SDP, Solo, account, first_line, header, response, secs};

fn dialled(to: &str) -> (Solo, SipCall, String) {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    let call = solo.ua.invite(&DialString::Address(to.into()), SDP.into(), solo.now);
    solo.drain();
    let invite = solo.take("INVITE ");
    (solo, call, invite)
}

/// Answers an INVITE with 302 and these Contacts; what we send then but the ACK.
fn send_on(solo: &mut Solo, invite: &str, status: &str, contacts: &str) -> Option<String> {
    let contact = format!("Contact: {contacts}\r\n");
    solo.feed(&response(invite, status, "b", &contact, ""));
    let mut sent = solo.take_all();
    assert!(sent.remove(0).starts_with("ACK "));
    sent.pop()
}

fn ended(solo: &mut Solo) -> Option<End> {
    solo.take_events().into_iter().find_map(|event| match event {
        Event::Ended { end, .. } => Some(end),
        _ => None,
    })
}

#[test]
fn a_call_follows_the_person_within_the_domain() {
    let (mut solo, call, invite) = dialled("bob@example.test");
    let next = send_on(
        &mut solo,
        &invite,
        "302 Moved Temporarily",
        "<sip:desk@example.test>;q=0.3, \"Mobile\" <sip:mobile@example.test?Subject=x>;q=0.9",
    );
    let next = next.expect("called there");
    assert_eq!(first_line(&next), "INVITE sip:mobile@example.test SIP/2.0");
    assert!(!next.contains("Subject"), "{next}");
    for name in ["To", "From", "Call-ID"] {
        assert_eq!(header(&next, name), header(&invite, name), "{name}");
    }
    assert_eq!(header(&next, "CSeq"), Some("2 INVITE"));
    let shown = solo.take_events().into_iter().any(|event| match event {
        Event::RemoteIdentity { remote, .. } => remote.name.as_deref() == Some("Mobile"),
        _ => false,
    });
    assert!(shown, "who is called now is told");
    // Busy there: the desk, which is the last.
    solo.feed(&response(&next, "486 Busy Here", "m", "", ""));
    let sent = solo.take_all();
    let desk = sent.iter().find(|it| it.starts_with("INVITE sip:desk@")).expect("the desk");
    solo.feed(&response(desk, "200 OK", "d", "Contact: <sip:desk@10.0.0.8>\r\n", SDP));
    solo.take("ACK sip:desk@10.0.0.8 ");
    assert!(solo.take_events().iter().any(|event| {
        matches!(event, Event::Answered { call: answered, .. } if *answered == call)
    }));
}

#[test]
fn nobody_sends_us_to_another_domain_or_kind_of_address() {
    for contact in [
        "<sip:bob@elsewhere.test>",
        "<tel:+19005551234>",
        "<sips:bob@example.test>",
        "<http://example.test/bob>",
        "<sip:example.test>",
        "<sip:bob@example.test>",
        "<mailto:bob@example.test>",
    ] {
        let (mut solo, _, invite) = dialled("bob@example.test");
        let next = send_on(&mut solo, &invite, "301 Moved Permanently", contact);
        assert_eq!(next, None, "{contact}");
        let end = ended(&mut solo).expect("over");
        assert_eq!((end.by, end.status), (By::Them, Some(301)), "{contact}");
    }
    for status in ["305 Use Proxy", "380 Alternative Service"] {
        let (mut solo, _, invite) = dialled("bob@example.test");
        assert_eq!(send_on(&mut solo, &invite, status, "<sip:carol@example.test>"), None);
    }
}

#[test]
fn two_who_send_a_call_to_each_other_end_it() {
    let (mut solo, _, mut invite) = dialled("a@example.test");
    let next = send_on(&mut solo, &invite, "302 Moved", "<sip:b@example.test>").expect("to b");
    assert_eq!(send_on(&mut solo, &next, "302 Moved", "<sip:a@example.test>"), None);
    assert!(ended(&mut solo).is_some());

    (solo, _, invite) = dialled("p0@example.test");
    let mut sent_on = 0;
    while let Some(next) =
        send_on(&mut solo, &invite, "302 Moved", &format!("<sip:p{}@example.test>", sent_on + 1))
    {
        invite = next;
        sent_on += 1;
        assert!(sent_on < 10, "without end");
    }
    assert_eq!(sent_on, 5);
    assert!(ended(&mut solo).is_some());
}

#[test]
fn a_call_that_was_hung_up_is_sent_nowhere() {
    let (mut solo, call, invite) = dialled("bob@example.test");
    solo.ua.hang_up(call, solo.now);
    solo.drain();
    assert_eq!(send_on(&mut solo, &invite, "302 Moved", "<sip:c@example.test>"), None);
}

#[test]
fn it_does_not_ring_there_for_ever() {
    let (mut solo, _, invite) = dialled("bob@example.test");
    solo.feed(&response(&invite, "180 Ringing", "b", "", ""));
    solo.advance(secs(179));
    assert!(ended(&mut solo).is_none());
    solo.advance(secs(2));
    let end = ended(&mut solo).expect("over");
    assert_eq!((end.by, end.status), (By::Them, Some(408)));
    let mut sent = solo.take_all();
    sent.retain(|it| !it.trim().is_empty());
    let cancel = sent.pop().expect("one");
    assert!(cancel.starts_with("CANCEL ") && sent.is_empty(), "{cancel}");
    solo.feed(&response(&cancel, "200 OK", "b", "", ""));
    solo.feed(&response(&invite, "487 Request Terminated", "b", "", ""));
    solo.take("ACK ");
    solo.advance(secs(60));
    assert!(solo.take_all().iter().all(|it| it.trim().is_empty()));
}

#[test]
fn an_announcement_is_heard_for_as_long_as_somebody_listens() {
    let (mut solo, call, invite) = dialled("bob@example.test");
    solo.feed(&response(&invite, "183 Session Progress", "b", "", SDP));
    solo.advance(secs(1200));
    assert!(ended(&mut solo).is_none());
    solo.ua.hang_up(call, solo.now);
    solo.drain();
    assert!(solo.take_all().iter().any(|it| it.starts_with("CANCEL ")));
}

#[test]
fn it_does_not_ring_here_for_ever() {
    for (more, rings) in [("", 300), ("Expires: 20\r\n", 20), ("Expires: 99999\r\n", 300)] {
        let mut solo = Solo::registered(account("alice", Link::Tcp));
        solo.request("INVITE", 1, "c1", ("bob", ""), more, SDP);
        let Some(Event::Incoming { call, .. }) = solo.take_events().pop() else { panic!("a call") };
        solo.ua.ring(call, solo.now);
        solo.drain();
        solo.take_all();
        solo.advance(secs(rings - 1));
        assert!(ended(&mut solo).is_none(), "{more}");
        solo.advance(secs(2));
        assert_eq!(ended(&mut solo).expect("missed").by, By::Them);
        assert!(solo.take_all().iter().any(|it| it.starts_with("SIP/2.0 480 ")), "{more}");
    }
}

#[test]
fn names_that_the_registrar_tells_are_ours_too() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.start();
    solo.open();
    let request = solo.take("REGISTER ");
    let more =
        "P-Associated-URI: <sip:+4930123@example.test;user=phone>, <tel:+4930124>, junk<\r\n";
    solo.feed(&response(&request, "200 OK", "r", more, ""));
    for (user, status) in [("+4930123", 200), ("+4930124", 200), ("%2B4930124", 200), ("bob", 404)]
    {
        let text = format!(
            "OPTIONS sip:{user}@10.0.0.1:40000 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bK{user}\r\n\
             From: <sip:x@y>;tag=1\r\nTo: <sip:z@y>\r\nCall-ID: {user}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        solo.feed(&text);
        solo.take(&format!("SIP/2.0 {status} "));
    }
}
