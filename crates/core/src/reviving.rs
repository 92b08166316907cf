//! When the chat link is opened again: after a pause, with a new one-time password, at once, or not
//! before the session says so.

use std::time::Duration;

use offhook_model::{Fault, Moment, Problem, ServiceState};
use offhook_ports::{Found, XmppAuth, XmppPlan};

use crate::budget::Ended;
use crate::chat::LinkState;
use crate::phase::{Phase, password_can_mend};
use crate::{Core, Effect};

/// Pause before a new attempt: doubles from the first to the last, with up to a quarter of chance
/// on top so that a restarted server is not met by all clients at once.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

impl Core {
    /// Ends what is under way and tries nothing more until [`Core::reconnect_chat`] or a new plan.
    /// Messages that are not acknowledged wait in the outbox.
    pub(crate) fn park_chat(&mut self, now: Moment) {
        self.wait_no_more();
        match self.chat.link {
            LinkState::Opening(link) | LinkState::Online(link) => self.abandon_link(link, now),
            LinkState::Renewing(run) => self.out.push_back(Effect::Cancel(run)),
            LinkState::Pausing(_) => {}
            LinkState::Off | LinkState::Parked | LinkState::Closing(_) => return,
        }
        self.chat.online_since = None;
        self.chat.link = LinkState::Parked;
        self.session.services.im.state = ServiceState::Connecting;
    }

    /// Opens the link anew, at once, whatever it was doing. One that was given up stays so.
    pub(crate) fn reconnect_chat(&mut self, now: Moment) {
        self.park_chat(now);
        self.reopen_parked_chat(now);
    }

    /// Opens a link that waits.
    pub(crate) fn reopen_parked_chat(&mut self, now: Moment) {
        if matches!(self.chat.link, LinkState::Parked | LinkState::Pausing(_)) {
            self.chat.attempts = 0;
            self.reopen_chat(now);
        }
    }

    pub(crate) fn pause_chat(&mut self, now: Moment) {
        let doubled = FIRST_PAUSE * 2u32.saturating_pow(self.chat.attempts.min(5));
        let pause = doubled.min(LAST_PAUSE);
        let spread = u64::try_from(pause.as_millis()).unwrap_or(1_000) / 4;
        let pause = pause + Duration::from_millis(self.chance.below(spread.max(1)));
        self.chat.attempts += 1;
        self.chat.link = LinkState::Pausing(now.at + pause);
    }

    pub(crate) fn chat_due(&mut self, now: Moment) {
        if let LinkState::Pausing(until) = self.chat.link
            && until <= now.at
        {
            self.reopen_chat(now);
        }
        self.stream_due(now);
        if let Some(im) = &mut self.chat.im {
            im.handle_timeout(now);
        }
    }

    /// A one-time password is spent with the first attempt, whatever came of it.
    fn reopen_chat(&mut self, now: Moment) {
        let Some(plan) = self.chat.plan.clone() else { return };
        self.chat.waiting = None;
        match (&plan.auth, self.renewal()) {
            // The cloud's token lasts for hours; the flow knows when a new one is due.
            (
                XmppAuth::VtgToken { .. } | XmppAuth::WebexToken { .. },
                Some((renewal, credentials)),
            ) => {
                // A renewal may end in a sign-in with the password: it is an attempt like others.
                let ready = self.budget.ready_at(now.at);
                if ready > now.at {
                    self.chat.link = LinkState::Pausing(ready);
                    self.chat.waiting = self.budget_words(ready, now);
                    return;
                }
                self.budget.begin(now.at);
                let (run, renewal) = (self.next_run(), Box::new(renewal));
                self.chat.link = LinkState::Renewing(run);
                self.session.services.im.state = ServiceState::Connecting;
                self.out.push_back(Effect::Renew { run, renewal, credentials });
            }
            (XmppAuth::VtgToken { .. } | XmppAuth::WebexToken { .. }, None)
            | (XmppAuth::Password { .. }, _) => {
                self.open_link(plan);
            }
        }
    }

    /// A new one-time password came, or not.
    pub(crate) fn chat_renewed(&mut self, result: Result<Box<XmppPlan>, Problem>, now: Moment) {
        self.budget.end(Ended::of(&result), now.at);
        match result {
            Ok(plan) => self.open_link(*plan),
            // Each attempt with a wrong password brings the account nearer to being locked.
            Err(problem) if password_can_mend(&problem) => self.give_chat_up(problem, now),
            Err(problem) => {
                self.session.services.im.state = ServiceState::Failed;
                self.session.services.im.error = Some(problem.clone());
                match self.network.portal_pause(&problem) {
                    Some(pause) => {
                        self.chat.link = LinkState::Pausing(now.at + pause);
                        self.toast(problem, now);
                    }
                    None => self.renewal_failed(now),
                }
            }
        }
    }

    /// Behind an edge it is the edge's token that may be over: only a new sign-in gives another.
    fn renewal_failed(&mut self, now: Moment) {
        self.pause_chat(now);
        let Phase::Up(up) = &self.phase else { return };
        let by_edge = matches!(up.way.found, Found::Edge(_));
        if by_edge && !std::mem::replace(&mut self.chat.anew, true) {
            self.sign_in_anew(now);
        }
    }

    /// The cloud's token is refused: it is over, if the link has worked before. True when a new
    /// sign-in fetches another; without success it is not done twice.
    pub(crate) fn chat_token_over(&mut self, now: Moment) -> bool {
        let token = self.chat.plan.as_ref().is_some_and(|plan| match plan.auth {
            XmppAuth::WebexToken { .. } => true,
            XmppAuth::Password { .. } | XmppAuth::VtgToken { .. } => false,
        });
        let Phase::Up(up) = &self.phase else { return false };
        if !token || !up.chat_worked() || std::mem::replace(&mut self.chat.anew, true) {
            return false;
        }
        self.chat.link = LinkState::Parked;
        self.sign_in_anew(now);
        true
    }
}

/// Trying again with the same words cannot help. A one-time password that is refused may only be
/// spent or too old; the next attempt comes with a new one.
pub(crate) fn fault_is_final(fault: &Fault, one_time: bool) -> bool {
    match fault {
        Fault::BadCredentials => !one_time,
        other => matches!(other, Fault::NoMechanism(_) | Fault::NoEncryption | Fault::Conflict),
    }
}
