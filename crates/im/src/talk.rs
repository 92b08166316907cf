//! One conversation: its newest messages without a gap, and what is known of the other side at the
//! moment.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use offhook_model::{Chat, ChatKind, Delivery, Jid, Message, MessageId, Timestamp};

/// How many messages are kept in memory; the store has the rest.
pub(crate) const KEPT: usize = 200;

/// How many of the conversation that was opened last.
pub(crate) const KEPT_OPEN: usize = 200_000;

/// How many stanzas of a conversation are remembered to know a copy.
const REMEMBERED: usize = 512;

/// What a new message turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Not seen before.
    New,
    /// The same message came again; it is kept under this id.
    Copy(MessageId),
    /// Another message with a used id.
    Clash,
}

/// A stanza that came.
#[derive(Debug)]
struct Seen {
    /// Who sent it: bare, in a room the occupant's address.
    sender: Jid,
    /// Its id on the wire.
    id: String,
    /// What it said.
    print: u64,
    /// The message it is, or changes.
    kept: MessageId,
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
    /// What came up to then has been seen.
    pub read_until: Option<Timestamp>,
    /// The time of the newest message that the server is known to have, of those the store had at the
    /// sign-in.
    pub stored: Option<Timestamp>,
    /// `messages` goes back to the oldest that the store has.
    pub whole: bool,
    /// The user's word about encryption, if there was one.
    pub encrypt: Option<bool>,
    seen: VecDeque<Seen>,
}

impl Talk {
    pub(crate) fn new(with: Jid, name: String) -> Self {
        Self::from_chat(Chat::new(with, name, ChatKind::Person))
    }

    pub(crate) fn from_chat(chat: Chat) -> Self {
        let read_until = chat.last.as_ref().map(|last| last.time);
        Self {
            chat: Arc::new(chat),
            messages: Arc::default(),
            resource: None,
            typing_until: None,
            writing_until: None,
            to_mark: None,
            read_until,
            stored: None,
            whole: false,
            encrypt: None,
            seen: VecDeque::new(),
        }
    }

    /// Changes the row of the conversation list.
    pub(crate) fn edit_chat(&mut self, edit: impl FnOnce(&mut Chat)) {
        edit(Arc::make_mut(&mut self.chat));
    }

    /// Whether a stanza of this sender was here before. From an archive (`live` false) its id alone
    /// tells: what was corrected or decrypted since says something else than it did.
    pub(crate) fn meet(&self, sender: &Jid, id: &str, body: &str, live: bool) -> Known {
        let print = print(body);
        let mut clash = false;
        for seen in self.seen.iter().rev().filter(|seen| seen.id == id) {
            if &seen.sender == sender && (seen.print == print || !live) {
                return Known::Copy(seen.kept.clone());
            }
            clash = true;
        }
        match self.find(id) {
            Some(message) if &message.from != sender => Known::Clash,
            Some(message) => {
                let changed = message.more.edited || message.more.retracted.is_some();
                let same = message.body == body || changed || !live;
                // Sent under this id by another one earlier, and kept under another.
                if same && !clash { Known::Copy(message.id.clone()) } else { Known::Clash }
            }
            None if clash => Known::Clash,
            None => Known::New,
        }
    }

    /// Remembers that this stanza is, or changes, the message kept as `kept`.
    pub(crate) fn remember(&mut self, sender: &Jid, id: &str, body: &str, kept: &MessageId) {
        if self.seen.len() >= REMEMBERED {
            self.seen.pop_front();
        }
        let (sender, id) = (sender.clone(), id.to_owned());
        self.seen.push_back(Seen { sender, id, print: print(body), kept: kept.clone() });
    }

    /// The message that a stanza of this sender is kept as, where that is another id than its own.
    pub(crate) fn alias(&self, sender: &Jid, id: &str) -> Option<&MessageId> {
        let mine = |seen: &&Seen| &seen.sender == sender && seen.id == id;
        self.seen.iter().rev().find(mine).map(|seen| &seen.kept)
    }

    /// The id that the writer gave a message that is kept under another one.
    pub(crate) fn given_id(&self, writer: &Jid, kept: &MessageId) -> Option<&str> {
        let first = self.seen.iter().find(|seen| &seen.sender == writer && &seen.kept == kept);
        first.map(|seen| seen.id.as_str()).filter(|_| self.find(&kept.0).is_some_and(|m| !m.own))
    }

    /// Whether a message stands in a place that leaves no gap: not before the oldest in memory while
    /// the store has messages between the two, nor alone in memory before the newest that the store
    /// has.
    pub(crate) fn fits(&self, time: Timestamp) -> bool {
        let oldest = self.messages.first().map(Arc::as_ref).or(self.chat.last.as_ref());
        self.whole || oldest.is_none_or(|oldest| oldest.time <= time)
    }

