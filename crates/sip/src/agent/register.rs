//! Registering, refreshing, and finding a way back (RFC 3261 section 10, reference sip-dialect.md
//! sections 2 and 5).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use offhook_model::{Fault, Link};
use offhook_ports::{FlowId, PhoneAccount, PhoneDialect, SipServer};

use super::{Context, End, Event, Output, Purpose, UserAgent, call::Stage};
use crate::cucm;
use crate::message::{Message, Method, Name, Request};
use crate::registration::{
    ANSWER_TIMEOUT, Attempts, OPEN_TIMEOUT, Phase, REFUSED_WAIT, Retry, granted, refresh_after,
};
use crate::token::Tokens;
use crate::transaction::PATIENCE;

/// A flow that was lost sooner after registering is not opened again at once: a server that lets
/// us in and then hangs up would be asked without end.
const SETTLED: Duration = Duration::from_secs(10);
/// A refresh that comes so much too late was slept through.
const OVERSLEPT: Duration = Duration::from_secs(15);
/// Longest Retry-After that is honoured.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// Most names of P-Associated-URI kept.
const MAX_NAMES: usize = 16;
/// Most entries of Service-Route kept.
const MAX_ROUTES: usize = 8;

/// Whether the phone is taken from whoever has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Insist {
    No,
    /// With the next registration.
    Now,
    /// It was, and refreshes on this flow look the same.
    Done,
}

/// The registration's own data.
#[derive(Debug)]
pub(super) struct Registration {
    pub phase: Phase,
    pub attempts: Attempts,
    call_id: String,
    tag: String,
    cseq: u32,
    /// Expiry to ask for.
    asked: Duration,
    /// Contact URI of an address that turned out to be another one, to be removed.
    outdated: Option<String>,
    since: Option<Instant>,
    /// Service-Route of the registrar (RFC 3608).
    pub routes: Vec<String>,
    /// User parts of the other addresses that lead here.
    pub associated: Vec<String>,
    /// Where we were registered last, and from which address.
    place: Option<usize>,
    home: Option<IpAddr>,
    insist: Insist,
    /// A UUID that names this program's run to the call manager, where it takes the phone.
    instance: String,
}

impl Registration {
    pub fn new(account: &PhoneAccount, tokens: &mut Tokens) -> Self {
        Self {
            phase: Phase::Idle,
            attempts: Attempts::default(),
            call_id: tokens.long(),
            tag: tokens.tag(),
            cseq: 100,
            asked: account.expires.max(Duration::from_secs(1)),
            outdated: None,
            since: None,
            routes: vec![],
            associated: vec![],
            place: None,
            home: None,
            insist: Insist::No,
            instance: uuid(tokens),
        }
    }

    pub fn next_cseq(&mut self) -> u32 {
        self.cseq = self.cseq.wrapping_add(1) & 0x7fff_ffff;
        self.cseq
    }

    pub fn call_id(&self) -> &str {
        &self.call_id
    }
}

impl UserAgent {
    /// The server in use or being tried.
    pub(super) fn server(&self) -> Option<&SipServer> {
        self.account.servers.get(self.registration.attempts.server)
    }

    /// Host part of our address of record.
    pub(super) fn domain(&self) -> String {
        if self.account.domain.is_empty() {
            let server = self.server().map(|server| &server.host);
            let host = self.account.registrar.as_ref().or(server);
            let host = host.map_or("invalid", String::as_str);
            if host.contains(':') && !host.starts_with('[') {
                format!("[{host}]")
            } else {
                host.to_owned()
            }
        } else {
            self.account.domain.clone()
        }
    }

    pub(super) fn open(&mut self, now: Instant) {
        let Some(server) = self.server().cloned() else {
            self.registration.phase = Phase::Waiting { until: None };
            return;
        };
        let flow = self.new_flow();
        self.registration.phase = Phase::Opening { flow, deadline: now + OPEN_TIMEOUT };
        self.event(Event::Registering { server: server.clone() });
        self.out.push_back(Output::Open { flow, server, dscp: self.account.signalling_dscp });
    }

