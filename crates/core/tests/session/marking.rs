//! Packets of calls are marked as the administrator wants, else as the user does.

use offhook_core::{Effect, Event, Options};
use offhook_model::{Command, Layer, Provisioned, Setting, Settings, Source};

use crate::bench::{Bench, full};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n\
                     m=audio 5000 RTP/AVP 0\r\n";

/// The code point of a call's sound, with the administrator's and the user's word.
fn mark(administrator: Option<bool>, user: Option<bool>) -> Option<u8> {
    let mut options = Bench::options();
    if let Some(wanted) = administrator {
        let key = "EnableDSCPPacketMarking".to_owned();
        let setting = Setting { key, section: None, value: wanted.to_string(), line: None };
        let origin = "test".to_owned();
        let (settings, oddities) = (vec![setting], vec![]);
        let layer = Layer { source: Source::Bootstrap, origin, settings, oddities };
        options = Options {
            provisioned: Provisioned { layers: vec![layer], ..options.provisioned.clone() },
            ..options
        };
    }
    let mut bench = Bench::with(options);
    let mut settings = Settings::default();
    settings.calls.differentiated_service = user;
    bench.command(Command::SetSettings(Box::new(settings))).expect("set");
    bench.let_in(full());
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
    bench.effects.iter().rev().find_map(|effect| match effect {
        Effect::MediaApply(_, plan) => Some(plan.dscp),
        _ => None,
    })
}

#[test]
fn the_administrators_word_goes_before_the_users() {
    for (administrator, user, expected) in [
        (None, None, 46),
        (None, Some(false), 0),
        (None, Some(true), 46),
        (Some(false), None, 0),
        (Some(false), Some(true), 0),
        (Some(true), Some(false), 46),
    ] {
        assert_eq!(mark(administrator, user), Some(expected), "{administrator:?}, {user:?}");
    }
}
