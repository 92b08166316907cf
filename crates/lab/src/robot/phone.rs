//! The phone of a robot: a small SIP user agent registered over TCP like any other phone.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::PhoneCommand;
use super::g711::Law;
use super::media::{self, Report};
use super::sdp::{self, Remote};
use crate::config::{RobotConfig, RobotMode};
use crate::deployment::{Deployment, Person};
use crate::events::LabEvent;
use crate::random;
use crate::sip::message::{Framed, Message, Start, frame, uri_of, user_of};

/// Calls one robot has at a time; more are refused with 486.
const MAX_CALLS: usize = 32;
const SDP: &str = "application/sdp";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Rings until the moment given; `None` for ever.
    Ringing(Option<Instant>),
    /// We call and wait.
    Calling,
    /// Connected until the moment given.
    Up { since: Instant, until: Instant },
}

struct Call {
    state: State,
    incoming: bool,
    /// The INVITE that started it: theirs to be answered, or ours.
    invite: Message,
    /// Our address with tag, and theirs.
    local: String,
    remote: String,
    target: String,
    cseq: u32,
    /// Number of the other side.
    number: String,
    law: Option<Law>,
    sdp: sdp::Local,
    /// The media's view of the other side; dropping it ends the media.
    media: watch::Sender<Option<Remote>>,
    /// Socket and view kept until the call is answered and media starts.
    idle: Option<(UdpSocket, watch::Receiver<Option<Remote>>)>,
}

/// What is known about a call once its media has ended.
struct Ended {
    number: String,
    cause: &'static str,
    since: Instant,
}

struct Phone {
    lab: Arc<Deployment>,
    robot: RobotConfig,
    person: Person,
    laws: Vec<Law>,
    calls: HashMap<String, Call>,
    media: JoinSet<(String, Report)>,
    ended: HashMap<String, Ended>,
    recordings: u32,
    out: Vec<u8>,
    at: std::net::SocketAddr,
    register_id: String,
    register_cseq: u32,
}

