//! Rights in a room, its topic, its members, and messages that moderators take back (XEP-0045
//! sections 8 to 10, XEP-0425).

use offhook_model::{
    Affiliation, CommandError, ErrorCode, Jid, MessageId, Reply, RoomRole, Ticket,
};
use xmpp_parsers::disco::DiscoInfoQuery;
use xmpp_parsers::message::{Id, Lang, Message as Wire, MessageType};
use xmpp_parsers::minidom::Element;

use super::occupants::affiliation;
use super::questions::Question;
use super::{ADMIN, creating, words};
use crate::asking::Answer;
use crate::chat::printable;
use crate::stanza::element;
use crate::{Im, Stanza, jid_to_wire};

/// XEP-0425 as rooms speak it at present.
const MODERATE: &str = "urn:xmpp:message-moderate:1";
const RETRACT: &str = "urn:xmpp:message-retract:1";

/// As older ones do: the change is fastened to the message (XEP-0422).
const MODERATE_OLD: &str = "urn:xmpp:message-moderate:0";
const RETRACT_OLD: &str = "urn:xmpp:message-retract:0";
const FASTEN: &str = "urn:xmpp:fasten:0";

/// How many members of a room are kept.
const MEMBERS: usize = 20_000;

/// The lists of people with lasting rights.
const LISTS: [(Affiliation, &str); 3] =
    [(Affiliation::Owner, "owner"), (Affiliation::Admin, "admin"), (Affiliation::Member, "member")];

/// A moderator's word about a message, from the room itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moderated {
    /// The id that the room's archive gave the message.
    pub(super) id: String,
    /// The occupant's address, where it is told.
    pub(super) by: Option<Jid>,
    pub(super) reason: Option<String>,
}

impl Moderated {
    /// Both forms of XEP-0425.
    pub(super) fn read(payloads: &[Element]) -> Option<Self> {
        let text = |it: &Element, ns| {
            let reason = it.get_child("reason", ns).map(Element::text);
            reason.map(|it| super::place::bounded(&it)).filter(|it| !it.is_empty())
        };
        let by = |it: &Element| it.attr("by").and_then(|by| by.parse().ok());
        payloads.iter().find_map(|it| {
            if it.is("retract", RETRACT) {
                let moderated = it.get_child("moderated", MODERATE)?;
                let id = it.attr("id")?.to_owned();
                Some(Self { id, by: by(moderated), reason: text(it, RETRACT) })
            } else if it.is("apply-to", FASTEN) {
                let moderated = it.get_child("moderated", MODERATE_OLD)?;
                moderated.get_child("retract", RETRACT_OLD)?;
                let id = it.attr("id")?.to_owned();
                Some(Self { id, by: by(moderated), reason: text(moderated, MODERATE_OLD) })
            } else {
                None
            }
        })
    }
}

impl Im {
    pub(super) fn send_subject(&mut self, room: &Jid, subject: &str) {
        let Some(to) = jid_to_wire(room) else {
            return;
        };
        let mut wire = Wire::new_with_type(MessageType::Groupchat, Some(to));
        wire.subjects.insert(Lang::default(), printable(subject));
        wire.id = Some(Id(self.ids.next()));
        self.send(Stanza::Message(wire));
    }

    pub(super) fn set_role(
        &mut self,
        ticket: Ticket,
        room: &Jid,
        nick: &str,
        role: RoomRole,
        reason: Option<&str>,
    ) -> Option<Result<Reply, CommandError>> {
        let known = self.rooms.places.get(room).is_some_and(|it| it.crowd.get(nick).is_some());
        if !known {
            return Some(Err(CommandError::user(
                ErrorCode::NoSuchObject,
                "Nobody in the room has this nickname.",
                "Ask room.members who is in.",
            )));
        }
        let word = match role {
            RoomRole::None => "none",
            RoomRole::Visitor => "visitor",
            RoomRole::Participant => "participant",
            RoomRole::Moderator => "moderator",
        };
        self.ask_change(ticket, room, change(&[("nick", nick), ("role", word)], reason))
    }

    pub(super) fn set_affiliation(
        &mut self,
        ticket: Ticket,
        room: &Jid,
        who: &Jid,
        affiliation: Affiliation,
        reason: Option<&str>,
    ) -> Option<Result<Reply, CommandError>> {
        let who = who.bare();
        // Our own list is brought up to date with it: rooms tell only of those who are in.
        if let Some(place) = self.rooms.places.get_mut(room) {
            match affiliation {
                Affiliation::Outcast | Affiliation::None => {
                    place.members.remove(&who);
                }
                Affiliation::Member | Affiliation::Admin | Affiliation::Owner => {
                    place.members.insert(who.clone(), affiliation);
                }
            }
        }
        self.touch(room);
        self.ask_change(ticket, room, lasting(&who, affiliation, reason))
    }

