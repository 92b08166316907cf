//! The ladder: what is asked at once, which answer decides, and the words for all that lost.

mod judge;
mod round;

use offhook_model::{AccountType, Problem};
use offhook_ports::{Found, Remembered, Tell, World};

use crate::asked::{Notes, Questions};
use crate::{Domains, Report, Request, manual, memory};

use round::Heard;

/// Who decided.
pub(crate) enum Decision {
    /// Manual settings, or why they cannot be used.
    Manual(Result<Found, Problem>),
    /// A remembered cloud result.
    RememberedCloud,
    /// The cloud's answer.
    Cloud(Found),
    /// A remembered result of records.
    Remembered,
    /// The SRV records of this name.
    Records(usize, Found),
    /// Records of the open standards, or the domain itself.
    Open(Found),
    /// The bootstrap file, because nothing was found.
    Fallback(Found),
    /// Nobody.
    Nobody(Problem),
}

/// Everything about one run that does not change.
pub(crate) struct Run<'a> {
    request: &'a Request,
    domains: Domains,
    /// Manual settings ask for a standard account: neither the cloud nor Cisco records are asked.
    open_only: bool,
    memory: Result<&'a Remembered, &'static str>,
}

pub(crate) async fn climb(
    world: &World,
    request: &Request,
    domains: Domains,
    tell: Tell<'_>,
) -> Report {
    let memory = memory::recall(request, &domains);
    let open_only = request.manual.account_type == AccountType::Standard;
    let run = Run { request, domains, open_only, memory };
    let remembered_cloud = matches!(run.memory, Ok(Remembered { found: Found::Webex { .. }, .. }));
    let (decision, heard) = if let Some(settings) = manual::read(&request.manual) {
        (Decision::Manual(settings), run.silence("manual settings decide"))
    } else if remembered_cloud {
        (Decision::RememberedCloud, run.silence("the remembered cloud result decides"))
    } else if request.preset.excluded.everything() && !open_only {
        let heard = run.silence("all services are excluded, so nothing is looked for");
        (run.without_result(judge::everything_excluded(&run.domains)), heard)
    } else {
        let heard = run.listen(Questions { world }).await;
        (run.decide(&heard), heard)
    };
    report(&run, decision, &heard, tell)
}

impl Run<'_> {
    /// Which answer counts.
    fn decide(&self, heard: &Heard) -> Decision {
        let seed = self.request.seed;
        if let Some(found) = heard.cloud_found(seed) {
            return Decision::Cloud(found);
        }
        if self.memory.is_ok() {
            return Decision::Remembered;
        }
        if let Some(index) = heard.records_decide() {
            return match heard.records.found(index, seed) {
                Found::Edge(_) if !self.request.preset.remote_access => {
                    Decision::Nobody(crate::cisco::outside_only(&self.domains.voice))
                }
                found => Decision::Records(index, found),
            };
        }
        match heard.open_found(seed) {
            Some(found) => Decision::Open(found),
            None => self.without_result(judge::nothing_found(&self.domains, heard)),
        }
    }

    /// The bootstrap file's settings are for this case (the seed, "Installer Switches").
    fn without_result(&self, problem: Problem) -> Decision {
        match manual::read(&self.request.preset.fallback) {
            Some(Ok(found)) if !self.open_only => Decision::Fallback(found),
            Some(_) | None => Decision::Nobody(problem),
        }
    }
}

fn report(run: &Run<'_>, decision: Decision, heard: &Heard, tell: Tell<'_>) -> Report {
    let mut notes = Notes::new(tell);
    judge::tell_all(run, &decision, heard, &mut notes);
    let kept = run.memory.ok();
    let found_network = |found: &Found| match found {
        Found::Cucm(_) | Found::Cup(_) => "inside",
        Found::Edge(_) => "outside",
        Found::Webex { .. } | Found::Standard { .. } => "unknown",
    };
    let network = match (&decision, kept) {
        (Decision::Remembered, Some(kept)) => found_network(&kept.found),
        _ => heard.records.network(),
    };
    let new = |found: &Found| Remembered {
        domain: run.domains.services.clone(),
        voice_domain: run.domains.voice.clone(),
        found: found.clone(),
        at: run.request.now,
        network: run.request.network.clone(),
    };
    let remember = match &decision {
        Decision::Cloud(found) | Decision::Records(_, found) | Decision::Open(found) => {
            Some(new(found))
        }
        Decision::RememberedCloud | Decision::Remembered => kept.cloned(),
        Decision::Manual(_) | Decision::Fallback(_) | Decision::Nobody(_) => None,
    };
    let from_memory = matches!(decision, Decision::RememberedCloud | Decision::Remembered);
    let outcome = match decision {
        Decision::Manual(result) => result,
        Decision::Cloud(found)
        | Decision::Records(_, found)
        | Decision::Open(found)
        | Decision::Fallback(found) => Ok(found),
        Decision::RememberedCloud | Decision::Remembered => match kept {
            Some(kept) => Ok(kept.found.clone()),
            None => Err(Problem::no_services(&run.domains.services)),
        },
        Decision::Nobody(problem) => Err(problem),
    };
    Report {
        domain: run.domains.services.clone(),
        steps: notes.steps,
        outcome,
        warnings: notes.warnings,
        network,
        voice_domain: run.domains.voice.clone(),
        from_memory,
        remember,
        suggested_server: heard.records.suggested_server(run.request.seed),
    }
}
