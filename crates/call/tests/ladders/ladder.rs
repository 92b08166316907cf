//! One ladder: what goes over the wire, what the user does and sees, and when.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use offhook_call::{Phone, Tone};
use offhook_model::{Call, CallId, CallState, CallWish, DialString, Moment};

use crate::stage::{Leg, Stage, header};

/// Widest part of a line.
const WIDTH: usize = 100;

pub fn carol() -> DialString {
    DialString::Number("2003".into())
}

pub struct Ladder {
    title: &'static str,
    words: &'static str,
    pub stage: Stage,
    began: Moment,
    seen: usize,
    names: BTreeMap<String, &'static str>,
    screen: Vec<String>,
    tone: Option<Tone>,
    text: String,
    time: String,
}

impl Ladder {
    /// A phone that is registered.
    pub fn new(title: &'static str, words: &'static str) -> Self {
        Self::on(Stage::registered(), title, words)
    }

    pub fn on(mut stage: Stage, title: &'static str, words: &'static str) -> Self {
        stage.wire.clear();
        Self {
            title,
            words,
            began: stage.now,
            stage,
            seen: 0,
            names: BTreeMap::new(),
            screen: vec![],
            tone: None,
            text: String::new(),
            time: String::new(),
        }
    }

    fn line(&mut self, who: &str, what: &str) {
        let since = self.stage.now.at.saturating_duration_since(self.began.at);
        let time = format!("{:.1} s", since.as_secs_f64());
        let shown = if time == self.time { "" } else { time.as_str() };
        let what: String = what.chars().take(WIDTH).collect();
        let line = format!("{shown:>8}  {who:<22} {what}");
        let _ = writeln!(self.text, "{}", line.trim_end());
        self.time = time;
    }

    /// Writes down what happened since the last look.
    pub fn note(&mut self) {
        self.stage.drain();
        while let Some((came, message)) = self.stage.wire.get(self.seen).cloned() {
            self.seen += 1;
            let name = self.name(&message);
            let who = if came { format!("phone <-- {name}") } else { format!("phone --> {name}") };
            let what = summary(&message);
            self.line(&who, &what);
        }
        let calls = self.stage.phone.calls();
        let screen: Vec<String> = calls.iter().map(shown).collect();
        if screen != self.screen {
            for line in screen
                .iter()
                .filter(|line| !self.screen.contains(line))
                .cloned()
                .collect::<Vec<_>>()
            {
                self.line("      you see:", &line);
            }
            self.screen = screen;
        }
        if self.stage.tone != self.tone {
            self.tone = self.stage.tone;
            let heard = match self.tone {
                None => "the tone ends",
                Some(Tone::Ringback) => "it rings there",
                Some(Tone::Busy) => "the busy tone",
                Some(Tone::Reorder) => "the reorder tone",
                Some(Tone::Ring) => "the phone rings",
            };
            self.line("      you hear:", heard);
        }
    }

    /// Whose message it is.
    fn name(&mut self, message: &str) -> &'static str {
        let first = message.lines().next().unwrap_or("");
        if first.contains("REGISTER") || header(message, "CSeq").contains("REGISTER") {
            return "server";
        }
        let id = header(message, "Call-ID").to_owned();
        if let Some(name) = self.names.get(&id) {
            return name;
        }
        let name = match header(message, "To") {
            _ if message.contains("x-cisco-") && !message.contains("m=audio 2") => "server",
            to if to.contains("2003") => "Carol",
            _ if header(message, "From").contains("2003") => "Carol",
            to if to.contains("2002") => "Bob",
            _ if header(message, "From").contains("2002") => "Bob",
            _ => "server",
        };
        self.names.insert(id, name);
        name
    }

    /// The user does something.
    pub fn you<T>(&mut self, what: &str, act: impl FnOnce(&mut Phone, Moment) -> T) -> T {
        self.note();
        self.line("you:", what);
        let now = self.stage.now;
        let done = act(&mut self.stage.phone, now);
        self.note();
        done
    }

    pub fn wish(&mut self, what: &str, wish: CallWish) {
        let done = self.you(what, |phone, now| phone.wish(wish, now));
        if let Err(error) = done {
            self.line("      you read:", &error.cause);
        }
    }

    pub fn dial(&mut self, name: &str, to: DialString) -> (CallId, String) {
        let what = format!("call {name}");
        let id = self.you(&what, |phone, now| phone.dial(to, now)).expect("dialled");
        (id, self.newest("INVITE "))
    }

    /// The newest message of ours that begins so.
    pub fn newest(&mut self, start: &str) -> String {
        self.note();
        let found = self.stage.sent.iter().rev().find(|message| message.starts_with(start));
        found.cloned().unwrap_or_else(|| panic!("no {start} in {}", self.text))
    }

    pub fn answer(&mut self, request: &str, status: &str, content: &str) {
        self.stage.respond(request, status, "", content);
        self.note();
    }

    pub fn request(&mut self, leg: &mut Leg, method: &str, more: &str, content: &str) {
        self.stage.request(leg, method, more, content);
        self.note();
    }

    /// We called and they answered.
    pub fn talking(&mut self, name: &str, to: DialString) -> (CallId, Leg) {
        let (id, invite) = self.dial(name, to);
        self.answer(&invite, "180 Ringing", "");
        self.answer(&invite, "200 OK", &crate::stage::sdp("sendrecv"));
        assert_eq!(self.stage.state(id), CallState::Connected);
        (id, self.stage.leg_of(&invite))
    }

    pub fn wait(&mut self, time: Duration) {
        let end = self.stage.now.at + time;
        for _ in 0..10_000 {
            let due = self.stage.phone.next_timeout().filter(|at| *at <= end);
            let step = due.unwrap_or(end).saturating_duration_since(self.stage.now.at);
            self.stage.now = self.stage.now.plus(step);
            if due.is_none() {
                return self.note();
            }
            self.stage.phone.handle_timeout(self.stage.now);
            self.note();
        }
        panic!("the phone never rests");
    }

    pub fn read(&mut self, what: &str) {
        self.line("      you read:", what);
    }

    pub fn read_network(&mut self, what: &str) {
        self.line("network:", what);
    }

    pub fn lose(&mut self) {
        self.line("network:", "the connection breaks");
        self.stage.lose_flow();
        self.note();
    }

    /// Nothing happens any more for so long.
    pub fn silence(&mut self, what: &str, time: Duration) {
        self.line("network:", what);
        self.wait(time);
    }

    pub fn write(mut self, out: &mut String) {
        self.note();
        let _ = write!(out, "\n## {}\n\n{}\n\n```text\n{}```\n", self.title, self.words, self.text);
    }
}

