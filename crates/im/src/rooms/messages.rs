//! What is said in rooms (XEP-0045 section 7.4 and after).
//!
//! A room vouches for the nickname in `from` and for nothing else: real addresses are those of its
//! presence, times and marks those that it sets itself.

use std::time::Duration;

use offhook_model::{Jid, MessageId, Moment, NoticeBody, RoomState, Timestamp};
use xmpp_parsers::chatstates::ChatState;
use xmpp_parsers::delay::Delay;
use xmpp_parsers::message::{Message as Wire, MessageType};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::stanza_error::{DefinedCondition, StanzaError};

use super::administration::Moderated;
use super::occupants::{codes, mark_of};
use super::place::{Place, bounded};
use super::{USER, dialect, words};
use crate::{Im, Stanza, content, iq, jid_from_wire, jid_to_wire, sentence};

/// After this long without a word, an occupant is taken to have stopped writing.
const THEIR_PAUSE: Duration = Duration::from_secs(60);

/// How many writers of one room are told.
const WRITERS: usize = 20;

/// What somebody said in a room, and what of it the room vouches for.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) room: Jid,
    /// The occupant's address.
    pub(super) from: Jid,
    /// Who that really is.
    pub(super) author: Option<Jid>,
    pub(super) own: bool,
    pub(super) time: Timestamp,
    /// It is said now, not replayed.
    pub(super) live: bool,
    /// The id that the room's archive gave it.
    pub(super) archive_id: Option<String>,
    pub(super) nick: String,
    pub(super) persistent: bool,
    /// The room's mark of the writer (XEP-0421).
    pub(super) mark: Option<String>,
    pub(super) wire: Wire,
}

impl Im {
    /// A message from a room, of whatever type. True when rooms had to do with it: nobody else
    /// reads it then.
    pub(crate) fn room_message(&mut self, message: &Wire, now: Moment) -> bool {
        let from = message.from.as_ref().and_then(jid_from_wire);
        let Some(from) = from else {
            return message.type_ == MessageType::Groupchat;
        };
        let room = from.bare();
        let known = self.rooms.places.contains_key(&room);
        let handled = match message.type_ {
            // From a room that we are not in: nobody asked it.
            MessageType::Groupchat => {
                if self.rooms.places.get(&room).is_some_and(Place::listens) {
                    self.said(&room, &from, message, now);
                }
                true
            }
            _ if self.room_invites(message) => true,
            MessageType::Error if known => {
                if from.resource().is_none() {
                    self.room_returned(&room, message);
                }
                true
            }
            MessageType::Chat | MessageType::Normal if known => {
                self.aside(&room, &from, message);
                true
            }
            MessageType::Error
            | MessageType::Chat
            | MessageType::Normal
            | MessageType::Headline => false,
        };
        self.paint_rooms();
        handled
    }

    fn said(&mut self, room: &Jid, from: &Jid, message: &Wire, now: Moment) {
        self.heard(room);
        let subject = message.subjects.get("").or_else(|| message.subjects.values().next());
        if let Some(subject) = subject.filter(|_| message.bodies.is_empty()) {
            return self.topic(room, from, subject);
        }
        match from.resource() {
            Some(nick) => self.occupant_said(room, from, nick, message, now),
            None => self.room_said(room, message),
        }
    }

    /// The room itself: its settings changed, or a moderator took a message back.
    fn room_said(&mut self, room: &Jid, message: &Wire) {
        if let Some(moderated) = Moderated::read(&message.payloads) {
            return self.moderated(room, moderated);
        }
        let x = message.payloads.iter().find(|it| it.is("x", USER));
        let codes = x.map(codes).unwrap_or_default();
        if codes.iter().any(|code| words::changed(*code).is_some()) {
            self.tell_codes(room, &codes);
            self.ask_again(room);
        }
    }

