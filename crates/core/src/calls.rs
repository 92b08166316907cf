//! The phone's side of a session.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use offhook_call::{Output, Phone, Registration};
use offhook_model::{
    Call, CallDirection, CallId, CallRecord, CallWish, CommandError, DialString, Fault, Forward,
    Link, Moment, PhoneState, Problem, Reply, ServiceState, ServiceStatus, SoundSettings,
    ToneCountry,
};
use offhook_ports::{FlowId, PhoneAccount, PhoneDialect, StoreRequest};

use crate::standing::ServiceVerdict;
use crate::{Core, Effect};

/// How many earlier calls are shown.
const LOG: usize = 200;

/// The phone, if the account has one, and what becomes of it.
#[derive(Default)]
pub struct PhoneSide {
    phone: Option<Phone>,
    last_id: u32,
    number: Option<String>,
    tls: Option<String>,
    calls: Arc<Vec<Call>>,
    stopped: bool,
    flows: Flows,
    /// What a phone that shows a certificate was begun with.
    account: Option<Box<PhoneAccount>>,
    /// Whose tones the phone has, unless the person chose others.
    tones: Option<ToneCountry>,
}

/// The connections of the phone. Every phone counts from one; outside, no name is used twice, so
/// that a late word of an earlier phone's connection is not taken for one of this phone's.
#[derive(Default)]
struct Flows {
    base: u32,
    highest: u32,
    open: BTreeSet<FlowId>,
}

impl Flows {
    fn outside(&mut self, flow: FlowId) -> FlowId {
        let outside = self.base.wrapping_add(flow.0);
        self.highest = self.highest.max(outside);
        FlowId(outside)
    }

    fn inside(&self, flow: FlowId) -> Option<FlowId> {
        self.open.contains(&flow).then(|| FlowId(flow.0.wrapping_sub(self.base)))
    }

    /// The phone is gone; what it left open.
    fn abandon(&mut self) -> BTreeSet<FlowId> {
        self.base = self.highest;
        std::mem::take(&mut self.open)
    }
}

impl PhoneSide {
    /// When the phone wants [`crate::Event::Timeout`].
    pub fn next_timeout(&self) -> Option<Instant> {
        self.phone.as_ref().and_then(Phone::next_timeout)
    }

    /// The calls as last seen.
    pub fn calls(&self) -> Arc<Vec<Call>> {
        Arc::clone(&self.calls)
    }

    /// What the phone is set to and watches.
    pub fn state(&self) -> Arc<PhoneState> {
        self.phone.as_ref().map(Phone::state).unwrap_or_default()
    }

    /// What the phone was begun with, where it shows a certificate.
    pub(crate) fn account(&self) -> Option<PhoneAccount> {
        self.account.as_deref().cloned()
    }

    /// Our own number.
    pub fn number(&self) -> Option<String> {
        self.number.clone()
    }

    /// A call goes on, or is about to.
    pub fn talks(&self) -> bool {
        self.calls.iter().any(|call| call.end.is_none() && call.desk.is_none())
    }

    /// The call exists and is not over.
    pub fn has_call(&self, id: CallId) -> bool {
        self.calls.iter().any(|call| call.id == id && call.end.is_none())
    }

    /// Nothing is left to hang up or to withdraw.
    pub fn is_stopped(&self) -> bool {
        self.phone.is_none() || self.stopped
    }
}

impl Core {
    /// Registers a phone, in the place of one of ours where there `was` one until now; once it has
    /// the certificate that it may need.
    pub(crate) fn start_phone(&mut self, account: PhoneAccount, was: bool, now: Moment) {
        match account.secure.as_ref().map(|secure| secure.device.clone()) {
            Some(device) => self.start_secure(account, &device, was),
            None => self.begin_registering(account, was, now),
        }
    }

    /// The tones of the phone's country are used where the person chose none.
    fn take_tones(&mut self, tones: Option<ToneCountry>) {
        let before = self.wanted_sound();
        self.phone.tones = tones;
        let wanted = self.wanted_sound();
        if wanted != before {
            self.out.push_back(Effect::MediaSound(wanted));
        }
    }

    /// What is to be done to our voice, and whose tones sound.
    pub(crate) fn wanted_sound(&self) -> SoundSettings {
        let sound = self.settings.sound;
        SoundSettings { tones: sound.tones.or(self.phone.tones), ..sound }
    }

