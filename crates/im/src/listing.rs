//! The conversations in memory, and the lists of them that snapshots share.

use std::sync::Arc;

use offhook_model::{Chat, Contact, Jid, Message, MessageId};

use crate::Im;
use crate::outbox::Parcel;
use crate::talk::{KEPT, KEPT_OPEN, Talk};

/// How many conversations keep messages in memory.
const OPEN: usize = 128;

/// How many conversations are known at all.
const TALKS: usize = 5_000;

impl Im {
    /// A conversation is shown: `stored` are its newest messages from the store, which has `more`
    /// before them. Its messages stay in memory until another one is shown.
    pub fn open_chat(&mut self, with: Jid, stored: Vec<Message>, more: bool) {
        let with = with.bare();
        if let Some(before) = self.opened.replace(with.clone()).filter(|before| before != &with)
            && let Some(talk) = self.talks.get_mut(&before)
        {
            talk.trim(KEPT);
            self.publish(&before);
        }
        self.talk(&with).merge(stored.clone(), more, KEPT_OPEN);
        stored.iter().for_each(|message| self.offer_link(message));
        self.publish(&with);
    }

    /// What waited to be sent when the program ended, in the order in which it was written.
    pub(crate) fn load_waiting(
        &mut self,
        queued: Vec<Message>,
        changes: Vec<(i64, MessageId, Jid, Parcel)>,
    ) {
        let messages = queued.into_iter().map(|message| {
            let (written, id, with) = (message.time.0, message.id.clone(), message.with.bare());
            (written, id, with, Parcel::Message(Box::new(message)))
        });
        let mut waiting: Vec<_> = messages.chain(changes).collect();
        // Stable, and messages come first: what changes a message of the same moment follows it.
        waiting.sort_by_key(|(written, ..)| *written);
        let waiting = waiting.into_iter().map(|(_, id, with, parcel)| (id, with, parcel));
        self.outbox.restore(waiting.collect());
    }

    /// How many messages of this conversation stay in memory.
    pub(crate) fn kept(&self, with: &Jid) -> usize {
        if self.opened.as_ref() == Some(with) { KEPT_OPEN } else { KEPT }
    }

    /// A conversation as the store has it; messages may have come already.
    pub(crate) fn load_chat(&mut self, mut chat: Chat) {
        chat.typing = false;
        let with = chat.with.bare();
        if let Some(contact) = self.people.get(&with) {
            chat.name.clone_from(&contact.name);
        }
        let Some(talk) = self.talks.get_mut(&with) else {
            self.talks.insert(with, Talk::from_chat(chat));
            return;
        };
        talk.read_until = talk.read_until.max(chat.last.as_ref().map(|last| last.time));
        talk.edit_chat(|known| {
            known.unread = known.unread.saturating_add(chat.unread);
            known.mentions = known.mentions.saturating_add(chat.mentions);
            known.first_unread = chat.first_unread.or_else(|| known.first_unread.take());
            let time = |last: &Option<Message>| last.as_ref().map(|last| last.time);
            if time(&chat.last) > time(&known.last) {
                known.last = chat.last;
            }
        });
    }

    /// The conversation, a new one if need be.
    pub(crate) fn talk(&mut self, with: &Jid) -> &mut Talk {
        if !self.talks.contains_key(with) {
            self.make_room();
        }
        let people = &self.people;
        self.talks.entry(with.clone()).or_insert_with(|| {
            let name =
                people.get(with).map_or_else(|| with.to_string(), |contact| contact.name.clone());
            Talk::new(with.clone(), name)
        })
    }

    /// Brings the public lists up to date with one conversation.
    pub(crate) fn publish(&mut self, with: &Jid) {
        let Some(talk) = self.talks.get(with) else {
            return;
        };
        if is_listed(&talk.chat) {
            let time = talk.chat.last.as_ref().map(|last| last.time);
            let chat = Arc::clone(&talk.chat);
            let chats = Arc::make_mut(&mut self.chats);
            let newer = |c: &Arc<Chat>| c.last.as_ref().map(|last| last.time) > time;
            chats.retain(|c| &c.with != with);
            let place = chats.partition_point(newer);
            chats.insert(place, chat);
        } else if self.chats.iter().any(|c| &c.with == with) {
            Arc::make_mut(&mut self.chats).retain(|c| &c.with != with);
        }
        let shown = self.messages.get(with);
        if !talk.messages.is_empty() && !shown.is_some_and(|s| Arc::ptr_eq(s, &talk.messages)) {
            let messages = Arc::clone(&talk.messages);
            Arc::make_mut(&mut self.messages).insert(with.clone(), messages);
            self.close_oldest(with);
        }
    }

    /// The public list lets go of the conversation's messages until [`Im::publish`], so that they can
    /// be changed without copying a list that may be long.
    pub(crate) fn lend(&mut self, with: &Jid) {
        if let Some(shown) = Arc::make_mut(&mut self.messages).get_mut(with) {
            *shown = Arc::default();
        }
    }

    /// The conversation has no messages in memory any more.
    pub(crate) fn unlist(&mut self, with: &Jid) {
        Arc::make_mut(&mut self.messages).remove(with);
        self.publish(with);
    }

    /// Makes the list of conversations anew, all at once.
    pub(crate) fn publish_all(&mut self) {
        let listed = self.talks.values().filter(|talk| is_listed(&talk.chat));
        let mut chats: Vec<Arc<Chat>> = listed.map(|talk| Arc::clone(&talk.chat)).collect();
        chats.sort_by_key(|chat| std::cmp::Reverse(chat.last.as_ref().map(|last| last.time)));
        self.chats = Arc::new(chats);
    }

    pub(crate) fn rename_talk(&mut self, contact: &Contact) {
        let with = &contact.contact;
        if let Some(talk) = self.talks.get_mut(with)
            && talk.chat.name != contact.name
        {
            let name = contact.name.clone();
            talk.edit_chat(|chat| chat.name = name);
            self.publish(with);
        }
    }

    /// Keeps the number of conversations with messages in memory down; those with waiting
    /// messages stay.
    fn close_oldest(&mut self, but: &Jid) {
        if self.messages.len() <= OPEN {
            return;
        }
        let oldest = self
            .messages
            .iter()
            .filter(|(with, _)| *with != but && !self.outbox.holds(with))
            .min_by_key(|(_, messages)| messages.last().map(|m| m.time))
            .map(|(with, _)| with.clone());
        if let Some(with) = oldest {
            Arc::make_mut(&mut self.messages).remove(&with);
            if let Some(talk) = self.talks.get_mut(&with) {
                talk.messages = Arc::default();
            }
        }
    }

    fn make_room(&mut self) {
        if self.talks.len() < TALKS {
            return;
        }
        let oldest = self
            .talks
            .iter()
            .filter(|(with, _)| !self.outbox.holds(with))
            .min_by_key(|(_, talk)| talk.chat.last.as_ref().map(|last| last.time))
            .map(|(with, _)| with.clone());
        if let Some(with) = oldest {
            self.talks.remove(&with);
            Arc::make_mut(&mut self.chats).retain(|c| c.with != with);
            Arc::make_mut(&mut self.messages).remove(&with);
        }
    }
}

/// A conversation appears in the list once something was written in it, or begun.
fn is_listed(chat: &Chat) -> bool {
    chat.last.is_some() || !chat.draft.is_empty()
}
