//! `offhook-lab`, from outside.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::running::Running;
use crate::{programs, until};

/// A running laboratory.
pub struct Lab {
    /// What it printed first: where everything listens and who exists.
    pub info: Value,
    events: Arc<Mutex<Vec<Value>>>,
    input: Mutex<Option<ChildStdin>>,
    _running: Running,
}

impl Lab {
    /// `offhook-lab list --json`: scenarios and faults.
    ///
    /// # Panics
    /// It prints no JSON.
    pub fn list() -> Value {
        let mut command = Command::new(programs::own("OFFHOOK_TEST_LAB", "offhook-lab"));
        let output = command.args(["list", "--json"]).output().expect("the laboratory lists");
        serde_json::from_slice(&output.stdout).expect("the laboratory's list")
    }

    /// Starts the `on-prem` scenario with these faults and this TOML text as configuration.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, faults: &[&str], config: &str) -> Self {
        Self::scenario(folder, "on-prem", faults, config)
    }

    /// Starts any scenario with these faults and this TOML text as configuration.
    ///
    /// # Panics
    /// It does not start.
    pub fn scenario(folder: &Path, scenario: &str, faults: &[&str], config: &str) -> Self {
        let command = Command::new(programs::own("OFFHOOK_TEST_LAB", "offhook-lab"));
        Self::run(folder, (scenario, faults, config), command, |_| {})
    }

    /// Starts `on-prem` in a network namespace of its own, at the other end of a cable: `link` is a
    /// device of ours that moves there, `words` are for `ip` there.
    ///
    /// # Panics
    /// It does not start.
    pub fn beyond(folder: &Path, config: &str, link: &str, words: &[&str]) -> Self {
        let words: String = words.iter().map(|words| format!("ip {words} && ")).collect();
        let script = format!(
            "until ip link show {link} >/dev/null 2>&1; do sleep 0.1; done; {words} exec \"$@\""
        );
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", &script, "sh"]);
        command.arg(programs::own("OFFHOOK_TEST_LAB", "offhook-lab"));
        Self::run(folder, ("on-prem", &[], config), command, |id| {
            // It may not be there yet when the device is to move; then nothing happens.
            until("the device moves", 30, || {
                let ip = |words: &[&str]| Command::new("ip").args(words).output();
                let _ = ip(&["link", "set", link, "netns", &id.to_string()]);
                let here = ip(&["link", "show", link]);
                here.is_ok_and(|output| !output.status.success()).then_some(())
            });
        })
    }

    fn run(
        folder: &Path,
        (scenario, faults, config): (&str, &[&str], &str),
        mut command: Command,
        begun: impl FnOnce(u32),
    ) -> Self {
        let folder = folder.join(format!("lab-{scenario}{}", faults.join("-")));
        std::fs::create_dir_all(&folder).expect("a folder for the laboratory");
        let file = folder.join("lab.toml");
        std::fs::write(&file, config).expect("a configuration file");
        command.args(["up", "--json", "--scenario", scenario, "--config"]).arg(&file);
        command.arg("--state").arg(folder.join("state"));
        for fault in faults {
            command.args(["--fault", fault]);
        }
        let mut running = Running::start_piped("lab", &mut command, &folder);
        begun(running.id());
        let input = Mutex::new(running.take_input());
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
        running.ready(30, || !kept_is_empty(&events));
        let info = events.lock().unwrap_or_else(PoisonError::into_inner)[0].clone();
        Self { info, events, input, _running: running }
    }

    /// Shows the name server's other view, in `edge-roaming`: `inside` or `outside`.
    ///
    /// # Panics
    /// It takes no words.
    pub fn view(&self, view: &str) {
        self.tell(view);
    }

    /// Says a word about the nodes of IM and Presence, where there are two of them: see docs/lab.md.
    ///
    /// # Panics
    /// It takes no words.
    pub fn tell(&self, word: &str) {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let input = input.as_mut().expect("its input");
        writeln!(input, "{word}").and_then(|()| input.flush()).expect("the word is taken");
    }

    /// `ADDR:PORT` of its name server.
    pub fn name_server(&self) -> String {
        self.info["nameServer"].as_str().unwrap_or_default().to_owned()
    }

    /// Its authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.info["caFile"].as_str().unwrap_or_default().into()
    }

    /// `--hosts` entries that put its ports in the place of those of the field.
    pub fn hosts(&self) -> Vec<String> {
        let entries = self.info["hosts"].as_array().cloned().unwrap_or_default();
        entries.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
    }

    /// The port of one of its services, by the name in its table.
    ///
    /// # Panics
    /// There is no such service.
    pub fn port(&self, service: &str) -> u16 {
        let at = self.info["services"][service].as_str().unwrap_or_default();
        at.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a service's port")
    }

    /// Everything that happened in it.
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How much has happened, to look only at later things.
    pub fn count(&self) -> usize {
        self.events().len()
    }

    /// Waits for an event of a type that came after `since`.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn until_event(&self, kind: &str, since: usize) -> Value {
        until(&format!("the laboratory reports {kind}"), 40, || {
            self.events().into_iter().skip(since).find(|event| event["type"] == kind)
        })
    }
}

fn kept_is_empty(events: &Mutex<Vec<Value>>) -> bool {
    events.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
}