/// Runs the phone until the laboratory stops, reconnecting if it has to.
pub(super) async fn run(
    lab: Arc<Deployment>,
    person: Person,
    robot: RobotConfig,
    mut commands: mpsc::Receiver<PhoneCommand>,
    mut stop: watch::Receiver<bool>,
) {
    let laws: Vec<Law> =
        lab.config.sip.codecs.iter().filter_map(|name| Law::by_name(name)).collect();
    let at = lab.services.sip_tcp;
    let mut phone = Phone {
        lab,
        robot,
        person,
        laws,
        calls: HashMap::new(),
        media: JoinSet::new(),
        ended: HashMap::new(),
        recordings: 0,
        out: Vec::new(),
        at,
        register_id: random::hex::<10>(),
        register_cseq: 100,
    };
    while !*stop.borrow() {
        match TcpStream::connect(phone.lab.services.sip_tcp).await {
            Ok(stream) => phone.connected(stream, &mut commands, &mut stop).await,
            Err(error) => tracing::warn!(%error, "a robot cannot reach the SIP server"),
        }
        if !*stop.borrow() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    // Recordings end before the laboratory does.
    while let Some(finished) = phone.media.join_next().await {
        phone.media_ended(finished);
    }
}

/// Sleeps until the moment given, or for ever.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// A UDP socket on an even port, as RTP has it.
async fn media_socket(ip: std::net::IpAddr) -> std::io::Result<UdpSocket> {
    let mut socket = UdpSocket::bind((ip, 0)).await?;
    for _ in 0..20 {
        if socket.local_addr()?.port() % 2 == 0 {
            break;
        }
        socket = UdpSocket::bind((ip, 0)).await?;
    }
    Ok(socket)
}

impl Phone {
    async fn connected(
        &mut self,
        mut stream: TcpStream,
        commands: &mut mpsc::Receiver<PhoneCommand>,
        stop: &mut watch::Receiver<bool>,
    ) {
        let _ = stream.set_nodelay(true);
        if let Ok(at) = stream.local_addr() {
            self.at = at;
        }
        self.out.clear();
        self.register();
        let half = Duration::from_secs(u64::from(self.lab.config.sip.expires.max(10)) / 2);
        let mut refresh = Instant::now() + half;
        let mut buffer = Vec::new();
        let mut chunk = [0; 8192];
        loop {
            if !self.out.is_empty() {
                let out = std::mem::take(&mut self.out);
                if stream.write_all(&out).await.is_err() {
                    break;
                }
            }
            if *stop.borrow() {
                break;
            }
            let deadline = self.deadline();
            tokio::select! {
                read = stream.read(&mut chunk) => {
                    let Ok(length @ 1..) = read else { break };
                    buffer.extend_from_slice(chunk.get(..length).unwrap_or_default());
                    if !self.drain(&mut buffer).await {
                        break;
                    }
                }
                command = commands.recv() => match command {
                    Some(PhoneCommand::Call { number, shown }) => self.dial(number, shown).await,
                    None => break,
                },
                Some(finished) = self.media.join_next(), if !self.media.is_empty() => {
                    self.media_ended(finished);
                }
                () = until(deadline) => self.timers(Instant::now()),
                () = until(Some(refresh)) => {
                    self.register();
                    refresh = Instant::now() + half;
                }
                () = crate::net::stopped(stop) => self.hang_up_all("stopped"),
            }
        }
        self.hang_up_all("stopped");
        let _ = stream.write_all(&std::mem::take(&mut self.out)).await;
        let _ = stream.shutdown().await;
    }

    async fn drain(&mut self, buffer: &mut Vec<u8>) -> bool {
        loop {
            match frame(buffer, false) {
                Framed::More => return true,
                Framed::Broken => return false,
                Framed::Blank(length, _) => drop(buffer.drain(..length)),
                Framed::Message(message, length) => {
                    buffer.drain(..length);
                    match &message.start {
                        Start::Request { .. } => self.request(message).await,
                        Start::Response { .. } => self.response(&message),
                    }
                }
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.calls
            .values()
            .filter_map(|call| match call.state {
                State::Ringing(at) => at,
                State::Calling => None,
                State::Up { until, .. } => Some(until),
            })
            .min()
    }

    fn timers(&mut self, now: Instant) {
        let due: Vec<(String, State)> = self
            .calls
            .iter()
            .filter(|(_, call)| match call.state {
                State::Ringing(at) => at.is_some_and(|at| now >= at),
                State::Calling => false,
                State::Up { until, .. } => now >= until,
            })
            .map(|(id, call)| (id.clone(), call.state))
            .collect();
        for (id, state) in due {
            match state {
                State::Ringing(_) => self.answer(&id),
                State::Up { .. } => self.hang_up(&id, "timeLimit"),
                State::Calling => {}
            }
        }
    }

    fn send(&mut self, message: &Message) {
        self.out.extend(message.to_bytes());
    }

    fn via(&self) -> String {
        format!("SIP/2.0/TCP {};branch=z9hG4bK{}", self.at, random::hex::<8>())
    }

    fn contact(&self) -> String {
        format!(
            "<sip:{}@{};transport=tcp>;+u.sip!devicename.ccm.cisco.com=\"{}\"",
            self.person.number, self.at, self.person.device
        )
    }

    fn register(&mut self) {
        self.register_cseq += 1;
        let host = self.lab.host("cucm1");
        let me = format!("<sip:{}@{host}>", self.person.number);
        let register = Message::request("REGISTER", &format!("sip:{host}"))
            .with("Via", self.via())
            .with("From", format!("{me};tag={}", random::hex::<6>()))
            .with("To", me)
            .with("Call-ID", self.register_id.clone())
            .with("CSeq", format!("{} REGISTER", self.register_cseq))
            .with("Max-Forwards", "70")
            .with("Contact", self.contact())
            .with("Expires", "3600");
        self.send(&register);
    }

    fn reply(&mut self, request: &Message, status: u16, reason: &str, tag: &str) -> Message {
        let mut reply = Message::response(request, status, reason);
        if status > 100 && reply.receiver_tag().is_empty() {
            let to = reply.header("To").unwrap_or_default().to_owned();
            reply.set("To", format!("{to};tag={tag}"));
        }
        if (101..300).contains(&status) {
            reply = reply.with("Contact", self.contact());
        }
        reply.with("Allow", "ACK,BYE,CANCEL,INVITE,OPTIONS,UPDATE,INFO")
    }

    async fn request(&mut self, request: Message) {
        let id = request.call_id().to_owned();
        let known = self.calls.contains_key(&id);
        match (request.method(), known) {
            ("INVITE", false) if request.receiver_tag().is_empty() => self.rung(request).await,
            ("INVITE" | "UPDATE", true) => self.renegotiate(&id, &request),
            ("ACK", true) => {
                if !request.body.is_empty() {
                    self.remote_description(&id, &request);
                }
            }
            ("ACK", false) => {}
            ("BYE", true) => {
                let reply = self.reply(&request, 200, "OK", "");
                self.send(&reply);
                self.over(&id, "remoteHungUp");
            }
            ("CANCEL", true) => {
                let reply = self.reply(&request, 200, "OK", "robot");
                self.send(&reply);
                let ringing =
                    self.calls.get(&id).filter(|call| matches!(call.state, State::Ringing(_)));
                if let Some(call) = ringing {
                    let (invite, local) = (call.invite.clone(), call.local.clone());
                    let mut refusal = Message::response(&invite, 487, "Request Terminated");
                    refusal.set("To", local);
                    self.send(&refusal);
                    self.over(&id, "remoteHungUp");
                }
            }
            ("OPTIONS" | "INFO" | "NOTIFY" | "MESSAGE", _) => {
                let reply = self.reply(&request, 200, "OK", "robot");
                self.send(&reply);
            }
            ("REFER", _) => {
                let reply = self.reply(&request, 202, "Accepted", "robot");
                self.send(&reply);
            }
            _ => {
                let reply = self.reply(&request, 481, "Call/Transaction Does Not Exist", "robot");
                self.send(&reply);
            }
        }
    }

    /// Prepares a call's media; `None` when there is no socket.
    async fn prepare(
        &self,
    ) -> Option<(
        sdp::Local,
        watch::Sender<Option<Remote>>,
        (UdpSocket, watch::Receiver<Option<Remote>>),
    )> {
        let socket = media_socket(self.lab.config.bind).await.ok()?;
        let sdp = sdp::Local::new(socket.local_addr().ok()?, &self.laws);
        let (media, view) = watch::channel(None);
        Some((sdp, media, (socket, view)))
    }

    async fn rung(&mut self, invite: Message) {
        let trying = self.reply(&invite, 100, "Trying", "");
        self.send(&trying);
        let tag = random::hex::<6>();
        let busy = self.robot.mode == RobotMode::Busy || self.calls.len() >= MAX_CALLS;
        if busy {
            let reply = self.reply(&invite, 486, "Busy Here", &tag);
            return self.send(&reply);
        }
        let offer = String::from_utf8_lossy(&invite.body).into_owned();
        let remote = sdp::read(&offer, &self.laws);
        if !offer.trim().is_empty() && remote.is_none() {
            let reply = self.reply(&invite, 488, "Not Acceptable Here", &tag);
            return self.send(&reply);
        }
        let Some((sdp, media, idle)) = self.prepare().await else {
            let reply = self.reply(&invite, 500, "Server Internal Error", &tag);
            return self.send(&reply);
        };
        let law = remote.as_ref().map(|remote| remote.law);
        media.send_replace(remote);
        let ringing = self.reply(&invite, 180, "Ringing", &tag);
        self.send(&ringing);
        let shown = invite.header("Remote-Party-ID").or(invite.header("From")).unwrap_or_default();
        let answer_at = (self.robot.mode != RobotMode::NoAnswer)
            .then(|| Instant::now() + Duration::from_millis(self.robot.ring_ms));
        let call = Call {
            state: State::Ringing(answer_at),
            incoming: true,
            local: ringing.header("To").unwrap_or_default().to_owned(),
            remote: invite.header("From").unwrap_or_default().to_owned(),
            target: invite.contact_uri().unwrap_or_default().to_owned(),
            cseq: 100,
            number: user_of(uri_of(shown)),
            law,
            sdp,
            media,
            idle: Some(idle),
            invite,
        };
        self.calls.insert(call.invite.call_id().to_owned(), call);
    }

    /// Answers a call that has rung long enough.
    fn answer(&mut self, id: &str) {
        let contact = self.contact();
        let Some(call) = self.calls.get_mut(id) else { return };
        let remote = call.media.borrow().clone();
        let body = match &remote {
            Some(remote) => call.sdp.answer(remote),
            None => call.sdp.offer(),
        };
        let mut reply = Message::response(&call.invite, 200, "OK").with("Contact", contact);
        reply.set("To", call.local.clone());
        let reply = reply.with_body(SDP, body);
        self.send(&reply);
        self.start(id);
    }

    /// The call is up: media starts.
    fn start(&mut self, id: &str) {
        let limit = Duration::from_secs(self.robot.max_seconds);
        let Some(call) = self.calls.get_mut(id) else { return };
        let now = Instant::now();
        call.state = State::Up { since: now, until: now + limit };
        let Some((socket, view)) = call.idle.take() else { return };
        self.recordings += 1;
        let file = format!("robot-{}-{}.wav", self.robot.name, self.recordings);
        let recording: Option<PathBuf> = Some(self.lab.state.join(file));
        let (robot, key) = (self.robot.clone(), id.to_owned());
        self.media.spawn(async move { (key, media::run(socket, robot, recording, view).await) });
        self.lab.events.tell(LabEvent::RobotCallStarted {
            robot: self.robot.name.clone(),
            remote: call.number.clone(),
            direction: if call.incoming { "incoming" } else { "outgoing" },
            codec: call.law.or(self.laws.first().copied()).map_or("none", Law::name),
        });
    }

    fn remote_description(&mut self, id: &str, message: &Message) -> bool {
        let text = String::from_utf8_lossy(&message.body);
        let Some(remote) = sdp::read(&text, &self.laws) else { return false };
        let Some(call) = self.calls.get_mut(id) else { return false };
        call.law = Some(remote.law);
        call.media.send_replace(Some(remote));
        true
    }

    fn renegotiate(&mut self, id: &str, request: &Message) {
        let offered = !request.body.is_empty();
        if offered && !self.remote_description(id, request) {
            let reply = self.reply(request, 488, "Not Acceptable Here", "");
            return self.send(&reply);
        }
        let reply = self.reply(request, 200, "OK", "");
        let Some(call) = self.calls.get_mut(id) else { return };
        if let Some(target) = request.contact_uri() {
            target.clone_into(&mut call.target);
        }
        let remote = call.media.borrow().clone();
        let body = match (&remote, offered) {
            (Some(remote), true) => Some(call.sdp.answer(remote)),
            (_, false) if request.method() == "INVITE" => Some(call.sdp.offer()),
            (Some(_) | None, _) => None,
        };
        let reply = match body {
            Some(body) => reply.with_body(SDP, body),
            None => reply,
        };
        self.send(&reply);
    }

    async fn dial(&mut self, number: String, shown: Option<String>) {
        if self.calls.len() >= MAX_CALLS {
            return;
        }
        let Some((mut sdp, media, idle)) = self.prepare().await else { return };
        let host = self.lab.host("cucm1");
        let id = format!("{}@{}", random::hex::<10>(), self.at.ip());
        let name = &self.robot.display_name;
        let local =
            format!("\"{name}\" <sip:{}@{host}>;tag={}", self.person.number, random::hex::<6>());
        let remote = format!("<sip:{number}@{host}>");
        let target = format!("sip:{number}@{host}");
        let mut invite = Message::request("INVITE", &target)
            .with("Via", self.via())
            .with("From", local.clone())
            .with("To", remote.clone())
            .with("Call-ID", id.clone())
            .with("CSeq", "101 INVITE")
            .with("Max-Forwards", "70")
            .with("Contact", self.contact());
        if let Some(shown) = shown {
            invite.set("Remote-Party-ID", format!("<sip:{shown}@{host}>;party=calling"));
        }
        let invite = invite.with_body(SDP, sdp.offer());
        self.send(&invite);
        let call = Call {
            state: State::Calling,
            incoming: false,
            invite,
            local,
            remote,
            target,
            cseq: 101,
            number,
            law: None,
            sdp,
            media,
            idle: Some(idle),
        };
        self.calls.insert(id, call);
    }

    fn response(&mut self, response: &Message) {
        let (number, method) = response.cseq();
        let id = response.call_id().to_owned();
        if method != "INVITE" {
            return;
        }
        let status = response.status();
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.incoming) else { return };
        if status < 200 {
            return;
        }
        if let (200..=299, Some(target)) = (status, response.contact_uri()) {
            target.clone_into(&mut call.target);
        }
        let to = response.header("To").unwrap_or_default().to_owned();
        // Refusals are acknowledged inside the INVITE's transaction, acceptance outside.
        let via = if status < 300 {
            self.via()
        } else {
            call.invite.header("Via").unwrap_or_default().to_owned()
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let uri = if status < 300 { call.target.clone() } else { call.invite.uri().to_owned() };
        let ack = Message::request("ACK", &uri)
            .with("Via", via)
            .with("From", call.local.clone())
            .with("To", to.clone())
            .with("Call-ID", id.clone())
            .with("CSeq", format!("{number} ACK"))
            .with("Max-Forwards", "70");
        call.remote = to;
        let (waiting, remote) = (call.state == State::Calling, call.number.clone());
        self.send(&ack);
        if !waiting {
            return;
        }
        if status >= 300 {
            self.calls.remove(&id);
            self.lab.events.tell(LabEvent::RobotCallFailed {
                robot: self.robot.name.clone(),
                remote,
                status,
            });
            return;
        }
        let understood = self.remote_description(&id, response);
        self.start(&id);
        if !understood {
            self.hang_up(&id, "robotHungUp");
        }
    }

    fn hang_up(&mut self, id: &str, cause: &'static str) {
        let via = self.via();
        let Some(call) = self.calls.get_mut(id) else { return };
        call.cseq += 1;
        let message = match call.state {
            State::Up { .. } => Message::request("BYE", &call.target)
                .with("Via", via)
                .with("From", call.local.clone())
                .with("To", call.remote.clone())
                .with("Call-ID", id.to_owned())
                .with("CSeq", format!("{} BYE", call.cseq))
                .with("Max-Forwards", "70"),
            State::Calling => {
                let invite = &call.invite;
                Message::request("CANCEL", invite.uri())
                    .carry(invite, &["Via", "From", "To", "Call-ID"])
                    .with("CSeq", "101 CANCEL")
                    .with("Max-Forwards", "70")
                    .with_no_body()
            }
            State::Ringing(_) => {
                let mut reply = Message::response(&call.invite, 480, "Temporarily Unavailable");
                reply.set("To", call.local.clone());
                reply
            }
        };
        self.send(&message);
        self.over(id, cause);
    }

    fn hang_up_all(&mut self, cause: &'static str) {
        let ids: Vec<String> = self.calls.keys().cloned().collect();
        for id in ids {
            self.hang_up(&id, cause);
        }
    }

    /// The call is over for us; its media ends with it and reports.
    fn over(&mut self, id: &str, cause: &'static str) {
        let Some(call) = self.calls.remove(id) else { return };
        if let State::Up { since, .. } = call.state {
            self.ended.insert(id.to_owned(), Ended { number: call.number, cause, since });
        }
    }

    fn media_ended(&mut self, finished: Result<(String, Report), tokio::task::JoinError>) {
        let Ok((id, report)) = finished else {
            tracing::error!("the media of a robot failed");
            return;
        };
        let Some(ended) = self.ended.remove(&id) else { return };
        let seconds = ended.since.elapsed().as_secs_f64();
        self.lab.events.tell(LabEvent::RobotCallEnded {
            robot: self.robot.name.clone(),
            remote: ended.number,
            cause: ended.cause,
            seconds: (seconds * 10.0).round() / 10.0,
            recording: report.recording,
            packets_received: report.packets_received,
            packets_sent: report.packets_sent,
            lost: report.lost,
            late: report.late,
            tone_hz: report.tone_hz,
            level_dbfs: report.level_dbfs,
            digits: report.digits,
        });
    }
}
