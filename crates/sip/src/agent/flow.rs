//! The flow in use: cutting its stream, keeping it alive, naming it in headers.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use offhook_model::{Fault, Link};
use offhook_ports::FlowId;
use offhook_stun::{Class, Draft, Message, Method, TransactionId};

use super::outbound::within;
use super::{Output, UserAgent};
use crate::message::{Defect, Frame, Framer, ParseError, parse, salvage};
use crate::token::Tokens;

/// Between pings on a stream (RFC 5626 section 4.4.1 allows up to 120 s for TCP). Rare, because
/// every ping is a wake-up.
const PING_EVERY: Duration = Duration::from_secs(95);
/// Between line ends on datagrams that go through a NAT: the smallest time that one may forget
/// us after is half a minute in practice.
const NAT_EVERY: (Duration, Duration) = (Duration::from_secs(24), Duration::from_secs(29));
/// How long a server that has answered pings before may take.
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// A Binding request is repeated after this time, then after twice that and so on (RFC 8489
/// section 6.2.1).
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How long a message that has begun on a stream may take to come whole: as long as a transaction
/// waits (RFC 3261 timer F). One that promises more bytes than it has would otherwise swallow what
/// comes after it (RFC 4475 section 3.1.2.2).
const REST_WITHIN: Duration = crate::transaction::PATIENCE;

/// An open flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub id: FlowId,
    pub link: Link,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// Where the server sees us, when that is not `local` (datagrams behind NAT).
    pub public: Option<SocketAddr>,
    framer: Framer,
    /// When the rest of a message that has begun must be there.
    rest_due: Option<Instant>,
    /// Least and most between pings.
    ping_every: (Duration, Duration),
    ping_at: Option<Instant>,
    pong_due: Option<Instant>,
    /// The server has answered a ping or agreed to, so it will answer others.
    answers_pings: bool,
    /// Pings of datagrams are Binding requests (RFC 5626 section 4.4.2).
    asks_stun: bool,
    asked: Option<Asked>,
    /// Where a Binding answer saw us.
    mapped: Option<SocketAddr>,
}

/// A Binding request that waits for its answer.
#[derive(Debug)]
struct Asked {
    id: TransactionId,
    again_at: Instant,
    wait: Duration,
}

/// What came over a flow.
#[derive(Debug)]
pub(super) enum Received {
    /// Whole messages, and how many pings.
    Messages { messages: Vec<Vec<u8>>, pings: usize },
    /// What cannot be cut into messages.
    Nonsense,
}

impl Flow {
    pub fn new(id: FlowId, link: Link, local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            id,
            link,
            local,
            remote,
            public: None,
            framer: Framer::new(),
            rest_due: None,
            ping_every: (PING_EVERY, PING_EVERY),
            ping_at: None,
            pong_due: None,
            answers_pings: false,
            asks_stun: false,
            asked: None,
            mapped: None,
        }
    }

    /// Via of a request under this branch.
    pub fn via(&self, branch: &str) -> String {
        let transport = match self.link {
            Link::Udp => "UDP",
            Link::Tcp => "TCP",
            Link::Tls | Link::StartTls => "TLS",
        };
        format!("SIP/2.0/{transport} {};branch={branch};rport", host_port(self.local))
    }

    /// Our Contact URI for this user.
    pub fn contact(&self, user: &str) -> String {
        self.contact_at(user, self.public.unwrap_or(self.local))
    }

    /// The Contact URI with another address.
    pub fn contact_at(&self, user: &str, at: SocketAddr) -> String {
        let transport = match self.link {
            Link::Udp => "",
            Link::Tcp => ";transport=tcp",
            Link::Tls | Link::StartTls => ";transport=tls",
        };
        format!("sip:{}@{}{transport}", crate::message::uri::escape_user(user), host_port(at))
    }

    /// Cuts what came into messages, for a flow whose messages cannot close it.
    pub fn receive(&mut self, bytes: &[u8]) -> Received {
        if self.link == Link::Udp {
            return Received::Messages { messages: vec![bytes.to_vec()], pings: 0 };
        }
        self.framer.push(bytes);
        let (mut messages, mut pings) = (vec![], 0);
        loop {
            match self.framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) => messages.push(bytes),
                Ok(Some(Frame::Ping)) => pings += 1,
                Ok(Some(Frame::Pong)) => {}
                Ok(None) => return Received::Messages { messages, pings },
                Err(_) => return Received::Nonsense,
            }
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        let again = self.asked.as_ref().map(|asked| asked.again_at);
        [self.ping_at, self.pong_due, self.rest_due, again].into_iter().flatten().min()
    }

    /// Pings a registrar that did not say whether it wants them: on streams, and on datagrams
    /// where only they keep the way through a NAT open.
    pub fn start_pings(&mut self, tokens: &mut Tokens, now: Instant) {
        if self.ping_at.is_some() || (self.link == Link::Udp && self.public.is_none()) {
            return;
        }
        if self.link == Link::Udp {
            self.ping_every = NAT_EVERY;
        }
        self.ping_at = Some(now + within(self.ping_every, tokens));
    }

    /// Pings a registrar that has agreed to outbound, within these times, and wants answers.
    pub fn ping_within(&mut self, every: (Duration, Duration), tokens: &mut Tokens, now: Instant) {
        (self.answers_pings, self.asks_stun) = (true, self.link == Link::Udp);
        if self.ping_every != every || self.ping_at.is_none() {
            self.ping_every = every;
            self.ping_at = Some(now + within(every, tokens));
        }
    }

    /// The bytes of a ping.
    fn ping(&mut self, tokens: &mut Tokens, now: Instant) -> Vec<u8> {
        if !self.asks_stun {
            return b"\r\n\r\n".to_vec();
        }
        let mut id = [0; 12];
        id[..8].copy_from_slice(&tokens.next().to_be_bytes());
        id[8..].copy_from_slice(&tokens.next().to_be_bytes()[..4]);
        self.asked = Some(Asked { id, again_at: now + ASK_AGAIN, wait: ASK_AGAIN });
        binding_request(id)
    }

    /// Takes the answer to a Binding request; false when it shows that our way through the network
    /// has changed.
    pub fn pong(&mut self, answer: &Message<'_>) -> bool {
        if self.asked.as_ref().is_none_or(|asked| asked.id != answer.transaction()) {
            return true;
        }
        (self.asked, self.pong_due) = (None, None);
        let Some(mapped) = answer.mapped() else { return true };
        self.mapped.replace(mapped).is_none_or(|before| before == mapped)
    }
}

