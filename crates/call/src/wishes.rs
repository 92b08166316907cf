//! What may be asked of the phone and its calls beyond the simplest, and what the phone is set to.

use std::sync::Arc;

use offhook_model::{
    Activity, CallWish, CommandError, DialString, ErrorCode, LineState, Moment, PhoneState,
    Presence, Reply, WatchedLine,
};

use crate::Phone;

/// Lines that are watched at most.
const LINES: usize = 100;

impl Phone {
    /// Does what is wished, or says why not.
    ///
    /// # Errors
    /// There is no such call, it is in another state, or the server does not offer it.
    pub fn wish(&mut self, wish: CallWish, now: Moment) -> Result<Reply, CommandError> {
        let done = match wish {
            CallWish::Transfer { id, to } => self.transfer(id, to, now),
            CallWish::Connect { id, other } => self.connect_calls(id, other, now),
            CallWish::Merge { id, other } => self.merge(id, other, now),
            CallWish::Expel { id, participant } => self.expel(id, &participant, now),
            CallWish::Park(id) => self.park(id, now),
            CallWish::Divert(id) => self.divert(id, now),
            CallWish::Pickup(which) => self.pickup(&which, now),
            CallWish::Forward(forward) => self.forward(forward, now),
            CallWish::DoNotDisturb(dnd) => Ok(self.do_not_disturb(dnd, now)),
            CallWish::Redial => self.redial(now),
            CallWish::TakeOver => self.take_over(now),
            CallWish::AnswerReferral { id, accept } => self.answer_referral(id, accept, now),
            CallWish::CallWith(device) => self.call_with(device),
            CallWish::Watch(lines) => self.watch(&lines, now),
        };
        self.settle(now);
        done
    }

    /// What the phone is set to, what waits, and which lines it watches.
    pub fn state(&self) -> Arc<PhoneState> {
        Arc::clone(&self.state)
    }

    /// What was dialled in an earlier life of the phone.
    pub fn dialled_before(&mut self, to: DialString) {
        self.last_dialled.get_or_insert(to);
    }

    /// Whether calls that ask for it answer by themselves (RFC 5373).
    pub fn answer_if_asked(&mut self, answers: bool) {
        self.answers = answers;
    }

    /// Whether sound of calls from now on is marked with the account's code point.
    pub fn mark_packets(&mut self, marks: bool) {
        self.marks = marks;
    }

    /// What others are to see of us where the account has no chat to tell it; nothing takes it back.
    /// Calls that go on are told with it.
    pub fn show_presence(&mut self, presence: Option<Presence>, now: Moment) {
        self.presence = presence;
        self.publish(now);
        self.settle(now);
    }

    /// Tells the presence server, when it is news.
    pub(crate) fn publish(&mut self, now: Moment) {
        let Some(mut shown) = self.presence.clone() else { return };
        if self.entries.iter().any(|entry| entry.ended.is_none() && entry.is_up()) {
            shown.activity = Some(Activity::OnCall);
        }
        self.agent.publish(Some(&shown), now.at);
    }

    fn redial(&mut self, now: Moment) -> Result<Reply, CommandError> {
        let Some(to) = self.last_dialled.clone() else {
            return Err(CommandError::user(
                ErrorCode::NotPossible,
                "Nothing was dialled yet.",
                "Dial a number first.",
            ));
        };
        self.dial(to, now).map(Reply::Call)
    }

    fn take_over(&mut self, now: Moment) -> Result<Reply, CommandError> {
        if self.state.elsewhere.is_none() {
            return Err(CommandError::user(
                ErrorCode::NotPossible,
                "No other client has the phone.",
                "There is nothing to take over.",
            ));
        }
        Arc::make_mut(&mut self.state).elsewhere = None;
        self.agent.take_over(now.at);
        Ok(Reply::Done)
    }

    fn watch(&mut self, lines: &[DialString], now: Moment) -> Result<Reply, CommandError> {
        if lines.len() > LINES {
            return Err(CommandError::user(
                ErrorCode::InvalidParams,
                format!("At most {LINES} lines can be watched."),
                "Leave some out.",
            ));
        }
        let state = Arc::make_mut(&mut self.state);
        let known = std::mem::take(&mut state.lines);
        for line in lines {
            let number = line.to_string();
            if state.lines.iter().any(|one| one.number == number) {
                continue;
            }
            let before = known.iter().find(|one| one.number == number);
            let line_state = before.map_or(LineState::Unknown, |one| one.state);
            state.lines.push(WatchedLine { number, state: line_state });
        }
        self.watch_anew(now);
        Ok(Reply::Done)
    }
}
