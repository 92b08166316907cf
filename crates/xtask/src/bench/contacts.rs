//! Finding people while somebody types, and keeping them on disk.

use std::process::Command;

use serde_json::Value;

use super::table::{Peer, Row};
use crate::process::{built, cargo, run};

/// How many people are searched, and within how many milliseconds a key should show them.
const SIZES: [(&str, f64); 2] = [("10000", 10.0), ("1000000", 30.0)];

/// Builds both examples and runs them.
///
/// # Errors
/// They cannot be built or run.
pub fn measure() -> Result<Vec<Row>, String> {
    for example in [["offhook-contacts", "search_cost"], ["offhook-store", "people_cost"]] {
        let [package, name] = example;
        run(cargo().args(["build", "--release", "-p", package, "--example", name]))?;
    }
    let mut rows = Vec::new();
    for (size, most) in SIZES {
        for line in lines("search_cost", &[size])? {
            let row = row(&line, &format!("{size} people: "))?;
            let goal = line["what"].as_str().is_some_and(|what| what.ends_with("until shown, p99"));
            rows.push(if goal { row.at_most(most) } else { row });
        }
    }
    for line in lines("people_cost", &[])? {
        rows.push(row(&line, "")?.digits(0));
    }
    Ok(rows)
}

fn lines(example: &str, arguments: &[&str]) -> Result<Vec<Value>, String> {
    let out = Command::new(built("release", &format!("examples/{example}")))
        .args(arguments)
        .output()
        .map_err(|error| format!("{example}: {error}"))?;
    if !out.status.success() {
        return Err(format!("{example}: {}", String::from_utf8_lossy(&out.stderr)));
    }
    let text = String::from_utf8_lossy(&out.stdout);
    text.lines().map(|line| serde_json::from_str(line).map_err(|it| it.to_string())).collect()
}

fn row(said: &Value, whose: &str) -> Result<Row, String> {
    let what = said["what"].as_str().ok_or("no name")?;
    let value = said["value"].as_f64().ok_or("no figure")?;
    let times = ["p50", "p95", "p99", "worst"].iter().any(|share| what.ends_with(share));
    let row = Row::new(format!("{whose}{what}"), value).digits(if times { 2 } else { 0 });
    Ok(match said["scan"].as_f64() {
        Some(scan) => row.beside(Peer::Measured("scan", scan)),
        None => row,
    })
}
