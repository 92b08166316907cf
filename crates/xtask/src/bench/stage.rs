//! A lab and clients, all as people will have them: built with optimisation.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{Running, Scratch, built};

/// Nothing before a measurement should take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The deployment that clients sign in to.
pub struct Lab {
    /// What it said of itself.
    pub info: Value,
    _running: Running,
}

impl Lab {
    /// Starts it.
    ///
    /// # Errors
    /// It does not start.
    pub fn up(scratch: &Scratch) -> Result<Self, String> {
        let mut command = Command::new(built("release", "offhook-lab"));
        command.args(["up", "--json", "--state"]).arg(scratch.0.join("lab"));
        let mut running = Running::start("offhook-lab", &mut command)?;
        let info = running.json()?;
        running.drain();
        Ok(Self { info, _running: running })
    }

    /// A member of what it said of itself.
    pub fn text(&self, key: &str) -> &str {
        self.info[key].as_str().unwrap_or_default()
    }

    /// Something of one of its users.
    pub fn user(&self, index: usize, key: &str) -> &str {
        self.info["users"][index][key].as_str().unwrap_or_default()
    }

    /// Something of one of its services.
    pub fn service(&self, name: &str) -> &str {
        self.info["services"][name].as_str().unwrap_or_default()
    }
}

/// Waits until something is there.
///
/// # Errors
/// It does not come in a minute.
pub fn until<T>(what: &str, look: impl FnMut() -> Result<Option<T>, String>) -> Result<T, String> {
    within(PATIENCE, what, look)
}

