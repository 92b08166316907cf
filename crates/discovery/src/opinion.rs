//! What manual settings overrule, looked at for the doctor (D22). Sign-in does not ask: manual
//! settings need no question.

use offhook_model::{AccountType, Area, ManualAccount, Owner, Preset, Problem};
use offhook_ports::{Found, World};

use crate::{Request, discover};

/// With manual settings in force: what discovery would have found instead, if that is another
/// authenticator. Nothing when the settings are Automatic, or nothing else would be found.
pub async fn overruled(world: &World, request: &Request) -> Option<Problem> {
    let chosen = match request.manual.account_type {
        AccountType::Automatic => return None,
        AccountType::Cup => "IM and Presence",
        AccountType::Cucm => "Communications Manager",
        AccountType::Webex => "the cloud",
        AccountType::Standard => "a standard account",
    };
    let automatic = Request {
        manual: ManualAccount::default(),
        preset: Preset { fallback: ManualAccount::default(), ..request.preset.clone() },
        remembered: None,
        ..request.clone()
    };
    let report = Box::pin(discover(world, &automatic, &|_| {})).await;
    let (found, kind) = match report.outcome.ok()? {
        Found::Cucm(_) => ("Communications Manager", AccountType::Cucm),
        Found::Cup(_) => ("IM and Presence", AccountType::Cup),
        Found::Webex { .. } => ("the cloud", AccountType::Webex),
        Found::Standard { .. } => ("a standard account", AccountType::Standard),
        // Behind the edge is whoever the inner records name; nobody can tell from here.
        Found::Edge(_) => return None,
    };
    (kind != request.manual.account_type).then(|| problem(&report.domain, chosen, found))
}

fn problem(domain: &str, chosen: &str, found: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::User,
        format!(
            "Manual setup names {chosen}, and the services of {domain} lead to {found}; manual \
             setup comes first."
        ),
        "Choose Automatic in the manual setup, unless this is what you want.",
    )
    .with_rule(22)
    .with_evidence(format!("manual: {chosen}; discovery: {found}"))
}
