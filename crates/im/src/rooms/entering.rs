//! Into a room and out of it (XEP-0045 sections 7.2 and 7.14).

use std::time::Duration;

use offhook_model::{
    CommandError, Delivery, ErrorCode, Jid, Message, Owner, Reply, RoomState, Timestamp,
};
use xmpp_parsers::disco::{DiscoInfoQuery, DiscoInfoResult};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::presence as wire;
use xmpp_parsers::stanza_error::{DefinedCondition, StanzaError};

use super::occupants::{Destroyed, Word};
use super::place::{Next, bounded};
use super::questions::Question;
use super::{MUC, browsing, dialect, words};
use crate::asking::Answer;
use crate::stanza::element;
use crate::{Im, Stanza, jid_to_wire, sentence};

/// How long a room may take to let us in.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the end of what is replayed is waited for; rooms mark it with their topic (XEP-0045
/// section 7.2.15), some do not.
const REPLAY: Duration = Duration::from_secs(10);

/// The most messages that a room is asked to replay when nothing of it is here.
const REPLAYED: &str = "50";

/// The most when something is.
const MISSED: &str = "500";

impl Im {
    /// Begins to enter the room: first what it is, then the question to be let in. Nothing happens
    /// when we are in it or on the way, or without a connection.
    pub(super) fn enter(&mut self, room: &Jid) {
        let Some(place) = self.place(room) else {
            return;
        };
        place.wanted = true;
        if place.listens() || self.full.is_none() {
            return;
        }
        let Some(place) = self.place(room) else {
            return;
        };
        place.leave(RoomState::Joining);
        place.error = None;
        if !self.ask_room(room, DiscoInfoQuery { node: None }.into(), Question::Info) {
            self.fail_room(room, words::NO_CONNECTION.into());
        }
    }

    /// What the room is, before it is entered. A room that tells nothing is entered all the same:
    /// only it knows whom it lets in.
    pub(super) fn info_came(&mut self, room: &Jid, answer: Answer) {
        let vendor = self.policy.vendor;
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        if place.state != RoomState::Joining || place.asked.is_some() {
            return;
        }
        match answer {
            Ok(payload) => self.keep_info(room, payload),
            // Asking to be let in would make the room (XEP-0045 section 10.1.1). The vendor's
            // hosts say this of rooms that exist (reference im-presence.md section 6).
            Err(error)
                if error.defined_condition == DefinedCondition::ItemNotFound
                    && place.plan.is_none()
                    && !vendor =>
            {
                return self.fail_room(room, words::MISSING.into());
            }
            Err(_) => {}
        }
        self.knock(room);
    }

    /// What it is, after it said that something changed.
    pub(super) fn told_again(&mut self, room: &Jid, answer: Answer) {
        if let Ok(payload) = answer {
            self.keep_info(room, payload);
            self.room_notice(room, "changed", None, None);
        }
    }

    fn keep_info(&mut self, room: &Jid, payload: Option<Element>) {
        let Some(Ok(info)) = payload.map(DiscoInfoResult::try_from) else {
            return;
        };
        let Some(place) = self.place(room) else {
            return;
        };
        let named = info.identities.iter().find(|it| it.category == "conference");
        if let Some(name) = named.and_then(|it| it.name.as_deref()).map(bounded) {
            place.title = Some(name).filter(|name| !name.is_empty());
        }
        place.features = info.features;
        place.traits = browsing::traits(&place.features);
    }

    /// Asks to be let in.
    pub(super) fn knock(&mut self, room: &Jid) {
        let until = self.time.at + PATIENCE;
        let id = self.ids.next();
        let since = self.newest_of(room);
        let by_archive = self.known_place(room).is_some();
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        let Some(to) = jid_to_wire(&place.own()) else {
            return self.fail_room(
                room,
                "The room does not take this nickname. Choose another one.".into(),
            );
        };
        // Whole seconds: older servers read no fractions (XEP-0082).
        let since = since.map(|since| {
            let text = since.to_string();
            format!("{}Z", text.split('.').next().unwrap_or(&text))
        });
        let history = match &since {
            _ if by_archive => &[("maxstanzas", "0")][..],
            Some(since) => &[("since", since.as_str()), ("maxstanzas", MISSED)][..],
            None => &[("maxstanzas", REPLAYED)][..],
        };
        let mut x = element("x", MUC, &[]);
        x.append_child(element("history", MUC, history));
        if let Some(password) = &place.password {
            let mut child = element("password", MUC, &[]);
            child.append_text_node(password.expose().as_str());
            x.append_child(child);
        }
        place.catching_up = by_archive;
        place.asked = Some(id.clone());
        place.next = Some((until, Next::GiveUp));
        let mut presence = self.presence_for_rooms().with_to(to);
        presence.id = Some(id);
        presence.payloads.push(x);
        self.send(Stanza::Presence(presence));
    }