/// Waits so long until something is there.
///
/// # Errors
/// It does not come.
pub fn within<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>, String>,
) -> Result<T, String> {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > end {
            return Err(format!("waited in vain for {what}"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A client of ours.
pub struct Client {
    /// The program.
    pub running: Running,
    profile: PathBuf,
}

impl Client {
    /// Starts one on a profile of its own; with a window unless `more` says otherwise.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(
        lab: &Lab,
        profile: &Path,
        more: &[&str],
        display: Option<&str>,
    ) -> Result<Self, String> {
        let place = ["--name-server", lab.text("nameServer"), "--ca-file", lab.text("caFile")];
        Self::launch(profile, &[more, &place].concat(), display)
    }

    /// Starts one that knows of nothing but what `options` say.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn launch(profile: &Path, options: &[&str], display: Option<&str>) -> Result<Self, String> {
        Self::launch_with(profile, options, display, &[])
    }

    /// The same, with these in its environment.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn launch_with(
        profile: &Path,
        options: &[&str],
        display: Option<&str>,
        environment: &[(&str, PathBuf)],
    ) -> Result<Self, String> {
        let mut command = Command::new(built("release", "offhook"));
        command.arg("--profile").arg(profile).args(options);
        home(&mut command, profile, display)?;
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut running = Running::start("offhook", &mut command)?;
        running.drain();
        Ok(Self { running, profile: profile.to_owned() })
    }

    /// One control call.
    ///
    /// # Errors
    /// It failed.
    pub fn call(&self, method: &str, params: &Value) -> Result<Value, String> {
        let mut command = Command::new(built("release", "offhook"));
        command.args(["ctl", "--profile"]).arg(&self.profile).arg(method).arg(params.to_string());
        let out = command.stderr(Stdio::null()).output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&out.stdout);
        if !out.status.success() {
            return Err(format!("{method} failed: {}", text.trim()));
        }
        serde_json::from_str(&text).map_err(|error| format!("{method}: {error}"))
    }

    /// Starts watching events of this type.
    ///
    /// # Errors
    /// It cannot be watched.
    pub fn watch(&self, kind: &str) -> Result<Events, String> {
        let mut command = Command::new(built("release", "offhook"));
        command.args(["ctl", "--profile"]).arg(&self.profile).args(["watch", kind]);
        let mut running = Running::start("ctl watch", command.stderr(Stdio::null()))?;
        let lines = running.take_lines().ok_or("its output is not kept")?;
        let (send, events) = channel();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let Ok(event) = serde_json::from_str(&line) else { continue };
                if send.send((Instant::now(), event)).is_err() {
                    return;
                }
            }
        });
        Ok(Events { events, _running: running })
    }

    /// Sets whether our own voice is worked on (echo, noise, level) before it is sent.
    ///
    /// # Errors
    /// It cannot be set.
    pub fn work_on_voice(&self, on: bool) -> Result<(), String> {
        let sound = json!({ "echoCancellation": on, "noiseSuppression": on, "automaticGain": on });
        self.call("settings.set", &json!({ "sound": sound })).map(drop)
    }

    /// Signs in at a registrar that asks for nothing and is named by hand, for the phone alone, and
    /// waits until it is registered.
    ///
    /// # Errors
    /// It does not come through.
    pub fn phone_by_hand(&self, address: &str, registrar: &str) -> Result<(), String> {
        let nothing = json!({});
        until("the client's control socket", || Ok(self.call("session.state", &nothing).ok()))?;
        let server = format!("{registrar};transport=udp");
        self.call("session.setManual", &json!({ "accountType": "standard", "sipServer": server }))?;
        self.call("session.signIn", &json!({ "address": address, "password": "none" }))?;
        until("the phone", || {
            let state = self.call("session.state", &nothing)?;
            Ok((state["services"]["phone"]["state"] == "ready").then_some(()))
        })
    }

    /// Takes every call, until the client ends.
    ///
    /// # Errors
    /// Its control socket cannot be reached.
    pub fn take_calls(&self) -> Result<(), String> {
        let socket = UnixStream::connect(self.profile.join("run/control.sock"));
        let socket = socket.map_err(|error| error.to_string())?;
        let mut out = socket.try_clone().map_err(|error| error.to_string())?;
        std::thread::spawn(move || {
            for line in BufReader::new(socket).lines().map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                let told = &event["params"];
                if told["type"] == "call" && told["state"] == "incoming" {
                    let params = json!({ "id": told["id"] });
                    let wish = json!({
                        "jsonrpc": "2.0", "id": 1, "method": "call.answer", "params": params
                    });
                    if writeln!(out, "{wish}").is_err() {
                        return;
                    }
                }
            }
        });
        Ok(())
    }

    /// Signs in to a server of open standards that is named by hand, for chat alone, and waits until
    /// its contact list is here. When it was told to, and when the list was there.
    ///
    /// # Errors
    /// It does not come through.
    pub fn sign_in_by_hand(
        &self,
        address: &str,
        password: &str,
        server: &str,
    ) -> Result<(Instant, Instant), String> {
        let nothing = json!({});
        until("the client's control socket", || Ok(self.call("session.state", &nothing).ok()))?;
        let manual = json!({ "accountType": "standard", "xmppServer": server });
        self.call("session.setManual", &manual)?;
        let events = self.watch("roster")?;
        // The watch needs a moment, and its beginning is not answered.
        std::thread::sleep(Duration::from_millis(500));
        let begin = Instant::now();
        self.call("session.signIn", &json!({ "address": address, "password": password }))?;
        let whole = |event: &Value| event["item"].is_null() && event["removed"].is_null();
        let at = events.next(whole).ok_or_else(|| {
            let state = self.call("session.state", &nothing).unwrap_or_default();
            format!("waited in vain for the contact list: {state}")
        })?;
        Ok((begin, at))
    }

    /// How many people are on the contact list.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn contacts(&self) -> Result<usize, String> {
        let list = self.call("roster.list", &json!({}))?;
        Ok(list["items"].as_array().map_or(0, Vec::len))
    }

    /// Signs in as one of the lab's users and waits until chat and phone are ready.
    ///
    /// # Errors
    /// It does not come through.
    pub fn sign_in(&self, lab: &Lab, user: usize) -> Result<(), String> {
        self.sign_in_as(lab.user(user, "address"), lab.user(user, "password"))
    }

    /// The same with an address of one's own.
    ///
    /// # Errors
    /// Not accepted, or a service is not ready in time.
    pub fn sign_in_as(&self, address: &str, password: &str) -> Result<(), String> {
        let nothing = json!({});
        until("the client's control socket", || Ok(self.call("session.state", &nothing).ok()))?;
        let wish = json!({ "address": address, "password": password });
        self.call("session.signIn", &wish)?;
        until("chat and phone", || {
            let state = self.call("session.state", &nothing)?;
            let ready = |service: &str| state["services"][service]["state"] == "ready";
            if state["state"] == "failed" {
                return Err(format!("sign-in failed: {state}"));
            }
            Ok((state["state"] == "signedIn" && ready("im") && ready("phone")).then_some(()))
        })
    }
}

/// Events as they come.
pub struct Events {
    events: Receiver<(Instant, Value)>,
    _running: Running,
}

impl Events {
    /// When the next one came that fits; nothing when none does for a minute.
    pub fn next(&self, fits: impl Fn(&Value) -> bool) -> Option<Instant> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let (at, event) = self.events.recv_timeout(left).ok()?;
            if fits(&event) {
                return Some(at);
            }
        }
    }
}

/// A home that nobody has used, so that every program starts for the first time, and nothing of
/// the desktop of whoever measures takes part.
///
/// # Errors
/// The folders cannot be made.
pub fn home(command: &mut Command, folder: &Path, display: Option<&str>) -> Result<(), String> {
    let home = folder.join("home");
    std::fs::create_dir_all(home.join("run")).map_err(|error| error.to_string())?;
    command.env("HOME", &home).env("XDG_RUNTIME_DIR", home.join("run"));
    for (name, place) in
        [("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")]
    {
        command.env(name, home.join(place));
    }
    for name in ["WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "PULSE_SERVER", "DISPLAY"] {
        command.env_remove(name);
    }
    if let Some(display) = display {
        command.env("DISPLAY", display).env("LIBGL_ALWAYS_SOFTWARE", "1");
    }
    command.env("NO_AT_BRIDGE", "1").env("GTK_A11Y", "none").env("LC_ALL", "C.UTF-8");
    command.stderr(Stdio::null());
    Ok(())
}
