//! One conversation: its newest messages, and what is known of the other side at the moment.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use offhook_model::{Chat, ChatKind, Delivery, Jid, Message, MessageId};

/// How many messages are kept in memory; the store has the rest.
pub(crate) const KEPT: usize = 200;

/// How many ids of received messages are remembered to know a copy.
const REMEMBERED: usize = 512;

/// What a new message turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Not seen before.
    New,
    /// The same message came again.
    Copy,
    /// Another message with a used id.
    Clash,
}

/// A conversation.
pub(crate) struct Talk {
    pub chat: Arc<Chat>,
    pub messages: Arc<Vec<Arc<Message>>>,
    /// The other side's resource that wrote last (RFC 6121 section 5.1).
    pub resource: Option<String>,
    /// When their typing ends without further word.
    pub typing_until: Option<Instant>,
    /// When ours does.
    pub writing_until: Option<Instant>,
    /// The newest message whose sender wants to know that it was seen, and its sender.
    pub to_mark: Option<(String, Jid)>,
    seen: VecDeque<(String, u64)>,
}

impl Talk {
    pub(crate) fn new(with: Jid, name: String) -> Self {
        Self::from_chat(Chat::new(with, name, ChatKind::Person))
    }

    pub(crate) fn from_chat(chat: Chat) -> Self {
        Self {
            chat: Arc::new(chat),
            messages: Arc::default(),
            resource: None,
            typing_until: None,
            writing_until: None,
            to_mark: None,
            seen: VecDeque::new(),
        }
    }

    /// Changes the row of the conversation list.
    pub(crate) fn edit_chat(&mut self, edit: impl FnOnce(&mut Chat)) {
        edit(Arc::make_mut(&mut self.chat));
    }

    /// Whether a received message was here before; remembers it.
    pub(crate) fn meet(&mut self, id: &str, body: &str) -> Known {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let print = hasher.finish();
        let in_memory = self.messages.iter().rev().find(|m| m.id.0 == id);
        let remembered = self.seen.iter().rev().find(|(seen, _)| seen == id);
        let known = match (in_memory, remembered) {
            (Some(message), _) if message.body == body => Known::Copy,
            (_, Some((_, seen))) if *seen == print => Known::Copy,
            (None, None) => Known::New,
            (Some(_), _) | (_, Some(_)) => Known::Clash,
        };
        if known == Known::New {
            if self.seen.len() >= REMEMBERED {
                self.seen.pop_front();
            }
            self.seen.push_back((id.to_owned(), print));
        }
        known
    }

    /// Puts a message at its place in time. Queued own messages written later stay behind it.
    pub(crate) fn put(&mut self, message: Message) {
        if self.chat.last.as_ref().is_none_or(|l| l.time <= message.time) {
            let last = message.clone();
            self.edit_chat(|chat| chat.last = Some(last));
        }
        let messages = Arc::make_mut(&mut self.messages);
        let place = messages.partition_point(|m| m.time <= message.time);
        messages.insert(place, Arc::new(message));
        trim(messages);
    }

    /// Adds what the store has.
    pub(crate) fn merge(&mut self, stored: Vec<Message>) {
        let messages = Arc::make_mut(&mut self.messages);
        for message in stored {
            if !messages.iter().any(|m| m.id == message.id) {
                let place = messages.partition_point(|m| m.time <= message.time);
                messages.insert(place, Arc::new(message));
            }
        }
        trim(messages);
    }

    /// Changes the message at this place; the message as it is then. Its row in the list of
    /// conversations is not changed.
    pub(crate) fn edit_message(
        &mut self,
        place: usize,
        edit: impl FnOnce(&mut Message),
    ) -> Option<Message> {
        let message = Arc::make_mut(Arc::make_mut(&mut self.messages).get_mut(place)?);
        edit(message);
        Some(message.clone())
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Message> {
        self.messages.iter().rev().find(|m| m.id.0 == id).map(Arc::as_ref)
    }

    /// Moves an own message forward; never back, and never from delivered to failed. The message
    /// when that changed it.
    pub(crate) fn progress(
        &mut self,
        id: &MessageId,
        state: Delivery,
        error: Option<&str>,
    ) -> Option<Message> {
        let place = self.messages.iter().rposition(|m| &m.id == id && m.own)?;
        let current = self.messages.get(place)?.state;
        let late_failure = state == Delivery::Failed && current >= Delivery::Delivered;
        if state <= current || late_failure {
            return None;
        }
        let message = self.edit_message(place, |message| {
            message.state = state;
            message.error = error.map(str::to_owned);
        })?;
        if self.chat.last.as_ref().is_some_and(|l| l.id == message.id) {
            let last = message.clone();
            self.edit_chat(|chat| chat.last = Some(last));
        }
        Some(message)
    }

    /// Own messages up to this one that have not been marked as read.
    pub(crate) fn unread_by_them(&self, id: &str) -> Vec<MessageId> {
        let Some(place) = self.messages.iter().rposition(|m| m.id.0 == id && m.own) else {
            return Vec::new();
        };
        self.messages
            .iter()
            .take(place + 1)
            .filter(|m| m.own && matches!(m.state, Delivery::Sent | Delivery::Delivered))
            .chain(self.messages.get(place).filter(|m| m.state == Delivery::Queued))
            .map(|m| m.id.clone())
            .collect()
    }

    /// All received messages have been seen. Whether that changed anything.
    pub(crate) fn read_all(&mut self) -> bool {
        let unread = |m: &Message| !m.own && m.state != Delivery::Read;
        let any = self.chat.unread > 0 || self.messages.iter().any(|m| unread(m));
        if any {
            for message in Arc::make_mut(&mut self.messages).iter_mut() {
                if unread(message) {
                    Arc::make_mut(message).state = Delivery::Read;
                }
            }
            self.edit_chat(|chat| {
                chat.unread = 0;
                if let Some(last) = chat.last.as_mut().filter(|l| !l.own) {
                    last.state = Delivery::Read;
                }
            });
        }
        any
    }
}

/// Keeps the newest messages, and of the older ones those that are still to be sent.
fn trim(messages: &mut Vec<Arc<Message>>) {
    let mut older = messages.len().saturating_sub(KEPT);
    messages.retain(|m| {
        let keep = older == 0 || m.state == Delivery::Queued;
        older = older.saturating_sub(1);
        keep
    });
}
