//! Who is signed in, and how one gets there.
//!
//! address → *discovering* → (password) → *authenticating* → *up* → *leaving* → signed out. Each
//! phase owns only what it needs; a failure keeps where it came from, so that "try again" with
//! another password does not look for the services anew.

use std::sync::Arc;
use std::time::Instant;

use offhook_discovery as discovery;
use offhook_model::{
    Area, CommandError, ErrorCode, Moment, Owner, Preset, Problem, Prompt, Secret, Services,
    Session, SessionState, UserAddress,
};
use offhook_ports::{Found, Progress, StoreRequest};
use offhook_signin as signin;
use offhook_signin::{Credentials, Renewal};

use crate::event::FlowOutcome;
use crate::standing::Up;
use crate::{Core, Effect, RunId, StoreTag};

/// How many steps of the way are remembered.
const TRACE: usize = 500;

/// What the user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) address: UserAddress,
    username: Option<String>,
    password: Option<Secret<String>>,
}

impl Wish {
    fn username(&self) -> String {
        self.username.clone().unwrap_or_else(|| self.address.user().to_owned())
    }
}

/// Where the session stands, with what each phase needs.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Nobody.
    SignedOut,
    /// Looking for services.
    Discovering { run: RunId, wish: Wish },
    /// Reading the kept password.
    Recalling { run: RunId, wish: Wish, found: Found },
    /// Waiting for the user's password.
    Asking { wish: Wish, found: Found },
    /// Asking the authenticator. `kept` when the password came from the credential store.
    Authenticating { run: RunId, wish: Wish, found: Found, credentials: Credentials, kept: bool },
    /// Let in, or with a standard account on the way.
    Up(Box<Up>),
    /// Not let in. Without `found` even the services are not known.
    Failed { wish: Wish, found: Option<Found> },
    /// Saying good-bye.
    Leaving { until: Instant, quit: bool },
}

impl Core {
    /// Begins to sign in. A failed session is left behind.
    pub(crate) fn sign_in(
        &mut self,
        address: UserAddress,
        username: Option<String>,
        password: Option<Secret<String>>,
        now: Moment,
    ) -> Result<(), CommandError> {
        if self.session_busy() {
            return Err(CommandError::user(
                ErrorCode::NotPossible,
                "Somebody is signed in, or signing in, already.",
                "Sign out first.",
            ));
        }
        self.leave_behind();
        let username = username.or_else(|| self.known_username(&address));
        let wish = Wish { address, username, password };
        self.session = Session { address: Some(wish.address.clone()), ..Session::default() };
        self.discover(wish, now);
        Ok(())
    }

    /// A session exists that must be ended before another can begin.
    pub(crate) fn session_busy(&self) -> bool {
        match &self.phase {
            Phase::SignedOut | Phase::Failed { .. } | Phase::Asking { .. } => false,
            Phase::Discovering { .. }
            | Phase::Recalling { .. }
            | Phase::Authenticating { .. }
            | Phase::Up(_)
            | Phase::Leaving { .. } => true,
        }
    }

    fn discover(&mut self, wish: Wish, now: Moment) {
        let run = self.next_run();
        let request = discovery::Request {
            address: wish.address.clone(),
            manual: self.manual.clone(),
            preset: Preset::default(),
            remembered: None,
            network: None,
            now: now.wall,
            seed: self.chance.next(),
        };
        self.session.state = SessionState::Discovering;
        self.session.step = Some(format!("Looking for the services of {}", wish.address.domain()));
        self.phase = Phase::Discovering { run, wish };
        self.out.push_back(Effect::Discover { run, request: Box::new(request) });
    }

    /// The answer to the session's prompt.
    pub(crate) fn give_password(
        &mut self,
        username: String,
        password: Secret<String>,
        now: Moment,
    ) -> Result<(), CommandError> {
        match std::mem::replace(&mut self.phase, Phase::SignedOut) {
            Phase::Asking { wish, found } | Phase::Failed { wish, found: Some(found) } => {
                self.leave_behind();
                // Asked again, the name is the one typed last.
                let wish = Wish { username: Some(username.clone()), ..wish };
                self.authenticate(wish, found, Credentials { username, password }, false);
                Ok(())
            }
            Phase::Failed { wish, found: None } => {
                self.leave_behind();
                let wish = Wish { username: Some(username), password: Some(password), ..wish };
                self.session.error = None;
                self.discover(wish, now);
                Ok(())
            }
            other => {
                self.phase = other;
                Err(CommandError::user(
                    ErrorCode::NotPossible,
                    "No password is asked for.",
                    "Sign in with session.signIn.",
                ))
            }
        }
    }

