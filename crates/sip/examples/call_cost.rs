//! Calls from one user agent to another, to be counted by a profiler or a clock:
//! `call_cost CALLS`. A call is INVITE, 180, 200, ACK, BYE and 200, over a stream without anybody in
//! between; descriptions pass as text. Prints how many calls there were, how many of them ran
//! their whole course, and the processor's time in microseconds (where the system does not tell that,
//! the clock's). The difference between two numbers of calls is
//! the work alone, of both ends.
#![allow(clippy::print_stdout, reason = "it prints its result")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use offhook_model::{DialString, Link};
use offhook_ports::{FlowId, PhoneAccount, PhoneDialect, PortRange, SipServer};
use offhook_sip::{Event, Output, SipCall, UserAgent};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
                   m=audio 4000 RTP/AVP 96 9 0 8 101\r\na=rtpmap:96 opus/48000/2\r\n\
                   a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n";

struct Phone {
    agent: UserAgent,
    flow: Option<FlowId>,
    at: SocketAddr,
    events: Vec<Event>,
    out: Vec<Vec<u8>>,
}

fn account(user: &str) -> PhoneAccount {
    PhoneAccount {
        dialect: PhoneDialect::Standard,
        user: user.to_owned(),
        domain: "example.test".to_owned(),
        display_name: user.to_owned(),
        servers: vec![SipServer { host: "192.0.2.9".into(), port: 5060, link: Link::Tcp }],
        routes: vec![],
        registrar: None,
        encryption: offhook_ports::MediaEncryption::default(),
        secure: None,
        features: offhook_ports::PhoneFeatures::default(),
        upkeep: offhook_ports::PhoneUpkeep::default(),
        ice: None,
        digest: None,
        expires: Duration::from_secs(3600),
        refresh_before: Duration::from_secs(5),
        media_ports: PortRange::default(),
        audio_dscp: 46,
        signalling_dscp: 24,
        voicemail_pilot: None,
    }
}

impl Phone {
    fn new(user: &str, number: u8) -> Self {
        Self {
            agent: UserAgent::new(account(user), "Offhook".into(), u64::from(number)),
            flow: None,
            at: SocketAddr::from(([192, 0, 2, number], 40_000)),
            events: vec![],
            out: vec![],
        }
    }

    fn drain(&mut self, now: Instant) {
        let server = SocketAddr::from(([192, 0, 2, 9], 5060));
        while let Some(output) = self.agent.poll() {
            match output {
                Output::Open { flow, .. } => {
                    self.flow = Some(flow);
                    self.agent.flow_opened(flow, self.at, server, now);
                }
                Output::Send { bytes, .. } => self.out.push(bytes),
                Output::Event(event) => self.events.push(event),
                Output::Close { .. } | Output::Stopped => {}
            }
        }
    }

    fn take(&mut self, bytes: &[u8], now: Instant) {
        if let Some(flow) = self.flow {
            self.agent.receive(flow, bytes, now);
            self.drain(now);
        }
    }

    /// Starts it and lets it in.
    fn register(&mut self, now: Instant) {
        self.agent.start(now);
        self.drain(now);
        for request in std::mem::take(&mut self.out) {
            let request = String::from_utf8_lossy(&request);
            let copied = request.lines().filter(|line| {
                let names = ["Via", "From", "To", "Call-ID", "CSeq", "Contact"];
                names.iter().any(|name| line.starts_with(&format!("{name}: ")))
            });
            let copied: Vec<&str> = copied.collect();
            let answer = format!("SIP/2.0 200 OK\r\n{}\r\nl: 0\r\n\r\n", copied.join("\r\n"));
            self.take(answer.as_bytes(), now);
        }
        self.events.clear();
    }
}

/// Carries what was sent until nothing is left.
fn carry(phones: &mut [Phone; 2], now: Instant) {
    while phones.iter().any(|phone| !phone.out.is_empty()) {
        for from in 0..2 {
            for bytes in std::mem::take(&mut phones[from].out) {
                phones[1 - from].take(&bytes, now);
            }
        }
    }
}

fn incoming(phone: &mut Phone) -> Option<SipCall> {
    std::mem::take(&mut phone.events).into_iter().find_map(|event| match event {
        Event::Incoming { call, .. } => Some(call),
        _ => None,
    })
}

/// One call; whether both ends have seen its end.
fn call(phones: &mut [Phone; 2], now: Instant) -> Option<()> {
    let call = phones[0].agent.invite(&DialString::Number("bob".into()), SDP.into(), now);
    phones[0].drain(now);
    carry(phones, now);
    let theirs = incoming(&mut phones[1])?;
    phones[1].agent.ring(theirs, now);
    phones[1].drain(now);
    carry(phones, now);
    phones[1].agent.answer(theirs, SDP.into(), now);
    phones[1].drain(now);
    carry(phones, now);
    phones[0].agent.hang_up(call, now);
    phones[0].drain(now);
    carry(phones, now);
    let ends = |phone: &mut Phone| {
        let events = std::mem::take(&mut phone.events);
        events.iter().any(|event| matches!(event, Event::Ended { .. }))
    };
    let ended = phones.each_mut().map(ends);
    // A minute later nothing of it is left.
    for phone in phones {
        phone.agent.handle_timeout(now + Duration::from_secs(40));
        phone.drain(now);
        phone.out.clear();
    }
    (ended == [true, true]).then_some(())
}

/// Nanoseconds that this process has been on a processor.
fn processor_time() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok()
}

fn main() {
    let calls: u32 = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(1);
    let mut now = Instant::now();
    let mut phones = [Phone::new("alice", 1), Phone::new("bob", 2)];
    for phone in &mut phones {
        phone.register(now);
    }
    let (begun, used) = (Instant::now(), processor_time());
    let mut whole = 0;
    for _ in 0..calls {
        whole += u32::from(call(&mut phones, now).is_some());
        now += Duration::from_millis(1);
    }
    let time = match (used, processor_time()) {
        (Some(before), Some(after)) => u128::from(after.saturating_sub(before)) / 1_000,
        _ => begun.elapsed().as_micros(),
    };
    println!("{{\"calls\":{calls},\"whole\":{whole},\"microseconds\":{time}}}");
}