    pub(super) fn new_flow(&mut self) -> FlowId {
        let flow = FlowId(self.next_flow);
        self.next_flow = self.next_flow.wrapping_add(1);
        flow
    }

    pub(super) fn register_first(&mut self, now: Instant) {
        let Some(flow) = self.flow.as_ref().map(|flow| flow.id) else { return };
        self.registration.phase = Phase::Registering { flow, deadline: now + ANSWER_TIMEOUT };
        self.send_register(Purpose::Register, now);
    }

    pub(super) fn send_register(&mut self, purpose: Purpose, now: Instant) {
        let Some(flow) = &self.flow else { return };
        let leaving = purpose == Purpose::Unregister;
        let domain = self.domain();
        let own =
            format!("<sip:{}@{domain}>", crate::message::uri::escape_user(&self.account.user));
        let contact = flow.contact(self.contact_user());
        let cseq = self.registration.next_cseq();
        let registrar = self.account.registrar.as_deref().unwrap_or(&domain);
        let mut request = Request::new(Method::Register, format!("sip:{registrar}"), cseq);
        request.push(Name::MaxForwards, 70);
        for route in self.way_to_registrar() {
            request.push(Name::Route, route);
        }
        request.push(Name::From, format_args!("{own};tag={}", self.registration.tag));
        request.push(Name::To, own);
        request.push(Name::CallId, &self.registration.call_id);
        request.push(Name::Contact, format_args!("<{contact}>{}", self.register_params()));
        if let Some(old) = self.registration.outdated.take() {
            request.push(Name::Contact, format_args!("<{old}>;expires=0"));
        }
        let expires = if leaving { 0 } else { self.registration.asked.as_secs() };
        request.push(Name::Expires, expires);
        request.push(Name::UserAgent, &self.product);
        match &self.account.dialect {
            PhoneDialect::Standard => {
                request.push(Name::Allow, super::headers::ALLOW);
                if let Some(extensions) = self.register_extensions() {
                    request.push(Name::Supported, extensions);
                }
            }
            PhoneDialect::Cucm { device, .. } => {
                let path = if self.is_routed() { ",path" } else { "" };
                request.push(Name::Supported, format_args!("{}{path}", cucm::SUPPORTED_REGISTER));
                if !leaving && !self.registration.phase.is_registered() {
                    let alarm = match self.registration.insist {
                        Insist::No => cucm::Alarm::Initialized,
                        Insist::Now | Insist::Done => cucm::Alarm::Taking,
                    };
                    cucm::dress_register(&mut request, device, &self.product, alarm);
                }
            }
        }
        self.send(request, Context::of(purpose), now);
    }

    fn register_params(&self) -> String {
        match &self.account.dialect {
            PhoneDialect::Standard => self.outbound_params(),
            PhoneDialect::Cucm { device, model, .. } => {
                let instance = match self.registration.insist {
                    Insist::No => None,
                    Insist::Now | Insist::Done => Some(self.registration.instance.as_str()),
                };
                cucm::register_params(device, *model, instance)
            }
        }
    }

    /// A final response to REGISTER.
    pub(super) fn registered(&mut self, message: &Message, now: Instant) {
        let status = message.status().unwrap_or(100);
        let explained = || Fault::Sip(status, message.explanation());
        let retry_after = message
            .number(Name::RetryAfter)
            .map(|s| Duration::from_secs(s.into()).min(LONGEST_WAIT));
        match status {
            100..=199 => {}
            200..=299 => self.register_accepted(message, now),
            423 => match message.number(Name::MinExpires).map(|s| Duration::from_secs(s.into())) {
                Some(least) if least > self.registration.asked && least.as_secs() < 1 << 20 => {
                    self.registration.asked = least;
                    self.send_register(Purpose::Register, now);
                }
                _ => self.failed(explained(), Retry::After(REFUSED_WAIT), now),
            },
            439 if self.without_outbound(now) => {}
            403 if message.explanation().eq_ignore_ascii_case(cucm::OTHER_CLIENT) => {
                let server = self.server().cloned();
                self.failed(explained(), Retry::Never, now);
                if let Some(server) = server {
                    self.event(Event::Elsewhere { server, text: message.explanation() });
                }
            }
            408 | 480 | 500..=599 => match retry_after {
                Some(wait) => self.failed(explained(), Retry::NextAfter(wait), now),
                None => self.failed(explained(), Retry::Next, now),
            },
            _ => self.failed(explained(), Retry::After(retry_after.unwrap_or(REFUSED_WAIT)), now),
        }
    }

