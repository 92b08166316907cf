//! The matrix of interoperation as one table: every cell is a part of the test `matrix`.

use std::collections::BTreeMap;
use std::process::Stdio;

use crate::packages::{BUILD, PEERS, Packages, ensure, required};
use crate::process::{self, cargo};
use crate::test::with_programs;

/// Plays it and prints the table.
///
/// # Errors
/// A cell is red, or the programs cannot be built.
pub fn run() -> Result<(), String> {
    required(&ensure(BUILD, "Building", false))?;
    if let Packages::Missing(names) = ensure(PEERS, "Playing with foreign phones", false) {
        println!("Rows that need {} are left out.", names.join(", "));
    }
    process::run(cargo().args(["build", "-p", "offhook-app", "-p", "offhook-lab", "--bins"]))?;
    let mut tests = cargo();
    tests.args(["test", "-p", "offhook-interop", "--test", "matrix", "--", "--nocapture"]);
    tests.arg("--test-threads=1").stdout(Stdio::piped());
    let output = with_programs(&mut tests)
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .map_err(|error| format!("the matrix cannot be played: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    println!("\n{}", table(&said));
    if output.status.success() { Ok(()) } else { Err("a cell of the matrix is red".to_owned()) }
}

/// The Markdown table of the lines `MATRIX|peer|feature|result`; reasons stand below it.
fn table(said: &str) -> String {
    let mut peers: Vec<&str> = vec![];
    let mut features: Vec<&str> = vec![];
    let mut cells = BTreeMap::new();
    for line in said.lines() {
        let parts: Vec<&str> = line.splitn(4, '|').collect();
        let ["MATRIX", peer, feature, result] = parts[..] else { continue };
        if !peers.contains(&peer) {
            peers.push(peer);
        }
        if !features.contains(&feature) {
            features.push(feature);
        }
        cells.insert((peer, feature), result);
    }
    let mut reasons: Vec<&str> = vec![];
    let mut out = format!("| | {} |\n|---|{}\n", peers.join(" | "), "---|".repeat(peers.len()));
    for feature in features {
        let row = peers.iter().map(|peer| match cells.get(&(*peer, feature)) {
            None => "–".to_owned(),
            Some(result @ (&"green" | &"RED")) => (*result).to_owned(),
            Some(reason) => {
                reasons.push(reason);
                format!("[{}]", reasons.len())
            }
        });
        out += &format!("| {feature} | {} |\n", row.collect::<Vec<_>>().join(" | "));
    }
    for (number, reason) in reasons.iter().enumerate() {
        out += &format!("\n[{}] {reason}", number + 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn cells_become_a_table_with_reasons_below() {
        let said = "x\nMATRIX|A|dial|green\nMATRIX|A|TLS|A has none\nMATRIX|B|dial|RED\n";
        let wanted = "| | A | B |\n|---|---|---|\n| dial | green | RED |\n| TLS | [1] | – |\n\n[1] A has none";
        assert_eq!(table(said), wanted);
    }
}
