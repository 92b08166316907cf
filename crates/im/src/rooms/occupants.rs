//! Who is in a room: the presence of its occupants (XEP-0045 sections 7.1 and 7.14 to 9).

use std::collections::BTreeMap;

use offhook_model::{Affiliation, Availability, Jid, Occupant, RoomRole, Timestamp};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::presence as wire;

use super::place::{Place, bounded};
use super::{USER, dialect, lookalikes, words};
use crate::{Im, jid_from_wire};

/// How many occupants of one room are told apart; more are not shown.
const OCCUPANTS: usize = 20_000;

/// How many codes, items and lists of one stanza are read.
const ITEMS: usize = 16;

/// Longest reason that is kept, in characters.
const REASON: usize = 500;

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// Real bare address, where the room tells.
    pub(crate) jid: Option<Jid>,
    pub(crate) affiliation: Affiliation,
    pub(crate) role: RoomRole,
    pub(crate) availability: Availability,
    /// When they were first seen under this nickname.
    pub(crate) since: Timestamp,
    /// The room's mark of this person (XEP-0421), where the room gives such marks.
    pub(crate) mark: Option<String>,
}

/// Everybody in a room, by nickname.
#[derive(Debug, Default)]
pub(crate) struct Crowd(BTreeMap<String, Person>);

impl Crowd {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Person)> {
        self.0.iter()
    }

    pub(crate) fn get(&self, nick: &str) -> Option<&Person> {
        self.0.get(nick)
    }

    /// Whether the occupant is new.
    fn put(&mut self, nick: &str, person: Person) -> bool {
        if self.0.len() >= OCCUPANTS && !self.0.contains_key(nick) {
            return false;
        }
        self.0.insert(nick.to_owned(), person).is_none()
    }

    fn remove(&mut self, nick: &str) -> Option<Person> {
        self.0.remove(nick)
    }
}

/// What a room says about an occupant, or about itself: `<x xmlns='…muc#user'/>`.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) codes: Vec<u16>,
    pub(super) affiliation: Affiliation,
    pub(super) role: RoomRole,
    pub(super) jid: Option<Jid>,
    pub(super) nick: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) reason: Option<String>,
    /// The room is closed; perhaps it goes on elsewhere.
    pub(super) destroyed: Option<Destroyed>,
}

/// A closed room (XEP-0045 section 10.9).
#[derive(Debug, Default)]
pub(super) struct Destroyed {
    pub(super) alternate: Option<String>,
    pub(super) reason: Option<String>,
}

impl Word {
    /// `None` when the payloads hold no such element.
    pub(super) fn read(payloads: &[Element]) -> Option<Self> {
        let x = payloads.iter().find(|payload| payload.is("x", USER))?;
        let item = x.get_child("item", USER);
        let attr = |name| item.and_then(|item| item.attr(name));
        let text = |parent: &Element| {
            let reason = parent.get_child("reason", USER).map(Element::text);
            reason.map(|it| it.trim().chars().take(REASON).collect::<String>())
        };
        let actor = item.and_then(|item| item.get_child("actor", USER));
        Some(Self {
            codes: codes(x),
            affiliation: affiliation(attr("affiliation")),
            role: role(attr("role")),
            jid: attr("jid").and_then(|jid| jid.parse::<Jid>().ok()).map(|jid| jid.bare()),
            nick: attr("nick").map(str::to_owned),
            actor: actor.and_then(|it| it.attr("nick").or_else(|| it.attr("jid"))).map(bounded),
            reason: item.and_then(text).filter(|it| !it.is_empty()),
            destroyed: x.get_child("destroy", USER).map(|it| Destroyed {
                alternate: it.attr("jid").map(bounded),
                reason: text(it).filter(|it| !it.is_empty()),
            }),
        })
    }

    pub(super) fn says(&self, code: u16) -> bool {
        self.codes.contains(&code)
    }
}

pub(super) fn codes(x: &Element) -> Vec<u16> {
    let codes = x.children().filter(|it| it.is("status", USER));
    codes.filter_map(|it| it.attr("code")?.parse().ok()).take(ITEMS).collect()
}

/// The word for lasting rights; whatever else is said counts as none.
pub(super) fn affiliation(word: Option<&str>) -> Affiliation {
    match word {
        Some("owner") => Affiliation::Owner,
        Some("admin") => Affiliation::Admin,
        Some("member") => Affiliation::Member,
        Some("outcast") => Affiliation::Outcast,
        Some(_) | None => Affiliation::None,
    }
}

fn role(word: Option<&str>) -> RoomRole {
    match word {
        Some("moderator") => RoomRole::Moderator,
        Some("participant") => RoomRole::Participant,
        Some("visitor") => RoomRole::Visitor,
        Some(_) | None => RoomRole::None,
    }
}

impl Im {
    /// Presence from a room that we know. True when it was that.
    pub(crate) fn room_presence(&mut self, presence: &wire::Presence) -> bool {
        let Some(from) = presence.from.as_ref().and_then(jid_from_wire) else {
            return false;
        };
        let room = from.bare();
        let Some(place) = self.rooms.places.get(&room) else {
            return false;
        };
        if !place.listens() {
            // Somebody in a room that we left, or that was never entered.
            return true;
        }
        match (&presence.type_, from.resource()) {
            (wire::Type::Error, _) => self.room_refuses(&room, presence),
            (wire::Type::None, Some(nick)) => self.occupant_is_there(&room, nick, presence),
            (wire::Type::Unavailable, Some(nick)) => self.occupant_left(&room, nick, presence),
            // Without a nickname: the room itself may say that it is closed.
            (wire::Type::Unavailable, None) => {
                if let Some(destroyed) = Word::read(&presence.payloads).and_then(|w| w.destroyed) {
                    self.room_closed(&room, &destroyed);
                }
            }
            (_, _) => {}
        }
        true
    }

