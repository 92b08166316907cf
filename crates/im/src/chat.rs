//! One-to-one chat: RFC 6121 section 5 with receipts (XEP-0184), chat states (XEP-0085),
//! displayed markers (XEP-0333), delay stamps (XEP-0203) and returned messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_model::{
    Chat, Contact, Delivery, Jid, Message, MessageId, Moment, NoticeBody, Subscription, Timestamp,
};
use offhook_ports::StoreRequest;
use xmpp_parsers::chatstates::ChatState;
use xmpp_parsers::delay::Delay;
use xmpp_parsers::displayed_markers::{Displayed, Markable};
use xmpp_parsers::message::{Id, Message as Wire, MessageType};
use xmpp_parsers::ns;
use xmpp_parsers::receipts::{Received, Request};
use xmpp_parsers::stanza_error::StanzaError;

use crate::contacts::stamp;
use crate::copies::Unwrapped;
use crate::talk::{Known, Talk};
use crate::{Im, Stanza, jid_from_wire, jid_to_wire, sentence};

/// After this long without a word, the other side is taken to have stopped writing.
const THEIR_PAUSE: Duration = Duration::from_secs(60);

/// After this long without a key, we tell them that we have (XEP-0085 section 5.4 suggests it).
const OUR_PAUSE: Duration = Duration::from_secs(30);

/// How many conversations keep messages in memory.
const OPEN: usize = 128;

/// How many conversations are known at all.
const TALKS: usize = 5_000;

impl Im {
    /// Writes a message. It is in the conversation at once, queued until the server has it; what
    /// cannot be sent at all is in it too, failed, with the reason. Characters that XML does not
    /// have are left out of the text.
    pub fn send_chat(&mut self, to: Jid, body: String, now: Moment) -> MessageId {
        let with = to.bare();
        let id = MessageId(self.ids.next());
        let mut message = Message {
            id: id.clone(),
            with: with.clone(),
            from: self.me.clone(),
            to: with.clone(),
            body: printable(&body),
            time: now.wall,
            own: true,
            state: Delivery::Queued,
            error: None,
        };
        let error = if jid_to_wire(&with).is_none() {
            Some(sentence::ADDRESS)
        } else if !self.outbox.put(id.clone(), with.clone()) {
            Some(sentence::FULL)
        } else {
            None
        };
        if let Some(error) = error {
            message.state = Delivery::Failed;
            message.error = Some(error.to_owned());
        }
        self.talk(&with).writing_until = None;
        self.add_message(message);
        self.flush();
        id
    }

    /// Tells the other side that we are writing, or no more. Repeat it while keys are pressed:
    /// after 30 seconds without, they are told that we paused.
    pub fn typing(&mut self, to: &Jid, typing: bool, now: Moment) {
        let with = to.bare();
        if self.full.is_none() {
            return;
        }
        let talk = self.talk(&with);
        let was = talk.writing_until.is_some();
        talk.writing_until = typing.then(|| now.at + OUR_PAUSE);
        if was == typing {
            return;
        }
        let state = if typing {
            self.note_writer(&with);
            ChatState::Composing
        } else {
            ChatState::Paused
        };
        if self.may_know(&with) {
            let target = self.target(&with);
            self.send_extra(target, |m| m.with_payload(state));
        }
    }

    /// All received messages of the conversation have been seen; their sender is told where they
    /// asked to be.
    pub fn mark_read(&mut self, with: &Jid, _now: Moment) {
        let with = with.bare();
        self.read_here(&with);
        if self.full.is_none() || !self.may_know(&with) {
            return;
        }
        let marked = self.talks.get_mut(&with).and_then(|t| t.to_mark.take());
        if let Some((id, sender)) = marked {
            self.send_extra(Some(sender), |m| m.with_payload(Displayed { id: Id(id) }));
        }
    }

    /// A conversation is shown: `stored` are its newest messages from the store.
    pub fn open_chat(&mut self, with: Jid, stored: Vec<Message>) {
        let with = with.bare();
        self.talk(&with).merge(stored);
        self.publish(&with);
    }

    pub(crate) fn receive_message(&mut self, message: Wire, now: Moment) {
        match self.unwrap_copy(message) {
            Some(Unwrapped::Direct(message)) => match message.type_ {
                MessageType::Error => self.returned(message),
                MessageType::Chat | MessageType::Normal => self.received(message, None, true, now),
                // Rooms are not here yet; headlines are not conversation.
                MessageType::Groupchat | MessageType::Headline => {}
            },
            Some(Unwrapped::Received(message, delay)) => match message.type_ {
                MessageType::Chat | MessageType::Normal => {
                    self.received(message, delay, false, now);
                }
                MessageType::Error | MessageType::Groupchat | MessageType::Headline => {}
            },
            Some(Unwrapped::Sent(message, delay)) => match message.type_ {
                MessageType::Chat | MessageType::Normal => self.sent_elsewhere(message, delay, now),
                MessageType::Error | MessageType::Groupchat | MessageType::Headline => {}
            },
            None => {}
        }
    }

