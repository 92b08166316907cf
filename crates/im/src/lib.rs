//! Contact list, presence, one-to-one chat and their outbox, as a machine over stanzas.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use offhook_model::{
    Availability, Chat, Contact, Jid, Message, MessageId, Moment, NoticeBody, Presence,
};
use offhook_ports::StoreRequest;

mod stanza;

pub use stanza::{Stanza, jid_from_wire, jid_to_wire};

/// What the machine wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send on the stream.
    Send(Stanza),
    /// Keep.
    Store(StoreRequest),
    /// Tell watchers.
    Notice(NoticeBody),
}

/// Chat and presence of one account.
#[derive(Debug)]
pub struct Im {
    own: Presence,
}

#[allow(missing_docs, unused_variables)]
impl Im {
    pub fn new(me: Jid, seed: u64) -> Self {
        Self { own: Presence::default() }
    }
    pub fn loaded(&mut self, chats: Vec<Chat>, queued: Vec<Message>) {}
    pub fn online(&mut self, full: Jid, resumed: bool, now: Moment) {}
    pub fn offline(&mut self, now: Moment) {}
    pub fn receive(&mut self, stanza: Stanza, now: Moment) {}
    pub fn acknowledged(&mut self, id: &str, now: Moment) {}
    pub fn set_presence(&mut self, availability: Availability, note: Option<String>, now: Moment) {}
    pub fn roster_add(&mut self, contact: Jid, name: Option<String>, group: Option<String>, now: Moment) {}
    pub fn roster_remove(&mut self, contact: &Jid, now: Moment) {}
    pub fn roster_answer(&mut self, contact: &Jid, allow: bool, now: Moment) {}
    pub fn send_chat(&mut self, to: Jid, body: String, now: Moment) -> MessageId {
        MessageId(String::new())
    }
    pub fn typing(&mut self, to: &Jid, typing: bool, now: Moment) {}
    pub fn mark_read(&mut self, with: &Jid, now: Moment) {}
    pub fn open_chat(&mut self, with: Jid, stored: Vec<Message>) {}
    pub fn next_timeout(&self) -> Option<Instant> {
        None
    }
    pub fn handle_timeout(&mut self, now: Moment) {}
    pub fn poll(&mut self) -> Option<Output> {
        None
    }
    pub fn contacts(&self) -> Arc<Vec<Arc<Contact>>> {
        Arc::default()
    }
    pub fn chats(&self) -> Arc<Vec<Arc<Chat>>> {
        Arc::default()
    }
    pub fn messages(&self) -> Arc<BTreeMap<Jid, Arc<Vec<Message>>>> {
        Arc::default()
    }
    pub fn own_presence(&self) -> &Presence {
        &self.own
    }
}
