//! The phone on the desk behind the same view: it is told to call and to hang up, by WebDialer. More
//! cannot be asked of it: the vendor's way to control phones (CTI, QBE) is not public, and what is
//! public tells neither whether a call was answered nor whether it goes on. That it is over is seen
//! by the line, where the call manager shows lines: it was busy, and is free again.

use std::sync::Arc;

use offhook_model::{
    CallDirection, CallEnd, CallId, CallState, CommandError, DialString, ErrorCode, LineState,
    Moment, Owner, PhoneState, Problem, Reply,
};
use offhook_ports::{DeskOrder, PhoneAccount};

use crate::entry::{Entry, Waiting};
use crate::{Output, Phone};

/// What is known of a call at a desk.
#[derive(Debug, Default)]
pub struct AtDesk {
    /// The number of the line that it uses.
    line: Option<String>,
    /// The line was seen busy since.
    busy: bool,
    /// It is being ended.
    ending: bool,
}

/// What a phone knows before it is registered.
pub(crate) fn first_state(account: &PhoneAccount) -> PhoneState {
    let desk = account.features.desk.as_ref();
    PhoneState {
        desk_phones: desk.map(|desk| desk.phones.clone()).unwrap_or_default(),
        ..PhoneState::default()
    }
}

impl Phone {
    /// Calls are made with this phone from now on, or with this computer. Whether the phone can be
    /// told anything is asked; where it cannot, calls come back to this computer and the phone's
    /// `trouble` says why.
    pub(crate) fn call_with(&mut self, device: Option<String>) -> Result<Reply, CommandError> {
        let state = Arc::make_mut(&mut self.state);
        let Some(device) = device else {
            state.desk = None;
            return Ok(Reply::Done);
        };
        if !state.desk_phones.iter().any(|phone| phone.device == device) {
            return Err(CommandError::user(
                ErrorCode::NoSuchObject,
                format!("No phone on your desk is called {device}."),
                "phone.state lists those that calls can be made with.",
            ));
        }
        state.trouble = None;
        state.desk = Some(device.clone());
        self.desk_line = None;
        self.order(DeskOrder::Check { device });
        Ok(Reply::Done)
    }

    fn order(&mut self, order: DeskOrder) {
        if let Some(control) = self.account.features.desk.clone() {
            self.out.push_back(Output::Desk { control, order });
        }
    }

    /// Lets the phone on the desk call.
    pub(crate) fn dial_at_desk(
        &mut self,
        device: String,
        to: DialString,
        now: Moment,
    ) -> Result<CallId, CommandError> {
        let DialString::Number(digits) = &to else {
            return Err(CommandError::user(
                ErrorCode::NotPossible,
                "The phone on the desk can be told numbers only, no addresses.",
                "Dial a number, or call with this computer.",
            ));
        };
        let (digits, line) = (digits.clone(), self.desk_line.clone());
        let id = self.next_id();
        let direction = CallDirection::Outgoing;
        let mut entry = Entry::new(id, direction, to.to_string(), now.wall, Waiting::Nothing);
        entry.call.desk = Some(device.clone());
        entry.desk = Some(AtDesk { line: line.clone(), ..AtDesk::default() });
        self.entries.push(entry);
        self.last_dialled = Some(to);
        self.watch_anew(now);
        self.order(DeskOrder::Dial { call: id, device, line, to: digits });
        self.tell(id);
        self.settle(now);
        Ok(id)
    }

    /// Tells the phone to hang up; the call is over when that is answered. False when it is no call
    /// at a desk.
    pub(crate) fn end_at_desk(&mut self, index: usize) -> bool {
        let entry = &mut self.entries[index];
        let (Some(device), Some(at)) = (entry.call.desk.clone(), entry.desk.as_mut()) else {
            return false;
        };
        if !std::mem::replace(&mut at.ending, true) {
            let order = DeskOrder::End { call: entry.call.id, device, line: at.line.clone() };
            self.order(order);
        }
        true
    }

    /// What came of [`Output::Desk`]: the number of the line that is used, or why not.
    pub fn desk_answered(
        &mut self,
        order: &DeskOrder,
        outcome: Result<Option<String>, Problem>,
        now: Moment,
    ) {
        match (order, outcome) {
            (DeskOrder::Check { device }, outcome) => self.checked(device, outcome),
            (DeskOrder::Dial { call, .. }, Ok(line)) => {
                if let Some(at) = self.at_desk(*call) {
                    at.line = line;
                    self.set_state(*call, CallState::Ringing);
                }
            }
            (DeskOrder::End { call, .. }, Ok(_)) => self.over_at_desk(*call, "hungUp", None, now),
            (DeskOrder::Dial { call, .. } | DeskOrder::End { call, .. }, Err(problem)) => {
                self.over_at_desk(*call, "failed", Some(problem), now);
            }
        }
        self.settle(now);
    }

    fn checked(&mut self, device: &str, outcome: Result<Option<String>, Problem>) {
        if self.state.desk.as_deref() != Some(device) {
            return;
        }
        match outcome {
            Ok(line) => self.desk_line = line,
            Err(problem) => {
                let state = Arc::make_mut(&mut self.state);
                (state.desk, state.trouble) = (None, Some(problem));
            }
        }
    }

    fn at_desk(&mut self, id: CallId) -> Option<&mut AtDesk> {
        let index = self.index(id)?;
        let entry = self.entries.get_mut(index).filter(|entry| entry.ended.is_none())?;
        entry.desk.as_mut()
    }

    fn over_at_desk(
        &mut self,
        id: CallId,
        cause: &'static str,
        problem: Option<Problem>,
        now: Moment,
    ) {
        if let Some(index) = self.index(id) {
            self.finish(index, CallEnd { cause, sip_status: None, problem }, now);
            self.watch_anew(now);
        }
    }

    /// The own line shows what the phone on the desk does.
    pub(crate) fn own_line(&mut self, line: &DialString, state: LineState, now: Moment) {
        if line.user() != self.account.user {
            return;
        }
        let mut over = vec![];
        for entry in self.entries.iter_mut().filter(|entry| entry.ended.is_none()) {
            let Some(at) = entry.desk.as_mut() else { continue };
            match state {
                LineState::Busy | LineState::Ringing => at.busy = true,
                LineState::Idle if at.busy => over.push(entry.call.id),
                LineState::Idle | LineState::Unknown => {}
            }
        }
        over.into_iter().for_each(|id| self.over_at_desk(id, "hungUp", None, now));
    }

    /// Watches what was wished, and the own line while a call goes on at a desk.
    pub(crate) fn watch_anew(&mut self, now: Moment) {
        let wished = self.state.lines.iter().filter_map(|line| line.number.parse().ok());
        let mut lines: Vec<DialString> = wished.collect();
        let going = |entry: &Entry| entry.ended.is_none() && entry.desk.is_some();
        if self.entries.iter().any(going)
            && let Ok(own) = self.account.user.parse::<DialString>()
            && !lines.contains(&own)
        {
            lines.push(own);
        }
        self.agent.watch(&lines, now.at);
    }

    /// Refuses what only the phone on the desk itself can do.
    pub(crate) fn not_at_desk(&self, index: usize, verb: &str) -> Result<(), CommandError> {
        if self.entries[index].call.desk.is_none() {
            return Ok(());
        }
        Err(CommandError {
            code: ErrorCode::NotPossible,
            cause: format!(
                "The call cannot be {verb} from here: it is at the phone on the desk, and how that is controlled (CTI) is not public."
            ),
            owner: Owner::User,
            remedy: "Do it at the phone; from here the call can only be ended.".into(),
        })
    }
}
