//! What the server does not have yet of what we wrote, messages and changes of them: first in, first
//! out, one copy at a time.
//!
//! A parcel leaves the box when the server acknowledges it, when its receiver does, or when it
//! fails. Until then every new connection sends it again, with the same id and in the same
//! order, so that a receiver can tell the copy from a second message.

use std::collections::VecDeque;

use offhook_model::{Jid, Message, MessageId};
use xmpp_parsers::message::Message as Wire;

/// How many parcels may be on their way without acknowledgement. It keeps the link's queue
/// from overflowing after a long time without network.
const WINDOW: usize = 32;

/// How many parcels may wait.
pub(crate) const CAPACITY: usize = 1_000;

/// What waits.
#[derive(Clone, Debug)]
pub(crate) enum Parcel {
    /// A message.
    Message(Box<Message>),
    /// A correction, reactions or a retraction, as it goes out but for its address.
    Change(Box<Wire>),
}

#[derive(Debug)]
struct Waiting {
    id: MessageId,
    with: Jid,
    parcel: Parcel,
    /// It was given to the present connection.
    on_its_way: bool,
    /// It was given to some connection, so it may have arrived.
    tried: bool,
    /// It waits for something beside the connection, such as keys, and so does all behind it that
    /// goes to the same conversation.
    held: bool,
    /// The store has it, so that a crash does not make us forget that it may have been sent.
    kept: bool,
}

/// The box.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<Waiting>,
}

impl Outbox {
    /// Puts a parcel at the end. False when the box is full or has the id already.
    pub(crate) fn put(&mut self, id: MessageId, with: Jid, parcel: Parcel) -> bool {
        if self.waiting.len() >= CAPACITY || self.has(&id) {
            return false;
        }
        let (on_its_way, tried, held) = (false, false, false);
        let kept = matches!(parcel, Parcel::Change(_));
        self.waiting.push_back(Waiting { id, with, parcel, on_its_way, tried, held, kept });
        true
    }

    /// Puts parcels of an earlier session before all others. Those it has already stay where
    /// they are; those over the capacity are not taken. The ones that were taken. They may have been
    /// sent in that session.
    pub(crate) fn restore(&mut self, earlier: Vec<(MessageId, Jid, Parcel)>) -> Vec<MessageId> {
        let mut taken = Vec::new();
        let later = std::mem::take(&mut self.waiting);
        for (id, with, parcel) in earlier {
            let room = self.waiting.len() + later.len() < CAPACITY;
            if room
                && !later.iter().any(|w| w.id == id)
                && self.put(id.clone(), with, parcel)
                && let Some(put) = self.waiting.back_mut()
            {
                (put.tried, put.kept) = (true, true);
                taken.push(id);
            }
        }
        self.waiting.extend(later);
        taken
    }

    /// The store has this message. True when it waited for that.
    pub(crate) fn kept(&mut self, id: &MessageId) -> bool {
        let waiting = self.waiting.iter_mut().find(|w| &w.id == id);
        waiting.is_some_and(|waiting| !std::mem::replace(&mut waiting.kept, true))
    }

    /// Whether the store has yet to say that it has this message.
    pub(crate) fn is_unkept(&self, id: &MessageId) -> bool {
        self.waiting.iter().any(|w| &w.id == id && !w.kept)
    }

    /// The next parcel to send, which then counts as being on its way. None overtakes one that the
    /// store does not have yet, nor, until it is `settled` what has arrived, one that may have.
    pub(crate) fn next(&mut self, settled: bool) -> Option<(MessageId, Jid, Parcel)> {
        let held: Vec<Jid> =
            self.waiting.iter().filter(|w| w.held).map(|w| w.with.clone()).collect();
        let may_go = |w: &&mut Waiting| !w.on_its_way && !held.contains(&w.with);
        let on_its_way = self.waiting.iter().filter(|w| w.on_its_way).count();
        if on_its_way >= WINDOW {
            return None;
        }
        let next = self.waiting.iter_mut().find(may_go)?;
        if !next.kept || (next.tried && !settled) {
            return None;
        }
        next.on_its_way = true;
        Some((next.id.clone(), next.with.clone(), next.parcel.clone()))
    }

    /// The parcel cannot go yet, nor can what is behind it in its conversation.
    pub(crate) fn hold(&mut self, id: &MessageId) {
        if let Some(waiting) = self.waiting.iter_mut().find(|w| &w.id == id) {
            (waiting.on_its_way, waiting.held) = (false, true);
        }
    }

    /// The parcel was given to the connection.
    pub(crate) fn sent(&mut self, id: &MessageId) {
        if let Some(waiting) = self.waiting.iter_mut().find(|w| &w.id == id) {
            waiting.tried = true;
        }
    }

    /// What was held in this conversation may go.
    pub(crate) fn release(&mut self, with: &Jid) {
        for waiting in self.waiting.iter_mut().filter(|w| &w.with == with) {
            waiting.held = false;
        }
    }

    /// Takes a parcel out: it arrived, or never will. Whose conversation it belongs to, and what it
    /// was.
    pub(crate) fn confirm(&mut self, id: &str) -> Option<(Jid, Parcel)> {
        let at = self.waiting.iter().position(|w| w.id.0 == id)?;
        self.waiting.remove(at).map(|w| (w.with, w.parcel))
    }

