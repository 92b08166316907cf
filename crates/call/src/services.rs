//! What a server does for the phone: park, pickup, voicemail, forwarding; and do not disturb.

use std::sync::Arc;
use std::time::Duration;

use offhook_model::{
    Area, CallEnd, CallId, CallState, CommandError, DialString, Dnd, ErrorCode, Forward, Moment,
    Owner, ParkedCall, Pickup, Problem, Reply,
};
use offhook_sip::{Arrival, End, Identity, SipCall, SoftKey};

use crate::Phone;

/// Parked calls that are remembered.
const PARKED: usize = 10;
/// The longest time that a call may want to ring before it answers by itself.
const LONGEST_RING: Duration = Duration::from_secs(60);
/// A description for a call that has no sound: it only asks a server for something.
const SOUNDLESS: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n\
                         m=audio 9 RTP/AVP 0\r\na=inactive\r\n";

/// A call of the SIP layer that nobody sees.
pub struct Errand {
    sip: SipCall,
    /// What it asks for: where all calls go.
    forward: Option<Forward>,
}

/// A setting that the call manager did not take.
pub struct Untold {
    /// It is worth saying once more.
    again: bool,
    /// What the person was told.
    problem: Problem,
}

impl Phone {
    pub(crate) fn park(&mut self, id: CallId, now: Moment) -> Result<Reply, CommandError> {
        let index = self.existing(id)?;
        let up = [CallState::Connected, CallState::Held, CallState::RemoteHeld];
        self.in_state(index, "parked", &up)?;
        self.with_server(index, "parked")?;
        self.with_features("Parking")?;
        let Some(sip) = self.entries[index].sip.filter(|_| self.state.can.park) else {
            return Err(self.not_offered("Parking", "Put the call on hold, or transfer it."));
        };
        let entry = &mut self.entries[index];
        entry.pressed = Some(SoftKey::Park);
        // The end of the call may come before what the button did.
        entry.cause = Some("parked");
        entry.call.trouble = None;
        self.agent.press(sip, SoftKey::Park, now.at);
        Ok(Reply::Done)
    }

    /// The call manager told where a call waits.
    pub(crate) fn parked_at(&mut self, number: &str) {
        let parking = |key: Option<SoftKey>| key == Some(SoftKey::Park);
        let Some(entry) = self.entries.iter_mut().find(|entry| parking(entry.pressed)) else {
            return;
        };
        entry.call.parked_at = Some(number.to_owned());
        let who = entry.call.name.clone().unwrap_or_else(|| entry.call.remote.clone());
        let state = Arc::make_mut(&mut self.state);
        state.parked.retain(|one| one.at != number);
        state.parked.push(ParkedCall { at: number.to_owned(), who });
        let over = state.parked.len().saturating_sub(PARKED);
        state.parked.drain(..over);
    }

    /// Who calls the number of a parked call takes it back.
    pub(crate) fn taken_back(&mut self, to: &DialString) {
        if self.state.parked.iter().any(|one| one.at == to.user()) {
            Arc::make_mut(&mut self.state).parked.retain(|one| one.at != to.user());
        }
    }

    /// A button was answered.
    pub(crate) fn pressed(
        &mut self,
        sip: SipCall,
        key: SoftKey,
        outcome: Result<(), (u16, String)>,
        now: Moment,
    ) {
        if let SoftKey::Conference(other) = key {
            self.bridged([sip, other], outcome.is_ok(), now);
        }
        let Some(index) = self.of_sip(sip) else { return };
        let entry = &mut self.entries[index];
        if entry.pressed.take().is_none() {
            return;
        }
        let Err((status, text)) = outcome else {
            match key {
                // The number comes by itself, before or after this.
                SoftKey::Park if entry.call.parked_at.is_none() => entry.pressed = Some(key),
                SoftKey::Park | SoftKey::Divert | SoftKey::RemoveLast | SoftKey::Conference(_) => {}
            }
            return;
        };
        if matches!(key, SoftKey::Divert | SoftKey::Park) {
            entry.cause = None;
        }
        entry.call.trouble = Some(refused(key, status, &text));
        let id = entry.call.id;
        self.tell(id);
    }

    pub(crate) fn divert(&mut self, id: CallId, now: Moment) -> Result<Reply, CommandError> {
        let index = self.existing(id)?;
        self.in_state(index, "given to voicemail", &[CallState::Incoming])?;
        self.with_features("Voicemail")?;
        let pilot = self.pilot();
        let Some(sip) = self.entries[index].sip else { return Err(CommandError::no_call(id)) };
        if self.is_call_manager() {
            self.entries[index].pressed = Some(SoftKey::Divert);
            self.entries[index].cause = Some("diverted");
            self.agent.press(sip, SoftKey::Divert, now.at);
            return Ok(Reply::Done);
        }
        let Some(pilot) = pilot else {
            return Err(self.not_offered("Voicemail", "Decline the call instead."));
        };
        self.send_on(index, sip, &pilot, "diverted", now);
        Ok(Reply::Done)
    }

    fn pilot(&self) -> Option<DialString> {
        self.account.voicemail_pilot.as_ref()?.parse().ok()
    }