    /// Takes somebody's message back. It shows as that when the room says so.
    pub(super) fn moderate(
        &mut self,
        ticket: Ticket,
        room: &Jid,
        id: &MessageId,
        reason: Option<&str>,
    ) -> Option<Result<Reply, CommandError>> {
        let message = self.talks.get(room).and_then(|talk| talk.find(&id.0));
        let archived = message.and_then(|it| it.more.archive_id.clone());
        let Some(archived) = archived else {
            return Some(Err(CommandError::user(
                ErrorCode::NoSuchObject,
                "The room's archive gave this message no id, or it is not in memory.",
                "Load older messages first; rooms without an archive cannot take messages back.",
            )));
        };
        let place = self.rooms.places.get(room)?;
        let payload = if place.has(MODERATE) {
            moderation(&archived, reason)
        } else if place.has(MODERATE_OLD) {
            moderation_old(&archived, reason)
        } else {
            return Some(Err(CommandError::user(
                ErrorCode::NotPossible,
                "Moderators of this room cannot take messages back.",
                "Ask whoever runs the room's server.",
            )));
        };
        self.ask_change(ticket, room, payload)
    }

    /// Who belongs to the room, in or not. Rooms tell those only whom they want to.
    pub(super) fn ask_members(&mut self, room: &Jid) {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        let worth = place.traits.members_only || place.affiliation >= Affiliation::Admin;
        if !worth || place.lists > 0 {
            return;
        }
        place.members.clear();
        for (kind, word) in LISTS {
            let mut query = element("query", ADMIN, &[]);
            query.append_child(element("item", ADMIN, &[("affiliation", word)]));
            if self.ask_room(room, query, Question::Members(kind))
                && let Some(place) = self.rooms.places.get_mut(room)
            {
                place.lists += 1;
            }
        }
    }

    pub(super) fn members_came(&mut self, room: &Jid, kind: Affiliation, answer: Answer) {
        let Some(place) = self.place(room) else {
            return;
        };
        place.lists = place.lists.saturating_sub(1);
        let Ok(Some(query)) = answer else {
            return;
        };
        for item in query.children().filter(|it| it.is("item", ADMIN)) {
            let jid = item.attr("jid").and_then(|it| it.parse::<Jid>().ok());
            let said = affiliation(item.attr("affiliation"));
            if let Some(jid) = jid.filter(|_| said == kind && place.members.len() < MEMBERS) {
                place.members.insert(jid.bare(), kind);
            }
        }
    }

    /// The room says that its settings changed.
    pub(super) fn ask_again(&mut self, room: &Jid) {
        self.ask_room(room, DiscoInfoQuery { node: None }.into(), Question::Again);
    }

    pub(super) fn destroy_room(
        &mut self,
        ticket: Ticket,
        room: &Jid,
    ) -> Option<Result<Reply, CommandError>> {
        self.ask_change(ticket, room, creating::destroy(None))
    }

    /// The room, when we are in it.
    pub(super) fn in_room(&self, room: &Jid) -> Result<&super::Place, CommandError> {
        let (code, cause) = match self.rooms.places.get(room) {
            Some(place) if place.is_in() => return Ok(place),
            Some(_) => (ErrorCode::NotPossible, words::NOT_IN),
            None => (ErrorCode::NoSuchObject, words::NO_ROOM),
        };
        Err(CommandError::user(code, cause, "Enter the room first; room.list tells those known."))
    }
}

/// Makes somebody a member, an owner, an outcast.
pub(super) fn lasting(who: &Jid, affiliation: Affiliation, reason: Option<&str>) -> Element {
    let word = match affiliation {
        Affiliation::Outcast => "outcast",
        Affiliation::None => "none",
        Affiliation::Member => "member",
        Affiliation::Admin => "admin",
        Affiliation::Owner => "owner",
    };
    change(&[("jid", who.bare_str()), ("affiliation", word)], reason)
}

fn change(attributes: &[(&str, &str)], reason: Option<&str>) -> Element {
    let mut item = element("item", ADMIN, attributes);
    add_reason(&mut item, ADMIN, reason);
    let mut query = element("query", ADMIN, &[]);
    query.append_child(item);
    query
}

fn moderation(id: &str, reason: Option<&str>) -> Element {
    let mut moderate = element("moderate", MODERATE, &[("id", id)]);
    moderate.append_child(element("retract", RETRACT, &[]));
    add_reason(&mut moderate, MODERATE, reason);
    moderate
}

fn moderation_old(id: &str, reason: Option<&str>) -> Element {
    let mut moderate = element("moderate", MODERATE_OLD, &[]);
    moderate.append_child(element("retract", RETRACT_OLD, &[]));
    add_reason(&mut moderate, MODERATE_OLD, reason);
    let mut apply = element("apply-to", FASTEN, &[("id", id)]);
    apply.append_child(moderate);
    apply
}

pub(super) fn add_reason(parent: &mut Element, namespace: &str, reason: Option<&str>) {
    if let Some(reason) = reason.map(printable).filter(|reason| !reason.trim().is_empty()) {
        let mut child = element("reason", namespace, &[]);
        child.append_text_node(reason);
        parent.append_child(child);
    }
}
