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
    /// That one came just now from the archive.
    fresh: bool,
    /// The messages that the archive has not come to, oldest first.
    pub(crate) ahead: VecDeque<Ahead>,
    /// Those that a first reading has passed, which begins anew with another stream.
    pub(crate) passed: VecDeque<Ahead>,
}

/// How far a reading of the archive has come in a conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floor {
    /// The time of the newest message that it has passed.
    pub(crate) time: Timestamp,
    /// That one was put there by it just now, so behind all others of the time.
    fresh: bool,
}

/// A message that came by the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ahead {
    pub(crate) id: MessageId,
    /// The time under which it stands.
    pub(crate) time: Timestamp,
    /// We wrote it, at another device.
    pub(crate) own: bool,
    /// Among those of the same time, the order in which they came.
    pub(crate) count: u64,
    /// It came by another stream than the present one, which may have left out others since.
    pub(crate) earlier: bool,
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
        if self.archives.is_settled() {
            let newest = talk.and_then(|talk| talk.newest_where(|m| !m.own));
            return self.in_its_second(with, newest.filter(behind).unwrap_or(time));
        }
        let newest = match self.archives.orders.get(with) {
            Some(order) => order.ahead.back().map(|it| it.time).or(order.above()),
            // What the archive still has to tell finds its place between the two.
            None => talk.and_then(Talk::settled).map(next),
        };
        newest.filter(behind).unwrap_or(time)
    }

    /// A message came by the stream, under this time.
    pub(crate) fn came_live(&mut self, with: &Jid, taken: &Taken, own: bool, time: Timestamp) {
        let Taken::New(id) = taken else { return };
        if self.archives.is_settled() {
            return;
        }
        let before = |m: &Message| m.id != *id && is_settled(m);
        if !self.archives.orders.contains_key(with) {
            let floor = self.talks.get(with).and_then(|talk| talk.newest_where(before));
            self.archives.orders.insert(with.clone(), Order { floor, ..Order::default() });
            if let Some(floor) = floor {
                self.keep_floor(with, floor);
            }
        }
        let Some(order) = self.archives.orders.get_mut(with) else { return };
        let newest = order.ahead.back().map(|it| it.time).or(order.above());
        // One that is older than the rest is no measure for them.
        if newest.is_none_or(|newest| newest <= time) {
            let count = order.ahead.back().map_or(0, |last| last.count + 1);
            let ahead = Ahead { id: id.clone(), time, own, count, earlier: false };
            order.ahead.push_back(ahead.clone());
            self.keep_ahead(with, &ahead);
        }
    }

    /// The message that came by the stream under this id before the archive came to it. What memory
    /// has forgotten of a long time ahead is told from something new by that.
    pub(crate) fn came_ahead(&self, arrival: &Arrival, id: &str) -> Option<MessageId> {
        let talk = self.talks.get(&arrival.with)?;
        let kept = talk.alias(&arrival.from, id).map_or(id, |kept| kept.0.as_str());
        let order = self.archives.orders.get(&arrival.with)?;
        let mut all = order.ahead.iter().chain(&order.passed);
        let ahead = all.find(|it| it.id.0 == kept && it.own == arrival.own);
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

    /// The time under which the next message of a page stands that is the newest of the archive, or
    /// before the newest: behind what the page has passed, before what came by this stream.
    pub(crate) fn time_backwards(
        &self,
        with: &Jid,
        time: Timestamp,
        floor: Option<Floor>,
    ) -> Timestamp {
        let order = self.archives.orders.get(with);
        let first = order.and_then(|order| order.ahead.iter().find(|ahead| !ahead.earlier));
        let time = first.map_or(time, |first| first.bound(time));
        floor.map_or(time, |floor| floor.time.max(time))
    }

    /// Such a page came to this message, which stands under this time where it is new. How far the
    /// page is then.
    pub(crate) fn page_came_to(
        &mut self,
        with: &Jid,
        taken: &Taken,
        time: Timestamp,
        floor: Option<Floor>,
    ) -> Option<Floor> {
        let (Taken::New(id) | Taken::Copy(id)) = taken else { return floor };
        let fresh = matches!(taken, Taken::New(_));
        let met = self.meet_ahead(with, id, floor);
        let time = met.as_ref().map_or(time, |met| met.time);
        if let (Some(met), Some(order)) = (met, self.archives.orders.get_mut(with)) {
            order.passed.push_back(met);
        }
        let time = floor.map_or(time, |floor| floor.time.max(time));
        Some(Floor { time, fresh })
    }

    /// The archive, read forwards, came to this message.
    pub(crate) fn came_to(&mut self, with: &Jid, taken: &Taken, time: Timestamp) {
        let (Taken::New(id) | Taken::Copy(id)) = taken else { return };
        let fresh = matches!(taken, Taken::New(_));
        let here = self.talks.get(with).and_then(|talk| talk.find(&id.0)).map(|m| m.time);
        let Some(order) = self.archives.orders.get(with) else { return };
        let floor = order.floor.map(|time| Floor { time, fresh: order.fresh });
        let met = self.meet_ahead(with, id, floor);
        // Memory may have forgotten it, or never had it in this session.
        let time = met.as_ref().map(|it| it.time).or(here).unwrap_or(time);
        if let Some(met) = met {
            self.forget_ahead(with, &met.id);
        }
        let Some(order) = self.archives.orders.get_mut(with) else { return };
        // A message in doubt was written when others were long here.
        let first = order.ahead.front().map(|first| first.time);
        let floor = Some(time).filter(|time| first.is_none_or(|first| *time < first));
        if order.floor <= floor {
            order.fresh = fresh;
            let risen = order.floor < floor;
            order.floor = floor;
            floor.into_iter().filter(|_| risen).for_each(|floor| self.keep_floor(with, floor));
        }
    }

    /// The archive came to a message that came by the stream. What a server had kept for us comes in
    /// an order of its own: the archive's counts, so it is moved where it stands otherwise.
    fn meet_ahead(&mut self, with: &Jid, id: &MessageId, floor: Option<Floor>) -> Option<Ahead> {
        let order = self.archives.orders.get_mut(with)?;
        let place = order.ahead.iter().position(|ahead| ahead.id == *id)?;
        let mut met = order.ahead.remove(place)?;
        let first = order.ahead.front().filter(|_| place > 0);
        let mut time = first.map_or(met.time, |first| first.bound(met.time));
        if let Some(floor) = floor {
            let tie = floor.fresh && floor.time == time;
            time = time.max(if tie { next(floor.time) } else { floor.time });
        }
        if std::mem::replace(&mut met.time, time) != time {
            self.stand(with, id, time);
        }
        Some(met)
    }

    /// Moves a message to another time.
    fn stand(&mut self, with: &Jid, id: &MessageId, time: Timestamp) {
        let keep = self.kept(with);
        let talk = self.talk(with);
        if let Some(mut message) = talk.find(&id.0).cloned() {
            talk.remove(id);
            message.time = time;
            talk.put(message, keep);
            self.publish(with);
        }
        let change = Box::new(Amendment::Time(time));
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
    /// What came so far came by an earlier stream.
    pub(crate) fn another_stream(&mut self) {
        let passed = std::mem::take(&mut self.passed);
        passed.into_iter().rev().for_each(|ahead| self.ahead.push_front(ahead));
        self.ahead.iter_mut().for_each(|ahead| ahead.earlier = true);
    }

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
