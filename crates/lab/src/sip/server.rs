//! The SIP server's heart: transactions (RFC 3261 section 17), and which part of the server a
//! message is for.
//!
//! One task owns everything and never waits for anything but the next message or the next tick,
//! so there is no locking and no order of events to reason about.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::calls::Call;
use super::digest::Nonces;
use super::message::{Message, Start};
use super::registrar::Binding;
use super::transport::{Arrival, Kind, Route, Transports};
use crate::deployment::Deployment;
use crate::random;

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// 64 × T1: the life of a transaction without an answer.
const LIFE: Duration = Duration::from_secs(32);
const TICK: Duration = Duration::from_millis(100);
/// One packet of sound.
const BEAT: Duration = Duration::from_millis(20);
/// Transactions of each kind kept at a time.
const MAX_TRANSACTIONS: usize = 4096;

/// A request with the way back to its sender.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) route: Route,
    pub(super) message: Message,
    /// Key of its server transaction.
    pub(super) key: String,
}

/// Why we sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The first INVITE of a branch of a call.
    Branch { call: u64, branch: usize },
    /// A request of one side passed on to the other; the key is the sender's transaction.
    Forward { call: u64, to: super::calls::Side, key: String },
    /// Somebody is asked to come to the conference bridge.
    Seat(u64),
    /// A side is asked to listen to music.
    Music { call: u64, to: super::calls::Side },
    /// The side of a parked call that waited is asked to talk again.
    Back { call: u64 },
    /// Nobody waits for the answer.
    Alone,
}

/// Repeats of something sent over UDP until it is answered.
#[derive(Debug, Clone, Copy)]
struct Repeat {
    at: Instant,
    interval: Duration,
}

impl Repeat {
    fn start(now: Instant) -> Self {
        Self { at: now + T1, interval: T1 }
    }

    fn due(&mut self, now: Instant, cap: Duration) -> bool {
        if now < self.at {
            return false;
        }
        self.interval = (self.interval * 2).min(cap);
        self.at = now + self.interval;
        true
    }
}

#[derive(Debug)]
struct ServerTransaction {
    route: Route,
    call_id: String,
    cseq: u32,
    response: Option<Vec<u8>>,
    repeat: Option<Repeat>,
    ends: Instant,
}

#[derive(Debug)]
struct ClientTransaction {
    route: Route,
    request: Message,
    purpose: Purpose,
    repeat: Option<Repeat>,
    provisional: bool,
    /// A CANCEL waits for the first provisional response, and whether it is for the call was
    /// answered elsewhere.
    cancel: Option<bool>,
    /// Set once there is a final response: what acknowledges it.
    ack: Option<Vec<u8>>,
    done: bool,
    ends: Instant,
}

/// The server.
pub(crate) struct Server {
    pub(super) lab: Arc<Deployment>,
    pub(super) transports: Arc<Transports>,
    pub(super) bindings: Vec<Binding>,
    pub(super) nonces: Nonces,
    pub(super) calls: HashMap<u64, Call>,
    pub(super) next_call: u64,
    /// Requests passed on and not answered yet, by transaction key.
    pub(super) forwarded: HashMap<String, (u64, super::calls::Side, Incoming)>,
    answered: HashMap<String, ServerTransaction>,
    asked: HashMap<String, ClientTransaction>,
    /// Where all calls to a person go, by user id.
    pub(super) diverted: HashMap<String, String>,
    /// Parked calls by the number that takes them back.
    pub(super) parked: HashMap<String, super::calls::Parked>,
    pub(super) watchers: Vec<super::watchers::Watcher>,
    /// Conferences, and the sound of the server's own.
    pub(super) bridge: super::calls::Bridge,
    pub(super) music: Vec<super::calls::Playing>,
    /// Calls that were taken and whose callers have not acknowledged that yet.
    pub(super) taken: Vec<super::calls::Taken>,
    /// Sound of calls with phones outside.
    pub(super) passages: crate::edge::media::Passages,
    /// Who does not want to be disturbed, by user id.
    pub(super) quiet: HashMap<String, super::told::Quiet>,
}