    fn topic(&mut self, room: &Jid, from: &Jid, subject: &str) {
        let subject = bounded(subject);
        let Some(place) = self.place(room) else {
            return;
        };
        let changed = place.subject != subject;
        place.subject.clone_from(&subject);
        if changed {
            let who = from.resource().map(str::to_owned);
            self.room_notice(room, "subject", who, Some(subject));
        }
        // It ends what is replayed (XEP-0045 section 7.2.15).
        self.settle(room);
    }

    fn occupant_said(&mut self, room: &Jid, from: &Jid, nick: &str, message: &Wire, now: Moment) {
        let Some(place) = self.rooms.places.get(room) else {
            return;
        };
        let stamp = stamp_of(room, &message.payloads).map(|time| time.min(now.wall));
        let live = stamp.is_none();
        let vendor = self.policy.vendor;
        // Present occupants are who they are; of earlier ones only the vendor's rooms tell.
        let author = if live {
            place.crowd.get(nick).and_then(|person| person.jid.clone())
        } else {
            replayed_author(&message.payloads, nick, vendor)
        };
        let own = self.is_own(place, nick, message, author.as_ref(), live);
        let heard = Heard {
            room: room.clone(),
            from: from.clone(),
            author: author.or_else(|| own.then(|| self.me.clone())),
            own,
            // Rooms stamp whole seconds: what is replayed stands behind what is here of its second.
            time: stamp.map_or(now.wall, |stamp| self.in_its_second(room, stamp)),
            live,
            archive_id: archive_id(place, message),
            nick: place.nick.clone(),
            persistent: place.traits.persistent,
            mark: mark_of(place, &message.payloads),
            wire: message.clone(),
        };
        self.their_room_state(room, nick, message);
        if let Some(place) = self.rooms.places.get_mut(room) {
            place.newest = place.newest.max(Some(stamp.unwrap_or(now.wall)));
        }
        self.take_heard(heard);
    }

    /// Whether we wrote it, here or at another device. What is said now under our nickname is; of
    /// what is replayed somebody else may have had it.
    fn is_own(
        &self,
        place: &Place,
        nick: &str,
        message: &Wire,
        author: Option<&Jid>,
        live: bool,
    ) -> bool {
        if live && place.state == RoomState::Joined {
            return nick == place.nick;
        }
        let marked =
            place.own_mark.is_some() && mark_of(place, &message.payloads) == place.own_mark;
        marked || author == Some(&self.me) || self.wrote(&place.jid, message)
    }

    fn their_room_state(&mut self, room: &Jid, nick: &str, message: &Wire) {
        let states = message.payloads.iter().filter(|it| it.has_ns(ns::CHATSTATES));
        let state = states.filter_map(|it| ChatState::try_from(it.clone()).ok()).next();
        let until = self.time.at + THEIR_PAUSE;
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        let writes = state == Some(ChatState::Composing) && message.bodies.is_empty();
        let replayed = stamp_of(room, &message.payloads).is_some();
        if replayed || (state.is_none() && message.bodies.is_empty()) || nick == place.nick {
            return;
        }
        let changed = if writes {
            let place_left = place.writers.len() < WRITERS || place.writers.contains_key(nick);
            place_left && place.writers.insert(nick.to_owned(), until).is_none()
        } else {
            place.writers.remove(nick).is_some()
        };
        if changed {
            self.show_writers(room);
        }
    }

    /// Who writes at this moment, in the list of conversations.
    pub(super) fn show_writers(&mut self, room: &Jid) {
        let Some(place) = self.rooms.places.get(room) else {
            return;
        };
        let show = |nick: &String| {
            let person = place.crowd.get(nick);
            self.occupant_name(nick, person.and_then(|it| it.jid.as_ref()))
        };
        let writers: Vec<String> = place.writers.keys().map(show).collect();
        let typing = !writers.is_empty();
        let Some(talk) = self.talks.get_mut(room).filter(|talk| talk.chat.writers != writers)
        else {
            return;
        };
        let was = talk.chat.typing;
        talk.edit_chat(|chat| {
            chat.typing = typing;
            chat.writers = writers;
        });
        self.publish(room);
        if was != typing {
            self.notice(NoticeBody::Typing { with: room.clone(), typing });
        }
    }

