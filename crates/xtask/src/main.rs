//! `cargo xtask`: what a newcomer, a developer and CI run.
//!
//! `demo` shows the client at work, `test` is everything CI checks, `tidy` holds the house to its
//! plan, `bench` measures. Each installs the Debian packages that it needs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]
#![allow(clippy::disallowed_methods, reason = "runs programs and measures real time")]

mod bench;
mod demo;
mod fuzz;
mod interop;
mod packages;
mod process;
mod sound;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Show the client at work against a lab on this machine.
    Demo {
        /// Without a window: drive the same through the control API and print figures.
        #[arg(long)]
        headless: bool,
        /// Install missing system packages without asking.
        #[arg(long)]
        yes: bool,
        /// Where to write the picture of the window.
        #[arg(long, default_value = "offhook.png")]
        picture: std::path::PathBuf,
    },
    /// Format, lints, structure, unit, property, UI and interop tests.
    Test {
        /// Only tests whose name contains this.
        filter: Option<String>,
    },
    /// Build the fuzz targets of tests/fuzz and run each for a while.
    Fuzz {
        /// Only targets whose name contains this.
        only: Option<String>,
        /// How long each runs; 0 only builds.
        #[arg(long, default_value_t = 20)]
        seconds: u32,
    },
    /// Play the matrix of interoperation with foreign phones, and print it; docs/interop.md.
    Interop,
    /// Hold the structure against the plan.
    Tidy,
    /// Measure; see docs/benchmarks.md.
    Bench {
        /// sip, hostile, history, chat, discovery, window, idle, roster, burst, call, calls, quality; all
        /// when left out.
        what: Option<String>,
        /// Of quality, only a few networks and one peer.
        #[arg(long)]
        quick: bool,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Demo { headless, yes, picture } => demo::run(headless, yes, &picture),
        Task::Test { filter } => test::run(filter.as_deref()),
        Task::Fuzz { only, seconds } => fuzz::run(only.as_deref(), seconds),
        Task::Interop => interop::run(),
        Task::Tidy => tidy::run(),
        Task::Bench { what, quick } => bench::run(what.as_deref(), quick),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}
