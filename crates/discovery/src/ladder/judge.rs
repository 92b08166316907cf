//! The trace of a run: one step for every rung, won, lost, skipped or failed, with its reason; and
//! what should be mended.

use offhook_model::{Area, Outcome, Owner, Problem, TraceStep};
use offhook_ports::Found;

use super::round::{Heard, Reply};
use super::{Decision, Run};
use crate::asked::Notes;
use crate::cloud::Said;
use crate::{Domains, manual};

const LOST: Outcome = Outcome::Lost;
const SKIPPED: Outcome = Outcome::Skipped;

pub(super) fn tell_all(run: &Run<'_>, decision: &Decision, heard: &Heard, notes: &mut Notes<'_>) {
    let decider = decider(decision, heard);
    manual_step(run, decision, notes);
    memory_step(run, decision, true, &decider, notes);
    cloud_steps(decision, &heard.cloud, &decider, notes);
    memory_step(run, decision, false, &decider, notes);
    record_steps(decision, heard, &decider, notes);
    open_steps(decision, heard, &decider, notes);
    fallback_step(run, decision, &decider, notes);
    failures(run, decision, heard, notes);
    if let Decision::Cloud(_) = decision
        && run.request.preset.voice_services_domain.is_none()
        && let Some(inner) = heard.records.inner_words()
    {
        notes.warn(cloud_before_servers(&run.domains.services, inner));
    }
}

/// Who decided, in words that stand as the reason of those that lost.
fn decider(decision: &Decision, heard: &Heard) -> String {
    match decision {
        Decision::Manual(_) => "manual settings decide".to_owned(),
        Decision::RememberedCloud => "the remembered cloud result decides".to_owned(),
        Decision::Cloud(_) => "the cloud look-up decides".to_owned(),
        Decision::Remembered => "the remembered result decides".to_owned(),
        Decision::Records(index, _) => format!("{} decides", heard.records.name(*index)),
        Decision::Open(_) => "the records of the open standards decide".to_owned(),
        Decision::Fallback(_) => "nothing that can be used was found".to_owned(),
        Decision::Nobody(_) => "it cannot be used".to_owned(),
    }
}

fn manual_step(run: &Run<'_>, decision: &Decision, notes: &mut Notes<'_>) {
    let outranks = "manual settings outrank what could be found";
    let (answer, verdict) = match decision {
        Decision::Manual(Ok(found)) => (manual::show(found), (Outcome::Won, outranks)),
        Decision::Manual(Err(problem)) => (problem.cause.clone(), (Outcome::Failed, outranks)),
        _ if run.open_only => {
            let why = "they name no server, so the records of the open standards are asked";
            ("standard account".to_owned(), (SKIPPED, why))
        }
        _ => ("none".to_owned(), (SKIPPED, "the account type is Automatic")),
    };
    notes.local("manual", "manual connection settings", answer, verdict);
}

/// What is remembered: of the cloud, or of records.
fn memory_step(
    run: &Run<'_>,
    decision: &Decision,
    cloud: bool,
    decider: &str,
    notes: &mut Notes<'_>,
) {
    let kept = run.request.remembered.as_ref().map(|kept| &kept.found);
    let mine = kept.filter(|found| matches!(found, Found::Webex { .. }) == cloud);
    let won = match decision {
        Decision::RememberedCloud => cloud,
        Decision::Remembered => !cloud,
        _ => false,
    };
    let (outcome, why) = match (&run.memory, mine) {
        _ if won => (Outcome::Won, "it was found before and still holds"),
        _ if matches!(decision, Decision::Manual(_)) => (SKIPPED, decider),
        (_, None) => (SKIPPED, "nothing of this kind is remembered"),
        (Err(why), Some(_)) => (SKIPPED, *why),
        (Ok(_), Some(_)) => (LOST, decider),
    };
    let (step, asked) = match cloud {
        true => ("rememberedCloud", "remembered cloud result"),
        false => ("remembered", "remembered result of records"),
    };
    let answer = mine.map_or_else(|| "none".to_owned(), manual::show);
    notes.local(step, asked, answer, (outcome, why));
}

fn cloud_steps(decision: &Decision, reply: &Reply<Said>, decider: &str, notes: &mut Notes<'_>) {
    let asked = "cloud look-up (CAS query)";
    let said = match reply {
        Reply::Skipped(why) => return notes.local("cas", asked, "not asked", (SKIPPED, *why)),
        Reply::Waiting => {
            let why = format!("{decider}; its answer was waited for only a little longer");
            return notes.local("cas", asked, "no answer yet", (LOST, why));
        }
        Reply::Came(said) => said,
    };
    let won = matches!(decision, Decision::Cloud(_));
    for (index, one) in said.tries.iter().enumerate() {
        let last = index + 1 == said.tries.len();
        let (outcome, why) = match (one.failed, last) {
            (true, _) => (Outcome::Failed, "a failed look-up counts as: not of the cloud"),
            (false, true) if won => (Outcome::Won, "the cloud outranks what records say"),
            (false, true) => (LOST, "the domain is not of the cloud"),
            (false, false) => (LOST, "asked again where it leads to"),
        };
        notes.note(TraceStep {
            step: "cas".into(),
            asked: format!("GET {}", one.url),
            of: one.of.clone(),
            answer: one.answer.clone(),
            ms: one.ms,
            outcome,
            why: why.into(),
        });
    }
    if let Some(problem) = &said.warning {
        notes.warn(problem.clone());
    }
}

