//! One way in for messages, whatever way they came: directly, as a copy of another device's, from an
//! archive, from a room. Here they are told from copies of themselves, stored, shown and counted.

use offhook_model::{
    ChatKind, Delivery, Jid, Message, MessageId, More, Protection, ReplyTo, Retraction, Timestamp,
};
use offhook_ports::{Amendment, StoreRequest};
use xmpp_parsers::message::Message as Wire;
use xmpp_parsers::ns;

use crate::amending::Asked;
use crate::content::{self, Change, Content};
use crate::talk::Known;
use crate::{Im, sentence};

/// A message that came. Who sent it is proven by whoever makes this: by the server's own `from`, by
/// the archive it lies in, by the room it came through.
pub(crate) struct Arrival {
    /// The conversation: the other person or the room, bare.
    pub(crate) with: Jid,
    /// Who wrote it: bare; in a room the occupant's address.
    pub(crate) from: Jid,
    /// The writer's real bare address in a room, where the room tells.
    pub(crate) author: Option<Jid>,
    /// We wrote it, here or at another device.
    pub(crate) own: bool,
    /// The stanza, in clear.
    pub(crate) wire: Wire,
    /// When it was written.
    pub(crate) time: Timestamp,
    /// It comes as it was written, or was kept for us until we came; otherwise it is history: nobody
    /// is told that it arrived, and it counts as unread only where it is newer than what was read.
    pub(crate) live: bool,
    /// The id that the archive of the conversation gave it, where that is sure
    /// ([`content::archive_id`]).
    pub(crate) archive_id: Option<String>,
    /// What [`Im::unseal`] said.
    pub(crate) protection: Protection,
    /// In a room: who we are there.
    pub(crate) room: Option<InRoom>,
}

/// What of a room matters to its messages.
#[derive(Clone, Debug)]
pub(crate) struct InRoom {
    /// Our nickname.
    pub(crate) nick: String,
    /// It outlives its occupants: another policy for mentions.
    pub(crate) persistent: bool,
    /// The room's mark of the writer (XEP-0421), where the room is known to give marks.
    pub(crate) mark: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is a new message, kept under this id.
    New(MessageId),
    /// It was here before, under this id.
    Copy(MessageId),
    /// It changed an earlier message, or tried to.
    Change,
    /// It says nothing.
    Nothing,
}

impl Im {
    /// Takes a message, or a change of one. Receipts and markers in it count as well; to answer them
    /// is the caller's.
    pub(crate) fn take_message(&mut self, arrival: Arrival) -> Taken {
        self.word_of(&arrival);
        let content = content::read(&arrival.wire);
        // A correction that cannot be read here says nothing that could stand for the first text.
        let unreadable = |change: &Change| {
            matches!(change, Change::Replace(_)) && arrival.protection == Protection::Unreadable
        };
        if let Some(change) = content::change(&arrival.wire).filter(|it| !unreadable(it)) {
            let speaks = content::speaks_beside(&arrival.wire, &change);
            let taken = self.take_change(&arrival, change, content.as_ref());
            if !(speaks && content.is_some()) {
                return taken;
            }
        }
        if !arrival.live
            && content.is_none()
            && let Some(reason) = content::tombstone(&arrival.wire)
        {
            return self.take_tombstone(&arrival, reason);
        }
        match content {
            Some(content) => self.take_text(&arrival, content),
            None => Taken::Nothing,
        }
    }

    /// The archive id of a message of our own account (XEP-0359): only where our server says that it
    /// sets such ids, and so takes away those that a sender made up (section 6).
    pub(crate) fn own_archive_id(&self, wire: &Wire) -> Option<String> {
        let sets = |it: &str| it == ns::SID || it == ns::MAM;
        let account = &self.services.account;
        account.iter().any(|it| sets(it)).then(|| content::archive_id(wire, &self.me)).flatten()
    }

    fn take_text(&mut self, arrival: &Arrival, content: Content) -> Taken {
        match self.known(arrival, &content.body) {
            Known::Copy(id) => {
                self.met_again(arrival, &id);
                Taken::Copy(id)
            }
            known @ (Known::New | Known::Clash) => {
                let id = self.id_for(arrival, &known, &content.body);
                let message = self.message(arrival, content, id.clone());
                self.add_arrived(arrival, message);
                Taken::New(id)
            }
        }
    }

    /// A message that was taken back before we saw it.
    fn take_tombstone(&mut self, arrival: &Arrival, reason: Option<String>) -> Taken {
        let known = self.known(arrival, "");
        if let Known::Copy(id) = known {
            let by_room = reason.is_some();
            let by = if by_room { arrival.with.clone() } else { arrival.from.clone() };
            let change = Amendment::Retract { retraction: Retraction { by, reason }, by_room };
            self.apply(&arrival.with, &id, change, None);
            return Taken::Copy(id);
        }
        let id = self.id_for(arrival, &known, "");
        let mut message = self.message(arrival, Content::default(), id.clone());
        let by = if reason.is_some() { arrival.with.clone() } else { arrival.from.clone() };
        message.more.retracted = Some(Retraction { by, reason });
        self.add_arrived(arrival, message);
        Taken::New(id)
    }

