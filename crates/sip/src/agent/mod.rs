//! The user agent: one registration, its flow, and the calls over it.
//!
//! Feed it with what came ([`UserAgent::receive`], flows opened and lost, time) and with what the
//! person wants, then drain [`UserAgent::poll`]. After every call [`UserAgent::next_timeout`] may
//! have changed.

mod arrival;
mod call;
mod calls;
mod control;
mod credentials;
mod do_not_disturb;
mod flow;
mod fuzzed;
mod headers;
mod incoming;
mod info;
mod keys;
mod kpml;
mod offers;
mod outbound;
mod outgoing;
mod publishing;
mod redirected;
mod referred;
mod register;
mod reliable;
mod requests;
mod routes;
mod sessions;
mod standby;
mod told;
mod transfer;
mod types;
mod watching;
mod wide;
mod wishes;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use offhook_model::{Fault, Link};
use offhook_ports::{FlowId, PhoneAccount, PhoneDialect};

use crate::message::{Message, Method, Request, Response};
use crate::registration::{Attempts, Phase};
use crate::token::Tokens;
use crate::transaction::{ClientKey, Delivered, Expired, Path, ServerKey, Transactions};
use call::Call;
use credentials::Credentials;
use flow::Flow;
pub(crate) use fuzzed::{look, look_at_body};
use standby::Standby;
pub use told::{
    Arrival, CallInfo, Control, ReferTarget, Referral, RosterEntry, SoftKey, TransferStep,
};
pub use types::{By, End, Event, Output, SipCall};

/// How long [`UserAgent::stop`] waits for answers.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// Most calls at once; further ones are told that we are busy.
const MAX_CALLS: usize = 64;

/// Why a request of ours was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    Register,
    Unregister,
    /// Whether the server at the other end of this flow is there.
    KeepAlive(FlowId),
    /// PUBLISH of our presence to the server of a standard account.
    Presence,
    /// SUBSCRIBE of this subscription.
    Subscribe(u32),
    /// REFER with this press of a button.
    Press(u32),
    /// PUBLISH of do not disturb.
    DoNotDisturb,
    Invite(SipCall),
    Reinvite(SipCall),
    /// UPDATE without offer: it refreshes the session or tells our new Contact.
    Refresh(SipCall),
    /// UPDATE with an offer.
    Update(SipCall),
    Prack(SipCall),
    /// INFO with a digit.
    Info(SipCall),
    /// NOTIFY of a key.
    Kpml(SipCall),
    /// REFER.
    Refer(SipCall),
    /// NOTIFY to one who asked us to call somebody.
    Told(SipCall),
    Bye(Option<SipCall>),
    Cancel,
}

/// What travels with a request of ours.
#[derive(Clone, Debug)]
struct Context {
    purpose: Purpose,
    /// Challenges that were answered for this request: proxy or not, and realm.
    answered: Vec<(bool, String)>,
    /// How often it was sent with other credentials.
    rounds: u8,
}

impl Context {
    fn of(purpose: Purpose) -> Self {
        Self { purpose, answered: vec![], rounds: 0 }
    }
}

/// See the module.
#[derive(Debug)]
pub struct UserAgent {
    account: PhoneAccount,
    product: String,
    tokens: Tokens,
    transactions: Transactions<Context>,
    flow: Option<Flow>,
    standbys: Vec<Standby>,
    wide: wide::Wide,
    /// Where the message that is being looked at came from, when not by `flow`.
    came_by: Option<Path>,
    next_flow: u32,
    registration: register::Registration,
    outbound: outbound::Outbound,
    calls: BTreeMap<SipCall, Call>,
    transfers: Vec<transfer::Transfer>,
    askings: Vec<referred::Asking>,
    next_call: u32,
    watching: watching::Watching,
    publication: publishing::Publication,
    presses: Vec<keys::Press>,
    credentials: Credentials,
    out: VecDeque<Output>,
    /// When [`UserAgent::stop`] gives up waiting.
    stopping: Option<Instant>,
}

