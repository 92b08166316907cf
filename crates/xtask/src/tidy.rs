//! Holds the house to its plan (docs/architecture.md). Each finding says why the rule is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{cargo, root};

/// Every room with its ring. A crate may lean on lower rings only.
const RINGS: &[(&str, u8)] = &[
    ("model", 0),
    ("ports", 0),
    ("config", 1),
    ("discovery", 2),
    ("signin", 2),
    ("contacts", 2),
    ("ice", 1),
    ("im", 2),
    ("omemo", 1),
    ("transfer", 2),
    ("capf", 1),
    ("sip", 1),
    ("rtp", 1),
    ("stun", 0),
    ("codec", 1),
    ("qos", 1),
    ("report", 1),
    ("text", 1),
    ("call", 2),
    ("doctor", 3),
    ("core", 3),
    ("net", 4),
    ("xmpp", 5),
    ("ldap", 5),
    ("media", 4),
    ("store", 4),
    ("platform", 4),
    ("engine", 6),
    ("control", 5),
    ("shell", 5),
    ("app", 7),
    ("lab", 0),
    ("testkit", 1),
    ("xtask", 0),
    ("interop", 8),
    ("fuzz", 8),
];

/// Rooms that only think: no runtime, no socket, no device.
const PURE: &[&str] = &[
    "model",
    "ports",
    "config",
    "discovery",
    "signin",
    "contacts",
    "ice",
    "stun",
    "im",
    "omemo",
    "transfer",
    "capf",
    "sip",
    "rtp",
    "codec",
    "qos",
    "report",
    "text",
    "call",
    "doctor",
    "core",
    "shell",
];

/// What pure rooms never lean on.
const WORLDLY: &[&str] = &[
    "tokio",
    "reqwest",
    "rustls",
    "tokio-rustls",
    "hickory-resolver",
    "cpal",
    "socket2",
    "mio",
    "tokio-xmpp",
    "rusqlite",
    "rand",
];

/// Other TLS and crypto stacks: one provider, ring under rustls, is what is looked after.
const OTHER_TLS: &[&str] =
    &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "boring", "mbedtls"];

/// Licences that the binary may contain. No copyleft beyond the file level (MPL-2.0).
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "CC0-1.0",
    "Unlicense",
    "0BSD",
    "BSL-1.0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "OFL-1.1",
    "LicenseRef-UFL-1.0",
    "Ubuntu-font-1.0",
    "CDLA-Permissive-2.0",
    "NCSA",
    "WTFPL",
];

/// What may stand at the root, besides hidden files and licences.
const ROOT: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "assets",
    "config",
    "crates",
    "docs",
    "installer",
    "tests",
];

/// Where the system may make a difference.
const SYSTEM: &[&str] = &[
    "crates/platform/",
    "crates/net/",
    "crates/media/src/device/",
    "crates/media/src/engine/marks",
    "crates/media/src/engine/socket.rs",
    "crates/app/",
    "crates/lab/",
];

/// Checks everything.
///
/// # Errors
/// All findings, one a line.
pub fn run() -> Result<(), String> {
    let metadata = metadata()?;
    let mut findings = Vec::new();
    directions(&metadata, &mut findings);
    supply(&metadata, &mut findings);
    layout(&mut findings);
    proofs(&mut findings);
    for path in tracked()? {
        if let Ok(text) = std::fs::read_to_string(root().join(&path)) {
            source(&path, &text, &mut findings);
        }
    }
    if findings.is_empty() {
        println!("tidy: {} rooms, in order", RINGS.len());
        return Ok(());
    }
    Err(format!("the house is not tidy:\n  {}", findings.join("\n  ")))
}

