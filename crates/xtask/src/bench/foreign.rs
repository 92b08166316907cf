//! Other chat clients as peers, each with a home of its own, signed in by itself.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::display::Display;
use super::post::{DOMAIN, PASSWORD, Post};
use super::stage::{home, until};
use super::usage::family;
use crate::packages::exists;
use crate::process::Running;

/// Debian's Python, which its packages of libraries belong to.
const PYTHON: &str = "/usr/bin/python3";
/// Nobody (Debian): Gajim refuses to run as root.
const NOBODY: u32 = 65_534;

/// Which client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In a terminal.
    Profanity,
    /// With a window.
    Gajim,
    /// A library without any user interface, that keeps nothing.
    Slixmpp,
}

/// A client that was started.
pub struct Foreign {
    /// The process that counts.
    pub pid: u32,
    /// How many people are on its contact list, where it tells.
    pub contacts: Option<usize>,
    _running: Running,
    _display: Option<Display>,
}

impl Kind {
    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Profanity => "profanity",
            Self::Gajim => "gajim",
            Self::Slixmpp => "slixmpp",
        }
    }

    /// Starts it on an account; nothing, and a sentence, when it is not installed.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(
        self,
        post: &Post,
        folder: &Path,
        account: &str,
    ) -> Result<Option<Foreign>, String> {
        if !self.is_here() {
            println!("{} is not installed: its column is left out.", self.name());
            return Ok(None);
        }
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        match self {
            Self::Profanity => profanity(post, folder, account),
            Self::Gajim => gajim(post, folder, account),
            Self::Slixmpp => slixmpp(post, folder, account),
        }
        .map(Some)
    }

    fn is_here(self) -> bool {
        let imports = |module: &str| {
            let mut command = Command::new(PYTHON);
            command.args(["-c", &format!("import {module}")]);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        match self {
            Self::Profanity => exists("profanity") && Path::new(PYTHON).is_file(),
            Self::Gajim => exists("gajim") && exists("dbus-run-session") && exists("Xvfb"),
            Self::Slixmpp => imports("slixmpp"),
        }
    }
}

impl Drop for Foreign {
    /// What started it (a terminal, a session bus) would end without it: it goes first.
    fn drop(&mut self) {
        let signal = |name: &str| {
            let mut command = Command::new("kill");
            command.args([name, &self.pid.to_string()]).stderr(Stdio::null());
            let _ = command.status();
        };
        let gone = || {
            let status = fs::read_to_string(format!("/proc/{}/stat", self.pid));
            status.map_or(true, |status| status.contains(") Z "))
        };
        signal("-TERM");
        for _ in 0..100 {
            if gone() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        signal("-KILL");
    }
}

fn profanity(post: &Post, folder: &Path, account: &str) -> Result<Foreign, String> {
    let address = format!("{account}@{DOMAIN}");
    let own = folder.join("home/data/profanity");
    let script = file(folder, "terminal.py", include_str!("foreign/terminal.py"))?;
    fs::create_dir_all(&own).map_err(|error| error.to_string())?;
    // "trust" takes any certificate: checking it is a few hundred microseconds in its favour.
    let accounts = format!(
        "[{address}]\nenabled=true\njid={address}\nresource=bench\npassword={PASSWORD}\n\
         server=127.0.0.1\nport={}\ntls.policy=trust\npresence.last=online\n\
         presence.login=online\n",
        post.port
    );
    file(&own, "accounts", &accounts)?;
    let mut command = Command::new(PYTHON);
    command.arg(script).args(["profanity", "-a", &address]);
    home(&mut command, folder, None)?;
    command.env("TERM", "xterm");
    let mut running = Running::start("profanity", &mut command)?;
    let pid = running.json()?.as_u64().and_then(|pid| u32::try_from(pid).ok());
    Ok(Foreign { pid: pid.ok_or("no process")?, _running: running, _display: None, contacts: None })
}

fn gajim(post: &Post, folder: &Path, account: &str) -> Result<Foreign, String> {
    let address = format!("{account}@{DOMAIN}");
    let display = Display::start(folder)?;
    let script = file(folder, "gajim.py", include_str!("foreign/gajim.py"))?;
    let mut write = Command::new(PYTHON);
    write.arg(script).arg(folder.join("home/config/gajim"));
    let written = write.args([&address, PASSWORD, &post.port.to_string()]).status();
    if !written.is_ok_and(|status| status.success()) {
        return Err("the settings of gajim cannot be written".into());
    }
    let store = folder.join("home/data/gajim/cert_store");
    fs::create_dir_all(&store).map_err(|error| error.to_string())?;
    fs::copy(&post.certificate, store.join("bench")).map_err(|error| error.to_string())?;
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "gajim"]);
    home(&mut command, folder, Some(&display.name))?;
    // Its painting without OpenGL is its best figure.
    command.env("GSK_RENDERER", "cairo");
    let place = folder.join("home");
    if fs::metadata(&place).is_ok_and(|about| owner(&about) == 0) {
        hand_over(&place).map_err(|error| error.to_string())?;
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    let mut running = Running::start("gajim", &mut command)?;
    if let Some(mut lines) = running.take_lines() {
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    }
    let pid = until("gajim", || Ok(named(running.id(), "gajim")))?;
    Ok(Foreign { pid, contacts: None, _running: running, _display: Some(display) })
}

fn slixmpp(post: &Post, folder: &Path, account: &str) -> Result<Foreign, String> {
    let script = file(folder, "slix.py", include_str!("foreign/slix.py"))?;
    let mut command = Command::new(PYTHON);
    command.arg(script).args([&format!("{account}@{DOMAIN}"), PASSWORD, &post.port.to_string()]);
    command.arg(&post.authority);
    home(&mut command, folder, None)?;
    let mut running = Running::start("slixmpp", &mut command)?;
    let said = running.json()?;
    let contacts = said["contacts"].as_u64().and_then(|count| usize::try_from(count).ok());
    Ok(Foreign { pid: running.id(), contacts, _running: running, _display: None })
}

fn file(folder: &Path, name: &str, text: &str) -> Result<std::path::PathBuf, String> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|error| format!("{name}: {error}"))?;
    Ok(path)
}

/// The process of this name among a process and its descendants.
fn named(pid: u32, name: &str) -> Option<u32> {
    let is = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
    };
    family(pid).into_iter().find(is)
}

fn owner(about: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(about)
}

/// Gives a folder and everything in it to nobody.
fn hand_over(path: &Path) -> std::io::Result<()> {
    chown(path, Some(NOBODY), Some(NOBODY))?;
    if path.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(path)? {
            hand_over(&entry?.path())?;
        }
    }
    Ok(())
}
