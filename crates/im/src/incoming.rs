//! What others write to us: messages, receipts (XEP-0184), markers (XEP-0333), chat states
//! (XEP-0085), returned messages, and copies of all these (XEP-0280).

use std::time::Duration;

use offhook_model::{Delivery, Jid, Message, MessageId, Moment, More, Timestamp};
use xmpp_parsers::chatstates::ChatState;
use xmpp_parsers::delay::Delay;
use xmpp_parsers::displayed_markers::Displayed;
use xmpp_parsers::message::{Id, Message as Wire, MessageType};
use xmpp_parsers::ns;
use xmpp_parsers::receipts::Received;
use xmpp_parsers::stanza_error::StanzaError;

use crate::contacts::stamp;
use crate::copies::Unwrapped;
use crate::talk::Known;
use crate::{Im, jid_from_wire, sentence};

/// After this long without a word, the other side is taken to have stopped writing.
const THEIR_PAUSE: Duration = Duration::from_secs(60);

impl Im {
    pub(crate) fn receive_message(&mut self, message: Wire, now: Moment) {
        if self.receive_event(&message, now) {
            return;
        }
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
            more: More::default(),
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
            more: More::default(),
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
}

fn body(wire: &Wire) -> Option<String> {
    let (_, text) = wire.get_best_body(Vec::new())?;
    (!text.is_empty()).then(|| text.clone())
}
