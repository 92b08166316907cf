//! Into rooms and out of them (XEP-0045 sections 7.2 to 7.7 and 7.14).

use super::{
    Jid, MAX_OCCUPANTS, MAX_ROOMS, MUC, Occupant, Post, Room, Rooms, USER, missing, refusal, word,
};
use crate::xml::{Element, Node};

impl Rooms {
    pub(super) fn presence(&mut self, from: &Jid, to: &Jid, stanza: &Element) -> Post {
        match stanza.attribute("type") {
            None => self.come(from, to, stanza).unwrap_or_else(|no| vec![(from.clone(), no)]),
            Some("unavailable") => {
                let room = self.rooms.get_mut(&to.bare);
                room.map(|room| room.leave(from)).unwrap_or_default()
            }
            Some(_) => Vec::new(),
        }
    }

    /// A connection is gone: it leaves every room.
    pub(super) fn leave_all(&mut self, who: &Jid) -> Post {
        self.rooms.values_mut().flat_map(|room| room.leave(who)).collect()
    }

    fn come(&mut self, from: &Jid, to: &Jid, stanza: &Element) -> Result<Post, Element> {
        let Some(nick) = to.resource.as_deref().filter(|it| it.len() <= 1023) else {
            return Err(refusal(stanza, "modify", "jid-malformed", "400"));
        };
        let enters = stanza.find("x", MUC);
        if let Some(room) = self.rooms.get_mut(&to.bare)
            && room.at(from).is_some()
            && enters.is_none()
        {
            return room.change(from, nick, stanza);
        }
        let Some(enters) = enters else {
            return Err(refusal(stanza, "modify", "not-acceptable", "406"));
        };
        let made = !self.rooms.contains_key(&to.bare);
        if made {
            self.make(from, to, stanza)?;
        }
        let Some(room) = self.rooms.get_mut(&to.bare) else { return Err(missing(stanza)) };
        room.admits(from, nick, stanza)?;
        Ok(room.enter(from, nick, stanza, enters, made))
    }

    /// Whoever enters a room that is not there makes it, by the names of the vendor's clients.
    fn make(&mut self, from: &Jid, to: &Jid, stanza: &Element) -> Result<(), Element> {
        let local = to.bare.split_once('@').map(|(local, _)| local).unwrap_or_default();
        let named = |start: &str| {
            let rest = local.strip_prefix(start).unwrap_or_default();
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit())
        };
        let persistent = named("pchatroom");
        if !persistent && !named("chat") {
            return Err(missing(stanza));
        }
        if self.rooms.len() >= MAX_ROOMS {
            return Err(refusal(stanza, "wait", "resource-constraint", "500"));
        }
        let rights = [(from.bare.clone(), "owner")].into();
        let name = local.to_owned();
        let jid = to.bare.clone();
        let room = Room { jid, name, persistent, locked: true, rights, ..Room::default() };
        self.rooms.insert(to.bare.clone(), room);
        Ok(())
    }
}

impl Room {
    fn admits(&self, from: &Jid, nick: &str, stanza: &Element) -> Result<(), Element> {
        let rights = self.rights_of(&from.bare);
        if self.locked && rights != "owner" {
            return Err(missing(stanza));
        }
        if rights == "outcast" {
            return Err(refusal(stanza, "auth", "forbidden", "403"));
        }
        if self.members_only && rights == "none" {
            return Err(refusal(stanza, "auth", "registration-required", "407"));
        }
        if self.named(nick).is_some_and(|it| it.jid != *from) {
            return Err(refusal(stanza, "cancel", "conflict", "409"));
        }
        if self.occupants.len() >= MAX_OCCUPANTS {
            return Err(refusal(stanza, "wait", "service-unavailable", "503"));
        }
        Ok(())
    }

    fn enter(
        &mut self,
        from: &Jid,
        nick: &str,
        stanza: &Element,
        enters: &Element,
        made: bool,
    ) -> Post {
        // Who asks again has lost the room, and is told everything once more.
        self.occupants.retain(|it| it.jid != *from);
        let moderates = matches!(self.rights_of(&from.bare), "owner" | "admin");
        let role = if moderates { "moderator" } else { "participant" };
        let occupant =
            Occupant { nick: nick.to_owned(), jid: from.clone(), role, presence: payload(stanza) };
        let mut post: Post = self
            .occupants
            .iter()
            .map(|other| (from.clone(), self.shown(other, from, &[])))
            .collect();
        for other in &self.occupants {
            post.push((other.jid.clone(), self.shown(&occupant, &other.jid, &[])));
        }
        let codes: &[u16] = if made { &[100, 201] } else { &[100] };
        post.push((from.clone(), self.shown(&occupant, from, codes)));
        self.occupants.push(occupant);
        let replay = self.replay(enters.find("history", MUC));
        post.extend(replay.into_iter().map(|said| (from.clone(), said)));
        post.push((from.clone(), self.topic()));
        post
    }

    /// Another nickname, or other words in the presence.
    fn change(&mut self, from: &Jid, nick: &str, stanza: &Element) -> Result<Post, Element> {
        if self.named(nick).is_some_and(|it| it.jid != *from) {
            return Err(refusal(stanza, "cancel", "conflict", "409"));
        }
        let Some(at) = self.occupants.iter().position(|it| it.jid == *from) else {
            return Ok(Vec::new());
        };
        let mut post = Vec::new();
        if self.occupants[at].nick != nick {
            let occupant = &self.occupants[at];
            let item = self.item(occupant).with("nick", nick);
            post = self.gone(occupant, &item, &[303], None);
        }
        let occupant = &mut self.occupants[at];
        nick.clone_into(&mut occupant.nick);
        occupant.presence = payload(stanza);
        post.extend(self.show(&self.occupants[at]));
        Ok(post)
    }

    pub(super) fn leave(&mut self, who: &Jid) -> Post {
        let Some(occupant) = self.at(who).cloned() else { return Vec::new() };
        let item = self.item(&occupant).with("role", "none");
        let post = self.gone(&occupant, &item, &[], None);
        self.occupants.retain(|it| it.jid != *who);
        post
    }

    /// An occupant is no longer there under this nickname: for everybody, the occupant included.
    pub(super) fn gone(
        &self,
        occupant: &Occupant,
        item: &Element,
        codes: &[u16],
        more: Option<&Element>,
    ) -> Post {
        let from = format!("{}/{}", self.jid, occupant.nick);
        let told = |it: &Occupant| {
            let own = (it.jid == occupant.jid).then_some(&110);
            let mut x = word(item.clone(), codes.iter().chain(own));
            x.children.extend(more.cloned().map(Node::Element));
            let gone = Element::stanza("presence").with("type", "unavailable").with("from", &from);
            (it.jid.clone(), gone.child(x))
        };
        self.occupants.iter().map(told).collect()
    }
}

/// What a presence holds, without what is the room's to say.
fn payload(stanza: &Element) -> Vec<Node> {
    let theirs = |element: &&Element| !element.is("x", MUC) && !element.is("x", USER);
    stanza.elements().filter(theirs).cloned().map(Node::Element).collect()
}
