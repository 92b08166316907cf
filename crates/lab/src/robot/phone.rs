//! The phone of a robot: a small SIP user agent registered over TCP like any other phone, or over
//! TLS with a certificate of its own where it encrypts.

mod calls;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::PhoneCommand;
use super::g711::Law;
use super::media::Report;
use super::sdp::{self, Remote};
use crate::config::RobotConfig;
use crate::deployment::{Deployment, Person};
use crate::random;
use crate::sip::message::{Framed, Message, Start, frame};
use crate::sip::transport::Kind;

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
    kind: Kind,
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
    let tls = secure(&lab, &person, &robot);
    let at = match tls {
        Some(_) => lab.services.sip_tls,
        None => lab.sip.robots.unwrap_or(lab.services.sip_tcp),
    };
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
        kind: Kind::Tcp,
        register_id: random::hex::<10>(),
        register_cseq: 100,
    };
    while !*stop.borrow() {
        if let Err(error) = phone.connect(at, tls.clone(), &mut commands, &mut stop).await {
            tracing::warn!(%error, "a robot cannot reach the SIP server");
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

/// What an encrypting robot connects with.
fn secure(lab: &Deployment, person: &Person, robot: &RobotConfig) -> Option<Arc<ClientConfig>> {
    if !robot.encrypted {
        return None;
    }
    let made = lab.phones.robot(&person.device);
    made.inspect_err(|error| tracing::error!(%error, "a robot has no certificate")).ok()
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

/// How long a robot's connection outlives its last words.
const GOODBYE: Duration = Duration::from_millis(400);

impl Phone {
    async fn connect(
        &mut self,
        server: std::net::SocketAddr,
        tls: Option<Arc<ClientConfig>>,
        commands: &mut mpsc::Receiver<PhoneCommand>,
        stop: &mut watch::Receiver<bool>,
    ) -> std::io::Result<()> {
        let stream = TcpStream::connect(server).await?;
        let _ = stream.set_nodelay(true);
        self.at = stream.local_addr()?;
        match tls {
            None => self.connected(stream, commands, stop).await,
            Some(config) => {
                self.kind = Kind::Tls;
                let name = ServerName::from(server.ip());
                let stream = TlsConnector::from(config).connect(name, stream).await?;
                self.connected(stream, commands, stop).await;
            }
        }
        Ok(())
    }

    async fn connected<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        mut stream: S,
        commands: &mut mpsc::Receiver<PhoneCommand>,
        stop: &mut watch::Receiver<bool>,
    ) {
        self.out.clear();
        self.register();
        let half = Duration::from_secs(u64::from(self.lab.config.sip.expires.max(10)) / 2);
        let mut refresh = Instant::now() + half;
        let mut buffer = Vec::new();
        let mut chunk = [0; 8192];
        loop {
            if !self.out.is_empty() {
                let out = std::mem::take(&mut self.out);
                if stream.write_all(&out).await.is_err() || stream.flush().await.is_err() {
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
        let _ = stream.flush().await;
        // The good-byes, of now or of a moment ago, are passed on before the laboratory ends.
        let _ = tokio::time::timeout(GOODBYE, async {
            while stream.read(&mut chunk).await.is_ok_and(|length| length > 0) {}
        })
        .await;
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
        format!("SIP/2.0/{} {};branch=z9hG4bK{}", self.kind.via(), self.at, random::hex::<8>())
    }

    fn contact(&self) -> String {
        format!(
            "<sip:{}@{};transport={}>;+u.sip!devicename.ccm.cisco.com=\"{}\"",
            self.person.number,
            self.at,
            self.kind.name(),
            self.person.device
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
                self.told(&request).await;
            }
            _ => {
                let reply = self.reply(&request, 481, "Call/Transaction Does Not Exist", "robot");
                self.send(&reply);
            }
        }
    }
}
