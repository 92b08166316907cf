//! Changes of messages that are there: corrections (XEP-0308), retractions (XEP-0424, XEP-0425) and
//! reactions (XEP-0444), whoever asks for them. Whether they may is judged here and nowhere else.

use offhook_model::{
    Delivery, Jid, Message, MessageId, NoticeBody, Protection, Reaction, Retraction,
};
use offhook_ports::{Amendment, StoreRequest};

use crate::Im;

/// How many different emoji a message has.
const DIFFERENT: usize = 60;

/// How many people may react to a message.
const PEOPLE: usize = 500;

/// Who asks for a change.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Bare, in a room the occupant's address.
    pub(crate) by: Jid,
    /// It is us, here or at another device.
    pub(crate) own: bool,
    /// In a room: who that really is, where the room tells.
    pub(crate) author: Option<Jid>,
    /// The room's mark of them, where the room gives marks (XEP-0421).
    pub(crate) mark: Option<String>,
    /// What protected their new text, where there is one.
    pub(crate) protection: Option<Protection>,
}

impl Im {
    /// Changes the message that the stanza of `asked` names by `target`. Corrections and retractions
    /// count for the asker's own messages only, unless the room itself retracts (`by_room`): then
    /// `asked.by` is the room. What is not in memory is left to the store, which judges likewise.
    ///
    /// The id of the message, also of one that it was refused for; nothing when there is no such
    /// message here and the store cannot have it either.
    pub(crate) fn take_amendment(
        &mut self,
        with: &Jid,
        target: &str,
        change: Amendment,
        asked: &Asked,
    ) -> Option<MessageId> {
        let wants_own = match &change {
            Amendment::Body { .. } => true,
            Amendment::Retract { by_room, .. } => !by_room,
            Amendment::Reactions { .. } | Amendment::ArchiveId(_) | Amendment::Placed(_) => false,
        };
        let own_id = wants_own.then(|| self.id_of(with, target, asked)).flatten();
        let Some(id) = own_id.or_else(|| self.target_id(with, target)) else {
            return self.leave_to_store(with, target, change);
        };
        let message = self.talks.get(with).and_then(|talk| talk.find(&id.0));
        if wants_own && message.is_some_and(|message| !is_writer(message, asked)) {
            self.refused_change(with);
            return Some(id);
        }
        if let (Amendment::Body { .. }, Some(now)) = (&change, asked.protection)
            && let Some(talk) = self.talks.get_mut(with)
        {
            talk.edit(&id, |it| it.more.protection = weaker(it.more.protection, now));
        }
        self.apply(with, &id, change, None);
        Some(id)
    }

    /// Makes a change whose right is settled. `error` is shown at the message from then on.
    pub(crate) fn apply(
        &mut self,
        with: &Jid,
        id: &MessageId,
        change: Amendment,
        error: Option<String>,
    ) {
        let Some(talk) = self.talks.get_mut(with) else {
            return;
        };
        let Some(before) = talk.find(&id.0).cloned() else {
            let (with, id, change) = (with.clone(), id.clone(), Box::new(change));
            return self.store(StoreRequest::Amend { with, id, change });
        };
        let mut after = before.clone();
        amend(&mut after, change);
        if error.is_some() {
            after.error = error;
        }
        if after == before {
            return;
        }
        talk.edit(id, |message| message.clone_from(&after));
        self.publish(with);
        self.notice(NoticeBody::Message { message: Box::new(after.clone()) });
        self.store(StoreRequest::PutMessage(after));
    }

    /// The message that others call by this id: its own, another its writer gave, or in a room the
    /// archive's.
    pub(crate) fn target_id(&self, with: &Jid, target: &str) -> Option<MessageId> {
        let talk = self.talks.get(with)?;
        let by_archive = || talk.find_archived(target).map(|m| m.id.clone());
        let by_id = || talk.find(target).map(|m| m.id.clone());
        if self.is_room(with) { by_archive().or_else(by_id) } else { by_id().or_else(by_archive) }
            .or_else(|| talk.alias(with, target).cloned())
            .or_else(|| talk.alias(&self.me, target).cloned())
    }

