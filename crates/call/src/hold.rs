//! Hold and resume.
//!
//! Hold is ours from the moment it is wished: nothing is sent or played while the other side is
//! still being told, nor when it does not want to know. One change is asked at a time; a wish that
//! comes meanwhile follows when the answer is there.

use offhook_model::{CallId, CallState, Moment};
use offhook_rtp::sdp::Negotiator;
use offhook_sip::SipCall;

use crate::{Output, Phone};

/// Who holds whom, by our wish.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hold {
    /// What the user wants.
    pub(crate) wished: bool,
    /// What is in force.
    pub(crate) held: bool,
    /// What the other side is being asked at this moment.
    pub(crate) asked: Option<bool>,
}

impl Phone {
    /// Holds every other call that could sound, those that hold us included: they may resume.
    pub(crate) fn hold_others(&mut self, except: Option<CallId>, now: Moment) {
        for index in 0..self.entries.len() {
            let call = &self.entries[index].call;
            if Some(call.id) != except
                && !except.is_some_and(|one| self.are_mixed(one, call.id))
                && matches!(call.state, CallState::Connected | CallState::RemoteHeld)
            {
                self.change_hold(index, true, now);
            }
        }
    }

    pub(crate) fn change_hold(&mut self, index: usize, hold: bool, now: Moment) {
        let entry = &mut self.entries[index];
        if entry.sip.is_none() || entry.description.is_none() {
            return;
        }
        entry.hold.wished = hold;
        let id = entry.call.id;
        if hold {
            self.silence(index);
        }
        self.set_state(id, if hold { CallState::Held } else { CallState::Connected });
        self.ask_hold(index, now);
    }

    /// What was agreed stays known; only the sound stops.
    pub(crate) fn silence(&mut self, index: usize) {
        let entry = &self.entries[index];
        if let Some(plan) = entry.plan.clone() {
            let silent = offhook_ports::MediaPlan { sending: false, receiving: false, ..plan };
            self.out.push_back(Output::Apply { call: entry.call.id, plan: Box::new(silent) });
        }
    }

    /// Offers what is wished, unless it is in force or another change is under way.
    pub(crate) fn ask_hold(&mut self, index: usize, now: Moment) {
        if self.entries[index].hold.asked.is_some() || self.ask_move(index, now) {
            return;
        }
        let entry = &mut self.entries[index];
        let (Some(sip), Some(description)) = (entry.sip, entry.description.as_mut()) else {
            return;
        };
        let wished = entry.hold.wished;
        if entry.hold.held == wished || entry.call.preserved {
            // Nobody has to be asked, or nobody is there who could be: only our side changes.
            if !wished && let Some(plan) = entry.plan.clone() {
                self.apply(index, plan);
            }
            return;
        }
        entry.hold.asked = Some(wished);
        description.set_hold(wished);
        let offer = description.offer();
        self.agent.reinvite(sip, offer, now.at);
    }

    pub(crate) fn hold_answered(&mut self, sip: SipCall, sdp: Option<&str>, now: Moment) {
        if self.move_answered(sip, sdp, now) {
            return;
        }
        let Some(index) = self.of_sip(sip) else { return };
        let Some(asked) = self.entries[index].hold.asked.take() else { return };
        match self.accept(index, sdp) {
            Some(plan) => {
                self.entries[index].hold.held = asked;
                self.apply(index, plan);
                if self.entries[index].hold.wished {
                    self.silence(index);
                }
                self.reflect_hold(index);
                self.ask_hold(index, now);
            }
            // No answer that can be used is no consent.
            None => self.not_agreed(index, asked, now),
        }
    }

    pub(crate) fn hold_refused(&mut self, sip: SipCall, now: Moment) {
        if self.move_answered(sip, None, now) {
            return;
        }
        let Some(index) = self.of_sip(sip) else { return };
        if let Some(asked) = self.entries[index].hold.asked.take() {
            self.not_agreed(index, asked, now);
        }
    }

    /// A hold that they do not agree to is kept on our side alone; a call they do not want to
    /// resume stays on hold.
    fn not_agreed(&mut self, index: usize, asked: bool, now: Moment) {
        let entry = &mut self.entries[index];
        entry.hold.held = true;
        if let Some(description) = entry.description.as_mut() {
            description.set_hold(true);
        }
        if !asked && !entry.hold.wished {
            entry.hold.wished = true;
            let id = entry.call.id;
            self.set_state(id, CallState::Held);
        } else {
            self.ask_hold(index, now);
        }
    }

    /// Held by us stays so; otherwise the description says who holds.
    pub(crate) fn reflect_hold(&mut self, index: usize) {
        let entry = &self.entries[index];
        let holds = entry.description.as_ref().is_some_and(Negotiator::remote_holds);
        let id = entry.call.id;
        match (entry.call.state, holds) {
            (CallState::Connected, true) => self.set_state(id, CallState::RemoteHeld),
            (CallState::RemoteHeld, false) => self.set_state(id, CallState::Connected),
            _ => {}
        }
    }
}
