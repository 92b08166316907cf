//! `offhook`: arguments, logging, wiring; window or headless.

mod args;
mod bootstrap;
mod client;
mod ctl;
mod doctor;
mod headless;
mod logging;
mod policy;
mod report;
mod uri;
mod window;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use offhook_platform::Folders;

use args::{Cli, Global, Policy, Report, Sub};

/// Name and version, as servers and reports see it.
pub const PRODUCT: &str = concat!("Offhook/", env!("CARGO_PKG_VERSION"));

/// Bad arguments, a missing file, an unreadable profile, something that is not built.
const BAD: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let status = run(&cli).unwrap_or_else(|sentence| {
        complain(&sentence);
        BAD
    });
    ExitCode::from(status)
}

fn run(cli: &Cli) -> Result<u8, String> {
    match &cli.command {
        None => start(cli),
        Some(Sub::Ctl { method, params }) => ctl::run(&cli.global, method, params),
        Some(Sub::Doctor { replay: Some(_), .. }) => Err(not_built("doctor --replay")),
        Some(Sub::Doctor { register: true, .. }) => Err(not_built("doctor --register")),
        Some(Sub::Doctor { address, json, replay: None, register: false }) => {
            doctor::run(&cli.global, address.as_deref(), *json, password())
        }
        Some(Sub::Policy { action: Policy::Explain { files, json } }) => {
            policy::explain(&cli.global, files, *json)
        }
        Some(Sub::Uri { .. }) => Err(not_built("uri")),
        Some(Sub::Report { action: Report::Save { output, note } }) => {
            save_report(&cli.global, output.clone(), note)
        }
    }
}

/// The client, with a window or without; an address goes to the one that runs already.
fn start(cli: &Cli) -> Result<u8, String> {
    let provision = match cli.uri.as_deref().map(|uri| uri::hand_over(&cli.global, uri)) {
        None => None,
        Some(handed) => match handed? {
            uri::Handed::Over(status) => return Ok(status),
            uri::Handed::Kept(url) => Some(url),
        },
    };
    if cli.headless {
        headless::run(&cli.global, provision)?;
    } else {
        window::run(&cli.global, provision)?;
    }
    Ok(0)
}

/// A running client is asked for its state; without one the report holds what is on disk.
fn save_report(
    global: &Global,
    output: Option<std::path::PathBuf>,
    note: &str,
) -> Result<u8, String> {
    let folders = Folders::of(global.profile.as_deref())?;
    let state = headless::runtime()?.block_on(async {
        let mut client = offhook_control::Client::connect(&folders.run).await.ok()?;
        client.call("diagnostics.get", serde_json::Value::Null).await.ok()?.ok()
    });
    match report::save(&folders, output, note, state.as_ref()) {
        Ok(path) => {
            let _ = writeln!(std::io::stdout().lock(), "{}", path.display());
            Ok(0)
        }
        Err(sentence) => {
            complain(&sentence);
            Ok(1)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "contract section 2: the doctor's password")]
fn password() -> Option<String> {
    std::env::var("OFFHOOK_PASSWORD").ok()
}

fn not_built(what: &str) -> String {
    format!("{what} is not built yet. See docs/features.md for what works.")
}

/// One sentence on standard error.
pub fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr().lock(), "offhook: {sentence}");
}
