//! The flow as the way to us (RFC 5626) and the GRUU (RFC 5627).

mod support;

use offhook_model::{DialString, Fault, Link};
use offhook_ports::{PhoneAccount, PhoneUpkeep};
use offhook_sip::{Event, Output};
use support::{SDP, Solo, account, header, response, secs};

const INSTANCE: &str = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
const GRUU: &str = "sip:alice@example.test;gr=urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6";

fn device(link: Link) -> PhoneAccount {
    let upkeep = PhoneUpkeep { instance: Some(INSTANCE.into()), ..PhoneUpkeep::default() };
    PhoneAccount { upkeep, ..account("alice", link) }
}

/// The 200 to a REGISTER, with more parameters of our Contact and more headers.
fn accept(solo: &mut Solo, params: &str, more: &str) -> String {
    let request = solo.take("REGISTER ");
    let contact = header(&request, "Contact").expect("contact");
    let headers = format!("Contact: {contact};expires=3600{params}\r\n{more}");
    solo.feed(&response(&request, "200 OK", "r", &headers, ""));
    request
}

fn started(link: Link) -> Solo {
    let mut solo = Solo::new(device(link));
    solo.start();
    solo.open();
    solo
}

#[test]
fn a_device_registers_its_flow() {
    let mut solo = started(Link::Tcp);
    let request = accept(&mut solo, "", "Require: outbound\r\n");
    assert_eq!(header(&request, "Supported"), Some("gruu, outbound, path"));
    let contact = header(&request, "Contact").expect("contact");
    assert_eq!(
        contact,
        format!(
            "<sip:alice@10.0.0.1:40000;transport=tcp>;+sip.instance=\"<urn:uuid:{INSTANCE}>\";reg-id=1"
        )
    );
    // Without a GRUU the flow is asked for by name.
    solo.ua.invite(&DialString::Number("2002".into()), SDP.into(), solo.now);
    solo.drain();
    let invite = solo.take("INVITE ");
    assert_eq!(header(&invite, "Contact"), Some("<sip:alice@10.0.0.1:40000;transport=tcp;ob>"));
}

#[test]
fn a_registrar_that_says_nothing_gets_what_it_always_got() {
    let mut solo = started(Link::Tcp);
    accept(&mut solo, "", "");
    solo.ua.invite(&DialString::Number("2002".into()), SDP.into(), solo.now);
    solo.drain();
    let invite = solo.take("INVITE ");
    assert_eq!(header(&invite, "Contact"), Some("<sip:alice@10.0.0.1:40000;transport=tcp>"));
    // A server that does not answer pings loses nothing by it.
    solo.advance(secs(300));
    assert!(solo.ua.is_registered());
}

#[test]
fn the_name_that_the_registrar_gives_stands_in_dialogs() {
    let mut solo = started(Link::Tcp);
    let params = format!(";pub-gruu=\"{GRUU}\";temp-gruu=\"sip:tgruu.7hs==@example.test;gr\"");
    accept(&mut solo, &params, "");
    solo.ua.invite(&DialString::Number("2002".into()), SDP.into(), solo.now);
    solo.drain();
    let invite = solo.take("INVITE ");
    assert_eq!(header(&invite, "Contact"), Some(format!("<{GRUU}>").as_str()));
    // Registered is the address itself.
    solo.advance(secs(3595));
    let refresh = solo.take_all().into_iter().find(|it| it.starts_with("REGISTER ")).expect("one");
    assert!(header(&refresh, "Contact").is_some_and(|it| it.starts_with("<sip:alice@10.0.0.1:")));
}

#[test]
fn a_name_for_another_device_or_of_another_kind_is_not_taken() {
    for params in [
        ";pub-gruu=\"http://example.test/;gr=x\"",
        ";pub-gruu=\"sip:alice@example.test\"",
        ";pub-gruu=\"sip:alice@example.test;gr=x>, <sip:eve@example.test\"",
        ";pub-gruu=sip",
        ";pub-gruu",
    ] {
        let mut solo = started(Link::Tcp);
        accept(&mut solo, params, "");
        solo.ua.invite(&DialString::Number("2002".into()), SDP.into(), solo.now);
        solo.drain();
        let invite = solo.take("INVITE ");
        assert!(
            header(&invite, "Contact").is_some_and(|it| it.starts_with("<sip:alice@10.0.0.1:")),
            "{params}: {invite}"
        );
    }
    let mut solo = started(Link::Tcp);
    let request = solo.take("REGISTER ");
    let contact = header(&request, "Contact").expect("contact").to_owned();
    let other = "<sip:alice@10.0.0.7>;+sip.instance=\"<urn:uuid:other>\";expires=9;pub-gruu=\"sip:a@b;gr=o\"";
    let headers = format!("Contact: {other}, {contact};expires=60\r\n");
    solo.feed(&response(&request, "200 OK", "r", &headers, ""));
    solo.ua.invite(&DialString::Number("2002".into()), SDP.into(), solo.now);
    solo.drain();
    assert!(!solo.take("INVITE ").contains("gr=o"));
}