fn metadata() -> Result<Value, String> {
    let out = cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&out.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn room(package: &str) -> Option<&str> {
    package.strip_prefix("offhook-")
}

/// Rings, pure rooms, who may draw, and the lab's independence.
fn directions(metadata: &Value, findings: &mut Vec<String>) {
    let rings: BTreeMap<&str, u8> = RINGS.iter().copied().collect();
    for package in items(metadata, "packages") {
        let Some(name) = package["name"].as_str().and_then(room) else { continue };
        let Some(ring) = rings.get(name) else {
            findings.push(format!(
                "{name} has no ring: give it one in tidy and in docs/architecture.md"
            ));
            continue;
        };
        let normal = items(package, "dependencies").iter().filter(|dep| dep["kind"].is_null());
        for dep in normal.filter_map(|dep| dep["name"].as_str()) {
            if let Some(other) = room(dep) {
                let lower = rings.get(other).is_some_and(|below| below < ring);
                let words = ring == &0 && rings.get(other) == Some(&0) && name == "ports";
                if !lower && !words {
                    findings.push(format!("{name} leans on {other}: a room leans on lower rings only, or two rooms become one"));
                }
                if name == "lab" {
                    findings.push(format!("lab leans on {other}: a double that shares code with what it tests agrees with its errors"));
                }
            }
            if PURE.contains(&name) && WORLDLY.contains(&dep) {
                findings.push(format!("{name} leans on {dep}: rooms that think ask the world through ports, so that tests need no world"));
            }
            let draws = matches!(dep, "egui" | "eframe" | "egui_extras");
            if draws && !matches!(name, "shell" | "app") {
                findings.push(format!("{name} leans on {dep}: only shell and app draw"));
            }
        }
    }
}

/// Licences and the TLS provider.
fn supply(metadata: &Value, findings: &mut Vec<String>) {
    let mut rustls = Vec::new();
    for package in items(metadata, "packages") {
        let name = package["name"].as_str().unwrap_or_default();
        let version = package["version"].as_str().unwrap_or_default();
        if name == "rustls" {
            rustls.push(version);
        }
        if OTHER_TLS.contains(&name) {
            findings.push(format!("{name} {version} is in the tree: one TLS and crypto provider (ring) is what is looked after"));
        }
        let licence = package["license"].as_str().unwrap_or_default();
        if room(name).is_none() && !licence_allowed(licence) {
            findings.push(format!("{name} {version} is under \"{licence}\": not on the list of licences that the binary may contain"));
        }
    }
    if rustls.len() > 1 {
        findings.push(format!("several versions of rustls: {}", rustls.join(", ")));
    }
}

/// SPDX expressions without nesting deeper than one pair of parentheses, and the old `A/B`.
fn licence_allowed(expression: &str) -> bool {
    let flat = expression.replace('/', " OR ");
    let flat = flat.trim();
    // "(A OR B) AND C": every part of the AND must be allowed.
    split_outside(flat, " AND ").iter().all(|part| {
        let part = part.trim().trim_start_matches('(').trim_end_matches(')');
        part.split(" OR ").any(|one| {
            one.split(" AND ")
                .all(|licence| LICENCES.contains(&licence.trim().trim_matches(['(', ')'])))
        })
    })
}

fn split_outside<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut start, mut at) = (Vec::new(), 0i32, 0, 0);
    while at < text.len() {
        match text.as_bytes()[at] {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ if depth == 0
                && text[at..].starts_with(separator)
                && !text[..at].contains(" OR ") =>
            {
                parts.push(&text[start..at]);
                at += separator.len();
                start = at;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[start..]);
    parts
}

fn layout(findings: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(root()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = name.starts_with('.')
            || name.starts_with("LICENSE")
            || ROOT.contains(&name.as_str())
            || name == "target";
        // The demo leaves its picture where it was started; git ignores it.
        if !known && name != "offhook.png" {
            findings.push(format!("{name} at the root is not part of the agreed layout"));
        }
    }
}

/// Every test that the feature table names must be there: "works" without a test is a hope.
fn proofs(findings: &mut Vec<String>) {
    let Ok(table) = std::fs::read_to_string(root().join("docs/features.md")) else {
        findings.push("docs/features.md is missing: nobody could say what works".into());
        return;
    };
    for line in
        table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| works |"))
    {
        let proofs: Vec<_> = line.split('`').filter(|word| word.contains(".rs::")).collect();
        if line.contains("| works |") && proofs.is_empty() {
            findings.push(format!("docs/features.md: works without a test: {line}"));
        }
        for proof in proofs {
            if !is_there(proof) {
                findings.push(format!("docs/features.md: there is no test {proof}"));
            }
        }
    }
}

fn is_there(proof: &str) -> bool {
    let Some((file, name)) = proof.split_once("::") else { return false };
    let folder = if file.starts_with("tests/") { "" } else { "crates" };
    std::fs::read_to_string(root().join(folder).join(file))
        .is_ok_and(|text| text.contains(&format!("fn {name}(")))
}

fn tracked() -> Result<Vec<PathBuf>, String> {
    let out = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    match out {
        Ok(out) if out.status.success() => {
            Ok(String::from_utf8_lossy(&out.stdout).lines().map(PathBuf::from).collect())
        }
        Ok(_) | Err(_) => {
            println!("tidy: no git here, so the texts are not checked");
            Ok(Vec::new())
        }
    }
}

fn source(path: &Path, text: &str, findings: &mut Vec<String>) {
    let shown = path.to_string_lossy();
    if path.extension().is_none_or(|kind| kind != "rs") || shown.contains("xtask/src/tidy.rs") {
        return;
    }
    let mut line = |needle: &str, why: &str| {
        for (number, line) in text.lines().enumerate() {
            if line.contains(needle) {
                findings.push(format!("{shown}:{}: {needle}: {why}", number + 1));
            }
        }
    };
    let tests =
        shown.contains("/tests/") || shown.starts_with("tests/") || shown.contains("/xtask/");
    if !SYSTEM.iter().any(|place| shown.starts_with(place)) && !tests {
        for needle in ["cfg(target_os", "cfg(unix)", "cfg(windows)", "cfg!(target_os"] {
            line(needle, "what differs by system lives in platform, net, media/device or app");
        }
    }
    if shown.starts_with("crates/shell/src") && !shown.contains("theme") {
        for needle in ["Color32::from_rgb", "Color32::from_hex", "Rgba::from_rgba_"] {
            line(needle, "colours live in the theme only");
        }
    }
    if shown.contains("/src/") && !text.starts_with("//!") {
        findings.push(format!("{shown}: says at its top what it is for (//!)"));
    }
    let lines = text.lines().count();
    if lines > 900 {
        findings.push(format!("{shown}: {lines} lines: look for the second idea in it"));
    }
}

#[cfg(test)]
mod tests {
    use super::licence_allowed;

    #[test]
    fn licences_are_read_as_they_are_written() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "GPL-3.0 OR MIT",
            "Apache-2.0 WITH LLVM-exception OR MIT",
            "MIT AND OFL-1.1",
            "(MIT OR Apache-2.0) AND OFL-1.1 AND Ubuntu-font-1.0",
        ] {
            assert!(licence_allowed(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-2.0", "", "AGPL-3.0-only OR GPL-3.0"] {
            assert!(!licence_allowed(bad), "{bad}");
        }
    }
}
