//! Conversations as the user keeps them: what was begun and not sent, what may disturb, older messages
//! brought into memory, and all of them forgotten.

use std::sync::Arc;

use offhook_model::{Alerts, ChatKind, Jid, Message, MessageId};
use offhook_ports::{ChatRow, StoreRequest};

use crate::content::BODY;
use crate::text::cut;
use crate::{Im, chat};

impl Im {
    /// Keeps what was begun and not sent, at most 65,536 characters of it.
    pub fn set_draft(&mut self, with: &Jid, text: &str) {
        let (with, (draft, _)) = (with.bare(), cut(chat::printable(text), BODY));
        if self.talk(&with).chat.draft != draft {
            self.talk(&with).edit_chat(|chat| chat.draft = draft);
            self.publish(&with);
            self.keep_row(&with);
        }
    }

    /// What the conversation may disturb us with.
    pub fn set_alerts(&mut self, with: &Jid, alerts: Alerts) {
        let with = with.bare();
        self.talk(&with).edit_chat(|chat| chat.alerts = alerts);
        self.publish(&with);
        self.keep_row(&with);
    }

    /// Deletes the messages of a conversation here. Those that still wait to be sent stay.
    pub fn clear(&mut self, with: &Jid) {
        let with = with.bare();
        self.store(StoreRequest::Clear(with.clone()));
        let waiting = self.outbox.messages(&with);
        let talk = self.talk(&with);
        (talk.messages, talk.whole) = (Arc::default(), true);
        talk.edit_chat(|chat| {
            (chat.last, chat.unread, chat.mentions, chat.first_unread) = (None, 0, 0, None);
        });
        self.unlist(&with);
        for message in waiting {
            self.add_message(message, true, false);
        }
        self.publish(&with);
    }

    /// Older messages are wanted: before which one the store is to be asked, without one for its
    /// newest. Nothing when the store has no more: then the server's archive is asked.
    pub fn older(&mut self, with: &Jid) -> Option<Option<MessageId>> {
        let with = with.bare();
        if self.talk(&with).whole {
            self.ask_older(&with);
            return None;
        }
        Some(self.talk(&with).messages.first().map(|oldest| oldest.id.clone()))
    }

    /// The store's answer to that; `more`: it has still older ones.
    pub fn older_read(
        &mut self,
        with: &Jid,
        before: Option<&MessageId>,
        stored: Vec<Message>,
        more: bool,
    ) {
        let with = with.bare();
        let oldest = self.talk(&with).messages.first().map(|oldest| oldest.id.clone());
        // Trimmed or read otherwise since: there would be a gap, or everything is here.
        if oldest.as_ref() != before {
            return;
        }
        let nothing = stored.is_empty();
        self.open_chat(with.clone(), stored, more);
        if nothing && !more {
            self.ask_older(&with);
        }
    }

    /// Whether there are messages older than those in memory, here or at the server.
    pub(crate) fn set_older(&mut self, with: &Jid, older: bool) {
        let talk = self.talk(with);
        if talk.chat.older != older {
            talk.edit_chat(|chat| chat.older = older);
            self.publish(with);
        }
    }

    /// Conversations as the user keeps them, out of the store.
    pub(crate) fn load_rows(&mut self, rows: Vec<ChatRow>) {
        for row in rows {
            let with = row.with.bare();
            let talk = self.talk(&with);
            talk.encrypt = row.encrypt;
            talk.edit_chat(|chat| {
                chat.kind = row.kind;
                chat.alerts = row.alerts;
                // What was begun since is newer.
                if chat.draft.is_empty() {
                    chat.draft = row.draft;
                }
                if let Some(name) = row.name {
                    chat.name = name;
                }
            });
        }
    }

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
}