    pub(crate) fn begin_registering(&mut self, mut account: PhoneAccount, was: bool, now: Moment) {
        self.phone.account = account.secure.is_some().then(|| Box::new(account.clone()));
        if account.dialect == PhoneDialect::Standard {
            account.upkeep.instance = Some(self.instance());
        }
        self.find_helpers(&mut account);
        self.take_tones(account.features.tones);
        self.phone.number = Some(account.user.clone());
        let (last, seed) = (self.phone.last_id, self.chance.next());
        let mut phone = Phone::new(account, &self.product, last, seed, (self.entropy)());
        phone.answer_if_asked(self.settings.calls.answer_if_asked);
        phone.refuse_referrals(self.settings.calls.refuse_referrals);
        phone.mark_packets(self.marks_packets());
        phone.save_bandwidth(self.settings.calls.low_bandwidth);
        if let Some(to) = self.dialled_last() {
            phone.dialled_before(to);
        }
        if was {
            phone.succeed(now);
        } else {
            phone.start(now);
        }
        // Where there is no chat, presence goes by the phone's account.
        if self.has_no_chat() {
            phone.show_presence(Some(self.chat.wished_presence()), now);
        }
        self.phone.phone = Some(phone);
        self.phone.stopped = false;
    }

    /// Presence goes by the phone's account, whose server may know nothing of it.
    pub(crate) fn phone_tells_presence(&self) -> bool {
        self.phone.phone.is_some() && self.has_no_chat()
    }

    /// The account has a phone and no chat.
    pub(crate) fn has_no_chat(&self) -> bool {
        self.session.services.im.state == ServiceState::NotConfigured
    }

    /// What the history says was dialled last.
    fn dialled_last(&self) -> Option<DialString> {
        let ours = |record: &&Arc<CallRecord>| record.direction == CallDirection::Outgoing;
        self.call_log.iter().find(ours)?.remote.parse().ok()
    }

    /// Somebody is on the phone, or rings.
    pub(crate) fn calls_go_on(&self) -> bool {
        self.phone.calls.iter().any(|call| call.end.is_none())
    }

    /// Hangs up and withdraws the registration.
    pub(crate) fn stop_phone(&mut self, now: Moment) {
        self.with_phone(|phone| phone.stop(now));
    }

    /// Forgets the phone, however far it came. Whether it had been registered and was still ours.
    pub(crate) fn drop_phone(&mut self) -> bool {
        self.drop_enrolment();
        let mut was = false;
        if let Some(phone) = self.phone.phone.take() {
            was = phone.is_ours();
            self.phone.last_id = phone.last_id();
            for call in phone.calls() {
                self.out.push_back(Effect::MediaRelease(call.id));
            }
            self.out.push_back(Effect::MediaTone(None));
        }
        for flow in self.phone.flows.abandon() {
            self.out.push_back(Effect::SipClose(flow));
        }
        self.phone.number = None;
        self.phone.tls = None;
        self.phone.calls = Arc::default();
        was
    }

    pub(crate) fn with_phone(&mut self, act: impl FnOnce(&mut Phone)) {
        if let Some(phone) = &mut self.phone.phone {
            act(phone);
        }
    }

    /// Runs a command on the phone.
    pub(crate) fn on_phone<T>(
        &mut self,
        what: &str,
        act: impl FnOnce(&mut Phone) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let phone = self.phone.phone.as_mut();
        act(phone.ok_or_else(|| CommandError::not_signed_in(what))?)
    }

    /// What may be asked of the phone beyond the simplest.
    pub(crate) fn call_wish(&mut self, wish: CallWish, now: Moment) -> Result<Reply, CommandError> {
        if let (CallWish::Redial, Some(to)) = (&wish, self.dialled_last()) {
            self.with_phone(|phone| phone.dialled_before(to));
        }
        // Whom a call is given to is dialled like anybody else.
        let wish = match wish {
            CallWish::Transfer { id, to } => {
                CallWish::Transfer { id, to: self.as_dialled_here(to)? }
            }
            CallWish::Forward(Some(Forward::To(to))) => {
                CallWish::Forward(Some(Forward::To(self.as_dialled_here(to)?)))
            }
            other => other,
        };
        self.on_phone("Calling", |phone| phone.wish(wish, now))
    }

    pub(crate) fn sip_opened(
        &mut self,
        flow: FlowId,
        local: SocketAddr,
        remote: SocketAddr,
        tls: Option<String>,
        now: Moment,
    ) {
        let Some(flow) = self.phone.flows.inside(flow) else { return };
        self.phone.tls = tls;
        self.with_phone(|phone| phone.flow_opened(flow, local, remote, now));
    }

    pub(crate) fn sip_data(&mut self, flow: FlowId, bytes: &[u8], now: Moment) {
        let Some(flow) = self.phone.flows.inside(flow) else { return };
        self.with_phone(|phone| phone.receive(flow, bytes, now));
    }

    pub(crate) fn sip_failed(&mut self, flow: FlowId, fault: Fault, now: Moment) {
        let Some(inside) = self.phone.flows.inside(flow) else { return };
        self.phone.flows.open.remove(&flow);
        self.with_phone(|phone| phone.flow_failed(inside, fault, now));
    }

