//! How much of a loudspeaker's echo is taken out of our voice, and what that does to the voice.

use std::process::Command;

use serde_json::Value;

use super::table::Row;
use crate::process::{built, cargo, run};

/// Counts and times.
///
/// # Errors
/// It cannot be built or run.
pub fn measure() -> Result<Vec<Row>, String> {
    let example = ["--example", "echo_figures", "-p", "offhook-media"];
    run(cargo().args(["build", "--release"]).args(example))?;
    let out = Command::new(built("release", "examples/echo_figures"))
        .output()
        .map_err(|error| format!("echo_figures: {error}"))?;
    if !out.status.success() {
        return Err(format!("echo_figures: {}", String::from_utf8_lossy(&out.stderr)));
    }
    let mut rows = Vec::new();
    let mut cost = Vec::new();
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let room: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        cost.push(room["cost"].as_f64().unwrap_or(f64::NAN));
        rows.extend(figures(&room));
    }
    let mean = cost.iter().sum::<f64>() / cost.len().max(1) as f64;
    rows.push(Row::new("echo cancellation, CPU s a call-minute", mean * 60.0 / 1_000.0));
    Ok(rows)
}

fn figures(room: &Value) -> Vec<Row> {
    let name = room["room"].as_str().unwrap_or_default();
    let number = |key: &str| room[key].as_f64().unwrap_or(f64::NAN);
    let row = |what: &str, value: f64, digits| {
        Row::new(format!("echo, {name}: {what}"), value).digits(digits)
    };
    if number("near") == 0.0 {
        let late = (number("found") - number("delay")).abs();
        return vec![
            row("dB less (ERLE)", number("removed"), 1),
            row("delay found, ms beside the true one", late, 0),
        ];
    }
    vec![
        row("voice beside itself without an echo, dB", number("kept"), 1),
        row("likeness to the voice before", number("before"), 2),
        row("likeness to the voice after", number("after"), 2),
        row("steps of the voice that are gone, %", number("gone"), 1),
    ]
}
