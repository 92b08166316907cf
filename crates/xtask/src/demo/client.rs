//! The client as the demo drives it: through the control API, as any script would.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Lab, User};
use crate::process::{Running, built};

/// Nothing in the demo should take longer; after it something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running client with an ear on its events.
pub struct Client {
    running: Running,
    profile: PathBuf,
    events: Option<(Running, Receiver<(Instant, Value)>)>,
}

impl Client {
    /// Without a window.
    pub fn headless(lab: &Lab, profile: &Path, more: &[String]) -> Result<Self, String> {
        let mut words = vec!["--headless".to_owned()];
        words.extend_from_slice(more);
        Self::start(lab, profile, &words, &[])
    }

    /// With a window.
    pub fn window(lab: &Lab, profile: &Path, env: &[(&str, String)]) -> Result<Self, String> {
        Self::start(lab, profile, &[], env)
    }

    fn start(
        lab: &Lab,
        profile: &Path,
        more: &[String],
        env: &[(&str, String)],
    ) -> Result<Self, String> {
        let mut command = Command::new(built("debug", "offhook"));
        command.arg("--profile").arg(profile);
        command.args(["--name-server", lab.text("nameServer"), "--ca-file", lab.text("caFile")]);
        command.args(more).envs(env.iter().map(|(name, value)| (name, value)));
        let running = Running::start("offhook", &mut command)?;
        Ok(Self { running, profile: profile.to_owned(), events: None })
    }

    fn ctl(&self) -> Command {
        let mut command = Command::new(built("debug", "offhook"));
        command.args(["ctl", "--profile"]).arg(&self.profile);
        command
    }

    /// Waits until the control API answers.
    pub fn wait_ready(&mut self) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let answer = self.ctl().arg("session.state").stderr(Stdio::null()).output();
            if answer.is_ok_and(|out| out.status.success()) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("the client does not answer on its control socket".into())
    }

    /// Listens to events from now on.
    pub fn listen(&mut self) -> Result<(), String> {
        let mut watch = Running::start("offhook ctl watch", self.ctl().arg("watch"))?;
        let lines = watch.take_lines().ok_or("no output")?;
        let (sender, receiver) = sync_channel(1_024);
        std::thread::spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                if let Ok(event) = serde_json::from_str(&line)
                    && sender.send((Instant::now(), event)).is_err()
                {
                    return;
                }
            }
        });
        self.events = Some((watch, receiver));
        // The watch is connected when it has its socket; a call on another one comes after it.
        std::thread::sleep(Duration::from_millis(200));
        Ok(())
    }

    /// One control call.
    pub fn call(&self, method: &str, params: &Value) -> Result<Value, String> {
        let out = self
            .ctl()
            .arg(method)
            .arg(params.to_string())
            .output()
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&out.stdout);
        if !out.status.success() {
            return Err(format!("{method} failed: {}", text.trim()));
        }
        serde_json::from_str(&text).map_err(|error| format!("{method}: {error}"))
    }

    /// The next event for which `of` is true, and when it came.
    pub fn event(
        &self,
        what: &str,
        of: impl Fn(&Value) -> bool,
    ) -> Result<(Instant, Value), String> {
        let (_, receiver) = self.events.as_ref().ok_or("nobody listens")?;
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left) {
                Ok((at, event)) if of(&event) => return Ok((at, event)),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Err(format!("waited in vain for {what}")),
                Err(RecvTimeoutError::Disconnected) => return Err("the client ended".into()),
            }
        }
    }

    /// Signs in and waits until chat and phone are ready; gives the last state.
    pub fn sign_in(&mut self, user: &User) -> Result<Value, String> {
        let wish = json!({ "address": user.address, "password": user.password });
        self.call("session.signIn", &wish)?;
        let until = Instant::now() + PATIENCE;
        loop {
            let state = self.call("session.state", &json!({}))?;
            let ready = |service: &str| state["services"][service]["state"] == "ready";
            if state["state"] == "signedIn" && ready("im") && ready("phone") {
                return Ok(state);
            }
            if state["state"] == "failed" || Instant::now() > until {
                return Err(format!("sign-in did not come through: {state}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a user would, and waits.
    pub fn quit(mut self) -> Result<(), String> {
        self.call("session.quit", &json!({}))?;
        self.running.wait(PATIENCE)
    }

    /// Waits until it is ended by its user.
    pub fn wait_end(&mut self) -> Result<(), String> {
        self.running.wait(Duration::from_secs(u64::from(u32::MAX)))
    }
}
