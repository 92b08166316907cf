//! What was said in a room, out of its archive (XEP-0313 on the room's address): what was missed since
//! we were in it, and what was said before.
//!
//! A room that has an archive and of which a message is known is entered without a replay: its
//! archive tells everything since, in order and however much it is, while a replay ends after as many
//! messages as the room likes. The archive vouches for what the room does: nickname, time, the mark
//! of the writer; a real address in an archived message is believed no more than in a replayed one.

use offhook_model::{Jid, Timestamp};
use xmpp_parsers::message::{Message as Wire, MessageType};
use xmpp_parsers::ns;

use super::administration::Moderated;
use super::messages::Heard;
use super::occupants::mark_of;
use super::place::Place;
use crate::{Im, jid_from_wire};

impl Im {
    /// The room has an archive that we may ask.
    pub(crate) fn has_room_archive(&self, room: &Jid) -> bool {
        self.rooms.places.get(room).is_some_and(|place| place.is_in() && place.has(ns::MAM))
    }

    /// The newest message we have of the room, by its archive's id. It is where catching up begins.
    pub(super) fn known_place(&self, room: &Jid) -> Option<String> {
        let asks = |place: &&Place| place.has(ns::MAM) && !place.mute_archive;
        self.rooms.places.get(room).filter(asks)?;
        let talk = self.talks.get(room)?;
        let kept = talk.messages.iter().rev().map(|m| m.as_ref()).chain(talk.chat.last.as_ref());
        let newest = kept.filter_map(|message| message.more.archive_id.clone()).next();
        newest.or_else(|| self.archive_position(room))
    }

    /// We are in: what was said meanwhile is asked for. False when there is nothing to ask.
    pub(super) fn catch_up(&mut self, room: &Jid) -> bool {
        let wanted = self.rooms.places.get(room).is_some_and(|place| place.catching_up);
        let begun = wanted
            && self.known_place(room).is_some_and(|place| self.sync_room(room.clone(), place));
        if let Some(place) = self.rooms.places.get_mut(room) {
            place.catching_up = begun;
        }
        begun
    }

    /// Its archive has told everything, or will not: what waits for the room goes out.
    pub(crate) fn room_caught_up(&mut self, room: &Jid) {
        if let Some(place) = self.rooms.places.get_mut(room)
            && std::mem::take(&mut place.catching_up)
        {
            self.settle(room);
            self.paint_rooms();
        }
    }

    /// Its archive refuses, although the room says that it has one.
    pub(crate) fn room_archive_refuses(&mut self, room: &Jid) {
        if let Some(place) = self.rooms.places.get_mut(room) {
            place.mute_archive = true;
        }
    }

    /// A message out of a room's archive, by the occupant's address in `from`.
    pub(crate) fn take_room_archived(
        &mut self,
        room: &Jid,
        archive_id: &str,
        wire: Wire,
        time: Timestamp,
    ) {
        let from = wire.from.as_ref().and_then(jid_from_wire).filter(|from| from.bare() == *room);
        let (Some(from), MessageType::Groupchat) = (from, &wire.type_) else {
            return;
        };
        if from.resource().is_none() {
            if let Some(moderated) = Moderated::read(&wire.payloads) {
                self.moderated(room, moderated);
            }
            return;
        }
        let Some(place) = self.rooms.places.get(room) else {
            return;
        };
        let mark = mark_of(place, &wire.payloads);
        let marked = place.own_mark.is_some() && mark == place.own_mark;
        let own = marked || self.wrote(room, &wire);
        let heard = Heard {
            room: room.clone(),
            from,
            author: own.then(|| self.me.clone()),
            own,
            time,
            live: false,
            archive_id: Some(archive_id.to_owned()),
            nick: place.nick.clone(),
            persistent: place.traits.persistent,
            mark,
            wire,
        };
        if let Some(place) = self.rooms.places.get_mut(room) {
            place.newest = place.newest.max(Some(time));
        }
        self.take_heard(heard);
    }
}
