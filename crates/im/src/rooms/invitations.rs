//! Asking others into a room and being asked: through the room (XEP-0045 section 7.8), directly
//! (XEP-0249), and as the vendor's clients do both in one (reference im-presence.md section 6).

use std::sync::Arc;

use offhook_model::{Affiliation, Invitation, Jid, Secret};
use xmpp_parsers::message::{Id, Message as Wire, MessageType};
use xmpp_parsers::minidom::Element;

use super::USER;
use super::administration::{add_reason, lasting};
use super::place::bounded;
use crate::stanza::element;
use crate::{Im, Stanza, asking, jid_from_wire, jid_to_wire};

const DIRECT: &str = "jabber:x:conference";

/// How many invitations wait for an answer; the oldest make room.
const INVITATIONS: usize = 50;

/// An invitation as a message told it.
#[derive(Debug)]
struct Told {
    room: Jid,
    from: Option<Jid>,
    reason: Option<String>,
    password: Option<String>,
}

/// Whether a message of our archive is an invitation. Those were told when they came; servers
/// archive them for the words that they put in for clients without rooms.
pub(crate) fn is_invitation(message: &Wire) -> bool {
    let from = message.from.as_ref().and_then(jid_from_wire);
    from.is_some_and(|from| told(&from, message).is_some())
}

fn told(from: &Jid, message: &Wire) -> Option<Told> {
    mediated(from, message).or_else(|| direct(from, message))
}

impl Im {
    /// A message that asks us into a room, or says that somebody declined. True when it was that.
    pub(crate) fn room_invites(&mut self, message: &Wire) -> bool {
        if matches!(message.type_, MessageType::Error | MessageType::Groupchat) {
            return false;
        }
        let Some(from) = message.from.as_ref().and_then(jid_from_wire) else {
            return false;
        };
        if self.declined(&from, message) {
            return true;
        }
        let Some(told) = told(&from, message) else {
            return false;
        };
        self.invited(told);
        self.paint_rooms();
        true
    }

    fn invited(&mut self, told: Told) {
        let Told { room, from, reason, password } = told;
        let blocked = from.as_ref().is_some_and(|who| self.is_blocked(who));
        let inside = self.rooms.places.get(&room).is_some_and(super::Place::is_in);
        if blocked || inside || from.as_ref() == Some(&self.me) {
            return;
        }
        if let Some(password) = password {
            self.rooms.keys.insert(room.clone(), Secret::new(password));
        }
        let invitations = Arc::make_mut(&mut self.rooms.invitations);
        // The same invitation may come through the room and directly.
        if let Some(known) = invitations.iter_mut().find(|it| it.room == room) {
            known.from = known.from.take().or(from);
            known.reason = known.reason.take().or(reason);
            return;
        }
        if invitations.len() >= INVITATIONS {
            let oldest = invitations.remove(0);
            self.rooms.keys.remove(&oldest.room);
        }
        let invitations = Arc::make_mut(&mut self.rooms.invitations);
        invitations.push(Invitation {
            room: room.clone(),
            from: from.clone(),
            reason: reason.clone(),
        });
        self.room_notice(&room, "invited", from.map(|from| from.to_string()), reason);
    }

    /// Somebody declines our invitation; only the room may say so.
    fn declined(&mut self, from: &Jid, message: &Wire) -> bool {
        let x = message.payloads.iter().find(|it| it.is("x", USER));
        let Some(decline) = x.and_then(|x| x.get_child("decline", USER)) else {
            return false;
        };
        let listens = self.rooms.places.get(&from.bare()).is_some_and(super::Place::is_in);
        if listens && from.resource().is_none() {
            let who = decline.attr("from").map(bounded).unwrap_or_default();
            let reason = decline.get_child("reason", USER).map(|it| bounded(&it.text()));
            let reason = reason.filter(|it| !it.is_empty());
            let text = match reason {
                Some(reason) => format!("declined: {reason}"),
                None => "declined".to_owned(),
            };
            self.room_notice(from, "changed", Some(who), Some(text));
        }
        true
    }

    /// Takes the invitation off the list. Whether it was there, and its password.
    pub(super) fn take_invitation(
        &mut self,
        room: &Jid,
    ) -> Option<(Invitation, Option<Secret<String>>)> {
        let place = self.rooms.invitations.iter().position(|it| &it.room == room)?;
        let invitation = Arc::make_mut(&mut self.rooms.invitations).remove(place);
        Some((invitation, self.rooms.keys.remove(room)))
    }

    /// Tells the room that we do not come.
    pub(super) fn decline(&mut self, invitation: &Invitation) {
        let (Some(to), Some(from)) = (jid_to_wire(&invitation.room), &invitation.from) else {
            return;
        };
        let mut x = element("x", USER, &[]);
        x.append_child(element("decline", USER, &[("to", from.bare_str())]));
        let mut wire = Wire::new_with_type(MessageType::Normal, Some(to)).with_payloads(vec![x]);
        wire.id = Some(Id(self.ids.next()));
        self.send(Stanza::Message(wire));
    }

