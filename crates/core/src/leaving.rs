//! The way out: good-byes, then nobody is signed in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_model::{CommandError, Moment, Session};

use crate::phase::Phase;
use crate::{Core, Effect};

/// How long sign-out waits for the servers' good-byes.
const FAREWELL: Duration = Duration::from_secs(2);

impl Core {
    /// Signs out; with `quit` the program ends after it.
    pub(crate) fn sign_out(&mut self, quit: bool, now: Moment) -> Result<(), CommandError> {
        match &mut self.phase {
            Phase::Leaving { quit: wanted, .. } => {
                *wanted |= quit;
                return Ok(());
            }
            Phase::SignedOut if quit => {
                self.out.push_back(Effect::Quit);
                return Ok(());
            }
            Phase::SignedOut => return Err(CommandError::not_signed_in("Signing out")),
            Phase::Discovering { .. }
            | Phase::Recalling { .. }
            | Phase::Asking { .. }
            | Phase::Authenticating { .. }
            | Phase::Failed { .. } => {
                self.leave_behind();
                self.signed_out(quit);
                return Ok(());
            }
            Phase::Up(_) => {}
        }
        self.stop_moving();
        self.drop_questions();
        self.stop_phone(now);
        self.stop_chat(now);
        self.session.step = Some("Signing out".into());
        self.phase = Phase::Leaving { until: now.at + FAREWELL, quit };
        Ok(())
    }

    pub(crate) fn finish_leaving(&mut self, now: Moment) {
        let Phase::Leaving { until, quit } = &self.phase else { return };
        let quit = *quit;
        let farewell = self.chat.is_closed() && self.phone.is_stopped();
        if farewell || *until <= now.at {
            self.drop_chat();
            self.drop_phone();
            self.close_history();
            self.signed_out(quit);
        }
    }

    fn signed_out(&mut self, quit: bool) {
        self.phase = Phase::SignedOut;
        self.end_session_trust();
        self.session = Session::default();
        self.end_contacts();
        self.call_log = Arc::default();
        self.found = Arc::default();
        self.out.push_back(Effect::ForgetCookies);
        if quit {
            self.out.push_back(Effect::Quit);
        }
    }

    /// When the session wants [`crate::Event::Timeout`].
    pub(crate) fn session_timeout(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Leaving { until, .. } => Some(*until),
            Phase::SignedOut
            | Phase::Discovering { .. }
            | Phase::Recalling { .. }
            | Phase::Asking { .. }
            | Phase::Authenticating { .. }
            | Phase::Up(_)
            | Phase::Failed { .. } => None,
        }
    }

    /// Does what is due.
    pub(crate) fn session_due(&mut self, now: Moment) {
        self.finish_leaving(now);
    }
}