/// A Binding request without attributes (RFC 5626 section 4.4.2).
fn binding_request(id: TransactionId) -> Vec<u8> {
    Draft::new(Class::Request, Method::Binding, id).plain()
}

/// A server's answer to one; nothing for anything else. No SIP message begins with such a byte.
pub(super) fn binding_answer(bytes: &[u8]) -> Option<Message<'_>> {
    let message = Message::parse(bytes).ok()?;
    ((message.class, message.method) == (Class::Success, Method::Binding)).then_some(message)
}

/// Address and port as in a URI, without an IPv6 scope.
pub(super) fn host_port(at: SocketAddr) -> String {
    match at.ip() {
        IpAddr::V4(ip) => format!("{ip}:{}", at.port()),
        IpAddr::V6(ip) => format!("[{ip}]:{}", at.port()),
    }
}

impl UserAgent {
    /// Takes bytes of the open flow.
    pub(super) fn take(&mut self, bytes: &[u8], now: Instant) {
        let Some(flow) = &mut self.flow else { return };
        if flow.link == Link::Udp {
            if !self.take_stun(bytes, now) {
                self.whole_message(bytes, now);
            }
            return;
        }
        let id = flow.id;
        flow.framer.push(bytes);
        // Handling a message may close the flow.
        while let Some(flow) = self.flow.as_mut().filter(|flow| flow.id == id) {
            match flow.framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) => {
                    flow.rest_due = None;
                    self.whole_message(&bytes, now);
                }
                Ok(Some(Frame::Ping)) => {
                    self.out.push_back(Output::Send { flow: id, bytes: b"\r\n".to_vec() })
                }
                Ok(Some(Frame::Pong)) => {
                    flow.pong_due = None;
                    flow.answers_pings = true;
                }
                Ok(None) => {
                    let rest = (!flow.framer.rest().is_empty()).then(|| now + REST_WITHIN);
                    flow.rest_due = flow.rest_due.filter(|_| rest.is_some()).or(rest);
                    break;
                }
                Err(error) => {
                    let rest = flow.framer.rest().to_vec();
                    self.refuse_unreadable(&rest, error);
                    // What was answered goes out before the connection ends.
                    self.flush();
                    self.close_after(Fault::Nonsense(error.to_string()), now);
                    break;
                }
            }
        }
    }

    /// A datagram, or what a stream was cut into.
    fn whole_message(&mut self, bytes: &[u8], now: Instant) {
        match parse(bytes) {
            Ok(message) => self.message(&message, now),
            // Keep-alives and garbage are no messages; who sent them does not matter.
            Err(error) => self.refuse_unreadable(bytes, error),
        }
    }

    fn refuse_unreadable(&mut self, bytes: &[u8], error: ParseError) {
        if let Some(request) = salvage(bytes) {
            let status = match error {
                ParseError::BodyTooLarge => 413,
                _ => request.defect().filter(|d| *d == Defect::Version).map_or(400, Defect::status),
            };
            self.refuse_unusable(&request, status);
        }
    }

    pub(super) fn message(&mut self, message: &crate::message::Message, now: Instant) {
        if message.method().is_some() {
            self.request(message, now);
        } else if message.defect().is_none() {
            self.response(message, now);
        }
    }

    /// Pings what wants to be pinged, and notices a server that no longer answers.
    pub(super) fn keep_alive(&mut self, now: Instant) {
        let Some(flow) = &mut self.flow else { return };
        if flow.rest_due.into_iter().chain(flow.pong_due).any(|due| due <= now) {
            self.close_after(Fault::AnswerTimeout, now);
            return;
        }
        let id = flow.id;
        if flow.ping_at.is_some_and(|at| at <= now) {
            flow.ping_at = Some(now + within(flow.ping_every, &mut self.tokens));
            flow.pong_due = flow.answers_pings.then(|| now + PONG_WITHIN);
            let bytes = flow.ping(&mut self.tokens, now);
            self.out.push_back(Output::Send { flow: id, bytes });
        } else if let Some(asked) = flow.asked.as_mut().filter(|asked| asked.again_at <= now) {
            asked.wait *= 2;
            asked.again_at = now + asked.wait;
            self.out.push_back(Output::Send { flow: id, bytes: binding_request(asked.id) });
        }
    }
}
