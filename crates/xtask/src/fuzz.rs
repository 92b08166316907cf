//! `cargo xtask fuzz`: builds every target of `tests/fuzz` and lets each look for a while.
//!
//! The targets are built without cargo-fuzz, with the flags that libFuzzer needs of the compiler:
//! nightly where it is installed, else the stable one told to take them. No address sanitizer: the
//! crates that are fuzzed hold no unsafe code, and without it a target finds three times as much.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What libFuzzer needs, and what a mistake of ours is caught by.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks";

/// Without this the flags would go to build scripts as well, which have no libFuzzer to link.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Longest input: the readers' bound on time holds up to here.
const LONGEST: &str = "-max_len=65536";

/// Builds the targets whose name contains `only`, all without it, with the crates that these feed and
/// no other, and runs each for so many seconds, 0 for not at all.
///
/// # Errors
/// One does not compile, or found something: where the input lies.
pub(crate) fn run(only: Option<&str>, seconds: u32) -> Result<(), String> {
    let root = root();
    let folder = root.join("tests/fuzz");
    let mut targets = names(&folder.join("targets"))?;
    targets.retain(|name| only.is_none_or(|only| name.contains(only)));
    if targets.is_empty() {
        return Err("no target in tests/fuzz/targets has such a name".into());
    }
    build(&folder, &targets)?;
    let mut found = Vec::new();
    for name in targets.iter().filter(|_| seconds > 0) {
        println!("{name}: {seconds} s");
        if !look(&root, &folder, name, seconds)? {
            found.push(name.as_str());
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("{} found something; the inputs are in tests/fuzz/artifacts", found.join(", ")))
}

fn build(folder: &Path, targets: &[String]) -> Result<(), String> {
    let mut command = Command::new("cargo");
    let nightly = Command::new("rustup").args(["run", "nightly", "rustc", "--version"]).output();
    if nightly.is_ok_and(|it| it.status.success()) {
        command = Command::new("rustup");
        command.args(["run", "nightly", "cargo"]);
    }
    command.args(["build", "--target", TARGET, "--config", "profile.dev.opt-level=1"]);
    command.arg("--no-default-features");
    for target in targets {
        command.args(["--bin", target, "--features", halves(target).0]);
    }
    command.current_dir(folder).env("RUSTFLAGS", FLAGS).env("RUSTC_BOOTSTRAP", "1");
    command.env("CARGO_TARGET_DIR", folder.join("target"));
    let status = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err("the fuzz targets do not compile".into()) }
}

/// Runs one target; whether it found nothing.
fn look(root: &Path, folder: &Path, name: &str, seconds: u32) -> Result<bool, String> {
    let (krate, seeds) = halves(name);
    let seeds = root.join("crates").join(krate).join("corpus").join(seeds);
    let (own, artifacts) = (folder.join("corpus").join(name), folder.join("artifacts"));
    for needed in [&own, &artifacts] {
        std::fs::create_dir_all(needed).map_err(|error| format!("{needed:?}: {error}"))?;
    }
    let program = folder.join("target").join(TARGET).join("debug").join(name);
    let mut command = Command::new(program);
    command.args([LONGEST, "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/{name}-", artifacts.display()));
    command.arg(own).arg(seeds).current_dir(folder);
    let output = command.output().map_err(|error| format!("{name} cannot be started: {error}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    for line in words.lines().filter(|it| it.starts_with("Done") || it.contains("panicked at")) {
        println!("  {line}");
    }
    Ok(output.status.success())
}

/// The crate whose reader a target feeds, which is also the feature that the target asks for, and the
/// folder of its seeds.
fn halves(target: &str) -> (&str, &str) {
    target.split_once('_').unwrap_or((target, ""))
}

fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{folder:?}: {error}"))?;
    let name = |path: PathBuf| path.file_stem()?.to_str().map(str::to_owned);
    let mut names: Vec<String> = entries.flatten().filter_map(|it| name(it.path())).collect();
    names.sort();
    Ok(names)
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().and_then(Path::parent).unwrap_or(here).to_owned()
}