    fn authenticate(&mut self, wish: Wish, found: Found, credentials: Credentials, kept: bool) {
        let run = self.next_run();
        let seed = self.chance.next();
        self.session.state = SessionState::SigningIn;
        self.session.error = None;
        self.session.prompt = None;
        self.session.step = Some("Signing in".into());
        self.out.push_back(Effect::SignIn {
            run,
            request: Box::new(signin::Request {
                address: wish.address.clone(),
                found: found.clone(),
                credentials: credentials.clone(),
                cloud_token: None,
                phone: None,
                manual: self.manual.clone(),
                preset: Preset::default(),
                edge_budget: self.edge_budget.clone(),
                seed,
            }),
        });
        self.phase = Phase::Authenticating { run, wish, found, credentials, kept };
    }

    /// What a running flow says.
    pub(crate) fn progress(&mut self, run: RunId, progress: Progress) {
        if self.run_wanted() != Some(run) {
            return;
        }
        match progress {
            Progress::Doing(words) => self.session.step = Some(words),
            Progress::Step(step) => Arc::make_mut(&mut self.session.trace).push(step),
        }
    }

    fn run_wanted(&self) -> Option<RunId> {
        match &self.phase {
            Phase::Discovering { run, .. }
            | Phase::Recalling { run, .. }
            | Phase::Authenticating { run, .. } => Some(*run),
            Phase::SignedOut
            | Phase::Asking { .. }
            | Phase::Up(_)
            | Phase::Failed { .. }
            | Phase::Leaving { .. } => None,
        }
    }

    /// A flow is over.
    pub(crate) fn flow_over(&mut self, run: RunId, outcome: FlowOutcome, now: Moment) {
        if let FlowOutcome::Renewed(result) = outcome {
            if self.chat.renewing() == Some(run) {
                self.chat_renewed(result, now);
            }
            return;
        }
        if self.run_wanted() != Some(run) {
            return;
        }
        match (std::mem::replace(&mut self.phase, Phase::SignedOut), outcome) {
            (Phase::Discovering { wish, .. }, FlowOutcome::Discovered(report)) => {
                self.discovered(wish, *report, now);
            }
            (
                Phase::Authenticating { wish, found, credentials, kept, .. },
                FlowOutcome::SignedIn(report),
            ) => self.authenticated(wish, found, credentials, kept, *report, now),
            (phase, _) => self.phase = phase,
        }
    }

    fn discovered(&mut self, wish: Wish, report: discovery::Report, now: Moment) {
        // Steps came one by one; the report has them all, those of parallel branches included.
        self.session.trace = Arc::new(report.steps);
        for warning in report.warnings {
            self.toast(warning, now);
        }
        match report.outcome {
            // What cannot be done is said before a password is asked for.
            Ok(found) => match signin::unsupported(&found) {
                Some(problem) => self.fail(wish, None, problem),
                None => self.want_password(wish, found),
            },
            Err(problem) => self.fail(wish, None, problem),
        }
    }

    fn want_password(&mut self, wish: Wish, found: Found) {
        if let Some(password) = wish.password.clone() {
            let credentials = Credentials { username: wish.username(), password };
            return self.authenticate(wish, found, credentials, false);
        }
        let run = self.next_run();
        let request = StoreRequest::GetPassword(wish.address.to_string());
        self.out.push_back(Effect::Store(StoreTag::Password(run), request));
        self.session.state = SessionState::SigningIn;
        self.session.step = Some("Reading the kept password".into());
        self.phase = Phase::Recalling { run, wish, found };
    }

    /// The credential store answered.
    pub(crate) fn password_read(
        &mut self,
        run: RunId,
        password: Option<Secret<String>>,
        _now: Moment,
    ) {
        if self.run_wanted() != Some(run) {
            return;
        }
        match std::mem::replace(&mut self.phase, Phase::SignedOut) {
            Phase::Recalling { wish, found, .. } => match password {
                Some(password) => {
                    let credentials = Credentials { username: wish.username(), password };
                    self.authenticate(wish, found, credentials, true);
                }
                None => self.ask(wish, found, None),
            },
            other => self.phase = other,
        }
    }