/// Runs the server until dropped.
pub(crate) async fn run(
    lab: Arc<Deployment>,
    transports: Arc<Transports>,
    mut inbox: mpsc::Receiver<Arrival>,
) {
    let passages = crate::edge::media::Passages::new(lab.config.bind);
    let mut server = Server {
        lab,
        passages,
        transports,
        bindings: Vec::new(),
        nonces: Nonces::default(),
        calls: HashMap::new(),
        next_call: 1,
        forwarded: HashMap::new(),
        answered: HashMap::new(),
        asked: HashMap::new(),
        diverted: HashMap::new(),
        parked: HashMap::new(),
        watchers: Vec::new(),
        bridge: super::calls::Bridge::default(),
        music: Vec::new(),
        taken: Vec::new(),
        quiet: HashMap::new(),
    };
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut beats = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            arrival = inbox.recv() => match arrival {
                Some(Arrival::Message(route, message)) => {
                    server.arrived(Instant::now(), route, message);
                }
                Some(Arrival::Closed(route)) => server.closed(Instant::now(), &route),
                Some(Arrival::Word(word)) => server.word(Instant::now(), word),
                None => return,
            },
            _ = ticks.tick() => server.tick(Instant::now()),
            _ = beats.tick(), if !server.bridge.mixer.is_idle() => server.bridge.mixer.beat(),
        }
    }
}

/// Says where a request came from, when the sender asked or its Via does not tell (RFC 3581).
fn note_source(message: &mut Message, route: &Route) {
    let Some(via) = message.header("Via") else { return };
    let (ip, port) = (route.peer.ip(), route.peer.port());
    let noted: Vec<String> = via
        .split(';')
        .map(|part| {
            if part.trim().eq_ignore_ascii_case("rport") {
                format!("rport={port};received={ip}")
            } else {
                part.to_owned()
            }
        })
        .collect();
    let noted = noted.join(";");
    message.set("Via", noted);
}

fn server_key(message: &Message, route: &Route, method: &str) -> String {
    let via = message.header("Via").unwrap_or_default();
    let sent_by = via.split(';').next().unwrap_or_default();
    format!("{} {sent_by} {} {method}", message.branch(), route.stream)
}

impl Server {
    fn arrived(&mut self, now: Instant, route: Route, mut message: Message) {
        tracing::trace!(kind = route.kind.name(), start = ?message.start, "SIP in");
        match &message.start {
            Start::Response { .. } => {
                let _ = self.came_from_outside(&route, &mut message);
                self.response(now, message);
            }
            Start::Request { method, .. } => {
                let method = method.clone();
                note_source(&mut message, &route);
                if method == "ACK" {
                    // An ACK cannot be refused; without keys it brings no sound.
                    let _ = self.came_from_outside(&route, &mut message);
                    return self.ack(now, &route, &message);
                }
                let key = server_key(&message, &route, &method);
                if let Some(known) = self.answered.get(&key) {
                    if let Some(bytes) = known.response.clone() {
                        self.transports.send(&route, bytes);
                    }
                    return;
                }
                if self.answered.len() >= MAX_TRANSACTIONS {
                    tracing::warn!("too many SIP transactions, a request was dropped");
                    return;
                }
                self.answered.insert(
                    key.clone(),
                    ServerTransaction {
                        route,
                        call_id: message.call_id().to_owned(),
                        cseq: message.cseq().0,
                        response: None,
                        repeat: None,
                        // An INVITE may ring for as long as the configuration allows.
                        ends: now + LIFE + Duration::from_secs(self.lab.config.sip.no_answer),
                    },
                );
                self.request(now, Incoming { route, message, key });
            }
        }
    }

