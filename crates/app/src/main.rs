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
        Some(Sub::Doctor { replay: Some(zip), json, .. }) => doctor::replay(zip, *json),
        Some(Sub::Doctor { address, json, replay: None, register, report }) => {
            let wish = doctor::Wish {
                address: address.as_deref(),
                json: *json,
                password: password(),
                report: report.clone(),
                register: *register,
            };
            doctor::run(&cli.global, wish)
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

/// A running client writes its own report, for it knows who is who; without one the report holds
/// what is on disk.
fn save_report(
    global: &Global,
    output: Option<std::path::PathBuf>,
    note: &str,
) -> Result<u8, String> {
    let folders = Folders::of(global.profile.as_deref())?;
    let output = output.map(|folder| std::path::absolute(&folder).unwrap_or(folder));
    let running = headless::block_on(report::ask(&folders, output.as_deref(), note))?;
    let saved = match running {
        Some(saved) => saved,
        None => report::save(&folders, output, note, None, report::Heard::kept(&folders)),
    };
    match saved {
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
