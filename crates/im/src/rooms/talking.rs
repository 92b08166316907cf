//! Where rooms meet conversations: their rows, what is said in them, and what waits to be.

use offhook_model::{ChatKind, Delivery, Jid, MessageId, Protection, Retraction};
use offhook_ports::Amendment;
use xmpp_parsers::chatstates::ChatState;
use xmpp_parsers::message::{Id, Message as Wire, MessageType};
use xmpp_parsers::ns;

use super::administration::Moderated;
use super::messages::Heard;
use super::words;
use crate::amending::Asked;
use crate::content::{self, Change};
use crate::taking::{Arrival, InRoom, Taken, ids};
use crate::{Im, Stanza, jid_to_wire};

/// In a room with more people nobody is told that we write.
const QUIET: usize = 100;

/// How many replayed messages are remembered until the replay ends.
const REPLAYED: usize = 1_000;

/// Whether something may go out to a conversation now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It may.
    Open,
    /// Not yet.
    Waits,
    /// It never will. Why, in words.
    Shut(&'static str),
}

impl Im {
    /// A room is written to once we are in it and have seen all that was said before: what we sent
    /// over an earlier connection may be among it. People are always written to.
    pub(crate) fn room_gate(&self, with: &Jid) -> Gate {
        if !self.is_room(with) {
            return Gate::Open;
        }
        match self.rooms.places.get(with) {
            Some(place) if place.is_in() && place.settled => Gate::Open,
            Some(place) if place.wanted => Gate::Waits,
            // The bookmarks may say that we want to be in it.
            Some(_) | None if !self.rooms.bookmarks.known() => Gate::Waits,
            Some(_) | None => Gate::Shut(words::NOT_IN),
        }
    }

    /// What was held back because we were not in the room, or did not know, is looked at again.
    pub(super) fn open_gates(&mut self) {
        let rooms: Vec<Jid> = self.talks.keys().filter(|it| self.is_room(it)).cloned().collect();
        for room in rooms {
            self.outbox.release(&room);
        }
        self.flush();
    }

    /// Who we are in this room.
    pub(crate) fn own_occupant(&self, room: &Jid) -> Option<Jid> {
        self.is_room(room).then(|| self.rooms.places.get(room).map(super::Place::own)).flatten()
    }

    /// The room's conversation, from now on one of a room.
    pub(super) fn open_room_talk(&mut self, room: &Jid) {
        let talk = self.talk(room);
        let new = talk.chat.kind != ChatKind::Room;
        talk.edit_chat(|chat| {
            chat.kind = ChatKind::Room;
            chat.protection.on = false;
            chat.protection.changeable = false;
            chat.protection.why = Some(words::PLAIN.into());
        });
        self.name_room_talk(room);
        self.publish(room);
        if new {
            self.keep_row(room);
        }
    }

    /// Its name in the list of conversations.
    pub(super) fn name_room_talk(&mut self, room: &Jid) {
        let Some(name) = self.rooms.places.get(room).map(super::Place::name) else {
            return;
        };
        let talk = self.talks.get_mut(room).filter(|talk| talk.chat.name != name);
        if let Some(talk) = talk {
            let is_room = talk.chat.kind == ChatKind::Room;
            talk.edit_chat(|chat| chat.name = name);
            self.publish(room);
            if is_room {
                self.keep_row(room);
            }
        }
    }

    /// Tells the room that we write, or no more.
    pub(crate) fn tell_room_typing(&mut self, room: &Jid, state: ChatState) {
        let place = self.rooms.places.get(room).filter(|it| it.is_in() && it.crowd.len() <= QUIET);
        let to = place.and_then(|it| jid_to_wire(&it.jid)).filter(|_| self.settings.tell_typing);
        if let Some(to) = to {
            let mut wire =
                Wire::new_with_type(MessageType::Groupchat, Some(to)).with_payload(state);
            wire.id = Some(Id(self.ids.next()));
            self.send(Stanza::Message(wire));
        }
    }

