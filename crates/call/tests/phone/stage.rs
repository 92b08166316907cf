//! Virtual time, a registrar and a peer made of plain strings.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use offhook_call::{Output, Phone, Registration, Tone};
use offhook_model::{
    Call, CallId, CallRecord, CallState, DialString, Fault, Link, Moment, NoticeBody, Timestamp,
};
use offhook_ports::{
    DeskOrder, Entropy, FlowId, MediaEncryption, MediaPlan, PhoneAccount, PhoneDialect, PortRange,
    SipServer,
};

/// The other side's description; `direction` is an attribute such as `sendrecv`.
pub fn sdp(direction: &str) -> String {
    format!(
        "v=0\r\no=- 7 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n\
         m=audio 5000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    )
}

/// A description with nothing that we know.
pub const FOREIGN: &str = "v=0\r\no=- 7 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n\
                           m=audio 5000 RTP/AVP 96\r\na=rtpmap:96 AMR/8000\r\n";

/// A description without telephone events.
pub const PLAIN: &str = "v=0\r\no=- 7 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n\
                         m=audio 5000 RTP/AVP 0\r\n";

pub fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

pub fn bob() -> DialString {
    DialString::Number("2002".into())
}

pub fn account() -> PhoneAccount {
    PhoneAccount {
        dialect: PhoneDialect::Standard,
        user: "alice".into(),
        domain: "example.test".into(),
        display_name: "Alice".into(),
        servers: vec![SipServer { host: "10.0.0.9".into(), port: 5060, link: Link::Tcp }],
        routes: vec![],
        registrar: None,
        encryption: MediaEncryption::default(),
        secure: None,
        digest: None,
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

/// The values of all headers of this name.
fn headers<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let head = message.split("\r\n\r\n").next().unwrap_or("");
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

/// The value of the header of this name.
pub fn header<'a>(message: &'a str, name: &str) -> &'a str {
    headers(message, name).first().copied().unwrap_or_else(|| panic!("no {name} in {message}"))
}

/// The peer's end of a call.
#[derive(Clone, Debug)]
pub struct Leg {
    call_id: String,
    ours: String,
    /// The phone's end, as its To header names it.
    pub theirs: String,
    cseq: u32,
    branch: String,
}

/// A message that went over the wire.
#[derive(Clone, Debug)]
pub struct Said {
    /// It came here.
    #[allow(dead_code, reason = "the ladders use it")]
    pub came: bool,
    /// The server at the other end of the connection.
    #[allow(dead_code, reason = "the ladders use it")]
    pub host: String,
    #[allow(dead_code, reason = "the ladders use it")]
    pub text: String,
}

/// A phone, and everything around it.
pub struct Stage {
    pub phone: Phone,
    pub now: Moment,
    pub flow: FlowId,
    pub opened: usize,
    pub closed: Vec<FlowId>,
    pub sent: Vec<String>,
    pub reserving: Vec<CallId>,
    /// Ports are given as soon as they are asked for.
    pub ports_at_once: bool,
    pub applied: Vec<(CallId, MediaPlan)>,
    pub released: Vec<CallId>,
    pub digits: Vec<String>,
    pub muted: Vec<(CallId, bool)>,
    /// How often the microphone was to be opened anew.
    #[allow(dead_code, reason = "not every test looks")]
    pub reopened: usize,
    pub tone: Option<Tone>,
    pub records: Vec<CallRecord>,
    pub notices: Vec<NoticeBody>,
    pub registrations: Vec<Registration>,
    pub stopped: usize,
    pub restarts: Vec<bool>,
    /// What was asked of phones on the desk.
    pub orders: Vec<DeskOrder>,
    /// The machine's address.
    pub home: [u8; 4],
    /// Everything that went over the wire in order.
    pub wire: Vec<Said>,
    /// Connections that were asked for and not closed, with the host each goes to.
    pub flows: Vec<(FlowId, String)>,
    count: u32,
}

impl Stage {
    /// A phone that has not started.
    pub fn new() -> Self {
        Self::of(account())
    }

    /// A registered phone over this kind of connection, with this to say about encryption.
    pub fn encrypting(link: Link, encryption: MediaEncryption) -> Self {
        let mut account = PhoneAccount { encryption, ..account() };
        account.servers[0].link = link;
        Self::of(account).in_service()
    }

    pub fn of(account: PhoneAccount) -> Self {
        #[allow(clippy::disallowed_methods, reason = "virtual time needs a start")]
        let at = Instant::now();
        Self {
            phone: Phone::new(account, "Offhook-Test", 0, 42, Box::new(Known(7))),
            now: Moment { at, wall: Timestamp(1_000_000) },
            flow: FlowId(0),
            opened: 0,
            closed: vec![],
            sent: vec![],
            reserving: vec![],
            ports_at_once: true,
            applied: vec![],
            released: vec![],
            digits: vec![],
            muted: vec![],
            reopened: 0,
            tone: None,
            records: vec![],
            notices: vec![],
            registrations: vec![],
            stopped: 0,
            orders: vec![],
            restarts: vec![],
            home: [10, 0, 0, 1],
            wire: vec![],
            flows: vec![],
            count: 0,
        }
    }

    /// Started and registered.
    pub fn registered() -> Self {
        Self::new().in_service()
    }

    pub fn in_service(mut self) -> Self {
        self.phone.start(self.now);
        self.drain();
        self.open();
        self.accept_register();
        self
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.phone.poll() {
            match output {
                Output::Open { flow, server, .. } => {
                    self.flow = flow;
                    self.flows.push((flow, server.host));
                    self.opened += 1;
                }
                Output::Send { bytes, flow } => {
                    let host = self.host(flow);
                    let text = String::from_utf8(bytes).expect("text");
                    // Pings keep the way open and are not part of any script.
                    if !text.trim().is_empty() {
                        self.wire.push(Said { came: false, host, text: text.clone() });
                        self.sent.push(text);
                    }
                }
                Output::Close(flow) => {
                    self.flows.retain(|(open, _)| *open != flow);
                    self.closed.push(flow);
                }
                Output::Registration(registration) => self.registrations.push(registration),
                Output::Reserve { call, ip, .. } if self.ports_at_once => {
                    if let std::net::IpAddr::V4(ip) = ip {
                        self.home = ip.octets();
                    }
                    self.give_ports(call);
                }
                Output::Reserve { call, .. } => self.reserving.push(call),
                Output::Apply { call, plan } => self.applied.push((call, *plan)),
                Output::Release(call) => self.released.push(call),
                Output::Dtmf { digits, .. } => self.digits.push(digits),
                Output::Mute { call, muted } => self.muted.push((call, muted)),
                Output::Reopen => self.reopened += 1,
                Output::Tone(tone) => self.tone = tone,
                Output::Record(record) => self.records.push(record),
                Output::Notice(body) => self.notices.push(body),
                Output::Restart { reset } => self.restarts.push(reset),
                Output::Desk { order, .. } => self.orders.push(order),
                Output::Stopped => self.stopped += 1,
            }
        }
    }

    /// Where a connection goes that is open.
    fn host(&self, flow: FlowId) -> String {
        let found = self.flows.iter().find(|(open, _)| *open == flow);
        found.expect("sent on a flow that is not open").1.clone()
    }

    pub fn give_ports(&mut self, call: CallId) {
        let port = 20_000 + 2 * u16::try_from(call.0).expect("a small id");
        let at = |port| SocketAddr::from((self.home, port));
        self.phone.reserved(call, Ok((at(port), at(port + 1))), self.now);
        self.drain();
    }

    pub fn open(&mut self) {
        let local = SocketAddr::from((self.home, 40_000));
        let remote = "10.0.0.9:5060".parse().expect("address");
        self.phone.flow_opened(self.flow, local, remote, self.now);
        self.drain();
    }

    /// Speaks for this server from now on; false without an open connection to it.
    #[allow(dead_code, reason = "the ladders use it")]
    pub fn at(&mut self, host: &str) -> bool {
        let found = self.flows.iter().rev().find(|(_, at)| at == host).map(|(flow, _)| *flow);
        self.flow = found.unwrap_or(self.flow);
        found.is_some()
    }

    /// A connection that is asked for is refused.
    #[allow(dead_code, reason = "the ladders use it")]
    pub fn refuse(&mut self, flow: FlowId) {
        self.flows.retain(|(open, _)| *open != flow);
        self.phone.flow_failed(flow, Fault::PortRefused, self.now);
        self.drain();
    }

    pub fn lose_flow(&mut self) {
        self.flows.retain(|(open, _)| *open != self.flow);
        self.phone.flow_failed(self.flow, Fault::Closed, self.now);
        self.drain();
    }

    pub fn feed(&mut self, text: &str) {
        // What comes over a connection that is closed is ignored, which some tests are about.
        let host = self.flows.iter().find(|(open, _)| *open == self.flow);
        let host = host.map(|(_, host)| host.clone()).unwrap_or_default();
        self.wire.push(Said { came: true, host, text: text.to_owned() });
        self.phone.receive(self.flow, text.as_bytes(), self.now);
        self.drain();
    }

    /// The oldest message sent and not looked at; it must start so.
    pub fn take(&mut self, start: &str) -> String {
        assert!(!self.sent.is_empty(), "wanted {start}, and nothing was sent");
        let message = self.sent.remove(0);
        assert!(message.starts_with(start), "wanted {start}: {message}");
        message
    }

    /// Nothing was sent since the last look.
    pub fn nothing_sent(&self) {
        assert!(self.sent.is_empty(), "{:#?}", self.sent);
    }

    pub fn accept_register(&mut self) {
        let request = self.take("REGISTER ");
        let contact = format!("Contact: {};expires=3600\r\n", header(&request, "Contact"));
        self.respond(&request, "200 OK", &contact, "");
    }

    /// Answers a request of the phone. Bob's tag is `bob`.
    pub fn respond(&mut self, request: &str, status: &str, more: &str, content: &str) {
        let text = Self::response(request, status, more, content);
        self.feed(&text);
    }

    /// The response to a request of the phone.
    pub fn response(request: &str, status: &str, more: &str, content: &str) -> String {
        let mut out = format!("SIP/2.0 {status}\r\n");
        for via in headers(request, "Via") {
            out.push_str(&format!("Via: {via}\r\n"));
        }
        for name in ["From", "Call-ID", "CSeq"] {
            out.push_str(&format!("{name}: {}\r\n", header(request, name)));
        }
        let to = header(request, "To");
        let tag = if to.contains(";tag=") || status.starts_with("100") { "" } else { ";tag=bob" };
        out.push_str(&format!("To: {to}{tag}\r\nContact: <sip:bob@10.0.0.2:5060>\r\n{more}"));
        if !content.is_empty() {
            out.push_str("Content-Type: application/sdp\r\n");
        }
        out.push_str(&format!("Content-Length: {}\r\n\r\n{content}", content.len()));
        out
    }

    /// Bob's end of a call that the phone made.
    pub fn leg_of(&self, invite: &str) -> Leg {
        Leg {
            call_id: header(invite, "Call-ID").to_owned(),
            ours: format!("{};tag=bob", header(invite, "To")),
            theirs: header(invite, "From").to_owned(),
            cseq: 100,
            branch: String::new(),
        }
    }

    /// Sends a request of Bob's in this call.
    pub fn request(&mut self, leg: &mut Leg, method: &str, more: &str, content: &str) {
        let kind = match content {
            "" => "",
            _ if content.starts_with("SIP/2.0 ") => "Content-Type: message/sipfrag\r\n",
            _ if content.starts_with("<x-cisco-remotecc-response") => {
                "Content-Type: application/x-cisco-remotecc-response+xml\r\n"
            }
            _ if content.starts_with('<') => {
                "Content-Type: application/x-cisco-remotecc-request+xml\r\n"
            }
            _ => "Content-Type: application/sdp\r\n",
        };
        self.request_as_is(leg, method, &format!("{more}{kind}"), content);
    }

    /// The same, with a Content-Type in `more`.
    pub fn request_as_is(&mut self, leg: &mut Leg, method: &str, more: &str, content: &str) {
        self.count += 1;
        if !matches!(method, "ACK" | "CANCEL") {
            leg.cseq += 1;
        }
        if method != "CANCEL" {
            leg.branch = format!("z9hG4bKbob{}", self.count);
        }
        let text = format!(
            "{method} sip:alice@10.0.0.1:40000 SIP/2.0\r\n\
             Via: SIP/2.0/TCP 10.0.0.9:5060;branch={}\r\nMax-Forwards: 70\r\nFrom: {}\r\n\
             To: {}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\nContact: <sip:bob@10.0.0.2:5060>\r\n\
             {more}Content-Length: {}\r\n\r\n{content}",
            leg.branch,
            leg.ours,
            leg.theirs,
            leg.call_id,
            leg.cseq,
            content.len()
        );
        self.feed(&text);
    }

    /// Bob's end of a call is what a new call of his would replace.
    #[allow(dead_code, reason = "the ladders use it")]
    pub fn dialog_of(leg: &Leg) -> (String, String, String) {
        let tag = |text: &str| text.rsplit(";tag=").next().unwrap_or("").to_owned();
        (leg.call_id.clone(), tag(&leg.theirs), tag(&leg.ours))
    }

    /// Bob calls. The phone's 100 and 180 are not looked at yet.
    pub fn invite(&mut self, content: &str) -> Leg {
        self.invite_with("", content)
    }

    /// Bob calls with more headers.
    pub fn invite_with(&mut self, more: &str, content: &str) -> Leg {
        self.invite_from("\"Bob\" <sip:2002@example.test>", more, content)
    }

    /// The server asks for something outside every call.
    #[allow(dead_code, reason = "the ladders use it")]
    pub fn server_asks(&mut self, method: &str, more: &str, content: &str) -> Leg {
        let mut leg = self.server_leg();
        self.request(&mut leg, method, more, content);
        leg
    }

    /// The same, with a Content-Type in `more`.
    #[allow(dead_code, reason = "the ladders use it")]
    pub fn server_says(&mut self, method: &str, more: &str, content: &str) {
        let mut leg = self.server_leg();
        self.request_as_is(&mut leg, method, more, content);
    }

    fn server_leg(&mut self) -> Leg {
        self.count += 1;
        Leg {
            call_id: format!("server-{}", self.count),
            ours: format!("<sip:server@example.test>;tag=server{}", self.count),
            theirs: "<sip:alice@example.test>".into(),
            cseq: 0,
            branch: String::new(),
        }
    }

    /// Somebody calls.
    pub fn invite_from(&mut self, who: &str, more: &str, content: &str) -> Leg {
        self.count += 1;
        let mut leg = Leg {
            call_id: format!("call-{}", self.count),
            ours: format!("{who};tag=caller{}", self.count),
            theirs: "<sip:alice@example.test>".into(),
            cseq: 0,
            branch: String::new(),
        };
        self.request(&mut leg, "INVITE", more, content);
        leg
    }

    /// Bob calls and it rings here.
    pub fn ringing_here(&mut self) -> (CallId, Leg) {
        let mut leg = self.invite(&sdp("sendrecv"));
        self.take("SIP/2.0 100 ");
        let ringing = self.take("SIP/2.0 180 ");
        leg.theirs = header(&ringing, "To").to_owned();
        (self.newest(), leg)
    }

    /// We called and Bob answered.
    pub fn talking(&mut self) -> (CallId, Leg) {
        let id = self.phone.dial(bob(), self.now).expect("dialled");
        self.drain();
        let invite = self.take("INVITE ");
        self.respond(&invite, "200 OK", "", &sdp("sendrecv"));
        self.take("ACK ");
        assert_eq!(self.state(id), CallState::Connected);
        (id, self.leg_of(&invite))
    }

    pub fn newest(&self) -> CallId {
        self.phone.calls().last().expect("a call").id
    }

    pub fn call(&self, id: CallId) -> Call {
        self.phone.calls().into_iter().find(|call| call.id == id).expect("the call")
    }

    pub fn state(&self, id: CallId) -> CallState {
        self.call(id).state
    }

    /// Cause and status of a call that is over.
    pub fn end(&self, id: CallId) -> (&'static str, Option<u16>) {
        let end = self.call(id).end.expect("over");
        (end.cause, end.sip_status)
    }

    /// Whether the call's sound goes out and comes in, by the newest plan.
    pub fn sound(&self, id: CallId) -> (bool, bool) {
        let newest = self.applied.iter().rev().find(|(call, _)| *call == id);
        newest.map_or((false, false), |(_, plan)| (plan.sending, plan.receiving))
    }

    /// The states told of this call, in order.
    pub fn told(&self, wanted: CallId) -> Vec<CallState> {
        let mut states: Vec<CallState> = self
            .notices
            .iter()
            .filter_map(|body| match body {
                NoticeBody::Call { id, state, .. } if *id == wanted => Some(*state),
                _ => None,
            })
            .collect();
        states.dedup();
        states
    }

    /// Lets time pass, waking the phone exactly when it asks.
    pub fn advance(&mut self, time: Duration) {
        let end = self.now.at + time;
        for _ in 0..10_000 {
            let due = self.phone.next_timeout().filter(|at| *at <= end);
            let step = due.unwrap_or(end).saturating_duration_since(self.now.at);
            self.now = self.now.plus(step);
            if due.is_none() {
                return;
            }
            self.phone.handle_timeout(self.now);
            self.drain();
        }
        panic!("the phone never rests");
    }
}

/// Chance that everybody knows.
struct Known(u8);

impl Entropy for Known {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *byte = self.0;
        }
    }
}