impl UserAgent {
    /// A user agent that has not started. `product` names the program in User-Agent and Server,
    /// `seed` makes its identifiers differ from all others'.
    pub fn new(mut account: PhoneAccount, product: String, seed: u64) -> Self {
        account.servers.extend(account.upkeep.stand_ins.iter().cloned());
        let mut tokens = Tokens::new(seed);
        let registration = register::Registration::new(&account, &mut tokens);
        Self {
            account,
            product,
            tokens,
            transactions: Transactions::default(),
            flow: None,
            standbys: vec![],
            wide: wide::Wide::default(),
            came_by: None,
            next_flow: 1,
            registration,
            outbound: outbound::Outbound::default(),
            calls: BTreeMap::new(),
            transfers: vec![],
            askings: vec![],
            next_call: 1,
            watching: watching::Watching::default(),
            publication: publishing::Publication::default(),
            presses: vec![],
            credentials: Credentials::default(),
            out: VecDeque::new(),
            stopping: None,
        }
    }

    /// Opens a flow to the first server and registers. Also ends a wait that has no end of its
    /// own.
    pub fn start(&mut self, now: Instant) {
        let idle = match self.registration.phase {
            Phase::Idle | Phase::Waiting { .. } | Phase::Stopped => true,
            Phase::Opening { .. }
            | Phase::Registering { .. }
            | Phase::Registered { .. }
            | Phase::Refreshing { .. }
            | Phase::Leaving { .. } => false,
        };
        if idle {
            self.stopping = None;
            self.registration.attempts = Attempts::default();
            self.open(now);
        }
        self.flush();
    }

    /// Hangs up all calls and un-registers; [`Output::Stopped`] follows within 2 s.
    pub fn stop(&mut self, now: Instant) {
        if self.registration.phase == Phase::Stopped {
            self.out.push_back(Output::Stopped);
            return;
        }
        if self.stopping.is_some() {
            return;
        }
        for call in self.calls.keys().copied().collect::<Vec<_>>() {
            self.end_call(call, now);
        }
        self.stopping = Some(now + STOP_TIMEOUT);
        self.close_standbys();
        self.unsubscribe_all(now);
        self.unpublish(now);
        self.leave(now);
        self.stop_if_quiet(false);
        self.flush();
    }

    /// The flow is open.
    pub fn flow_opened(
        &mut self,
        flow: FlowId,
        local: SocketAddr,
        remote: SocketAddr,
        now: Instant,
    ) {
        if let Phase::Opening { flow: wanted, .. } = self.registration.phase
            && wanted == flow
        {
            let link = self.server().map_or(Link::Udp, |server| server.link);
            self.flow = Some(Flow::new(flow, link, local, remote));
            self.register_first(now);
        } else {
            let flow = Flow::new(flow, Link::Udp, local, remote);
            if !self.wide_opened(&flow, now) {
                self.standby_opened(flow, now);
            }
        }
        self.flush();
    }

    /// The flow could not be opened, or was closed later.
    pub fn flow_failed(&mut self, flow: FlowId, fault: Fault, now: Instant) {
        if self.registration.phase.flow() == Some(flow) {
            self.lost(fault, now);
        } else if !self.wide_failed(flow, now) {
            self.standby_failed(flow, now);
        }
        self.tell_referrers(now);
        self.flush();
    }

    /// One datagram, or the next bytes of a stream.
    pub fn receive(&mut self, flow: FlowId, bytes: &[u8], now: Instant) {
        if self.flow.as_ref().is_some_and(|open| open.id == flow) {
            self.take(bytes, now);
        } else if !self.take_wide(flow, bytes, now) {
            self.take_standby(flow, bytes, now);
        }
        self.tell_referrers(now);
        self.consider_return(now);
        self.stop_if_quiet(false);
        self.flush();
    }

    /// The network changed: addresses may have, so the flow is opened anew and all calls tell
    /// their new Contact.
    pub fn network_changed(&mut self, now: Instant) {
        let again = match self.registration.phase {
            Phase::Opening { .. }
            | Phase::Registering { .. }
            | Phase::Registered { .. }
            | Phase::Refreshing { .. }
            | Phase::Waiting { until: Some(_) } => true,
            Phase::Idle
            | Phase::Waiting { until: None }
            | Phase::Leaving { .. }
            | Phase::Stopped => false,
        };
        if again {
            self.reopen(now);
        }
        self.flush();
    }