    /// Asks somebody in. Who is asked into a room for members is made one first, where we may.
    pub(super) fn invite(
        &mut self,
        room: &Jid,
        who: &Jid,
        members_only: bool,
        reason: Option<&str>,
    ) {
        let who = who.bare();
        let Some(place) = self.rooms.places.get(room) else {
            return;
        };
        let may = place.affiliation >= Affiliation::Admin;
        let password = place.password.clone();
        let topic = Some(place.subject.clone()).filter(|it| !it.is_empty());
        let name = place.name();
        let member = place.members.contains_key(&who);
        if members_only && may && !member {
            let payload = lasting(&who, Affiliation::Member, None);
            self.ask_set(Some(room.clone()), payload, asking::Question::Nothing);
            if let Some(place) = self.place(room) {
                place.members.insert(who.clone(), Affiliation::Member);
            }
        }
        let vendor = self.policy.vendor;
        // The vendor's clients show the reason as the room's subject.
        let subject = topic.or(Some(name)).filter(|_| vendor);
        let reason = reason.map(str::to_owned).or(subject);
        let mut invite = element("invite", USER, &[("to", who.bare_str())]);
        add_reason(&mut invite, USER, reason.as_deref());
        let mut x = element("x", USER, &[]);
        x.append_child(invite);
        if let Some(password) = password.filter(|_| vendor) {
            let mut child = element("password", USER, &[]);
            child.append_text_node(password.expose().as_str());
            x.append_child(child);
        }
        let mut payloads = vec![x];
        if vendor {
            payloads.push(element("x", DIRECT, &[("jid", room.bare_str())]));
        }
        if let Some(to) = jid_to_wire(room) {
            let id = self.ids.next();
            let mut wire =
                Wire::new_with_type(MessageType::Normal, Some(to)).with_payloads(payloads);
            wire.id = Some(Id(id.clone()));
            self.note_invitation(room, id, who, reason);
            self.send(Stanza::Message(wire));
        }
    }

    fn note_invitation(&mut self, room: &Jid, id: String, who: Jid, reason: Option<String>) {
        if let Some(place) = self.rooms.places.get_mut(room) {
            if place.invited.len() >= INVITATIONS {
                place.invited.remove(0);
            }
            place.invited.push((id, who, reason));
        }
    }

    /// The room returned something that we sent through it. True when it was an invitation: then
    /// the person is asked directly, if the room is open to them.
    pub(super) fn invitation_returned(&mut self, room: &Jid, id: &str) -> bool {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return false;
        };
        let Some(at) = place.invited.iter().position(|(known, _, _)| known == id) else {
            return false;
        };
        let (_, who, reason) = place.invited.remove(at);
        if place.traits.members_only {
            let text = "The room did not pass the invitation on: it does not allow you to invite.";
            self.room_notice(room, "changed", Some(who.to_string()), Some(text.into()));
            return true;
        }
        let password = place.password.clone();
        let mut attributes = vec![("jid", room.bare_str())];
        attributes.extend(password.as_ref().map(|it| ("password", it.expose().as_str())));
        attributes.extend(reason.as_deref().map(|it| ("reason", it)));
        let direct = element("x", DIRECT, &attributes);
        if let Some(to) = jid_to_wire(&who) {
            let mut wire =
                Wire::new_with_type(MessageType::Normal, Some(to)).with_payloads(vec![direct]);
            wire.id = Some(Id(self.ids.next()));
            self.send(Stanza::Message(wire));
        }
        true
    }
}

/// Through the room: the message comes from the room itself, so its word about who asks counts.
fn mediated(from: &Jid, message: &Wire) -> Option<Told> {
    let x = message.payloads.iter().find(|it| it.is("x", USER))?;
    let invite = x.get_child("invite", USER)?;
    let room = from.bare();
    if from.resource().is_some() || room.local().is_none() {
        return None;
    }
    let who = invite.attr("from").and_then(|it| it.parse::<Jid>().ok());
    // A nickname's address: the room does not tell who it is.
    let who = who.filter(|who| who.bare() != room).map(|who| who.bare());
    let text = |parent: &Element, name| {
        let text = parent.get_child(name, USER).map(|it| bounded(&it.text()));
        text.filter(|it| !it.is_empty())
    };
    Some(Told { room, from: who, reason: text(invite, "reason"), password: text(x, "password") })
}

/// Directly: whoever sends it asks.
fn direct(from: &Jid, message: &Wire) -> Option<Told> {
    let x = message.payloads.iter().find(|it| it.is("x", DIRECT))?;
    let room = x.attr("jid")?.parse::<Jid>().ok()?.bare();
    room.local()?;
    let text = |name| x.attr(name).map(bounded).filter(|it| !it.is_empty());
    Some(Told { room, from: Some(from.bare()), reason: text("reason"), password: text("password") })
}
