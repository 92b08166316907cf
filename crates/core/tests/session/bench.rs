//! A core, and everything around it played by hand.

use std::time::{Duration, Instant};

use offhook_core::{Core, Effect, Event, FlowOutcome, LinkId, Options, RunId, StoreTag, XmppEvent};
use offhook_discovery as discovery;
use offhook_model::{
    Authenticator, Command, CommandError, Devices, Endpoint, Fault, Link, ManualAccount, Moment,
    Notice, NoticeBody, Problem, ProductMode, Provisioned, Reply, Secret, Service, Session,
    SessionState, Settings, Snapshot, Ticket, Timestamp, Via,
};
use offhook_ports::{
    Entropy, FlowId, Found, PhoneAccount, PhoneDialect, PortRange, SipServer, StoreAnswer,
    StoreRequest, Target, XmppAuth, XmppPlan, XmppServer,
};
use offhook_signin as signin;
use offhook_signin::{Grant, People, Renewal, SoapRenewal, SoapStep};

pub const ADDRESS: &str = "alice@example.test";

pub fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

pub fn target() -> Target {
    Target { host: "cucm1.example.test".into(), port: 8443 }
}

pub fn cucm() -> Found {
    Found::Cucm(vec![target()])
}

pub fn xmpp_server() -> XmppServer {
    XmppServer { host: "im.example.test".into(), port: 5222, link: Link::StartTls }
}

fn sip_server() -> SipServer {
    SipServer { host: "10.0.0.9".into(), port: 5060, link: Link::Tcp }
}

pub fn standard() -> Found {
    Found::Standard { xmpp: vec![xmpp_server()], sip: vec![sip_server()] }
}

pub fn at() -> Endpoint {
    xmpp_server().endpoint()
}

/// The user's own mistake.
pub fn wrong_password() -> Problem {
    Fault::BadCredentials.problem(&target().endpoint(Service::Uds))
}

pub fn unreachable() -> Problem {
    Fault::ConnectTimeout.problem(&target().endpoint(Service::Uds))
}

pub fn plan(one_time: bool) -> XmppPlan {
    let auth = if one_time {
        XmppAuth::VtgToken { userid: ADDRESS.into(), token: Secret::from("once") }
    } else {
        XmppAuth::Password { username: "alice".into(), password: Secret::from("secret") }
    };
    XmppPlan {
        jid: ADDRESS.parse().expect("a JID"),
        resource: "offhook_1".into(),
        servers: vec![xmpp_server()],
        names: vec![],
        auth,
    }
}

