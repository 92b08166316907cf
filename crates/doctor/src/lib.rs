//! `offhook doctor`: goes as far as a sign-in would and explains every step.
//!
//! The rules are those of `docs/doctor.md`. This crate decides what a finding is and which comes
//! first; it asks the outside only through [`offhook_ports::World`] and prints nothing.

mod check;
mod diagnosis;
mod findings;
mod text;

pub use diagnosis::{Diagnosis, Finding};

use offhook_discovery::{Request, discover};
use offhook_model::{Area, Authenticator, Owner, Problem, Via};
use offhook_ports::{Found, Progress, Tell, World};
use offhook_signin::{Credentials, EdgeBudget, Grant, sign_in, unsupported};

use check::Checks;
use findings::Findings;

/// Examines an address: finds its services, signs in as far as the flows go when there are
/// credentials, and tries the chat and call servers without registering anything. Without
/// credentials the servers are only connected to, and a note says so.
pub async fn examine(
    world: &World,
    request: &Request,
    credentials: Option<&Credentials>,
    tell: Tell<'_>,
) -> Diagnosis {
    let report = Box::pin(discover(world, request, tell)).await;
    let mut diagnosis = Diagnosis::begin(&request.address.to_string(), &report);
    let mut findings = Findings::default();
    findings.warn_all(report.warnings);
    match report.outcome {
        Err(problem) => findings.block(problem),
        Ok(found) => {
            (diagnosis.authenticator, diagnosis.via) = who_and_how(&found);
            let mut checks = Checks { world, tell, steps: vec![], findings };
            match (unsupported(&found), credentials) {
                (Some(problem), _) => checks.findings.block(problem),
                (None, None) => without_password(&mut checks, &found).await,
                (None, Some(credentials)) => {
                    let grant = with_password(&mut checks, request, &found, credentials).await;
                    if let Some(grant) = grant {
                        diagnosis.authenticator = Some(grant.authenticator);
                        diagnosis.via = Some(grant.via);
                        diagnosis.product_mode = Some(grant.mode);
                    }
                }
            }
            diagnosis.steps.extend(checks.steps);
            findings = checks.findings;
        }
    }
    (diagnosis.findings, diagnosis.exit) = findings.finish();
    diagnosis
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

async fn with_password(
    checks: &mut Checks<'_>,
    request: &Request,
    found: &Found,
    credentials: &Credentials,
) -> Option<Grant> {
    let (world, tell) = (checks.world, checks.tell);
    let wish = offhook_signin::Request {
        address: request.address.clone(),
        found: found.clone(),
        credentials: credentials.clone(),
        cloud_token: None,
        phone: None,
        manual: request.manual.clone(),
        preset: request.preset.clone(),
        edge_budget: EdgeBudget::default(),
        seed: request.seed,
    };
    let report = Box::pin(sign_in(world, &wish, tell)).await;
    checks.steps.extend(report.steps);
    checks.findings.warn_all(report.warnings);
    let grant = match report.outcome {
        Ok(grant) => grant,
        Err(problem) => {
            checks.findings.block(problem);
            return None;
        }
    };
    tell(Progress::Doing("Trying the chat and call servers".into()));
    checks.services(&grant).await;
    Some(grant)
}
