//! What is said in a call beside its course: digits, keys, rosters, security and Session-ID. The
//! peer is played by hand.

mod support;

use offhook_sip::{CallInfo, Event};
use support::talk::{ANSWER, CONTACT, Talk, calling, ringing, tag, taken, talking, tcp, typed};
use support::{SDP, Solo, between, body, cucm_account, header, headers, response, secs};

/// The peer says something with a body of this type in the call; the answer and what else was sent
/// come back.
fn say(
    solo: &mut Solo,
    talk: &mut Talk,
    method: &str,
    more: &str,
    (kind, content): (&str, &str),
) -> Vec<String> {
    talk.cseq += 1;
    let kind = if content.is_empty() { String::new() } else { typed(kind) };
    solo.feed(&format!(
        "{method} sip:alice@10.0.0.1:40000 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9:5060;branch=z9hG4bKs{}\r\n\
         From: <sip:bob@example.test>;tag={}\r\nTo: <sip:alice@example.test>;tag={}\r\nCall-ID: {}\r\n\
         CSeq: {} {method}\r\nContact: <sip:bob@10.0.0.9:5060>\r\n{more}{kind}Content-Length: {}\r\n\r\n{content}",
        talk.cseq, talk.theirs, talk.ours, talk.id, talk.cseq, content.len()
    ));
    solo.take_all()
}

fn digits(solo: &mut Solo) -> String {
    let digit = |event| match event {
        Event::Digit { digit, .. } => digit,
        other => panic!("{other:?}"),
    };
    solo.take_events().into_iter().map(digit).collect()
}

#[test]
fn digits_come_by_info() {
    let mut solo = tcp();
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    for (kind, content, digit) in [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", "Signal= #\r\n", "#"),
        ("Application/DTMF", "*", "*"),
        ("application/dtmf", "11\r\n", "#"),
        ("application/dtmf-relay", "Signal=16\r\n", ""),
        ("application/dtmf-relay", "rubbish", ""),
    ] {
        let sent = say(&mut solo, &mut talk, "INFO", "", (kind, content));
        assert!(sent[0].starts_with("SIP/2.0 200"), "{content}");
        assert_eq!(digits(&mut solo), digit, "{content}");
    }
    let sent = say(&mut solo, &mut talk, "INFO", "", ("application/x-other", "x"));
    assert!(sent[0].starts_with("SIP/2.0 415"));
    assert!(header(&sent[0], "Accept").is_some_and(|types| types.contains("dtmf-relay")));
    let package = "Info-Package: somebodys\r\n";
    let sent = say(&mut solo, &mut talk, "INFO", package, ("text/plain", "x"));
    assert!(sent[0].starts_with("SIP/2.0 469"));
    assert_eq!(header(&sent[0], "Recv-Info"), Some(""));
    let sent = say(&mut solo, &mut talk, "INFO", "", ("", ""));
    assert!(sent[0].starts_with("SIP/2.0 200"), "an empty one asks whether we are there");
    assert!(solo.take_events().is_empty());
}

#[test]
fn digits_go_by_info_one_after_the_other() {
    let mut solo = tcp();
    let talk = talking(&mut solo, "2002", "b", "");
    for digit in "1#x".chars() {
        solo.ua.info_digit(talk.call, digit, solo.now);
    }
    solo.drain();
    let first = solo.take("INFO sip:bob@10.0.0.9:5060 ");
    assert_eq!(header(&first, "Content-Type"), Some("application/dtmf-relay"));
    assert_eq!(body(&first), "Signal=1\r\nDuration=160\r\n");
    // They know only the plain form: the same digit again.
    solo.feed(&response(&first, "415 x", "", "", ""));
    let again = solo.take("INFO ");
    assert_eq!(header(&again, "Content-Type"), Some("application/dtmf"));
    assert_eq!(body(&again), "1\r\n");
    solo.feed(&response(&again, "200 OK", "", "", ""));
    let second = solo.take("INFO ");
    assert_eq!(body(&second), "#\r\n");
    solo.feed(&response(&second, "200 OK", "", "", ""));
    assert!(solo.sent.is_empty(), "x is no digit");
    // Who takes none is not bothered with the rest.
    for digit in "12".chars() {
        solo.ua.info_digit(talk.call, digit, solo.now);
    }
    solo.drain();
    let refused = solo.take("INFO ");
    solo.feed(&response(&refused, "501 x", "", "", ""));
    assert!(solo.sent.is_empty());
}

const PATTERN: &str = "<?xml version=\"1.0\"?><kpml-request xmlns=\"urn:ietf:params:xml:ns:kpml-request\" version=\"1.0\">\
    <pattern persist=\"PERSIST\"><regex tag=\"dig&quot;its\">[x#*+]|bs</regex></pattern></kpml-request>";

