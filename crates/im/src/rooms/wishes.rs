//! What the user wants of rooms, looked over before anything is done.

use offhook_model::{CommandError, ErrorCode, Jid, NoticeBody, Reply, RoomWish, Ticket};

use super::creating::{Change, Plan, too_many};
use super::place::bounded;
use super::questions::not_connected;
use super::words;
use crate::chat::printable;
use crate::{Im, jid_to_wire};

/// How many wishes wait for the server's services.
const WAITING: usize = 100;

/// How many people are invited at once.
const INVITED: usize = 200;

type Answered = Option<Result<Reply, CommandError>>;

impl Im {
    pub(super) fn obey_room(&mut self, ticket: Ticket, wish: RoomWish) -> Answered {
        if self.full.is_none()
            && !matches!(wish, RoomWish::Leave { .. } | RoomWish::Answer { accept: false, .. })
        {
            return Some(Err(not_connected()));
        }
        match wish {
            RoomWish::Create { .. } | RoomWish::Browse { .. } if !self.services.known => {
                self.wait_for_services(ticket, wish)
            }
            RoomWish::Create { name, topic, persistent, members_only, invite } => {
                let name = clean(&name);
                let invite = invite.into_iter().take(INVITED).collect();
                let name = Some(name).filter(|it| !it.is_empty());
                let plan = Plan { name, topic, persistent, members_only, invite, ticket: None };
                self.create_room(ticket, plan)
            }
            RoomWish::Join { room, nick, password } => {
                let nick = nick.map(|it| clean(&it)).filter(|it| !it.is_empty());
                self.join(ticket, &room.bare(), nick, password)
            }
            RoomWish::Leave { room } => Some(self.leave(&room.bare())),
            RoomWish::Browse { service } => {
                self.browse(service);
                Some(Ok(Reply::Done))
            }
            RoomWish::Answer { room, accept } => {
                self.answer_invitation(ticket, &room.bare(), accept)
            }
            RoomWish::Bookmark { room, keep, autojoin } => {
                self.bookmark(ticket, &room.bare(), keep, autojoin)
            }
            other => self.obey_inside(ticket, other),
        }
    }

    /// Wishes about a room that we are in.
    fn obey_inside(&mut self, ticket: Ticket, wish: RoomWish) -> Answered {
        let room = match &wish {
            RoomWish::Destroy { room }
            | RoomWish::Invite { room, .. }
            | RoomWish::Subject { room, .. }
            | RoomWish::Configure { room, .. }
            | RoomWish::Role { room, .. }
            | RoomWish::Affiliate { room, .. }
            | RoomWish::Moderate { room, .. }
            | RoomWish::Nick { room, .. } => room.bare(),
            RoomWish::Create { .. }
            | RoomWish::Join { .. }
            | RoomWish::Leave { .. }
            | RoomWish::Answer { .. }
            | RoomWish::Bookmark { .. }
            | RoomWish::Browse { .. } => return Some(Ok(Reply::Done)),
        };
        let members_only = match self.in_room(&room) {
            Ok(place) => place.traits.members_only,
            Err(error) => return Some(Err(error)),
        };
        match wish {
            RoomWish::Destroy { .. } => self.destroy_room(ticket, &room),
            RoomWish::Invite { who, reason, .. } => {
                let reason = reason.map(|it| clean(&it));
                self.invite(&room, &who, members_only, reason.as_deref());
                Some(Ok(Reply::Done))
            }
            RoomWish::Subject { subject, .. } => {
                self.send_subject(&room, &subject);
                Some(Ok(Reply::Done))
            }
            RoomWish::Configure { name, members_only, moderated, password, .. } => {
                let name = name.map(|it| clean(&it));
                if let (Some(password), Some(place)) = (&password, self.place(&room)) {
                    place.password = Some(password.clone()).filter(|it| !it.expose().is_empty());
                }
                let change = Change { name, members_only, moderated, password };
                self.configure_room(ticket, &room, change)
            }
            RoomWish::Role { nick, role, reason, .. } => {
                self.set_role(ticket, &room, &nick, role, reason.as_deref())
            }
            RoomWish::Affiliate { who, affiliation, reason, .. } => {
                self.set_affiliation(ticket, &room, &who, affiliation, reason.as_deref())
            }
            RoomWish::Moderate { id, reason, .. } => {
                self.moderate(ticket, &room, &id, reason.as_deref())
            }
            RoomWish::Nick { nick, .. } => self.change_nick(&room, &clean(&nick)),
            RoomWish::Create { .. }
            | RoomWish::Join { .. }
            | RoomWish::Leave { .. }
            | RoomWish::Answer { .. }
            | RoomWish::Bookmark { .. }
            | RoomWish::Browse { .. } => Some(Ok(Reply::Done)),
        }
    }