    fn send_on(
        &mut self,
        index: usize,
        sip: SipCall,
        to: &DialString,
        cause: &'static str,
        now: Moment,
    ) {
        self.agent.redirect(sip, to, now.at);
        let end = CallEnd { cause, sip_status: Some(302), problem: None };
        self.finish(index, end, now);
    }

    /// The services are numbers of the call manager. That the group's number follows its service's
    /// name after a hyphen is inferred [I].
    pub(crate) fn pickup(&mut self, which: &Pickup, now: Moment) -> Result<Reply, CommandError> {
        self.with_features("Taking a call that rings elsewhere")?;
        let features = &self.account.features;
        let service = match which {
            Pickup::Group => features.pickup_service.clone(),
            Pickup::Associated => features.other_pickup_service.clone(),
            Pickup::OtherGroup(number) | Pickup::Directed(number) => features
                .group_pickup_service
                .as_ref()
                .map(|service| format!("{service}-{}", number.user())),
        };
        let Some(to) = service.and_then(|service| self.service(&service)) else {
            let remedy = "Dial the code that your organisation has for it.";
            return Err(self.not_offered("Taking a call that rings elsewhere", remedy));
        };
        let before = self.last_dialled.take();
        let dialled = self.dial(to, now);
        self.last_dialled = before;
        dialled.map(Reply::Call)
    }

    fn service(&self, user: &str) -> Option<DialString> {
        let server = self.server.as_ref()?;
        let host = if self.account.domain.is_empty() { &server.host } else { &self.account.domain };
        Some(DialString::Address(format!("{user}@{host}")))
    }

    /// With a call manager the server forwards and tells when it does; elsewhere we send calls on
    /// while we are signed in.
    pub(crate) fn forward(
        &mut self,
        forward: Option<Forward>,
        now: Moment,
    ) -> Result<Reply, CommandError> {
        self.with_features("Forwarding")?;
        let target = match &forward {
            None => None,
            Some(Forward::To(to)) => Some(to.clone()),
            Some(Forward::Voicemail) => match self.pilot() {
                Some(pilot) => Some(pilot),
                None => return Err(self.not_offered("Voicemail", "Give a number instead.")),
            },
        };
        Arc::make_mut(&mut self.state).trouble = None;
        if !self.is_call_manager() {
            Arc::make_mut(&mut self.state).forward = forward;
            return Ok(Reply::Done);
        }
        let service = self.account.features.forward_service.clone();
        // That the number follows the service's name after a hyphen is inferred [I].
        let service = service.map(|service| match &target {
            Some(target) => format!("{service}-{}", target.user()),
            None => service,
        });
        let Some(to) = service.and_then(|service| self.service(&service)) else {
            let remedy = "Set it in the self-care portal of your organisation.";
            return Err(self.not_offered("Forwarding all calls", remedy));
        };
        if !self.agent.is_registered() {
            return Err(CommandError {
                code: ErrorCode::NotSignedIn,
                cause: "Forwarding is not possible: the phone is not registered.".into(),
                owner: Owner::Server,
                remedy: "See the connection status for the reason.".into(),
            });
        }
        let sip = self.agent.invite(&to, SOUNDLESS.to_owned(), now.at);
        self.errands.push(Errand { sip, forward });
        Ok(Reply::Done)
    }

    /// What an errand asked for is done. True when it was one.
    pub(crate) fn errand_answered(&mut self, sip: SipCall, now: Moment) -> bool {
        let Some(at) = self.errands.iter().position(|errand| errand.sip == sip) else {
            return false;
        };
        let errand = self.errands.remove(at);
        Arc::make_mut(&mut self.state).forward = errand.forward;
        self.agent.hang_up(sip, now.at);
        true
    }

    pub(crate) fn errand_ended(&mut self, sip: SipCall, end: &End) {
        let Some(at) = self.errands.iter().position(|errand| errand.sip == sip) else { return };
        self.errands.remove(at);
        let status = end.status.map_or_else(String::new, |status| format!(" ({status})"));
        Arc::make_mut(&mut self.state).trouble = Some(
            Problem::new(
                Area::Registration,
                Owner::Server,
                format!("Forwarding was not changed: the call server refused{status}."),
                "Try again, or set it in the self-care portal of your organisation.",
            )
            .coded("forward-refused", []),
        );
    }

    /// Holds here at once. A call manager is told, so that the other phones of the line know.
    pub(crate) fn do_not_disturb(&mut self, dnd: Option<Dnd>, now: Moment) -> Reply {
        let state = Arc::make_mut(&mut self.state);
        let switched = state.dnd.is_some() != dnd.is_some();
        state.dnd = dnd;
        self.own_quiet = dnd.is_some();
        if switched && self.is_call_manager() {
            Arc::make_mut(&mut self.state).trouble = None;
            self.untold_quiet = None;
            self.agent.publish_do_not_disturb(dnd.is_some(), now.at);
        }
        Reply::Done
    }