/// They want to be told keys; the first NOTIFY comes back.
fn asked(solo: &mut Solo, talk: &mut Talk, persist: &str) -> String {
    let content = PATTERN.replace("PERSIST", persist);
    let more = "Event: kpml;leg=1\r\nExpires: 7200\r\n";
    let kind = "application/kpml-request+xml";
    let mut sent = say(solo, talk, "SUBSCRIBE", more, (kind, &content));
    assert!(sent[0].starts_with("SIP/2.0 200"), "{sent:#?}");
    assert_eq!(header(&sent[0], "Expires"), Some("7200"));
    sent.remove(1)
}

fn code(notify: &str) -> (&str, &str) {
    (between(body(notify), " code=\"", '"'), between(body(notify), " digits=\"", '"'))
}

#[test]
fn keys_are_told_to_who_asks_while_it_rings() {
    let mut solo = Solo::registered(cucm_account());
    let (call, invite) = calling(&mut solo, "0301");
    solo.feed(&response(&invite, "183 Session Progress", "b", CONTACT, ""));
    let mut talk = Talk {
        call,
        id: header(&invite, "Call-ID").expect("call-id").into(),
        theirs: "b".into(),
        ours: tag(&invite, "From"),
        cseq: 0,
    };
    assert!(!solo.ua.wants_keys(call));
    let first = asked(&mut solo, &mut talk, "persist");
    assert_eq!(header(&first, "Event"), Some("kpml;leg=1"));
    assert_eq!(header(&first, "Subscription-State"), Some("active;expires=7200"));
    assert_eq!(body(&first), "");
    solo.feed(&response(&first, "200 OK", "", "", ""));
    assert!(solo.ua.wants_keys(call));
    for digit in ['5', '#'] {
        solo.ua.info_digit(call, digit, solo.now);
        solo.drain();
        let notify = solo.take("NOTIFY sip:bob@10.0.0.9:5060 ");
        assert_eq!(code(&notify), ("200", &*digit.to_string()));
        assert!(body(&notify).contains("tag=\"dig&quot;its\""));
        solo.feed(&response(&notify, "200 OK", "", "", ""));
    }
    // Asked again though nothing was pressed; then it ends.
    let more = "Event: kpml;leg=1\r\nExpires: 60\r\n";
    let sent = say(&mut solo, &mut talk, "SUBSCRIBE", more, ("", ""));
    assert_eq!(code(&sent[1]), ("423", ""));
    let more = "Event: kpml;leg=1\r\nExpires: 0\r\n";
    let sent = say(&mut solo, &mut talk, "SUBSCRIBE", more, ("", ""));
    assert_eq!(code(&sent[1]), ("487", ""));
    assert_eq!(header(&sent[1], "Subscription-State"), Some("terminated;reason=timeout"));
    assert!(!solo.ua.wants_keys(call));
}

#[test]
fn subscriptions_to_keys_end_as_they_were_asked_to() {
    // After the first key.
    let mut solo = tcp();
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    asked(&mut solo, &mut talk, "one-shot");
    solo.ua.info_digit(talk.call, '1', solo.now);
    solo.drain();
    let last = solo.take("NOTIFY ");
    assert_eq!(header(&last, "Subscription-State"), Some("terminated;reason=noresource"));
    solo.ua.info_digit(talk.call, '2', solo.now);
    solo.drain();
    solo.take("INFO ");
    // After the first key until asked again.
    let mut solo = tcp();
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    asked(&mut solo, &mut talk, "single-notify");
    solo.ua.info_digit(talk.call, '1', solo.now);
    solo.drain();
    let notify = solo.take("NOTIFY ");
    assert_eq!(header(&notify, "Subscription-State"), Some("active;expires=7200"));
    assert!(!solo.ua.wants_keys(talk.call));
    say(&mut solo, &mut talk, "SUBSCRIBE", "Event: kpml\r\nExpires: 30\r\n", ("", ""));
    assert!(solo.ua.wants_keys(talk.call));
    // By time.
    solo.advance(secs(31));
    let sent = solo.take_all();
    let last = sent.iter().find(|message| message.starts_with("NOTIFY ")).expect("the end");
    assert_eq!(code(last), ("423", ""));
    // A document that cannot be read, one of another type, and another package.
    let kind = "application/kpml-request+xml";
    let sent = say(&mut solo, &mut talk, "SUBSCRIBE", "Event: kpml\r\n", (kind, "<no"));
    assert_eq!(code(&sent[1]), ("501", ""));
    let sent = say(&mut solo, &mut talk, "SUBSCRIBE", "Event: kpml\r\n", ("text/plain", "x"));
    assert!(sent[0].starts_with("SIP/2.0 415"));
    let sent = say(&mut solo, &mut talk, "SUBSCRIBE", "Event: dialog\r\n", ("", ""));
    assert!(sent[0].starts_with("SIP/2.0 489"));
}

