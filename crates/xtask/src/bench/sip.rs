//! What reading a SIP message costs: instructions, which do not depend on the machine's load, and
//! messages a second, which do.

use std::process::Command;

use serde_json::Value;

use super::table::{Peer, Row};
use crate::packages::exists;
use crate::process::{Scratch, built, cargo, run};

/// Rounds over the corpus; the difference between these two is counted.
const ROUNDS: [u64; 2] = [100, 200];

/// Counts and times.
///
/// # Errors
/// It cannot be built or run.
pub fn measure() -> Result<Vec<Row>, String> {
    let package = ["-p", "offhook-sip"];
    let examples = ["--example", "parse_cost", "--example", "call_cost"];
    run(cargo().args(["build", "--release"]).args(examples).args(package))?;
    let mut rows = Vec::new();
    let (messages, accepted, _) = round(1, "sdp", false)?;
    rows.push(
        Row::new(format!("SIP messages accepted, of {messages}"), accepted as f64)
            .beside(Peer::Recorded("rsip", 14.0))
            .at_least(messages as f64)
            .digits(0),
    );
    if exists("valgrind") {
        for (what, word, peer, goal) in [
            ("SIP message, typed: instructions", "", 20_500.0, 20_000.0),
            ("SIP message with SDP: instructions", "sdp", 25_900.0, 26_000.0),
        ] {
            let row = Row::new(what, instructions(word)?);
            rows.push(row.beside(Peer::Recorded("pjsip", peer)).at_most(goal).digits(0));
        }
    }
    rows.extend(speed()?);
    rows.extend(calls()?);
    Ok(rows)
}

/// Messages of a round, how many of them were accepted, and instructions if counted.
fn round(rounds: u64, word: &str, count: bool) -> Result<(u64, u64, u64), String> {
    let program = built("release", "examples/parse_cost");
    let mut command = if count {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(&program);
        command
    } else {
        Command::new(&program)
    };
    let out = command.arg(rounds.to_string()).arg(word).output();
    let out = out.map_err(|error| format!("parse_cost: {error}"))?;
    let said: Value = serde_json::from_slice(&out.stdout)
        .map_err(|_| format!("parse_cost failed: {}", String::from_utf8_lossy(&out.stderr)))?;
    let number = |key: &str| said[key].as_u64().unwrap_or_default();
    let told = String::from_utf8_lossy(&out.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    let counted = collected.and_then(|(_, number)| number.trim().parse().ok());
    if count && counted.is_none() {
        return Err(format!("callgrind gave no figure: {told}"));
    }
    Ok((number("messages"), number("accepted"), counted.unwrap_or(0)))
}

/// Start-up, reading files and printing are in both counts and fall out.
fn instructions(word: &str) -> Result<f64, String> {
    let [few, many] = ROUNDS;
    let (messages, _, less) = round(few, word, true)?;
    let (_, _, more) = round(many, word, true)?;
    Ok(more.saturating_sub(less) as f64 / ((many - few) * messages.max(1)) as f64)
}

/// Calls that are counted and timed; the difference between these two.
const CALLS: [u64; 2] = [1_000, 6_000];

/// What signalling of a call costs at one end, half of what it costs at both.
fn calls() -> Result<Vec<Row>, String> {
    let timed = |count: u64| -> Result<f64, String> {
        let mut command = Command::new(built("release", "examples/call_cost"));
        let out = command.arg(count.to_string()).output().map_err(|error| error.to_string())?;
        let said: Value = serde_json::from_slice(&out.stdout)
            .map_err(|_| format!("call_cost: {}", String::from_utf8_lossy(&out.stderr)))?;
        if said["whole"].as_u64() != Some(count) {
            return Err(format!("of {count} calls not all ran their course: {said}"));
        }
        said["microseconds"].as_f64().ok_or_else(|| format!("call_cost said {said}"))
    };
    let [few, many] = CALLS;
    // The best of three: what disturbs only ever adds.
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        best = best.min((timed(many)? - timed(few)?) / (many - few) as f64 / 2.0);
    }
    let row = Row::new("signalling of a call, one end: µs", best);
    Ok(vec![row.beside(Peer::Recorded("pjsip", 290.0)).at_most(300.0).digits(0)])
}

/// The Criterion benchmark of the same corpus; it keeps its estimates in files.
fn speed() -> Result<Vec<Row>, String> {
    let scratch = Scratch::new("criterion")?;
    let mut command = cargo();
    command.args(["bench", "-p", "offhook-sip", "--bench", "parse", "--", "--quiet"]);
    command.args(["--warm-up-time", "1", "--measurement-time", "4", "--noplot"]);
    run(command.env("CRITERION_HOME", &scratch.0))?;
    let mut rows = Vec::new();
    for (what, folder) in [
        ("SIP messages a second, read", "parse 20 messages"),
        ("SIP messages a second, read and typed", "parse and type 20 messages"),
    ] {
        let file = scratch.0.join(folder).join("new/estimates.json");
        let text = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let estimates: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        let nanoseconds = estimates["median"]["point_estimate"].as_f64().unwrap_or(f64::NAN);
        rows.push(Row::new(what, 20.0 * 1e9 / nanoseconds).digits(0));
    }
    Ok(rows)
}