    /// We are in, or what we are in it has changed.
    pub(super) fn own_presence_in(&mut self, room: &Jid, nick: &str, word: &Word) {
        let (ping_at, settle_at) = (self.time.at + super::upkeep::SILENCE, self.time.at + REPLAY);
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        // The room may have given another nickname than we asked for (code 210).
        nick.clone_into(&mut place.nick);
        if place.is_in() {
            self.tell_codes(room, &word.codes);
            return self.room_notice(room, "changed", None, None);
        }
        place.state = RoomState::Joined;
        place.error = None;
        place.asked = None;
        place.second_nick = false;
        place.tries = 0;
        place.next = Some((settle_at.min(ping_at), Next::Settle));
        let catches_up = self.catch_up(room);
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        if catches_up {
            // The end of that settles it.
            place.next = Some((ping_at, Next::Ping));
        }
        let tickets = std::mem::take(&mut place.tickets);
        let made = word.says(201);
        let plan = place.plan.take();
        if made || plan.is_some() {
            if let Some(place) = self.rooms.places.get_mut(room) {
                place.plan = Some(plan.unwrap_or_default());
            }
            self.furnish(room);
        }
        for ticket in tickets {
            self.answer(ticket, Ok(Reply::Room(room.clone())));
        }
        let renamed = word.says(210).then(|| "The room gave this nickname.".to_owned());
        self.room_notice(room, "joined", Some(nick.to_owned()), renamed);
        self.tell_codes(room, &word.codes);
        self.open_room_talk(room);
        self.ask_members(room);
    }

    /// Says what codes of the room mean.
    pub(super) fn tell_codes(&mut self, room: &Jid, codes: &[u16]) {
        for text in codes.iter().filter_map(|code| words::changed(*code)) {
            self.room_notice(room, "changed", None, Some(text.to_owned()));
        }
    }

    /// We are out, by our own wish or not.
    pub(super) fn put_out(&mut self, room: &Jid, word: &Word) {
        if let Some(destroyed) = &word.destroyed {
            return self.room_closed(room, destroyed);
        }
        let why = words::put_out(&word.codes, word.actor.as_deref(), word.reason.as_deref());
        let comes_back = word.says(332) || word.says(333);
        match why {
            // Nobody says why: another device of ours with the same nickname may have left, or the
            // room's server lost us.
            None => self.fail_room(room, "The room no longer has you.".into()),
            Some(why) if comes_back => self.fail_for_now(room, why),
            Some(why) => self.fail_room(room, why),
        }
    }

    pub(super) fn room_closed(&mut self, room: &Jid, destroyed: &Destroyed) {
        let mut why = words::moved(destroyed.alternate.as_deref());
        if let Some(reason) = &destroyed.reason {
            why = format!("{why} \u{201c}{reason}\u{201d}");
        }
        self.fail_room(room, why);
    }

    /// The room did not let us in, or did not give us another nickname.
    pub(super) fn room_refuses(&mut self, room: &Jid, presence: &wire::Presence) {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        let ours = presence.id.is_none() || presence.id == place.asked;
        if !ours || place.asked.is_none() {
            return;
        }
        let error = presence.payloads.iter().find(|it| it.name() == "error").cloned();
        let Some(Ok(error)) = error.map(StanzaError::try_from) else {
            return self.fail_room(room, "The room did not let you in.".into());
        };
        if place.is_in() {
            place.asked = None;
            let why = sentence::with_quote(&words::not_let_in(&error), &error);
            return self.room_notice(room, "changed", None, Some(why));
        }
        if error.defined_condition == DefinedCondition::Conflict && !place.second_nick {
            place.second_nick = true;
            let full = self.full.clone();
            let Some(place) = self.rooms.places.get_mut(room) else {
                return;
            };
            place.nick = dialect::next_nick(&place.nick, full.as_ref(), self.policy.vendor);
            place.asked = None;
            return self.knock(room);
        }
        let why = sentence::with_quote(&words::not_let_in(&error), &error);
        if words::may_pass(&error) {
            self.fail_for_now(room, why)
        } else {
            self.fail_room(room, why)
        }
    }

