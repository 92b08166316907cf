//! `offhook doctor`: the flows of a sign-in, explained.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::Arc;

use offhook_discovery::Request;
use offhook_model::{Secret, UserAddress};
use offhook_platform::Folders;
use offhook_ports::Progress;
use offhook_signin::Credentials;
use offhook_store::{Places, Store};

use crate::args::Global;
use crate::client::net;
use crate::headless::runtime;

/// Examines an address; the result is the exit status.
///
/// # Errors
/// One sentence for exit status 2.
pub fn run(
    global: &Global,
    address: Option<&str>,
    json: bool,
    password: Option<String>,
) -> Result<u8, String> {
    let folders = Folders::of(global.profile.as_deref())?;
    let net = net(global)?;
    let kept = kept(&folders)?;
    let text = address.map(str::to_owned).or(kept.settings.last_address).ok_or(
        "No address was given and nobody has signed in on this profile. Write offhook doctor \
         name@company.com.",
    )?;
    let address: UserAddress =
        text.parse().map_err(|error: offhook_model::AddressError| format!("{error}."))?;
    let password = read_password(password)?;
    let credentials =
        password.map(|password| Credentials { username: address.user().to_owned(), password });
    let request = Request {
        manual: kept.manual,
        now: offhook_engine::moment().wall,
        ..Request::new(address, 1)
    };
    let world = offhook_engine::world(&Arc::clone(&net));
    let quiet = json || !io::stderr().is_terminal();
    let tell = move |progress: Progress| {
        if let Progress::Doing(words) = progress
            && !quiet
        {
            crate::complain(&format!("{words}…"));
        }
    };
    let diagnosis = runtime()?.block_on(async {
        offhook_doctor::examine(&world, &request, credentials.as_ref(), &tell).await
    });
    let text = if json {
        serde_json::to_string(&diagnosis).map_err(|error| error.to_string())?
    } else {
        diagnosis.text()
    };
    let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
    Ok(diagnosis.exit)
}

/// Settings are read, and nothing is made or written: the doctor leaves a profile as it was.
fn kept(folders: &Folders) -> Result<offhook_store::Kept, String> {
    Store::peek(&Places { config: folders.config.clone(), data: folders.data.clone() })
}

/// From the environment, else from one line of standard input when that is no terminal, else from
/// the person.
fn read_password(given: Option<String>) -> Result<Option<Secret<String>>, String> {
    if let Some(password) = given {
        return Ok(Some(Secret::new(password)));
    }
    if io::stdin().is_terminal() {
        let typed = rpassword::prompt_password("Password (empty to go without): ")
            .map_err(|error| format!("The password cannot be read ({error})."))?;
        return Ok(Some(typed).filter(|typed| !typed.is_empty()).map(Secret::new));
    }
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| format!("The password cannot be read ({error})."))?;
    let line = line.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Some(line).filter(|line| !line.is_empty()).map(Secret::new))
}
