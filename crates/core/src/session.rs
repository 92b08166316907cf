//! Who is signed in, and how one gets there.
//!
//! address → *discovering* → (password) → *authenticating* → *up* → *leaving* → signed out. Each
//! phase owns only what it needs; a failure keeps where it came from, so that "try again" with
//! another password does not look for the services anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_discovery as discovery;
use offhook_model::{
    Authenticator, CommandError, ErrorCode, Moment, Owner, Problem, Prompt, Secret, ServiceState,
    ServiceStatus, Services, Session, SessionState, UserAddress,
};
use offhook_ports::{Found, Progress, StoreRequest};
use offhook_signin as signin;
use offhook_signin::{Credentials, Grant, Renewal, Service};

use crate::event::FlowOutcome;
use crate::{Core, Effect, RunId, StoreTag};

/// How long sign-out waits for the servers' good-byes.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    address: UserAddress,
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

/// A session that stands.
#[derive(Debug)]
pub(crate) struct Up {
    wish: Wish,
    found: Found,
    credentials: Credentials,
    renewal: Option<Renewal>,
    display_name: String,
    chat: Side,
    phone: Side,
    confirmed: bool,
}

/// What is known of one of the two services.
#[derive(Clone, Debug, PartialEq)]
enum Side {
    Absent,
    Pending,
    Worked,
    Failed(Problem),
}

/// What a service reports to the session.
pub(crate) enum ServiceVerdict {
    /// It works.
    Ready,
    /// An attempt failed.
    Failed(Problem),
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

