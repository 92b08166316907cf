//! What others write to us: messages, receipts (XEP-0184), markers (XEP-0333), chat states
//! (XEP-0085), returned messages, and copies of all these (XEP-0280).

use std::time::Duration;

use offhook_model::{Delivery, Jid, MessageId, Moment, Protection, Timestamp};
use xmpp_parsers::chatstates::ChatState;
use xmpp_parsers::delay::Delay;
use xmpp_parsers::displayed_markers::Displayed;
use xmpp_parsers::message::{Id, Message as Wire, MessageType};
use xmpp_parsers::ns;
use xmpp_parsers::receipts::Received;
use xmpp_parsers::stanza_error::StanzaError;

use crate::contacts::stamp;
use crate::copies::Unwrapped;
use crate::encryption::is_encrypted;
use crate::sealing::Unsealed;
use crate::taking::{Arrival, Taken};
use crate::{Im, content, jid_from_wire, sentence};

/// After this long without a word, the other side is taken to have stopped writing.
const THEIR_PAUSE: Duration = Duration::from_secs(60);

impl Im {
    pub(crate) fn receive_message(&mut self, message: Wire, now: Moment) {
        if self.receive_event(&message, now) || self.receive_archived(&message, now) {
            return;
        }
        match self.unwrap_copy(message) {
            Some(Unwrapped::Direct(message)) if self.room_message(&message, now) => {}
            Some(Unwrapped::Direct(message)) => match message.type_ {
                MessageType::Error => self.returned(message),
                MessageType::Chat | MessageType::Normal => self.received(message, None, true, now),
                // Headlines are not conversation.
                MessageType::Groupchat | MessageType::Headline => {}
            },
            Some(Unwrapped::Received(message, _)) if self.room_invites(&message) => {}
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

    fn received(&mut self, wire: Wire, delay: Option<Delay>, direct: bool, now: Moment) {
        let Some(from) = wire.from.as_ref().and_then(jid_from_wire) else {
            return;
        };
        let with = from.bare();
        if self.is_blocked(&from) {
            return;
        }
        let own = with == self.me;
        if own && direct && wire.bodies.is_empty() && !is_encrypted(&wire) {
            return;
        }
        let Unsealed::Open(wire, protection) = self.unseal(wire) else {
            return;
        };
        if !own {
            self.their_state(&with, &wire, now);
        }
        let says = content::read(&wire).is_some();
        // A copy is answered again: the first answer may be what was lost. What cannot be read here
        // has not arrived as far as its writer is concerned.
        let readable = protection != Protection::Unreadable;
        if direct && !own && says && readable {
            self.send_receipt(&with, &from, &wire);
        }
        let markable = wire.payloads.iter().any(|p| p.is("markable", ns::DISPLAYED_MARKERS));
        let sender_id = wire.id.as_ref().filter(|_| markable && !own).map(|id| id.0.clone());
        let time = self.live_time(&with, time(&wire, delay.as_ref(), now));
        let archive_id = self.own_archive_id(&wire);
        let place = archive_id.clone();
        let taken = self.take_message(Arrival {
            with: with.clone(),
            from: with.clone(),
            author: None,
            own,
            wire,
            time,
            live: true,
            archive_id,
            protection,
            room: None,
        });
        self.came_live(&with, &taken, own, time);
        self.lies_at(place);
        let spoke = match taken {
            Taken::New(_) => true,
            Taken::Change => says,
            Taken::Copy(_) | Taken::Nothing => false,
        };
        if spoke && let Some(talk) = self.talks.get_mut(&with) {
            talk.resource = from.resource().map(str::to_owned);
            if let Some(id) = sender_id {
                talk.to_mark = Some((id, with));
            }
        }
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
        let Unsealed::Open(wire, protection) = self.unseal(wire) else {
            return;
        };
        let time = self.live_time(&with, time(&wire, delay.as_ref(), now));
        let archive_id = self.own_archive_id(&wire);
        let place = archive_id.clone();
        let taken = self.take_message(Arrival {
            with: with.clone(),
            from: self.me.clone(),
            author: None,
            own: true,
            wire,
            time,
            live: true,
            archive_id,
            protection,
            room: None,
        });
        self.came_live(&with, &taken, true, time);
        self.lies_at(place);
    }

    /// Receipts and markers in a message: of the other side about ours, of our other devices about
    /// theirs.
    pub(crate) fn word_of(&mut self, arrival: &Arrival) {
        let Arrival { with, wire, own, room, .. } = arrival;
        // Rooms send none that are worth a word: of so many readers none is "the" other side.
        if room.is_some() {
            return;
        }
        if *own {
            let seen = wire.payloads.iter().find(|p| p.is("displayed", ns::DISPLAYED_MARKERS));
            if let Some(seen) = seen {
                let id = seen.attr("id").unwrap_or_default().to_owned();
                self.read_elsewhere(with, &id, arrival.live);
            }
        } else {
            self.their_word(with, wire);
        }
    }

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
                let read = talk.map(|talk| {
                    let id = talk.alias(&self.me, &marker.id.0).map(|id| id.0.as_str());
                    talk.unread_by_them(id.unwrap_or(&marker.id.0))
                });
                for id in read.unwrap_or_default() {
                    self.arrived(with, id.0, Delivery::Read);
                }
            }
        }
    }

    /// Another device of ours showed what was written up to this message.
    fn read_elsewhere(&mut self, with: &Jid, id: &str, live: bool) {
        let until = self
            .target_id(with, id)
            .and_then(|id| self.talks.get(with)?.find(&id.0).map(|message| message.time));
        match until {
            Some(until) => self.read_up_to(with, until),
            None if live => self.read_here(with),
            None => {}
        }
    }

    /// Their client has it, so the server had it, whether or not it said so.
    fn arrived(&mut self, with: &Jid, id: String, state: Delivery) {
        if self.confirm_change(&id) {
            return;
        }
        let own = self
            .talks
            .get(with)
            .and_then(|talk| talk.find(&id))
            .map_or_else(|| self.ids.is_ours(&id), |message| message.own);
        if own {
            self.outbox.confirm(&id);
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
        let Some(Id(id)) = wire.id.clone() else {
            return;
        };
        let from = wire.from.as_ref().and_then(jid_from_wire).map(|f| f.bare());
        let own_server = self.is_own_server(wire.from.as_ref());
        let Some(with) = from.filter(|_| !own_server).or_else(|| self.outbox_talk(&id)) else {
            return;
        };
        if self.change_returned(&with, &id, &wire) {
            return;
        }
        let ours = self.talks.get(&with).and_then(|talk| talk.find(&id));
        if !ours.is_some_and(|message| message.own) {
            return;
        }
        let reason = reason(wire);
        self.outbox.confirm(&id);
        self.progress(&with, MessageId(id), Delivery::Failed, Some(&reason));
        self.flush();
    }

    fn outbox_talk(&self, id: &str) -> Option<Jid> {
        self.talks
            .iter()
            .find(|(_, talk)| {
                talk.find(id).is_some_and(|m| m.own) || talk.alias(&self.me, id).is_some()
            })
            .map(|(with, _)| with.clone())
    }

    fn send_receipt(&mut self, with: &Jid, from: &Jid, wire: &Wire) {
        let wanted = wire.payloads.iter().any(|p| p.is("request", ns::RECEIPTS));
        let tell = wanted && self.settings.tell_read && self.may_know(with);
        if let (true, Some(Id(id))) = (tell, &wire.id) {
            let receipt = Received { id: id.clone() };
            self.send_extra(Some(from.clone()), |m| m.with_payload(receipt));
        }
    }
}

/// When a message was written: as the wrapping of a copy says, or the message itself, and never in the
/// future.
fn time(wire: &Wire, delay: Option<&Delay>, now: Moment) -> Timestamp {
    delay
        .map(|delay| Timestamp(delay.stamp.0.timestamp_millis()).min(now.wall))
        .or_else(|| stamp(&wire.payloads, now.wall))
        .unwrap_or(now.wall)
}

/// Why a message came back, in words.
pub(crate) fn reason(wire: Wire) -> String {
    wire.payloads
        .into_iter()
        .find_map(|payload| StanzaError::try_from(payload).ok())
        .map_or_else(|| sentence::UNREADABLE.to_owned(), |e| sentence::bounced(&e))
}