    fn occupant_is_there(&mut self, room: &Jid, nick: &str, presence: &wire::Presence) {
        let word = Word::read(&presence.payloads).unwrap_or_default();
        let (vendor, now) = (self.policy.vendor, self.time.wall);
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        // A server that does not give 110 is old; the nickname we asked for is then the sign.
        let own = word.says(110) || (nick == place.nick && !place.is_in());
        let mark = mark_of(place, &presence.payloads);
        let since = place.crowd.get(nick).map_or(now, |known| known.since);
        let person = Person {
            since,
            jid: word.jid.clone().or_else(|| dialect::person(nick, vendor)),
            affiliation: word.affiliation,
            role: word.role,
            availability: availability(presence),
            mark,
        };
        let (affiliation, role) = (person.affiliation, person.role);
        if own {
            place.own_mark.clone_from(&person.mark);
        }
        let is_in = place.is_in();
        let same = place.crowd.get(nick) == Some(&person);
        let came = !same && place.crowd.put(nick, person);
        if own {
            place.affiliation = affiliation;
            place.role = role;
            self.own_presence_in(room, nick, &word);
        }
        // While we are let in there is one presence for each who is in.
        if is_in && !same {
            self.touch(room);
            if came {
                self.room_notice(room, "occupant", Some(nick.to_owned()), None);
            }
        }
    }

    fn occupant_left(&mut self, room: &Jid, nick: &str, presence: &wire::Presence) {
        let word = Word::read(&presence.payloads).unwrap_or_default();
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        let own = word.says(110) || nick == place.nick;
        place.writers.remove(nick);
        let gone = place.crowd.remove(nick);
        if word.says(303)
            && let Some(new) = word.nick.as_deref().filter(|new| !new.is_empty())
        {
            if let Some(person) = gone {
                place.crowd.put(new, person);
            }
            if own {
                new.clone_into(&mut place.nick);
            }
            return self.room_notice(room, "occupant", Some(new.to_owned()), Some(nick.to_owned()));
        }
        if own {
            return self.put_out(room, &word);
        }
        if place.is_in() && gone.is_some() {
            self.show_writers(room);
            self.room_notice(room, "occupant", Some(nick.to_owned()), Some("left".into()));
        }
    }

    /// Who is in, moderators first, then by name.
    pub(super) fn shown_occupants(&self, place: &Place) -> Vec<Occupant> {
        if !place.is_in() {
            return Vec::new();
        }
        let alike = lookalikes::lookalikes(&place.crowd);
        let name = |nick: &String, person: &Person| {
            let name = self.occupant_name(nick, person.jid.as_ref());
            match alike.get(nick).filter(|_| name == *nick) {
                Some(other) => format!("{name} ({} {other})", words::LOOKS_LIKE),
                None => name,
            }
        };
        let show = |(nick, person): (&String, &Person)| Occupant {
            name: name(nick, person),
            nick: nick.clone(),
            jid: person.jid.clone(),
            affiliation: person.affiliation,
            role: person.role,
            availability: person.availability,
            me: *nick == place.nick,
        };
        let mut occupants: Vec<Occupant> = place.crowd.0.iter().map(show).collect();
        occupants.sort_by_cached_key(|it| {
            (it.role != RoomRole::Moderator, it.name.to_lowercase(), it.nick.clone())
        });
        occupants
    }

    /// Members who are not in.
    pub(super) fn shown_absent(&self, place: &Place) -> Vec<Occupant> {
        let here: std::collections::BTreeSet<&Jid> =
            place.crowd.0.values().filter_map(|person| person.jid.as_ref()).collect();
        let absent = place.members.iter().filter(|(jid, _)| !here.contains(jid));
        let mut absent: Vec<Occupant> = absent
            .map(|(jid, affiliation)| Occupant {
                nick: String::new(),
                name: self.person_name(jid),
                jid: Some(jid.clone()),
                affiliation: *affiliation,
                role: RoomRole::None,
                availability: Availability::Offline,
                me: *jid == self.me,
            })
            .collect();
        absent.sort_by_cached_key(|it| (it.name.to_lowercase(), it.jid.clone()));
        absent
    }

    /// The name to show for somebody in a room: the contact list's where the person is known.
    pub(crate) fn occupant_name(&self, nick: &str, jid: Option<&Jid>) -> String {
        match jid {
            Some(jid) if self.people.is_listed(jid) => self.person_name(jid),
            // The vendor's nicknames are addresses (reference im-presence.md section 6).
            Some(jid) if self.policy.vendor => jid.local().unwrap_or(nick).to_owned(),
            Some(_) | None => nick.to_owned(),
        }
    }

    fn person_name(&self, jid: &Jid) -> String {
        match self.people.get(jid) {
            Some(contact) => contact.name.clone(),
            None if self.policy.vendor => jid.local().unwrap_or(jid.bare_str()).to_owned(),
            None => jid.to_string(),
        }
    }
}

/// The room's mark in a stanza; a room that gives none could be passing on a guest's (XEP-0421
/// section 3.1).
pub(super) fn mark_of(place: &Place, payloads: &[Element]) -> Option<String> {
    let mark = payloads.iter().find(|it| it.is("occupant-id", ns::OID))?.attr("id")?;
    (place.has(ns::OID) && !mark.is_empty() && mark.len() <= 1_024).then(|| mark.to_owned())
}

fn availability(presence: &wire::Presence) -> Availability {
    match presence.show {
        None | Some(wire::Show::Chat) => Availability::Available,
        Some(wire::Show::Away | wire::Show::Xa) => Availability::Away,
        Some(wire::Show::Dnd) => Availability::Dnd,
    }
}