    fn discover(&mut self, wish: Wish, _now: Moment) {
        let run = self.next_run();
        let request = discovery::Request {
            address: wish.address.clone(),
            manual: self.manual.clone(),
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
            address: wish.address.clone(),
            found: Box::new(found.clone()),
            credentials: credentials.clone(),
            seed,
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
            Ok(found) => self.want_password(wish, found),
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
            Err(problem) if kept && problem.area == offhook_model::Area::Authentication => {
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
    }

    fn fail(&mut self, wish: Wish, found: Option<Found>, problem: Problem) {
        if let Some(found) = &found
            && problem.area == offhook_model::Area::Authentication
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

    fn rise(
        &mut self,
        wish: Wish,
        found: Found,
        credentials: Credentials,
        grant: Grant,
        now: Moment,
    ) {
        let standard = grant.authenticator == Authenticator::Standard;
        self.session.authenticator = Some(grant.authenticator);
        self.session.product_mode = Some(grant.mode);
        self.session.via = Some(grant.via);
        self.session.services = Services::default();
        self.session.step = Some("Connecting".into());
        let mut up = Up {
            wish,
            found,
            credentials,
            renewal: grant.renewal,
            display_name: grant.display_name,
            chat: Side::Absent,
            phone: Side::Absent,
            confirmed: false,
        };
        self.open_history(&up.wish.address);
        match grant.im {
            Service::Ready(plan) => {
                up.chat = Side::Pending;
                self.start_chat(plan, now);
            }
            Service::Failed(problem) => {
                self.session.services.im = failed_row(&problem);
                up.chat = Side::Failed(problem);
            }
            Service::NotConfigured => self.session.services.im.state = ServiceState::NotConfigured,
        }
        match grant.phone {
            Service::Ready(account) => {
                up.phone = Side::Pending;
                self.session.services.phone.state = ServiceState::Connecting;
                self.start_phone(account, now);
            }
            Service::Failed(problem) => {
                self.session.services.phone = failed_row(&problem);
                up.phone = Side::Failed(problem);
            }
            Service::NotConfigured => {
                self.session.services.phone.state = ServiceState::NotConfigured;
            }
        }
        for row in [
            &mut self.session.services.voicemail,
            &mut self.session.services.directory,
            &mut self.session.services.edge,
            &mut self.session.services.calendar,
        ] {
            row.state = ServiceState::NotConfigured;
        }
        self.phase = Phase::Up(Box::new(up));
        // Everything but a plain account has been let in by an authenticator of its own; a plain
        // account is let in by the first of its two servers that says so.
        if !standard {
            self.confirm();
        }
    }

    fn open_history(&mut self, address: &UserAddress) {
        self.store(StoreRequest::Open(address.to_string()));
        self.out.push_back(Effect::Store(StoreTag::Loaded, StoreRequest::Load));
    }

    fn confirm(&mut self) {
        let Phase::Up(up) = &mut self.phase else { return };
        if up.confirmed {
            return;
        }
        up.confirmed = true;
        let (address, password) = (up.wish.address.to_string(), up.credentials.password.clone());
        self.session.state = SessionState::SignedIn;
        self.session.step = None;
        self.session.error = None;
        self.store(StoreRequest::PutPassword(address.clone(), password));
        if self.settings.last_address.as_deref() != Some(address.as_str()) {
            Arc::make_mut(&mut self.settings).last_address = Some(address);
            self.keep_settings();
        }
    }

    /// The chat link worked or did not.
    pub(crate) fn chat_verdict(&mut self, verdict: ServiceVerdict) {
        if let Phase::Up(up) = &mut self.phase {
            up.chat.learn(verdict);
        }
    }

    /// The registration worked or did not.
    pub(crate) fn phone_verdict(&mut self, verdict: ServiceVerdict) {
        if let Phase::Up(up) = &mut self.phase {
            up.phone.learn(verdict);
        }
    }

    /// Draws the session's state from what both services said. Runs after every event.
    pub(crate) fn reconsider(&mut self, now: Moment) {
        self.finish_leaving(now);
        let Phase::Up(up) = &self.phase else { return };
        if !up.confirmed {
            if up.chat == Side::Worked || up.phone == Side::Worked {
                self.confirm();
            } else if let Some(problem) = up.hopeless() {
                return self.give_up(problem);
            }
            return;
        }
        let services = &self.session.services;
        let ready = |row: &ServiceStatus| row.state == ServiceState::Ready;
        let worked = up.chat == Side::Worked || up.phone == Side::Worked;
        let lost = worked && !ready(&services.im) && !ready(&services.phone);
        self.session.state = if lost { SessionState::Reconnecting } else { SessionState::SignedIn };
        self.session.step = lost.then(|| "Connecting again".to_owned());
    }

    /// Neither service of a plain account let us in.
    fn give_up(&mut self, problem: Problem) {
        let Phase::Up(up) = std::mem::replace(&mut self.phase, Phase::SignedOut) else { return };
        let services = self.session.services.clone();
        self.leave_behind();
        self.session.services = services;
        self.store(StoreRequest::Close);
        if problem.area == offhook_model::Area::Authentication {
            self.store(StoreRequest::ForgetPassword(up.wish.address.to_string()));
        }
        self.fail(up.wish, Some(up.found), problem);
    }

    /// Drops what a session that never stood has begun.
    fn leave_behind(&mut self) {
        if let Some(run) = self.run_wanted() {
            self.out.push_back(Effect::Cancel(run));
        }
        self.drop_chat();
        self.drop_phone();
        self.session.error = None;
        self.session.prompt = None;
        self.session.services = Services::default();
    }

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
        self.stop_phone(now);
        self.stop_chat(now);
        self.session.step = Some("Signing out".into());
        self.phase = Phase::Leaving { until: now.at + FAREWELL, quit };
        Ok(())
    }

    fn finish_leaving(&mut self, now: Moment) {
        let Phase::Leaving { until, quit } = &self.phase else { return };
        let quit = *quit;
        let farewell = self.chat.is_closed() && self.phone.is_stopped();
        if farewell || *until <= now.at {
            self.drop_chat();
            self.drop_phone();
            self.store(StoreRequest::Close);
            self.signed_out(quit);
        }
    }

    fn signed_out(&mut self, quit: bool) {
        self.phase = Phase::SignedOut;
        self.session = Session::default();
        self.call_log = Arc::default();
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

impl Side {
    /// Once it worked, a later failure is a matter of reconnecting, not of being let in.
    fn learn(&mut self, verdict: ServiceVerdict) {
        match verdict {
            ServiceVerdict::Ready => *self = Self::Worked,
            ServiceVerdict::Failed(problem) => {
                if *self != Self::Worked {
                    *self = Self::Failed(problem);
                }
            }
        }
    }
}

impl Up {
    /// Both services have spoken and none works: the more telling problem. A refused password
    /// outranks an unreachable server, for it is what the user can mend.
    fn hopeless(&self) -> Option<Problem> {
        let problems: Vec<&Problem> = [&self.chat, &self.phone]
            .into_iter()
            .filter_map(|side| match side {
                Side::Failed(problem) => Some(problem),
                Side::Absent | Side::Pending | Side::Worked => None,
            })
            .collect();
        let speaks = |side: &Side| matches!(side, Side::Absent | Side::Failed(_));
        if !speaks(&self.chat) || !speaks(&self.phone) {
            return None;
        }
        let password = |problem: &&&Problem| problem.owner == Owner::User;
        problems.iter().find(password).or(problems.first()).map(|problem| (*problem).clone())
    }
}

fn failed_row(problem: &Problem) -> ServiceStatus {
    ServiceStatus {
        state: ServiceState::Failed,
        error: Some(problem.clone()),
        ..ServiceStatus::default()
    }
}

/// Who asks for the password, in words.
fn authority(found: &Found) -> String {
    let first = |targets: &[offhook_ports::Target]| {
        targets.first().map(|target| target.host.clone()).unwrap_or_default()
    };
    match found {
        Found::Cucm(targets) | Found::Cup(targets) | Found::Edge(targets) => first(targets),
        Found::Webex(url) => url.clone(),
        Found::Standard { xmpp, sip } => xmpp
            .first()
            .map(|server| server.host.clone())
            .or_else(|| sip.first().map(|server| server.host.clone()))
            .unwrap_or_default(),
    }
}
