//! The phone: registration and all its calls.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use offhook_model::{
    AudioCodec, Call, CallDirection, CallEnd, CallId, CallState, CommandError, DialString,
    ErrorCode, Fault, Moment, NoticeBody, Owner, Security,
};
use offhook_ports::{FlowId, MediaFact, MediaPlan, PhoneAccount, SipServer};
use offhook_rtp::sdp::{LocalMedia, Negotiator};
use offhook_sip::{Event as SipEvent, Identity, Output as SipOutput, SipCall, UserAgent};

use crate::ending::{self, Reached};
use crate::entry::{Entry, Waiting};
use crate::{Output, Registration, Tone, identity, tones};

/// How long an ended call stays on the screen.
const AFTERGLOW: Duration = Duration::from_secs(4);

/// One packet each 20 ms, the default of every codec here (RFC 3551 section 4.2).
const PACKET_TIME: Duration = Duration::from_millis(20);

/// A registered phone and its calls. Feed it with `handle_*` and `flow_*`, drain it with
/// [`Phone::poll`].
pub struct Phone {
    account: PhoneAccount,
    agent: UserAgent,
    server: Option<SipServer>,
    entries: Vec<Entry>,
    last_id: u32,
    seed: u64,
    tone: Option<Tone>,
    out: VecDeque<Output>,
    stopped: bool,
}

impl Phone {
    /// A phone for this account. Call ids begin after `last_id`; `seed` is the only chance in it.
    pub fn new(account: PhoneAccount, product: &str, last_id: u32, seed: u64) -> Self {
        Self {
            agent: UserAgent::new(account.clone(), product.to_owned(), seed),
            account,
            server: None,
            entries: Vec::new(),
            last_id,
            seed,
            tone: None,
            out: VecDeque::new(),
            stopped: false,
        }
    }

    /// Registers.
    pub fn start(&mut self, now: Moment) {
        self.agent.start(now.at);
        self.settle(now);
    }

    /// Hangs up everything and withdraws the registration; [`Output::Stopped`] says when.
    pub fn stop(&mut self, now: Moment) {
        for index in 0..self.entries.len() {
            self.end_by_us(index, now);
        }
        self.agent.stop(now.at);
        self.settle(now);
    }

    /// The calls, oldest first, those that ended a moment ago included.
    pub fn calls(&self) -> Vec<Call> {
        self.entries.iter().map(|entry| entry.call.clone()).collect()
    }

    /// The highest call id given so far.
    pub fn last_id(&self) -> u32 {
        self.last_id
    }

    /// When [`Phone::handle_timeout`] is due.
    pub fn next_timeout(&self) -> Option<Instant> {
        let fading = self.entries.iter().filter_map(|entry| entry.ended).map(|at| at + AFTERGLOW);
        fading.chain(self.agent.next_timeout()).min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.entries.retain(|entry| entry.ended.is_none_or(|at| at + AFTERGLOW > now.at));
        self.agent.handle_timeout(now.at);
        self.settle(now);
    }

    /// The next wish.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// A connection asked for with [`Output::Open`] is open.
    pub fn flow_opened(
        &mut self,
        flow: FlowId,
        local: SocketAddr,
        remote: SocketAddr,
        now: Moment,
    ) {
        self.agent.flow_opened(flow, local, remote, now.at);
        self.settle(now);
    }

    /// A connection could not be opened, or is gone.
    pub fn flow_failed(&mut self, flow: FlowId, fault: Fault, now: Moment) {
        self.agent.flow_failed(flow, fault, now.at);
        self.settle(now);
    }

    /// Bytes came: one datagram, or the next of a stream.
    pub fn receive(&mut self, flow: FlowId, bytes: &[u8], now: Moment) {
        self.agent.receive(flow, bytes, now.at);
        self.settle(now);
    }

    /// The network changed; the registration is looked after at once.
    pub fn network_changed(&mut self, now: Moment) {
        self.agent.network_changed(now.at);
        self.settle(now);
    }

