//! Over a restart: which messages came by the stream before the archive was read so far. A program
//! that is killed then goes on reading where it was, and has to know that what it finds stands before
//! those.

use offhook_model::{Jid, Timestamp};
use offhook_ports::Unplaced;

use crate::Im;
use crate::ordering::Ahead;

impl Im {
    /// What the store kept of an earlier session that did not come to the end of the archive: the
    /// newest message of each conversation that has its place, and those that have none.
    pub(crate) fn orders_loaded(
        &mut self,
        settled: Vec<(Jid, Timestamp)>,
        unplaced: Vec<Unplaced>,
    ) {
        let unplaced = unplaced.into_iter();
        for Unplaced { with, id, time, own } in unplaced.rev() {
            let order = self.archives.orders.entry(with).or_default();
            // What came in this session came later.
            if !order.ahead.iter().any(|it| it.id == id) {
                order.ahead.push_front(Ahead { id, time, own });
            }
        }
        for (with, time) in settled {
            if let Some(order) = self.archives.orders.get_mut(&with) {
                order.floor = order.floor.max(Some(time));
            }
            if let Some(talk) = self.talks.get_mut(&with) {
                talk.stored = Some(time);
            }
        }
        if self.archives.is_read() {
            self.close_orders();
        }
    }
}
