//! Replays the fuzzing corpus and inputs made from it, and lets proptest try.

mod support;

use std::path::Path;

use offhook_model::{DialString, Link};
use offhook_sip::{Event, fuzzing};
use offhook_testkit::corpus::replay;
use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use proptest::test_runner::Config;

fn check(folder: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    assert!(replay(&folder, 2000, 0x5eed, target) > 0);
}

#[test]
fn messages_survive_mutation() {
    check("corpus/message", fuzzing::message::fuzz);
    check("tests/fixtures/corpus", fuzzing::message::fuzz);
    check("tests/fixtures/rfc4475", fuzzing::message::fuzz);
}

#[test]
fn bodies_survive_mutation() {
    check("corpus/body", fuzzing::body::fuzz);
}

#[test]
fn what_is_said_in_calls_survives_mutation() {
    check("corpus/talk", fuzzing::talk::fuzz);
}

#[test]
fn streams_survive_mutation() {
    check("corpus/framing", fuzzing::framing::fuzz);
}

#[test]
fn uris_survive_mutation() {
    check("corpus/uri", fuzzing::uri::fuzz);
}

#[test]
fn bodies_of_several_parts_survive_mutation() {
    check("corpus/multipart", fuzzing::multipart::fuzz);
}

#[test]
fn operations_survive_mutation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/operations");
    let run = |data: &[u8]| fuzzing::operations::fuzz(data, support::start_of_time());
    assert!(replay(&folder, 700, 0x5eed, run) > 0);
}

/// A user agent with a call of ours that rings and one of theirs that is up, and a message in
/// which marks stand for what belongs to them.
fn disturb(data: &[u8]) {
    use support::{SDP, Solo, account, between, header, secs};
    let mut solo = Solo::registered(account("alice", Link::Udp));
    let ours = solo.ua.invite(&DialString::Number("2002".into()), SDP.into(), solo.now);
    solo.drain();
    let invite = solo.take("INVITE ");
    solo.request("INVITE", 10, "in-1", ("b", ""), "", SDP);
    let theirs = solo.take_events().into_iter().find_map(|event| match event {
        Event::Incoming { call, .. } => Some(call),
        _ => None,
    });
    let theirs = theirs.expect("incoming");
    solo.ua.answer(theirs, SDP.into(), solo.now);
    solo.drain();
    let answer = solo.take_all().pop().expect("answer");
    solo.ack(&answer, "");
    let get = |message, name| header(message, name).unwrap_or("");
    let text = String::from_utf8_lossy(data)
        .replace("@VIA@", get(&invite, "Via"))
        .replace("@FROM@", get(&invite, "From"))
        .replace("@ID@", get(&invite, "Call-ID"))
        .replace("@TAG@", between(get(&answer, "To"), ";tag=", ';'));
    for _ in 0..2 {
        solo.feed(&text);
    }
    solo.ua.accept_offer(theirs, SDP.into(), solo.now);
    solo.ua.reinvite(theirs, SDP.into(), solo.now);
    solo.ua.hang_up(ours, solo.now);
    solo.drain();
    solo.feed(&text);
    solo.advance(secs(70));
    solo.ua.stop(solo.now);
    solo.drain();
    solo.advance(secs(3));
    assert!(solo.stopped);
}

#[test]
fn a_user_agent_survives_mutated_messages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/agent");
    assert!(replay(&folder, 600, 0x5eed, disturb) > 0);
}

proptest! {
    #![proptest_config(Config { cases: 256, failure_persistence: None, ..Config::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzzing::message::fuzz(&bytes);
        fuzzing::framing::fuzz(&bytes);
        fuzzing::uri::fuzz(&bytes);
        fuzzing::multipart::fuzz(&bytes);
    }

    #[test]
    fn arbitrary_operations_keep_their_promises(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        fuzzing::operations::fuzz(&bytes, support::start_of_time());
    }

    #[test]
    fn what_is_written_is_read_back(
        user in "[a-zA-Z0-9 #*+é]{1,20}",
        name in "[ -~]{0,30}",
        value in "[ -~]{0,60}",
        body in prop::collection::vec(any::<u8>(), 0..200),
        cseq in 0u32..1 << 31,
    ) {
        use offhook_sip::message::{Method, Name, Request, parse, text::quote, uri::escape_user};
        let uri = format!("sip:{}@example.test", escape_user(&user));
        let mut request = Request::new(Method::Info, uri.clone(), cseq);
        request.push(Name::From, format!("{} <{uri}>;tag=t", quote(&name)));
        request.push(Name::Subject, &value);
        request.body("application/octet-stream", body.clone());
        let message = parse(&request.write("SIP/2.0/UDP h;branch=z9hG4bKx")).expect("readable");
        prop_assert_eq!(message.request_uri(), &uri);
        let from = message.party(Name::From).expect("from");
        prop_assert_eq!(from.uri().expect("uri").user_text().expect("user").into_owned(), user);
        let wanted = if name.trim().is_empty() { String::new() } else { name };
        prop_assert_eq!(from.name().unwrap_or_default().into_owned(), wanted);
        prop_assert_eq!(message.header(Name::Subject).unwrap_or(""), value.trim());
        prop_assert_eq!(message.cseq().expect("cseq").number, cseq);
        prop_assert_eq!(message.body(), &body[..]);
    }
}