    fn wait_for_services(&mut self, ticket: Ticket, wish: RoomWish) -> Answered {
        if self.rooms.waiting.len() >= WAITING {
            return Some(Err(not_connected()));
        }
        self.rooms.waiting.push((ticket, wish));
        None
    }

    /// The connection is gone: who waits hears so.
    pub(super) fn give_up_wishes(&mut self) {
        for (ticket, _) in std::mem::take(&mut self.rooms.waiting) {
            self.answer(ticket, Err(not_connected()));
        }
    }

    fn join(
        &mut self,
        ticket: Ticket,
        room: &Jid,
        nick: Option<String>,
        password: Option<offhook_model::Secret<String>>,
    ) -> Answered {
        if room.local().is_none() || jid_to_wire(room).is_none() {
            return Some(Err(CommandError::user(
                ErrorCode::InvalidParams,
                "This is no address of a room.",
                "Write it as room@conference.company.com.",
            )));
        }
        let persistent = room.local().is_some_and(|it| it.starts_with("pchatroom"));
        if self.policy.vendor && persistent && !self.policy.persistent_rooms {
            return Some(Err(CommandError::user(
                ErrorCode::Refused,
                words::PERSISTENT,
                "Ask your administrator if you need them.",
            )));
        }
        let Some(place) = self.place(room) else {
            return Some(Err(too_many()));
        };
        if place.is_in() {
            return match nick.filter(|nick| *nick != place.nick) {
                Some(nick) => self.change_nick(room, &nick),
                None => Some(Ok(Reply::Room(room.clone()))),
            };
        }
        if let Some(nick) = nick {
            place.nick = nick;
        }
        if password.is_some() {
            place.password = password;
        }
        place.tickets.push(ticket);
        place.tries = 0;
        let autojoin = place.bookmark.as_ref().map(|it| it.autojoin);
        self.take_invitation(room);
        self.enter(room);
        // Entering by itself from now on is what a bookmark is for (XEP-0402 section 4.2).
        if autojoin == Some(false) {
            self.keep_bookmark(room, true, None);
        }
        None
    }

    fn leave(&mut self, room: &Jid) -> Result<Reply, CommandError> {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return Err(CommandError::user(
                ErrorCode::NoSuchObject,
                words::NO_ROOM,
                "Ask room.list for the rooms known.",
            ));
        };
        let mut tickets = std::mem::take(&mut place.tickets);
        tickets.extend(place.plan.take().and_then(|plan| plan.ticket));
        let autojoin = place.bookmark.as_ref().is_some_and(|it| it.autojoin);
        for ticket in tickets {
            let error = CommandError::user(
                ErrorCode::NotPossible,
                "The room was left before it was entered.",
                "Enter it again.",
            );
            self.answer(ticket, Err(error));
        }
        self.leave_room(room);
        if autojoin {
            self.keep_bookmark(room, false, None);
        }
        Ok(Reply::Done)
    }

    fn answer_invitation(&mut self, ticket: Ticket, room: &Jid, accept: bool) -> Answered {
        let Some((invitation, password)) = self.take_invitation(room) else {
            return Some(Err(CommandError::user(
                ErrorCode::NoSuchObject,
                "There is no invitation to this room.",
                "Enter it with room.join.",
            )));
        };
        if accept {
            return self.join(ticket, room, None, password);
        }
        self.decline(&invitation);
        self.notice(NoticeBody::Room {
            room: room.clone(),
            change: "changed",
            who: None,
            text: Some("The invitation was declined.".into()),
        });
        Some(Ok(Reply::Done))
    }

    fn bookmark(&mut self, ticket: Ticket, room: &Jid, keep: bool, autojoin: bool) -> Answered {
        if room.local().is_none() {
            return Some(Err(CommandError::user(
                ErrorCode::InvalidParams,
                "This is no address of a room.",
                "Write it as room@conference.company.com.",
            )));
        }
        if self.place(room).is_none() {
            return Some(Err(too_many()));
        }
        let asked = if keep {
            self.keep_bookmark(room, autojoin, Some(ticket))
        } else {
            self.drop_bookmark(room, Some(ticket))
        };
        if asked { None } else { Some(Err(not_connected())) }
    }

    fn change_nick(&mut self, room: &Jid, nick: &str) -> Answered {
        let wire = jid_to_wire(&room.with_resource(nick)).filter(|_| !nick.is_empty());
        let Some(to) = wire else {
            return Some(Err(CommandError::user(
                ErrorCode::InvalidParams,
                "This cannot be a nickname.",
                "Choose another one.",
            )));
        };
        let id = self.ids.next();
        if let Some(place) = self.rooms.places.get_mut(room) {
            place.asked = Some(id.clone());
        }
        let mut presence = self.presence_for_rooms().with_to(to);
        presence.id = Some(id);
        self.send(crate::Stanza::Presence(presence));
        Some(Ok(Reply::Done))
    }
}

fn clean(text: &str) -> String {
    bounded(&printable(text))
}
