//! `offhook` that is killed again and again (SIGKILL) and started on the same profile.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Setup, offhook};
use crate::line::{Line, Said};
use crate::running::Running;

/// How often it is asked how the sign-in goes.
const LOOK: Duration = Duration::from_millis(300);

/// The program, its profile, and who is signed in.
pub struct Survivor {
    /// Its profile.
    pub profile: PathBuf,
    own: PathBuf,
    setup: Setup,
    address: String,
    password: String,
    running: Option<Running>,
    line: Option<Line>,
    /// Whoever was to kill the program that runs need not any more.
    spared: Arc<AtomicBool>,
    lives: u32,
    /// It was told to sign in.
    told: bool,
    looked: Instant,
    /// Sign-ins that failed in words and were asked for again.
    pub refused: u32,
}

impl Survivor {
    /// Nothing runs yet.
    ///
    /// # Panics
    /// The folder cannot be made.
    pub fn new(folder: &Path, name: &str, setup: Setup, address: &str, password: &str) -> Self {
        let own = folder.join(name);
        std::fs::create_dir_all(&own).expect("a folder for the client");
        Self {
            profile: own.join("profile"),
            own,
            setup,
            address: address.to_owned(),
            password: password.to_owned(),
            running: None,
            line: None,
            spared: Arc::default(),
            lives: 0,
            told: false,
            looked: Instant::now(),
            refused: 0,
        }
    }

    /// Starts it; it is killed after that time, whatever it does then.
    pub fn start(&mut self, life: Option<Duration>) {
        self.lives += 1;
        let mut command = offhook();
        command.arg("--headless").arg("--profile").arg(&self.profile);
        command.args(self.setup.arguments());
        command.args(["--audio-input", "silence", "--audio-output", "null"]);
        command.args(["--ringer-output", "null"]);
        if let Some(level) = self.setup.log {
            command.args(["--log", level]);
        }
        command.envs(self.setup.environment.iter().map(|(name, value)| (name, value)));
        let running = Running::start(&format!("offhook-{}", self.lives), &mut command, &self.own);
        self.spared = Arc::default();
        if let Some(life) = life {
            kill_later(running.id(), life, &self.spared);
        }
        (self.running, self.told) = (Some(running), false);
    }

    /// Whether it was killed. It is buried then.
    ///
    /// # Panics
    /// It ended by itself.
    pub fn is_dead(&mut self) -> bool {
        let Some(running) = &mut self.running else { return true };
        if running.is_running() {
            return false;
        }
        self.spared.store(true, Ordering::Relaxed);
        let status = running.end().expect("it has ended");
        assert_eq!(signal_of(status), Some(9), "it ended by itself:\n{}", running.words());
        (self.running, self.line) = (None, None);
        true
    }

    /// Sees to it that it signs in. Nothing while it cannot be asked.
    pub fn tend(&mut self) -> Option<()> {
        if self.line.is_none() {
            self.line = Line::open(&self.profile);
        }
        if !self.told || self.looked.elapsed() > LOOK {
            self.sign_in()?;
        }
        Some(())
    }

    /// One call, once it was told to sign in. Nothing while it cannot be asked.
    pub fn call(&mut self, method: &str, params: &Value) -> Option<Said> {
        self.tend()?;
        let said = self.line.as_mut()?.call(method, params);
        if matches!(said, Said::Nothing) {
            self.line = None;
        }
        Some(said)
    }

    fn sign_in(&mut self) -> Option<()> {
        self.looked = Instant::now();
        let line = self.line.as_mut()?;
        let state = match line.call("session.state", &Value::Null) {
            Said::Yes(state) => state,
            Said::No(_) | Said::Nothing => {
                self.line = None;
                return None;
            }
        };
        let failed = state["state"] == "failed";
        if !self.told || failed {
            self.refused += u32::from(self.told);
            let who = json!({ "address": self.address, "password": self.password });
            match line.call("session.signIn", &who) {
                Said::Yes(_) => self.told = true,
                // It signs in by itself.
                Said::No(_) => self.told = !failed,
                Said::Nothing => self.line = None,
            }
        }
        Some(())
    }

    /// Ends it by SIGTERM; its exit status.
    pub fn end(&mut self) -> Option<i32> {
        self.line = None;
        self.spared.store(true, Ordering::Relaxed);
        self.running.take().and_then(|mut running| running.end()).and_then(|it| it.code())
    }

    /// What it printed in this life.
    pub fn words(&self) -> String {
        self.running.as_ref().map(Running::words).unwrap_or_default()
    }
}

impl Drop for Survivor {
    fn drop(&mut self) {
        self.end();
    }
}

/// The id is nobody else's until the process is buried, and it is spared before that.
fn kill_later(id: u32, life: Duration, spared: &Arc<AtomicBool>) {
    let spared = Arc::clone(spared);
    std::thread::spawn(move || {
        std::thread::sleep(life);
        if !spared.load(Ordering::Relaxed) {
            let id = id.to_string();
            let _ = Command::new("kill").args(["-KILL", &id]).stderr(Stdio::null()).status();
        }
    });
}

fn signal_of(status: std::process::ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}
