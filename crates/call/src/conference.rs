//! Several in one conversation: at the call manager's bridge, or mixed here.
//!
//! A conference that is mixed here is a set of calls of which none is silent: each hears the
//! microphone and all the others. Hold, resume and mute go to all of them; who is hung up leaves.

use offhook_model::{
    CallId, CallState, CommandError, Conference, ErrorCode, Moment, Owner, Participant, Reply,
};
use offhook_sip::{CallInfo, RosterEntry, SipCall, SoftKey};

use crate::Phone;
use crate::phone::not_possible;

/// Calls that are mixed here at most; every one more costs everybody's network.
const MOST: usize = 4;
/// Why a call ended that lives on in another one.
const MERGED: &str = "merged";

impl Phone {
    pub(crate) fn is_mixed(&self, id: CallId) -> bool {
        self.mixed.contains(&id)
    }

    /// Both are in the conference that is mixed here.
    pub(crate) fn are_mixed(&self, one: CallId, other: CallId) -> bool {
        self.is_mixed(one) && self.is_mixed(other)
    }

    /// The calls that a wish about this one goes to.
    pub(crate) fn company(&self, index: usize) -> Vec<usize> {
        let id = self.entries[index].call.id;
        if !self.is_mixed(id) {
            return vec![index];
        }
        self.mixed.iter().filter_map(|id| self.index(*id)).collect()
    }

    pub(crate) fn merge(
        &mut self,
        id: CallId,
        other: CallId,
        now: Moment,
    ) -> Result<Reply, CommandError> {
        let indices = [self.existing(id)?, self.existing(other)?];
        if id == other || self.are_mixed(id, other) {
            let state = self.entries[indices[0]].call.state;
            return Err(not_possible(id, "merged with itself", state));
        }
        for index in indices {
            let up = [CallState::Connected, CallState::Held, CallState::RemoteHeld];
            self.in_state(index, "merged", &up)?;
            self.with_server(index, "merged")?;
            self.entries[index].call.trouble = None;
        }
        self.with_features("A conference")?;
        let [first, second] = indices.map(|index| self.entries[index].sip);
        match (first, second) {
            (Some(first), Some(second)) if self.is_call_manager() => {
                self.entries[indices[0]].pressed = Some(SoftKey::Conference(second));
                indices.iter().for_each(|index| self.entries[*index].cause = Some(MERGED));
                self.agent.press(first, SoftKey::Conference(second), now.at);
                Ok(Reply::Done)
            }
            _ => self.mix(id, other, now),
        }
    }

    /// The call manager has put two calls together, or has not. What is left of them is the
    /// conference, and is not on hold any more: which of the two that is differs [I].
    pub(crate) fn bridged(&mut self, pair: [SipCall; 2], done: bool, now: Moment) {
        let found = pair.into_iter().filter_map(|sip| self.of_sip(sip));
        let left: Vec<usize> = found.filter(|index| self.entries[*index].ended.is_none()).collect();
        for index in &left {
            self.entries[*index].cause = None;
        }
        let [first, rest @ ..] = &left[..] else { return };
        if !done {
            return;
        }
        rest.iter().for_each(|index| self.entries[*index].cause = Some(MERGED));
        self.entries[*first].call.conference.get_or_insert_default();
        if self.entries[*first].hold.wished {
            self.change_hold(*first, false, now);
        }
    }

    /// Takes both into the conference that is mixed here.
    pub(crate) fn mix(
        &mut self,
        id: CallId,
        other: CallId,
        now: Moment,
    ) -> Result<Reply, CommandError> {
        let mut mixed = self.mixed.clone();
        mixed.extend([id, other].into_iter().filter(|id| !self.is_mixed(*id)));
        if mixed.len() > MOST {
            return Err(CommandError::user(
                ErrorCode::NotPossible,
                format!("A conference that is mixed here holds at most {MOST} calls."),
                "Use a conference bridge for more people.",
            ));
        }
        self.mixed = mixed;
        self.hold_others(Some(id), now);
        let muted = self.index(id).is_some_and(|index| self.entries[index].call.muted);
        for id in self.mixed.clone() {
            let Some(index) = self.index(id) else { continue };
            if self.entries[index].call.state == CallState::Held {
                self.change_hold(index, false, now);
            }
            if self.entries[index].call.muted != muted {
                self.mute(id, muted)?;
            }
        }
        self.mix_anew();
        Ok(Reply::Done)
    }