    /// Sends what the outbox lets go.
    pub(crate) fn flush(&mut self) {
        while self.full.is_some() {
            let Some((id, with)) = self.outbox.next() else {
                return;
            };
            let body = self.talks.get(&with).and_then(|t| t.find(&id.0));
            let body = body.map(|message| message.body.clone());
            let (Some(body), Some(to)) = (body, self.target(&with)) else {
                self.outbox.take(&id.0);
                self.progress(&with, id, Delivery::Failed, Some(sentence::ADDRESS));
                continue;
            };
            let Some(to) = jid_to_wire(&to) else {
                continue;
            };
            let mut wire = Wire::chat(to)
                .with_body("".into(), body)
                .with_payload(Request)
                .with_payload(Markable)
                .with_payload(ChatState::Active);
            wire.id = Some(Id(id.0));
            self.send(Stanza::Message(wire));
        }
    }

    /// An own message got further.
    pub(crate) fn progress(
        &mut self,
        with: &Jid,
        id: MessageId,
        state: Delivery,
        error: Option<&str>,
    ) {
        let in_memory = self.talks.get(with).is_some_and(|t| t.find(&id.0).is_some());
        let changed = self.talks.get_mut(with).and_then(|talk| talk.progress(&id, state, error));
        if let Some(message) = changed {
            self.publish(with);
            self.keep_progress(id, state, error);
            self.tell_message(&message);
        } else if !in_memory && self.ids.is_ours(&id.0) {
            self.keep_progress(id, state, error);
        }
    }

    /// Somebody writes until then, or does not.
    pub(crate) fn their_typing(&mut self, with: &Jid, until: Option<Instant>) {
        let Some(talk) = self.talks.get_mut(with) else {
            return;
        };
        talk.typing_until = until;
        let typing = until.is_some();
        if talk.chat.typing == typing {
            return;
        }
        talk.edit_chat(|chat| chat.typing = typing);
        if typing {
            self.note_writer(with);
        }
        self.publish(with);
        self.notice(NoticeBody::Typing { with: with.clone(), typing });
    }

    pub(crate) fn forget_idle_writers(&mut self) {
        let talks = &self.talks;
        self.writing.retain(|with| {
            talks.get(with).is_some_and(|t| t.typing_until.is_some() || t.writing_until.is_some())
        });
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
        if let Some(last) = &talk.chat.last {
            let time = last.time;
            let chat = Arc::clone(&talk.chat);
            let chats = Arc::make_mut(&mut self.chats);
            let newer =
                |c: &Arc<offhook_model::Chat>| c.last.as_ref().is_some_and(|last| last.time > time);
            chats.retain(|c| &c.with != with);
            let place = chats.partition_point(newer);
            chats.insert(place, chat);
        }
        let shown = self.messages.get(with);
        if !talk.messages.is_empty() && !shown.is_some_and(|s| Arc::ptr_eq(s, &talk.messages)) {
            let messages = Arc::clone(&talk.messages);
            Arc::make_mut(&mut self.messages).insert(with.clone(), messages);
            self.close_oldest(with);
        }
    }

    /// Makes the list of conversations anew, all at once.
    pub(crate) fn publish_all(&mut self) {
        let listed = self.talks.values().filter(|talk| talk.chat.last.is_some());
        let mut chats: Vec<Arc<Chat>> = listed.map(|talk| Arc::clone(&talk.chat)).collect();
        chats.sort_by_key(|chat| std::cmp::Reverse(chat.last.as_ref().map(|last| last.time)));
        self.chats = Arc::new(chats);
    }

