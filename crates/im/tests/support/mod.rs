//! A machine in virtual time that is fed with hand-written XML and whose output is read as XML.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod disk;
pub mod inside;

use std::time::{Duration, Instant};

use offhook_im::{Im, Output, Stanza, fuzzing};
use offhook_model::{
    CommandError, Delivery, Jid, Message, MessageId, Moment, NoticeBody, Reply, Ticket, Timestamp,
};
use offhook_ports::StoreRequest;
use xmpp_parsers::minidom::Element;

pub const ME: &str = "alice@example.com";

pub struct Bench {
    pub im: Im,
    pub now: Moment,
    pub sent: Vec<String>,
    pub stored: Vec<StoreRequest>,
    pub notices: Vec<NoticeBody>,
    pub answers: Vec<(Ticket, Result<Reply, CommandError>)>,
}

#[expect(clippy::disallowed_methods, reason = "the beginning of virtual time")]
fn beginning() -> Instant {
    Instant::now()
}

impl Bench {
    pub fn offline() -> Self {
        Self::session(1)
    }

    /// A session of its own: ids go by the seed.
    pub fn session(seed: u64) -> Self {
        let wall = Timestamp::parse("2026-11-22T12:00:00Z").expect("valid");
        let now = Moment { at: beginning(), wall };
        Self {
            im: Im::new(jid(ME), seed, now),
            now,
            sent: Vec::new(),
            stored: Vec::new(),
            notices: Vec::new(),
            answers: Vec::new(),
        }
    }

    pub fn online() -> Self {
        let mut bench = Self::offline();
        bench.connect();
        bench.forget();
        bench
    }

    /// Online, with these items (`<item …/>`) on the contact list.
    pub fn with_contacts(items: &str) -> Self {
        let mut bench = Self::offline();
        bench.connect();
        let id = attribute(bench.sent_with("jabber:iq:roster"), "id");
        bench.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'>\
             <query xmlns='jabber:iq:roster'>{items}</query></iq>"
        ));
        bench.forget();
        bench
    }

    pub fn connect(&mut self) {
        self.im.online(jid("alice@example.com/desk"), false, self.now);
        self.drain();
    }

    /// Online at a server without an archive, which our account has said.
    pub fn connect_without_archive(&mut self) {
        self.connect();
        self.account_can(&[]);
    }

    /// Our account tells what it can do.
    #[track_caller]
    pub fn account_can(&mut self, features: &[&str]) {
        let asked = self.sent.iter().rev().find(|it| {
            it.contains("disco#info") && it.contains("to='alice@example.com'")
                || it.contains("disco#info") && it.contains("to=\"alice@example.com\"")
        });
        let id = attribute(asked.expect("our account was asked"), "id");
        let features: String =
            features.iter().map(|name| format!("<feature var='{name}'/>")).collect();
        self.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{ME}'>\
             <query xmlns='http://jabber.org/protocol/disco#info'>\
             <identity category='account' type='registered'/>{features}</query></iq>"
        ));
    }

    pub fn disconnect(&mut self) {
        self.im.offline(self.now);
        self.drain();
    }

    pub fn receive(&mut self, xml: &str) {
        let stanza = fuzzing::stanza(xml).unwrap_or_else(|| panic!("a stanza: {xml}"));
        self.im.receive(stanza, self.now);
        self.drain();
    }

    /// A chat message from bob with `inner` besides its body.
    pub fn hear(&mut self, id: &str, body: &str, inner: &str) {
        self.receive(&format!(
            "<message xmlns='jabber:client' type='chat' id='{id}' from='bob@example.com/desk' \
             to='alice@example.com/desk'><body>{body}</body>{inner}</message>"
        ));
    }

    pub fn say(&mut self, to: &str, body: &str) -> String {
        let id = self.im.send_chat(jid(to), body.to_owned(), self.now);
        self.drain();
        id.0
    }

    pub fn acknowledge(&mut self, id: &str) {
        self.im.acknowledged(id, self.now);
        self.drain();
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        if self.im.next_timeout().is_some_and(|at| at <= self.now.at) {
            self.im.handle_timeout(self.now);
        }
        self.drain();
    }

    /// Takes what came out. The store keeps everything at once.
    pub fn drain(&mut self) {
        loop {
            let kept = self.drain_unkept();
            if kept.is_empty() {
                return;
            }
            kept.iter().for_each(|id| self.im.message_kept(id));
        }
    }

    /// Takes what came out; own messages that the store has not kept yet.
    pub fn drain_unkept(&mut self) -> Vec<MessageId> {
        let mut kept = Vec::new();
        while let Some(output) = self.im.poll() {
            match output {
                Output::Send(stanza) => self.sent.push(text(stanza)),
                Output::Store(request) => {
                    if let StoreRequest::PutMessage(it) = &request
                        && it.own
                        && it.state == Delivery::Queued
                    {
                        kept.push(it.id.clone());
                    }
                    self.stored.push(request);
                }
                Output::Notice(notice) => self.notices.push(notice),
                Output::Answer(ticket, answer) => self.answers.push((ticket, answer)),
                Output::File { .. } => {}
            }
        }
        kept
    }

    /// Forgets what came out so far.
    pub fn forget(&mut self) {
        self.sent.clear();
        self.stored.clear();
        self.notices.clear();
        self.answers.clear();
    }

    /// Forgets what came out so far but for stanzas that hold `needle`.
    pub fn forget_all_but(&mut self, needle: &str) {
        let sent = std::mem::take(&mut self.sent);
        self.forget();
        self.sent = sent.into_iter().filter(|it| it.contains(needle)).collect();
    }

    /// The only stanza sent that holds `needle`.
    #[track_caller]
    pub fn sent_with(&self, needle: &str) -> &str {
        let found: Vec<&String> = self.sent.iter().filter(|s| s.contains(needle)).collect();
        assert_eq!(found.len(), 1, "{needle} in {:?}", self.sent);
        found[0]
    }

    pub fn messages(&self, with: &str) -> Vec<Message> {
        let messages = self.im.messages();
        let messages = messages.get(&jid(with)).map(|m| m.to_vec()).unwrap_or_default();
        messages.into_iter().map(std::sync::Arc::unwrap_or_clone).collect()
    }

    pub fn bodies(&self, with: &str) -> Vec<String> {
        self.messages(with).into_iter().map(|m| m.body).collect()
    }

    pub fn state(&self, id: &str) -> Option<Delivery> {
        let messages = self.im.messages();
        let mut all = messages.values().flat_map(|m| m.iter());
        all.find(|m| m.id.0 == id).map(|m| m.state)
    }

    pub fn stored_states(&self) -> Vec<(String, Delivery)> {
        self.stored
            .iter()
            .filter_map(|request| match request {
                StoreRequest::SetDelivery(id, state, _) => Some((id.0.clone(), *state)),
                _ => None,
            })
            .collect()
    }
}

pub fn jid(text: &str) -> Jid {
    text.parse().expect("valid")
}

/// The value of an attribute in single quotes.
pub fn attribute(xml: &str, name: &str) -> String {
    let start = xml.find(&format!(" {name}='")).expect("the attribute") + name.len() + 3;
    let rest = &xml[start..];
    rest[..rest.find('\'').expect("the end")].to_owned()
}

fn text(stanza: Stanza) -> String {
    let element: Element = match stanza {
        Stanza::Iq(iq) => iq.into(),
        Stanza::Message(message) => message.into(),
        Stanza::Presence(presence) => presence.into(),
    };
    String::from(&element)
}
