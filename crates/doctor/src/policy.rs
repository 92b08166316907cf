//! What is wrong with the settings that others made: misspelt names (D35), a password in clear
//! (D36), contradictions, a directory that cannot be searched (D31).

use offhook_config::Layers;
use offhook_model::{DirectoryFault, Layer, Problem};
use offhook_signin::Grant;

use crate::Case;
use crate::findings::Findings;
use crate::ports;

/// Judges all layers: those known before, and those that this sign-in gave.
pub(crate) fn judge(findings: &mut Findings, case: &Case<'_>, grant: Option<&Grant>) {
    let layers = effective(case.layers, grant.map_or(&[], |grant| grant.layers.as_slice()));
    // None of them stops a sign-in, or it would have been told where it did.
    findings.warn_all(layers.problems());
    findings.warn_all(directory(&layers).into_iter().collect());
}

/// What counts: of two layers of the same source the one that has just been fetched.
pub(crate) fn effective(before: &[Layer], fetched: &[Layer]) -> Layers {
    Layers::new(before.iter().chain(fetched).cloned())
}

/// Directories other than Active Directory have no default base (reference client-config.md
/// section 7.3). That shows without asking; the rest of D31 is what the directory answers.
fn directory(layers: &Layers) -> Option<Problem> {
    let other = layers.text("BDILDAPServerType")?.eq_ignore_ascii_case("OpenLDAP");
    let server = ports::directory(layers).into_iter().next()?;
    let missing = other && layers.setting("SearchBase1").is_none();
    missing.then(|| DirectoryFault::NoBase.problem(&server))
}