    fn received(&mut self, wire: Wire, delay: Option<Delay>, direct: bool, now: Moment) {
        let Some(from) = wire.from.as_ref().and_then(jid_from_wire) else {
            return;
        };
        let with = from.bare();
        if with == self.me && direct && wire.bodies.is_empty() {
            return;
        }
        self.their_word(&with, &wire);
        self.their_state(&with, &wire, now);
        let Some(body) = body(&wire) else {
            return;
        };
        let (known, id) = self.admit(&with, &wire, &body);
        // A copy is answered again: the first answer may be what was lost.
        if direct {
            self.send_receipt(&with, &from, &wire);
        }
        if known == Known::Copy {
            return;
        }
        let time = delay
            .map(|delay| Timestamp(delay.stamp.0.timestamp_millis()).min(now.wall))
            .or_else(|| stamp(&wire.payloads, now.wall))
            .unwrap_or(now.wall);
        let markable = wire.payloads.iter().any(|p| p.is("markable", ns::DISPLAYED_MARKERS));
        let sender_id = wire.id.filter(|_| markable).map(|id| id.0);
        let talk = self.talk(&with);
        talk.resource = from.resource().map(str::to_owned);
        if let Some(id) = sender_id {
            talk.to_mark = Some((id, with.clone()));
        }
        talk.edit_chat(|chat| chat.unread = chat.unread.saturating_add(1));
        self.add_message(Message {
            id: MessageId(id),
            from: with.clone(),
            to: self.me.clone(),
            with,
            body,
            time,
            own: false,
            state: Delivery::Delivered,
            error: None,
        });
    }

    fn sent_elsewhere(&mut self, wire: Wire, delay: Option<Delay>, now: Moment) {
        let Some(with) = wire.to.as_ref().and_then(jid_from_wire) else {
            return;
        };
        let with = with.bare();
        let ours = wire.from.as_ref().and_then(jid_from_wire);
        if ours.is_some_and(|from| from.bare() != self.me) {
            return;
        }
        let seen = wire.payloads.iter().any(|p| p.is("displayed", ns::DISPLAYED_MARKERS));
        let body = body(&wire);
        if seen || body.is_some() {
            self.read_here(&with);
        }
        let Some(body) = body else {
            return;
        };
        let (known, id) = self.admit(&with, &wire, &body);
        if known == Known::Copy {
            return;
        }
        let time = delay
            .map_or(now.wall, |delay| Timestamp(delay.stamp.0.timestamp_millis()).min(now.wall));
        self.add_message(Message {
            id: MessageId(id),
            from: self.me.clone(),
            to: with.clone(),
            with,
            body,
            time,
            own: true,
            state: Delivery::Sent,
            error: None,
        });
    }

    /// Whether a message is new, and the id under which it is kept: its own, or one of ours
    /// where it has none, or where it is taken by another message or has the form of our own.
    fn admit(&mut self, with: &Jid, wire: &Wire, body: &str) -> (Known, String) {
        let Some(Id(id)) = wire.id.as_ref().filter(|id| !id.0.is_empty()) else {
            return (Known::New, self.ids.next());
        };
        let known = self.talk(with).meet(id, body);
        let from_us =
            wire.from.as_ref().and_then(jid_from_wire).is_some_and(|from| from.bare() == self.me);
        let posing = self.ids.is_ours(id) && !from_us;
        if known == Known::Clash || posing { (known, self.ids.next()) } else { (known, id.clone()) }
    }

    /// Receipts and markers.
    fn their_word(&mut self, with: &Jid, wire: &Wire) {
        for payload in &wire.payloads {
            if payload.is("received", ns::RECEIPTS) {
                if let Ok(receipt) = Received::try_from(payload.clone()) {
                    self.arrived(with, receipt.id, Delivery::Delivered);
                }
            } else if payload.is("displayed", ns::DISPLAYED_MARKERS)
                && let Ok(marker) = Displayed::try_from(payload.clone())
            {
                let talk = self.talks.get(with);
                let read = talk.map(|talk| talk.unread_by_them(&marker.id.0));
                for id in read.unwrap_or_default() {
                    self.arrived(with, id.0, Delivery::Read);
                }
            }
        }
    }

    /// Their client has it, so the server had it, whether or not it said so.
    fn arrived(&mut self, with: &Jid, id: String, state: Delivery) {
        let own = self
            .talks
            .get(with)
            .and_then(|talk| talk.find(&id))
            .map_or_else(|| self.ids.is_ours(&id), |message| message.own);
        if own {
            self.outbox.take(&id);
            self.progress(with, MessageId(id), state, None);
            self.flush();
        }
    }

    fn their_state(&mut self, with: &Jid, wire: &Wire, now: Moment) {
        let state = wire
            .payloads
            .iter()
            .filter(|payload| payload.has_ns(ns::CHATSTATES))
            .find_map(|payload| ChatState::try_from(payload.clone()).ok());
        match state {
            Some(ChatState::Composing) if wire.bodies.is_empty() => {
                self.their_typing(with, Some(now.at + THEIR_PAUSE));
            }
            Some(_) => self.their_typing(with, None),
            None if !wire.bodies.is_empty() => self.their_typing(with, None),
            None => {}
        }
    }