const ROSTER: &str = "<conference-info entity=\"sip:c@x\" state=\"full\" version=\"1\"><users>\
    <user entity=\"sip:2001@x\"><display-text>Ann</display-text></user><user entity=\"sip:2002@x\"/></users></conference-info>";

#[test]
fn who_is_in_a_conference_is_told() {
    let conference = "application/conference-info+xml";
    for (method, more) in [
        ("INFO", "Info-Package: x-cisco-conference\r\n"),
        ("INFO", "Info-Package: conference;a=b\r\n"),
        ("INFO", ""),
        ("NOTIFY", "Event: conference\r\nSubscription-State: active\r\n"),
    ] {
        let mut solo = Solo::registered(cucm_account());
        let mut talk = talking(&mut solo, "2002", "b", "");
        let sent = say(&mut solo, &mut talk, method, more, (conference, ROSTER));
        assert!(sent[0].starts_with("SIP/2.0 200"), "{more}");
        match &solo.take_events()[..] {
            [Event::Roster { call, people }] => {
                assert_eq!((*call, people.len()), (talk.call, 2));
                assert_eq!(people[0].who.name.as_deref(), Some("Ann"));
                assert_eq!(people[1].who.number, "2002");
            }
            other => panic!("{other:?}"),
        }
        say(&mut solo, &mut talk, method, more, (conference, ROSTER));
        assert!(solo.take_events().is_empty(), "no news");
        let bomb = "<!DOCTYPE a [<!ENTITY b 'b'>]><conference-info>&b;</conference-info>";
        let sent = say(&mut solo, &mut talk, method, more, (conference, bomb));
        assert!(sent[0].starts_with("SIP/2.0 400"), "{more}");
    }
    // Not from somebody who is not in the call.
    let mut solo = tcp();
    let mut talk = talking(&mut solo, "2002", "b", "");
    talk.theirs = "guess".into();
    let sent = say(&mut solo, &mut talk, "INFO", "", (conference, ROSTER));
    assert!(sent[0].starts_with("SIP/2.0 481"));
    assert!(solo.take_events().is_empty());
}

fn infos(solo: &mut Solo) -> Vec<CallInfo> {
    let info = |event| match event {
        Event::CallInfo { info, .. } => Some(info),
        _ => None,
    };
    solo.take_events().into_iter().filter_map(info).collect()
}

#[test]
fn the_call_manager_tells_whether_the_way_is_encrypted() {
    let line = |security: &str| {
        format!(
            "Call-Info: <urn:x-cisco-remotecc:callinfo>; orientation=to; security={security}; isVoip\r\n"
        )
    };
    let mut solo = Solo::registered(cucm_account());
    let (call, invite) = calling(&mut solo, "2002");
    let more = format!("{CONTACT}{}", line("NotAuthenticated"));
    solo.feed(&response(&invite, "180 Ringing", "b", &more, ""));
    let told = |encrypted, conference| vec![CallInfo { encrypted, conference }];
    assert_eq!(infos(&mut solo), told(Some(false), false));
    let more = format!("{CONTACT}{}", line("Encrypted"));
    solo.feed(&response(&invite, "200 OK", "b", &more, ANSWER));
    assert_eq!(infos(&mut solo), told(Some(true), false));
    solo.take_all();
    let mut talk = Talk {
        call,
        id: header(&invite, "Call-ID").expect("call-id").into(),
        theirs: "b".into(),
        ours: tag(&invite, "From"),
        cseq: 0,
    };
    // The name is the escape code for a conference; it and the rest stay until told otherwise.
    let party = "Remote-Party-ID: \"\u{80}4\" <sip:9@x>;party=called;privacy=off\r\n";
    say(&mut solo, &mut talk, "UPDATE", party, ("", ""));
    assert_eq!(infos(&mut solo), told(Some(true), true));
    say(&mut solo, &mut talk, "UPDATE", "", ("", ""));
    assert_eq!(infos(&mut solo), []);
    let party = "Remote-Party-ID: \"Bob\" <sip:2002@x>;party=called;privacy=off\r\n";
    say(&mut solo, &mut talk, "UPDATE", &format!("{party}{}", line("Authenticated")), ("", ""));
    assert_eq!(infos(&mut solo), told(Some(false), false));
}

#[test]
fn a_standard_account_believes_the_focus_and_no_dialect() {
    let mut solo = tcp();
    let (_, invite) = calling(&mut solo, "2002");
    let more = "Contact: <sip:room@10.0.0.9:5060>;isfocus\r\n\
                Call-Info: <urn:x-cisco-remotecc:callinfo>;security=Encrypted\r\n";
    solo.feed(&response(&invite, "200 OK", "b", more, ANSWER));
    assert_eq!(infos(&mut solo), [CallInfo { encrypted: None, conference: true }]);
}

