//! One ladder: what goes over the wire, what the user does and sees, and when.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use offhook_call::{Phone, Tone};
use offhook_model::{CallDirection, CallId, CallState, CallWish, DialString, Moment};

use crate::stage::{Leg, Said, Stage, header};
use crate::words::{registered, shown, summary, told};

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
    /// What the phone shows beside its calls.
    state: Vec<String>,
    registrations: usize,
    records: usize,
    digits: usize,
    reopened: usize,
    /// Connections that were opened or refused, and how much of the wire was answered.
    served: Vec<offhook_ports::FlowId>,
    answered: usize,
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
            seen: 0,
            names: BTreeMap::new(),
            screen: vec![],
            state: vec![],
            registrations: stage.registrations.len(),
            records: 0,
            digits: 0,
            reopened: 0,
            served: vec![],
            answered: 0,
            tone: None,
            text: String::new(),
            time: String::new(),
            stage,
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
        while let Some(said) = self.stage.wire.get(self.seen).cloned() {
            self.seen += 1;
            let name = self.name(&said);
            let way = if said.came { "<--" } else { "-->" };
            let what = summary(&said.text, said.came);
            self.line(&format!("phone {way} {name}"), &what);
        }
        self.note_media();
        let screen: Vec<String> = self.stage.phone.calls().iter().map(shown).collect();
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
        self.note_state();
        if self.stage.tone != self.tone {
            self.tone = self.stage.tone;
            let heard = match self.tone {
                None => "the tone ends",
                Some(Tone::Ringback) => "it rings there",
                Some(Tone::Busy) => "the busy tone",
                Some(Tone::Reorder) => "the reorder tone",
                Some(Tone::Ring) => "the phone rings",
                Some(Tone::Waiting) => "a waiting call is heard",
            };
            self.line("      you hear:", heard);
        }
    }

    /// What goes or went beside the messages: keys in the stream of sound, and the history.
    fn note_media(&mut self) {
        while let Some(digits) = self.stage.digits.get(self.digits).cloned() {
            self.digits += 1;
            self.line("phone ==> stream", &format!("{digits} as telephone events (RFC 4733)"));
        }
        while self.reopened < self.stage.reopened {
            self.reopened += 1;
            self.line("phone ==> microphone", "opened anew");
        }
        while let Some(record) = self.stage.records.get(self.records).cloned() {
            self.records += 1;
            let who = record.name.unwrap_or(record.remote);
            let what = match (record.direction, record.missed) {
                (CallDirection::Outgoing, _) => format!("called {who}"),
                (CallDirection::Incoming, false) => format!("call of {who}"),
                (CallDirection::Incoming, true) => format!("missed call of {who}"),
            };
            self.line("      history:", &format!("{what}, {} s of talk", record.seconds));
        }
    }

    /// The registration, and what is set and told beside the calls.
    fn note_state(&mut self) {
        while let Some(registration) = self.stage.registrations.get(self.registrations).cloned() {
            self.registrations += 1;
            self.line("      you see:", &registered(&registration));
        }
        let state = told(&self.stage.phone.state());
        for line in &state {
            if !self.state.contains(line) {
                self.line("      you see:", line);
            }
        }
        for gone in self.state.clone() {
            if !state.contains(&gone) && gone.starts_with("asked:") {
                self.line("      you see:", "the question is gone");
            }
        }
        self.state = state;
    }

    /// Whose message it is.
    fn name(&mut self, said: &Said) -> String {
        let message = &said.text;
        let first = message.lines().next().unwrap_or("");
        let method = header(message, "CSeq").split(' ').nth(1).unwrap_or("").to_owned();
        let id = header(message, "Call-ID").to_owned();
        let known = self.names.get(&id).copied();
        let apart = matches!(method.as_str(), "SUBSCRIBE" | "PUBLISH" | "OPTIONS");
        if first.contains("REGISTER") || method == "REGISTER" || (apart && known.is_none()) {
            let server = said.host.starts_with("10.");
            let name = if server { "server".into() } else { said.host.clone() };
            if apart {
                self.names.insert(id, "server");
            }
            return name;
        }
        if let Some(name) = known {
            return name.to_owned();
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
        name.to_owned()
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

    /// The oldest message of ours that begins so.
    pub fn first(&mut self, start: &str) -> String {
        self.note();
        let found = self.stage.sent.iter().find(|message| message.starts_with(start));
        found.cloned().unwrap_or_else(|| panic!("no {start} in {}", self.text))
    }

    pub fn answer(&mut self, request: &str, status: &str, content: &str) {
        self.answer_with(request, status, "", content);
    }

    pub fn answer_with(&mut self, request: &str, status: &str, more: &str, content: &str) {
        self.stage.respond(request, status, more, content);
        self.note();
    }

    /// An answer that is not quite the usual one.
    pub fn answer_changed(&mut self, answer: &str) {
        self.stage.feed(answer);
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

    /// A request of theirs whose Content-Type stands in `more`.
    pub fn request_as_is(&mut self, leg: &mut Leg, method: &str, more: &str, content: &str) {
        self.stage.request_as_is(leg, method, more, content);
        self.note();
    }

    /// Bob is on hold, Carol is spoken to; Carol's end.
    pub fn two_calls(&mut self) -> (CallId, CallId, Leg) {
        let (id, _) = self.talking("Bob", crate::stage::bob());
        let other = self.you("call Carol", |phone, now| phone.dial(carol(), now)).expect("dialled");
        let asked: Vec<String> =
            self.stage.sent.iter().filter(|m| m.starts_with("INVITE ")).cloned().collect();
        let [.., hold, invite] = &asked[..] else { panic!("{asked:#?}") };
        self.answer(hold, "200 OK", &crate::stage::sdp("recvonly"));
        self.answer(invite, "200 OK", &crate::stage::sdp("sendrecv"));
        (id, other, self.stage.leg_of(invite))
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

    /// Servers that are up take connections and REGISTER; the others refuse connections.
    pub fn serve(&mut self, down: &[&str]) {
        self.note();
        loop {
            let new =
                self.stage.flows.iter().find(|(flow, _)| !self.served.contains(flow)).cloned();
            let Some((flow, host)) = new else { break };
            self.served.push(flow);
            if down.contains(&host.as_str()) {
                self.line("network:", &format!("{host} takes no connection"));
                self.stage.refuse(flow);
            } else {
                self.stage.flow = flow;
                self.stage.open();
            }
            self.note();
        }
        while let Some(said) = self.stage.wire.get(self.answered).cloned() {
            self.answered += 1;
            if said.came || !said.text.starts_with("REGISTER ") || !self.stage.at(&said.host) {
                continue;
            }
            let contact = header(&said.text, "Contact");
            let expires = if contact.contains("keep-alive") { 0 } else { 120 };
            let more = format!("Contact: {contact};expires={expires}\r\nExpires: {expires}\r\n");
            self.answer_with(&said.text, "200 OK", &more, "");
        }
    }

    /// A server goes away with its connection.
    pub fn lose_server(&mut self, host: &str) {
        if self.stage.at(host) {
            self.stage.lose_flow();
        }
        self.note();
    }

    /// Where the phone was registered, in order.
    pub fn registered_at(&self) -> Vec<String> {
        let mut hosts: Vec<String> = vec![];
        for registration in &self.stage.registrations {
            if let offhook_call::Registration::Ready { server, .. } = registration
                && hosts.last() != Some(&server.host)
            {
                hosts.push(server.host.clone());
            }
        }
        hosts
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