    /// When [`UserAgent::handle_timeout`] wants to be called.
    pub fn next_timeout(&self) -> Option<Instant> {
        let calls = self.calls.values().filter_map(Call::next_timeout).min();
        let ping = self.flow.as_ref().and_then(Flow::next_timeout);
        let transfers = self.transfers.iter().filter_map(|transfer| transfer.until).min();
        let askings = self.askings.iter().map(|asking| asking.until).min();
        [
            self.transactions.next_timeout(),
            self.registration.phase.timeout(),
            calls,
            ping,
            transfers,
            askings,
            self.standby_timeout(),
            self.wide.next_timeout(),
            self.watching_timeout(),
            self.publication_timeout(),
            self.keys_timeout(),
            self.stopping,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        for expired in self.transactions.expire(now) {
            match expired {
                Expired::Client(delivered) => self.unanswered(delivered, 408, now),
                Expired::Unacknowledged(key) => self.unacknowledged(&key, now),
            }
        }
        self.registration_timeout(now);
        self.keep_alive(now);
        self.tend_standbys(now);
        self.tend_wide(now);
        self.tend_subscriptions(now);
        self.tend_publication(now);
        self.expire_presses(now);
        self.consider_return(now);
        self.retry_offers(now);
        self.provisionals_timeout(now);
        self.sessions_timeout(now);
        self.kpml_timeout(now);
        self.transfers_timeout(now);
        self.referrals_timeout(now);
        self.unanswered_timeout(now);
        self.tell_referrers(now);
        self.stop_if_quiet(self.stopping.is_some_and(|end| end <= now));
        self.flush();
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Our address on the flow in use, for session descriptions.
    pub fn local_ip(&self) -> Option<IpAddr> {
        self.flow.as_ref().map(|flow| flow.local.ip())
    }

    /// Whether calls can be made and received.
    pub fn is_registered(&self) -> bool {
        self.registration.phase.is_registered()
    }

    /// Whether signalling is under TLS.
    pub fn is_secure(&self) -> bool {
        self.flow.as_ref().is_some_and(|flow| flow.link == Link::Tls)
    }

    fn new_call_id(&mut self) -> SipCall {
        let call = SipCall(self.next_call);
        self.next_call = self.next_call.wrapping_add(1);
        call
    }

    fn event(&mut self, event: Event) {
        self.note_for_referrer(&event);
        self.out.push_back(Output::Event(event));
    }

    /// Puts what transactions want to send into the queue, in order with all else.
    fn flush(&mut self) {
        while let Some((flow, bytes)) = self.transactions.poll() {
            self.out.push_back(Output::Send { flow, bytes });
        }
    }

    fn is_cucm(&self) -> bool {
        match &self.account.dialect {
            PhoneDialect::Standard => false,
            PhoneDialect::Cucm { .. } => true,
        }
    }

    /// The path of the open flow.
    fn path(&self) -> Option<Path> {
        self.flow.as_ref().map(|flow| Path { flow: flow.id, reliable: flow.link != Link::Udp })
    }

    /// Sends a request on the open flow, with credentials we already have. Nothing without flow.
    fn send(&mut self, mut request: Request, context: Context, now: Instant) -> Option<ClientKey> {
        if context.answered.is_empty() {
            self.authorize(&mut request);
        }
        let branch = self.tokens.branch();
        let (path, via) = self.path_of(&mut request, &context.purpose, &branch, now)?;
        Some(self.transactions.send(path, request, &via, &branch, context, now))
    }

    fn respond(&mut self, key: &ServerKey, response: &Response, now: Instant) {
        self.transactions.respond(key, response, now);
    }

    /// A response came for one of our requests.
    fn response(&mut self, message: &Message, now: Instant) {
        let Some(delivered) = self.transactions.response(message, now) else { return };
        let status = message.status().unwrap_or(100);
        let asked_again =
            !matches!(delivered.context.purpose, Purpose::Cancel | Purpose::KeepAlive(_));
        if matches!(status, 401 | 407) && asked_again {
            self.challenged(delivered, message, now);
            return;
        }
        if (200..300).contains(&status) && asked_again {
            self.take_next_nonce(delivered.request.method == Method::Register, message);
        }
        match delivered.context.purpose.clone() {
            Purpose::Register => self.registered(message, now),
            Purpose::Unregister => self.unregistered(status),
            Purpose::KeepAlive(flow) => self.standby_answered(flow, status, now),
            Purpose::Subscribe(id) => self.subscribe_response(id, &delivered.request, message, now),
            Purpose::Presence => self.publish_response(message, now),
            Purpose::Press(id) => self.press_response(id, status, &message.explanation(), now),
            Purpose::DoNotDisturb => {
                self.do_not_disturb_answered(status, &message.explanation());
            }
            Purpose::Invite(call) => self.invite_response(call, &delivered, message, now),
            Purpose::Reinvite(call) => self.reinvite_response(call, &delivered, message, now),
            Purpose::Bye(Some(call)) if status >= 200 => {
                self.calls.remove(&call);
            }
            Purpose::Refer(call) => {
                self.refer_response(call, delivered.request.cseq, message, now);
            }
            Purpose::Told(call) if status == 481 => self.referrer_gone(call),
            Purpose::Refresh(call) => self.refreshed(call, message, now),
            Purpose::Update(call) => self.updated(call, message, now),
            Purpose::Info(call) => self.digit_answered(call, status, now),
            Purpose::Kpml(call) if status == 481 => self.keys_refused(call),
            Purpose::Kpml(_)
            | Purpose::Told(_)
            | Purpose::Prack(_)
            | Purpose::Bye(_)
            | Purpose::Cancel => {}
        }
    }

    /// A request of ours got no answer at all, or its flow was lost.
    fn unanswered(&mut self, delivered: Delivered<Context>, status: u16, now: Instant) {
        match delivered.context.purpose {
            Purpose::Register => self.register_unanswered(status, now),
            Purpose::Unregister => self.unregistered(status),
            Purpose::KeepAlive(flow) => self.standby_answered(flow, status, now),
            Purpose::Subscribe(id) => self.subscribe_failed(id, status, None, now),
            Purpose::Presence => self.publish_failed(status, None, now),
            Purpose::Press(id) => self.press_response(id, status, "", now),
            Purpose::DoNotDisturb => self.do_not_disturb_answered(status, ""),
            Purpose::Invite(call) => self.invite_unanswered(call, status),
            Purpose::Reinvite(call) => self.reinvite_unanswered(call, status, now),
            Purpose::Bye(Some(call)) => {
                self.calls.remove(&call);
            }
            Purpose::Refer(call) => self.refer_failed(call, status, String::new()),
            Purpose::Told(call) => self.referrer_gone(call),
            Purpose::Info(call) => self.digit_answered(call, status, now),
            Purpose::Kpml(call) => self.keys_refused(call),
            Purpose::Update(call) => self.update_refused(call, status, now),
            Purpose::Refresh(call) if status == 408 => self.refresh_unanswered(call, now),
            Purpose::Refresh(_) | Purpose::Prack(_) | Purpose::Bye(None) | Purpose::Cancel => {}
        }
    }

    /// Ends the event side of a call: it is told once.
    fn ended(&mut self, call: SipCall, end: End) {
        // What is not there any more has been told of when it went.
        let Some(known) = self.calls.get_mut(&call) else { return };
        if !std::mem::replace(&mut known.told, true) {
            self.event(Event::Ended { call, end });
        }
    }

    fn stop_if_quiet(&mut self, now_or_never: bool) {
        if self.stopping.is_none() || self.registration.phase == Phase::Stopped {
            return;
        }
        if !now_or_never && self.transactions.busy() {
            return;
        }
        let unsaid: Vec<SipCall> = self.calls.keys().copied().collect();
        for call in unsaid {
            self.ended(
                call,
                End { by: By::Us, status: None, text: String::new(), cancelled_elsewhere: false },
            );
        }
        self.calls.clear();
        self.transfers.clear();
        self.askings.clear();
        self.flush();
        if let Some(flow) = std::mem::take(&mut self.wide).id() {
            self.out.push_back(Output::Close { flow });
        }
        if let Some(flow) = self.flow.take() {
            self.out.push_back(Output::Close { flow: flow.id });
        } else if let Some(flow) = self.registration.phase.flow() {
            self.out.push_back(Output::Close { flow });
        }
        self.transactions = Transactions::default();
        self.registration.phase = Phase::Stopped;
        self.stopping = None;
        self.out.push_back(Output::Stopped);
    }
}
