//! What we write to others: one-to-one chat (RFC 6121 section 5), chat states (XEP-0085) and
//! markers (XEP-0333), and how far own messages come.

use std::time::{Duration, Instant};

use offhook_model::{
    Delivery, Jid, Message, MessageId, Moment, More, NoticeBody, Subscription, Timestamp,
};
use offhook_ports::StoreRequest;
use xmpp_parsers::chatstates::ChatState;
use xmpp_parsers::displayed_markers::{Displayed, Markable};
use xmpp_parsers::message::{Id, Message as Wire, MessageType};
use xmpp_parsers::receipts::Request;
use xmpp_parsers::stanza_id::OriginId;

use crate::outbox::Parcel;
use crate::rooms::Gate;
use crate::sealing::Sealed;
use crate::talk::Talk;
use crate::{Im, Stanza, jid_to_wire, sentence};

/// After this long without a key, we tell them that we have (XEP-0085 suggests it).
const OUR_PAUSE: Duration = Duration::from_secs(30);

impl Im {
    /// Writes a message. It is in the conversation at once, queued until the server has it; what
    /// cannot be sent at all is in it too, failed, with the reason. Characters that XML does not
    /// have are left out of the text.
    pub fn send_chat(&mut self, to: Jid, body: String, now: Moment) -> MessageId {
        self.write(&to.bare(), body, More::default(), now)
    }

    /// Writes a message that is more than text.
    pub(crate) fn write(&mut self, with: &Jid, body: String, more: More, now: Moment) -> MessageId {
        let id = MessageId(self.ids.next());
        let mut message = Message {
            id: id.clone(),
            with: with.clone(),
            from: self.own_address(with),
            to: with.clone(),
            body: printable(&body),
            time: now.wall,
            own: true,
            state: Delivery::Queued,
            error: None,
            more,
        };
        self.queue(&mut message);
        self.talk(with).writing_until = None;
        self.forget_draft(with);
        self.add_message(message, true, true);
        self.flush();
        id
    }

    /// Puts a message into the outbox, or makes it one that failed.
    pub(crate) fn queue(&mut self, message: &mut Message) {
        let (id, with) = (message.id.clone(), message.with.clone());
        let error = if jid_to_wire(&with).is_none() {
            Some(sentence::ADDRESS)
        } else if !self.outbox.put(id, with, Parcel::Message(Box::new(message.clone()))) {
            Some(sentence::FULL)
        } else {
            None
        };
        if let Some(error) = error {
            message.state = Delivery::Failed;
            message.error = Some(error.to_owned());
        }
    }

    /// Whose words ours are in this conversation: in a room those of our occupant.
    pub(crate) fn own_address(&self, with: &Jid) -> Jid {
        self.own_occupant(with).unwrap_or_else(|| self.me.clone())
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
        if self.is_room(&with) {
            self.tell_room_typing(&with, state);
        } else if self.settings.tell_typing && self.may_know(&with) {
            let target = self.target(&with);
            self.send_extra(Some(target), |m| m.with_payload(state));
        }
    }

    /// All received messages of the conversation have been seen; their sender is told where they
    /// asked to be.
    pub fn mark_read(&mut self, with: &Jid, _now: Moment) {
        let with = with.bare();
        self.read_here(&with);
        let tell = self.settings.tell_read && self.may_know(&with);
        if self.full.is_none() || !tell {
            return;
        }
        let marked = self.talks.get_mut(&with).and_then(|t| t.to_mark.take());
        if let Some((id, sender)) = marked {
            self.send_extra(Some(sender), |m| m.with_payload(Displayed { id: Id(id) }));
        }
    }

    /// Sends what the outbox lets go.
    pub(crate) fn flush(&mut self) {
        while self.full.is_some() {
            let Some((id, with, parcel)) = self.outbox.next(self.archives.is_settled()) else {
                return;
            };
            match self.room_gate(&with) {
                Gate::Open => {}
                Gate::Waits => {
                    self.outbox.hold(&id);
                    continue;
                }
                Gate::Shut(why) => {
                    self.refused(&with, id, why);
                    continue;
                }
            }
            let wire = self.wire_of(&id, &with, parcel);
            match wire.map(|wire| self.seal(&with, wire)) {
                Some(Sealed::Plain(wire) | Sealed::Ready(wire)) => {
                    self.outbox.sent(&id);
                    self.send(Stanza::Message(wire));
                }
                Some(Sealed::Waiting) => self.outbox.hold(&id),
                Some(Sealed::Refused(why)) => self.refused(&with, id, &why),
                None => self.refused(&with, id, sentence::ADDRESS),
            }
        }
    }

