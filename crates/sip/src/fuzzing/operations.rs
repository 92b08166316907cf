//! Sequences of what people wish, what servers and peers say, and what happens to time and flows,
//! over one user agent: the bytes decide which comes next.
//!
//! What must hold: no call ends twice, nothing is told of a call before it is known or after its
//! end, every step has a bounded answer, what is sent can be read, and after
//! [`UserAgent::stop`] nothing is left.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use offhook_model::{DialString, Fault, Link, Secret};
use offhook_ports::{
    FlowId, MediaEncryption, PhoneAccount, PhoneDialect, PhoneFeatures, PhoneUpkeep, PortRange,
    SipServer,
};

use crate::message::{Message, Name, parse};
use crate::{Event, Output, ReferTarget, SipCall, SoftKey, UserAgent};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
/// Most steps of one input.
const STEPS: usize = 200;
/// Most outputs of one step.
const OUTPUTS: usize = 400;
/// Messages of the agent that can be answered or followed.
const KEPT: usize = 12;
const STATUSES: [&str; 16] = [
    "100 Trying",
    "180 Ringing",
    "183 Progress",
    "200 OK",
    "202 Accepted",
    "302 Moved",
    "401 Unauthorized",
    "403 Forbidden",
    "404 Not Found",
    "407 Proxy",
    "408 Timeout",
    "422 Small",
    "481 Gone",
    "486 Busy",
    "491 Pending",
    "503 Unavailable",
];
const METHODS: [&str; 12] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "UPDATE",
    "INFO",
    "PRACK",
    "REFER",
    "NOTIFY",
    "OPTIONS",
    "SUBSCRIBE",
    "MESSAGE",
];
/// Headers that change what a message means.
const EXTRAS: [&str; 16] = [
    "",
    "Require: 100rel\r\nRSeq: 1\r\n",
    "Supported: timer, replaces, 100rel\r\nSession-Expires: 90;refresher=uas\r\n",
    "Session-Expires: 90;refresher=uac\r\nRequire: timer\r\n",
    "Min-SE: 200\r\n",
    "RAck: 1 101 INVITE\r\n",
    "Refer-To: <sip:carol@example.test>\r\nReferred-By: <sip:bob@example.test>\r\n",
    "Refer-To: <sip:c@d?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>\r\nRefer-Sub: false\r\n",
    "Event: refer\r\nSubscription-State: active;expires=60\r\n",
    "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n",
    "Event: dialog\r\nSubscription-State: active\r\n",
    "Retry-After: 5\r\nContact: <sip:elsewhere@192.0.2.7>\r\n",
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
    "Reason: SIP;cause=200;text=\"elsewhere\"\r\n",
    "Call-Info: <urn:x-cisco-remotecc:callinfo>; security=Encrypted; answer-after=0\r\n",
    "Contact: <sip:bob@192.0.2.9>;expires=60\r\nAllow: UPDATE\r\n",
];

/// One input. Time begins at `start`.
///
/// # Panics
/// What must hold does not.
pub fn fuzz(data: &[u8], start: Instant) {
    let Some((kind, steps)) = data.split_first() else { return };
    let mut world = World::new(*kind, start);
    world.begin();
    for step in steps.chunks(3).take(STEPS) {
        let at = |index: usize| step.get(index).copied().unwrap_or(0);
        world.step(at(0), at(1), at(2));
    }
    world.end();
}

struct World {
    agent: UserAgent,
    now: Instant,
    flows: Vec<FlowId>,
    /// Calls that were heard of, and whether they have ended.
    calls: BTreeMap<SipCall, bool>,
    sent: Vec<String>,
    stopped: bool,
    branch: u32,
    /// Our descriptions; one kind is too large for a datagram.
    sdp: String,
}

fn account(kind: u8) -> PhoneAccount {
    let link = if kind & 1 == 0 { Link::Udp } else { Link::Tcp };
    let cucm = kind & 2 != 0;
    let server = |number: u8| SipServer { host: format!("192.0.2.{number}"), port: 5060, link };
    let dialect = if cucm {
        let (device, line_contact) = ("CSFALICE".into(), "guid-1".into());
        PhoneDialect::Cucm { device, model: 503, line_contact }
    } else {
        PhoneDialect::Standard
    };
    PhoneAccount {
        dialect,
        user: "alice".to_owned(),
        domain: "example.test".to_owned(),
        display_name: "Alice".to_owned(),
        servers: vec![server(9), server(8)],
        routes: vec![],
        registrar: None,
        encryption: MediaEncryption::default(),
        secure: None,
        digest: Some(("alice".to_owned(), Secret::from("secret"))),
        expires: Duration::from_secs(600),
        refresh_before: Duration::from_secs(5),
        media_ports: PortRange::default(),
        audio_dscp: 46,
        signalling_dscp: 24,
        voicemail_pilot: None,
        features: PhoneFeatures::default(),
        upkeep: PhoneUpkeep::default(),
        ice: None,
    }
}