    /// Something that we sent through the room came back, from the room itself.
    fn room_returned(&mut self, room: &Jid, message: &Wire) {
        let Some(id) = message.id.as_ref().map(|id| id.0.clone()) else {
            return;
        };
        if self.invitation_returned(room, &id) {
            return;
        }
        let error = message.payloads.iter().find(|it| it.name() == "error").cloned();
        let error = error.and_then(|it| StanzaError::try_from(it).ok());
        let why = error.as_ref().map_or_else(
            || sentence::UNREADABLE.to_owned(),
            |error| sentence::with_quote(words::returned(error), error),
        );
        let ours = self.talks.get(room).and_then(|talk| talk.find(&id));
        if ours.is_some_and(|message| message.own) {
            self.give_up(room, MessageId(id), &why);
        } else if !self.change_returned(room, &id, message) && self.ids.is_ours(&id) {
            // A topic, or something else that is no message.
            self.room_notice(room, "changed", None, Some(why));
        }
        // It does not have us any more (XEP-0045 section 7.4).
        let lost = error.is_some_and(|it| it.defined_condition == DefinedCondition::NotAcceptable);
        if lost && self.rooms.places.get(room).is_some_and(Place::is_in) {
            if let Some(place) = self.rooms.places.get_mut(room) {
                place.leave(RoomState::Left);
            }
            self.enter(room);
        }
    }

    /// Somebody writes to us alone, inside a room (XEP-0045 section 7.5).
    fn aside(&mut self, room: &Jid, from: &Jid, message: &Wire) {
        let inside = self.rooms.places.get(room).is_some_and(Place::is_in);
        if from.resource().is_none() || message.bodies.is_empty() || !inside {
            return;
        }
        let Some(to) = jid_to_wire(from) else {
            return;
        };
        let mut error = iq::error(DefinedCondition::FeatureNotImplemented);
        error.texts.insert("en".into(), words::PRIVATE.into());
        let mut answer = Wire::new_with_type(MessageType::Error, Some(to));
        answer.id.clone_from(&message.id);
        answer.payloads.push(error.into());
        self.send(Stanza::Message(answer));
    }
}

/// When the room says that something was said, if it replays it (XEP-0203). Stamps of others are
/// passed over: an occupant could write in the past. Without a name it is an old room's (XEP-0091
/// style), so only then when the room alone can have put it there.
fn stamp_of(room: &Jid, payloads: &[Element]) -> Option<Timestamp> {
    let delays = payloads.iter().filter(|it| it.is("delay", ns::DELAY));
    let delays = delays.filter_map(|it| Delay::try_from(it.clone()).ok());
    let mut by_room = delays.filter(|delay| {
        let from = delay.from.as_ref().and_then(jid_from_wire);
        from.is_some_and(|from| from.bare() == *room || from.bare_str() == room.domain())
    });
    by_room.next().map(|delay| Timestamp(delay.stamp.0.timestamp_millis()))
}

/// The author of a replayed message on the vendor's servers, which mark such messages (reference
/// im-presence.md section 6).
fn replayed_author(payloads: &[Element], nick: &str, vendor: bool) -> Option<Jid> {
    let marked = payloads.iter().any(|it| it.is("x", dialect::HISTORY));
    if !vendor || !marked {
        return None;
    }
    let x = payloads.iter().find(|it| it.is("x", USER));
    let jid = x.and_then(|x| x.get_child("item", USER)?.attr("jid")?.parse::<Jid>().ok());
    jid.map(|jid| jid.bare()).or_else(|| dialect::person(nick, vendor))
}

/// The room's id of a message (XEP-0359): only where the room says that it sets such ids, and so
/// takes away those that an occupant made up (section 6).
fn archive_id(place: &Place, message: &Wire) -> Option<String> {
    let sets = place.has(ns::SID) || place.has(ns::MAM);
    sets.then(|| content::archive_id(message, &place.jid)).flatten()
}