    fn register_accepted(&mut self, message: &Message, now: Instant) {
        let before = self.registration.phase;
        self.take_outbound(message, now);
        let Some(flow) = &mut self.flow else { return };
        let contact = flow.contact(match &self.account.dialect {
            PhoneDialect::Standard => &self.account.user,
            PhoneDialect::Cucm { line_contact, .. } => line_contact,
        });
        let expires = granted(message, &contact, self.registration.asked);
        if expires.is_zero() {
            self.failed(Fault::Nonsense("the registrar granted no time".into()), Retry::Next, now);
            return;
        }
        let wait = refresh_after(expires, self.account.refresh_before, flow.link != Link::Udp);
        self.registration.phase = Phase::Registered { flow: flow.id, refresh_at: now + wait };
        self.registration.attempts.succeeded();
        self.registration.routes =
            message.tokens(Name::ServiceRoute).take(MAX_ROUTES).map(str::to_owned).collect();
        self.registration.associated = associated(message);
        // A registrar that sends calls back on our flow finds it by the address it sees. CUCM
        // wants the socket's own (reference sip-dialect.md section 1), and with outbound the flow
        // has a name.
        let fixed = matches!(self.account.dialect, PhoneDialect::Cucm { .. })
            || flow.public.is_some()
            || self.outbound.agreed;
        let moved = seen_from(message).filter(|seen| !fixed && *seen != flow.local);
        if let Some(public) = moved {
            self.registration.outdated = Some(contact);
            flow.public = Some(public);
        }
        if !before.is_registered() {
            let (id, local) = (flow.id, flow.local);
            let standard = !self.is_cucm();
            if let Some(flow) = self.flow.as_mut().filter(|_| standard) {
                flow.start_pings(&mut self.tokens, now);
            }
            self.settle(id, local, expires, now);
        }
        if moved.is_some() {
            self.refresh(now);
        }
    }

    /// Registered, after not being so.
    fn settle(&mut self, flow: FlowId, local: SocketAddr, expires: Duration, now: Instant) {
        let place = self.registration.attempts.server;
        let moved = self.registration.place.replace(place).is_some_and(|before| before != place);
        let home = self.registration.home.replace(local.ip());
        self.registration.since = Some(now);
        if self.registration.insist == Insist::Now {
            self.registration.insist = Insist::Done;
        }
        if let Some(server) = self.server().cloned() {
            let reduced = self.account.upkeep.stand_ins.contains(&server);
            self.event(Event::Registered { server, local, expires, reduced });
        }
        if moved && self.is_cucm() {
            // This node knows nothing of calls that were made by another one: they go on as they
            // are, until somebody hangs up.
            self.calls.values_mut().for_each(|call| call.flow = Some(flow));
        } else {
            self.tell_new_contact(flow, home.is_some_and(|home| home != local.ip()), now);
        }
        self.arrange_standbys(now);
        self.renew_subscriptions(now);
        self.renew_publication(now);
    }

    /// Registers although somebody else has the phone.
    pub(super) fn insist(&mut self, now: Instant) {
        if let Phase::Idle | Phase::Waiting { .. } = self.registration.phase {
            self.registration.insist = Insist::Now;
            self.registration.attempts.succeeded();
            self.open(now);
        }
    }

    fn refresh(&mut self, now: Instant) {
        if let Phase::Registered { flow, .. } = self.registration.phase {
            let deadline = now + self.patience();
            self.registration.phase = Phase::Refreshing { flow, deadline };
            self.send_register(Purpose::Register, now);
        }
    }

