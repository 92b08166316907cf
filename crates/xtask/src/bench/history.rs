//! What the history on disk costs: a burst, signing in, searching over a million messages.

use std::process::Command;

use serde_json::Value;

use super::table::Row;
use crate::process::{built, cargo, run};

/// Figures that have a goal, by the beginning of their name, and what is the most.
const GOALS: [(&str, f64); 3] =
    [("burst of 10,000 messages: CPU", 1_500.0), ("opened", 100.0), ("slowest", 50.0)];

/// Fills an encrypted history and asks it.
///
/// # Errors
/// It cannot be built or run.
pub fn measure() -> Result<Vec<Row>, String> {
    let package = ["-p", "offhook-store"];
    run(cargo().args(["build", "--release", "--example", "history_cost"]).args(package))?;
    let out = Command::new(built("release", "examples/history_cost"))
        .output()
        .map_err(|error| format!("history_cost: {error}"))?;
    if !out.status.success() {
        return Err(format!("history_cost: {}", String::from_utf8_lossy(&out.stderr)));
    }
    let row = |line: &str| {
        let said: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let what = said["what"].as_str().ok_or("no name")?;
        let value = said["value"].as_f64().ok_or("no figure")?;
        let row = Row::new(format!("1,000,000 messages, encrypted: {what}"), value).digits(1);
        let goal = GOALS.iter().find(|(name, _)| what.starts_with(name));
        Ok(match goal {
            Some((_, most)) => row.at_most(*most),
            None => row,
        })
    };
    String::from_utf8_lossy(&out.stdout).lines().map(row).collect()
}
