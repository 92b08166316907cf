//! Contact lists and subscription states (RFC 6121 sections 2 and 3, appendix A in short).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tokio::sync::mpsc;

use crate::xml::Element;

/// Namespace of contact lists.
pub(crate) const ROSTER: &str = "jabber:iq:roster";

/// One contact of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    /// We see their presence.
    pub(crate) to: bool,
    /// They see ours.
    pub(crate) from: bool,
    /// We have asked to see theirs.
    pub(crate) ask: bool,
}

impl Item {
    /// The `<item/>` of a contact.
    pub(crate) fn element(&self, jid: &str) -> Element {
        let subscription = match (self.to, self.from) {
            (true, true) => "both",
            (true, false) => "to",
            (false, true) => "from",
            (false, false) => "none",
        };
        let mut item = plain("item").with("jid", jid).with("subscription", subscription);
        if !self.name.is_empty() {
            item.set("name", &self.name);
        }
        if self.ask {
            item.set("ask", "subscribe");
        }
        self.groups.iter().fold(item, |item, group| item.child(plain("group").text(group)))
    }
}

/// An element that takes its namespace from its parent.
pub(crate) fn plain(name: &str) -> Element {
    Element::new(name, "")
}

/// What a session's connection is handed.
#[derive(Debug, Clone)]
pub(crate) enum Outgoing {
    /// A stanza to write.
    Stanza(Element),
    /// Another connection took the resource.
    Conflict,
}

/// One connected resource.
#[derive(Debug)]
pub(crate) struct Session {
    /// Tells apart two connections that used the same resource one after the other.
    pub(crate) id: u64,
    pub(crate) resource: String,
    pub(crate) queue: mpsc::Sender<Outgoing>,
    /// Last available presence, as sent to others.
    pub(crate) presence: Option<Element>,
    pub(crate) priority: i8,
    pub(crate) carbons: bool,
    /// Has asked for the contact list and so gets its changes.
    pub(crate) interested: bool,
    /// Addresses told of the presence directly.
    pub(crate) directed: BTreeSet<String>,
}

/// One account of one domain.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) items: BTreeMap<String, Item>,
    /// Requests not answered yet, by who asks.
    pub(crate) pending: BTreeMap<String, Element>,
    pub(crate) offline: VecDeque<Element>,
    pub(crate) sessions: Vec<Session>,
}

impl Account {
    /// The sessions that are available.
    pub(crate) fn available(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| session.presence.is_some())
    }

    /// The addresses of contacts for which `wanted` holds.
    pub(crate) fn contacts(&self, wanted: impl Fn(&Item) -> bool) -> Vec<String> {
        self.items.iter().filter(|(_, item)| wanted(item)).map(|(jid, _)| jid.clone()).collect()
    }

    /// The whole list.
    pub(crate) fn query(&self) -> Element {
        self.items.iter().fold(Element::new("query", ROSTER), |query, (jid, item)| {
            query.child(item.element(jid))
        })
    }
}