    /// A message came back (RFC 6120 section 8.3). Only the other side or our own server can
    /// return one.
    fn returned(&mut self, wire: Wire) {
        let Some(Id(id)) = wire.id else {
            return;
        };
        let from = wire.from.as_ref().and_then(jid_from_wire).map(|f| f.bare());
        let own_server = self.is_own_server(wire.from.as_ref());
        let Some(with) = from.filter(|_| !own_server).or_else(|| self.outbox_talk(&id)) else {
            return;
        };
        let ours = self.talks.get(&with).and_then(|talk| talk.find(&id));
        if !ours.is_some_and(|message| message.own) {
            return;
        }
        let reason = wire
            .payloads
            .into_iter()
            .find_map(|payload| StanzaError::try_from(payload).ok())
            .map_or_else(|| sentence::UNREADABLE.to_owned(), |e| sentence::bounced(&e));
        self.outbox.take(&id);
        self.progress(&with, MessageId(id), Delivery::Failed, Some(&reason));
        self.flush();
    }

    fn outbox_talk(&self, id: &str) -> Option<Jid> {
        self.talks
            .iter()
            .find(|(_, talk)| talk.find(id).is_some_and(|m| m.own))
            .map(|(with, _)| with.clone())
    }

    fn send_receipt(&mut self, with: &Jid, from: &Jid, wire: &Wire) {
        let wanted = wire.payloads.iter().any(|p| p.is("request", ns::RECEIPTS));
        if let (true, Some(Id(id))) = (wanted && self.may_know(with), &wire.id) {
            let receipt = Received { id: id.clone() };
            self.send_extra(Some(from.clone()), |m| m.with_payload(receipt));
        }
    }

    /// Whether this person may learn that we are here (XEP-0184 section 5.4): those who see our
    /// presence, colleagues of the same domain, and whom we wrote to ourselves.
    fn may_know(&self, with: &Jid) -> bool {
        let sees_us = self.people.get(with).is_some_and(|contact| {
            matches!(contact.subscription, Subscription::From | Subscription::Both)
        });
        sees_us
            || with.domain() == self.me.domain()
            || self.talks.get(with).is_some_and(|talk| talk.messages.iter().any(|m| m.own))
    }

    /// The address for the next message: the resource that wrote last while it is there, else the
    /// bare address (RFC 6121 section 5.1).
    fn target(&self, with: &Jid) -> Option<Jid> {
        let resource = self.talks.get(with)?.resource.as_deref();
        Some(match resource {
            Some(resource) if self.people.has_resource(with, resource) => {
                with.with_resource(resource)
            }
            Some(_) | None => with.clone(),
        })
    }

    fn send_extra(&mut self, to: Option<Jid>, fill: impl FnOnce(Wire) -> Wire) {
        if let Some(to) = to.as_ref().and_then(jid_to_wire) {
            let mut wire = fill(Wire::chat(to));
            wire.id = Some(Id(self.ids.next()));
            self.send(Stanza::Message(wire));
        }
    }

    fn read_here(&mut self, with: &Jid) {
        if self.talks.get_mut(with).is_some_and(Talk::read_all) {
            self.publish(with);
            self.store(StoreRequest::MarkRead(with.clone()));
        }
    }

    fn add_message(&mut self, message: Message) {
        let with = message.with.clone();
        self.talk(&with).put(message.clone());
        self.publish(&with);
        self.tell_message(&message);
        self.store(StoreRequest::PutMessage(message));
    }

    fn keep_progress(&mut self, id: MessageId, state: Delivery, error: Option<&str>) {
        let error = error.map(str::to_owned);
        self.store(StoreRequest::SetDelivery(id, state, error));
    }

    fn tell_message(&mut self, message: &Message) {
        self.notice(NoticeBody::Chat {
            id: message.id.clone(),
            with: message.with.clone(),
            from: message.from.clone(),
            body: message.body.clone(),
            state: message.own.then_some(message.state),
        });
    }

    fn note_writer(&mut self, with: &Jid) {
        if !self.writing.contains(with) {
            self.writing.push(with.clone());
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

/// The text without the characters that XML 1.0 does not have (section 2.2), with line ends as
/// XML reads them (section 2.11).
pub(crate) fn printable(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t' | '\u{80}'..='\u{9f}'))
        .filter(|c| !matches!(c, '\u{7f}' | '\u{fffe}' | '\u{ffff}'))
        .collect()
}

fn body(wire: &Wire) -> Option<String> {
    let (_, text) = wire.get_best_body(Vec::new())?;
    (!text.is_empty()).then(|| text.clone())
}
