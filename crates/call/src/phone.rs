//! The phone: registration and all its calls.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_model::{
    Call, CallDirection, CallEnd, CallId, CallState, CommandError, DialString, ErrorCode, Fault,
    Moment, NoticeBody, Owner, PhoneState, Presence,
};
use offhook_ports::{Entropy, Figures, FlowId, MediaFact, PhoneAccount, SipServer};
use offhook_sip::{Output as SipOutput, SipCall, UserAgent};

use crate::asked::Questions;
use crate::desk::first_state;
use crate::entry::{Entry, Waiting};
use crate::services::{Errand, Untold};
use crate::{Output, Tone, tones};

/// How long an ended call stays on the screen.
const AFTERGLOW: Duration = Duration::from_secs(4);
/// Most ended calls on the screen. The picture of the calls is made anew after every event: with
/// fifty calls a second two hundred that are over would cost more than those that go on.
const AFTERGLOWS: usize = 8;

/// A registered phone and its calls. Feed it with `handle_*` and `flow_*`, drain it with
/// [`Phone::poll`].
pub struct Phone {
    pub(crate) account: PhoneAccount,
    pub(crate) agent: UserAgent,
    pub(crate) server: Option<SipServer>,
    pub(crate) entries: Vec<Entry>,
    last_id: u32,
    pub(crate) seed: u64,
    /// Chance for keys.
    pub(crate) entropy: Box<dyn Entropy>,
    tone: Option<Tone>,
    pub(crate) state: Arc<PhoneState>,
    pub(crate) out: VecDeque<Output>,
    /// Calls that are mixed here into one conversation.
    pub(crate) mixed: Vec<CallId>,
    /// Calls of the SIP layer that only ask a server for something.
    pub(crate) errands: Vec<Errand>,
    /// The number of the line at the phone on the desk, once it is known.
    pub(crate) desk_line: Option<String>,
    /// Do not disturb was set here.
    pub(crate) own_quiet: bool,
    /// The call manager did not take that: what was said of it.
    pub(crate) untold_quiet: Option<Untold>,
    /// Calls whose place another has taken; hung up then, if they are not by that time.
    pub(crate) left: Vec<(SipCall, Instant)>,
    /// What was dialled last.
    pub(crate) last_dialled: Option<DialString>,
    /// Calls that ask to be answered by themselves are.
    pub(crate) answers: bool,
    /// Sound is marked with the account's code point.
    pub(crate) marks: bool,
    /// What others are to see of us, where nobody else tells them.
    pub(crate) presence: Option<Presence>,
    /// What people outside every call ask for.
    pub(crate) questions: Questions,
    pub(crate) low_bandwidth: bool,
    /// The call manager wants a new beginning; whether with a new device file.
    pub(crate) restart: Option<bool>,
    /// How long the call manager's line is shown.
    pub(crate) status_until: Option<Instant>,
    stopped: bool,
}

impl Phone {
    /// A phone for this account. Call ids begin after `last_id`; `seed` is the only chance in it but
    /// for keys, which are made of `entropy`.
    pub fn new(
        account: PhoneAccount,
        product: &str,
        last_id: u32,
        seed: u64,
        entropy: Box<dyn Entropy>,
    ) -> Self {
        Self {
            agent: UserAgent::new(account.clone(), product.to_owned(), seed),
            state: Arc::new(first_state(&account)),
            account,
            server: None,
            entries: Vec::new(),
            last_id,
            seed,
            entropy,
            tone: None,
            out: VecDeque::new(),
            mixed: vec![],
            errands: vec![],
            own_quiet: false,
            untold_quiet: None,
            desk_line: None,
            left: vec![],
            last_dialled: None,
            answers: false,
            marks: true,
            presence: None,
            questions: Questions::default(),
            low_bandwidth: false,
            restart: None,
            status_until: None,
            stopped: false,
        }
    }

    /// Registers.
    pub fn start(&mut self, now: Moment) {
        self.agent.start(now.at);
        self.settle(now);
    }