impl World {
    fn new(kind: u8, now: Instant) -> Self {
        Self {
            agent: UserAgent::new(account(kind), "Fuzz".to_owned(), u64::from(kind)),
            now,
            flows: vec![],
            calls: BTreeMap::new(),
            sent: vec![],
            stopped: false,
            branch: 0,
            sdp: format!("{SDP}a=x:{}\r\n", "y".repeat(if kind & 4 == 0 { 0 } else { 1_500 })),
        }
    }

    /// Registers, as most sequences without that would get nowhere.
    fn begin(&mut self) {
        self.agent.start(self.now);
        self.drain();
        self.answer(0, 3, 15);
    }

    fn end(&mut self) {
        self.agent.stop(self.now);
        self.drain();
        self.pass(Duration::from_secs(3));
        assert!(self.stopped, "it does not stop");
        let left = self.calls.values().filter(|ended| !**ended).count();
        assert_eq!(left, 0, "calls that never ended");
    }

    fn step(&mut self, what: u8, which: u8, how: u8) {
        match what % 8 {
            0..=2 => self.wish(what / 8, which, how),
            3 | 4 => self.answer(usize::from(which), usize::from(what / 8), usize::from(how)),
            5 | 6 => self.ask(usize::from(which), usize::from(what / 8), usize::from(how)),
            _ => self.happen(what / 8, how),
        }
        self.drain();
    }

    fn wish(&mut self, what: u8, which: u8, how: u8) {
        let number = DialString::Number("2002".to_owned());
        let known: Vec<SipCall> = self.calls.keys().copied().collect();
        let pick = |index: u8| known.get(usize::from(index) % known.len().max(1)).copied();
        let call = pick(which).unwrap_or(SipCall(u32::from(which)));
        let other = pick(how).unwrap_or(SipCall(u32::from(how)));
        let (agent, now, status) = (&mut self.agent, self.now, 300 + u16::from(how));
        match what % 18 {
            0 | 1 => {
                let call = agent.invite(&number, self.sdp.clone(), now);
                assert_eq!(self.calls.insert(call, false), None, "a name is used twice");
            }
            2 => agent.ring(call, now),
            3 | 4 => agent.answer(call, self.sdp.clone(), now),
            5 => agent.reject(call, status, now),
            6 | 7 => agent.hang_up(call, now),
            8 => agent.reinvite(call, self.sdp.clone(), now),
            9 => agent.accept_offer(call, self.sdp.clone(), now),
            10 => agent.refuse_offer(call, status, now),
            11 => agent.transfer(call, &ReferTarget::Number(number), now),
            12 => agent.transfer(call, &ReferTarget::Call(other), now),
            13 => {
                if let Some(new) = agent.follow(call, self.sdp.clone(), now) {
                    assert_eq!(self.calls.insert(new, false), None, "a name is used twice");
                }
            }
            14 => agent.refuse_referral(call, status, now),
            15 => agent.early_media(call, self.sdp.clone(), now),
            16 => agent.redirect(call, &number, now),
            _ => match how % 4 {
                0 => agent.press(call, SoftKey::Conference(other), now),
                1 => agent.press(call, SoftKey::Park, now),
                2 => agent.watch(&[number], now),
                _ => agent.take_over(now),
            },
        }
    }

    /// A response to one of the requests of ours.
    fn answer(&mut self, which: usize, status: usize, extra: usize) {
        let requests: Vec<&String> =
            self.sent.iter().filter(|it| !it.starts_with("SIP/2.0")).collect();
        let Some(request) = requests.get(which % requests.len().max(1)) else { return };
        let Ok(request) = parse(request.as_bytes()) else { return };
        let status = STATUSES[status % STATUSES.len()];
        let mut text = format!("SIP/2.0 {status}\r\n");
        for via in request.all(Name::Via) {
            text.push_str(&format!("Via: {via}\r\n"));
        }
        let to = value(&request, Name::To);
        let tag = if request.tag(Name::To).is_some() { "" } else { ";tag=peer" };
        text.push_str(&format!(
            "From: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:bob@192.0.2.9>\r\n",
            value(&request, Name::From),
            value(&request, Name::CallId),
            value(&request, Name::Cseq)
        ));
        self.say(text, extra, status.starts_with(['1', '2']));
    }

