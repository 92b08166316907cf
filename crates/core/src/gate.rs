//! Messages wait until what was to be kept before them is kept.
//!
//! The chat machine gives the store a session before it gives the connection the message that was
//! encrypted with it (XEP-0384). The store writes on its own thread; a message that overtook it could
//! leave, and a program killed in that moment would use its key a second time. So a message goes out
//! when every private value that was given before it is kept; messages keep their order.

use std::collections::VecDeque;

use offhook_im::Stanza;
use offhook_ports::{StoreAnswer, StoreRequest};

use crate::{Core, Effect, LinkId, StoreTag};

/// Namespaces of encrypted messages.
const ENCRYPTED: [&str; 2] = ["urn:xmpp:omemo:2", "eu.siacs.conversations.axolotl"];

/// What waits.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// So many values were given to the store.
    given: u64,
    /// So many are kept, or never will be.
    kept: u64,
    held: VecDeque<(u64, LinkId, Box<Stanza>)>,
}

impl Gate {
    /// The number of a value that is given to the store.
    fn give(&mut self) -> u64 {
        self.given += 1;
        self.given
    }

    /// The stanza if it may go now; otherwise it is held.
    fn pass(&mut self, link: LinkId, stanza: Box<Stanza>) -> Option<Box<Stanza>> {
        let waits = self.kept < self.given || !self.held.is_empty();
        if waits && matches!(*stanza, Stanza::Message(_)) {
            self.held.push_back((self.given, link, stanza));
            return None;
        }
        Some(stanza)
    }

    /// What may go now that a value is kept, or is not: then what was encrypted with it never goes.
    fn settle(&mut self, number: u64, kept: bool) -> Vec<(LinkId, Box<Stanza>)> {
        self.kept = self.kept.max(number);
        if !kept {
            self.held.retain(|(needs, _, stanza)| *needs < number || !encrypted(stanza));
        }
        let ready = self.held.iter().take_while(|(needs, ..)| *needs <= self.kept).count();
        self.held.drain(..ready).map(|(_, link, stanza)| (link, stanza)).collect()
    }
}

impl Core {
    /// Gives the store a private value.
    pub(crate) fn store_value(&mut self, request: StoreRequest) {
        let number = self.gate.give();
        self.out.push_back(Effect::Store(StoreTag::Value(number), request));
    }

    /// Sends, now or when everything before it is kept.
    pub(crate) fn send_in_order(&mut self, link: LinkId, stanza: Box<Stanza>) {
        if let Some(stanza) = self.gate.pass(link, stanza) {
            self.out.push_back(Effect::XmppSend(link, stanza));
        }
    }

    /// A value is kept, or is not. What does not leave for that stays in the outbox for the next
    /// connection.
    pub(crate) fn value_kept(&mut self, number: u64, answer: &StoreAnswer) {
        let kept = matches!(answer, StoreAnswer::Kept);
        for (link, stanza) in self.gate.settle(number, kept) {
            self.out.push_back(Effect::XmppSend(link, stanza));
        }
    }
}

fn encrypted(stanza: &Stanza) -> bool {
    match stanza {
        Stanza::Message(message) => message
            .payloads
            .iter()
            .any(|it| ENCRYPTED.iter().any(|namespace| it.is("encrypted", *namespace))),
        Stanza::Iq(_) | Stanza::Presence(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use offhook_im::{Stanza, fuzzing};

    use super::Gate;
    use crate::LinkId;

    const LINK: LinkId = LinkId(1);

    fn message(id: &str, sealed: bool) -> Box<Stanza> {
        let inner = if sealed { "<encrypted xmlns='urn:xmpp:omemo:2'/>" } else { "" };
        let text = format!(
            "<message xmlns='jabber:client' to='b@x.test' type='chat' id='{id}'>{inner}</message>"
        );
        Box::new(fuzzing::stanza(&text).expect("a stanza"))
    }

    fn ids(out: Vec<(LinkId, Box<Stanza>)>) -> Vec<String> {
        out.iter().filter_map(|(_, it)| it.id().map(str::to_owned)).collect()
    }

    #[test]
    fn a_message_waits_for_what_was_to_be_kept_before_it() {
        let mut gate = Gate::default();
        assert!(gate.pass(LINK, message("free", false)).is_some());
        let first = gate.give();
        assert!(gate.pass(LINK, message("one", true)).is_none());
        let second = gate.give();
        assert!(gate.pass(LINK, message("two", true)).is_none());
        assert!(gate.pass(LINK, message("three", false)).is_none(), "order is kept");
        assert_eq!(ids(gate.settle(first, true)), ["one"]);
        assert_eq!(ids(gate.settle(second, true)), ["two", "three"]);
        assert!(gate.pass(LINK, message("four", false)).is_some());
    }

    #[test]
    fn what_could_not_be_kept_does_not_leave() {
        let mut gate = Gate::default();
        let number = gate.give();
        assert!(gate.pass(LINK, message("sealed", true)).is_none());
        assert!(gate.pass(LINK, message("clear", false)).is_none());
        assert_eq!(ids(gate.settle(number, false)), ["clear"]);
    }
}
