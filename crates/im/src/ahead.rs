//! Over a restart: which messages came by the stream before the archive was read so far. A program
//! that is killed then goes on reading where it was, and has to know that what it finds stands before
//! those.

use offhook_model::{Jid, MessageId, Secret, Timestamp};
use offhook_ports::StoreRequest;

use crate::Im;
use crate::ordering::{Ahead, Order};

/// Names the private value of a message: followed by the conversation, a space, and its id.
const AHEAD: &str = "ahead:";

/// Names that of a conversation: the time of the newest message before those.
const FLOOR: &str = "floor:";

/// What a private value says.
enum Kept {
    Message(Jid, Ahead),
    Floor(Jid, Timestamp),
}

impl Im {
    /// What the store kept of an earlier session that did not come to the end of the archive.
    pub(crate) fn orders_loaded(&mut self, values: &[(String, Secret<String>)]) {
        let mut messages = Vec::new();
        for (name, value) in values {
            match kept(name, value.expose()) {
                Some(Kept::Message(with, ahead)) => messages.push((with, ahead)),
                Some(Kept::Floor(with, floor)) => self.order(&with).floor = Some(floor),
                None => {}
            }
        }
        // The newest first: each goes before what is there.
        messages.sort_by_key(|(_, ahead)| std::cmp::Reverse((ahead.time, ahead.count)));
        for (with, ahead) in messages {
            let order = self.order(&with);
            if !order.ahead.iter().any(|it| it.id == ahead.id) {
                order.ahead.push_front(ahead);
            }
        }
        if self.archives.is_settled() {
            self.forget_orders();
        }
    }

    fn order(&mut self, with: &Jid) -> &mut Order {
        self.archives.orders.entry(with.clone()).or_default()
    }

    pub(crate) fn keep_floor(&mut self, with: &Jid, floor: Timestamp) {
        let value = Secret::new(floor.0.to_string());
        self.store(StoreRequest::PutValue(format!("{FLOOR}{with}"), Some(value)));
    }

    pub(crate) fn keep_ahead(&mut self, with: &Jid, ahead: &Ahead) {
        let Ahead { time, own, count, .. } = ahead;
        let value = Secret::new(format!("{} {} {count}", time.0, u8::from(*own)));
        self.store(StoreRequest::PutValue(name(with, &ahead.id), Some(value)));
    }

    pub(crate) fn forget_ahead(&mut self, with: &Jid, id: &MessageId) {
        self.store(StoreRequest::PutValue(name(with, id), None));
    }

    /// The archive is read to its end.
    pub(crate) fn forget_orders(&mut self) {
        for (with, order) in std::mem::take(&mut self.archives.orders) {
            for ahead in order.ahead.iter().chain(&order.passed) {
                self.forget_ahead(&with, &ahead.id);
            }
            if order.floor.is_some() {
                self.store(StoreRequest::PutValue(format!("{FLOOR}{with}"), None));
            }
        }
    }
}

fn name(with: &Jid, id: &MessageId) -> String {
    format!("{AHEAD}{with} {id}")
}

fn kept(name: &str, value: &str) -> Option<Kept> {
    if let Some(with) = name.strip_prefix(FLOOR) {
        return Some(Kept::Floor(with.parse().ok()?, Timestamp(value.parse().ok()?)));
    }
    // A bare address has no space, an id may have.
    let (with, id) = name.strip_prefix(AHEAD)?.split_once(' ')?;
    let mut numbers = value.split(' ').map(str::parse::<i64>);
    let mut number = || numbers.next()?.ok();
    let (time, own, count) = (Timestamp(number()?), number()? == 1, number()?);
    let id = MessageId(id.to_owned());
    let count = u64::try_from(count).ok()?;
    Some(Kept::Message(with.parse().ok()?, Ahead { id, time, own, count, earlier: true }))
}