    fn request(&mut self, now: Instant, mut incoming: Incoming) {
        if let Err((status, reason)) =
            self.came_from_outside(&incoming.route, &mut incoming.message)
        {
            return self.refuse(now, &incoming, status, reason);
        }
        let method = incoming.message.method().to_owned();
        if method == "CANCEL" {
            return self.cancel(now, &incoming);
        }
        let renewed = method == "SUBSCRIBE";
        if !incoming.message.receiver_tag().is_empty() && !renewed {
            return self.in_dialog(now, incoming);
        }
        match method.as_str() {
            "REGISTER" => self.register(now, &incoming),
            "INVITE" => self.invite(now, incoming),
            "OPTIONS" => {
                let reply = self.reply(&incoming, 200, "OK").with("Accept", "application/sdp");
                self.respond(now, &incoming.key, &reply);
            }
            "SUBSCRIBE" => self.subscribe(now, &incoming),
            "PUBLISH" => self.publish(now, &incoming),
            "BYE" | "INFO" | "UPDATE" | "PRACK" | "NOTIFY" => {
                self.refuse(now, &incoming, 481, "Call/Transaction Does Not Exist");
            }
            "REFER" => self.pressed(now, &incoming),
            "MESSAGE" => self.refuse(now, &incoming, 405, "Method Not Allowed"),
            _ => self.refuse(now, &incoming, 501, "Not Implemented"),
        }
    }

    /// A response to a request, with the headers all of ours carry.
    pub(super) fn reply(&self, incoming: &Incoming, status: u16, reason: &str) -> Message {
        let mut reply = Message::response(&incoming.message, status, reason);
        if status > 100 && reply.receiver_tag().is_empty() {
            let to = reply.header("To").unwrap_or_default().to_owned();
            reply.set("To", format!("{to};tag={}", random::hex::<8>()));
        }
        reply
            .with("Server", "Offhook-Lab")
            .with("Allow", "ACK,BYE,CANCEL,INVITE,NOTIFY,OPTIONS,REGISTER,UPDATE,INFO")
            .with("Supported", "replaces,X-cisco-srtp-fallback,X-cisco-sis-10.0.0")
    }

    pub(super) fn refuse(&mut self, now: Instant, incoming: &Incoming, status: u16, reason: &str) {
        let reply = self.reply(incoming, status, reason);
        self.respond(now, &incoming.key, &reply);
    }

    /// Sends a response and remembers it for repeats.
    pub(super) fn respond(&mut self, now: Instant, key: &str, response: &Message) {
        let Some(route) = self.answered.get(key).map(|known| known.route) else { return };
        let bytes = self.goes_outside(&route, response.clone()).to_bytes();
        let Some(transaction) = self.answered.get_mut(key) else { return };
        transaction.response = Some(bytes.clone());
        if response.status() >= 200 {
            transaction.ends = now + LIFE;
            let invite = response.cseq().1 == "INVITE";
            if invite && transaction.route.kind == Kind::Udp {
                transaction.repeat = Some(Repeat::start(now));
            }
        }
        let route = transaction.route;
        self.transports.send(&route, bytes);
    }

    /// The key of the INVITE a CANCEL is about.
    pub(super) fn cancelled_key(&self, incoming: &Incoming) -> String {
        server_key(&incoming.message, &incoming.route, "INVITE")
    }

    fn ack(&mut self, now: Instant, route: &Route, message: &Message) {
        let number = message.cseq().0;
        let key = server_key(message, route, "INVITE");
        let mut failed_call = false;
        for (known, transaction) in &mut self.answered {
            let same_call = transaction.call_id == message.call_id() && transaction.cseq == number;
            if *known == key {
                failed_call = true;
            }
            if *known == key || same_call {
                transaction.repeat = None;
            }
        }
        // An ACK inside the transaction acknowledges a refusal and concerns nobody else.
        if !failed_call {
            self.acknowledged(now, message);
        }
    }