    /// Whether the message is here: an own one by the id we gave it, others by sender and id, all by
    /// the archive's id.
    fn known(&mut self, arrival: &Arrival, body: &str) -> Known {
        let (ids, live) = (ids(&arrival.wire), arrival.live);
        let waits = |im: &Self, id: &str| im.outbox.waits(id, &arrival.with);
        if arrival.own
            && let Some(id) = ids.iter().find(|id| waits(self, id))
        {
            return Known::Copy(MessageId(id.clone()));
        }
        let talk = self.talk(&arrival.with);
        let archived = arrival.archive_id.as_deref().and_then(|id| talk.find_archived(id));
        if let Some(message) = archived {
            return Known::Copy(message.id.clone());
        }
        if let Some(id) = ids.iter().find(|_| !live).and_then(|id| self.came_ahead(arrival, id)) {
            return Known::Copy(id);
        }
        let talk = self.talk(&arrival.with);
        if arrival.own {
            let own = |id: &&String| talk.find(id).is_some_and(|m| m.own);
            if let Some(id) = ids.iter().find(own) {
                return Known::Copy(MessageId(id.clone()));
            }
        }
        match ids.first() {
            Some(id) => talk.meet(&arrival.from, id, body, live),
            None => Known::New,
        }
    }

    /// The id under which a new message is kept: its own, or one of ours where it has none, or where
    /// it is taken by another message or has the form of our own.
    fn id_for(&mut self, arrival: &Arrival, known: &Known, body: &str) -> MessageId {
        let ids = ids(&arrival.wire);
        let posing = !arrival.own && ids.iter().any(|id| self.ids.is_ours(id));
        let kept = match ids.first() {
            Some(id) if *known == Known::New && !posing => id.clone(),
            Some(_) | None => self.ids.next(),
        };
        let kept = MessageId(kept);
        let talk = self.talk(&arrival.with);
        for id in &ids {
            talk.remember(&arrival.from, id, body, &kept);
        }
        kept
    }

    fn message(&self, arrival: &Arrival, content: Content, id: MessageId) -> Message {
        let mentions_me = !arrival.own && self.names_us(arrival, &content);
        let reply_to = content.reply.map(|(id, to)| ReplyTo {
            id: self.target_id(&arrival.with, &id).unwrap_or(MessageId(id)),
            to,
        });
        let state = match (arrival.own, &arrival.room) {
            (true, None) => Delivery::Sent,
            (true, Some(_)) | (false, _) => Delivery::Delivered,
        };
        let other = if arrival.own { &arrival.with } else { &self.me };
        Message {
            id,
            with: arrival.with.clone(),
            from: arrival.from.clone(),
            to: if arrival.room.is_some() { arrival.with.clone() } else { other.clone() },
            body: content.body,
            time: arrival.time,
            own: arrival.own,
            state,
            error: content.cut.then(|| sentence::CUT.to_owned()),
            more: More {
                archive_id: arrival.archive_id.clone(),
                author: arrival.author.clone(),
                occupant: arrival.room.as_ref().and_then(|room| room.mark.clone()),
                reply_to,
                protection: arrival.protection,
                html: content.html,
                mentions_me,
                unplaced: arrival.live && arrival.room.is_none() && !self.archives.is_read(),
                attachment: content.attachment,
                label: content.label,
                ..More::default()
            },
        }
    }

    fn add_arrived(&mut self, arrival: &Arrival, mut message: Message) {
        let with = arrival.with.clone();
        let mut tell = true;
        if arrival.own && arrival.live {
            // Who answers elsewhere has read.
            self.read_here(&with);
        } else if arrival.own {
            self.read_up_to(&with, message.time);
        } else {
            let talk = self.talk(&with);
            let unread = arrival.live || talk.read_until.is_none_or(|until| message.time > until);
            if unread {
                talk.count(&message);
            } else {
                message.state = Delivery::Read;
                tell = false;
            }
        }
        self.add_message(message, arrival.live, tell);
    }

