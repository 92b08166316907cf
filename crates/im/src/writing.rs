//! What we write beyond the plain message: answers, corrections, reactions, retractions, and another
//! attempt at what failed.

use offhook_model::{ChatKind, Jid, Message};
use offhook_ports::{ChatRow, StoreRequest};
use xmpp_parsers::message::Message as Wire;

use crate::Im;

impl Im {
    /// What was begun was sent.
    pub(crate) fn forget_draft(&mut self, with: &Jid) {
        if self.talks.get(with).is_some_and(|talk| !talk.chat.draft.is_empty()) {
            self.talk(with).edit_chat(|chat| chat.draft.clear());
            self.keep_row(with);
        }
    }

    /// Keeps what is known of a conversation beside its messages.
    pub(crate) fn keep_row(&mut self, with: &Jid) {
        let Some(talk) = self.talks.get(with) else {
            return;
        };
        let room = talk.chat.kind == ChatKind::Room;
        let row = ChatRow {
            with: with.clone(),
            kind: talk.chat.kind,
            name: room.then(|| talk.chat.name.clone()),
            draft: talk.chat.draft.clone(),
            alerts: talk.chat.alerts,
            encrypt: talk.encrypt,
        };
        self.store(StoreRequest::PutChat(Box::new(row)));
    }

    /// A correction, reaction or retraction of ours came through. False when it was none that waits.
    pub(crate) fn confirm_change(&mut self, id: &str) -> bool {
        if self.outbox.waits_change(id) {
            self.outbox.confirm(id);
            self.flush();
            return true;
        }
        false
    }

    /// A correction, reaction or retraction of ours came back. False when it was none.
    pub(crate) fn change_returned(&mut self, with: &Jid, id: &str, wire: &Wire) -> bool {
        let of_change = self.talks.get(with).is_some_and(|t| t.alias(&self.me, id).is_some());
        if !of_change {
            return false;
        }
        self.outbox.confirm(id);
        let why = crate::incoming::reason(wire.clone());
        self.change_failed(with, id, &why);
        self.flush();
        true
    }

    /// It will not arrive, and the message says so.
    pub(crate) fn change_failed(&mut self, _with: &Jid, _id: &str, _why: &str) {}
}

/// A message as it goes out, without address.
pub(crate) fn plain(message: &Message) -> Wire {
    Wire::chat(None).with_body("".into(), message.body.clone())
}
