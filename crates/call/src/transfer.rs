//! Giving a call away: blindly, or to somebody we spoke to (RFC 3515, RFC 5589).
//!
//! While it is under way the call is silent and *transferring*. When it stands our part is over;
//! when it fails the call is with the user again, with a sentence that says so.

use std::time::{Duration, Instant};

use offhook_model::{
    Area, CallEnd, CallId, CallState, CommandError, DialString, Moment, Owner, Problem, Reply,
};
use offhook_sip::{By, End, ReferTarget, SipCall, TransferStep};

use crate::Phone;
use crate::phone::not_possible;

/// How long no word about a transfer is waited for: longer than anybody's phone rings (INVITEs
/// expire after 180 s).
const PATIENCE: Duration = Duration::from_secs(200);

/// A call that is being given away.
#[derive(Clone, Copy, Debug)]
pub struct Giving {
    /// The call with whom it is given to.
    other: Option<CallId>,
    /// They agreed to try.
    agreed: bool,
    /// Then it has failed.
    pub until: Instant,
}

/// States that a call can be given away in.
const UP: [CallState; 3] = [CallState::Connected, CallState::Held, CallState::RemoteHeld];

impl Phone {
    pub(crate) fn transfer(
        &mut self,
        id: CallId,
        to: DialString,
        now: Moment,
    ) -> Result<Reply, CommandError> {
        let index = self.transferable(id)?;
        self.give(index, ReferTarget::Number(to), None, now);
        Ok(Reply::Done)
    }

    /// A call with somebody whose phone still rings is given up first, and the transfer is a blind
    /// one (RFC 5589 section 7.6).
    pub(crate) fn connect_calls(
        &mut self,
        id: CallId,
        other: CallId,
        now: Moment,
    ) -> Result<Reply, CommandError> {
        let (index, second) = (self.transferable(id)?, self.existing(other)?);
        if id == other {
            return Err(not_possible(id, "connected with itself", self.entries[index].call.state));
        }
        let entry = &self.entries[second];
        let rings = [CallState::Dialing, CallState::Ringing, CallState::Early];
        if let Some(to) = entry.dialled.clone()
            && rings.contains(&entry.call.state)
        {
            self.end_by_us(second, now);
            self.give(index, ReferTarget::Number(to), None, now);
            return Ok(Reply::Done);
        }
        self.in_state(second, "connected with another", &UP)?;
        self.with_server(second, "connected with another")?;
        let Some(sip) = self.entries[second].sip else {
            return Err(CommandError::no_call(other));
        };
        self.give(index, ReferTarget::Call(sip), Some(other), now);
        Ok(Reply::Done)
    }

    fn transferable(&self, id: CallId) -> Result<usize, CommandError> {
        let index = self.existing(id)?;
        self.in_state(index, "transferred", &UP)?;
        self.with_server(index, "transferred")?;
        self.with_features("Transferring")?;
        Ok(index)
    }

    fn give(&mut self, index: usize, to: ReferTarget, other: Option<CallId>, now: Moment) {
        let entry = &mut self.entries[index];
        let Some(sip) = entry.sip else { return };
        entry.call.trouble = None;
        entry.giving = Some(Giving { other, agreed: false, until: now.at + PATIENCE });
        let id = entry.call.id;
        self.leave_conference(id);
        self.silence(index);
        self.set_state(id, CallState::Transferring);
        self.agent.transfer(sip, &to, now.at);
    }

    pub(crate) fn transfer_step(&mut self, sip: SipCall, step: TransferStep, now: Moment) {
        let Some(index) = self.of_sip(sip) else { return };
        let Some(giving) = self.entries[index].giving.as_mut() else { return };
        match step {
            TransferStep::Accepted => giving.agreed = true,
            TransferStep::Progress(_) => {}
            TransferStep::Done => return self.given(index, now),
            TransferStep::Failed { status, text } => {
                return self.kept(index, refused(status, &text));
            }
        }
        giving.until = now.at + PATIENCE;
    }

