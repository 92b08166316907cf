//! Another takes the place of the other side: we are transferred (RFC 3515), or a call comes that
//! replaces one of ours (RFC 3891). For the user it stays one call, whose name changes.

use std::time::Duration;

use offhook_model::{Area, CallDirection, CallState, Moment, Owner, Problem};
use offhook_rtp::sdp::Negotiator;
use offhook_sip::{Arrival, End, Identity, Referral, SipCall};

use crate::ending::{self, Reached};
use crate::entry::Entry;
use crate::hold::Hold;
use crate::{Phone, Tone, identity};

/// Who gave us away hangs up as soon as they know; where they do not, we do.
const FAREWELL: Duration = Duration::from_secs(4);

/// The call to somebody who is to take the place of the other side.
pub struct Next {
    sip: SipCall,
    description: Negotiator,
    /// Number and name of who we talked to before, should it fail.
    before: (String, Option<String>),
}

impl Phone {
    /// In a call nobody is asked: whoever may transfer could have put us through in the first place.
    /// Only a call that is up can be given to somebody else.
    pub(crate) fn referred(&mut self, sip: SipCall, referral: &Referral, now: Moment) {
        if referral.outside {
            return self.asked_to_call(sip, referral, now);
        }
        let index = self.of_sip(sip).filter(|index| {
            let entry = &self.entries[*index];
            let up = [CallState::Connected, CallState::Held, CallState::RemoteHeld];
            up.contains(&entry.call.state) && entry.next.is_none() && entry.giving.is_none()
        });
        let ports = index.and_then(|index| self.entries[index].ports);
        let (Some(index), Some(ports)) = (index, ports) else {
            return self.agent.refuse_referral(sip, 603, now.at);
        };
        let id = self.entries[index].call.id;
        let mut description = self.description(id, ports, self.turn());
        let Some(next) = self.agent.follow(sip, description.offer(), now.at) else { return };
        let entry = &mut self.entries[index];
        entry.call.trouble = None;
        let before = (entry.call.remote.clone(), entry.call.name.take());
        entry.next = Some(Next { sip: next, description, before });
        identity::apply(&mut entry.call, &referral.target);
        self.leave_conference(id);
        self.set_state(id, CallState::Transferring);
    }

    /// Tells descriptions of one call apart.
    fn turn(&self) -> u64 {
        self.left.len() as u64 + 1
    }

    fn of_next(&self, sip: SipCall) -> Option<usize> {
        let is = |entry: &Entry| entry.next.as_ref().is_some_and(|next| next.sip == sip);
        self.entries.iter().position(is)
    }

    pub(crate) fn next_progress(&mut self, sip: SipCall, status: u16) {
        if let Some(index) = self.of_next(sip)
            && (180..=182).contains(&status)
        {
            self.entries[index].server_tone = Some(Tone::Ringback);
        }
    }

    /// They answered: from now on the call is one with them. True when it was such a call.
    pub(crate) fn next_answered(
        &mut self,
        sip: SipCall,
        sdp: Option<&str>,
        remote: Option<&Identity>,
        now: Moment,
    ) -> bool {
        let Some(index) = self.of_next(sip) else { return false };
        let entry = &mut self.entries[index];
        let Some(next) = entry.next.take() else { return false };
        entry.server_tone = None;
        if let Some(old) = entry.sip.replace(next.sip) {
            self.left.push((old, now.at + FAREWELL));
        }
        entry.description = Some(next.description);
        (entry.hold, entry.plan) = (Hold::default(), None);
        // What was known of the one before is not true of this one.
        entry.call.conference = None;
        self.known_as(index, remote);
        match self.accept(index, sdp) {
            Some(plan) => self.connect(index, Some(plan), now),
            None => {
                self.agent.hang_up(sip, now.at);
                self.finish(index, ending::no_common_sound(None), now);
            }
        }
        true
    }

    /// The call to whom we were given did not come about. True when it was such a call.
    pub(crate) fn next_ended(&mut self, sip: SipCall, end: &End, now: Moment) -> bool {
        self.left.retain(|(left, _)| *left != sip);
        let Some(index) = self.of_next(sip) else { return false };
        let entry = &mut self.entries[index];
        let Some(next) = entry.next.take() else { return false };
        entry.server_tone = None;
        if entry.sip.is_none() {
            let answered = false;
            let direction = CallDirection::Outgoing;
            let reached = Reached { direction, answered, declined: false };
            let at = self.server.as_ref().map(offhook_ports::SipServer::endpoint);
            let end = ending::describe(end, reached, at);
            self.finish(index, end, now);
            return true;
        }
        (entry.call.remote, entry.call.name) = next.before;
        entry.call.trouble = Some(
            Problem::new(
                Area::Registration,
                Owner::User,
                "You were to be put through, and nobody was reached; you are back in the call.",
                "Tell the other side.",
            )
            .coded("referred-nobody", []),
        );
        self.restore(index);
        true
    }

    /// Who gave us away has hung up while the next one is still being called: the call goes on.
    pub(crate) fn goes_on_without(&mut self, sip: SipCall) -> bool {
        let Some(index) = self.of_sip(sip).filter(|at| self.entries[*at].next.is_some()) else {
            return false;
        };
        self.entries[index].sip = None;
        self.silence(index);
        true
    }

    /// A call that takes the place of one of ours keeps its row on the screen. True when it did.
    pub(crate) fn replaced(
        &mut self,
        sip: SipCall,
        remote: &Identity,
        offer: Option<&str>,
        arrival: &Arrival,
        now: Moment,
    ) -> bool {
        let Some(old) = arrival.replaces else { return false };
        let Some(index) = self.of_sip(old).filter(|index| self.can_be_replaced(*index)) else {
            return false;
        };
        let entry = &self.entries[index];
        let (Some(ports), id, hold) = (entry.ports, entry.call.id, entry.hold.wished) else {
            return false;
        };
        let mut description = self.description(id, ports, self.turn());
        description.set_hold(hold);
        let (sdp, plan) = match offer.map(|offer| description.answer(offer)) {
            None => (description.offer(), None),
            Some(Ok((sdp, plan))) => (sdp, Some(plan)),
            Some(Err(_)) => {
                self.agent.reject(sip, 488, now.at);
                return true;
            }
        };
        self.agent.answer(sip, sdp, now.at);
        let entry = &mut self.entries[index];
        entry.sip = Some(sip);
        entry.description = Some(description);
        entry.hold = Hold { wished: hold, held: hold, ..Hold::default() };
        (entry.plan, entry.giving, entry.server_tone) = (None, None, None);
        entry.call.conference = None;
        entry.call.name = None;
        self.left.push((old, now.at + FAREWELL));
        self.known_as(index, Some(remote));
        if hold {
            if let Some(plan) = plan {
                self.apply(index, plan);
                self.silence(index);
            }
            self.set_state(id, CallState::Held);
        } else {
            self.connect(index, plan, now);
        }
        true
    }

    /// RFC 3891 section 3: a call that is up, or one of ours that still rings there.
    fn can_be_replaced(&self, index: usize) -> bool {
        let entry = &self.entries[index];
        let rings = [CallState::Dialing, CallState::Ringing, CallState::Early];
        entry.ended.is_none() && (entry.is_up() || rings.contains(&entry.call.state))
    }
}
