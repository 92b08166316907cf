//! What reaches the phone of what is wished about calls.

use offhook_config::DialRule;
use offhook_core::Event;
use offhook_model::{CallId, CallWish, Command, Forward};
use offhook_ports::FlowId;
use offhook_signin::{Grant, People};

use crate::bench::{Bench, full};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n\
                     m=audio 5000 RTP/AVP 0\r\n";

/// Somebody calls, and the call is answered.
pub fn answered(bench: &mut Bench) -> (CallId, FlowId) {
    let flow = bench.flow().expect("a flow");
    bench.registered(flow);
    let invite = format!(
        "INVITE sip:2001@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bK1\r\n\
         From: <sip:2002@example.test>;tag=1\r\nTo: <sip:2001@example.test>\r\nCall-ID: 1\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:2002@10.0.0.9>\r\nMax-Forwards: 70\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}",
        OFFER.len()
    );
    bench.send(Event::SipData(flow, invite.into_bytes()));
    let call = bench.snapshot().calls[0].id;
    let ports = ("10.0.0.1:20002", "10.0.0.1:20003");
    let ports = (ports.0.parse().expect("a port"), ports.1.parse().expect("a port"));
    bench.begin(Command::Answer(call));
    bench.send(Event::Reserved(call, Ok(ports)));
    (call, flow)
}

#[test]
fn whom_a_call_is_given_to_goes_by_the_dial_rules() {
    let rule = DialRule { begins: "+".into(), digits: None, strip: 1, prefix: "900".into() };
    let people = People { dial_rules: vec![rule], ..People::default() };
    let mut bench = Bench::new();
    bench.let_in(Grant { people, ..full() });
    let (id, flow) = answered(&mut bench);
    let response = sent(&mut bench, "SIP/2.0 200");
    let to = response.lines().find(|line| line.starts_with("To:")).expect("a header");
    let ack = format!(
        "ACK sip:2001@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bK2\r\n\
         From: <sip:2002@example.test>;tag=1\r\n{to}\r\nCall-ID: 1\r\nCSeq: 1 ACK\r\n\
         Content-Length: 0\r\n\r\n"
    );
    bench.send(Event::SipData(flow, ack.into_bytes()));
    let to = "+49 30 5550".parse().expect("a number");
    bench.command(Command::Call(CallWish::Transfer { id, to })).expect("begun");
    let refer = sent(&mut bench, "REFER ");
    assert!(refer.contains("Refer-To: <sip:90049305550@"), "{refer}");
    let to = Forward::To("+49 30 5551".parse().expect("a number"));
    bench.command(Command::Call(CallWish::Forward(Some(to)))).expect("begun");
    let forward = format!("{:?}", bench.snapshot().phone);
    assert!(forward.contains("90049305551"), "{forward}");
}

/// The message that was sent and begins so.
fn sent(bench: &mut Bench, begins: &str) -> String {
    loop {
        let (_, text) = bench.sip().unwrap_or_else(|| panic!("no {begins}"));
        if text.starts_with(begins) {
            return text;
        }
    }
}