    /// The two talk with each other.
    fn given(&mut self, index: usize, now: Moment) {
        let Some(giving) = self.entries[index].giving.take() else { return };
        let second = giving.other.and_then(|id| self.index(id));
        for index in [Some(index), second].into_iter().flatten() {
            let entry = &self.entries[index];
            if entry.ended.is_some() {
                continue;
            }
            if let Some(sip) = entry.sip {
                self.agent.hang_up(sip, now.at);
            }
            let end = CallEnd { cause: "transferred", sip_status: None, problem: None };
            self.finish(index, end, now);
        }
    }

    /// It did not work: the call is the user's again.
    fn kept(&mut self, index: usize, problem: Problem) {
        let entry = &mut self.entries[index];
        if entry.giving.take().is_none() {
            return;
        }
        entry.call.trouble = Some(problem);
        self.restore(index);
    }

    /// Back from *transferring* to what the descriptions and the user's wish say.
    pub(crate) fn restore(&mut self, index: usize) {
        let entry = &self.entries[index];
        let (id, held, plan) = (entry.call.id, entry.hold.wished, entry.plan.clone());
        if held {
            return self.set_state(id, CallState::Held);
        }
        if let Some(plan) = plan {
            self.apply(index, plan);
        }
        self.set_state(id, CallState::Connected);
        self.reflect_hold(index);
    }

    /// When the first transfer is given up.
    pub(crate) fn next_patience(&self) -> Option<Instant> {
        self.entries.iter().filter_map(|entry| Some(entry.giving?.until)).min()
    }

    pub(crate) fn lose_patience(&mut self, now: Moment) {
        for index in 0..self.entries.len() {
            if self.entries[index].giving.is_some_and(|giving| giving.until <= now.at) {
                let problem = Problem::new(
                    Area::Registration,
                    Owner::Server,
                    "Nobody told whether the call was transferred; it is with you again.",
                    "Ask the other side, or try once more.",
                )
                .coded("transfer-unknown", []);
                self.kept(index, problem);
            }
        }
    }

    /// Who hangs up after having agreed to a transfer is with somebody else now; so is the one that
    /// they were given to.
    pub(crate) fn given_away(&mut self, index: usize, end: &End) {
        if end.by != By::Them {
            return;
        }
        let id = self.entries[index].call.id;
        let to = |giving: &Giving| giving.agreed && giving.other == Some(id);
        let target = self.entries.iter().any(|entry| entry.giving.as_ref().is_some_and(to));
        let entry = &mut self.entries[index];
        if target || entry.giving.is_some_and(|giving| giving.agreed) {
            entry.cause = Some("transferred");
        }
    }
}

/// Why it did not work, as the status says it.
fn refused(status: u16, text: &str) -> Problem {
    let (owner, why) = match status {
        486 | 600 => (Owner::User, "the other phone is busy".to_owned()),
        408 | 480 | 487 => (Owner::User, "nobody answered there".to_owned()),
        404 | 410 | 484 | 604 => (Owner::User, "there is no such number".to_owned()),
        403 | 405 | 501 | 603 => (Owner::Admin, format!("it is not allowed ({status})")),
        420 => (Owner::Admin, format!("the other phone cannot do it ({status})")),
        _ => (Owner::Server, format!("{} ({status})", words(text))),
    };
    let code = match status {
        486 | 600 => "transfer-busy",
        408 | 480 | 487 => "transfer-no-answer",
        404 | 410 | 484 | 604 => "transfer-no-number",
        _ => "transfer-refused",
    };
    Problem::new(
        Area::Registration,
        owner,
        format!("The call was not transferred: {why}. It is with you again."),
        "Talk on, or transfer it to somebody else.",
    )
    .coded(code, [("status", &status.to_string())])
}

fn words(text: &str) -> &str {
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() { "it was refused" } else { text }
}
