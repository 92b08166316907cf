//! Virtual time, and a peer made of plain strings: nothing here uses the parser under test.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod talk;
pub mod world;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use offhook_model::{Link, Secret};
use offhook_ports::{FlowId, PhoneAccount, PhoneDialect, PortRange, SipServer};
use offhook_sip::{Event, Output, UserAgent};

pub const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

pub fn start_of_time() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "virtual time needs a start")]
    Instant::now()
}

pub fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

pub fn server(n: u8, link: Link) -> SipServer {
    SipServer { host: format!("10.0.0.{n}"), port: 5060, link }
}

pub fn account(user: &str, link: Link) -> PhoneAccount {
    PhoneAccount {
        dialect: PhoneDialect::Standard,
        user: user.to_owned(),
        domain: "example.test".to_owned(),
        display_name: user.to_uppercase(),
        servers: vec![server(9, link)],
        routes: vec![],
        registrar: None,
        encryption: offhook_ports::MediaEncryption::default(),
        secure: None,
        digest: Some((user.to_owned(), Secret::from("secret"))),
        expires: secs(3600),
        refresh_before: secs(5),
        media_ports: PortRange::default(),
        audio_dscp: 46,
        signalling_dscp: 24,
        voicemail_pilot: None,
        features: offhook_ports::PhoneFeatures::default(),
        upkeep: offhook_ports::PhoneUpkeep::default(),
        ice: None,
    }
}

pub fn cucm_account() -> PhoneAccount {
    PhoneAccount {
        dialect: PhoneDialect::Cucm {
            device: "CSFALICE".into(),
            model: 503,
            line_contact: "guid-1".into(),
        },
        domain: String::new(),
        routes: vec![],
        registrar: None,
        encryption: offhook_ports::MediaEncryption::default(),
        secure: None,
        digest: None,
        ..account("2001", Link::Tcp)
    }
}

/// The value of the first header of this name.
pub fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    headers(message, name).into_iter().next()
}

pub fn headers<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let head = message.split("\r\n\r\n").next().unwrap_or("");
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

pub fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or("")
}

pub fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// What is between `open` and the next `close`.
pub fn between<'a>(text: &'a str, open: &str, close: char) -> &'a str {
    text.split_once(open).map_or("", |(_, rest)| rest.split(close).next().unwrap_or(""))
}

/// A response to this request, with a tag and more header lines.
pub fn response(request: &str, status: &str, tag: &str, more: &str, content: &str) -> String {
    let mut out = format!("SIP/2.0 {status}\r\n");
    for via in headers(request, "Via") {
        out.push_str(&format!("Via: {via}\r\n"));
    }
    let to = header(request, "To").unwrap_or("");
    let tag =
        if to.contains(";tag=") || tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    for (name, value) in [("From", ""), ("Call-ID", ""), ("CSeq", "")] {
        out.push_str(&format!("{name}: {}{value}\r\n", header(request, name).unwrap_or("")));
    }
    out.push_str(&format!("To: {to}{tag}\r\n{more}"));
    if !content.is_empty() {
        out.push_str("Content-Type: application/sdp\r\n");
    }
    out.push_str(&format!("Content-Length: {}\r\n\r\n{content}", content.len()));
    out
}

/// One user agent and a test that plays its server by hand.
pub struct Solo {
    pub ua: UserAgent,
    pub now: Instant,
    pub flow: FlowId,
    pub opened: Vec<SipServer>,
    pub closed: Vec<FlowId>,
    pub events: Vec<Event>,
    pub sent: Vec<String>,
    pub stopped: bool,
    branch: u32,
}

impl Solo {
    pub fn new(account: PhoneAccount) -> Self {
        Self {
            ua: UserAgent::new(account, "Offhook-Test".into(), 42),
            now: start_of_time(),
            flow: FlowId(0),
            opened: vec![],
            closed: vec![],
            events: vec![],
            sent: vec![],
            stopped: false,
            branch: 0,
        }
    }

