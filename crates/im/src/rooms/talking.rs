//! Where rooms meet conversations: their rows, and what waits to be said in them.

use offhook_model::{ChatKind, Delivery, Jid, MessageId};
use xmpp_parsers::message::Message as Wire;

use super::messages::Heard;
use super::words;
use crate::Im;
use crate::rooms::administration::Moderated;

impl Im {
    /// The room's conversation, from now on one of a room.
    pub(super) fn open_room_talk(&mut self, room: &Jid) {
        let talk = self.talk(room);
        talk.edit_chat(|chat| {
            chat.kind = ChatKind::Room;
            chat.protection.on = false;
            chat.protection.changeable = false;
            chat.protection.why = Some(words::PLAIN.into());
        });
        self.name_room_talk(room);
    }

    /// Its name in the list of conversations.
    pub(super) fn name_room_talk(&mut self, room: &Jid) {
        let Some(name) = self.rooms.places.get(room).map(super::Place::name) else {
            return;
        };
        let talk = self.talks.get_mut(room).filter(|talk| talk.chat.name != name);
        if let Some(talk) = talk {
            talk.edit_chat(|chat| chat.name = name);
            self.publish(room);
        }
    }

    pub(super) fn take_heard(&mut self, _heard: Heard) {}

    pub(super) fn moderated(&mut self, _room: &Jid, _moderated: Moderated) {}

    /// Whether this is a message that we wrote, by an id that only we gave.
    pub(super) fn wrote(&self, room: &Jid, message: &Wire) -> bool {
        let own = |id: &str| {
            self.talks.get(room).and_then(|talk| talk.find(id)).is_some_and(|known| known.own)
        };
        message.id.as_ref().is_some_and(|id| own(&id.0))
    }

    /// A waiting message will not arrive.
    pub(super) fn give_up(&mut self, room: &Jid, id: MessageId, why: &str) {
        self.outbox.take(&id.0);
        self.progress(room, id, Delivery::Failed, Some(why));
    }
}
