//! Wishes beside signing in and out: try again, reset, manual settings, configuration URLs.

use offhook_config::read_provision_url;
use offhook_model::{
    AccountType, CommandError, ErrorCode, ManualAccount, Moment, Session, SessionState,
};
use offhook_ports::StoreRequest;

use crate::phase::{Phase, Wish};
use crate::{Core, Effect};

impl Core {
    /// Looks for the services anew and signs in again, with what was given before.
    pub(crate) fn try_again(&mut self, now: Moment) -> Result<(), CommandError> {
        match std::mem::replace(&mut self.phase, Phase::SignedOut) {
            Phase::Asking { wish, .. } | Phase::Failed { wish, .. } => {
                self.leave_behind();
                self.begin_with(Wish { fresh: true, ..wish }, now);
                Ok(())
            }
            Phase::Up(up)
                if up.is_confirmed()
                    && (self.session.state != SessionState::SignedIn || self.chat_can_hurry()) =>
            {
                self.phase = Phase::Up(up);
                self.hurry_chat();
                self.network.lost = false;
                self.trust.reconsider();
                self.with_phone(|phone| phone.network_changed(now));
                self.begin_move(now);
                Ok(())
            }
            other => {
                self.phase = other;
                Err(CommandError::user(
                    ErrorCode::NotPossible,
                    "There is nothing to try again.",
                    "Sign in with session.signIn.",
                ))
            }
        }
    }

    /// The network that a failed sign-in lacked is there.
    pub(crate) fn retry_failed(&mut self, now: Moment) {
        if self.budget.ready_at(now.at) > now.at {
            return;
        }
        match std::mem::replace(&mut self.phase, Phase::SignedOut) {
            Phase::Failed { wish, .. } => {
                self.leave_behind();
                self.discover(wish, now);
            }
            other => self.phase = other,
        }
    }

    /// Forgets what was found, given and kept for the account. What the machine's administrator
    /// settled at installation, accepted certificates, the user's own settings and the histories
    /// stay.
    pub(crate) fn reset(&mut self) -> Result<(), CommandError> {
        self.signed_out_only("Resetting")?;
        let account = match std::mem::replace(&mut self.phase, Phase::SignedOut) {
            Phase::Asking { wish, .. } | Phase::Failed { wish, .. } => {
                Some(wish.address.to_string())
            }
            Phase::SignedOut
            | Phase::Discovering { .. }
            | Phase::Recalling { .. }
            | Phase::Authenticating { .. }
            | Phase::Up(_)
            | Phase::Leaving { .. } => None,
        };
        self.leave_behind();
        self.end_session_trust();
        self.session = Session::default();
        let last = self.settings.last_address.clone();
        for account in
            account.clone().into_iter().chain(last.filter(|it| Some(it) != account.as_ref()))
        {
            self.store(StoreRequest::ForgetPassword(account));
        }
        self.last_user = None;
        self.forget_found();
        self.drop_layers();
        self.manual = ManualAccount::default();
        self.store(StoreRequest::PutManual(Box::default()));
        self.out.push_back(Effect::ForgetCookies);
        self.out.push_back(Effect::ForgetNames);
        Ok(())
    }

    /// Replaces the manual settings; another account type than before means other services.
    pub(crate) fn set_manual(&mut self, manual: ManualAccount) -> Result<(), CommandError> {
        self.signed_out_only("Changing manual settings")?;
        let manual = match manual.account_type {
            AccountType::Automatic => ManualAccount::default(),
            AccountType::Cup | AccountType::Cucm | AccountType::Webex | AccountType::Standard => {
                manual
            }
        };
        if manual != self.manual {
            self.forget_found();
        }
        self.manual = manual;
        self.store(StoreRequest::PutManual(Box::new(self.manual.clone())));
        Ok(())
    }

    /// Takes over the settings of a configuration URL. A sign-in that waits for something begins
    /// anew with them.
    pub(crate) fn provision(&mut self, url: &str, now: Moment) -> Result<(), CommandError> {
        self.signed_out_only("Taking over a configuration URL")?;
        if !self.urls.allow(now.at) {
            return Err(CommandError { code: ErrorCode::Refused, ..self.urls.problem().into() });
        }
        if self.session.browser.is_some()
            && let Some(returned) = offhook_signin::returned(url)
        {
            let (username, token) = returned?;
            return self.browser_returned(username, token, now);
        }
        let layer = read_provision_url(url).map_err(|error| CommandError {
            code: ErrorCode::InvalidParams,
            ..error.problem().into()
        })?;
        for problem in offhook_config::problems(&layer) {
            self.toast(problem, now);
        }
        self.forget_found();
        self.take_layer(layer);
        if self.session.browser.is_some() {
            return self.try_again(now);
        }
        Ok(())
    }

    fn signed_out_only(&self, what: &str) -> Result<(), CommandError> {
        if !self.session_busy() {
            return Ok(());
        }
        Err(CommandError::user(
            ErrorCode::NotPossible,
            format!("{what} is not possible while signed in."),
            "Sign out first.",
        ))
    }
}
