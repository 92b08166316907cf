//! Python packages that measurements need, in a folder of its own below the build's.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::packages::exists;
use crate::process::{built, run};

/// A Python that can import `module`, after installing `packages` once; nothing, and a sentence, when
/// that cannot be done, as without the network.
pub fn with(module: &str, packages: &[&str], what: &str) -> Option<PathBuf> {
    let folder = built("bench", "python");
    let python = folder.join("bin/python");
    let works = || {
        let mut command = Command::new(&python);
        command.args(["-c", &format!("import {module}")]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if works() {
        return Some(python);
    }
    if !exists("python3") {
        println!("python3 is not installed: {what} is left out.");
        return None;
    }
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    let install = ["-m", "pip", "install", "--quiet"];
    let installed = made.and_then(|()| run(Command::new(&python).args(install).args(packages)));
    if let Err(why) = installed {
        println!("{} cannot be installed ({why}): {what} is left out.", packages.join(", "));
        return None;
    }
    Some(python)
}
