//! What a call manager wants of the phone (reference sip-dialect.md section 6), and what is due later.

use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_model::{CallDirection, CallState, DialString, LineState, Moment};
use offhook_sip::{Control, SipCall};

use crate::{Output, Phone, Tone};

/// A line without a time of its own is shown for so long.
const SHOWN: Duration = Duration::from_secs(15);

impl Phone {
    pub(crate) fn control(&mut self, control: Control, now: Moment) {
        match control {
            Control::Restart { reset } => {
                self.restart = Some(reset || self.restart == Some(true));
            }
            Control::Outdated => self.restart = Some(true),
            Control::Forward(forward) => Arc::make_mut(&mut self.state).forward = forward,
            Control::DoNotDisturb(dnd) => self.quiet_by_server(dnd),
            Control::Tone(name) => self.tone_for_failed(&name),
            Control::Status { text, seconds } => self.status(text, seconds, now),
            Control::Answer(sip) => self.answer_for(sip, now),
            Control::Dial(to) => self.dial_for(to, now),
        }
    }

    /// A call manager may let us hear that a call failed, in place of saying it by a status.
    fn tone_for_failed(&mut self, name: &str) {
        let tone = match name {
            "DtLineBusyTone" => Tone::Busy,
            "DtReorderTone" => Tone::Reorder,
            _ => return,
        };
        let ours = |entry: &&mut crate::entry::Entry| {
            entry.ended.is_none() && entry.call.direction == CallDirection::Outgoing
        };
        if let Some(entry) = self.entries.iter_mut().rev().find(ours) {
            entry.server_tone = Some(tone);
            entry.cause = Some(if tone == Tone::Busy { "busy" } else { "failed" });
        }
    }

    fn status(&mut self, text: String, seconds: Option<u32>, now: Moment) {
        if text.to_ascii_lowercase().contains("park")
            && let Some(number) = last_number(&text)
        {
            self.parked_at(&number);
        }
        let time = seconds.filter(|seconds| *seconds > 0).map(|seconds| seconds.min(600));
        let time = time.map_or(SHOWN, |seconds| Duration::from_secs(u64::from(seconds)));
        self.status_until = Some(now.at + time);
        let text = Some(text).filter(|text| !text.trim().is_empty());
        Arc::make_mut(&mut self.state).status = text;
    }

    fn answer_for(&mut self, sip: SipCall, now: Moment) {
        let Some(index) = self.of_sip(sip).filter(|_| self.is_call_manager()) else { return };
        if self.entries[index].call.state == CallState::Incoming {
            self.entries[index].answer_at = Some(now.at);
        }
    }

    /// Click to call at the call manager. It is refused in silence where it cannot be done: nobody
    /// here asked.
    fn dial_for(&mut self, to: DialString, now: Moment) {
        if self.is_call_manager() && self.dial(to, now).is_err() {
            self.status_until = None;
        }
    }

    pub(crate) fn line_state(&mut self, line: &DialString, line_state: LineState, now: Moment) {
        self.own_line(line, line_state, now);
        let number = line.to_string();
        let state = Arc::make_mut(&mut self.state);
        if let Some(known) = state.lines.iter_mut().find(|known| known.number == number) {
            known.state = line_state;
        }
    }

    /// When [`Phone::do_later`] has something to do.
    pub(crate) fn later(&self) -> Option<Instant> {
        let answers = self.entries.iter().filter_map(|entry| entry.answer_at).min();
        let left = self.left.iter().map(|(_, at)| *at).min();
        [answers, left, self.next_patience(), self.status_until, self.questions.until()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn do_later(&mut self, now: Moment) {
        self.lose_patience(now);
        self.forget_questions(now);
        if self.status_until.is_some_and(|at| at <= now.at) {
            self.status_until = None;
            Arc::make_mut(&mut self.state).status = None;
        }
        let due: Vec<SipCall> =
            self.left.iter().filter(|(_, at)| *at <= now.at).map(|(sip, _)| *sip).collect();
        self.left.retain(|(_, at)| *at > now.at);
        for sip in due {
            self.agent.hang_up(sip, now.at);
        }
        for index in 0..self.entries.len() {
            if self.entries[index].answer_at.is_some_and(|at| at <= now.at) {
                self.entries[index].answer_at = None;
                let id = self.entries[index].call.id;
                // Answered, declined or cancelled meanwhile: then there is nothing to answer.
                let _ = self.answer(id, now);
            }
        }
    }

    /// Once nobody talks any more.
    pub(crate) fn begin_anew(&mut self) {
        if self.entries.iter().all(|entry| entry.ended.is_some())
            && let Some(reset) = self.restart.take()
        {
            self.out.push_back(Output::Restart { reset });
        }
    }
}

/// The last run of digits, `*` and `#` in a line such as "Call park at 5001".
fn last_number(text: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || "*#+".contains(c)));
    words.filter(|word| word.len() <= 32).rfind(|word| word.len() > 1).map(str::to_owned)
}