    /// Calls somebody. Calls that are up are put on hold first.
    ///
    /// # Errors
    /// Not registered, or the phone has no address yet.
    pub fn dial(&mut self, to: DialString, now: Moment) -> Result<CallId, CommandError> {
        let ip = self.agent.local_ip().filter(|_| self.agent.is_registered());
        let ip = ip.ok_or_else(|| CommandError {
            code: ErrorCode::NotSignedIn,
            cause: "Calling is not possible: the phone is not registered.".into(),
            owner: Owner::Server,
            remedy: "See the connection status for the reason; it is tried again by itself.".into(),
        })?;
        self.hold_others(None, now);
        let id = self.next_id();
        let waiting = Waiting::PortsToDial(to.clone());
        let entry = Entry::new(id, CallDirection::Outgoing, to.to_string(), now.wall, waiting);
        self.entries.push(entry);
        self.reserve(id, ip);
        self.tell(id);
        self.settle(now);
        Ok(id)
    }

    /// The answer to [`Output::Reserve`].
    pub fn reserved(
        &mut self,
        id: CallId,
        ports: Result<(SocketAddr, SocketAddr), String>,
        now: Moment,
    ) {
        let Some(index) = self.index(id) else { return };
        if self.entries[index].ended.is_some() {
            return;
        }
        match ports {
            Ok((rtp, rtcp)) => self.describe(index, rtp, rtcp, now),
            Err(why) => self.no_ports(index, &why, now),
        }
        self.settle(now);
    }

    /// Takes an incoming call.
    ///
    /// # Errors
    /// There is no such call, or it does not ring.
    pub fn answer(&mut self, id: CallId, now: Moment) -> Result<(), CommandError> {
        let index = self.existing(id)?;
        self.in_state(index, "answered", &[CallState::Incoming])?;
        self.hold_others(Some(id), now);
        if let Waiting::PortsToAnswer { answer } = &mut self.entries[index].waiting {
            *answer = true;
        } else {
            self.answer_now(index, now);
        }
        self.settle(now);
        Ok(())
    }

    /// Refuses an incoming call.
    ///
    /// # Errors
    /// There is no such call, or it does not ring.
    pub fn decline(&mut self, id: CallId, now: Moment) -> Result<(), CommandError> {
        let index = self.existing(id)?;
        self.in_state(index, "declined", &[CallState::Incoming])?;
        self.end_by_us(index, now);
        self.settle(now);
        Ok(())
    }

    /// Ends a call, whatever its state.
    ///
    /// # Errors
    /// There is no such call, or it is over.
    pub fn hang_up(&mut self, id: CallId, now: Moment) -> Result<(), CommandError> {
        let index = self.existing(id)?;
        if self.entries[index].ended.is_some() {
            return Err(not_possible(id, "hung up", CallState::Ended));
        }
        self.end_by_us(index, now);
        self.settle(now);
        Ok(())
    }

    /// Puts on hold.
    ///
    /// # Errors
    /// There is no such call, or it is not up.
    pub fn hold(&mut self, id: CallId, now: Moment) -> Result<(), CommandError> {
        let index = self.existing(id)?;
        self.in_state(index, "held", &[CallState::Connected, CallState::RemoteHeld])?;
        self.change_hold(index, true, now);
        self.settle(now);
        Ok(())
    }

    /// Takes back from hold; other calls that are up are held.
    ///
    /// # Errors
    /// There is no such call, or it is not held by us.
    pub fn resume(&mut self, id: CallId, now: Moment) -> Result<(), CommandError> {
        let index = self.existing(id)?;
        self.in_state(index, "resumed", &[CallState::Held])?;
        self.hold_others(Some(id), now);
        self.change_hold(index, false, now);
        self.settle(now);
        Ok(())
    }

    /// Microphone off or on.
    ///
    /// # Errors
    /// There is no such call, or it is over.
    pub fn mute(&mut self, id: CallId, muted: bool) -> Result<(), CommandError> {
        let index = self.existing(id)?;
        if self.entries[index].ended.is_some() {
            return Err(not_possible(id, "muted", CallState::Ended));
        }
        self.entries[index].call.muted = muted;
        self.out.push_back(Output::Mute { call: id, muted });
        self.tell(id);
        Ok(())
    }

