//! What we write to others: one-to-one chat (RFC 6121 section 5), chat states (XEP-0085) and
//! markers (XEP-0333), and how far own messages come.

use std::time::{Duration, Instant};

use offhook_model::{Delivery, Jid, Message, MessageId, Moment, More, NoticeBody, Subscription};
use offhook_ports::StoreRequest;
use xmpp_parsers::chatstates::ChatState;
use xmpp_parsers::displayed_markers::{Displayed, Markable};
use xmpp_parsers::message::{Id, Message as Wire};
use xmpp_parsers::receipts::Request;

use crate::talk::Talk;
use crate::{Im, Stanza, jid_to_wire, sentence};

/// After this long without a key, we tell them that we have (XEP-0085 suggests it).
const OUR_PAUSE: Duration = Duration::from_secs(30);

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
            more: More::default(),
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

    /// Whether this person may learn that we are here (XEP-0184, security considerations): those
    /// who see our presence, colleagues of the same domain, and whom we wrote to ourselves.
    pub(crate) fn may_know(&self, with: &Jid) -> bool {
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

    pub(crate) fn send_extra(&mut self, to: Option<Jid>, fill: impl FnOnce(Wire) -> Wire) {
        if let Some(to) = to.as_ref().and_then(jid_to_wire) {
            let mut wire = fill(Wire::chat(to));
            wire.id = Some(Id(self.ids.next()));
            self.send(Stanza::Message(wire));
        }
    }

    pub(crate) fn read_here(&mut self, with: &Jid) {
        if self.talks.get_mut(with).is_some_and(Talk::read_all) {
            self.publish(with);
            self.store(StoreRequest::MarkRead(with.clone()));
        }
    }

    pub(crate) fn add_message(&mut self, message: Message) {
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

    pub(crate) fn note_writer(&mut self, with: &Jid) {
        if !self.writing.contains(with) {
            self.writing.push(with.clone());
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
