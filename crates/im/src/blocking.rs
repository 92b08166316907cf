//! People of whom we do not want to hear (XEP-0191). The server keeps the list and stops what they
//! send; what reaches us all the same, such as copies and archives, is dropped here.
//!
//! Servers without it: nothing is blocked, and that is said. Privacy lists (XEP-0016) are not built.

use std::sync::Arc;

use offhook_model::{Area, Jid, NoticeBody, Owner, Problem};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

use crate::asking::{self, Answer};
use crate::stanza::element;
use crate::{Im, jid_to_wire};

/// Longest list that is read.
const LONGEST: usize = 10_000;

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The list.
    List,
    /// A change of it.
    Change,
}

/// Who is blocked, as the server has it.
#[derive(Debug, Default)]
pub(crate) struct Blocking {
    /// In order.
    list: Arc<Vec<Jid>>,
}

impl Blocking {
    /// Whether stanzas from this address are blocked: the address itself, the person, their domain
    /// (XEP-0191 section 5).
    fn covers(&self, from: &Jid) -> bool {
        let held = |jid: &Jid| self.list.binary_search(jid).is_ok();
        !self.list.is_empty()
            && (held(from)
                || held(&from.bare())
                || from.domain().parse().is_ok_and(|domain: Jid| held(&domain)))
    }
}

impl Im {
    /// People who are blocked, in order.
    pub fn blocked(&self) -> Arc<Vec<Jid>> {
        Arc::clone(&self.blocking.list)
    }

    /// Whether the server can block people; false while its answer is not here yet.
    pub fn can_block(&self) -> bool {
        self.services.server.contains(ns::BLOCKING)
    }

    /// Hears nothing more of somebody, or again. The list changes when the server says so. False
    /// without a connection, when the server cannot, and for our own address.
    pub fn block(&mut self, who: &Jid, on: bool) -> bool {
        let who = who.bare();
        if !self.can_block() || who == self.me || jid_to_wire(&who).is_none() {
            return false;
        }
        let name = if on { "block" } else { "unblock" };
        let mut change = element(name, ns::BLOCKING, &[]);
        change.append_child(element("item", ns::BLOCKING, &[("jid", &who.to_string())]));
        self.ask_set(None, change, asking::Question::Blocking(Question::Change))
    }

    /// Whether anything from this address is to be dropped.
    pub(crate) fn is_blocked(&self, from: &Jid) -> bool {
        self.blocking.covers(from)
    }

    pub(crate) fn ask_blocked(&mut self) {
        if self.can_block() {
            let list = element("blocklist", ns::BLOCKING, &[]);
            self.ask_get(None, list, asking::Question::Blocking(Question::List));
        } else {
            self.blocked_are(Vec::new());
        }
    }

    pub(crate) fn blocking_answered(&mut self, question: Question, answer: Answer) {
        match (question, answer) {
            (Question::List, Ok(Some(list))) if list.is("blocklist", ns::BLOCKING) => {
                self.blocked_are(items(&list));
            }
            (Question::Change, Err(_)) => {
                let problem = Problem::new(
                    Area::Provisioning,
                    Owner::Server,
                    "The chat server did not change the list of blocked people.",
                    "Try again; if it stays, ask who runs the chat server.",
                );
                self.notice(NoticeBody::Diagnostic { problem: Box::new(problem) });
            }
            (Question::List | Question::Change, _) => {}
        }
    }

    /// The list changed, by us or by another of our devices. The caller knows that our own server
    /// says so. False when this is no such change.
    pub(crate) fn blocking_push(&mut self, push: &Element) -> bool {
        if push.ns() != ns::BLOCKING {
            return false;
        }
        let named = items(push);
        let mut list = Vec::clone(&self.blocking.list);
        match push.name() {
            "block" => list.extend(named),
            // Without a name it is all of them (XEP-0191 section 3.6).
            "unblock" if push.children().next().is_none() => list.clear(),
            "unblock" => list.retain(|jid| !named.contains(jid)),
            _ => return false,
        }
        self.blocked_are(list);
        true
    }

    fn blocked_are(&mut self, mut list: Vec<Jid>) {
        list.sort();
        list.dedup();
        list.truncate(LONGEST);
        if list == *self.blocking.list {
            return;
        }
        self.blocking.list = Arc::new(list);
        self.mark_blocked();
        self.notice(NoticeBody::Roster { item: None, removed: None });
    }

    /// Contacts and conversations show who is blocked.
    pub(crate) fn mark_blocked(&mut self) {
        let blocking = &self.blocking;
        self.people.mark_blocked(|jid| blocking.covers(jid));
        let changed: Vec<Jid> = self
            .talks
            .iter()
            .filter(|(with, talk)| talk.chat.blocked != blocking.covers(with))
            .map(|(with, _)| with.clone())
            .collect();
        for with in changed {
            if let Some(talk) = self.talks.get_mut(&with) {
                talk.edit_chat(|chat| chat.blocked = !chat.blocked);
            }
            self.publish(&with);
        }
    }
}

fn items(list: &Element) -> Vec<Jid> {
    list.children()
        .filter(|item| item.is("item", ns::BLOCKING))
        .filter_map(|item| item.attr("jid")?.parse().ok())
        .take(LONGEST)
        .collect()
}