    /// Puts a message at its place in time, and keeps at most so many. Queued own messages written
    /// later stay behind it.
    pub(crate) fn put(&mut self, message: Message, keep: usize) {
        self.raise_last(&message);
        let messages = Arc::make_mut(&mut self.messages);
        let place = messages.partition_point(|m| m.time <= message.time);
        messages.insert(place, Arc::new(message));
        self.trim(keep);
    }

    /// The newest message of the row, if it is that.
    pub(crate) fn raise_last(&mut self, message: &Message) {
        if self.chat.last.as_ref().is_none_or(|l| l.time <= message.time) {
            let last = message.clone();
            self.edit_chat(|chat| chat.last = Some(last));
        }
    }

    /// Adds what the store has, up to the newest it has. `more`: it has older ones.
    pub(crate) fn merge(&mut self, stored: Vec<Message>, more: bool, keep: usize) {
        let messages = Arc::make_mut(&mut self.messages);
        if let Some(oldest) = stored.first()
            && more
            && messages.len() <= stored.len()
        {
            // What came late stands in its own time, before a gap.
            messages.retain(|m| m.time >= oldest.time);
        }
        let from_start = stored.first().map(|m| m.time) <= messages.first().map(|m| m.time);
        insert_new(messages, stored);
        if from_start || messages.is_empty() || !more {
            self.whole = !more;
        }
        self.trim(keep);
    }

    /// Keeps at most so many, the newest.
    pub(crate) fn trim(&mut self, keep: usize) {
        let older = self.messages.len().saturating_sub(keep);
        if older > 0 {
            Arc::make_mut(&mut self.messages).drain(..older);
            self.whole = false;
            self.edit_chat(|chat| chat.older = true);
        }
    }

    /// Takes a message out of memory, to be put in again at another place.
    pub(crate) fn remove(&mut self, id: &MessageId) {
        Arc::make_mut(&mut self.messages).retain(|m| &m.id != id);
    }

