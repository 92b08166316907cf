//! The place of a message among those of its conversation. Messages stand by time, but two clocks
//! write the times: ours those of messages that come as they are written, the server's those of the
//! archive, and servers often write whole seconds. Where the order is known, the time is moved to
//! fit it: what comes in the order of the archive keeps that order, and what came by the stream
//! while older messages were still being fetched stays behind them.

use std::collections::VecDeque;

use offhook_model::{Delivery, Jid, Message, MessageId, Timestamp};

use crate::Im;
use crate::taking::Taken;
use crate::talk::Talk;

/// Two clocks that are both right differ by no more, in milliseconds.
const CLOCKS: i64 = 60_000;

/// A conversation to which messages came by the stream before the archive was read so far.
#[derive(Debug)]
pub(crate) struct Order {
    /// Time of the newest message before those.
    floor: Option<Timestamp>,
    /// The messages that the archive has not come to, oldest first.
    ahead: VecDeque<(MessageId, Timestamp)>,
}

impl Im {
    /// The time under which a message stands that comes by the stream. What was kept for us by a
    /// server whose clock is behind ours stands behind what came before it; what is really older
    /// stands in its own time.
    pub(crate) fn live_time(&self, with: &Jid, time: Timestamp) -> Timestamp {
        let behind = |newest: &Timestamp| (time.0..time.0 + CLOCKS).contains(&newest.0);
        let talk = self.talks.get(with);
        if self.archives.is_settled() {
            let newest = talk.and_then(|talk| talk.newest_where(|m| !m.own));
            return self.in_its_second(with, newest.filter(behind).unwrap_or(time));
        }
        let newest = match self.archives.orders.get(with) {
            Some(order) => order.ahead.back().map(|(_, time)| *time).or(order.above()),
            // What the archive still has to tell finds its place between the two.
            None => talk.and_then(Talk::settled).map(next),
        };
        newest.filter(behind).unwrap_or(time)
    }

    /// A message came by the stream, under this time.
    pub(crate) fn came_live(&mut self, with: &Jid, taken: &Taken, time: Timestamp) {
        let Taken::New(id) = taken else { return };
        if self.archives.is_settled() {
            return;
        }
        let before = |m: &Message| m.id != *id && is_settled(m);
        let floor = self.talks.get(with).and_then(|talk| talk.newest_where(before));
        let order = self.archives.orders.entry(with.clone());
        let order = order.or_insert(Order { floor, ahead: VecDeque::new() });
        let newest = order.ahead.back().map(|(_, time)| *time).or(order.above());
        // One that is older than the rest is no measure for them.
        if newest.is_none_or(|newest| newest <= time) {
            order.ahead.push_back((id.clone(), time));
        }
    }

    /// The time under which the next message of the archive stands, when it is read forwards.
    pub(crate) fn time_in_archive(&self, with: &Jid, time: Timestamp) -> Timestamp {
        let order = self.archives.orders.get(with);
        let floor = match order {
            Some(order) => order.floor,
            None => self.talks.get(with).and_then(Talk::settled),
        };
        let limit = Timestamp(self.time.wall.0.saturating_add(CLOCKS));
        let time = self.before_the_live(with, time);
        floor.filter(|floor| *floor <= limit).map_or(time, |floor| floor.max(time))
    }

    /// A message of the archive stands before what came by the stream since we are here.
    pub(crate) fn before_the_live(&self, with: &Jid, time: Timestamp) -> Timestamp {
        let first = self.archives.orders.get(with).and_then(|order| order.ahead.front());
        first.map_or(time, |(_, first)| time.min(Timestamp(first.0 - 1)))
    }

    /// The archive, read forwards, came to this message.
    pub(crate) fn came_to(&mut self, with: &Jid, taken: &Taken) {
        let (Taken::New(id) | Taken::Copy(id)) = taken else { return };
        let Some(order) = self.archives.orders.get_mut(with) else { return };
        if let Some(place) = order.ahead.iter().position(|(ahead, _)| ahead == id) {
            order.ahead.drain(..=place);
        }
        let time = self.talks.get(with).and_then(|talk| talk.find(&id.0)).map(|m| m.time);
        // A message in doubt was written when others were long here.
        let first = order.ahead.front().map(|(_, first)| *first);
        let time = time.filter(|time| first.is_none_or(|first| *time < first));
        order.floor = order.floor.max(time);
    }

    /// Servers write times in whole seconds: a message that comes after those that are here, and was
    /// written in the second of the newest of them, stands behind it.
    pub(crate) fn in_its_second(&self, with: &Jid, time: Timestamp) -> Timestamp {
        let newest = self.talks.get(with).and_then(|talk| talk.newest()).unwrap_or(time);
        let same = time.0 % 1_000 == 0 && (time.0..time.0 + 1_000).contains(&newest.0);
        if same { newest } else { time }
    }
}

impl Order {
    /// The earliest time of what came by the stream, so that the archive's find room below it.
    fn above(&self) -> Option<Timestamp> {
        self.floor.map(next)
    }
}

impl Talk {
    /// Time of the newest message that the server is known to have.
    fn settled(&self) -> Option<Timestamp> {
        self.newest_where(is_settled)
    }

    fn newest_where(&self, wanted: impl Fn(&Message) -> bool) -> Option<Timestamp> {
        let messages = self.messages.iter().rev().map(|m| m.as_ref());
        messages.chain(self.chat.last.as_ref()).find(|m| wanted(m)).map(|m| m.time)
    }
}

fn is_settled(message: &Message) -> bool {
    !message.own || !matches!(message.state, Delivery::Queued | Delivery::Failed)
}

fn next(time: Timestamp) -> Timestamp {
    Timestamp(time.0.saturating_add(1))
}