    /// How long the answer to a refresh may take. Standard registrars have the whole transaction; a
    /// call manager is on a stream and answers at once, or is lost.
    fn patience(&self) -> Duration {
        let stream = self.flow.as_ref().is_some_and(|flow| flow.link != Link::Udp);
        match (self.is_cucm() && stream, self.account.upkeep.patient) {
            (true, false) => ANSWER_TIMEOUT,
            (true, true) => ANSWER_TIMEOUT * 4,
            (false, _) => PATIENCE + Duration::from_secs(1),
        }
    }

    /// No answer to REGISTER, though the flow looks open.
    pub(super) fn register_unanswered(&mut self, _status: u16, now: Instant) {
        let retry = if self.is_registered() { Retry::SameAtOnce } else { Retry::Next };
        match self.registration.phase {
            Phase::Registering { .. } | Phase::Registered { .. } | Phase::Refreshing { .. } => {
                self.failed(Fault::AnswerTimeout, retry, now);
            }
            Phase::Idle
            | Phase::Opening { .. }
            | Phase::Waiting { .. }
            | Phase::Leaving { .. }
            | Phase::Stopped => {}
        }
    }

    /// Credentials were not taken.
    pub(super) fn register_refused(&mut self, fault: Fault, now: Instant) {
        self.failed(fault, Retry::Never, now);
    }

    /// The outside says the flow is gone.
    pub(super) fn lost(&mut self, fault: Fault, now: Instant) {
        if let Phase::Leaving { .. } = self.registration.phase {
            self.drop_flow(now);
            self.stop_if_quiet(true);
            return;
        }
        let retry = self.retry_after_loss(now);
        self.drop_flow(now);
        self.fail(fault, retry, now);
    }

    /// We give the flow up.
    pub(super) fn close_after(&mut self, fault: Fault, now: Instant) {
        let retry = self.retry_after_loss(now);
        self.failed(fault, retry, now);
    }

    fn retry_after_loss(&self, now: Instant) -> Retry {
        let settled = self
            .registration
            .since
            .is_some_and(|since| now.saturating_duration_since(since) >= SETTLED);
        if self.is_registered() && settled { Retry::SameAtOnce } else { Retry::Next }
    }

    fn failed(&mut self, fault: Fault, retry: Retry, now: Instant) {
        self.close_flow(now);
        self.fail(fault, retry, now);
    }

    fn fail(&mut self, fault: Fault, retry: Retry, now: Instant) {
        let Some(server) = self.server().cloned() else { return };
        if matches!(fault, Fault::Tls(_)) {
            self.only_encrypted(&server);
        }
        let servers = self.account.servers.len();
        // A server that stands by is surer than the one that was just lost.
        let retry = match retry {
            Retry::SameAtOnce if self.is_cucm() && self.standby_is_there() => Retry::Next,
            other => other,
        };
        let wait = self.registration.attempts.failed(retry, servers, &mut self.tokens, now);
        self.event(Event::RegistrationFailed { server, fault, retry_in: wait });
        if wait == Some(Duration::ZERO) && retry != Retry::SameAtOnce && self.go_to_standby(now) {
            return;
        }
        self.close_standbys();
        match wait {
            Some(Duration::ZERO) => self.open(now),
            Some(wait) => self.registration.phase = Phase::Waiting { until: Some(now + wait) },
            None => self.registration.phase = Phase::Waiting { until: None },
        }
    }

    /// A certificate that is not accepted is no reason to go on in clear: whoever can show a wrong
    /// one could have everything in clear that way.
    fn only_encrypted(&mut self, failed: &SipServer) {
        self.account.servers.retain(|server| server.link == Link::Tls || server == failed);
        let place = self.account.servers.iter().position(|server| server == failed);
        self.registration.attempts.server = place.unwrap_or(0);
    }

    pub(super) fn close_flow(&mut self, now: Instant) {
        let flow = self.registration.phase.flow();
        self.drop_flow(now);
        if let Some(flow) = flow {
            self.flush();
            self.out.push_back(Output::Close { flow });
        }
    }

