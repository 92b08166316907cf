//! What we write beyond the plain message: answers (XEP-0461), corrections (XEP-0308), reactions
//! (XEP-0444), retractions (XEP-0424), and another attempt at what failed.
//!
//! A change of a message shows at once and then goes through the outbox like a message, so it comes
//! after what was written before it, and survives a restart. A message that no connection was given
//! yet is changed in the outbox instead: nobody needs to hear of its first form.

use offhook_model::{
    Delivery, Jid, Message, MessageId, Moment, More, NoticeBody, ReplyTo, Retraction,
};
use offhook_ports::{Amendment, StoreRequest};
use xmpp_parsers::message::Message as Wire;

use crate::chat::printable;
use crate::content::{BODY, EMOJI};
use crate::outbox::Parcel;
use crate::{Im, changes, incoming, sentence, text};

/// Why something cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// No such message is in memory.
    NoSuchMessage,
    /// It is somebody else's.
    NotOurs,
    /// It was taken back.
    TakenBack,
    /// It did not arrive, so there is nothing to change.
    NotSent,
    /// It did not fail.
    NotFailed,
    /// The room did not say yet what it calls the message.
    NotConfirmed,
    /// There is no text.
    Empty,
    /// The text is longer than what is sent, 65,536 characters.
    TooLong,
    /// More than 20 reactions.
    TooMany,
    /// A reaction is no emoji.
    NoEmoji,
    /// Too much waits for a connection.
    Full,
}

impl Im {
    /// Answers one message.
    ///
    /// # Errors
    /// There is no such message, or no fit text.
    pub fn reply(
        &mut self,
        with: &Jid,
        to: &MessageId,
        body: String,
        now: Moment,
    ) -> Result<MessageId, Unfit> {
        let with = with.bare();
        fit(&body)?;
        let answered = self.there(&with, to)?;
        self.wire_id(&answered)?;
        let reply_to = Some(ReplyTo { id: answered.id, to: Some(answered.from) });
        Ok(self.write(&with, body, More { reply_to, ..More::default() }, now))
    }

    /// Replaces the text of an own message.
    ///
    /// # Errors
    /// It cannot be changed, or there is no fit text.
    pub fn correct(
        &mut self,
        with: &Jid,
        id: &MessageId,
        body: String,
        now: Moment,
    ) -> Result<(), Unfit> {
        self.time = now;
        let with = with.bare();
        fit(&body)?;
        let body = printable(&body);
        let message = self.own_there(&with, id)?;
        if message.state == Delivery::Failed {
            return Err(Unfit::NotSent);
        }
        if self.outbox.edit(id, |waiting| waiting.body.clone_from(&body)) {
            self.rewrite(&with, id, body);
            return Ok(());
        }
        let new = Message { body: body.clone(), ..message };
        let mut wire = self.wire_of_text(&new);
        wire.payloads.push(changes::replace(&new.id.0));
        let by = new.from.clone();
        self.change(&with, &new.id, wire, Amendment::Body { by, body, html: None })
    }

    /// Our reactions to a message from now on.
    ///
    /// # Errors
    /// There is no such message, or these are no reactions.
    pub fn react(
        &mut self,
        with: &Jid,
        id: &MessageId,
        emoji: Vec<String>,
        now: Moment,
    ) -> Result<(), Unfit> {
        self.time = now;
        let with = with.bare();
        if emoji.len() > EMOJI {
            return Err(Unfit::TooMany);
        }
        if emoji.iter().any(|one| !text::is_emoji(one.trim())) {
            return Err(Unfit::NoEmoji);
        }
        let emoji = text::emoji(emoji.into_iter(), EMOJI);
        let message = self.there(&with, id)?;
        let wire = changes::reactions(&self.wire_id(&message)?, &emoji);
        let by = self.own_address(&with);
        self.change(&with, &message.id, wire, Amendment::Reactions { by, own: true, emoji })
    }

    /// Takes an own message back.
    ///
    /// # Errors
    /// There is no such message, or it is not ours.
    pub fn retract(&mut self, with: &Jid, id: &MessageId, now: Moment) -> Result<(), Unfit> {
        self.time = now;
        let with = with.bare();
        let message = self.own_there(&with, id)?;
        let retraction = Retraction { by: message.from.clone(), reason: None };
        let change = Amendment::Retract { retraction, by_room: false };
        let unsent = self.outbox.edit(id, |_| {});
        if unsent || message.state == Delivery::Failed {
            self.outbox.confirm(&id.0);
            self.apply(&with, id, change, None);
            return Ok(());
        }
        let wire = changes::retract(&self.wire_id(&message)?);
        self.change(&with, id, wire, change)
    }