    /// Registers in the place of an earlier phone of ours. The server may not have seen the end of
    /// that one's connection yet, and would ask whether this client takes the phone from another.
    pub fn succeed(&mut self, now: Moment) {
        self.agent.take_over(now.at);
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

    /// It was registered, and nobody has taken it from us as far as we know.
    pub fn is_ours(&self) -> bool {
        self.server.is_some() && self.state.elsewhere.is_none()
    }

    /// The calls, oldest first, those that ended a moment ago included.
    pub fn calls(&self) -> Vec<Call> {
        self.entries.iter().map(|entry| self.as_seen(entry)).collect()
    }

    /// The highest call id given so far.
    pub fn last_id(&self) -> u32 {
        self.last_id
    }

    /// When [`Phone::handle_timeout`] is due.
    pub fn next_timeout(&self) -> Option<Instant> {
        let fading = self.entries.iter().filter_map(|entry| entry.ended).map(|at| at + AFTERGLOW);
        let later = self.later();
        fading.chain(later).chain(self.agent.next_timeout()).min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.entries.retain(|entry| entry.ended.is_none_or(|at| at + AFTERGLOW > now.at));
        self.agent.handle_timeout(now.at);
        self.do_later(now);
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
        if let Some(device) = self.state.desk.clone() {
            return self.dial_at_desk(device, to, now);
        }
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
        let mut entry = Entry::new(id, CallDirection::Outgoing, to.to_string(), now.wall, waiting);
        entry.dialled = Some(to.clone());
        self.entries.push(entry);
        self.taken_back(&to);
        self.last_dialled = Some(to);
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
        let index = self.index(id).filter(|index| self.entries[*index].ended.is_none());
        let Some(index) = index else {
            // It was over before its ports were there, which may take a while where the names of
            // helpers are asked for first.
            if self.account.ice.is_some() {
                self.out.push_back(Output::Release(id));
            }
            return;
        };
        let Some(ports) = self.with_ways(index, ports) else { return };
        if self.lacks_relay(index) {
            self.no_relay(index, now);
            return self.settle(now);
        }
        if self.ports_moved(index, ports.as_ref().copied().map_err(String::as_str), now) {
            return self.settle(now);
        }
        if self.entries[index].ports.is_some() {
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
        self.hold_others(self.entries[index].joins.or(Some(id)), now);
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
        if !self.end_at_desk(index) {
            self.end_by_us(index, now);
        }
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
        self.with_server(index, "put on hold")?;
        for index in self.company(index) {
            self.change_hold(index, true, now);
        }
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
        if self.entries[index].hold.held {
            self.with_server(index, "taken back")?;
        }
        self.hold_others(Some(id), now);
        for index in self.company(index) {
            self.change_hold(index, false, now);
        }
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
        self.not_at_desk(index, "muted")?;
        for index in self.company(index) {
            self.entries[index].call.muted = muted;
            self.entries[index].call.silence = None;
            let id = self.entries[index].call.id;
            self.out.push_back(Output::Mute { call: id, muted });
            self.tell(id);
        }
        Ok(())
    }

    /// Sends digits as telephone events (RFC 4733), by INFO where those were not agreed.
    ///
    /// # Errors
    /// There is no such call, it is not up, or a character is no digit.
    pub fn dtmf(&mut self, id: CallId, digits: &str, now: Moment) -> Result<(), CommandError> {
        let index = self.existing(id)?;
        let good = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d');
        if digits.is_empty() || digits.len() > 64 || !digits.chars().all(good) {
            return Err(CommandError::user(
                ErrorCode::InvalidParams,
                "Digits can only be 0-9, *, # and A-D, at most 64 at a time.",
                "Correct the digits.",
            ));
        }
        // A call manager that collects the digits of a number wants them by signalling, and before
        // anything sounds (RFC 4730).
        let wanted = self.entries[index].sip.is_some_and(|sip| self.agent.wants_keys(sip));
        if !wanted {
            self.in_state(index, "sent digits", &[CallState::Connected, CallState::Early])?;
        }
        let agreed = self.entries[index].plan.as_ref().is_some_and(|plan| plan.dtmf.is_some());
        self.entries[index].call.digits.push_str(digits);
        match self.entries[index].sip {
            Some(sip) if wanted || !agreed => {
                self.with_server(index, "sent digits")?;
                for digit in digits.chars() {
                    self.agent.info_digit(sip, digit.to_ascii_uppercase(), now.at);
                }
                self.settle(now);
            }
            _ => self.out.push_back(Output::Dtmf { call: id, digits: digits.to_owned() }),
        }
        Ok(())
    }

    /// A fact from the media engine.
    pub fn media(&mut self, fact: &MediaFact, now: Moment) {
        let (id, word) = match fact {
            MediaFact::FirstPacket(id) | MediaFact::SoundAgain(id) => (*id, "good"),
            MediaFact::Silence(id, _) => (*id, "silent"),
            MediaFact::Figures { call, received, sent } => {
                return self.note_figures(*call, received, sent);
            }
            MediaFact::Way(id, fact) => {
                self.way(*id, fact, now);
                return self.settle(now);
            }
            MediaFact::Legs(id, legs) => {
                self.legs(*id, legs, now);
                return self.settle(now);
            }
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

    /// How the sound of a call is, once a second: for its row, for the history, and for the call
    /// manager that wants to know when it ends.
    fn note_figures(&mut self, call: CallId, received: &Figures, sent: &Figures) {
        let Some(index) = self.index(call) else { return };
        let told = self.account.features.call_stats && self.is_call_manager();
        if let Some(sip) = self.entries[index].sip.filter(|_| told) {
            self.agent.note_figures(sip, *received, *sent);
        }
        let Some(opinion) = received.opinion else { return };
        let entry = &mut self.entries[index];
        entry.mos = Some(opinion.mean);
        let heard = entry.call.sound.as_deref().is_some_and(|word| word != "silent");
        if heard && entry.is_up() {
            entry.call.sound = Some(opinion.now.word().to_owned());
        }
    }

    // ---- inside ----------------------------------------------------------------------------

    pub(crate) fn next_id(&mut self) -> CallId {
        self.last_id += 1;
        CallId(self.last_id)
    }

    pub(crate) fn index(&self, id: CallId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.call.id == id)
    }

    pub(crate) fn existing(&self, id: CallId) -> Result<usize, CommandError> {
        self.index(id).ok_or_else(|| CommandError::no_call(id))
    }

    pub(crate) fn of_sip(&self, call: SipCall) -> Option<usize> {
        self.entries.iter().position(|entry| entry.sip == Some(call) && entry.ended.is_none())
    }

    pub(crate) fn in_state(
        &self,
        index: usize,
        verb: &str,
        states: &[CallState],
    ) -> Result<(), CommandError> {
        self.not_at_desk(index, verb)?;
        let call = &self.entries[index].call;
        if states.contains(&call.state) {
            Ok(())
        } else {
            Err(not_possible(call.id, verb, call.state))
        }
    }

    pub(crate) fn end_by_us(&mut self, index: usize, now: Moment) {
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

    pub(crate) fn finish(&mut self, index: usize, end: CallEnd, now: Moment) {
        let entry = &mut self.entries[index];
        if entry.ended.is_some() {
            return;
        }
        entry.ended = Some(now.at);
        let cause = entry.cause.unwrap_or(end.cause);
        entry.call.end = Some(CallEnd { cause, ..end });
        (entry.giving, entry.next, entry.answer_at) = (None, None, None);
        let id = entry.call.id;
        let record = entry.record(now.wall);
        self.out.push_back(Output::Release(id));
        self.out.push_back(Output::Record(record));
        self.set_state(id, CallState::Ended);
        self.leave_conference(id);
    }

    /// Takes those calls off the screen that ended first, when there are too many.
    fn glow_less(&mut self) {
        let ended = |(at, entry): (usize, &Entry)| Some((entry.ended?, at));
        while self.entries.iter().filter(|entry| entry.ended.is_some()).count() > AFTERGLOWS
            && let Some((_, at)) = self.entries.iter().enumerate().filter_map(ended).min()
        {
            self.entries.remove(at);
        }
    }

    /// Somebody knows the name of the other side. A name that the server tells is not replaced.
    pub fn name_caller(&mut self, id: CallId, name: &str) {
        let Some(index) = self.index(id) else { return };
        let call = &mut self.entries[index].call;
        let known = call.name.as_ref().is_some_and(|known| *known != call.remote);
        if !known && !name.trim().is_empty() && call.end.is_none() {
            call.name = Some(name.trim().to_owned());
            self.tell(id);
        }
    }

    pub(crate) fn set_state(&mut self, id: CallId, state: CallState) {
        if let Some(index) = self.index(id)
            && self.entries[index].call.state != state
        {
            let call = &mut self.entries[index].call;
            call.state = state;
            // It is measured anew.
            call.silence = None;
            self.tell(id);
        }
    }

    pub(crate) fn tell(&mut self, id: CallId) {
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
    pub(crate) fn settle(&mut self, now: Moment) {
        self.hear_agent(now);
        self.begin_anew();
        self.glow_less();
        self.publish(now);
        self.hear_agent(now);
        let asked = self.entries.iter().rev().find_map(|entry| entry.server_tone);
        let quiet = self.state.dnd.is_some();
        let here = self.entries.iter().filter(|entry| entry.desk.is_none());
        let tone = tones::fitting(here.map(|entry| &entry.call), quiet, asked);
        if tone != self.tone {
            self.tone = tone;
            self.out.push_back(Output::Tone(tone));
        }
    }

    fn hear_agent(&mut self, now: Moment) {
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
    }
}

pub(crate) fn not_possible(id: CallId, verb: &str, state: CallState) -> CommandError {
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
