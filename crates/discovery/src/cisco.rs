//! The three SRV names of Cisco services (reference discovery.md section 3).

use futures_util::join;
use offhook_model::{Area, Owner, Problem};
use offhook_ports::{Found, Srv, Target};

use crate::asked::{Asker, show_srv};
use crate::{Verdict, rank};

/// Asks all three at once and judges them in the order of precedence.
pub(crate) async fn decide(asker: &mut Asker<'_>) -> Verdict {
    let (uds, cuplogin, edge) = join!(
        asker.srv("_cisco-uds._tcp"),
        asker.srv("_cuplogin._tcp"),
        asker.srv("_collab-edge._tls"),
    );
    let questions = [uds, cuplogin, edge];
    let usable = questions.each_ref().map(|asked| asker.usable(asked));
    let winner = usable.iter().position(|records| !records.is_empty());
    for (index, asked) in questions.iter().enumerate() {
        asker.judge("srv", asked, winner == Some(index), show_srv);
    }
    let failures: Vec<Problem> = questions
        .iter()
        .filter_map(|asked| Some(asker.dns_problem(asked, asked.failure()?)))
        .collect();
    let seed = asker.seed;
    let [uds, cuplogin, edge] = usable;
    let inside = !uds.is_empty() || !cuplogin.is_empty();
    let both_sides = inside && !edge.is_empty();
    let targets = |records| rank(records, seed).into_iter().map(target).collect();
    let found = if !uds.is_empty() {
        Found::Cucm(targets(uds))
    } else if !cuplogin.is_empty() {
        Found::Cup(targets(cuplogin))
    } else if !edge.is_empty() {
        Found::Edge(targets(edge))
    } else {
        return nothing_here(asker, failures);
    };
    asker.network = if matches!(found, Found::Edge(_)) { "outside" } else { "inside" };
    asker.warnings.extend(failures);
    if both_sides {
        asker.warnings.push(mixed_views(&asker.domain));
    }
    Verdict::Decided(found)
}

/// When nobody answered any of the three there is no use in asking more; when only some failed
/// the open standards may still know the domain, and the failure is told if they do not.
fn nothing_here(asker: &mut Asker<'_>, mut failures: Vec<Problem>) -> Verdict {
    // A record that names only itself is a mistake to tell, not an absence.
    if let Some(index) = asker.warnings.iter().position(|problem| problem.rule.is_some()) {
        return Verdict::Refused(asker.warnings.remove(index));
    }
    if failures.len() == 3 {
        return Verdict::Refused(failures.remove(0));
    }
    asker.warnings.extend(failures);
    Verdict::Pass
}

fn target(record: Srv) -> Target {
    Target { host: record.target, port: record.port }
}

fn mixed_views(domain: &str) -> Problem {
    Problem::new(
        Area::Dns,
        Owner::Admin,
        format!("The records for inside and for outside use of {domain} are both visible here."),
        "Publish _cisco-uds and _cuplogin in the inner view only, and _collab-edge in the outer \
         view only.",
    )
    .with_rule(2)
    .with_evidence(format!("SRV _collab-edge._tls.{domain} answers beside the inside records"))
}
