//! Finding programs: our own and those of others.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian puts servers that are not on everybody's path.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Whether all these programs are here. When not, says in one line what is skipped and why.
pub fn have(what: &str, programs: &[&str]) -> bool {
    for name in programs {
        let there = match *name {
            "slixmpp" => python().is_some(),
            "twomemo" => python().is_some_and(|it| imports(&it, "slixmpp, twomemo")),
            "at-spi2-core" => crate::desktop::launcher().is_some(),
            "pyatspi" => imports(Path::new("/usr/bin/python3"), "pyatspi"),
            "unshare" => namespace().is_some(),
            "kamailio-outbound-modules" => kamailio_module("outbound.so"),
            "kamailio-presence-modules" => kamailio_module("presence_mwi.so"),
            name => program(name).is_some(),
        };
        if !there {
            // Not by a print macro: the test harness keeps what those say from anybody who succeeds.
            let _ = writeln!(std::io::stderr().lock(), "SKIPPED for want of {name}: {what}");
            return false;
        }
    }
    true
}

/// A program of the system by name.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(SYSTEM.map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Whether Kamailio has this module; some come in packages of their own.
fn kamailio_module(name: &str) -> bool {
    let folders =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"];
    folders.iter().any(|folder| Path::new(folder).join("kamailio/modules").join(name).is_file())
}

/// A Python with slixmpp: the system's, where Debian's package is, else any.
pub fn python() -> Option<PathBuf> {
    let known = [Some(PathBuf::from("/usr/bin/python3")), program("python3")];
    known.into_iter().flatten().find(|python| imports(python, "slixmpp"))
}

fn imports(python: &Path, modules: &str) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", &format!("import {modules}")]);
    command.output().is_ok_and(|output| output.status.success())
}

/// The words in front of a command that runs it in a network namespace of its own, where there is
/// nothing but a loopback; nothing when this machine does not permit it.
fn namespace() -> Option<Vec<&'static str>> {
    program("ip")?;
    let ways: [&[&str]; 2] = [&["unshare", "--net"], &["unshare", "--map-root-user", "--net"]];
    let up = ["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"];
    ways.into_iter().map(|way| [way, &up].concat()).find(|words| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("true");
        command.output().is_ok_and(|output| output.status.success())
    })
}

/// Says in the environment of a test that it runs in its namespace already.
const INSIDE: &str = "OFFHOOK_TEST_INSIDE_NAMESPACE";

/// Runs the test of this name again in a network namespace of its own, and there does what
/// `inside` says; skipped aloud where this machine permits no namespace.
///
/// # Panics
/// It fails there.
pub fn in_namespace(test: &str, what: &str, inside: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    if !have(what, &["unshare"]) {
        return;
    }
    let words = namespace().expect("a namespace");
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(std::env::current_exe().expect("a test has a path"));
    let output = command.args([test, "--exact", "--nocapture"]).env(INSIDE, "1").output();
    let output = output.expect("the test runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{errors}");
}

/// One of our own programs: named by the environment, else built beside this test.
///
/// # Panics
/// It is not built.
pub(crate) fn own(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    // target/debug/deps/TEST → target/debug/NAME
    let here = std::env::current_exe().expect("a test has a path");
    let built = here.ancestors().nth(2).unwrap_or(Path::new(".")).join(name);
    assert!(
        built.is_file(),
        "{} is not built. Run cargo xtask test, or cargo build --bins, or set {variable}.",
        built.display()
    );
    built
}
