//! `offhook doctor`: goes as far as a sign-in would and explains every step.
//!
//! The rules are those of `docs/doctor.md`. This crate decides what a finding is and which comes
//! first; it asks the outside only through [`offhook_ports::World`] and prints nothing.

mod check;
mod diagnosis;
mod findings;
mod policy;
mod ports;
mod text;

pub use diagnosis::{Diagnosis, Finding};

use offhook_discovery::{Report, Request, check_targets, discover, overruled};
use offhook_model::{Area, Authenticator, Layer, Owner, Problem, Rule, TraceStep, Via};
use offhook_ports::{BoxFuture, Found, Ldap, PhoneAccount, Progress, Tell, World};
use offhook_signin::{Credentials, EdgeBudget, Grant, sign_in};

use check::Checks;

/// Registers a phone for a moment and withdraws; what went wrong.
pub trait Registrar: Send + Sync {
    /// Nothing is wrong when the list is empty.
    fn register<'a>(&'a self, account: &'a PhoneAccount) -> BoxFuture<'a, Vec<Problem>>;
}

/// What is examined.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// As a sign-in would ask it.
    pub request: &'a Request,
    /// Without them the servers are only connected to, and a note says so.
    pub credentials: Option<&'a Credentials>,
    /// Settings that others made before any sign-in: bootstrap file, configuration URL, what the
    /// last sign-in left.
    pub layers: &'a [Layer],
    /// What was wrong with them when they were read (D23).
    pub told: &'a [Problem],
    /// What a client sees that runs on the same profile, registered phone included (D29, D30, D34, D37).
    pub seen: &'a [Problem],
    /// A client on this profile had a certificate issued for its phone, which still counts.
    pub certified: bool,
    /// Registers the phone, where that is wanted.
    pub registrar: Option<&'a dyn Registrar>,
    /// Asks the directory; nothing over recorded answers, which hold none of it.
    pub directory: Option<Asking<'a>>,
}

/// With what a directory is asked.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Directories by LDAP.
    pub ldap: &'a dyn Ldap,
    /// Domain that this computer belongs to (`USERDNSDOMAIN`).
    pub workstation_domain: Option<&'a str>,
}

/// Examines an address: finds its services, signs in as far as the flows go when there are
/// credentials, and tries every server that the account names without registering anything.
pub async fn examine(world: &World, case: &Case<'_>, tell: Tell<'_>) -> Diagnosis {
    let request = case.request;
    let report = Box::pin(discover(world, request, tell)).await;
    let mut diagnosis = Diagnosis::begin(&request.address.to_string(), &report);
    let mut checks = Checks::new(world, tell);
    checks.findings.warn_all(case.told.to_vec());
    let Report { mut outcome, warnings, from_memory, .. } = report;
    checks.findings.warn_all(warnings);
    if from_memory && let Ok(found) = &outcome {
        let fresh = anew(&mut checks, request).await;
        if is_outdated(world, found, tell).await {
            diagnosis.network = fresh.network;
            outcome = fresh.outcome;
        }
    }
    match outcome {
        Err(problem) => checks.findings.block(problem),
        Ok(found) => {
            (diagnosis.authenticator, diagnosis.via) = who_and_how(&found);
            let grant = beyond(&mut checks, case, &found).await;
            if let Some(grant) = &grant {
                diagnosis.authenticator = Some(grant.authenticator);
                diagnosis.via = Some(grant.via);
                diagnosis.product_mode = Some(grant.mode);
            }
            policy::judge(&mut checks.findings, case, grant.as_ref());
        }
    }
    checks.findings.see(case.seen);
    diagnosis.steps.extend(checks.steps);
    (diagnosis.findings, diagnosis.exit) = checks.findings.finish();
    diagnosis
}

/// What is remembered decides, as it would for a sign-in; the name system is asked all the same,
/// for what is wrong there would be met at the next change of network.
async fn anew(checks: &mut Checks<'_>, request: &Request) -> Report {
    let fresh = Request { remembered: None, ..request.clone() };
    let mut report = Box::pin(discover(checks.world, &fresh, checks.tell)).await;
    let steps = std::mem::take(&mut report.steps);
    checks.steps.extend(steps.into_iter().map(not_decisive));
    checks.findings.warn_all(std::mem::take(&mut report.warnings));
    if let Err(problem) = &report.outcome {
        checks.findings.warn(problem.clone());
    }
    report
}

