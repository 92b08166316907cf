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

impl Core {
    /// Gives the store a private value.
    pub(crate) fn store_value(&mut self, request: StoreRequest) {
        self.gate.given += 1;
        self.out.push_back(Effect::Store(StoreTag::Value(self.gate.given), request));
    }

    /// Sends, now or when everything before it is kept.
    pub(crate) fn send_in_order(&mut self, link: LinkId, stanza: Box<Stanza>) {
        let gate = &mut self.gate;
        let waits = gate.kept < gate.given || !gate.held.is_empty();
        if waits && matches!(*stanza, Stanza::Message(_)) {
            gate.held.push_back((gate.given, link, stanza));
        } else {
            self.out.push_back(Effect::XmppSend(link, stanza));
        }
    }

    /// A value is kept, or is not: then what was encrypted with it never leaves. It stays in the
    /// outbox for the next connection.
    pub(crate) fn value_kept(&mut self, number: u64, answer: &StoreAnswer) {
        self.gate.kept = self.gate.kept.max(number);
        let kept = matches!(answer, StoreAnswer::Kept);
        if !kept {
            self.gate.held.retain(|(needs, _, stanza)| *needs < number || !encrypted(stanza));
        }
        while let Some((needs, ..)) = self.gate.held.front()
            && *needs <= self.gate.kept
        {
            if let Some((_, link, stanza)) = self.gate.held.pop_front() {
                self.out.push_back(Effect::XmppSend(link, stanza));
            }
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