    fn ask(&mut self, wish: Wish, found: Found, error: Option<Problem>) {
        self.session.state = SessionState::SigningIn;
        self.session.step = Some("Waiting for the password".into());
        self.session.prompt =
            Some(Prompt { username: wish.username(), of: authority(&found), error });
        self.phase = Phase::Asking { wish, found };
    }

    fn authenticated(
        &mut self,
        wish: Wish,
        found: Found,
        credentials: Credentials,
        kept: bool,
        report: signin::Report,
        now: Moment,
    ) {
        Arc::make_mut(&mut self.session.trace).extend(report.steps);
        self.dedupe_trace();
        for warning in report.warnings {
            self.toast(warning, now);
        }
        match report.outcome {
            Ok(grant) => self.rise(wish, found, credentials, grant, now),
            Err(problem) if kept && password_can_mend(&problem) => {
                self.store(StoreRequest::ForgetPassword(wish.address.to_string()));
                self.ask(wish, found, Some(problem));
            }
            Err(problem) => self.fail(wish, Some(found), problem),
        }
    }

    /// Steps told while the flow ran come again in its report.
    fn dedupe_trace(&mut self) {
        let trace = Arc::make_mut(&mut self.session.trace);
        let mut seen = Vec::with_capacity(trace.len());
        trace.retain(|step| {
            let fresh = !seen.contains(step);
            if fresh {
                seen.push(step.clone());
            }
            fresh
        });
        let old = trace.len().saturating_sub(TRACE);
        trace.drain(..old);
    }

    pub(crate) fn fail(&mut self, wish: Wish, found: Option<Found>, problem: Problem) {
        if let Some(found) = &found
            && password_can_mend(&problem)
        {
            self.session.prompt = Some(Prompt {
                username: wish.username(),
                of: authority(found),
                error: Some(problem.clone()),
            });
        }
        self.session.state = SessionState::Failed;
        self.session.step = None;
        self.session.error = Some(problem);
        self.phase = Phase::Failed { wish, found };
    }

    /// Drops what a session that never stood has begun.
    pub(crate) fn leave_behind(&mut self) {
        if let Some(run) = self.run_wanted() {
            self.out.push_back(Effect::Cancel(run));
        }
        self.drop_chat();
        self.drop_phone();
        self.session.error = None;
        self.session.prompt = None;
        self.session.services = Services::default();
        self.call_log = Arc::default();
    }

    /// The user name that belongs to a kept password.
    fn known_username(&self, address: &UserAddress) -> Option<String> {
        let (known, username) = self.last_user.as_ref()?;
        (known == address).then(|| username.clone())
    }

    /// How a new one-time password is had, where the account works with them.
    pub(crate) fn renewal(&self) -> Option<(Renewal, Credentials)> {
        let Phase::Up(up) = &self.phase else { return None };
        Some((up.renewal.clone()?, up.credentials.clone()))
    }

    /// Our name for others to see.
    pub(crate) fn display_name(&self) -> String {
        match &self.phase {
            Phase::Up(up) => up.display_name.clone(),
            Phase::Discovering { wish, .. }
            | Phase::Recalling { wish, .. }
            | Phase::Asking { wish, .. }
            | Phase::Authenticating { wish, .. }
            | Phase::Failed { wish, .. } => wish.address.user().to_owned(),
            Phase::SignedOut | Phase::Leaving { .. } => String::new(),
        }
    }
}

/// A password that is typed again may help; a conflict or a missing mechanism is not its fault.
pub(crate) fn password_can_mend(problem: &Problem) -> bool {
    problem.area == Area::Authentication && problem.owner == Owner::User
}

/// Who asks for the password, in words.
fn authority(found: &Found) -> String {
    let first = |targets: &[offhook_ports::Target]| {
        targets.first().map(|target| target.host.clone()).unwrap_or_default()
    };
    match found {
        Found::Cucm(targets) | Found::Cup(targets) | Found::Edge(targets) => first(targets),
        Found::Webex { cas, .. } => cas.clone(),
        Found::Standard { xmpp, sip } => xmpp
            .first()
            .map(|server| server.host.clone())
            .or_else(|| sip.first().map(|server| server.host.clone()))
            .unwrap_or_default(),
    }
}
