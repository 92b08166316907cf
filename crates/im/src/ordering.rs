//! The place of a message among those of its conversation. Messages stand by time, but two clocks
//! write the times: ours those of messages that come as they are written, the server's those of the
//! archive, and servers often write whole seconds. Where the order is known, the time is moved to
//! fit it: what comes in the order of the archive keeps that order, and what came by the stream
//! while older messages were still being fetched stays behind them.

use std::collections::VecDeque;

use offhook_model::{Delivery, Jid, Message, MessageId, Timestamp};
use offhook_ports::{Amendment, StoreRequest};

use crate::Im;
use crate::taking::{Arrival, Taken};
use crate::talk::Talk;

/// Two clocks that are both right differ by no more, in milliseconds.
const CLOCKS: i64 = 60_000;

/// A conversation to which messages came by the stream before the archive was read so far.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Time of the newest message before those.
    pub(crate) floor: Option<Timestamp>,
    /// Time of the newest message that this reading has come to.
    passed: Option<Timestamp>,
    /// The messages that the archive has not come to, oldest first.
    pub(crate) ahead: VecDeque<Ahead>,
}

/// A message that came by the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ahead {
    pub(crate) id: MessageId,
    /// The time under which it stands.
    pub(crate) time: Timestamp,
    /// We wrote it, at another device.
    pub(crate) own: bool,
}

impl Ahead {
    /// A time before this.
    fn bound(&self, time: Timestamp) -> Timestamp {
        time.min(Timestamp(self.time.0.saturating_sub(1)))
    }
}

impl Im {
    /// The time under which a message stands that comes by the stream. What was kept for us by a
    /// server whose clock is behind ours stands behind what came before it; what is really older
    /// stands in its own time.
    pub(crate) fn live_time(&self, with: &Jid, time: Timestamp) -> Timestamp {
        let behind = |newest: &Timestamp| (time.0..time.0 + CLOCKS).contains(&newest.0);
        let talk = self.talks.get(with);
        if self.archives.is_read() {
            let newest = talk.and_then(|talk| talk.newest_where(|m| !m.own));
            return self.in_its_second(with, newest.filter(behind).unwrap_or(time));
        }
        let newest = match self.archives.orders.get(with) {
            Some(order) => order.above(),
            // What the archive still has to tell finds its place between the two.
            None => talk.and_then(Talk::settled).map(next),
        };
        newest.filter(behind).unwrap_or(time)
    }

    /// A message came by the stream, under this time.
    pub(crate) fn came_live(&mut self, with: &Jid, taken: &Taken, own: bool, time: Timestamp) {
        let Taken::New(id) = taken else { return };
        if self.archives.is_read() {
            return;
        }
        let before = |m: &Message| m.id != *id && is_settled(m);
        if !self.archives.orders.contains_key(with) {
            let talk = self.talks.get(with);
            let floor = talk.and_then(|talk| talk.newest_where(before).max(talk.stored));
            self.archives.orders.insert(with.clone(), Order { floor, ..Order::default() });
        }
        if let Some(order) = self.archives.orders.get_mut(with) {
            let place = order.ahead.partition_point(|it| it.time <= time);
            order.ahead.insert(place, Ahead { id: id.clone(), time, own });
        }
    }

    /// The message that came by the stream under this id before the archive came to it. What memory
    /// has forgotten of a long time ahead is told from something new by that.
    pub(crate) fn came_ahead(&self, arrival: &Arrival, id: &str) -> Option<MessageId> {
        let talk = self.talks.get(&arrival.with)?;
        let kept = talk.alias(&arrival.from, id).map_or(id, |kept| kept.0.as_str());
        let order = self.archives.orders.get(&arrival.with)?;
        let ahead = order.ahead.iter().find(|it| it.id.0 == kept && it.own == arrival.own);
        ahead.map(|it| it.id.clone())
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

    /// A message of the archive stands before what came by the stream.
    fn before_the_live(&self, with: &Jid, time: Timestamp) -> Timestamp {
        let first = self.archives.orders.get(with).and_then(|order| order.ahead.front());
        first.map_or(time, |first| first.bound(time))
    }

    /// The archive, read forwards, came to this message. Its order counts, also where the stream had
    /// another, as that of what a server had kept for us: what stands before something that the
    /// archive has passed is moved behind it. Not so our own from here, of which others wait to be
    /// sent: they stand where they were written.
    pub(crate) fn came_to(&mut self, with: &Jid, taken: &Taken, own: bool, time: Timestamp) {
        let (Taken::New(id) | Taken::Copy(id)) = taken else { return };
        let here = self.talks.get(with).and_then(|talk| talk.find(&id.0));
        let here = here.map(|m| m.time);
        let Some(order) = self.archives.orders.get_mut(with) else { return };
        let place = order.ahead.iter().position(|ahead| ahead.id == *id);
        let met = place.and_then(|place| order.ahead.remove(place));
        // Memory may have forgotten it, or never had it in this session.
        let stood = met.as_ref().map(|it| it.time).or(here).unwrap_or(time);
        let first = order.ahead.front().map(|first| first.time);
        // One that was here long before may stand below where the reading began.
        let floor = if met.is_some() { order.floor } else { order.passed };
        let late = floor.filter(|floor| *floor >= stood);
        let known = matches!(taken, Taken::Copy(_)) && here.is_some();
        let moves = met.is_some() || known && !own;
        let time = match late {
            Some(floor) if moves => next(floor),
            Some(_) | None => stood,
        };
        // One of ours in doubt was written when others were long here.
        let counts = met.is_some() || !own || first.is_none_or(|first| time < first);
        if counts {
            order.passed = order.passed.max(Some(time));
            order.floor = order.floor.max(Some(time));
        }
        if met.is_some() || time != stood {
            self.stand(with, id, time);
        }
    }

    /// The archive is read to its end: what it had not come to stands behind all that it had.
    pub(crate) fn close_orders(&mut self) {
        let orders = std::mem::take(&mut self.archives.orders);
        for (with, order) in &orders {
            let mut passed = order.passed;
            for ahead in &order.ahead {
                let late = passed.filter(|passed| *passed >= ahead.time);
                if let Some(late) = late {
                    self.stand(with, &ahead.id, next(late));
                }
                passed = late.map(next).or(passed);
            }
        }
        if orders.values().any(|order| !order.ahead.is_empty()) {
            self.store(StoreRequest::AllPlaced);
        }
    }

    /// A message has its place, at this time.
    fn stand(&mut self, with: &Jid, id: &MessageId, time: Timestamp) {
        let keep = self.kept(with);
        let talk = self.talk(with);
        if let Some(mut message) = talk.find(&id.0).cloned() {
            let moves = message.time != time;
            message.time = time;
            message.more.unplaced = false;
            if moves {
                talk.remove(id);
                talk.put(message, keep);
                self.publish(with);
            } else {
                talk.edit(id, |it| *it = message);
            }
        }
        let change = Box::new(Amendment::Placed(time));
        self.store(StoreRequest::Amend { with: with.clone(), id: id.clone(), change });
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
    /// On another stream the archive is read from the last known place.
    pub(crate) fn begin_anew(&mut self) {
        self.passed = None;
    }

    /// The earliest time of what comes next by the stream, so that the archive's find room below it.
    fn above(&self) -> Option<Timestamp> {
        self.ahead.back().map(|it| it.time).or(self.floor.map(next))
    }
}

impl Talk {
    /// Time of the newest message that the server is known to have.
    fn settled(&self) -> Option<Timestamp> {
        self.newest_where(is_settled).max(self.stored)
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