/// A message in one line.
fn summary(message: &str) -> String {
    let first = message.lines().next().unwrap_or("");
    let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
    let mut out = match first.strip_prefix("SIP/2.0 ") {
        Some(status) => {
            let method = header(message, "CSeq").split(' ').nth(1).unwrap_or("");
            format!("{status} ({method})")
        }
        None => first.trim_end_matches(" SIP/2.0").to_owned(),
    };
    for direction in ["sendrecv", "sendonly", "recvonly", "inactive"] {
        if body.contains(&format!("a={direction}")) {
            out = format!("{out}, sound {direction}");
        }
    }
    for name in ["Refer-To", "Replaces", "Referred-By", "Subscription-State", "Contact"] {
        let wanted = name != "Contact" || first.contains(" 302 ");
        let prefix = format!("{name}: ");
        if let Some(value) =
            head.lines().find_map(|line| line.strip_prefix(&prefix)).filter(|_| wanted)
        {
            let value = value.split(";reason").next().unwrap_or(value);
            let value = match value.split_once("Replaces=") {
                Some((before, _)) => format!("{before}Replaces=…>"),
                None if value.starts_with("<cid:") => "<cid:…>".to_owned(),
                None if name == "Replaces" => "…".to_owned(),
                None => value.to_owned(),
            };
            out = format!("{out}, {name}: {value}");
        }
    }
    for (mark, word) in [("softkeyevent>", "button "), ("tonetype>", "tone ")] {
        if let Some((_, rest)) = body.split_once(&format!("<{mark}")) {
            out = format!("{out}, {word}{}", rest.split('<').next().unwrap_or(""));
        }
    }
    if let Some(line) = body.lines().next().filter(|line| line.starts_with("SIP/2.0 ")) {
        out = format!("{out}, \"{line}\"");
    }
    out
}

/// A call as the window shows it.
fn shown(call: &Call) -> String {
    let who = call.name.clone().unwrap_or_else(|| call.remote.clone());
    let mut out = format!("{} {who}: {}", call.id, state(call));
    if let Some(conference) = &call.conference {
        let people: Vec<&str> = conference.people.iter().map(|one| one.name.as_str()).collect();
        let place = if conference.local { "mixed here" } else { "at the bridge" };
        let _ = write!(out, ", conference {place} ({})", people.join(", "));
    }
    if call.preserved {
        out.push_str(", server gone");
    }
    if let Some(by) = &call.diverted_by {
        let _ = write!(out, ", diverted by {by}");
    }
    if let Some(at) = &call.parked_at {
        let _ = write!(out, ", parked at {at}");
    }
    if let Some(trouble) = &call.trouble {
        let _ = write!(out, ". {}", trouble.cause);
    }
    out
}

fn state(call: &Call) -> String {
    match (call.state, &call.end) {
        (CallState::Ended, Some(end)) => {
            let status = end.sip_status.map_or_else(String::new, |status| format!(" ({status})"));
            let problem = end.problem.as_ref().map_or("", |problem| problem.cause.as_str());
            let problem = if problem.is_empty() { String::new() } else { format!(". {problem}") };
            format!("over, {}{status}{problem}", end.cause)
        }
        (CallState::Dialing, _) => "dialling".into(),
        (CallState::Ringing, _) => "rings there".into(),
        (CallState::Incoming, _) => "rings here".into(),
        (CallState::Early, _) => "sound before the answer".into(),
        (CallState::Connected, _) => "talking".into(),
        (CallState::Held, _) => "on hold".into(),
        (CallState::RemoteHeld, _) => "they hold you".into(),
        (CallState::Transferring, _) => "being transferred".into(),
        (CallState::Ended, None) => "over".into(),
    }
}
