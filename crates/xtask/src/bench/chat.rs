//! What a frame of the window costs where there is much to show: a conversation of 100,000 messages
//! that is scrolled, a contact list of 10,000 people that is scrolled and searched.

use std::process::Command;

use serde_json::Value;

use super::table::Row;
use crate::process::{built, cargo, run};

/// The most that a frame may cost us, in milliseconds: a screen that is drawn anew sixty times a
/// second leaves 16, of which the painting needs its part.
const MOST: f64 = 10.0;

/// Draws frames without a screen.
///
/// # Errors
/// It cannot be built or run.
pub fn measure() -> Result<Vec<Row>, String> {
    let package = ["-p", "offhook-app"];
    run(cargo().args(["build", "--release", "--example", "frame_cost"]).args(package))?;
    let out = Command::new(built("release", "examples/frame_cost"))
        .output()
        .map_err(|error| format!("frame_cost: {error}"))?;
    if !out.status.success() {
        return Err(format!("frame_cost: {}", String::from_utf8_lossy(&out.stderr)));
    }
    let row = |line: &str| {
        let said: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let what = said["what"].as_str().ok_or("no name")?;
        let ms = |key: &str| said[key].as_f64().ok_or("no figure");
        let (worst, middle) = (ms("worst")?, ms("median")?);
        // What the machine does is done on another thread, and no frame waits for it.
        if what.contains("the machine") {
            return Ok::<_, String>(vec![Row::new(format!("{what}, slowest, ms"), worst)]);
        }
        Ok(vec![
            Row::new(format!("{what}: slowest frame, ms"), worst).at_most(MOST),
            Row::new(format!("{what}: median frame, ms"), middle),
        ])
    };
    let rows: Result<Vec<_>, String> =
        String::from_utf8_lossy(&out.stdout).lines().map(row).collect();
    Ok(rows?.into_iter().flatten().collect())
}