    pub(crate) fn quiet_told(&mut self, outcome: Result<(), (u16, String)>) {
        let untold = outcome.err().map(|(status, _)| Untold {
            // Nobody was there to take it: the connection was lost, or just then renewed.
            again: matches!(status, 408 | 503),
            problem: not_taken(status),
        });
        let state = Arc::make_mut(&mut self.state);
        if let Some(before) = self.untold_quiet.take() {
            state.trouble.take_if(|trouble| *trouble == before.problem);
        }
        if let Some(untold) = &untold {
            state.trouble = Some(untold.problem.clone());
        }
        self.untold_quiet = untold;
    }

    /// The phone is registered anew: what nobody was there to take is told once more.
    pub(crate) fn tell_quiet_again(&mut self, now: Moment) {
        if self.untold_quiet.as_ref().is_some_and(|untold| untold.again) {
            self.agent.publish_do_not_disturb(self.state.dnd.is_some(), now.at);
        }
    }

    /// The call manager says whether we may be disturbed. It cannot be told which of the two kinds we
    /// mean, so its word that it is on leaves the kind that was chosen here.
    pub(crate) fn quiet_by_server(&mut self, dnd: Option<Dnd>) {
        if self.own_quiet && dnd.is_some() && self.state.dnd.is_some() {
            return;
        }
        self.own_quiet = false;
        Arc::make_mut(&mut self.state).dnd = dnd;
    }

    /// A call came: what is set decides before anybody is disturbed.
    pub(crate) fn arrived(
        &mut self,
        sip: SipCall,
        remote: &Identity,
        offer: Option<String>,
        arrival: &Arrival,
        now: Moment,
    ) {
        if self.replaced(sip, remote, offer.as_deref(), arrival, now) {
            return;
        }
        let target = match self.state.forward.as_ref().filter(|_| !self.is_call_manager()) {
            Some(Forward::To(to)) => Some(to.clone()),
            Some(Forward::Voicemail) => self.pilot(),
            None => None,
        };
        if let Some(to) = target {
            let index = self.unheard(sip, remote, now);
            return self.send_on(index, sip, &to, "forwarded", now);
        }
        if self.is_engaged() || self.state.dnd == Some(Dnd::Reject) {
            let index = self.unheard(sip, remote, now);
            self.agent.reject(sip, 486, now.at);
            let end = CallEnd { cause: "missed", sip_status: Some(486), problem: None };
            return self.finish(index, end, now);
        }
        if arrival.answer_or_refuse && !(self.answers_by_itself() && self.is_alone(0)) {
            let index = self.unheard(sip, remote, now);
            self.agent.reject_saying(sip, 403, "Automatic answer forbidden", now.at);
            let end = CallEnd { cause: "missed", sip_status: Some(403), problem: None };
            return self.finish(index, end, now);
        }
        self.incoming(sip, remote, offer, arrival, now);
    }

    fn answers_by_itself(&self) -> bool {
        self.answers || self.is_call_manager()
    }

    /// So many calls go on and no more.
    fn is_alone(&self, calls: usize) -> bool {
        self.entries.iter().filter(|entry| entry.ended.is_none()).count() == calls
    }

    /// As many calls as the line may have (`busyTrigger`, `maxNumCalls`).
    fn is_engaged(&self) -> bool {
        let going = self.entries.iter().filter(|entry| entry.ended.is_none()).count();
        let features = &self.account.features;
        let most = [features.busy_trigger, features.max_calls].into_iter().flatten().min();
        most.is_some_and(|most| going >= most as usize)
    }

    /// A call that is not shown while it rings; the history has it.
    fn unheard(&mut self, sip: SipCall, remote: &Identity, now: Moment) -> usize {
        self.refuse(sip, remote, now);
        self.entries.len() - 1
    }

    /// Calls that want to be answered by themselves (RFC 5373) are where the call manager says so
    /// or the user allowed it, and never beside another call: a microphone that opens unasked is
    /// nobody's default.
    pub(crate) fn answer_by_itself(&mut self, id: CallId, arrival: &Arrival, now: Moment) {
        let may = self.answers_by_itself() && self.is_alone(1);
        let Some(after) = arrival.answer_after.filter(|_| may) else { return };
        if let Some(index) = self.index(id) {
            self.entries[index].answer_at = Some(now.at + after.min(LONGEST_RING));
        }
    }
}

fn not_taken(status: u16) -> Problem {
    Problem::new(
        Area::Registration,
        Owner::Server,
        format!(
            "Do not disturb holds on this computer only: the call server did not take it ({status})."
        ),
        "Set it at your other phones as well, or in the self-care portal of your organisation.",
    )
}

fn refused(key: SoftKey, status: u16, text: &str) -> Problem {
    let what = match key {
        SoftKey::Conference(_) => "The calls were not merged",
        SoftKey::Park => "The call was not parked",
        SoftKey::Divert => "The call was not given to voicemail",
        SoftKey::RemoveLast => "Nobody was taken out of the conference",
    };
    let text = text.trim().trim_end_matches('.');
    let why = if text.is_empty() { "the call server refused" } else { text };
    Problem::new(
        Area::Registration,
        Owner::Server,
        format!("{what}: {why} ({status})."),
        "Try again; if it stays so, have the features of this line checked.",
    )
}