    /// A request of theirs: a new one, or within the dialog of a message of ours.
    fn ask(&mut self, which: usize, method: usize, extra: usize) {
        let method = METHODS[method % METHODS.len()];
        self.branch += 1;
        let (number, within) = (self.branch, which & 1 == 1);
        let mine = self.sent.get(which / 2 % self.sent.len().max(1)).cloned().unwrap_or_default();
        let mine = parse(mine.as_bytes()).ok().filter(|_| within);
        let (from, to, id) = match &mine {
            // Their side of the dialog is what we wrote as To, or as From where we answered.
            Some(mine) if mine.method().is_some() => {
                let to = value(mine, Name::To);
                let tag = if mine.tag(Name::To).is_some() { "" } else { ";tag=peer" };
                (format!("{to}{tag}"), value(mine, Name::From), value(mine, Name::CallId))
            }
            Some(mine) => {
                (value(mine, Name::From), value(mine, Name::To), value(mine, Name::CallId))
            }
            None => (
                format!("<sip:bob@example.test>;tag=b{number}"),
                "<sip:alice@example.test>".to_owned(),
                format!("in-{}", if extra & 16 == 0 { number } else { 1 }),
            ),
        };
        // ACK and CANCEL want the number, and CANCEL the branch, of their INVITE.
        let same = matches!(method, "ACK" | "CANCEL");
        let cseq = match mine.as_ref().and_then(|mine| mine.cseq().ok()) {
            Some(cseq) if same => cseq.number,
            _ => number,
        };
        let via = match mine.as_ref().and_then(|mine| mine.header(Name::Via)) {
            Some(via) if same => via.to_owned(),
            _ => format!("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKf{number}"),
        };
        let text = format!(
            "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {from}\r\n\
             To: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:bob@192.0.2.9>\r\n"
        );
        self.say(text, extra, extra & 32 == 0);
    }

    fn say(&mut self, mut text: String, extra: usize, body: bool) {
        text.push_str(EXTRAS[extra % EXTRAS.len()]);
        let content = match extra / 64 {
            _ if !body => "",
            3 => "SIP/2.0 200 OK",
            _ => SDP,
        };
        let kind = match content {
            "" => "",
            SDP => "Content-Type: application/sdp\r\n",
            _ => "Content-Type: message/sipfrag\r\n",
        };
        text.push_str(&format!("{kind}Content-Length: {}\r\n\r\n{content}", content.len()));
        if let Some(flow) = self.flows.last() {
            self.agent.receive(*flow, text.as_bytes(), self.now);
        }
    }

    fn happen(&mut self, what: u8, how: u8) {
        match what % 8 {
            0..=2 => self.pass(Duration::from_millis(u64::from(how) * 20)),
            3 | 4 => self.pass(Duration::from_secs(u64::from(how))),
            5 => {
                if let Some(flow) = self.flows.pop() {
                    self.agent.flow_failed(flow, Fault::Closed, self.now);
                }
            }
            6 => self.agent.network_changed(self.now),
            _ => self.agent.start(self.now),
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..5_000 {
            let Some(at) = self.agent.next_timeout().filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            self.agent.handle_timeout(self.now);
            self.drain();
        }
        panic!("it never rests");
    }

    fn drain(&mut self) {
        for _ in 0..OUTPUTS {
            match self.agent.poll() {
                None => return,
                Some(Output::Open { flow, .. }) => {
                    self.flows.push(flow);
                    let local = SocketAddr::from(([192, 0, 2, 1], 40_000));
                    let remote = SocketAddr::from(([192, 0, 2, 9], 5060));
                    self.agent.flow_opened(flow, local, remote, self.now);
                }
                Some(Output::Send { flow, bytes }) => {
                    assert!(self.flows.contains(&flow), "sent on a flow that is not open");
                    self.keep(&bytes);
                }
                Some(Output::Close { flow }) => self.flows.retain(|open| *open != flow),
                Some(Output::Event(event)) => self.told(&event),
                Some(Output::Stopped) => self.stopped = true,
            }
        }
        panic!("a step without end");
    }

    fn keep(&mut self, bytes: &[u8]) {
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return;
        }
        let readable = parse(bytes).is_ok_and(|message| message.defect().is_none());
        let text = String::from_utf8_lossy(bytes).into_owned();
        assert!(readable, "it sends what cannot be read: {text}");
        if self.sent.len() == KEPT {
            self.sent.remove(0);
        }
        self.sent.push(text);
    }

    fn told(&mut self, event: &Event) {
        if let Event::Incoming { call, .. } = event {
            assert_eq!(self.calls.insert(*call, false), None, "a name is used twice");
        }
        let Some(call) = call_of(event) else { return };
        let known = self.calls.get_mut(&call);
        let ended = known.unwrap_or_else(|| panic!("nobody knows {call:?}: {event:?}"));
        assert!(!*ended, "{call:?} has ended before: {event:?}");
        *ended = matches!(event, Event::Ended { .. });
    }
}

/// The call that an event is about.
fn call_of(event: &Event) -> Option<SipCall> {
    match event {
        Event::Incoming { call, .. }
        | Event::Progress { call, .. }
        | Event::Answered { call, .. }
        | Event::Confirmed { call, .. }
        | Event::Offer { call, .. }
        | Event::OfferAnswered { call, .. }
        | Event::OfferRefused { call, .. }
        | Event::RemoteIdentity { call, .. }
        | Event::Ended { call, .. } => Some(*call),
        // What is asked for of a call may be answered after its end.
        _ => None,
    }
}

fn value(message: &Message, name: Name) -> String {
    message.header(name).unwrap_or_default().to_owned()
}
