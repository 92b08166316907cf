//! `offhook` itself, from outside: command line and control API.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::running::{Running, last};
use crate::{programs, sound, until};

/// How a client is started.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// `ADDR:PORT`
    pub name_server: Option<String>,
    /// Trusted authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// What it says: an audio input; 440 Hz without one.
    pub input: Option<String>,
    /// `--log`
    pub log: Option<&'static str>,
    /// `--hosts`, each as `NAME[:PORT]=ADDR[:PORT]`.
    pub hosts: Vec<String>,
    /// `--bootstrap`
    pub bootstrap: Option<PathBuf>,
    /// What it finds in its environment.
    pub environment: Vec<(&'static str, String)>,
}

impl Setup {
    /// The same as words of a command line.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![];
        if let Some(server) = &self.name_server {
            words.extend(["--name-server".into(), server.into()]);
        }
        if let Some(file) = &self.ca_file {
            words.extend(["--ca-file".into(), file.into()]);
        }
        for entry in &self.hosts {
            words.extend(["--hosts".into(), entry.into()]);
        }
        if let Some(file) = &self.bootstrap {
            words.extend(["--bootstrap".into(), file.into()]);
        }
        words
    }
}

/// The program, with nothing of the tester's environment that would change what it does.
pub fn offhook() -> Command {
    let mut command = Command::new(programs::own("OFFHOOK_TEST_PROGRAM", "offhook"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("OFFHOOK_") && !text.starts_with("OFFHOOK_TEST_") {
            command.env_remove(name);
        }
    }
    // No message bus, no proxy: what the tester's own desktop keeps is nobody's business.
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    command.env("GSETTINGS_BACKEND", "memory").env_remove("XDG_CURRENT_DESKTOP");
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.stdin(Stdio::null());
    command
}

/// Runs `offhook doctor ADDRESS --json`; returns its exit status and what it printed.
///
/// # Panics
/// It does not run, or prints no JSON.
#[track_caller]
pub fn doctor(
    profile: &Path,
    setup: &Setup,
    address: &str,
    password: &str,
) -> (i32, Value, Output) {
    let mut command = offhook();
    command.args(["doctor", address, "--json", "--profile"]).arg(profile);
    command.args(setup.arguments()).env("OFFHOOK_PASSWORD", password);
    command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
    let output = command.output().expect("the doctor runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let Ok(diagnosis) = serde_json::from_str(&said) else {
        panic!(
            "the doctor prints no JSON but {said:?} {:?}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    (output.status.code().unwrap_or(-1), diagnosis, output)
}

/// A running client, without a window or with one.
pub struct Client {
    /// Its profile.
    pub profile: PathBuf,
    /// What it played.
    pub heard: PathBuf,
    /// The program.
    pub running: Running,
    events: Arc<Mutex<Vec<Value>>>,
    watch: Running,
}

impl Client {
    /// Starts a client on the profile `folder/NAME` and waits until it can be spoken to.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, name: &str, setup: &Setup) -> Self {
        Self::open(folder, name, setup, &["--headless"])
    }

    /// Starts a client with a window; the setup's environment says where.
    ///
    /// # Panics
    /// It does not start.
    pub fn window(folder: &Path, name: &str, setup: &Setup) -> Self {
        Self::open(folder, name, setup, &[])
    }

    fn open(folder: &Path, name: &str, setup: &Setup, words: &[&str]) -> Self {
        let own = folder.join(name);
        std::fs::create_dir_all(&own).expect("a folder for the client");
        let (profile, heard) = (own.join("profile"), own.join("heard.wav"));
        let mut command = offhook();
        command.args(words).arg("--profile").arg(&profile).args(setup.arguments());
        let input = setup.input.clone().unwrap_or_else(|| "tone:440".to_owned());
        command.args(["--audio-input", &input, "--ringer-output", "null"]);
        command.arg("--audio-output").arg(format!("file:{}", heard.display()));
        if let Some(level) = setup.log {
            command.args(["--log", level]);
        }
        command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
        let mut running = Running::start("offhook", &mut command, &own);
        running.ready(60, || try_ctl(&profile, "session.state", &Value::Null).0 == 0);
        let (watch, events) = watch(&profile, &own);
        Self { profile, heard, running, events, watch }
    }

    /// One control call: exit status, and what was printed.
    ///
    /// # Panics
    /// It prints no JSON.
    pub fn ctl(&self, method: &str, params: Value) -> (i32, Value) {
        try_ctl(&self.profile, method, &params)
    }

    /// One control call that has to succeed.
    ///
    /// # Panics
    /// It fails.
    #[track_caller]
    pub fn must(&self, method: &str, params: Value) -> Value {
        let (status, answer) = self.ctl(method, params.clone());
        assert!(status == 0, "{method} {params} ended with {status}: {answer}");
        answer
    }

    /// `session.state`
    #[track_caller]
    pub fn session(&self) -> Value {
        self.must("session.state", Value::Null)
    }

    /// Begins to sign in.
    #[track_caller]
    pub fn begin_sign_in(&self, address: &str, password: &str) {
        self.must("session.signIn", json!({ "address": address, "password": password }));
    }

    /// Signs in, and waits until these services (`im`, `phone`) are ready.
    ///
    /// # Panics
    /// It fails, or takes too long.
    #[track_caller]
    pub fn sign_in(&self, address: &str, password: &str, services: &[&str]) -> Value {
        self.begin_sign_in(address, password);
        let ready = |session: &Value| {
            session["state"] == "signedIn"
                && services.iter().all(|name| session["services"][name]["state"] == "ready")
        };
        let mut seen = Value::Null;
        let done = crate::attempt(60, || {
            seen = self.session();
            (ready(&seen) || seen["state"] == "failed").then_some(())
        });
        assert!(
            done.is_some() && ready(&seen),
            "{address} is not signed in with {services:?}: {seen:#}\n{}",
            last(&self.running.words(), 2_000)
        );
        seen
    }

    /// Signs in where that has to fail; the problem.
    ///
    /// # Panics
    /// It does not fail.
    #[track_caller]
    pub fn fail_to_sign_in(&self, address: &str, password: &str) -> Value {
        self.begin_sign_in(address, password);
        let session = self.until_session("failed", |it| it["state"] == "failed");
        session["error"].clone()
    }

    /// Waits until the session looks like this.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn until_session(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Value::Null;
        let found = crate::attempt(60, || {
            seen = self.session();
            fits(&seen).then(|| seen.clone())
        });
        found.unwrap_or_else(|| panic!("the session never was {what}; it is {seen:#}"))
    }

    /// Everything that `ctl watch` printed so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many events there are, to look only at later ones.
    pub fn count(&self) -> usize {
        self.events().len()
    }

    /// Waits for an event after `since`.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn until_event(&self, what: &str, since: usize, fits: impl Fn(&Value) -> bool) -> Value {
        let find = || self.events().into_iter().skip(since).find(|event| fits(event));
        crate::attempt(40, find).unwrap_or_else(|| {
            let seen: Vec<String> =
                self.events().iter().skip(since).map(|it| last(&it.to_string(), 600)).collect();
            panic!("there was no event \"{what}\"; there were:\n{}", last(&seen.join("\n"), 6_000))
        })
    }

    /// Waits for a call to reach a state.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn until_call(&self, id: &str, state: &str, since: usize) -> Value {
        self.until_event(&format!("call {id} is {state}"), since, |it| {
            it["type"] == "call" && it["id"] == id && it["state"] == state
        })
    }

    /// Waits for somebody to call; the call's id.
    ///
    /// # Panics
    /// Nobody does.
    #[track_caller]
    pub fn until_called(&self, since: usize) -> String {
        let call = self.until_event("somebody calls", since, |it| {
            it["type"] == "call" && it["state"] == "incoming"
        });
        call["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits for a call's end; the last event.
    ///
    /// # Panics
    /// It goes on, or ended for another cause.
    #[track_caller]
    pub fn until_ended(&self, id: &str, cause: &str, since: usize) -> Value {
        let end = self.until_call(id, "ended", since);
        assert_eq!(end["cause"], cause, "{end}");
        end
    }

    /// Sends a chat message and waits until it has got this far (`sent`, `delivered`).
    ///
    /// # Panics
    /// It has not.
    #[track_caller]
    pub fn say(&self, to: &str, body: &str, far: &str) -> String {
        let since = self.count();
        let answer = self.must("chat.send", json!({ "to": to, "body": body }));
        let id = answer["id"].as_str().expect("chat.send gives an id").to_owned();
        self.until_event(&format!("\"{body}\" is {far}"), since, |it| {
            it["type"] == "chat" && it["id"] == id.as_str() && it["state"] == far
        });
        id
    }

    /// Waits for a message with this text after `since`.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn until_message(&self, from: &str, body: &str, since: usize) -> Value {
        self.until_event(&format!("{from} writes \"{body}\""), since, |it| {
            it["type"] == "chat" && it["from"] == from && it["body"] == body
        })
    }

    /// Dials; the call's id.
    ///
    /// # Panics
    /// It is refused.
    #[track_caller]
    pub fn dial(&self, to: &str) -> String {
        let answer = self.must("call.dial", json!({ "to": to }));
        answer["id"].as_str().expect("call.dial gives an id").to_owned()
    }

    /// One stream of `call.stats`: `send` or `receive`. Waits for it: the sound may begin after the
    /// call, and a machine that is busy answers without figures now and then.
    ///
    /// # Panics
    /// There is none within a minute.
    #[track_caller]
    pub fn stream(&self, id: &str, direction: &str) -> Value {
        crate::until(&format!("call {id} has a stream {direction}"), 60, || {
            let stats = self.must("call.stats", json!({ "id": id }));
            let streams = stats["streams"].as_array().cloned().unwrap_or_default();
            streams.into_iter().find(|it| it["direction"] == direction)
        })
    }

    /// How much it has played so far, in seconds, to measure only what comes later.
    pub fn played(&self) -> f64 {
        if self.heard.is_file() { sound::read(&self.heard).seconds() } else { 0.0 }
    }

    /// Waits for a tone in what it plays after that moment; see [`sound::Recording::tone`].
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn expect_heard(&self, since: f64, hertz: f64, level: f64, seconds: f64) -> sound::Tone {
        until("the client's recording", 20, || self.heard.is_file().then_some(()));
        let heard = || sound::read(&self.heard).after(since);
        crate::attempt(30, || heard().tone(hertz, level, seconds).ok())
            .unwrap_or_else(|| heard().expect_tone("offhook", hertz, level, seconds))
    }

    /// Waits until tones at these levels (hertz, dB) are all that it plays, each a good part of it.
    ///
    /// # Panics
    /// They are not heard together, or more than they are.
    #[track_caller]
    pub fn expect_together(&self, since: f64, tones: &[(f64, f64)]) {
        let mut heard = Vec::new();
        let together = crate::attempt(60, || {
            let all = sound::read(&self.heard);
            // A stretch that moves on: what stuttered is soon out of it.
            let recent = all.after(since.max(all.seconds() - 2.5));
            heard = tones.iter().map(|(hertz, _)| recent.find(*hertz)).collect();
            let found: Vec<&sound::Tone> = heard.iter().flatten().collect();
            let loud = |(tone, (_, level)): (&&sound::Tone, &(f64, f64))| {
                tone.share > 0.2 && (tone.level - level).abs() < 2.0
            };
            (found.len() == tones.len()
                && found.iter().zip(tones).all(loud)
                && found.iter().map(|tone| tone.share).sum::<f64>() > 0.9)
                .then_some(())
        });
        assert!(together.is_some(), "{tones:?} are not heard together: {heard:?}");
    }

    /// Everything it has printed and every event.
    pub fn words(&self) -> String {
        let events: Vec<String> = self.events().iter().map(Value::to_string).collect();
        self.running.words() + &events.join("\n") + &self.watch.words()
    }

    /// Ends it by SIGTERM; its exit status.
    pub fn end(&mut self) -> Option<i32> {
        self.running.end().and_then(|status| status.code())
    }
}

/// One control call to whoever runs on a profile.
///
/// # Panics
/// It prints something that is no JSON.
fn try_ctl(profile: &Path, method: &str, params: &Value) -> (i32, Value) {
    let mut command = offhook();
    command.args(["ctl", "--profile"]).arg(profile).arg(method);
    if !params.is_null() {
        command.arg(params.to_string());
    }
    let output = command.output().expect("offhook ctl runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let answer = match said.trim() {
        "" => Value::String(String::from_utf8_lossy(&output.stderr).into_owned()),
        text => serde_json::from_str(text).expect("offhook ctl prints JSON"),
    };
    (output.status.code().unwrap_or(-1), answer)
}

fn watch(profile: &Path, folder: &Path) -> (Running, Arc<Mutex<Vec<Value>>>) {
    let mut command = offhook();
    command.args(["ctl", "--profile"]).arg(profile).arg("watch");
    let mut running = Running::start_piped("watch", &mut command, folder);
    let output = running.take_output().expect("its output");
    let events: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = Arc::clone(&events);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Ok(value) = serde_json::from_str(&line) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(value);
            }
        }
    });
    // It says nothing when it is connected; events before that are seen in session.state.
    crate::running::pause(0.2);
    (running, events)
}