    /// The address we name in Via and Contact.
    pub(super) fn local(&self, kind: Kind) -> std::net::SocketAddr {
        match kind {
            Kind::Udp => self.lab.services.sip_udp,
            Kind::Tcp => self.lab.services.sip_tcp,
            Kind::Tls => self.lab.services.sip_tls,
        }
    }

    fn via(&self, kind: Kind, branch: &str) -> String {
        format!("SIP/2.0/{} {};branch={branch}", kind.via(), self.local(kind))
    }

    /// Sends a request in a transaction of its own.
    pub(super) fn ask(&mut self, now: Instant, route: Route, request: Message, purpose: Purpose) {
        let branch = format!("z9hG4bK{}", random::hex::<8>());
        let request = self.as_it_can(&route, request);
        self.ask_with_branch(now, route, request, purpose, &branch);
    }

    fn ask_with_branch(
        &mut self,
        now: Instant,
        route: Route,
        request: Message,
        purpose: Purpose,
        branch: &str,
    ) {
        if self.asked.len() >= MAX_TRANSACTIONS {
            tracing::warn!("too many SIP transactions, a request was not sent");
            return;
        }
        let via = self.via(route.kind, branch);
        let key = format!("{branch} {}", request.method());
        let request = self.goes_outside(&route, with_via(request, via));
        self.transports.send(&route, request.to_bytes());
        self.asked.insert(
            key,
            ClientTransaction {
                route,
                request,
                purpose,
                repeat: (route.kind == Kind::Udp).then(|| Repeat::start(now)),
                provisional: false,
                cancel: None,
                ack: None,
                done: false,
                ends: now + LIFE,
            },
        );
    }

    /// Sends a request nobody answers: the ACK of a 2xx. Returns the bytes for repeats.
    pub(super) fn send_alone(&mut self, route: &Route, request: Message) -> Vec<u8> {
        let branch = format!("z9hG4bK{}", random::hex::<8>());
        let request = with_via(request, self.via(route.kind, &branch));
        let bytes = self.goes_outside(route, request).to_bytes();
        self.transports.send(route, bytes.clone());
        bytes
    }

    /// Sends bytes once more.
    pub(super) fn send_again(&self, route: &Route, bytes: Vec<u8>) {
        self.transports.send(route, bytes);
    }

    /// Cancels the INVITE of a branch, at once or as soon as the other side has reacted to it.
    pub(super) fn cancel_branch(
        &mut self,
        now: Instant,
        call: u64,
        branch: usize,
        elsewhere: bool,
    ) {
        let purpose = Purpose::Branch { call, branch };
        let found = self
            .asked
            .values_mut()
            .find(|transaction| transaction.purpose == purpose && !transaction.done);
        let Some(transaction) = found else { return };
        if !transaction.provisional {
            transaction.cancel = Some(elsewhere);
            return;
        }
        transaction.cancel = None;
        let (route, request) = (transaction.route, transaction.request.clone());
        let number = request.cseq().0;
        let cancel = Message::request("CANCEL", request.uri())
            .carry(&request, &["From", "To", "Call-ID"])
            .with("CSeq", format!("{number} CANCEL"))
            .with("Max-Forwards", "70")
            .with_no_body();
        let cancel = if elsewhere {
            cancel.with("Reason", "SIP;cause=200;text=\"Call completed elsewhere\"")
        } else {
            cancel
        };
        let branch_id = request.branch().to_owned();
        self.ask_with_branch(now, route, cancel, Purpose::Alone, &branch_id);
    }