    /// Sends digits as telephone events (RFC 4733).
    ///
    /// # Errors
    /// There is no such call, it is not up, a character is no digit, or the other side takes no
    /// telephone events.
    pub fn dtmf(&mut self, id: CallId, digits: &str) -> Result<(), CommandError> {
        let index = self.existing(id)?;
        let good = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d');
        if digits.is_empty() || digits.len() > 64 || !digits.chars().all(good) {
            return Err(CommandError::user(
                ErrorCode::InvalidParams,
                "Digits can only be 0-9, *, # and A-D, at most 64 at a time.",
                "Correct the digits.",
            ));
        }
        self.in_state(index, "sent digits", &[CallState::Connected, CallState::Early])?;
        if !self.entries[index].events_agreed {
            return Err(CommandError {
                code: ErrorCode::Failed,
                cause: "The other side did not agree to telephone events.".into(),
                owner: Owner::Admin,
                remedy: "Enable RFC 4733 (telephone-event) on the gateway.".into(),
            });
        }
        self.entries[index].call.digits.push_str(digits);
        self.out.push_back(Output::Dtmf { call: id, digits: digits.to_owned() });
        Ok(())
    }

    /// A fact from the media engine.
    pub fn media(&mut self, fact: &MediaFact) {
        let (id, word) = match fact {
            MediaFact::FirstPacket(id) | MediaFact::SoundAgain(id) => (*id, "good"),
            MediaFact::Silence(id, _) => (*id, "silent"),
            MediaFact::Digit(..)
            | MediaFact::DigitsSent(_)
            | MediaFact::DeviceLost(_)
            | MediaFact::DevicesChanged => return,
        };
        if let Some(index) = self.index(id)
            && self.entries[index].is_up()
        {
            self.entries[index].call.sound = Some(word.to_owned());
        }
    }

    // ---- inside ----------------------------------------------------------------------------

    fn next_id(&mut self) -> CallId {
        self.last_id += 1;
        CallId(self.last_id)
    }