#[test]
fn a_first_hop_that_cannot_do_it_is_registered_with_plainly() {
    let mut solo = started(Link::Tcp);
    let request = solo.take("REGISTER ");
    solo.feed(&response(&request, "439 First Hop Lacks Outbound Support", "r", "", ""));
    let again = accept(&mut solo, "", "");
    let contact = header(&again, "Contact").expect("contact");
    assert!(contact.contains("+sip.instance=") && !contact.contains("reg-id"), "{contact}");
    assert_eq!(header(&again, "Supported"), Some("gruu"));
    assert!(solo.ua.is_registered());
}

#[test]
fn a_registrar_that_agreed_is_pinged_as_it_says_and_must_answer() {
    let mut solo = started(Link::Tcp);
    accept(&mut solo, "", "Require: outbound\r\nFlow-Timer: 50\r\n");
    for _ in 0..3 {
        solo.advance(secs(39));
        assert!(solo.sent.is_empty(), "before 80 % of the time: {:?}", solo.sent);
        // The last look was at most 11 s after the ping before.
        let mut waited = 0;
        while solo.sent.is_empty() {
            solo.advance(secs(1));
            waited += 1;
            assert!(waited <= 12, "later than 100 %");
        }
        assert_eq!(solo.take_all(), ["\r\n\r\n"]);
        solo.feed("\r\n");
        assert!(solo.ua.is_registered());
    }
    solo.advance(secs(50));
    solo.take_all();
    solo.advance(secs(11));
    let lost = |event: &Event| matches!(event, Event::RegistrationFailed { .. });
    assert!(solo.events.iter().any(lost), "no answer within 10 s: the flow is lost");
    // And formed anew at once: it had worked until then.
    assert_eq!(solo.opened.len(), 2);
}

/// What was sent on the flow since the last look, as bytes.
fn sent(solo: &mut Solo) -> Vec<Vec<u8>> {
    let mut sent = vec![];
    while let Some(output) = solo.ua.poll() {
        match output {
            Output::Send { bytes, .. } => sent.push(bytes),
            Output::Event(event) => solo.events.push(event),
            Output::Open { flow, server, .. } => {
                solo.flow = flow;
                solo.opened.push(server);
            }
            Output::Close { .. } | Output::Stopped => {}
        }
    }
    sent
}

/// Lets time pass in small steps until something is sent.
fn until_sent(solo: &mut Solo, most: u64) -> Vec<Vec<u8>> {
    for _ in 0..most * 4 {
        solo.now += secs(1) / 4;
        solo.ua.handle_timeout(solo.now);
        let sent = sent(solo);
        if !sent.is_empty() {
            return sent;
        }
    }
    panic!("nothing was sent within {most} s");
}

/// A Binding success with this mapped address (RFC 8489 section 14.2).
fn binding(request: &[u8], ip: [u8; 4], port: u16) -> Vec<u8> {
    let cookie = [0x21, 0x12, 0xa4, 0x42];
    let mut out = vec![0x01, 0x01, 0, 12];
    out.extend_from_slice(&request[4..20]);
    out.extend_from_slice(&[0, 0x20, 0, 8, 0, 1]);
    out.extend_from_slice(&(port ^ 0x2112).to_be_bytes());
    out.extend(ip.iter().zip(cookie).map(|(a, b)| a ^ b));
    out
}

#[test]
fn datagrams_are_kept_alive_by_stun_and_a_changed_mapping_is_a_lost_flow() {
    let mut solo = started(Link::Udp);
    accept(&mut solo, "", "Require: outbound\r\n");
    let first = until_sent(&mut solo, 30);
    assert_eq!((first.len(), first[0].len(), &first[0][..2]), (1, 20, &[0, 1][..]));
    // It is repeated under the same name until it is answered.
    let again = until_sent(&mut solo, 1);
    assert_eq!(first, again);
    let answer = binding(&again[0], [192, 0, 2, 1], 40_000);
    solo.ua.receive(solo.flow, &answer, solo.now);
    let second = until_sent(&mut solo, 30);
    assert_ne!(first, second);
    // An answer to another question says nothing.
    solo.ua.receive(solo.flow, &binding(&first[0], [192, 0, 2, 9], 9), solo.now);
    solo.ua.receive(solo.flow, &binding(&second[0], [192, 0, 2, 1], 40_000), solo.now);
    assert!(solo.ua.is_registered());
    let third = until_sent(&mut solo, 30);
    solo.ua.receive(solo.flow, &binding(&third[0], [192, 0, 2, 1], 40_001), solo.now);
    assert!(!solo.ua.is_registered());
    sent(&mut solo);
    let told = solo.events.iter().any(|event| {
        matches!(event, Event::RegistrationFailed { fault: Fault::Unreachable(_), .. })
    });
    assert!(told && solo.opened.len() == 2, "{:?}", solo.events);
}

#[test]
fn datagrams_through_a_nat_keep_it_open_without_anybodys_help() {
    let mut solo = started(Link::Udp);
    let request = solo.take("REGISTER ");
    let seen = request.replacen(";rport", ";rport=50000;received=192.0.2.7", 1);
    let contact = header(&request, "Contact").expect("contact").to_owned();
    let headers = format!("Contact: {contact};expires=3600\r\n");
    solo.feed(&response(&seen, "200 OK", "r", &headers, ""));
    accept(&mut solo, "", "");
    solo.advance(secs(30));
    assert_eq!(solo.take_all(), ["\r\n\r\n"]);
    solo.advance(secs(60));
    assert_eq!(solo.take_all().len(), 2, "and nobody has to answer");
    assert!(solo.ua.is_registered());
}
