//! Whether what was found the last time still holds (reference discovery.md section 1).

use std::time::Duration;

use offhook_model::AccountType;
use offhook_ports::{Found, Remembered};

use crate::{Domains, Request};

/// Older results are not used. A sign-in that fails or "reset" drops a result much earlier; this
/// bound only sees to it that new records are noticed by those who never have to look anew.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What is remembered, if it may be used; else why not, in words.
pub(crate) fn recall<'a>(
    request: &'a Request,
    domains: &Domains,
) -> Result<&'a Remembered, &'static str> {
    let kept = request.remembered.as_ref().ok_or("nothing is remembered")?;
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    if !same(&kept.domain, &domains.services) || !same(&kept.voice_domain, &domains.voice) {
        return Err("it was found for another domain");
    }
    // A clock that was set back makes a result of the future, whose age nobody knows.
    let age = request.now.0.saturating_sub(kept.at.0);
    if age < 0 || u128::from(age.unsigned_abs()) > LONGEST.as_millis() {
        return Err("it is older than 30 days");
    }
    if let (Some(then), Some(now)) = (&kept.network, &request.network)
        && then != now
    {
        return Err("it was found on another network");
    }
    allowed(&kept.found, request)?;
    Ok(kept)
}

/// A service that is left out now is left out of the memory as well.
fn allowed(found: &Found, request: &Request) -> Result<(), &'static str> {
    let preset = &request.preset;
    let open_only = request.manual.account_type == AccountType::Standard;
    let standard = matches!(found, Found::Standard { .. });
    if open_only && !standard {
        return Err("manual settings ask for a standard account");
    }
    let excluded = preset.excluded;
    let left_out = match found {
        Found::Webex { .. } => excluded.webex,
        Found::Cucm(_) => excluded.cucm,
        Found::Cup(_) => excluded.cup,
        Found::Edge(_) | Found::Standard { .. } => false,
    };
    if left_out || (excluded.everything() && !open_only) {
        return Err("the service is excluded");
    }
    if matches!(found, Found::Edge(_)) && !preset.remote_access {
        return Err("use from outside is switched off");
    }
    Ok(())
}