    /// Started, with the flow open and the registration accepted.
    pub fn registered(account: PhoneAccount) -> Self {
        let mut solo = Self::new(account);
        solo.start();
        solo.open();
        solo.accept_register(3600);
        solo.events.clear();
        solo
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.ua.poll() {
            match output {
                Output::Open { flow, server, .. } => {
                    self.flow = flow;
                    self.opened.push(server);
                }
                Output::Send { bytes, flow } => {
                    assert_eq!(flow, self.flow, "sent on a flow that is not open");
                    self.sent.push(String::from_utf8(bytes).expect("text"));
                }
                Output::Close { flow } => self.closed.push(flow),
                Output::Event(event) => self.events.push(event),
                Output::Stopped => self.stopped = true,
            }
        }
    }

    pub fn start(&mut self) {
        self.ua.start(self.now);
        self.drain();
    }

    pub fn open(&mut self) {
        let local: SocketAddr = "10.0.0.1:40000".parse().expect("address");
        let remote: SocketAddr = "10.0.0.9:5060".parse().expect("address");
        self.ua.flow_opened(self.flow, local, remote, self.now);
        self.drain();
    }

    pub fn feed(&mut self, text: &str) {
        self.ua.receive(self.flow, text.as_bytes(), self.now);
        self.drain();
    }

    /// The only message sent since the last look; it starts with this.
    pub fn take(&mut self, start: &str) -> String {
        assert_eq!(self.sent.len(), 1, "wanted {start}, sent: {:#?}", self.sent);
        let message = self.sent.remove(0);
        assert!(message.starts_with(start), "wanted {start}: {message}");
        message
    }

    pub fn take_all(&mut self) -> Vec<String> {
        std::mem::take(&mut self.sent)
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    pub fn accept_register(&mut self, expires: u32) {
        let request = self.take("REGISTER ");
        let contact = header(&request, "Contact").expect("contact").to_owned();
        self.feed(&response(
            &request,
            "200 OK",
            "r",
            &format!("Contact: {contact};expires={expires}\r\n"),
            "",
        ));
    }

    /// Lets time pass, waking the user agent exactly when it asks.
    pub fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..10_000 {
            match self.ua.next_timeout().filter(|at| *at <= end) {
                Some(at) => {
                    assert!(
                        at >= self.now || at + secs(40) > self.now,
                        "a timeout in the far past"
                    );
                    self.now = self.now.max(at);
                    self.ua.handle_timeout(self.now);
                    self.drain();
                }
                None => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("the user agent never rests");
    }

    /// A request of the peer outside or inside a dialog. `to_tag` and `from_tag` may be empty.
    pub fn request(
        &mut self,
        method: &str,
        cseq: u32,
        call_id: &str,
        tags: (&str, &str),
        more: &str,
        content: &str,
    ) -> String {
        self.branch += 1;
        let (from_tag, to_tag) = tags;
        let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        let kind = if content.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{method} sip:alice@10.0.0.1:40000 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9:5060;branch=z9hG4bKpeer{}\r\n\
             Max-Forwards: 70\r\nFrom: \"Bob\" <sip:bob@example.test>;tag={from_tag}\r\n\
             To: <sip:alice@example.test>{to_tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:bob@10.0.0.9:5060>\r\n{more}{kind}Content-Length: {}\r\n\r\n{content}",
            self.branch,
            content.len()
        );
        self.feed(&text);
        text
    }

    /// The peer's ACK for a 2xx of ours.
    pub fn ack(&mut self, answer: &str, content: &str) {
        let number = header(answer, "CSeq")
            .and_then(|c| c.split(' ').next())
            .expect("cseq")
            .parse()
            .expect("number");
        let call_id = header(answer, "Call-ID").expect("call-id").to_owned();
        let (from, to) = (header(answer, "From").expect("from"), header(answer, "To").expect("to"));
        let (from, to) =
            (between(from, ";tag=", ';').to_owned(), between(to, ";tag=", ';').to_owned());
        self.request("ACK", number, &call_id, (&from, &to), "", content);
    }
}