/// A sign-in forgets what is remembered when nobody can be reached or trusted there, and looks anew.
/// The doctor only connects to see that: a password that is wrong must not be tried twice.
async fn is_outdated(world: &World, found: &Found, tell: Tell<'_>) -> bool {
    let mut trial = Checks::new(world, tell);
    trial.connect_only(found).await;
    let moved = [Area::Dns, Area::Network, Area::Tls];
    trial.findings.blocked_by(&moved)
}

fn not_decisive(step: TraceStep) -> TraceStep {
    TraceStep {
        why: format!("{}; a sign-in uses what is remembered and does not ask", step.why),
        ..step
    }
}

/// Everything behind discovery.
async fn beyond(checks: &mut Checks<'_>, case: &Case<'_>, found: &Found) -> Option<Grant> {
    if let Some(problem) = overruled(checks.world, case.request).await {
        checks.findings.warn(problem);
    }
    let targets = check_targets(checks.world, found, case.request.preset.ip_mode).await;
    targets.steps.into_iter().for_each(|step| checks.note(step));
    checks.findings.warn_all(targets.problems);
    match case.credentials {
        None => {
            without_password(checks, found).await;
            None
        }
        Some(credentials) => with_password(checks, case, found, credentials).await,
    }
}

fn who_and_how(found: &Found) -> (Option<Authenticator>, Option<Via>) {
    match found {
        Found::Cucm(_) => (Some(Authenticator::Cucm), Some(Via::Direct)),
        Found::Cup(_) => (Some(Authenticator::Cup), Some(Via::Direct)),
        Found::Edge(_) => (None, Some(Via::Edge)),
        Found::Webex { .. } => (Some(Authenticator::Webex), Some(Via::Direct)),
        Found::Standard { .. } => (Some(Authenticator::Standard), Some(Via::Direct)),
    }
}

async fn without_password(checks: &mut Checks<'_>, found: &Found) {
    checks.connect_only(found).await;
    checks.findings.note(Problem::new(
        Area::Authentication,
        Owner::User,
        "No password was given, so sign-in, services and phone were not examined.",
        "Run it again with OFFHOOK_PASSWORD set, or type the password when asked.",
    ));
}

/// As a client would ask it.
fn wish(case: &Case<'_>, found: &Found, credentials: &Credentials) -> offhook_signin::Request {
    let request = case.request;
    offhook_signin::Request {
        address: request.address.clone(),
        found: found.clone(),
        credentials: credentials.clone(),
        manual: request.manual.clone(),
        preset: request.preset.clone(),
        edge_budget: EdgeBudget::default(),
        cloud_token: None,
        phone: None,
        seed: request.seed,
    }
}

async fn with_password(
    checks: &mut Checks<'_>,
    case: &Case<'_>,
    found: &Found,
    credentials: &Credentials,
) -> Option<Grant> {
    let (world, tell, request) = (checks.world, checks.tell, case.request);
    let wish = wish(case, found, credentials);
    let report = Box::pin(sign_in(world, &wish, tell)).await;
    checks.steps.extend(report.steps);
    // Phone only was asked for: that the profile names no chat is what is wanted (D25).
    let wanted = |problem: &Problem| !(request.preset.phone_mode && problem.rule == Some(Rule(25)));
    checks.findings.warn_all(report.warnings.into_iter().filter(wanted).collect());
    let grant = match report.outcome {
        Ok(grant) => grant,
        Err(problem) => {
            checks.findings.block(problem);
            return None;
        }
    };
    tell(Progress::Doing("Trying the servers of your services".into()));
    checks.services(&grant, case.certified).await;
    // The certificate that a secure phone shows is the client's alone.
    let phone = grant.phone.ready().filter(|account| account.secure.is_none());
    if let (Some(registrar), Some(account)) = (case.registrar, phone) {
        checks.register(registrar, account).await;
    }
    ports::check(checks, case, credentials, &grant).await;
    Some(grant)
}