pub fn phone() -> PhoneAccount {
    PhoneAccount {
        dialect: PhoneDialect::Standard,
        user: "2001".into(),
        domain: "example.test".into(),
        display_name: "Alice".into(),
        servers: vec![sip_server()],
        routes: vec![],
        registrar: None,
        encryption: offhook_ports::MediaEncryption::default(),
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

/// Let in by an authenticator of its own.
pub fn grant(im: signin::Service<XmppPlan>, phone: signin::Service<PhoneAccount>) -> Grant {
    Grant {
        authenticator: Authenticator::Cup,
        mode: ProductMode::Full,
        via: Via::Direct,
        username: "alice".into(),
        display_name: "Alice Example".into(),
        number: Some("2001".into()),
        im,
        phone,
        layers: vec![],
        edge: None,
        restrictions: vec![],
        renewal: Some(Renewal::Soap(SoapRenewal {
            nodes: vec![target()],
            session: Secret::from("session"),
            username: "alice".into(),
            domain: "example.test".into(),
            resource: "offhook_1".into(),
            servers: vec![xmpp_server()],
            relogin: (Duration::from_secs(120), Duration::from_secs(537)),
            edge: None,
            step: SoapStep::default(),
        })),
        people: People::default(),
    }
}

/// Chat by one-time password, and a phone.
pub fn full() -> Grant {
    grant(signin::Service::Ready(plan(true)), signin::Service::Ready(phone()))
}

/// An account of the open standards.
pub fn plain(im: bool, sip: bool) -> Grant {
    let or_none = |wanted, plan| if wanted { plan } else { signin::Service::NotConfigured };
    let sip = if sip { signin::Service::Ready(phone()) } else { signin::Service::NotConfigured };
    Grant {
        authenticator: Authenticator::Standard,
        renewal: None,
        ..grant(or_none(im, signin::Service::Ready(plan(false))), sip)
    }
}

/// What a discovery says that found, or did not find.
pub fn report(outcome: Result<Found, Problem>) -> discovery::Report {
    discovery::Report {
        domain: "example.test".into(),
        steps: vec![],
        outcome,
        warnings: vec![],
        network: "inside",
        voice_domain: "example.test".into(),
        from_memory: false,
        remember: None,
        suggested_server: None,
    }
}

/// The registrar's answer to a request.
pub fn sip_answer_to(request: &str, status: &str) -> Vec<u8> {
    let mut answer = format!("SIP/2.0 {status}\r\n");
    for line in request.lines().skip(1) {
        if ["Via", "From", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(name)) {
            answer.push_str(&format!("{line}\r\n"));
        } else if line.starts_with("To:") {
            answer.push_str(&format!("{line};tag=r\r\n"));
        } else if line.starts_with("Contact:") {
            answer.push_str(&format!("{line};expires=3600\r\n"));
        }
    }
    answer.push_str("Content-Length: 0\r\n\r\n");
    answer.into_bytes()
}

/// The core and what it wanted so far.
pub struct Bench {
    pub core: Core,
    pub now: Moment,
    pub effects: Vec<Effect>,
    pub notices: Vec<Notice>,
    last_flow: Option<FlowId>,
    replies: Vec<(Ticket, Result<Reply, CommandError>)>,
    tickets: u64,
    /// Histories that were asked for and not given.
    unread: u32,
}

impl Bench {
    pub fn new() -> Self {
        let mut bench = Self::with(Self::options());
        bench.effects.clear();
        bench
    }

    pub fn options() -> Options {
        Options {
            product: "Offhook-Test".into(),
            seed: 7,
            settings: Settings::default(),
            manual: ManualAccount::default(),
            provisioned: Provisioned::default(),
            remembered: None,
            accepted: vec![],
            attended: true,
            workstation_domain: None,
            devices: Devices::default(),
            entropy: || Box::new(Known(7)),
        }
    }

    /// A core with its first wishes still among the effects.
    pub fn with(options: Options) -> Self {
        #[allow(clippy::disallowed_methods, reason = "virtual time needs a start")]
        let at = Instant::now();
        let mut bench = Self {
            core: Core::new(options),
            now: Moment { at, wall: Timestamp(1_000_000) },
            effects: vec![],
            notices: vec![],
            last_flow: None,
            replies: vec![],
            tickets: 0,
            unread: 0,
        };
        bench.drain();
        bench
    }

    /// Signed in, chat and phone both up.
    pub fn up(grant: Grant) -> Self {
        let mut bench = Self::new();
        bench.let_in(grant);
        bench.all_online();
        bench.effects.clear();
        bench.notices.clear();
        bench
    }

    /// As far as the authenticator's word.
    pub fn let_in(&mut self, grant: Grant) {
        let found = match grant.authenticator {
            Authenticator::Standard => standard(),
            Authenticator::Cup | Authenticator::Cucm | Authenticator::Webex => cucm(),
        };
        self.sign_in(Some("secret")).expect("begun");
        self.found(Ok(found));
        self.granted(Ok(grant));
    }

    /// Our account answers that it can do nothing beyond messages.
    pub fn account_has_no_archive(&mut self) {
        let asked = self.effects.iter().rev().find_map(|effect| {
            let Effect::XmppSend(link, stanza) = effect else { return None };
            let words = format!("{stanza:?}");
            let ours = words.contains("disco#info") && words.contains(ADDRESS);
            ours.then(|| Some((*link, stanza.id()?.to_owned()))).flatten()
        });
        let (link, id) = asked.expect("our account was asked");
        let answer = offhook_im::fuzzing::stanza(&format!(
            "<iq xmlns='jabber:client' type='result' from='{ADDRESS}' id='{id}'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        ));
        let answer = Box::new(answer.expect("a stanza"));
        self.send(Event::Xmpp(link, XmppEvent::Stanza(answer)));
    }

    /// Whatever was asked to open is open.
    pub fn all_online(&mut self) {
        if let Some(link) = self.link() {
            self.online(link);
        }
        if let Some(flow) = self.flow() {
            self.registered(flow);
        }
    }

    pub fn send(&mut self, event: Event) {
        match event {
            Event::Store(StoreTag::Loaded, _) => self.unread = self.unread.saturating_sub(1),
            // The history of a test that does not care for it is empty, and read in time.
            Event::Xmpp(_, XmppEvent::Stanza(_)) if self.unread > 0 => {
                let nothing = StoreAnswer::Loaded(Box::default());
                self.send(Event::Store(StoreTag::Loaded, nothing));
            }
            _ => {}
        }
        self.core.handle(event, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        let (mut abandoned, mut kept) = (vec![], vec![]);
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::Notice(notice) => self.notices.push(notice),
                Effect::Reply(ticket, reply) => self.replies.push((ticket, reply)),
                effect => {
                    if let Effect::SipOpen { flow, .. } = &effect {
                        self.last_flow = Some(*flow);
                    }
                    if let Effect::Store(tag @ StoreTag::Own(_), _) = &effect {
                        kept.push(tag.clone());
                    }
                    if let Effect::Store(StoreTag::Loaded, _) = &effect {
                        self.unread += 1;
                    }
                    if let Effect::XmppAbandon(link) = &effect {
                        abandoned.push(*link);
                    }
                    self.effects.push(effect);
                }
            }
        }
        // The store keeps everything at once.
        for tag in kept {
            self.send(Event::Store(tag, StoreAnswer::Kept));
        }
        // A link that is dropped says so at once.
        for link in abandoned {
            self.offline(link, Fault::Closed);
        }
    }

    /// Gives a command; nothing when the answer comes later.
    pub fn begin(&mut self, command: Command) -> Option<Result<Reply, CommandError>> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.send(Event::Command(ticket, command));
        let answers = self.replies.iter().filter(|(of, _)| *of == ticket).count();
        assert!(answers <= 1, "answered twice");
        let index = self.replies.iter().position(|(of, _)| *of == ticket)?;
        Some(self.replies.remove(index).1)
    }

    /// The oldest answer that came later.
    pub fn replied(&mut self) -> Option<(Ticket, Result<Reply, CommandError>)> {
        (!self.replies.is_empty()).then(|| self.replies.remove(0))
    }

    pub fn command(&mut self, command: Command) -> Result<Reply, CommandError> {
        self.begin(command).expect("answered at once")
    }

    pub fn sign_in(&mut self, password: Option<&str>) -> Result<Reply, CommandError> {
        self.command(Command::SignIn {
            address: ADDRESS.parse().expect("an address"),
            username: None,
            password: password.map(Secret::from),
        })
    }

    pub fn give_password(&mut self, username: &str, password: &str) -> Result<Reply, CommandError> {
        self.command(Command::GivePassword {
            username: username.into(),
            password: Secret::from(password),
        })
    }

    /// The newest run of the kind that `pick` knows; it is taken out.
    fn take<T>(&mut self, pick: impl Fn(&Effect) -> Option<T>) -> Option<T> {
        let index = self.effects.iter().rposition(|effect| pick(effect).is_some())?;
        pick(&self.effects.remove(index))
    }

    pub fn discovering(&mut self) -> Option<RunId> {
        self.take(|effect| match effect {
            Effect::Discover { run, .. } => Some(*run),
            _ => None,
        })
    }

    /// The run that asks the authenticator, with user name and password.
    pub fn authenticating(&mut self) -> Option<(RunId, String, String)> {
        self.take(|effect| match effect {
            Effect::SignIn { run, request } => {
                let credentials = &request.credentials;
                Some((*run, credentials.username.clone(), credentials.password.expose().clone()))
            }
            _ => None,
        })
    }

    pub fn renewing(&mut self) -> Option<RunId> {
        self.take(|effect| match effect {
            Effect::Renew { run, .. } => Some(*run),
            _ => None,
        })
    }

    pub fn recalling(&mut self) -> Option<StoreTag> {
        self.take(|effect| match effect {
            Effect::Store(tag, StoreRequest::GetPassword(_)) => Some(tag.clone()),
            _ => None,
        })
    }

    pub fn link(&mut self) -> Option<LinkId> {
        self.take(|effect| match effect {
            Effect::XmppOpen { link, .. } => Some(*link),
            _ => None,
        })
    }

    pub fn flow(&mut self) -> Option<FlowId> {
        self.take(|effect| match effect {
            Effect::SipOpen { flow, .. } => Some(*flow),
            _ => None,
        })
    }

    pub fn sip(&mut self) -> Option<(FlowId, String)> {
        self.take(|effect| match effect {
            Effect::SipSend(flow, bytes) => {
                Some((*flow, String::from_utf8_lossy(bytes).into_owned()))
            }
            _ => None,
        })
    }

    pub fn discovered(&mut self, run: RunId, outcome: Result<Found, Problem>) {
        let report = report(outcome);
        self.send(Event::Flow(run, FlowOutcome::Discovered(Box::new(report))));
    }

    pub fn found(&mut self, outcome: Result<Found, Problem>) {
        let run = self.discovering().expect("a discovery");
        self.discovered(run, outcome);
    }

    /// Found, with what may be kept of it, or out of memory.
    pub fn found_to_remember(
        &mut self,
        found: Found,
        remember: Option<offhook_ports::Remembered>,
        from_memory: bool,
    ) {
        let run = self.discovering().expect("a discovery");
        let report = discovery::Report { remember, from_memory, ..report(Ok(found)) };
        self.send(Event::Flow(run, FlowOutcome::Discovered(Box::new(report))));
    }

    /// Answers a discovery, if one is under way.
    pub fn discovering_and_found(&mut self, found: Found) -> bool {
        let run = self.discovering();
        run.map(|run| self.discovered(run, Ok(found))).is_some()
    }

    /// The newest flow that was opened, in use or not.
    pub fn open_flow(&self) -> FlowId {
        self.last_flow.expect("a flow")
    }

    pub fn answered(&mut self, run: RunId, outcome: Result<Grant, Problem>) {
        let report = signin::Report { steps: vec![], outcome, warnings: vec![] };
        self.send(Event::Flow(run, FlowOutcome::SignedIn(Box::new(report))));
    }

    pub fn granted(&mut self, outcome: Result<Grant, Problem>) {
        let (run, ..) = self.authenticating().expect("a sign-in");
        self.answered(run, outcome);
    }

    pub fn kept_password(&mut self, password: Option<&str>) {
        let tag = self.recalling().expect("the kept password is asked for");
        self.send(Event::Store(tag, StoreAnswer::Password(password.map(Secret::from))));
    }

    pub fn online(&mut self, link: LinkId) {
        self.send(Event::Xmpp(
            link,
            XmppEvent::Online {
                jid: format!("{ADDRESS}/offhook_1").parse().expect("a JID"),
                resumed: false,
                server: xmpp_server(),
                tls: Some("TLSv1.3".into()),
            },
        ));
    }

    pub fn offline(&mut self, link: LinkId, fault: Fault) {
        self.send(Event::Xmpp(link, XmppEvent::Offline { at: at(), fault, resumption: None }));
    }

    pub fn failed(&mut self, link: LinkId, fault: Fault) {
        self.send(Event::Xmpp(link, XmppEvent::Failed { at: at(), fault, resumption: None }));
    }

    pub fn sip_opened(&mut self, flow: FlowId) {
        let local = "10.0.0.1:40000".parse().expect("address");
        let remote = "10.0.0.9:5060".parse().expect("address");
        self.send(Event::SipOpened { flow, local, remote, tls: None });
    }

    /// The registrar's answer to the newest REGISTER.
    pub fn sip_answer(&mut self, flow: FlowId, status: &str) {
        let (_, request) = self.sip().expect("a request");
        assert!(request.starts_with("REGISTER "), "{request}");
        let answer = sip_answer_to(&request, status);
        self.send(Event::SipData(flow, answer));
    }

    pub fn registered(&mut self, flow: FlowId) {
        self.sip_opened(flow);
        self.sip_answer(flow, "200 OK");
    }

    pub fn snapshot(&mut self) -> Snapshot {
        self.core.snapshot()
    }

    pub fn session(&mut self) -> Session {
        self.snapshot().session
    }

    pub fn state(&mut self) -> SessionState {
        self.session().state
    }

    /// Session states told so far, without repetition.
    pub fn told(&self) -> Vec<SessionState> {
        let mut states: Vec<SessionState> = self
            .notices
            .iter()
            .filter_map(|notice| match &notice.body {
                NoticeBody::Session(session) => Some(session.state),
                _ => None,
            })
            .collect();
        states.dedup();
        states
    }

    /// How many wishes `pick` knows.
    pub fn count(&self, pick: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|effect| pick(effect)).count()
    }

    pub fn stored(&self, pick: impl Fn(&StoreRequest) -> bool) -> usize {
        self.count(|effect| matches!(effect, Effect::Store(_, request) if pick(request)))
    }

    /// Lets time pass, waking the core exactly when it asks.
    pub fn advance(&mut self, time: Duration) {
        let end = self.now.at + time;
        for _ in 0..10_000 {
            let due = self.core.next_timeout().filter(|at| *at <= end);
            let step = due.unwrap_or(end).saturating_duration_since(self.now.at);
            self.now = self.now.plus(step);
            if due.is_none() {
                return;
            }
            self.send(Event::Timeout);
        }
        panic!("the core never rests");
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
