//! Own messages that the server does not have yet: first in, first out, one copy at a time.
//!
//! A message leaves the box when the server acknowledges it, when its receiver does, or when it
//! fails. Until then every new connection sends it again, with the same id and in the same
//! order, so that a receiver can tell the copy from a second message.

use std::collections::VecDeque;

use offhook_model::{Jid, MessageId};

/// How many messages may be on their way without acknowledgement. It keeps the link's queue
/// from overflowing after a long time without network.
const WINDOW: usize = 32;

/// How many messages may wait.
pub(crate) const CAPACITY: usize = 1_000;

#[derive(Debug)]
struct Waiting {
    id: MessageId,
    with: Jid,
    on_its_way: bool,
}

/// The box.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<Waiting>,
}

impl Outbox {
    /// Puts a message at the end. False when the box is full or has the message already.
    pub(crate) fn put(&mut self, id: MessageId, with: Jid) -> bool {
        if self.waiting.len() >= CAPACITY || self.waiting.iter().any(|w| w.id == id) {
            return false;
        }
        self.waiting.push_back(Waiting { id, with, on_its_way: false });
        true
    }

    /// Puts messages of an earlier session before all others. Those it has already stay where
    /// they are; those over the capacity are not taken. The ones that were taken.
    pub(crate) fn restore(&mut self, earlier: Vec<(MessageId, Jid)>) -> Vec<MessageId> {
        let mut taken = Vec::new();
        let later = std::mem::take(&mut self.waiting);
        for (id, with) in earlier {
            let room = self.waiting.len() + later.len() < CAPACITY;
            if room && !later.iter().any(|w| w.id == id) && self.put(id.clone(), with) {
                taken.push(id);
            }
        }
        self.waiting.extend(later);
        taken
    }

    /// The next message to send, which then counts as being on its way.
    pub(crate) fn next(&mut self) -> Option<(MessageId, Jid)> {
        let next = self.waiting.iter_mut().take(WINDOW).find(|w| !w.on_its_way)?;
        next.on_its_way = true;
        Some((next.id.clone(), next.with.clone()))
    }

    /// Takes a message out and tells whose conversation it belongs to.
    pub(crate) fn take(&mut self, id: &str) -> Option<Jid> {
        let at = self.waiting.iter().position(|w| w.id.0 == id)?;
        self.waiting.remove(at).map(|w| w.with)
    }

    /// The connection is gone: nothing is on its way any more.
    pub(crate) fn turn_back(&mut self) {
        for waiting in &mut self.waiting {
            waiting.on_its_way = false;
        }
    }

    /// Whether messages of this conversation wait.
    pub(crate) fn holds(&self, with: &Jid) -> bool {
        self.waiting.iter().any(|w| &w.with == with)
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::MessageId;

    use super::{CAPACITY, Outbox, WINDOW};

    fn filled(count: usize) -> Outbox {
        let mut outbox = Outbox::default();
        for n in 0..count {
            outbox.put(MessageId(format!("m{n}")), "b@x".parse().expect("valid"));
        }
        outbox
    }

    #[test]
    fn at_most_a_window_is_on_its_way_and_each_once() {
        let mut outbox = filled(WINDOW + 5);
        let sent: Vec<String> = std::iter::from_fn(|| outbox.next().map(|(id, _)| id.0)).collect();
        assert_eq!(sent.len(), WINDOW);
        assert_eq!(sent.first().map(String::as_str), Some("m0"));
        outbox.take("m0");
        assert_eq!(outbox.next().map(|(id, _)| id.0), Some(format!("m{WINDOW}")));
        assert_eq!(outbox.next(), None);
        outbox.turn_back();
        assert_eq!(outbox.next().map(|(id, _)| id.0), Some("m1".into()));
    }

    #[test]
    fn a_full_box_refuses() {
        let mut outbox = filled(CAPACITY);
        assert!(!outbox.put(MessageId("one more".into()), "b@x".parse().expect("valid")));
    }
}
