//! The outcome of an examination, as the contract writes it.

use offhook_discovery::Report;
use offhook_model::{Authenticator, Owner, Problem, ProductMode, Rule, Severity, TraceStep, Via};
use serde::Serialize;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The failure class of `docs/doctor.md`, where one fits.
    pub rule: Option<Rule>,
    /// How much it matters.
    pub severity: Severity,
    /// What happened.
    pub cause: String,
    /// Who must act.
    pub owner: Owner,
    /// The same in words.
    pub who: String,
    /// What to do.
    pub remedy: String,
    /// What was seen.
    pub evidence: String,
}

impl Finding {
    /// The finding of this problem.
    pub fn new(problem: Problem, severity: Severity) -> Self {
        Self {
            rule: problem.rule,
            severity,
            cause: problem.cause,
            owner: problem.owner,
            who: problem.who,
            remedy: problem.remedy,
            evidence: problem.evidence,
        }
    }
}

/// Everything `offhook doctor --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The address that was examined.
    pub address: String,
    /// Its domain.
    pub services_domain: String,
    /// The domain of the SRV questions.
    pub voice_services_domain: String,
    /// `inside`, `outside` or `unknown`.
    pub network: &'static str,
    /// Who authenticates the user, as far as known.
    pub authenticator: Option<Authenticator>,
    /// Which way the services are reached, as far as known.
    pub via: Option<Via>,
    /// What the account has, as far as known.
    pub product_mode: Option<ProductMode>,
    /// Every question and its answer.
    pub steps: Vec<TraceStep>,
    /// What is wrong, the most important first.
    pub findings: Vec<Finding>,
    /// Exit status of the program.
    pub exit: u8,
}

impl Diagnosis {
    pub(crate) fn begin(address: &str, report: &Report) -> Self {
        Self {
            address: address.to_owned(),
            services_domain: report.domain.clone(),
            voice_services_domain: report.voice_domain.clone(),
            network: report.network,
            authenticator: None,
            via: None,
            product_mode: None,
            steps: report.steps.clone(),
            findings: vec![],
            exit: 0,
        }
    }
}
