//! A chat client that is not ours: slixmpp, driven by JSON lines.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::running::Running;
use crate::{programs, until};

/// A running chat client.
pub struct XmppPeer {
    input: ChildStdin,
    events: Arc<Mutex<Vec<Value>>>,
    _running: Running,
}

impl XmppPeer {
    /// Signs in at the server on `port` (STARTTLS) and waits until it is in.
    ///
    /// # Panics
    /// It does not get in.
    pub fn start(folder: &Path, jid: &str, password: &str, port: u16, authority: &Path) -> Self {
        Self::run(
            folder,
            "xmpp_peer.py",
            &[jid, password, "127.0.0.1", &port.to_string()],
            authority,
        )
    }

    /// Likewise with a device for encryption between clients (python3-twomemo).
    ///
    /// # Panics
    /// It does not get in.
    pub fn start_omemo(
        folder: &Path,
        jid: &str,
        password: &str,
        port: u16,
        authority: &Path,
    ) -> Self {
        Self::run(
            folder,
            "omemo_peer.py",
            &[jid, password, "127.0.0.1", &port.to_string()],
            authority,
        )
    }

    fn run(folder: &Path, name: &str, arguments: &[&str], authority: &Path) -> Self {
        for (name, text) in [
            ("xmpp_peer.py", include_str!("../fixtures/xmpp_peer.py")),
            ("omemo_peer.py", include_str!("../fixtures/omemo_peer.py")),
            ("omemo_device.py", include_str!("../fixtures/omemo_device.py")),
        ] {
            std::fs::write(folder.join(name), text).expect("the script");
        }
        let script = folder.join(name);
        let mut command = Command::new(programs::python().expect("a Python with slixmpp"));
        command.arg(&script).args(arguments).arg(authority);
        let mut running = Running::start_piped("slixmpp", &mut command, folder);
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
        let peer = Self { input, events, _running: running };
        peer.until_event("is in", |event| event["event"] == "online");
        peer
    }

    fn tell(&mut self, wish: &Value) {
        writeln!(self.input, "{wish}").expect("the chat client reads commands");
    }

    /// Sends a message and asks for a receipt.
    pub fn send(&mut self, to: &str, body: &str) {
        self.tell(&json!({ "do": "send", "to": to, "body": body }));
    }

    /// Sends a message that refers to another one, or asks to be told when it was seen: `wish` has
    /// `kind` (`text`, `reply`, `correct`, `react`, `retract`, `seen`), `to`, its own `id`, the `of`
    /// of the message meant, `body` and `emoji` as the script's head says.
    pub fn word(&mut self, wish: Value) {
        let mut wish = wish;
        wish["do"] = json!("word");
        self.tell(&wish);
    }

    /// Waits until it has received such a message.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn until_word(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let what = format!("received a message of the kind {kind}");
        self.until_event(&what, |it| it["event"] == "word" && it["kind"] == kind && fits(it))
    }

    /// Shows itself as `show` (`available`, `away`, `dnd`) with a note.
    pub fn presence(&mut self, show: &str, note: &str) {
        self.tell(&json!({ "do": "presence", "show": show, "note": note }));
    }

    /// Asks to see somebody's presence.
    pub fn subscribe(&mut self, to: &str) {
        self.tell(&json!({ "do": "subscribe", "to": to }));
    }

    /// Sends an iq with this id and returns the answer as text.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn ask(&mut self, id: &str, xml: &str) -> String {
        self.tell(&json!({ "do": "ask", "id": id, "xml": xml }));
        let event =
            self.until_event("has an answer", |it| it["event"] == "answer" && it["id"] == id);
        event["xml"].as_str().unwrap_or_default().to_owned()
    }

    /// What somebody's client says it can do (XEP-0030).
    ///
    /// # Panics
    /// It does not answer.
    pub fn features(&mut self, of: &str) -> Vec<String> {
        self.tell(&json!({ "do": "disco", "of": of }));
        let event =
            self.until_event("has an answer", |it| it["event"] == "disco" && it["of"] == of);
        let features = event["features"].as_array().cloned().unwrap_or_default();
        features.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
    }

    /// Enters a room and waits until it is in.
    ///
    /// # Panics
    /// It does not get in.
    #[track_caller]
    pub fn enter(&mut self, room: &str, nick: &str) {
        self.tell(&json!({ "do": "enter", "room": room, "nick": nick }));
        self.until_event("is in the room", |it| {
            it["event"] == "occupant"
                && it["room"] == room
                && it["codes"].as_array().is_some_and(|codes| codes.contains(&json!(110)))
        });
    }

    /// Says something in a room.
    pub fn say(&mut self, room: &str, body: &str) {
        self.tell(&json!({ "do": "say", "room": room, "body": body }));
    }

    /// Changes a room's topic.
    pub fn topic(&mut self, room: &str, text: &str) {
        self.tell(&json!({ "do": "topic", "room": room, "text": text }));
    }

    /// Asks somebody into a room, directly (XEP-0249) or through it.
    pub fn invite(&mut self, room: &str, who: &str, direct: bool, reason: &str) {
        let wish =
            json!({ "do": "invite", "room": room, "who": who, "direct": direct, "reason": reason });
        self.tell(&wish);
    }

    /// Says this, as it is.
    pub fn raw(&mut self, xml: &str) {
        self.tell(&json!({ "do": "raw", "xml": xml }));
    }

    /// Everything it has reported so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it has reported beyond the first so many.
    pub fn events_since(&self, count: usize) -> Vec<Value> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.get(count..).unwrap_or_default().to_vec()
    }

    /// Waits for a report.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn until_event(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let found = crate::attempt(30, || self.events().into_iter().find(|event| fits(event)));
        found.unwrap_or_else(|| {
            panic!("slixmpp never reported that it {what}; it did report {:#?}", self.events())
        })
    }

    /// Waits for a message with this text.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn until_message(&self, body: &str) -> Value {
        until(&format!("slixmpp receives \"{body}\""), 30, || {
            let events = self.events();
            events.into_iter().find(|it| it["event"] == "message" && it["body"] == body)
        })
    }
}
