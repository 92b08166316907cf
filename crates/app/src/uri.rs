//! `offhook URI`: an address from a link or a mail, handed to the instance that runs on this profile.

use std::io::Write;

use offhook_control::{Client, ClientError};
use offhook_platform::Folders;
use serde_json::{Value, json};

use crate::args::Global;
use crate::headless::block_on;

/// What became of an address.
#[derive(Debug, PartialEq, Eq)]
pub enum Handed {
    /// The running instance answered: this exit status.
    Over(u8),
    /// Nothing runs on this profile; whoever starts gives it this configuration URL.
    Kept(String),
}

/// Hands an address over.
///
/// # Errors
/// One sentence for exit status 2: an address that cannot be acted on. Nothing was changed then.
pub fn hand_over(global: &Global, uri: &str) -> Result<Handed, String> {
    check(uri)?;
    let folders = Folders::of(global.profile.as_deref())?;
    block_on(async {
        let mut client = match Client::connect(&folders.run).await {
            Ok(client) => client,
            Err(ClientError::NobodyThere) => return Ok(Handed::Kept(uri.to_owned())),
            Err(ClientError::Broken(words)) => return Err(silent(&words)),
        };
        match client.call("session.provision", json!({ "url": uri })).await {
            Ok(Ok(_)) => Ok(Handed::Over(0)),
            Ok(Err(error)) => {
                refused(&error);
                Ok(Handed::Over(1))
            }
            Err(ClientError::NobodyThere) => Ok(Handed::Kept(uri.to_owned())),
            Err(ClientError::Broken(words)) => Err(silent(&words)),
        }
    })?
}

/// Only configuration URLs are acted on so far, and only good ones are handed on.
fn check(uri: &str) -> Result<(), String> {
    let scheme = uri.split(':').next().unwrap_or_default().to_ascii_lowercase();
    match scheme.as_str() {
        "ciscojabber" | "offhook" => match offhook_config::read_provision_url(uri) {
            Ok(_) => Ok(()),
            Err(error) => {
                let problem = error.problem();
                Err(format!("{} {}", problem.cause, problem.remedy))
            }
        },
        "tel" | "sip" | "sips" | "im" | "xmpp" | "ciscotel" | "ciscotelconf" | "ciscoim"
        | "clicktocall" => Err(crate::not_built(&format!("Opening {scheme}: addresses"))),
        _ => Err(format!(
            "{scheme:?} begins no address that Offhook knows. Write for example \
             offhook 'ciscojabber://provision?ServicesDomain=company.com'."
        )),
    }
}

fn silent(words: &str) -> String {
    format!("The running instance does not answer ({words}). End it and try again.")
}

/// The refusal in words: cause and remedy stand in the error's data.
fn refused(error: &Value) {
    let text = |key: &str| error["data"][key].as_str().unwrap_or_default();
    let _ = writeln!(std::io::stdout().lock(), "{error}");
    crate::complain(&format!("{} {}", text("cause"), text("remedy")));
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_configuration_urls_are_taken_and_others_are_told_apart() {
        assert_eq!(check("ciscojabber://provision?ServicesDomain=example.com"), Ok(()));
        assert_eq!(check("OFFHOOK://provision?ServicesDomain=example.com"), Ok(()));
        let why = |uri| check(uri).expect_err("refused");
        assert!(why("ciscojabber://provision?Telephony_Enabled=true").contains("ServicesDomain"));
        assert!(why("tel:2002").contains("not built"));
        assert!(why("http://example.com").contains("offhook 'ciscojabber:"));
    }
}