    fn index(&self, id: CallId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.call.id == id)
    }

    fn existing(&self, id: CallId) -> Result<usize, CommandError> {
        self.index(id).ok_or_else(|| CommandError::no_call(id))
    }

    fn of_sip(&self, call: SipCall) -> Option<usize> {
        self.entries.iter().position(|entry| entry.sip == Some(call))
    }

    fn in_state(&self, index: usize, verb: &str, states: &[CallState]) -> Result<(), CommandError> {
        let call = &self.entries[index].call;
        if states.contains(&call.state) {
            Ok(())
        } else {
            Err(not_possible(call.id, verb, call.state))
        }
    }

    fn reserve(&mut self, call: CallId, ip: IpAddr) {
        let range = self.account.media_ports;
        self.out.push_back(Output::Reserve { call, ip, range });
    }

    fn describe(&mut self, index: usize, rtp: SocketAddr, rtcp: SocketAddr, now: Moment) {
        let id = self.entries[index].call.id;
        let local = LocalMedia {
            address: rtp.ip(),
            rtp_port: rtp.port(),
            rtcp_port: rtcp.port(),
            codecs: AudioCodec::ALL.to_vec(),
            packet_time: PACKET_TIME,
            dscp: self.account.audio_dscp,
            // Random per session, so it identifies nobody (RFC 7022).
            cname: format!(
                "{:016x}",
                self.seed ^ u64::from(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ),
            hold: false,
        };
        let session_id = (self.seed >> 33) + u64::from(id.0);
        let mut description = Negotiator::new(session_id, local);
        let entry = &mut self.entries[index];
        match std::mem::replace(&mut entry.waiting, Waiting::Nothing) {
            Waiting::PortsToDial(to) => {
                let offer = description.offer();
                entry.description = Some(description);
                entry.sip = Some(self.agent.invite(&to, offer, now.at));
            }
            Waiting::PortsToAnswer { answer } => {
                entry.description = Some(description);
                if answer {
                    self.answer_now(index, now);
                }
            }
            Waiting::Nothing => {}
        }
    }

    fn no_ports(&mut self, index: usize, why: &str, now: Moment) {
        if let Some(sip) = self.entries[index].sip {
            self.agent.reject(sip, 500, now.at);
        }
        let problem = offhook_model::Problem::new(
            offhook_model::Area::Media,
            Owner::Admin,
            format!("No sound port is free for the call: {why}."),
            "Widen the media port range of the phone, or end other programs that use it.",
        );
        self.finish(
            index,
            CallEnd { cause: "failed", sip_status: None, problem: Some(problem) },
            now,
        );
    }

    fn answer_now(&mut self, index: usize, now: Moment) {
        let entry = &mut self.entries[index];
        let (Some(sip), Some(description)) = (entry.sip, entry.description.as_mut()) else {
            return;
        };
        let (sdp, plan) = match entry.offer.take() {
            None => (description.offer(), None),
            Some(offer) => match description.answer(&offer) {
                Ok((sdp, plan)) => (sdp, Some(plan)),
                Err(_) => return self.nothing_in_common(index, now),
            },
        };
        self.agent.answer(sip, sdp, now.at);
        self.connect(index, plan, now);
    }

    /// RFC 3261 section 21.4.26: 488 for a description that cannot be used.
    fn nothing_in_common(&mut self, index: usize, now: Moment) {
        if let Some(sip) = self.entries[index].sip {
            self.agent.reject(sip, 488, now.at);
        }
        self.finish(index, CallEnd { cause: "failed", sip_status: Some(488), problem: None }, now);
    }

    fn connect(&mut self, index: usize, plan: Option<MediaPlan>, now: Moment) {
        let secure = self.agent.is_secure();
        let entry = &mut self.entries[index];
        entry.call.connected.get_or_insert(now.wall);
        entry.call.security = if secure { Security::Signalling } else { Security::None };
        let id = entry.call.id;
        if let Some(plan) = plan {
            self.apply(index, plan);
        }
        self.set_state(id, CallState::Connected);
    }

    fn apply(&mut self, index: usize, plan: MediaPlan) {
        let entry = &mut self.entries[index];
        entry.events_agreed = plan.dtmf.is_some();
        self.out.push_back(Output::Apply { call: entry.call.id, plan });
    }

    fn hold_others(&mut self, except: Option<CallId>, now: Moment) {
        for index in 0..self.entries.len() {
            let call = &self.entries[index].call;
            if Some(call.id) != except && call.state == CallState::Connected {
                self.change_hold(index, true, now);
            }
        }
    }

    fn change_hold(&mut self, index: usize, hold: bool, now: Moment) {
        let entry = &mut self.entries[index];
        let (Some(sip), Some(description)) = (entry.sip, entry.description.as_mut()) else {
            return;
        };
        description.set_hold(hold);
        let offer = description.offer();
        entry.hold_asked = Some(entry.call.state);
        let id = entry.call.id;
        self.agent.reinvite(sip, offer, now.at);
        self.set_state(id, if hold { CallState::Held } else { CallState::Connected });
    }

    fn end_by_us(&mut self, index: usize, now: Moment) {
        let entry = &mut self.entries[index];
        if entry.ended.is_some() {
            return;
        }
        let incoming = entry.call.state == CallState::Incoming;
        entry.declined = incoming;
        let answered = entry.call.connected.is_some();
        match (entry.sip, incoming) {
            // 603 tells forking proxies to stop ringing the user's other phones as well, which is
            // not meant: a desk phone of the same person may still be answered. 486 says "not here".
            (Some(sip), true) => self.agent.reject(sip, 486, now.at),
            (Some(sip), false) => self.agent.hang_up(sip, now.at),
            (None, _) => {}
        }
        let cause = match (incoming, answered) {
            (true, _) => "declined",
            (false, true) => "hungUp",
            (false, false) => "cancelled",
        };
        self.finish(index, CallEnd { cause, sip_status: None, problem: None }, now);
    }

    fn finish(&mut self, index: usize, end: CallEnd, now: Moment) {
        let entry = &mut self.entries[index];
        if entry.ended.is_some() {
            return;
        }
        entry.ended = Some(now.at);
        entry.call.end = Some(end);
        let id = entry.call.id;
        let record = entry.record(now.wall);
        self.out.push_back(Output::Release(id));
        self.out.push_back(Output::Record(record));
        self.set_state(id, CallState::Ended);
    }

    fn set_state(&mut self, id: CallId, state: CallState) {
        if let Some(index) = self.index(id)
            && self.entries[index].call.state != state
        {
            self.entries[index].call.state = state;
            self.tell(id);
        }
    }

    fn tell(&mut self, id: CallId) {
        let Some(index) = self.index(id) else { return };
        let call = &self.entries[index].call;
        self.out.push_back(Output::Notice(NoticeBody::Call {
            id,
            direction: call.direction,
            remote: call.remote.clone(),
            state: call.state,
            name: call.name.clone(),
            cause: call.end.as_ref().map(|end| end.cause),
            sip_status: call.end.as_ref().and_then(|end| end.sip_status),
        }));
    }

    /// Takes everything the user agent has to say, then decides what the phone sounds like.
    fn settle(&mut self, now: Moment) {
        while let Some(output) = self.agent.poll() {
            match output {
                SipOutput::Open { flow, server, dscp } => {
                    self.out.push_back(Output::Open { flow, server, dscp });
                }
                SipOutput::Send { flow, bytes } => self.out.push_back(Output::Send { flow, bytes }),
                SipOutput::Close { flow } => self.out.push_back(Output::Close(flow)),
                SipOutput::Event(event) => self.sip_event(event, now),
                SipOutput::Stopped => {
                    if !self.stopped {
                        self.stopped = true;
                        self.out.push_back(Output::Stopped);
                    }
                }
            }
        }
        let tone = tones::fitting(&self.calls());
        if tone != self.tone {
            self.tone = tone;
            self.out.push_back(Output::Tone(tone));
        }
    }

    fn sip_event(&mut self, event: SipEvent, now: Moment) {
        match event {
            SipEvent::Registering { server } => {
                self.out.push_back(Output::Registration(Registration::Trying(server)));
            }
            SipEvent::Registered { server, local: _, expires } => {
                self.server = Some(server.clone());
                let ready = Registration::Ready { server, expires };
                self.out.push_back(Output::Registration(ready));
            }
            SipEvent::RegistrationFailed { server, fault, retry_in } => {
                let failed = Registration::Failed { server, fault, retry_in };
                self.out.push_back(Output::Registration(failed));
            }
            SipEvent::Unregistered => {
                self.out.push_back(Output::Registration(Registration::Gone));
            }
            SipEvent::Incoming { call, remote, offer } => self.incoming(call, &remote, offer, now),
            SipEvent::Progress { call, status, sdp, remote } => {
                self.progress(call, status, sdp.as_deref(), remote.as_ref());
            }
            SipEvent::Answered { call, sdp, remote } => {
                self.answered(call, sdp.as_deref(), remote.as_ref(), now);
            }
            SipEvent::Confirmed { call, sdp } => self.answer_came(call, sdp.as_deref()),
            SipEvent::Offer { call, sdp } => self.offered(call, sdp.as_deref(), now),
            SipEvent::OfferAnswered { call, sdp } => self.hold_answered(call, sdp.as_deref()),
            SipEvent::OfferRefused { call, status: _ } => self.hold_refused(call),
            SipEvent::RemoteIdentity { call, remote } => {
                if let Some(index) = self.of_sip(call) {
                    self.known_as(index, Some(&remote));
                }
            }
            SipEvent::Ended { call, end } => {
                let Some(index) = self.of_sip(call) else { return };
                let entry = &self.entries[index];
                let reached = Reached {
                    direction: entry.call.direction,
                    answered: entry.call.connected.is_some(),
                    declined: entry.declined,
                };
                let at = self.server.as_ref().map(SipServer::endpoint);
                let end = ending::describe(&end, reached, at);
                self.finish(index, end, now);
            }
            SipEvent::MessageWaiting { waiting } => {
                self.out.push_back(Output::MessageWaiting(waiting));
            }
        }
    }

    fn incoming(&mut self, sip: SipCall, remote: &Identity, offer: Option<String>, now: Moment) {
        let Some(ip) = self.agent.local_ip() else {
            self.agent.reject(sip, 480, now.at);
            return;
        };
        let id = self.next_id();
        let waiting = Waiting::PortsToAnswer { answer: false };
        let mut entry =
            Entry::new(id, CallDirection::Incoming, remote.uri.clone(), now.wall, waiting);
        identity::apply(&mut entry.call, remote);
        entry.sip = Some(sip);
        entry.offer = offer;
        self.entries.push(entry);
        self.agent.ring(sip, now.at);
        self.reserve(id, ip);
        self.tell(id);
    }

    fn known_as(&mut self, index: usize, remote: Option<&Identity>) {
        let Some(remote) = remote else { return };
        let entry = &mut self.entries[index];
        if identity::apply(&mut entry.call, remote) {
            let id = entry.call.id;
            self.tell(id);
        }
    }

    fn progress(
        &mut self,
        sip: SipCall,
        status: u16,
        sdp: Option<&str>,
        remote: Option<&Identity>,
    ) {
        let Some(index) = self.of_sip(sip) else { return };
        self.known_as(index, remote);
        let plan = self.accept(index, sdp);
        let early = plan.is_some();
        if let Some(plan) = plan {
            self.apply(index, plan);
        }
        let entry = &self.entries[index];
        let id = entry.call.id;
        match (entry.call.state, status) {
            (CallState::Dialing | CallState::Ringing, _) if early => {
                self.set_state(id, CallState::Early);
            }
            (CallState::Dialing, 180..=199) => self.set_state(id, CallState::Ringing),
            _ => {}
        }
    }

    /// The other side's answer to our offer, as a plan; nothing when there is none or it cannot be
    /// used (then what was agreed before stays).
    fn accept(&mut self, index: usize, sdp: Option<&str>) -> Option<MediaPlan> {
        let description = self.entries[index].description.as_mut()?;
        description.accept_answer(sdp?).ok()
    }

    fn answered(
        &mut self,
        sip: SipCall,
        sdp: Option<&str>,
        remote: Option<&Identity>,
        now: Moment,
    ) {
        let Some(index) = self.of_sip(sip) else { return };
        self.known_as(index, remote);
        let had_early = self.entries[index].call.state == CallState::Early;
        let plan = self.accept(index, sdp);
        if plan.is_none() && !had_early {
            // A 2xx without a usable answer: RFC 3261 section 13.2.2.4 wants it ended with BYE.
            self.agent.hang_up(sip, now.at);
            let end = CallEnd { cause: "failed", sip_status: Some(488), problem: None };
            return self.finish(index, end, now);
        }
        self.connect(index, plan, now);
    }

    fn answer_came(&mut self, sip: SipCall, sdp: Option<&str>) {
        let Some(index) = self.of_sip(sip) else { return };
        if let Some(plan) = self.accept(index, sdp) {
            self.apply(index, plan);
            self.reflect_hold(index);
        }
    }

    fn offered(&mut self, sip: SipCall, sdp: Option<&str>, now: Moment) {
        let Some(index) = self.of_sip(sip) else {
            return self.agent.refuse_offer(sip, 481, now.at);
        };
        let Some(description) = self.entries[index].description.as_mut() else {
            return self.agent.refuse_offer(sip, 488, now.at);
        };
        let Some(offer) = sdp else {
            let ours = description.offer();
            return self.agent.accept_offer(sip, ours, now.at);
        };
        match description.answer(offer) {
            Ok((answer, plan)) => {
                self.agent.accept_offer(sip, answer, now.at);
                self.apply(index, plan);
                self.reflect_hold(index);
            }
            Err(_) => self.agent.refuse_offer(sip, 488, now.at),
        }
    }

    /// Held by us stays so; otherwise the description says who holds.
    fn reflect_hold(&mut self, index: usize) {
        let entry = &self.entries[index];
        let holds = entry.description.as_ref().is_some_and(Negotiator::remote_holds);
        let id = entry.call.id;
        match (entry.call.state, holds) {
            (CallState::Connected, true) => self.set_state(id, CallState::RemoteHeld),
            (CallState::RemoteHeld, false) => self.set_state(id, CallState::Connected),
            _ => {}
        }
    }

    fn hold_answered(&mut self, sip: SipCall, sdp: Option<&str>) {
        let Some(index) = self.of_sip(sip) else { return };
        self.entries[index].hold_asked = None;
        if let Some(plan) = self.accept(index, sdp) {
            self.apply(index, plan);
            self.reflect_hold(index);
        }
    }

    fn hold_refused(&mut self, sip: SipCall) {
        let Some(index) = self.of_sip(sip) else { return };
        let entry = &mut self.entries[index];
        let Some(before) = entry.hold_asked.take() else { return };
        if let Some(description) = entry.description.as_mut() {
            description.set_hold(before == CallState::Held);
        }
        let id = entry.call.id;
        self.set_state(id, before);
    }
}

fn not_possible(id: CallId, verb: &str, state: CallState) -> CommandError {
    CommandError::user(
        ErrorCode::NotPossible,
        format!("Call {id} cannot be {verb}: it is {}.", state_words(state)),
        "Look at the call's state first (call.list).",
    )
}

fn state_words(state: CallState) -> &'static str {
    match state {
        CallState::Dialing => "being dialled",
        CallState::Ringing => "ringing there",
        CallState::Incoming => "ringing here",
        CallState::Early => "not answered yet",
        CallState::Connected => "connected",
        CallState::Held => "on hold",
        CallState::RemoteHeld => "held by the other side",
        CallState::Transferring => "being transferred",
        CallState::Ended => "over",
    }
}