    /// Changes one message, here and in the row of the list; the message as it is then.
    pub(crate) fn edit(
        &mut self,
        id: &MessageId,
        edit: impl FnOnce(&mut Message),
    ) -> Option<Message> {
        let place = self.messages.iter().rposition(|m| &m.id == id);
        let message = match place {
            Some(place) => {
                let place = Arc::make_mut(&mut self.messages).get_mut(place)?;
                edit(Arc::make_mut(place));
                place.as_ref().clone()
            }
            // Only the row has it: its conversation was not opened in this session.
            None => {
                let mut last = self.chat.last.clone().filter(|last| &last.id == id)?;
                edit(&mut last);
                last
            }
        };
        if self.chat.last.as_ref().is_some_and(|l| l.id == message.id) {
            let last = message.clone();
            self.edit_chat(|chat| chat.last = Some(last));
        }
        Some(message)
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Message> {
        self.messages.iter().rev().find(|m| m.id.0 == id).map(Arc::as_ref)
    }

    /// The message to which the archive gave this id.
    pub(crate) fn find_archived(&self, id: &str) -> Option<&Message> {
        let is = |m: &&Arc<Message>| m.more.archive_id.as_deref() == Some(id);
        self.messages.iter().rev().find(is).map(Arc::as_ref)
    }

    /// Moves an own message forward; never back, and never from delivered to failed. The message
    /// when that changed it.
    pub(crate) fn progress(
        &mut self,
        id: &MessageId,
        state: Delivery,
        error: Option<&str>,
    ) -> Option<Message> {
        let last = || self.chat.last.as_ref().filter(|last| &last.id == id);
        let current = self.find(&id.0).or_else(last).filter(|m| m.own)?.state;
        let late_failure = state == Delivery::Failed && current >= Delivery::Delivered;
        if state <= current || late_failure {
            return None;
        }
        self.edit(id, |message| {
            message.state = state;
            message.error = error.map(str::to_owned);
        })
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

    /// A received message has not been seen.
    pub(crate) fn count(&mut self, message: &Message) {
        self.edit_chat(|chat| {
            if chat.unread == 0 {
                chat.first_unread = Some(message.id.clone());
            }
            chat.unread = chat.unread.saturating_add(1);
            chat.mentions = chat.mentions.saturating_add(u32::from(message.more.mentions_me));
        });
    }

    /// All received messages up to then have been seen. Whether that changed anything, and whether
    /// all are seen now.
    pub(crate) fn read(&mut self, until: Timestamp) -> (bool, bool) {
        self.read_until = self.read_until.max(Some(until));
        let unread = |m: &Message| !m.own && m.state != Delivery::Read;
        let now_read = |m: &Message| unread(m) && m.time <= until;
        let any = self.chat.unread > 0 || self.messages.iter().any(|m| now_read(m));
        if !any {
            return (false, self.chat.unread == 0);
        }
        if self.messages.iter().any(|m| now_read(m)) {
            for message in Arc::make_mut(&mut self.messages).iter_mut().filter(|m| now_read(m)) {
                Arc::make_mut(message).state = Delivery::Read;
            }
        }
        let left: Vec<&Arc<Message>> = self.messages.iter().filter(|m| unread(m)).collect();
        let unread = u32::try_from(left.len()).unwrap_or(u32::MAX);
        let mentions = left.iter().filter(|m| m.more.mentions_me).count();
        let mentions = u32::try_from(mentions).unwrap_or(u32::MAX);
        let first = left.first().map(|m| m.id.clone());
        self.edit_chat(|chat| {
            chat.unread = unread.min(chat.unread);
            chat.mentions = mentions.min(chat.mentions);
            chat.first_unread = first.filter(|_| chat.unread > 0);
            if let Some(last) = chat.last.as_mut().filter(|l| !l.own && l.time <= until) {
                last.state = Delivery::Read;
            }
        });
        (true, self.chat.unread == 0)
    }

    /// Nothing was ever written in it, as far as is known here.
    pub(crate) fn is_empty(&self) -> bool {
        self.chat.last.is_none() && self.messages.is_empty()
    }

    /// The newest message of all, in memory or in the row.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let last = self.chat.last.as_ref().map(|l| l.time);
        last.max(self.messages.last().map(|m| m.time))
    }
}

/// Puts those that are not there at their places in time. A page that is older than everything, as
/// somebody who scrolls up gets it, is put in front at once: one by one, each would move all the
/// others.
fn insert_new(messages: &mut Vec<Arc<Message>>, stored: Vec<Message>) {
    let here: HashSet<MessageId> = {
        let stored: HashSet<&MessageId> = stored.iter().map(|m| &m.id).collect();
        let both = messages.iter().filter(|m| stored.contains(&m.id));
        both.map(|m| m.id.clone()).collect()
    };
    let new = stored.into_iter().filter(|m| !here.contains(&m.id)).map(Arc::new);
    let new: Vec<Arc<Message>> = new.collect();
    let first = messages.first().map(|m| m.time);
    let in_front = first.is_some_and(|first| new.iter().all(|m| m.time < first));
    if in_front && new.is_sorted_by_key(|m| m.time) {
        drop(messages.splice(..0, new));
        return;
    }
    for message in new {
        let place = messages.partition_point(|m| m.time <= message.time);
        messages.insert(place, message);
    }
}

fn print(body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use offhook_model::{ChatKind, Delivery, Jid, Message, MessageId, More, Timestamp};

    use super::{KEPT_OPEN, Talk};

    fn message(id: &str, time: i64) -> Message {
        let with: Jid = "bob@example.com".parse().expect("an address");
        Message {
            id: MessageId(id.into()),
            with: with.clone(),
            from: with.clone(),
            to: with,
            body: "text".into(),
            time: Timestamp(time),
            own: false,
            state: Delivery::Read,
            error: None,
            more: More::default(),
        }
    }

    #[test]
    fn a_page_of_the_store_goes_to_its_place_and_brings_nothing_twice() {
        let check = |here: &[(&str, i64)], page: &[(&str, i64)], want: &str| {
            let list = |of: &[(&str, i64)]| -> Vec<Message> {
                of.iter().map(|(id, time)| message(id, *time)).collect()
            };
            let with: Jid = "bob@example.com".parse().expect("an address");
            let chat = offhook_model::Chat::new(with, "Bob".into(), ChatKind::Person);
            let mut talk = Talk::from_chat(chat);
            talk.messages = Arc::new(list(here).into_iter().map(Arc::new).collect());
            talk.merge(list(page), false, KEPT_OPEN);
            let ids: Vec<&str> = talk.messages.iter().map(|it| it.id.0.as_str()).collect();
            assert_eq!(ids.concat(), want);
        };
        let here = [("d", 40), ("e", 50), ("f", 60)];
        check(&here, &[("a", 10), ("b", 20), ("c", 30)], "abcdef");
        check(&here, &[("c", 30), ("d", 40)], "cdef");
        check(&here, &[("b", 20), ("x", 55)], "bdexf");
        // Written in the same moment: the store's stands behind, as it came.
        check(&here, &[("c", 30), ("x", 40)], "cdxef");
        // One that is here already has another time in the store.
        check(&here, &[("a", 10), ("f", 15)], "adef");
        check(&[], &[("a", 10), ("b", 20)], "ab");
        check(&here, &[], "def");
    }
}