fn record_steps(decision: &Decision, heard: &Heard, decider: &str, notes: &mut Notes<'_>) {
    let won = match decision {
        Decision::Records(index, _) => Some(*index),
        _ => None,
    };
    heard.records.judge(notes, won, decider);
}

fn open_steps(decision: &Decision, heard: &Heard, decider: &str, notes: &mut Notes<'_>) {
    let asked = "records of the open standards";
    let decider = match decision {
        Decision::Open(_) => None,
        _ => Some(decider),
    };
    match (&heard.open, decider) {
        (Reply::Skipped(why), _) => notes.local("standard", asked, "not asked", (SKIPPED, *why)),
        (Reply::Waiting, decider) => {
            let why = decider.unwrap_or_default();
            notes.local("standard", asked, "no answer yet", (SKIPPED, why));
        }
        (Reply::Came(answers), decider) => answers.judge(notes, decider),
    }
    if let Reply::Came(bare) = &heard.bare {
        bare.judge(notes, decider);
    }
}

fn fallback_step(run: &Run<'_>, decision: &Decision, decider: &str, notes: &mut Notes<'_>) {
    let settings = manual::read(&run.request.preset.fallback);
    let (answer, verdict) = match (decision, settings) {
        (Decision::Fallback(found), _) => {
            let why = "nothing that can be used was found, so the settings of the bootstrap file \
                       are used";
            (manual::show(found), (Outcome::Won, why))
        }
        (_, None) => ("none".to_owned(), (SKIPPED, "the bootstrap file names no authenticator")),
        (Decision::Nobody(_), Some(Err(problem))) => {
            notes.warn(incomplete_fallback(&problem));
            (problem.cause, (Outcome::Failed, "the bootstrap file is not complete"))
        }
        (Decision::Nobody(_), Some(Ok(found))) => {
            (manual::show(&found), (SKIPPED, "it stands in only for what was not found"))
        }
        (_, Some(Ok(found))) => (manual::show(&found), (SKIPPED, decider)),
        (_, Some(Err(problem))) => (problem.cause, (SKIPPED, decider)),
    };
    notes.local("fallback", "bootstrap file", answer, verdict);
}

/// Questions that failed matter unless somebody of higher rank decided without them.
fn failures(run: &Run<'_>, decision: &Decision, heard: &Heard, notes: &mut Notes<'_>) {
    let mut failed = heard.records.failures();
    if !matches!(decision, Decision::Records(..) | Decision::Cloud(_)) {
        failed.extend(heard.open.came().map(|it| it.failures()).unwrap_or_default());
        let bare = heard.bare.came();
        failed.extend(bare.and_then(|bare| bare.failure(&run.domains.services)));
    }
    failed.into_iter().for_each(|problem| notes.warn(problem));
    // What is said as the reason of the failure is not said twice.
    if let Decision::Nobody(problem) = decision {
        notes.warnings.retain(|warning| warning != problem);
    }
}

/// Nothing was found: a failure or a mistake that explains it, or D01.
pub(super) fn nothing_found(domains: &Domains, heard: &Heard) -> Problem {
    let open = heard.open.came();
    let bare = heard.bare.came().and_then(|bare| bare.failure(&domains.services));
    let first = |problems: Vec<Problem>| problems.into_iter().next();
    heard
        .dead_end()
        .or_else(|| first(heard.records.failures()))
        .or_else(|| first(open?.failures()))
        .or_else(|| first(open?.bad_targets()))
        .or(bare)
        .unwrap_or_else(|| no_records(domains))
}

fn no_records(domains: &Domains) -> Problem {
    let Domains { services, voice } = domains;
    if services == voice {
        return Problem::no_services(services);
    }
    Problem::no_services(&format!("{services} or its voice services domain {voice}"))
}

/// The seed: with all three excluded there is no discovery, and the user is asked for the settings.
pub(super) fn everything_excluded(domains: &Domains) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::User,
        format!(
            "No services are looked for in {}: WEBEX, CUCM and CUP are all excluded.",
            domains.services
        ),
        "Enter account type and servers under manual setup, or ask the UC administrator to exclude \
         fewer services (ServiceDiscoveryExcludedServices).",
    )
}

/// D22: both answer, and the cloud outranks the records. Where a voice services domain is set the
/// two are meant to stand side by side (hybrid), and nothing is said.
fn cloud_before_servers(domain: &str, inner: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!(
            "{domain} is an organisation of the cloud and has records of {inner} as well; the \
             cloud comes first and signs the user in."
        ),
        "If the own servers are meant, exclude WEBEX (ServiceDiscoveryExcludedServices). If both \
         are meant, set VoiceServicesDomain.",
    )
    .with_rule(22)
    .with_evidence("the CAS query and the SRV records both answer")
}

fn incomplete_fallback(problem: &Problem) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        "The bootstrap file names an authenticator without a server that could be used.",
        "Give CUP_ADDRESS with AUTHENTICATOR=CUP, and TFTP or CCMCIP with AUTHENTICATOR=CUCM.",
    )
    .with_evidence(problem.cause.clone())
}