    /// A message came a second time: that says of an own one that the server has it, and what the
    /// archive calls it.
    fn met_again(&mut self, arrival: &Arrival, id: &MessageId) {
        let with = &arrival.with;
        if arrival.own {
            self.outbox.confirm(&id.0);
            let state = if arrival.room.is_some() { Delivery::Delivered } else { Delivery::Sent };
            self.progress(with, id.clone(), state, None);
            self.flush();
        }
        let Some(archive_id) = &arrival.archive_id else {
            return;
        };
        let talk = self.talk(with);
        if talk.find(&id.0).is_some_and(|m| m.more.archive_id.is_none()) {
            talk.edit(id, |message| message.more.archive_id = Some(archive_id.clone()));
            self.publish(with);
            let change = Box::new(Amendment::ArchiveId(archive_id.clone()));
            let (with, id) = (with.clone(), id.clone());
            self.store(StoreRequest::Amend { with, id, change });
        }
    }

    fn take_change(
        &mut self,
        arrival: &Arrival,
        change: Change,
        content: Option<&Content>,
    ) -> Taken {
        let Arrival { with, from, own, .. } = arrival;
        let (target, amendment) = match change {
            Change::Replace(target) => {
                let Some(content) = content else {
                    return Taken::Nothing;
                };
                let (body, html) = (content.body.clone(), content.html.clone());
                (target, Amendment::Body { by: from.clone(), body, html })
            }
            Change::Retract(target) => {
                let retraction = Retraction { by: from.clone(), reason: None };
                (target, Amendment::Retract { retraction, by_room: false })
            }
            Change::React(target, emoji) => {
                (target, Amendment::Reactions { by: from.clone(), own: *own, emoji })
            }
        };
        let ids = ids(&arrival.wire);
        if *own {
            // What we changed here comes back from rooms and archives.
            let waited = ids.iter().any(|id| self.confirm_change(id));
            let me = self.me.clone();
            let talk = self.talk(with);
            if waited || ids.iter().any(|id| talk.alias(&me, id).is_some()) {
                return Taken::Change;
            }
        }
        let print = format!("{amendment:?}");
        let talk = self.talk(with);
        if let Some(id) = ids.first()
            && matches!(talk.meet(from, id, &print, arrival.live), Known::Copy(_))
        {
            return Taken::Change;
        }
        let author = arrival.author.clone();
        let mark = arrival.room.as_ref().and_then(|room| room.mark.clone());
        let protection = Some(arrival.protection);
        let asked = Asked { by: from.clone(), own: *own, author, mark, protection };
        match self.take_amendment(with, &target, amendment, &asked) {
            Some(kept) => {
                let talk = self.talk(with);
                for id in &ids {
                    talk.remember(from, id, &print, &kept);
                }
                Taken::Change
            }
            // The corrected message never came: its correction is all there is of it.
            None => self.take_orphan(arrival),
        }
    }

    fn take_orphan(&mut self, arrival: &Arrival) -> Taken {
        let replaces = matches!(content::change(&arrival.wire), Some(Change::Replace(_)));
        match content::read(&arrival.wire).filter(|_| replaces) {
            Some(content) => {
                let body = content.body.clone();
                let known = self.known(arrival, &body);
                if let Known::Copy(id) = known {
                    return Taken::Copy(id);
                }
                let id = self.id_for(arrival, &known, &body);
                let mut message = self.message(arrival, content, id.clone());
                message.more.edited = true;
                self.add_arrived(arrival, message);
                Taken::New(id)
            }
            None => Taken::Change,
        }
    }

    /// Whether a text names us, where policy lets that count.
    fn names_us(&self, arrival: &Arrival, content: &Content) -> bool {
        let allowed = match &arrival.room {
            None => self.policy.mentions[0],
            Some(InRoom { persistent: false, .. }) => self.policy.mentions[1],
            Some(InRoom { persistent: true, .. }) => self.policy.mentions[2],
        };
        if !allowed {
            return false;
        }
        if content.references.iter().any(|jid| {
            let nick = arrival.room.as_ref().map(|room| room.nick.as_str());
            jid.bare() == self.me || (jid.bare() == arrival.with && jid.resource() == nick)
        }) {
            return true;
        }
        let given = self.people.given_name(&self.me);
        let local = self.me.local();
        let nick = arrival.room.as_ref().map(|room| room.nick.as_str());
        let names = [Some(self.me.bare_str()), local, given, nick];
        names.into_iter().flatten().any(|name| crate::text::holds_word(&content.body, name))
    }

    /// Whether this conversation is a room.
    pub fn is_room(&self, with: &Jid) -> bool {
        self.talks.get(with).is_some_and(|talk| talk.chat.kind == ChatKind::Room)
    }
}

/// The ids that the sender gave a stanza: that of the stanza, and that of XEP-0359 where it is
/// another. The first is what corrections, receipts and markers name.
pub(crate) fn ids(wire: &Wire) -> Vec<String> {
    let stanza = wire.id.as_ref().map(|id| id.0.clone()).filter(|id| !id.is_empty());
    let origin = content::origin_id(wire).filter(|origin| Some(origin) != stanza.as_ref());
    stanza.into_iter().chain(origin).collect()
}