    /// What may have arrived without our knowing: given to a connection, and not acknowledged.
    pub(crate) fn on_its_way(&self) -> Vec<MessageId> {
        self.waiting.iter().filter(|w| w.tried).map(|w| w.id.clone()).collect()
    }

    /// Changes a waiting message that no connection was given yet. False when it cannot be done.
    pub(crate) fn edit(&mut self, id: &MessageId, edit: impl FnOnce(&mut Message)) -> bool {
        let untouched = self.waiting.iter_mut().find(|w| &w.id == id && !w.tried);
        if let Some(Waiting { parcel: Parcel::Message(message), .. }) = untouched {
            edit(message);
            return true;
        }
        false
    }

    /// The connection is gone: nothing is on its way any more.
    pub(crate) fn turn_back(&mut self) {
        for waiting in &mut self.waiting {
            waiting.on_its_way = false;
        }
    }

    /// Whether parcels of this conversation wait.
    pub(crate) fn holds(&self, with: &Jid) -> bool {
        self.waiting.iter().any(|w| &w.with == with)
    }

    /// Whether a message of this conversation waits under this id.
    pub(crate) fn waits(&self, id: &str, with: &Jid) -> bool {
        let message = |w: &&Waiting| matches!(w.parcel, Parcel::Message(_)) && &w.with == with;
        self.waiting.iter().filter(message).any(|w| w.id.0 == id)
    }

    /// Whether a change waits under this id.
    pub(crate) fn waits_change(&self, id: &str) -> bool {
        let change = |w: &&Waiting| matches!(w.parcel, Parcel::Change(_));
        self.waiting.iter().filter(change).any(|w| w.id.0 == id)
    }

    /// Messages of this conversation that wait.
    pub(crate) fn messages(&self, with: &Jid) -> Vec<Message> {
        let of_it = self.waiting.iter().filter(|w| &w.with == with);
        of_it
            .filter_map(|w| match &w.parcel {
                Parcel::Message(message) => Some(message.as_ref().clone()),
                Parcel::Change(_) => None,
            })
            .collect()
    }

    fn has(&self, id: &MessageId) -> bool {
        self.waiting.iter().any(|w| &w.id == id)
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::MessageId;
    use xmpp_parsers::message::Message as Wire;

    use super::{CAPACITY, Outbox, Parcel, WINDOW};

    fn put(outbox: &mut Outbox, id: String, with: &str) -> bool {
        let parcel = Parcel::Change(Box::new(Wire::chat(None)));
        outbox.put(MessageId(id), with.parse().expect("valid"), parcel)
    }

    fn filled(count: usize) -> Outbox {
        let mut outbox = Outbox::default();
        for n in 0..count {
            put(&mut outbox, format!("m{n}"), "b@x");
        }
        outbox
    }

    fn next(outbox: &mut Outbox) -> Option<String> {
        outbox.next(true).map(|(id, ..)| id.0)
    }

    #[test]
    fn what_is_held_holds_its_conversation_and_no_other() {
        let mut outbox = Outbox::default();
        for (id, with) in [("a1", "a@x"), ("b1", "b@x"), ("a2", "a@x")] {
            put(&mut outbox, id.into(), with);
        }
        assert_eq!(next(&mut outbox).as_deref(), Some("a1"));
        outbox.hold(&MessageId("a1".into()));
        assert_eq!(next(&mut outbox).as_deref(), Some("b1"));
        assert_eq!(next(&mut outbox), None);
        outbox.sent(&MessageId("b1".into()));
        assert_eq!(outbox.on_its_way(), [MessageId("b1".into())]);
        outbox.release(&"a@x".parse().expect("valid"));
        assert_eq!(next(&mut outbox).as_deref(), Some("a1"));
        assert_eq!(next(&mut outbox).as_deref(), Some("a2"));
    }

    #[test]
    fn at_most_a_window_is_on_its_way_and_each_once() {
        let mut outbox = filled(WINDOW + 5);
        let sent: Vec<String> = std::iter::from_fn(|| next(&mut outbox)).collect();
        assert_eq!(sent.len(), WINDOW);
        assert_eq!(sent.first().map(String::as_str), Some("m0"));
        outbox.confirm("m0");
        assert_eq!(next(&mut outbox), Some(format!("m{WINDOW}")));
        assert_eq!(next(&mut outbox), None);
        outbox.turn_back();
        assert_eq!(next(&mut outbox), Some("m1".into()));
    }

    #[test]
    fn what_may_have_arrived_waits_until_that_is_settled_and_nothing_overtakes() {
        let mut outbox = filled(2);
        assert_eq!(next(&mut outbox).as_deref(), Some("m0"));
        outbox.sent(&MessageId("m0".into()));
        outbox.turn_back();
        assert_eq!(outbox.next(false).map(|(id, ..)| id.0), None);
        assert_eq!(next(&mut outbox).as_deref(), Some("m0"));
    }

    #[test]
    fn a_full_box_refuses() {
        let mut outbox = filled(CAPACITY);
        assert!(!put(&mut outbox, "one more".into(), "b@x"));
    }
}
