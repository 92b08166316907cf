//! A chat server that says whatever a test wants, however wrong: a script of ours in Python, which
//! shares nothing with the client.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::pki::Identity;
use crate::running::Running;
use crate::{free_port, programs};

/// It lets everybody in who offers a password by TLS, as `alice`.
pub struct HostileServer {
    /// Port with TLS from the first byte.
    pub port: u16,
    input: ChildStdin,
    events: Arc<Mutex<Vec<Value>>>,
    _running: Running,
}

impl HostileServer {
    /// Starts it.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, domain: &str, identity: &Identity) -> Self {
        let script = folder.join("hostile_server.py");
        std::fs::write(&script, include_str!("../fixtures/hostile_server.py")).expect("a script");
        let port = free_port();
        let mut command = Command::new(programs::python().expect("a Python"));
        command.arg(&script).arg(port.to_string());
        command.arg(&identity.certificate).arg(&identity.key).arg(domain);
        let mut running = Running::start_piped("hostile-server", &mut command, folder);
        let input = running.take_input().expect("its input");
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
        let server = Self { port, input, events, _running: running };
        server.until("is ready", |it| it["event"] == "ready");
        server
    }

    /// Writes these pieces to the newest connection, each as the script's head says.
    pub fn say(&mut self, pieces: &[Value]) {
        let wish = json!({ "do": "say", "pieces": pieces });
        writeln!(self.input, "{wish}").expect("the server reads commands");
    }

    /// Everything it has reported so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a report.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn until(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let found = crate::attempt(60, || self.events().into_iter().find(|event| fits(event)));
        found.unwrap_or_else(|| panic!("the server never reported that it {what}"))
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.events().iter().filter(|it| it["event"] == "connected").count()
    }
}