    pub(crate) fn refused(&mut self, with: &Jid, id: MessageId, why: &str) {
        match self.outbox.confirm(&id.0) {
            Some((_, Parcel::Message(_))) => self.progress(with, id, Delivery::Failed, Some(why)),
            Some((_, Parcel::Change(_))) => self.change_failed(with, &id.0, why),
            None => {}
        }
    }

    fn wire_of(&mut self, id: &MessageId, with: &Jid, parcel: Parcel) -> Option<Wire> {
        let room = self.is_room(with);
        let to = if room { with.clone() } else { self.target(with) };
        let mut wire = match parcel {
            Parcel::Change(wire) => *wire,
            Parcel::Message(message) => self.wire_of_message(&message, room),
        };
        wire.to = Some(jid_to_wire(&to)?);
        wire.type_ = if room { MessageType::Groupchat } else { MessageType::Chat };
        wire.id = Some(Id(id.0.clone()));
        Some(wire.with_payload(OriginId { id: id.0.clone() }))
    }

    fn wire_of_message(&self, message: &Message, room: bool) -> Wire {
        let mut wire = self.wire_of_text(message);
        if room {
            return wire;
        }
        wire = wire.with_payload(Request).with_payload(Markable);
        if self.settings.tell_typing { wire.with_payload(ChatState::Active) } else { wire }
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
    fn target(&self, with: &Jid) -> Jid {
        let resource = self.talks.get(with).and_then(|talk| talk.resource.as_deref());
        match resource {
            Some(resource) if self.people.has_resource(with, resource) => {
                with.with_resource(resource)
            }
            Some(_) | None => with.clone(),
        }
    }

    pub(crate) fn send_extra(&mut self, to: Option<Jid>, fill: impl FnOnce(Wire) -> Wire) {
        if let Some(to) = to.as_ref().and_then(jid_to_wire) {
            let mut wire = fill(Wire::chat(to));
            wire.id = Some(Id(self.ids.next()));
            self.send(Stanza::Message(wire));
        }
    }

    /// All received messages of the conversation have been seen.
    pub(crate) fn read_here(&mut self, with: &Jid) {
        let newest = self.talks.get(with).and_then(Talk::newest);
        self.read_up_to(with, newest.unwrap_or(self.time.wall));
    }

    /// What was received up to then has been seen.
    pub(crate) fn read_up_to(&mut self, with: &Jid, until: Timestamp) {
        let Some(talk) = self.talks.get_mut(with) else {
            return;
        };
        let (changed, all) = talk.read(until);
        if changed {
            self.publish(with);
        }
        if changed && all {
            self.store(StoreRequest::MarkRead(with.clone()));
        }
    }

    /// A new message: in memory where that leaves no gap, in the lists, in the store, and told to
    /// watchers.
    pub(crate) fn add_message(&mut self, message: Message, live: bool, tell: bool) {
        let with = message.with.clone();
        let keep = self.kept(&with);
        self.lend(&with);
        let talk = self.talk(&with);
        if live || talk.fits(message.time) {
            talk.put(message.clone(), keep);
        } else {
            talk.raise_last(&message);
        }
        self.publish(&with);
        if tell {
            self.tell_message(&message);
        }
        self.offer_link(&message);
        self.store(if live {
            StoreRequest::PutMessage(message)
        } else {
            StoreRequest::PutArchived(message)
        });
    }

    fn keep_progress(&mut self, id: MessageId, state: Delivery, error: Option<&str>) {
        let error = error.map(str::to_owned);
        self.store(StoreRequest::SetDelivery(id, state, error));
    }

    pub(crate) fn tell_message(&mut self, message: &Message) {
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
