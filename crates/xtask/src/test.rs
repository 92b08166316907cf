//! Everything that CI checks.

use std::process::Command;

use crate::packages::{BUILD, DISPLAY, PEERS, Packages, ensure, exists, required};
use crate::process::{self, built, cargo};
use crate::tidy;

/// Runs all checks, the quick ones first.
///
/// # Errors
/// The first check that failed.
pub fn run(filter: Option<&str>) -> Result<(), String> {
    required(&ensure(BUILD, "Building", false))?;
    let peers = ensure(&[PEERS, DISPLAY].concat(), "Testing against real servers", false);
    say_what_is_skipped(&peers);
    if filter.is_none() {
        process::run(cargo().args(["fmt", "--all", "--check"]))?;
        tidy::run()?;
        licences()?;
        process::run(cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))?;
    }
    // The interop tests start the real programs.
    process::run(cargo().args(["build", "--workspace", "--bins"]))?;
    let mut tests = if exists("cargo-nextest") {
        let mut tests = cargo();
        tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        tests.args(filter);
        tests
    } else {
        println!("cargo-nextest is not installed; cargo test runs the same tests, less quickly.");
        let mut tests = cargo();
        tests.args(["test", "--workspace", "--no-fail-fast"]);
        tests.args(filter);
        tests
    };
    process::run(with_programs(&mut tests))?;
    if filter.is_none() && exists("cargo-nextest") {
        process::run(cargo().args(["test", "--workspace", "--doc", "--quiet"]))?;
    }
    Ok(())
}

/// Where the interop tests find what was built.
pub(crate) fn with_programs(command: &mut Command) -> &mut Command {
    command
        .env("OFFHOOK_TEST_PROGRAM", built("debug", "offhook"))
        .env("OFFHOOK_TEST_LAB", built("debug", "offhook-lab"))
}

/// cargo-deny knows more than `tidy` does, where it is installed.
fn licences() -> Result<(), String> {
    if exists("cargo-deny") {
        return process::run(cargo().args([
            "deny",
            "--offline",
            "check",
            "--hide-inclusion-graph",
            "licenses",
            "bans",
            "sources",
        ]));
    }
    println!("cargo-deny is not installed; tidy has checked licences and the TLS provider.");
    Ok(())
}

fn say_what_is_skipped(found: &Packages) {
    let why = match found {
        Packages::Ready => return,
        Packages::NoManager => "there is no apt on this machine".to_owned(),
        Packages::Missing(names) => format!("apt could not install {}", names.join(" ")),
    };
    println!("Not all peers are here ({why}).");
    for (program, tests) in [
        ("prosody", "chat interop"),
        ("kamailio", "call interop"),
        ("baresip", "call interop"),
        ("sipp", "many calls in a row"),
        ("knotd", "sign-in by SRV records of a real name server"),
        ("named", "the planning guide's records from BIND"),
        ("slapd", "directories by LDAP"),
        ("krb5kdc", "directories by Kerberos"),
        ("radicale", "address books on a server"),
        ("Xvfb", "pictures of the window"),
    ] {
        let there = exists(program) || std::path::Path::new("/usr/sbin").join(program).exists();
        if !there {
            println!("  SKIPPED for want of {program}: {tests}");
        }
    }
}