    /// Gives every call of the conference its plan again, with or without mixing.
    fn mix_anew(&mut self) {
        for index in 0..self.entries.len() {
            let entry = &self.entries[index];
            let wrong =
                entry.plan.as_ref().is_some_and(|plan| plan.mix != self.is_mixed(entry.call.id));
            let sounds = !entry.hold.wished && entry.ended.is_none();
            if let Some(plan) = entry.plan.clone().filter(|_| wrong && sounds) {
                self.apply(index, plan);
            }
        }
    }

    /// A call that is over, or given to somebody else, is no part of it any more; who is left alone
    /// is in an ordinary call.
    pub(crate) fn leave_conference(&mut self, id: CallId) {
        if !self.is_mixed(id) {
            return;
        }
        self.mixed.retain(|one| *one != id);
        if self.mixed.len() == 1 {
            self.mixed.clear();
        }
        self.mix_anew();
    }

    /// The conference that is mixed here, as its calls show it.
    pub(crate) fn local_conference(&self, id: CallId) -> Option<Conference> {
        if !self.is_mixed(id) {
            return None;
        }
        let me = Participant {
            id: "me".into(),
            name: if self.account.display_name.is_empty() {
                self.account.user.clone()
            } else {
                self.account.display_name.clone()
            },
            me: true,
        };
        let other = |id: &CallId| {
            let call = &self.entries[self.index(*id)?].call;
            let name = call.name.clone().unwrap_or_else(|| call.remote.clone());
            Some(Participant { id: id.to_string(), name, me: false })
        };
        let people = [me].into_iter().chain(self.mixed.iter().filter_map(other)).collect();
        Some(Conference { local: true, people })
    }

    pub(crate) fn call_info(&mut self, sip: SipCall, info: &CallInfo) {
        let Some(index) = self.of_sip(sip) else { return };
        let entry = &mut self.entries[index];
        entry.beyond = info.encrypted;
        if info.conference {
            entry.call.conference.get_or_insert_default();
        } else if entry.call.conference.as_ref().is_some_and(|one| one.people.is_empty()) {
            entry.call.conference = None;
        }
        self.protect(index);
    }

    pub(crate) fn roster(&mut self, sip: SipCall, people: Vec<RosterEntry>) {
        let Some(index) = self.of_sip(sip) else { return };
        let user = self.account.user.clone();
        let conference = self.entries[index].call.conference.get_or_insert_default();
        conference.people = people
            .into_iter()
            .map(|one| Participant {
                me: one.who.number == user,
                name: one.who.name.unwrap_or(one.who.number),
                id: one.id,
            })
            .collect();
    }

    /// Takes somebody out. A call manager knows one button only: out with who came last.
    pub(crate) fn expel(
        &mut self,
        id: CallId,
        participant: &str,
        now: Moment,
    ) -> Result<Reply, CommandError> {
        let index = self.existing(id)?;
        let conference = self.as_seen(&self.entries[index]).conference;
        let people = conference.as_ref().map_or(&[][..], |conference| &conference.people);
        let Some(at) = people.iter().position(|one| one.id == participant && !one.me) else {
            return Err(CommandError::user(
                ErrorCode::NoSuchObject,
                "Nobody of this name is in the conference.",
                "Look at call.list for who is.",
            ));
        };
        if conference.as_ref().is_some_and(|conference| conference.local) {
            let found = self.entries.iter().position(|e| e.call.id.to_string() == participant);
            if let Some(index) = found {
                self.end_by_us(index, now);
            }
            return Ok(Reply::Done);
        }
        self.with_server(index, "changed")?;
        let last = people.iter().rposition(|one| !one.me) == Some(at);
        let Some(sip) = self.entries[index].sip.filter(|_| last && self.is_call_manager()) else {
            return Err(CommandError {
                code: ErrorCode::NotPossible,
                cause: "The bridge takes out only who came last.".into(),
                owner: Owner::Server,
                remedy: "Ask them to hang up.".into(),
            });
        };
        self.entries[index].pressed = Some(SoftKey::RemoveLast);
        self.agent.press(sip, SoftKey::RemoveLast, now.at);
        Ok(Reply::Done)
    }
}