    /// Passes on what the phone wants.
    pub(crate) fn drain_phone(&mut self, now: Moment) {
        while let Some(output) = self.phone.phone.as_mut().and_then(Phone::poll) {
            self.phone_wants(output, now);
        }
        if let Some(phone) = &self.phone.phone
            && !phone.looks_like(&self.phone.calls)
        {
            self.phone.calls = Arc::new(phone.calls());
        }
    }

    fn phone_wants(&mut self, output: Output, now: Moment) {
        let effect = match output {
            // Opened anew when the network is back ([`Phone::network_changed`]).
            Output::Open { .. } if self.network.lost => return,
            Output::Open { flow, server, dscp } => {
                let flow = self.phone.flows.outside(flow);
                self.phone.flows.open.insert(flow);
                let identity = self.phone.account.as_ref().and_then(|_| self.phone_identity());
                Effect::SipOpen { flow, server, identity, dscp }
            }
            Output::Send { flow, bytes } => Effect::SipSend(self.phone.flows.outside(flow), bytes),
            Output::Close(flow) => {
                let flow = self.phone.flows.outside(flow);
                if !self.phone.flows.open.remove(&flow) {
                    return;
                }
                Effect::SipClose(flow)
            }
            Output::Reserve { call, ip, range, ice } => {
                Effect::MediaReserve { call, ip, range, ice: ice.map(Box::new) }
            }
            Output::Apply { call, plan } => Effect::MediaApply(call, plan),
            Output::Release(call) => Effect::MediaRelease(call),
            Output::Dtmf { call, digits } => Effect::MediaDtmf(call, digits),
            Output::Mute { call, muted } => Effect::MediaMute(call, muted),
            Output::Reopen => Effect::MediaReopen,
            Output::Tone(tone) => Effect::MediaTone(tone),
            Output::Registration(registration) => return self.registration(registration, now),
            Output::Record(record) => {
                let log = Arc::make_mut(&mut self.call_log);
                log.insert(0, Arc::new(record.clone()));
                log.truncate(LOG);
                return self.store(StoreRequest::PutCall(record));
            }
            Output::Notice(body) => return self.notice(body, now),
            // A new sign-in reads the device file again; without one the connection is enough.
            Output::Restart { reset: true } => return self.reset_phone(now),
            Output::Restart { reset: false } => {
                return self.with_phone(|phone| phone.network_changed(now));
            }
            Output::Desk { control, order } => {
                let run = self.next_run();
                Effect::Desk { run, control, order }
            }
            Output::Stopped => {
                self.phone.stopped = true;
                return;
            }
        };
        self.out.push_back(effect);
    }

    fn registration(&mut self, registration: Registration, now: Moment) {
        let before = self.session.services.phone.clone();
        let (status, verdict) = match registration {
            Registration::Trying(server) => {
                // A refresh or retry must not hide why the last attempt failed.
                let keeps = before.state == ServiceState::Ready;
                let state = if keeps { ServiceState::Ready } else { ServiceState::Connecting };
                let status = ServiceStatus { state, ..self.phone_row(&server) };
                (ServiceStatus { error: before.error, ..status }, None)
            }
            Registration::Ready { server, .. } => {
                self.certificate_taken(now);
                let state = ServiceState::Ready;
                let status = ServiceStatus { state, ..self.phone_row(&server) };
                (status, Some(ServiceVerdict::Ready))
            }
            Registration::Failed { server, fault, retry_in } => {
                let at = server.endpoint();
                let lost = before.state == ServiceState::Ready;
                let plain = fault.problem(&at);
                if self.certificate_refused(&plain) {
                    return;
                }
                let problem = if lost { Problem::registration_lost(&at, &fault) } else { plain };
                let status = ServiceStatus {
                    state: ServiceState::Failed,
                    error: Some(problem.clone()),
                    ..self.phone_row(&server)
                };
                let verdict = match retry_in {
                    Some(_) => ServiceVerdict::Failed(problem),
                    None => ServiceVerdict::GivenUp(problem),
                };
                (status, Some(verdict))
            }
            Registration::Gone => (ServiceStatus::default(), None),
        };
        self.session.services.phone = status;
        if let Some(verdict) = verdict {
            self.phone_verdict(verdict);
        }
    }

    fn phone_row(&self, server: &offhook_ports::SipServer) -> ServiceStatus {
        let protocol = match server.link {
            Link::Udp => "SIP/UDP",
            Link::Tcp => "SIP/TCP",
            Link::Tls | Link::StartTls => "SIP/TLS",
        };
        ServiceStatus {
            state: ServiceState::Connecting,
            address: Some(server.endpoint().to_string()),
            protocol: Some(protocol.to_owned()),
            tls: self.phone.tls.clone().filter(|_| server.link == Link::Tls),
            error: None,
        }
    }
}