    /// A message of the asker, by an id the asker gave it or one of its corrections.
    fn id_of(&self, with: &Jid, target: &str, asked: &Asked) -> Option<MessageId> {
        let talk = self.talks.get(with)?;
        let written = |id: &MessageId| talk.find(&id.0).is_some_and(|m| is_writer(m, asked));
        let direct = MessageId(target.to_owned());
        if written(&direct) {
            return Some(direct);
        }
        let alias = talk.alias(&asked.by, target).cloned();
        let archived = || talk.find_archived(target).map(|m| m.id.clone());
        alias.or_else(|| archived().filter(written))
    }

    fn leave_to_store(&mut self, with: &Jid, target: &str, change: Amendment) -> Option<MessageId> {
        let nothing_more = self.talks.get(with).is_none_or(|talk| talk.whole || talk.is_empty());
        if nothing_more && matches!(change, Amendment::Body { .. }) {
            return None;
        }
        let id = MessageId(target.to_owned());
        let (with, change) = (with.clone(), Box::new(change));
        self.store(StoreRequest::Amend { with, id: id.clone(), change });
        Some(id)
    }
}

/// What a message shows whose text was replaced: a correction in clear is not what was encrypted.
fn weaker(then: Protection, now: Protection) -> Protection {
    match (then, now) {
        (_, Protection::None) => Protection::None,
        (Protection::Verified, Protection::Encrypted) => Protection::Encrypted,
        (then, _) => then,
    }
}

fn is_writer(message: &Message, asked: &Asked) -> bool {
    let same_person = match (&message.more.author, &asked.author) {
        (Some(then), Some(now)) => then == now,
        (_, None) | (None, _) => true,
    };
    let same_mark = match (&message.more.occupant, &asked.mark) {
        (Some(then), Some(now)) => then == now,
        (_, None) | (None, _) => true,
    };
    let same = same_person && same_mark;
    // Which of our devices or nicknames wrote it does not matter.
    let both_own = message.own && asked.own;
    both_own || (!message.own && !asked.own && message.from == asked.by && same)
}

/// The change itself.
pub(crate) fn amend(message: &mut Message, change: Amendment) {
    let gone = message.more.retracted.is_some();
    match change {
        Amendment::Body { .. } if gone => {}
        Amendment::Body { body, html, .. } => {
            message.body = body;
            message.more.html = html;
            message.more.attachment = None;
            message.more.edited = true;
        }
        Amendment::Retract { retraction, .. } => take_back(message, retraction),
        Amendment::Reactions { .. } if gone => {}
        Amendment::Reactions { by, own, emoji } => {
            react(&mut message.more.reactions, &by, own, &emoji)
        }
        Amendment::ArchiveId(id) => message.more.archive_id = Some(id),
        Amendment::Placed(time) => {
            message.time = time;
            message.more.unplaced = false;
        }
    }
}

/// Nothing of what it said is left.
fn take_back(message: &mut Message, retraction: Retraction) {
    message.body.clear();
    message.more.html = None;
    message.more.attachment = None;
    message.more.reply_to = None;
    message.more.reactions.clear();
    message.more.mentions_me = false;
    message.more.edited = false;
    message.error = None;
    message.more.retracted = Some(retraction);
    if message.own && message.state == Delivery::Queued {
        message.state = Delivery::Failed;
    }
}

/// From now on these are the reactions of `by`, and no others.
fn react(reactions: &mut Vec<Reaction>, by: &Jid, own: bool, emoji: &[String]) {
    for reaction in reactions.iter_mut() {
        reaction.from.retain(|from| from != by);
        reaction.own &= !own;
    }
    let people = reactions.iter().map(|r| r.from.len()).max().unwrap_or(0);
    for chosen in emoji {
        let different = reactions.len();
        match reactions.iter_mut().find(|r| &r.emoji == chosen) {
            Some(reaction) if people < PEOPLE => {
                reaction.from.push(by.clone());
                reaction.own |= own;
            }
            Some(_) => {}
            None if different < DIFFERENT => {
                let emoji = chosen.clone();
                reactions.push(Reaction { emoji, from: vec![by.clone()], own });
            }
            None => {}
        }
    }
    reactions.retain(|reaction| !reaction.from.is_empty());
}

#[cfg(test)]
mod tests {
    use offhook_model::Protection::{Encrypted, None, Verified};

    use super::weaker;

    #[test]
    fn a_correction_in_clear_takes_the_lock_away() {
        assert_eq!(weaker(Encrypted, None), None);
        assert_eq!(weaker(Verified, Encrypted), Encrypted);
        assert_eq!(weaker(None, Encrypted), None);
        assert_eq!(weaker(Encrypted, Encrypted), Encrypted);
    }
}