    pub(super) fn take_heard(&mut self, mut heard: Heard) {
        self.open_talk_of(&heard.room);
        if heard.own {
            self.find_rewritten(&mut heard);
        } else if !self.may_change(&heard) {
            match content::change(&heard.wire) {
                // Shown as what it is at least: words of whoever has the nickname now.
                Some(Change::Replace(_)) => {
                    heard.wire.payloads.retain(|it| !it.is("replace", ns::MESSAGE_CORRECT));
                }
                Some(Change::Retract(_) | Change::React(..)) | None => {
                    return self.refused_change(&heard.room);
                }
            }
        }
        let Heard { room, from, author, own, time, live, archive_id, nick, persistent, mark, wire } =
            heard;
        let taken = self.take_message(Arrival {
            with: room.clone(),
            from,
            author,
            own,
            wire,
            time,
            live,
            archive_id,
            protection: Protection::None,
            room: Some(InRoom { nick, persistent, mark }),
        });
        if let (Taken::New(id), Some(place)) = (taken, self.rooms.places.get_mut(&room))
            && !live
            && place.replayed.len() < REPLAYED
        {
            place.replayed.insert(id);
        }
    }

    fn open_talk_of(&mut self, room: &Jid) {
        if !self.is_room(room) {
            self.open_room_talk(room);
        }
    }

    /// Whether somebody who corrects or retracts wrote what they change. Marks and real addresses
    /// are compared where the message is changed; where neither is known, the nickname counts for
    /// what its present owner said before our eyes, and within one replay.
    fn may_change(&self, heard: &Heard) -> bool {
        let target = match content::change(&heard.wire) {
            Some(Change::Replace(target) | Change::Retract(target)) => target,
            Some(Change::React(..)) | None => return true,
        };
        let Some(place) = self.rooms.places.get(&heard.room) else {
            return false;
        };
        let message = self
            .target_id(&heard.room, &target)
            .and_then(|id| self.talks.get(&heard.room)?.find(&id.0));
        let Some(message) = message else {
            // The store judges by the nickname alone, so it is asked only where more is known.
            return heard.mark.is_some() || heard.author.is_some();
        };
        let by_mark = message.more.occupant.is_some() && heard.mark.is_some();
        let by_author = message.more.author.is_some() && heard.author.is_some();
        if by_mark || by_author {
            return true;
        }
        if !heard.live {
            return place.replayed.contains(&message.id);
        }
        let nick = heard.from.resource().unwrap_or_default();
        place.crowd.get(nick).is_some_and(|person| person.since <= message.time)
    }

    /// Some servers give what we said an id of their own: then it is the first of ours with these
    /// words that has not come back.
    fn find_rewritten(&self, heard: &mut Heard) {
        let Some(talk) = self.talks.get(&heard.room) else {
            return;
        };
        let known = |id: &String| talk.find(id).is_some_and(|message| message.own);
        if ids(&heard.wire).iter().any(known) || content::change(&heard.wire).is_some() {
            return;
        }
        let Some(said) = content::read(&heard.wire) else {
            return;
        };
        let tried = self.outbox.on_its_way();
        let out = |m: &offhook_model::Message| {
            m.state == Delivery::Sent || (m.state == Delivery::Queued && tried.contains(&m.id))
        };
        let first = talk.messages.iter().find(|m| m.own && out(m) && m.body == said.body);
        if let Some(first) = first {
            heard.wire.id = Some(Id(first.id.0.clone()));
        }
    }

    /// A moderator took a message back, says the room.
    pub(super) fn moderated(&mut self, room: &Jid, moderated: Moderated) {
        let by = moderated.by.unwrap_or_else(|| room.clone());
        let retraction = Retraction { by, reason: moderated.reason };
        let change = Amendment::Retract { retraction, by_room: true };
        let asked =
            Asked { by: room.clone(), own: false, author: None, mark: None, protection: None };
        self.take_amendment(room, &moderated.id, change, &asked);
    }

    /// Whether this is a message that we wrote, by an id that only we gave.
    pub(super) fn wrote(&self, room: &Jid, message: &Wire) -> bool {
        let talk = self.talks.get(room);
        let own = |id: &String| {
            self.outbox.waits(id, room)
                || talk.and_then(|talk| talk.find(id)).is_some_and(|known| known.own)
        };
        ids(message).iter().any(own)
    }

    /// Something that waits will not arrive.
    pub(super) fn give_up(&mut self, room: &Jid, id: MessageId, why: &str) {
        self.outbox.confirm(&id.0);
        self.progress(room, id, Delivery::Failed, Some(why));
    }

    /// What waits for a room that does not have us fails, with the reason.
    pub(super) fn fail_waiting(&mut self, room: &Jid, why: &str) {
        for message in self.outbox.messages(room) {
            self.give_up(room, message.id, why);
        }
    }
}