    /// We are out, and do not try by ourselves before the next connection.
    pub(super) fn fail_room(&mut self, room: &Jid, why: String) {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        place.leave(RoomState::Failed);
        place.error = Some(why.clone());
        place.second_nick = false;
        place.wanted = false;
        self.room_is_out(room, &why);
        self.fail_waiting(room, &why);
    }

    /// What is left to do once we are out.
    pub(super) fn room_is_out(&mut self, room: &Jid, why: &str) {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        let mut tickets = std::mem::take(&mut place.tickets);
        tickets.extend(place.plan.take().and_then(|plan| plan.ticket));
        let error = CommandError {
            code: ErrorCode::Failed,
            cause: why.to_owned(),
            owner: Owner::User,
            remedy: "See what the room says; another room or another nickname may do.".into(),
        };
        for ticket in tickets {
            self.answer(ticket, Err(error.clone()));
        }
        self.show_writers(room);
        self.room_notice(room, "failed", None, Some(why.to_owned()));
    }

    /// The connection is gone, or we hide.
    pub(super) fn lose_room(&mut self, room: &Jid, why: &str) {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        if !place.listens() && place.next.is_none() {
            return;
        }
        place.leave(RoomState::Left);
        place.tries = 0;
        let mut tickets = std::mem::take(&mut place.tickets);
        tickets.extend(place.plan.take().and_then(|plan| plan.ticket));
        for ticket in tickets {
            self.answer(ticket, Err(super::questions::not_connected()));
        }
        self.show_writers(room);
        self.room_notice(room, "left", None, Some(why.to_owned()));
    }

    /// Leaves by our own wish.
    pub(super) fn leave_room(&mut self, room: &Jid) {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        let was_in = place.listens() && place.asked.is_some() || place.is_in();
        let to = jid_to_wire(&place.own()).filter(|_| was_in);
        place.wanted = false;
        place.leave(RoomState::Left);
        place.error = None;
        if let Some(to) = to {
            self.send(Stanza::Presence(wire::Presence::unavailable().with_to(to)));
        }
        self.show_writers(room);
        self.fail_waiting(room, words::NOT_IN);
        self.room_notice(room, "left", None, None);
    }

    /// Our own availability changed: rooms are told apart from contacts (RFC 6121 section 4.6). Who
    /// hides leaves all rooms by that (section 4.6.3), and is back in them with the next presence.
    pub(crate) fn tell_rooms(&mut self, was_hidden: bool) {
        if self.is_hidden() {
            let rooms: Vec<Jid> = self.rooms.places.keys().cloned().collect();
            for room in rooms {
                self.lose_room(&room, words::HIDDEN);
            }
        } else if was_hidden {
            self.enter_wanted();
        } else {
            let places = self.rooms.places.values().filter(|it| it.is_in());
            let addresses: Vec<_> = places.filter_map(|it| jid_to_wire(&it.own())).collect();
            for to in addresses {
                let presence = self.presence_for_rooms().with_to(to);
                self.send(Stanza::Presence(presence));
            }
        }
    }

    /// Enters all rooms that we want to be in.
    pub(super) fn enter_wanted(&mut self) {
        let wanted = self.rooms.places.values().filter(|it| it.wanted);
        let wanted: Vec<Jid> = wanted.map(|it| it.jid.clone()).collect();
        for room in wanted {
            self.enter(&room);
        }
    }

    /// When the newest message was written that we have of the room. An own one counts where a
    /// replay of it would not be known as ours (no XEP-0421): its time is that of our clock.
    fn newest_of(&self, room: &Jid) -> Option<Timestamp> {
        let place = self.rooms.places.get(room)?;
        let marks = place.has(ns::OID);
        let kept = self.talks.get(room).and_then(|talk| talk.chat.last.as_ref());
        let counts = |last: &&Message| !last.own || (!marks && last.state == Delivery::Delivered);
        place.newest.max(kept.filter(counts).map(|last| last.time))
    }
}