    /// The flow is no more: requests on it fail, calls that are not up yet end, others go on.
    fn drop_flow(&mut self, now: Instant) {
        let Some(flow) = self.flow.take() else { return };
        self.close_wide(now);
        if self.registration.insist == Insist::Done {
            self.registration.insist = Insist::No;
        }
        for delivered in self.transactions.flow_lost(flow.id) {
            if delivered.context.purpose != Purpose::Register {
                self.unanswered(delivered, 503, now);
            }
        }
        let calls: Vec<_> = self.calls.iter().map(|(id, call)| (*id, call.stage)).collect();
        for (id, stage) in calls {
            match stage {
                Stage::Confirmed => {
                    if let Some(call) = self.calls.get_mut(&id) {
                        (call.asked, call.awaited) = (None, None);
                    }
                }
                Stage::Calling
                | Stage::Cancelling
                | Stage::Ringing
                | Stage::Accepted
                | Stage::Ending => {
                    self.ended(
                        id,
                        End::new(super::By::Network, None, "the connection to the server was lost"),
                    );
                    self.calls.remove(&id);
                }
            }
        }
    }

    pub(super) fn registration_timeout(&mut self, now: Instant) {
        if self.registration.phase.timeout().is_none_or(|at| at > now) {
            return;
        }
        match self.registration.phase {
            Phase::Opening { .. } => self.failed(Fault::ConnectTimeout, Retry::Next, now),
            Phase::Registering { .. } => self.failed(Fault::AnswerTimeout, Retry::Next, now),
            Phase::Registered { refresh_at, .. } if now > refresh_at + OVERSLEPT => {
                self.reopen(now)
            }
            Phase::Registered { .. } => self.refresh(now),
            Phase::Refreshing { .. } => self.register_unanswered(408, now),
            Phase::Waiting { .. } => self.open(now),
            Phase::Idle | Phase::Leaving { .. } | Phase::Stopped => {}
        }
    }

    /// Gives up all connections and registers anew with the server in use: what was open before a
    /// sleep or on another network is most likely dead, and would only be noticed late.
    pub(super) fn reopen(&mut self, now: Instant) {
        self.close_standbys();
        self.close_flow(now);
        self.registration.attempts.succeeded();
        self.open(now);
    }

    /// Un-registers, when there is something to take back.
    pub(super) fn leave(&mut self, now: Instant) {
        let flow = match self.registration.phase {
            Phase::Registering { flow, .. }
            | Phase::Registered { flow, .. }
            | Phase::Refreshing { flow, .. } => flow,
            Phase::Idle
            | Phase::Opening { .. }
            | Phase::Waiting { .. }
            | Phase::Leaving { .. }
            | Phase::Stopped => return,
        };
        self.registration.phase = Phase::Leaving { flow };
        self.send_register(Purpose::Unregister, now);
    }

    pub(super) fn unregistered(&mut self, status: u16) {
        if (200..300).contains(&status) {
            self.event(Event::Unregistered);
        }
    }
}

/// The users of P-Associated-URI: of `sip:` and `tel:`, without parameters of numbers.
fn associated(message: &Message) -> Vec<String> {
    let addresses = message.addresses(Name::PAssociatedUri).filter_map(Result::ok);
    let users = addresses.filter_map(|address| {
        let user = address.uri().ok()?.user_text()?.split(';').next()?.to_owned();
        Some(user).filter(|user| !user.is_empty())
    });
    users.take(MAX_NAMES).collect()
}

/// A UUID of random bits (RFC 9562 section 5.4).
fn uuid(tokens: &mut Tokens) -> String {
    let hex = tokens.long();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// Where the answer's Via says our request came from (RFC 3581).
fn seen_from(message: &Message) -> Option<SocketAddr> {
    let via = message.via()?;
    let ip = via.received()?.trim_matches(['[', ']']).parse().ok()?;
    Some(SocketAddr::new(ip, via.rport()?))
}