#[test]
fn everything_in_a_call_carries_both_halves_of_its_session() {
    let theirs = "0123456789ABCDEF0123456789abcdef";
    let known = "0123456789abcdef0123456789abcdef";
    let zeros = "0".repeat(32);
    let line = format!("Session-ID: {theirs};remote={zeros}\r\n");
    let halves = |message: &str| {
        let value = header(message, "Session-ID").expect("Session-ID").to_owned();
        let (own, remote) = value.split_once(";remote=").expect("two halves");
        (own.to_owned(), remote.to_owned())
    };
    // Ours.
    let mut solo = tcp();
    let (call, invite) = calling(&mut solo, "2002");
    let (own, remote) = halves(&invite);
    assert_eq!(remote, zeros);
    assert_eq!((own.len(), own.as_bytes()[12]), (32, b'4'), "a random UUID");
    let more = format!("{CONTACT}{line}");
    solo.feed(&response(&invite, "200 OK", "b", &more, ANSWER));
    let expected = (own, known.to_owned());
    assert_eq!(halves(&solo.take("ACK ")), expected);
    let mut talk = Talk {
        call,
        id: header(&invite, "Call-ID").expect("call-id").into(),
        theirs: "b".into(),
        ours: tag(&invite, "From"),
        cseq: 0,
    };
    for method in ["INFO", "UPDATE", "OPTIONS"] {
        let sent = say(&mut solo, &mut talk, method, &line, ("", ""));
        assert_eq!(halves(&sent[0]).1, known, "{method}");
    }
    // The far end changes behind a server, which shows in any request.
    let other = "f".repeat(32);
    say(&mut solo, &mut talk, "INFO", &format!("Session-ID: {other};remote=x\r\n"), ("", ""));
    solo.ua.hang_up(call, solo.now);
    solo.drain();
    assert_eq!(halves(&solo.take("BYE ")), (expected.0, other));
    // Theirs, in the older form too (RFC 7329), from the first response on.
    let mut solo = tcp();
    solo.request("INVITE", 1, "in-1", ("b", ""), &format!("Session-ID: {known}\r\n"), SDP);
    let trying = halves(&solo.take("SIP/2.0 100"));
    assert_eq!(trying.1, known);
    solo.take_events();
    let (other, _) = ringing(&mut solo, "in-2", "");
    solo.ua.reject(other.call, 486, solo.now);
    solo.drain();
    assert_eq!(halves(&solo.take("SIP/2.0 486")).1, zeros);
    // Refused before it was a call.
    let require = format!("Require: nothing\r\n{line}");
    solo.request("INVITE", 1, "in-3", ("b", ""), &require, SDP);
    assert_eq!(halves(&solo.take("SIP/2.0 420")).1, known);
}

#[test]
fn what_is_announced_is_what_is_answered() {
    let words = |value: Option<&str>| -> Vec<String> {
        value.unwrap_or("").split(',').map(|word| word.trim().to_owned()).collect()
    };
    for account in [support::account("alice", offhook_model::Link::Tcp), cucm_account()] {
        let mut solo = Solo::registered(account);
        let (_, invite) = calling(&mut solo, "2002");
        let mut talk = talking(&mut solo, "2003", "b", "");
        for tag in words(header(&invite, "Supported")) {
            let more = format!("Require: {tag}\r\n");
            let sent = say(&mut solo, &mut talk, "OPTIONS", &more, ("", ""));
            assert!(sent[0].starts_with("SIP/2.0 200"), "{tag}: {}", sent[0]);
        }
        for method in words(header(&invite, "Allow")) {
            if ["ACK", "CANCEL", "INVITE", "BYE"].contains(&&*method) {
                continue;
            }
            let sent = say(&mut solo, &mut talk, &method, "", ("", ""));
            assert!(
                !sent[0].starts_with("SIP/2.0 405") && !sent[0].starts_with("SIP/2.0 501"),
                "{method}: {}",
                sent[0]
            );
            solo.take_events();
        }
        for method in ["REGISTER", "PUBLISH", "MESSAGE"] {
            let sent = say(&mut solo, &mut talk, method, "", ("", ""));
            assert!(sent[0].starts_with("SIP/2.0 405"), "{method}: {}", sent[0]);
            assert!(!words(header(&invite, "Allow")).contains(&method.to_owned()));
        }
    }
    let mut solo = Solo::registered(cucm_account());
    let (_, invite) = calling(&mut solo, "2002");
    assert_eq!(headers(&invite, "Recv-Info"), ["conference", "x-cisco-conference"]);
}
