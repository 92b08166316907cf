//! Requests that are too large for a datagram.

mod support;

use std::net::SocketAddr;

use offhook_model::{DialString, Fault, Link};
use offhook_ports::FlowId;
use offhook_sip::{Event, Output, SipCall};
use support::{SDP, Solo, account, cucm_account, header, response, secs};

/// A description with so many more bytes.
fn sdp(more: usize) -> String {
    format!("{SDP}a=x:{}\r\n", "y".repeat(more))
}

/// Dials; what was sent, each with its flow, and the flow that was opened for it.
fn dial(solo: &mut Solo, more: usize) -> (SipCall, Vec<(FlowId, String)>, Option<FlowId>) {
    let call = solo.ua.invite(&DialString::Number("2002".into()), sdp(more), solo.now);
    let (sent, opened) = drain(solo);
    (call, sent, opened)
}

fn drain(solo: &mut Solo) -> (Vec<(FlowId, String)>, Option<FlowId>) {
    let (mut sent, mut opened) = (vec![], None);
    while let Some(output) = solo.ua.poll() {
        match output {
            Output::Open { flow, server, .. } => {
                assert_eq!(server.link, Link::Tcp);
                opened = Some(flow);
            }
            Output::Send { flow, bytes } => {
                sent.push((flow, String::from_utf8(bytes).expect("text")));
            }
            Output::Close { flow } => solo.closed.push(flow),
            Output::Event(event) => solo.events.push(event),
            Output::Stopped => solo.stopped = true,
        }
    }
    (sent, opened)
}

fn open(solo: &mut Solo, flow: FlowId) {
    let local: SocketAddr = "10.0.0.1:50000".parse().expect("address");
    solo.ua.flow_opened(flow, local, "10.0.0.9:5060".parse().expect("address"), solo.now);
}

#[test]
fn a_request_that_is_a_little_too_large_becomes_compact() {
    let mut solo = Solo::registered(account("alice", Link::Udp));
    let (_, sent, opened) = dial(&mut solo, 100);
    assert!(opened.is_none() && sent[0].1.contains("\r\nCall-ID: "));
    let room = 1_300 - sent[0].1.len() + 100;
    let (_, sent, opened) = dial(&mut solo, room + 4);
    let invite = &sent[0].1;
    assert!(opened.is_none() && invite.len() <= 1_300, "{invite}");
    for name in ["Via: ", "f:", "t:", "i:", "m:", "c:"] {
        assert!(invite.contains(&format!("\r\n{name}")), "{name} {invite}");
    }
    // It is a message like any other.
    let message = offhook_sip::message::parse(invite.as_bytes()).expect("readable");
    assert_eq!(message.defect(), None);
    assert!(message.sdp().is_some());
}

#[test]
fn a_large_request_goes_over_a_connection_and_so_does_all_of_its_transaction() {
    let mut solo = Solo::registered(account("alice", Link::Udp));
    let main = solo.flow;
    let (call, sent, opened) = dial(&mut solo, 2_000);
    let wide = opened.expect("a connection");
    assert_eq!((sent.len(), sent[0].0), (1, wide));
    let invite = sent[0].1.clone();
    let via = invite.lines().find(|line| line.starts_with("Via:")).expect("a Via");
    assert!(via.contains("SIP/2.0/TCP 10.0.0.1:40000;branch="), "{via}");
    open(&mut solo, wide);
    let full = invite.replace("\r\nf:", "\r\nFrom: ");
    let full = full.replace("\r\nt:", "\r\nTo: ").replace("\r\ni:", "\r\nCall-ID: ");
    let ringing = response(&full, "180 Ringing", "b", "", "");
    solo.ua.receive(wide, ringing.as_bytes(), solo.now);
    drain(&mut solo);
    solo.ua.hang_up(call, solo.now);
    let (sent, _) = drain(&mut solo);
    assert!(sent[0].0 == wide && sent[0].1.starts_with("CANCEL "), "{sent:?}");
    // A request of theirs is answered where it came from.
    let options = "OPTIONS sip:alice@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bKo\r\n\
                   From: <sip:b@x>;tag=b\r\nTo: <sip:alice@x>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\r\n";
    solo.ua.receive(wide, options.as_bytes(), solo.now);
    solo.ua.receive(main, options.replace("z9hG4bKo", "z9hG4bKp").as_bytes(), solo.now);
    let (sent, _) = drain(&mut solo);
    let answered: Vec<FlowId> = sent.iter().map(|(flow, _)| *flow).collect();
    assert_eq!(answered, [wide, main]);
    let gone = response(&full, "487 Request Terminated", "b", "", "");
    solo.ua.receive(wide, gone.as_bytes(), solo.now);
    drain(&mut solo);
    // It is closed when nobody needs it any more.
    for _ in 0..4 {
        solo.now += secs(61);
        solo.ua.handle_timeout(solo.now);
        drain(&mut solo);
    }
    assert_eq!(solo.closed, [wide]);
}

#[test]
fn a_server_that_takes_no_connection_gets_the_datagram() {
    let mut solo = Solo::registered(account("alice", Link::Udp));
    let main = solo.flow;
    let (call, sent, opened) = dial(&mut solo, 2_000);
    let wide = opened.expect("a connection");
    solo.ua.flow_failed(wide, Fault::PortRefused, solo.now);
    let (again, opened) = drain(&mut solo);
    assert_eq!((again.len(), again[0].0, opened), (1, main, None));
    assert!(again[0].1.contains("SIP/2.0/UDP"));
    assert_eq!(header(&again[0].1, "i"), header(&sent[0].1, "i"));
    let ended = |solo: &Solo| {
        solo.events.iter().any(|it| matches!(it, Event::Ended { call: it, .. } if *it == call))
    };
    assert!(!ended(&solo), "the call goes on");
    // The next one does not ask again; silence is as good as a refusal.
    let (_, sent, opened) = dial(&mut solo, 2_000);
    assert_eq!((sent[0].0, opened), (main, None));
    solo.now += secs(601);
    let (_, _, opened) = dial(&mut solo, 2_000);
    assert!(opened.is_some());
    solo.now += secs(3);
    solo.ua.handle_timeout(solo.now);
    let (sent, _) = drain(&mut solo);
    assert!(sent.iter().any(|(flow, text)| *flow == main && text.starts_with("INVITE ")));
    assert_eq!(solo.closed, opened.into_iter().collect::<Vec<_>>());
}

#[test]
fn registration_and_call_managers_keep_to_their_flow() {
    let mut cucm = cucm_account();
    cucm.servers[0].link = Link::Udp;
    let mut solo = Solo::registered(cucm);
    let (_, sent, opened) = dial(&mut solo, 2_000);
    assert!(opened.is_none() && sent[0].1.len() > 2_000);
}
