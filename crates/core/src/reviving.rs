//! When the chat link is opened again: after a pause, with a new one-time password, at once, or not
//! before the session says so.

use std::time::Duration;

use offhook_model::{Fault, Moment, Owner, Problem, ServiceState};
use offhook_ports::{Found, XmppAuth};
use offhook_signin::{Renewal, Renewed};

use crate::budget::{Ended, clock};
use crate::chat::LinkState;
use crate::failover::{Failover, State};
use crate::moving::later;
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
        (self.chat.online_since, self.chat.failover) = (None, None);
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
        self.early_due(now);
        if let Some(im) = &mut self.chat.im {
            im.handle_timeout(now);
        }
    }

    /// A one-time password is spent with the first attempt, whatever came of it.
    fn reopen_chat(&mut self, now: Moment) {
        let Some(plan) = self.chat.plan.clone() else { return };
        self.chat.waiting = None;
        let limits = self.relogin();
        if limits.is_none() {
            self.chat.failover = None;
        } else if let (Some(limits), Some(stopped)) = (limits, self.chat.by_user.take()) {
            self.chat.failover = Some(Failover::by_user(limits, stopped, now.at));
        }
        if self.new_edge_session(now) {
            return;
        }
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
                let mut renewal = renewal;
                if let (Some(failover), Renewal::Soap(soap)) =
                    (&mut self.chat.failover, &mut renewal)
                {
                    soap.step = failover.ask();
                }
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

    /// Through an edge a new session begins with the edge, whose token may be what is over: true when
    /// a sign-in there takes the place of the one by name and password.
    fn new_edge_session(&mut self, now: Moment) -> bool {
        let Phase::Up(up) = &self.phase else { return false };
        let login = matches!(
            self.chat.failover.as_ref().map(Failover::state),
            Some(State::Failover { login: true, .. })
        );
        if !login || !matches!(up.way.found, Found::Edge(_)) {
            return false;
        }
        self.chat.link = LinkState::Parked;
        self.sign_in_anew(now);
        true
    }

    /// A new one-time password came, or not.
    pub(crate) fn chat_renewed(&mut self, result: Result<Box<Renewed>, Problem>, now: Moment) {
        self.budget.end(Ended::of(&result), now.at);
        let by_session = self.by_session();
        let result = match (&mut self.chat.failover, result) {
            (Some(failover), Ok(made)) => {
                failover.let_in();
                Ok(made)
            }
            // Whatever it says of a session that is over, the password was not asked.
            (Some(_), Err(problem)) if by_session || !password_can_mend(&problem) => {
                return self.not_let_in(problem, now);
            }
            (_, result) => result,
        };
        match result {
            Ok(made) => {
                if let (Phase::Up(up), Some(next)) = (&mut self.phase, made.renewal) {
                    up.renewal = Some(next);
                }
                self.open_link(made.plan);
            }
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

    /// Client re-login limits, where the machine of `failover` is the way back: chat by one-time
    /// passwords of IM and Presence, inside or through an edge.
    fn relogin(&self) -> Option<(Duration, Duration)> {
        let by_token = matches!(self.chat.plan.as_ref()?.auth, XmppAuth::VtgToken { .. });
        match self.renewal() {
            Some((Renewal::Soap(soap), _)) if by_token => Some(soap.relogin),
            Some(_) | None => None,
        }
    }

    /// A link was lost or could not be opened: what the machine makes of it, where it is the way
    /// back. `resumable`: the stream may be taken up again at once.
    pub(crate) fn fail_over(
        &mut self,
        was_online: bool,
        resumable: bool,
        problem: &Problem,
        now: Moment,
    ) -> Option<State> {
        match (&mut self.chat.failover, was_online) {
            (Some(failover), false) => failover.failed(now.at, &mut self.chance),
            (None, false) => return None,
            (_, true) => {
                let limits = self.relogin()?;
                let failover = Failover::lost(limits, resumable, now.at, &mut self.chance);
                self.chat.failover = Some(failover);
            }
        }
        self.after_failure(problem, now)
    }

    fn not_let_in(&mut self, problem: Problem, now: Moment) {
        self.session.services.im.state = ServiceState::Failed;
        if !password_can_mend(&problem) {
            self.session.services.im.error = Some(problem.clone());
        }
        // Behind a login page nothing is known of the server.
        if let Some(pause) = self.network.portal_pause(&problem) {
            self.chat.failover = None;
            self.chat.link = LinkState::Pausing(now.at + pause);
            return self.toast(problem, now);
        }
        if let Some(failover) = &mut self.chat.failover {
            failover.failed(now.at, &mut self.chance);
        }
        self.after_failure(&problem, now);
    }

    /// Waits, or stops.
    fn after_failure(&mut self, problem: &Problem, now: Moment) -> Option<State> {
        let state = self.chat.failover.as_ref()?.state();
        match state {
            State::Failover { until, .. } => {
                self.chat.link = LinkState::Pausing(until);
                let at = clock(later(now, until));
                self.chat.waiting = Some(format!("Connecting again at {at}"));
            }
            State::Stopped => {
                self.give_chat_up(stopped_problem(problem), now);
                // A wish of the user, or another network, begins anew.
                (self.chat.failover, self.chat.link) = (None, LinkState::Parked);
            }
            State::XmppConnected
            | State::Resuming
            | State::Wanted
            | State::SoapConnectSession { .. }
            | State::SoapConnect
            | State::XmppConnect { .. } => {}
        }
        Some(state)
    }

    fn by_session(&self) -> bool {
        let state = self.chat.failover.as_ref().map(Failover::state);
        matches!(state, Some(State::SoapConnectSession { .. }))
    }

    /// Nothing more is tried by itself.
    pub(crate) fn chat_stopped(&self) -> bool {
        self.chat.is_parked() && self.session.services.im.state == ServiceState::Failed
    }

    /// The user does not want to wait: the next attempt is theirs.
    pub(crate) fn hurry_chat(&mut self) {
        self.chat.by_user = match self.chat.failover {
            Some(_) => Some(false),
            None => self.chat_stopped().then_some(true),
        };
    }

    /// Chat is not connected and waits for its time, or for the user.
    pub(crate) fn chat_can_hurry(&self) -> bool {
        self.chat_stopped()
            || self.chat.failover.is_some() && matches!(self.chat.link, LinkState::Pausing(_))
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

/// Every node was tried, by the session and by a new one.
fn stopped_problem(last: &Problem) -> Problem {
    // A one-time password that is refused is not the user's.
    let owner = if password_can_mend(last) { Owner::Server } else { last.owner };
    Problem::new(
        last.area,
        owner,
        format!(
            "Chat was lost and no server of IM and Presence lets us back in; nothing more is tried \
             by itself. The last attempt: {}",
            last.cause
        ),
        "Sign in again, or press Try again.",
    )
    .with_evidence(last.evidence.clone())
}

/// Trying again with the same words cannot help. A one-time password that is refused may only be
/// spent or too old; the next attempt comes with a new one.
pub(crate) fn fault_is_final(fault: &Fault, one_time: bool) -> bool {
    match fault {
        Fault::BadCredentials => !one_time,
        other => matches!(other, Fault::NoMechanism(_) | Fault::NoEncryption | Fault::Conflict),
    }
}
