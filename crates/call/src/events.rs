//! What SIP says, turned into calls.

use std::sync::Arc;

use offhook_model::{CallDirection, CallState, Moment};
use offhook_ports::{MediaPlan, SipServer};
use offhook_sip::{Arrival, End, Event as SipEvent, Identity, SipCall};

use crate::ending::{self, Reached};
use crate::entry::{Entry, Waiting};
use crate::{Output, Phone, Registration, identity};

impl Phone {
    pub(crate) fn sip_event(&mut self, event: SipEvent, now: Moment) {
        match event {
            SipEvent::Registering { server } => {
                self.out.push_back(Output::Registration(Registration::Trying(server)));
            }
            SipEvent::Registered { server, local, expires, reduced } => {
                self.in_service(&server, reduced);
                self.move_calls(local.ip());
                let ready = Registration::Ready { server, expires };
                self.out.push_back(Output::Registration(ready));
                self.tell_quiet_again(now);
            }
            SipEvent::RegistrationFailed { server, fault, retry_in } => {
                self.out_of_service();
                let failed = Registration::Failed { server, fault, retry_in };
                self.out.push_back(Output::Registration(failed));
            }
            SipEvent::Unregistered => {
                self.out_of_service();
                self.out.push_back(Output::Registration(Registration::Gone));
            }
            SipEvent::Incoming { call, remote, offer, arrival } => {
                self.arrived(call, &remote, offer, &arrival, now);
            }
            SipEvent::Progress { call, status, sdp, remote } => {
                self.next_progress(call, status);
                self.progress(call, status, sdp.as_deref(), remote.as_ref());
            }
            SipEvent::Answered { call, sdp, remote } => {
                if self.errand_answered(call, now)
                    || self.next_answered(call, sdp.as_deref(), remote.as_ref(), now)
                {
                    return;
                }
                self.answered(call, sdp.as_deref(), remote.as_ref(), now);
            }
            SipEvent::Confirmed { call, sdp } => self.answer_came(call, sdp.as_deref(), now),
            SipEvent::Offer { call, sdp } => self.offered(call, sdp.as_deref(), now),
            SipEvent::OfferAnswered { call, sdp } => {
                self.hold_answered(call, sdp.as_deref(), now);
            }
            SipEvent::OfferRefused { call, status: _ } => self.hold_refused(call, now),
            SipEvent::RemoteIdentity { call, remote } => {
                if let Some(index) = self.of_sip(call) {
                    self.known_as(index, Some(&remote));
                }
            }
            SipEvent::Ended { call, end } => self.sip_ended(call, &end, now),
            SipEvent::MessageWaiting(messages) => {
                Arc::make_mut(&mut self.state).messages = messages
            }
            SipEvent::Elsewhere { server: _, text } => {
                Arc::make_mut(&mut self.state).elsewhere = Some(text);
            }
            SipEvent::Referred { call, referral } => self.referred(call, &referral, now),
            SipEvent::Transfer { call, step } => self.transfer_step(call, step, now),
            SipEvent::SoftKey { call, key, outcome } => self.pressed(call, key, outcome, now),
            SipEvent::DoNotDisturbTold { outcome } => self.quiet_told(outcome),
            SipEvent::CallInfo { call, info } => self.call_info(call, &info),
            SipEvent::Roster { call, people } => self.roster(call, people),
            SipEvent::Line { line, state } => self.line_state(&line, state, now),
            SipEvent::Control(control) => self.control(control, now),
            // Nobody here waits for digits of the other side.
            SipEvent::Digit { .. } => {}
        }
    }

    /// A call of the SIP layer is over.
    fn sip_ended(&mut self, call: SipCall, end: &End, now: Moment) {
        self.errand_ended(call, end);
        if self.next_ended(call, end, now) || self.goes_on_without(call) {
            return;
        }
        let Some(index) = self.of_sip(call) else { return };
        if self.call_encrypted(index, end, now) {
            return;
        }
        self.given_away(index, end);
        let entry = &self.entries[index];
        let reached = Reached {
            direction: entry.call.direction,
            answered: entry.call.connected.is_some(),
            declined: entry.declined,
        };
        let at = self.server.as_ref().map(SipServer::endpoint);
        let end = ending::describe(end, reached, at);
        self.finish(index, end, now);
    }

    /// Gives the new entry's place, where it rings.
    pub(crate) fn incoming(
        &mut self,
        sip: SipCall,
        remote: &Identity,
        offer: Option<String>,
        arrival: &Arrival,
        now: Moment,
    ) {
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
        entry.call.diverted_by =
            arrival.diverted.first().map(|by| by.name.clone().unwrap_or_else(|| by.number.clone()));
        entry.joins =
            arrival.joins.and_then(|sip| self.of_sip(sip)).map(|at| self.entries[at].call.id);
        let fits = offer.as_deref().map_or(Ok(()), |offer| self.can_answer(ip, offer));
        entry.offer = offer;
        self.entries.push(entry);
        if let Err(error) = fits {
            // Nobody should run to a phone that cannot be answered.
            return self.nothing_in_common(self.entries.len() - 1, error, now);
        }
        self.agent.ring(sip, now.at);
        self.answer_by_itself(id, arrival, now);
        self.reserve(id, ip);
        self.tell(id);
    }

    /// A call that is refused before it rings; the caller of this ends it.
    pub(crate) fn refuse(&mut self, sip: SipCall, remote: &Identity, now: Moment) {
        let id = self.next_id();
        let mut entry =
            Entry::new(id, CallDirection::Incoming, remote.uri.clone(), now.wall, Waiting::Nothing);
        identity::apply(&mut entry.call, remote);
        entry.sip = Some(sip);
        self.entries.push(entry);
    }

    pub(crate) fn known_as(&mut self, index: usize, remote: Option<&Identity>) {
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
            // 183 without a description says nothing that a person could hear.
            (CallState::Dialing, 180..=182) => self.set_state(id, CallState::Ringing),
            _ => {}
        }
    }

    /// The other side's answer to our offer, as a plan; nothing when there is none or it cannot be
    /// used (then what was agreed before stays).
    pub(crate) fn accept(&mut self, index: usize, sdp: Option<&str>) -> Option<MediaPlan> {
        let entry = &mut self.entries[index];
        let answer = entry.description.as_mut()?.accept_answer(sdp?);
        entry.unusable = answer.as_ref().err().copied();
        answer.ok()
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
            return self.no_sound(index, now);
        }
        self.connect(index, plan, now);
    }

    /// The ACK, with their answer where the offer was ours.
    fn answer_came(&mut self, sip: SipCall, sdp: Option<&str>, now: Moment) {
        let Some(index) = self.of_sip(sip) else { return };
        if let Some(plan) = self.accept(index, sdp) {
            self.apply(index, plan);
            self.reflect_hold(index);
        } else if self.entries[index].plan.is_none() {
            self.no_sound(index, now);
        }
    }

    /// A call without a description of both sides can only be ended (RFC 3261 section 13.2.2.4
    /// for a bad answer in a 2xx; the same holds for one in an ACK).
    fn no_sound(&mut self, index: usize, now: Moment) {
        if let Some(sip) = self.entries[index].sip {
            self.agent.hang_up(sip, now.at);
        }
        let end = ending::no_common_sound(self.entries[index].unusable);
        self.finish(index, end, now);
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
}
