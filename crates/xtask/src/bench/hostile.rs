//! What 64 KB that mean harm cost each reader of outside bytes, at most.

use std::process::Command;

use serde_json::Value;

use super::table::Row;
use crate::process::{built, cargo, run};

/// The bound of the house, in milliseconds.
const MOST: f64 = 10.0;

/// Times every reader with every input; one row a reader.
///
/// # Errors
/// It cannot be built or run.
pub fn measure() -> Result<Vec<Row>, String> {
    let package = ["-p", "offhook-config"];
    run(cargo().args(["build", "--release", "--example", "hostile_cost"]).args(package))?;
    let out = Command::new(built("release", "examples/hostile_cost"))
        .output()
        .map_err(|error| format!("hostile_cost: {error}"))?;
    let row = |line: &str| {
        let said: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        let name = format!("64 KB of {} for {}: ms", text("input"), text("reader"));
        let ms = said["ms"].as_f64().ok_or("no figure")?;
        Ok(Row::new(name, ms).at_most(MOST).digits(2))
    };
    String::from_utf8_lossy(&out.stdout).lines().map(row).collect()
}
