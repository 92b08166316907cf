//! Who is signed in, and how one gets there.
//!
//! address → *discovering* → (password) → *authenticating* → *up* → *leaving* → signed out. Each
//! phase owns only what it needs; a failure keeps where it came from, so that "try again" with
//! another password does not look for the services anew.

use std::sync::Arc;

use offhook_discovery as discovery;
use offhook_model::{
    BrowserSignIn, CommandError, ErrorCode, Moment, Preset, Problem, Prompt, Rule, Secret,
    Services, Session, SessionState, UserAddress,
};
use offhook_ports::{Progress, StoreRequest};
use offhook_signin as signin;
use offhook_signin::{CloudToken, Credentials};

use crate::budget::Ended;
use crate::event::FlowOutcome;
use crate::memory::{Way, outdated, outdated_step};
use crate::moving::Move;
use crate::phase::{Phase, Wish, authority, password_can_mend};
use crate::{Core, Effect, RunId, StoreTag};

/// How many steps of the way are remembered.
const TRACE: usize = 500;

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
        self.begin_with(Wish::new(address, username, password), now);
        Ok(())
    }

    /// The user begins, and knows better than we whether there is a network.
    pub(crate) fn begin_with(&mut self, wish: Wish, now: Moment) {
        self.network.lost = false;
        self.network.is_good();
        self.trust.reconsider();
        self.memory_only_told = false;
        self.session = Session { address: Some(wish.address.clone()), ..Session::default() };
        self.discover(wish, now);
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

    pub(crate) fn discover(&mut self, wish: Wish, now: Moment) {
        let request = self.discovery_request(&wish.address, wish.fresh, now);
        let (run, base) = (self.next_run(), self.session.trace.len());
        self.session.state = SessionState::Discovering;
        self.session.error = None;
        self.session.step = Some(format!("Looking for the services of {}", wish.address.domain()));
        self.phase = Phase::Discovering { run, wish, base };
        self.out.push_back(Effect::Discover { run, request: Box::new(request) });
    }

    /// What was asked so far was asked of another network.
    pub(crate) fn discover_again(&mut self, now: Moment) {
        match std::mem::replace(&mut self.phase, Phase::SignedOut) {
            Phase::Discovering { run, wish, base } => {
                self.out.push_back(Effect::Cancel(run));
                Arc::make_mut(&mut self.session.trace).truncate(base);
                self.discover(wish, now);
            }
            other => self.phase = other,
        }
    }

    pub(crate) fn discovery_request(
        &mut self,
        address: &UserAddress,
        fresh: bool,
        now: Moment,
    ) -> discovery::Request {
        discovery::Request {
            address: address.clone(),
            manual: self.manual.clone(),
            preset: Preset::clone(self.memory.preset()),
            remembered: self.memory.remembered().filter(|_| !fresh).cloned(),
            network: self.network.fingerprint(),
            now: now.wall,
            seed: self.chance.next(),
        }
    }

    pub(crate) fn sign_in_request(
        &mut self,
        address: UserAddress,
        way: &Way,
        credentials: Credentials,
        token: Option<CloudToken>,
    ) -> signin::Request {
        signin::Request {
            address,
            found: way.found.clone(),
            credentials,
            cloud_token: token,
            phone: None,
            manual: self.manual.clone(),
            preset: Preset::clone(self.memory.preset()),
            edge_budget: self.edge_budget.clone(),
            seed: self.chance.next(),
        }
    }

    /// The answer to the session's prompt.
    pub(crate) fn give_password(
        &mut self,
        username: String,
        password: Secret<String>,
        now: Moment,
    ) -> Result<(), CommandError> {
        match std::mem::replace(&mut self.phase, Phase::SignedOut) {
            Phase::Asking { wish, way } | Phase::Failed { wish, way: Some(way) } => {
                self.leave_behind();
                // Asked again, the name is the one typed last.
                let wish = Wish { username: Some(username.clone()), kept: false, ..wish };
                self.authenticate(wish, way, Credentials { username, password }, now);
                Ok(())
            }
            Phase::Failed { wish, way: None } => {
                self.leave_behind();
                let wish = Wish { kept: false, ..wish.with(Credentials { username, password }) };
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

    fn authenticate(&mut self, wish: Wish, way: Way, credentials: Credentials, now: Moment) {
        self.budget.begin(now.at);
        let (address, token) = (wish.address.clone(), wish.token.clone());
        let request = self.sign_in_request(address, &way, credentials.clone(), token);
        let run = self.next_run();
        self.session.state = SessionState::SigningIn;
        self.session.error = None;
        self.session.prompt = None;
        self.session.step = Some("Signing in".into());
        self.out.push_back(Effect::SignIn { run, request: Box::new(request) });
        self.phase = Phase::Authenticating { run, wish, way, credentials };
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
            Phase::Up(up) => up.moving.run(),
            Phase::SignedOut
            | Phase::Asking { .. }
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
        let outcome = match outcome {
            FlowOutcome::Enrolled(result) => return self.enrolled(run, result, now),
            FlowOutcome::People(answer) => return self.people_found(run, *answer, now),
            FlowOutcome::Group(read) => return self.group_read(run, *read, now),
            FlowOutcome::Portrait(bytes) => return self.portrait_fetched(run, bytes),
            FlowOutcome::AddressBook(read) => return self.address_book_read(run, *read, now),
            FlowOutcome::Desk(order, outcome) => {
                return self.with_phone(|phone| phone.desk_answered(&order, outcome, now));
            }
            other => other,
        };
        if self.run_wanted() != Some(run) {
            return;
        }
        if let Phase::Up(up) = &self.phase {
            match (&up.moving, outcome) {
                (Move::Looking { .. }, FlowOutcome::Discovered(report)) => {
                    self.looked(*report, now);
                }
                (Move::Asking { .. }, FlowOutcome::SignedIn(report)) => {
                    self.other_way_answered(*report, now);
                }
                _ => {}
            }
            return;
        }
        match (std::mem::replace(&mut self.phase, Phase::SignedOut), outcome) {
            (Phase::Discovering { wish, base, .. }, FlowOutcome::Discovered(report)) => {
                self.discovered(wish, base, *report, now);
            }
            (
                Phase::Authenticating { wish, way, credentials, .. },
                FlowOutcome::SignedIn(report),
            ) => self.authenticated(wish, way, credentials, *report, now),
            (phase, _) => self.phase = phase,
        }
    }

    fn discovered(&mut self, wish: Wish, base: usize, report: discovery::Report, now: Moment) {
        // Steps came one by one; the report has them all, those of parallel branches included.
        let trace = Arc::make_mut(&mut self.session.trace);
        trace.truncate(base);
        trace.extend(report.steps);
        // Inside records from a public address are only a cause when the servers cannot be
        // reached (D03), and a proxy in the way of the cloud's query (D33) harms nobody whose
        // services are found; the doctor tells both.
        let told = report.warnings.into_iter().filter(|it| !matches!(it.rule, Some(Rule(3 | 33))));
        for warning in told {
            self.toast(warning, now);
        }
        let (from_memory, remember) = (report.from_memory, report.remember);
        match report.outcome {
            Ok(found) => self.want_password(wish, Way { found, from_memory, remember }, now),
            Err(problem) => self.fail(wish, None, problem),
        }
    }

    fn want_password(&mut self, wish: Wish, way: Way, now: Moment) {
        if let Some(browser) = signin::browser_needed(&way.found)
            && wish.token.is_none()
        {
            return self.wait_for_browser(wish, way, browser);
        }
        if let Some(password) = wish.password.clone() {
            let credentials = Credentials { username: wish.username(), password };
            return self.authenticate(wish, way, credentials, now);
        }
        let run = self.next_run();
        let request = StoreRequest::GetPassword(wish.address.to_string());
        self.out.push_back(Effect::Store(StoreTag::Password(run), request));
        self.session.state = SessionState::SigningIn;
        self.session.step = Some("Reading the kept password".into());
        self.phase = Phase::Recalling { run, wish, way };
    }

    /// The credential store answered.
    pub(crate) fn password_read(
        &mut self,
        run: RunId,
        password: Option<Secret<String>>,
        now: Moment,
    ) {
        if self.run_wanted() != Some(run) {
            return;
        }
        match std::mem::replace(&mut self.phase, Phase::SignedOut) {
            Phase::Recalling { wish, way, .. } => match password {
                Some(password) => {
                    let credentials = Credentials { username: wish.username(), password };
                    self.authenticate(Wish { kept: true, ..wish }, way, credentials, now);
                }
                None => self.ask(wish, way, None),
            },
            other => self.phase = other,
        }
    }

    fn ask(&mut self, wish: Wish, way: Way, error: Option<Problem>) {
        self.session.state = SessionState::SigningIn;
        self.session.step = Some("Waiting for the password".into());
        self.session.prompt =
            Some(Prompt { username: wish.username(), of: authority(&way.found), error });
        self.phase = Phase::Asking { wish, way };
    }

    /// The browser came back with the cloud's token. It is taken for the own organisation only: a
    /// link may come from anybody.
    pub(crate) fn browser_returned(
        &mut self,
        username: String,
        token: CloudToken,
        now: Moment,
    ) -> Result<(), CommandError> {
        let domain = username.rsplit_once('@').map(|(_, domain)| domain);
        match std::mem::replace(&mut self.phase, Phase::SignedOut) {
            Phase::Asking { wish, way }
                if domain.is_some_and(|it| !it.eq_ignore_ascii_case(wish.address.domain())) =>
            {
                self.phase = Phase::Asking { wish, way };
                Err(CommandError::user(
                    ErrorCode::Refused,
                    "The browser signed in somebody of another organisation.",
                    "Sign in again in the browser, with the account of your address.",
                ))
            }
            Phase::Asking { wish, way } => {
                self.leave_behind();
                let wish = Wish { token: Some(token), ..wish };
                let credentials = Credentials { username, password: Secret::from("") };
                self.authenticate(wish, way, credentials, now);
                Ok(())
            }
            other => {
                self.phase = other;
                Err(CommandError::not_signed_in("Going on after the browser"))
            }
        }
    }

    fn wait_for_browser(&mut self, wish: Wish, way: Way, browser: BrowserSignIn) {
        self.session.state = SessionState::SigningIn;
        self.session.step = Some("Waiting for the sign-in in the browser".into());
        self.out.push_back(Effect::OpenBrowser(browser.url.clone()));
        self.session.browser = Some(browser);
        self.phase = Phase::Asking { wish, way };
    }

    fn authenticated(
        &mut self,
        wish: Wish,
        way: Way,
        credentials: Credentials,
        report: signin::Report,
        now: Moment,
    ) {
        self.budget.end(Ended::of(&report.outcome), now.at);
        Arc::make_mut(&mut self.session.trace).extend(report.steps);
        self.dedupe_trace();
        for warning in report.warnings {
            self.toast(warning, now);
        }
        match report.outcome {
            Ok(grant) => self.rise(wish, way, credentials, grant, now),
            Err(problem) if way.from_memory && outdated(&problem) => {
                self.look_anew(wish.with(credentials), &problem, now);
            }
            Err(problem) if wish.kept && password_can_mend(&problem) => {
                self.store(StoreRequest::ForgetPassword(wish.address.to_string()));
                self.ask(wish.forgetting(), way, Some(problem));
            }
            Err(problem) => self.fail(wish, Some(way), problem),
        }
    }

    /// What was remembered did not help: the services are looked for once more, in the same attempt.
    pub(crate) fn look_anew(&mut self, wish: Wish, problem: &Problem, now: Moment) {
        self.forget_found();
        Arc::make_mut(&mut self.session.trace).push(outdated_step(problem));
        self.discover(Wish { fresh: true, ..wish }, now);
    }

    /// Steps told while the flow ran come again in its report.
    pub(crate) fn dedupe_trace(&mut self) {
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

    pub(crate) fn fail(&mut self, wish: Wish, way: Option<Way>, problem: Problem) {
        let mut wish = wish;
        if password_can_mend(&problem) {
            let typed = wish.token.is_none();
            // It is not tried again by mistake.
            wish = wish.forgetting();
            if let (Some(way), true) = (&way, typed) {
                self.session.prompt = Some(Prompt {
                    username: wish.username(),
                    of: authority(&way.found),
                    error: Some(problem.clone()),
                });
            }
        }
        self.drop_questions_of_failure();
        self.session.state = SessionState::Failed;
        self.session.step = None;
        self.session.error = Some(problem);
        self.phase = Phase::Failed { wish, way };
    }

    /// Drops what a session that never stood has begun.
    pub(crate) fn leave_behind(&mut self) {
        if let Some(run) = self.run_wanted() {
            self.out.push_back(Effect::Cancel(run));
        }
        self.drop_chat();
        self.drop_phone();
        self.drop_questions();
        self.session.error = None;
        self.session.prompt = None;
        self.session.browser = None;
        self.session.restrictions.clear();
        self.session.services = Services::default();
        self.end_contacts();
        self.call_log = Arc::default();
        self.found = Arc::default();
    }

    /// The user name that belongs to a kept password.
    fn known_username(&self, address: &UserAddress) -> Option<String> {
        let (known, username) = self.last_user.as_ref()?;
        (known == address).then(|| username.clone())
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
