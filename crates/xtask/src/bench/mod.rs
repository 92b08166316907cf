//! Measurements beside peers; how each figure is made and what was seen: docs/benchmarks.md.
//!
//! Absolute figures move from machine to machine and from minute to minute. What counts is the
//! ratio to the peer that was measured in the same run.

mod baresip;
mod burst;
mod call;
mod calls;
mod chat;
mod contacts;
mod discovery;
mod display;
mod echo;
mod foreign;
mod guest;
mod history;
mod hostile;
mod idle;
mod phones;
mod post;
mod python;
mod quality;
mod roster;
mod sip;
mod speech;
mod stage;
mod table;
mod usage;
mod window;

use crate::packages::{BENCH, BUILD, Packages, ensure, required};
use crate::process::{cargo, run as run_command};
use table::Row;

/// What can be measured, in the order of a whole run.
const ALL: [&str; 14] = [
    "sip",
    "hostile",
    "history",
    "chat",
    "contacts",
    "echo",
    "discovery",
    "window",
    "idle",
    "roster",
    "burst",
    "call",
    "calls",
    "quality",
];

/// Those that need no program but what they build themselves.
const ALONE: [&str; 7] = ["sip", "hostile", "history", "chat", "contacts", "echo", "discovery"];

/// Runs the named measurement, or all, and prints one table. `quick`: of the quality of speech only a few
/// networks and one peer.
///
/// # Errors
/// A measurement failed.
pub fn run(what: Option<&str>, quick: bool) -> Result<(), String> {
    let wanted: Vec<&str> = match what {
        None => ALL.to_vec(),
        Some(one) if ALL.contains(&one) => vec![one],
        Some(other) => {
            return Err(format!("there is no measurement {other}; choose {}", ALL.join(", ")));
        }
    };
    if !cfg!(target_os = "linux") {
        return Err("the measurements read /proc and are built for Linux only".into());
    }
    required(&ensure(BUILD, "Building", false))?;
    let peers = ensure(BENCH, "Measuring beside peers", false);
    if let Packages::Missing(names) = &peers {
        println!("Figures that need {} are left out.", names.join(", "));
    }
    if wanted.iter().any(|what| !ALONE.contains(what)) {
        let bins = ["build", "--release", "-p", "offhook-app", "-p", "offhook-lab", "--bins"];
        run_command(cargo().args(bins))?;
    }
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for what in wanted {
        println!("\nMeasuring: {what}");
        let measured = match what {
            "sip" => sip::measure(),
            "hostile" => hostile::measure(),
            "history" => history::measure(),
            "chat" => chat::measure(),
            "contacts" => contacts::measure(),
            "echo" => echo::measure(),
            "discovery" => discovery::measure(),
            "window" => window::measure(),
            "idle" => idle::measure(),
            "roster" => roster::measure(),
            "burst" => burst::measure(),
            "call" => call::measure(),
            "calls" => calls::measure(),
            _ => quality::measure(quick),
        };
        match measured {
            Ok(found) => rows.extend(found),
            // One that fails does not cost the figures of the others.
            Err(sentence) => failed.push(format!("{what}: {sentence}")),
        }
    }
    print_all(&rows);
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

fn print_all(rows: &[Row]) {
    println!("\n{}", usage::machine());
    println!("{}", table::text(rows));
    println!(
        "Only ratios within one run count: absolute figures move with the machine and its load.\n\
         A peer in brackets was not measured in this run; its figure is on record \
         (docs/benchmarks.md)."
    );
}