    /// Sends a message again that failed: as the newest of the conversation, with its old id, by
    /// which its receiver knows it if it arrived after all.
    ///
    /// # Errors
    /// There is no such message, or it did not fail.
    pub fn again(&mut self, with: &Jid, id: &MessageId, now: Moment) -> Result<(), Unfit> {
        self.time = now;
        let with = with.bare();
        let mut message = self.own_there(&with, id)?;
        // A file that did not get to the server is tried again by its transfer.
        let file = message.more.attachment.as_ref().is_some_and(|file| file.url.is_none());
        if message.state != Delivery::Failed || file {
            return Err(Unfit::NotFailed);
        }
        (message.state, message.error, message.time) = (Delivery::Queued, None, now.wall);
        self.queue(&mut message);
        self.talk(&with).remove(id);
        self.add_message(message, true, true);
        self.flush();
        Ok(())
    }

    /// A correction, reaction or retraction of ours came through. False when it was none that waits.
    pub(crate) fn confirm_change(&mut self, id: &str) -> bool {
        if !self.outbox.waits_change(id) {
            return false;
        }
        self.outbox.confirm(id);
        self.forget_change(id);
        self.flush();
        true
    }

    /// A correction, reaction or retraction of ours came back. False when it was none.
    pub(crate) fn change_returned(&mut self, with: &Jid, id: &str, wire: &Wire) -> bool {
        let of_change = self.talks.get(with).is_some_and(|t| t.alias(&self.me, id).is_some());
        if !of_change {
            return false;
        }
        self.outbox.confirm(id);
        let why = incoming::reason(wire.clone());
        self.change_failed(with, id, &why);
        self.flush();
        true
    }

    /// It will not arrive, and the message says so.
    pub(crate) fn change_failed(&mut self, with: &Jid, id: &str, why: &str) {
        self.forget_change(id);
        let Some(talk) = self.talks.get_mut(with) else {
            return;
        };
        let Some(kept) = talk.alias(&self.me, id).cloned() else {
            return;
        };
        let error = format!("{} {why}", sentence::CHANGE);
        if let Some(message) = talk.edit(&kept, |message| message.error = Some(error)) {
            self.publish(with);
            self.tell_change(message);
        }
    }

    /// The text of a message as it goes out, with what it answers.
    pub(crate) fn wire_of_text(&self, message: &Message) -> Wire {
        let answered = message.more.reply_to.as_ref().and_then(|reply| {
            let answered = self.talks.get(&message.with)?.find(&reply.id.0)?;
            Some((self.wire_id(answered).ok()?, answered))
        });
        match answered {
            Some((id, answered)) => changes::reply(&id, &answered.from, &answered.body, message),
            None => changes::plain(message),
        }
    }

    /// Shows a change of a message and sends it.
    fn change(
        &mut self,
        with: &Jid,
        id: &MessageId,
        wire: Wire,
        change: Amendment,
    ) -> Result<(), Unfit> {
        let change_id = MessageId(self.ids.next());
        let parcel = Parcel::Change(Box::new(wire.clone()));
        if !self.outbox.put(change_id.clone(), with.clone(), parcel) {
            return Err(Unfit::Full);
        }
        let me = self.me.clone();
        self.talk(with).remember(&me, &change_id.0, "", id);
        self.keep_change(&change_id, with, wire);
        self.apply(with, id, change, None);
        self.flush();
        Ok(())
    }

    fn rewrite(&mut self, with: &Jid, id: &MessageId, body: String) {
        let changed = self.talk(with).edit(id, |message| message.body = body);
        if let Some(message) = changed {
            self.publish(with);
            self.tell_change(message);
        }
    }

    fn tell_change(&mut self, message: Message) {
        self.notice(NoticeBody::Message { message: Box::new(message.clone()) });
        self.store(StoreRequest::PutMessage(message));
    }

    fn there(&self, with: &Jid, id: &MessageId) -> Result<Message, Unfit> {
        let talk = self.talks.get(with).ok_or(Unfit::NoSuchMessage)?;
        let message = talk.find(&id.0).ok_or(Unfit::NoSuchMessage)?;
        if message.more.retracted.is_some() { Err(Unfit::TakenBack) } else { Ok(message.clone()) }
    }

    fn own_there(&self, with: &Jid, id: &MessageId) -> Result<Message, Unfit> {
        let message = self.there(with, id)?;
        if message.own { Ok(message) } else { Err(Unfit::NotOurs) }
    }

    /// What others call a message: in a room the id of its archive (XEP-0444 section 4.2, XEP-0424
    /// section 4.1, XEP-0461 section 3.1), else the one its writer gave it.
    fn wire_id(&self, message: &Message) -> Result<String, Unfit> {
        if self.is_room(&message.with) {
            return message.more.archive_id.clone().ok_or(Unfit::NotConfirmed);
        }
        let talk = self.talks.get(&message.with);
        let given = talk.and_then(|talk| talk.given_id(&message.from, &message.id));
        Ok(given.map_or_else(|| message.id.0.clone(), str::to_owned))
    }
}

fn fit(body: &str) -> Result<(), Unfit> {
    match (body.trim().is_empty(), body.chars().nth(BODY)) {
        (true, _) => Err(Unfit::Empty),
        (false, Some(_)) => Err(Unfit::TooLong),
        (false, None) => Ok(()),
    }
}