    fn response(&mut self, now: Instant, message: Message) {
        let key = format!("{} {}", message.branch(), message.cseq().1);
        let status = message.status();
        let Some(transaction) = self.asked.get_mut(&key) else {
            return self.stray_response(now, &message);
        };
        if transaction.done {
            // The refusal came again: so did not our ACK.
            if let Some(ack) = transaction.ack.clone() {
                let route = transaction.route;
                self.transports.send(&route, ack);
            }
            return;
        }
        let invite = message.cseq().1 == "INVITE";
        if message.cseq().1 == "BYE" {
            self.note_statistics(&message, true);
        }
        let Some(transaction) = self.asked.get_mut(&key) else { return };
        if status < 200 {
            transaction.provisional = true;
            if invite {
                transaction.repeat = None;
                transaction.ends = now + LIFE + Duration::from_secs(self.lab.config.sip.no_answer);
            }
        } else {
            transaction.done = true;
            transaction.repeat = None;
            transaction.ends = now + Duration::from_secs(5);
        }
        let cancel_now = transaction.cancel.filter(|_| invite && status < 200);
        let (purpose, route) = (transaction.purpose.clone(), transaction.route);
        if invite && status >= 300 {
            let request = &transaction.request;
            let ack = Message::request("ACK", request.uri())
                .carry(request, &["Via", "From"])
                .with("To", message.header("To").unwrap_or_default())
                .carry(request, &["Call-ID"])
                .with("CSeq", format!("{} ACK", request.cseq().0))
                .with("Max-Forwards", "70")
                .with_no_body()
                .to_bytes();
            transaction.ack = Some(ack.clone());
            self.transports.send(&route, ack);
        }
        if invite && (200..300).contains(&status) {
            self.asked.remove(&key);
        }
        match purpose {
            Purpose::Branch { call, branch } => {
                if let Some(elsewhere) = cancel_now {
                    self.cancel_branch(now, call, branch, elsewhere);
                }
                self.branch_response(now, call, branch, &message);
            }
            other => self.answered(now, other, &message),
        }
    }

    /// What a request of ours was for.
    fn answered(&mut self, now: Instant, purpose: Purpose, message: &Message) {
        match purpose {
            Purpose::Branch { call, branch } => self.branch_response(now, call, branch, message),
            Purpose::Forward { call, to, key } => {
                self.forward_response(now, call, to, &key, message);
            }
            Purpose::Seat(seat) => self.seat_response(now, seat, message),
            Purpose::Music { call, to } => self.music_response(call, to, message),
            Purpose::Back { call } => self.back_response(now, call, message),
            Purpose::Alone => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        for transaction in self.answered.values_mut() {
            let due = transaction.repeat.as_mut().is_some_and(|repeat| repeat.due(now, T2));
            if let (true, Some(bytes)) = (due, &transaction.response) {
                self.transports.send(&transaction.route, bytes.clone());
            }
        }
        self.answered.retain(|_, transaction| now < transaction.ends);
        for transaction in self.asked.values_mut() {
            let cap = if transaction.request.method() == "INVITE" { LIFE } else { T2 };
            if transaction.repeat.as_mut().is_some_and(|repeat| repeat.due(now, cap)) {
                self.transports.send(&transaction.route, transaction.request.to_bytes());
            }
        }
        let over: Vec<String> = self
            .asked
            .iter()
            .filter(|(_, transaction)| now >= transaction.ends)
            .map(|(key, _)| key.clone())
            .collect();
        for key in over {
            let Some(transaction) = self.asked.remove(&key) else { continue };
            if transaction.done {
                continue;
            }
            // Silence counts as 408 (RFC 3261 section 8.1.3.1).
            let timeout = Message::response(&transaction.request, 408, "Request Timeout");
            self.answered(now, transaction.purpose, &timeout);
        }
        self.revert_parked(now);
        self.seats_again(now);
        self.expire_bindings(now);
        self.expire_calls(now);
        self.tell_watchers(now);
    }

    fn closed(&mut self, now: Instant, route: &Route) {
        self.drop_bindings_of(route);
        self.end_calls_of(now, route);
    }
}

fn with_via(request: Message, via: String) -> Message {
    // Via goes first, as readers of traces expect.
    let mut out = match &request.start {
        Start::Request { method, uri } => Message::request(method, uri),
        Start::Response { .. } => return request,
    }
    .with("Via", via);
    out = out.carry_all(&request);
    out
}
