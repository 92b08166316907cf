//! The control API over its socket, as a script has it that does not start a program for each call.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the program that runs on a profile.
pub struct Line {
    to: UnixStream,
    from: BufReader<UnixStream>,
    calls: u64,
}

/// How a call ended.
#[derive(Debug)]
pub enum Said {
    /// With a result.
    Yes(Value),
    /// With an error.
    No(Value),
    /// The program was gone before it answered: what was asked was done, or not.
    Nothing,
}

impl Line {
    /// Connects; nothing while nobody listens.
    pub fn open(profile: &Path) -> Option<Self> {
        let to = UnixStream::connect(profile.join("run").join("control.sock")).ok()?;
        to.set_read_timeout(Some(PATIENCE)).ok()?;
        let from = BufReader::new(to.try_clone().ok()?);
        Some(Self { to, from, calls: 0 })
    }

    /// One call. Events that come meanwhile are passed over.
    pub fn call(&mut self, method: &str, params: &Value) -> Said {
        self.calls += 1;
        let id = self.calls;
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_null() {
            request["params"] = params.clone();
        }
        if self.to.write_all(format!("{request}\n").as_bytes()).is_err() {
            return Said::Nothing;
        }
        loop {
            let mut line = String::new();
            if self.from.read_line(&mut line).unwrap_or(0) == 0 || !line.ends_with('\n') {
                return Said::Nothing;
            }
            let Ok(mut answer) = serde_json::from_str::<Value>(&line) else { continue };
            if answer["id"] != id {
                continue;
            }
            return match answer.get("error") {
                Some(error) => Said::No(error.clone()),
                None => Said::Yes(answer["result"].take()),
            };
        }
    }
}
