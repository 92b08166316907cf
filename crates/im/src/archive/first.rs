//! The first reading of an archive, when nothing of it is here: the newest messages of a week, page
//! by page backwards. What comes is held back until all of it is here, since messages find their
//! places the oldest first. A reading that a stream broke off is gone on with by the next.

use offhook_model::{Jid, Moment, Timestamp};
use xmpp_parsers::message::Message as Wire;

use super::{Page, Purpose, Query, Reading};
use crate::Im;

/// How far back we look, in days, and at how many messages at most.
const DAYS: i64 = 7;
const MOST: usize = 1_000;

/// Messages of a page once a stream broke off within one: a bad link may never carry a whole page of
/// the usual size, and only whole pages count here.
pub(super) const SHORT_PAGE: usize = 10;

/// A message of the archive that does not count yet.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) place: String,
    pub(super) wire: Wire,
    pub(super) time: Timestamp,
}

impl Im {
    pub(super) fn newest(now: Moment) -> Purpose {
        let since = Timestamp(now.wall.0.saturating_sub(DAYS * 86_400_000));
        Purpose::Newest { since, before: String::new(), newest: None }
    }

    /// The end of a page. What is before it is asked for, or all of it counts.
    pub(super) fn first_page_over(&mut self, query: Query, page: Page) {
        let Query { archive, purpose, pages, mut held, newer, late, .. } = query;
        let Purpose::Newest { since, newest, .. } = purpose else { return };
        let pages = pages + 1;
        let newest = newest.or(page.last);
        let empty = held.is_empty();
        held.extend(newer);
        let more = !page.complete && !empty && held.len() < MOST;
        if let Some(before) = page.first.filter(|_| more) {
            let purpose = Purpose::Newest { since, before, newest };
            self.query(Query { newer: held, late, ..Query::new(archive, purpose, pages) });
            return;
        }
        self.take_held(archive.as_ref(), held);
        if let Some(newest) = newest {
            self.reach(&archive, newest.clone());
            let query = Query::new(archive.clone(), Purpose::After(newest), pages);
            if late && self.query(query) {
                return;
            }
        }
        self.sync_over(&archive);
    }

    /// What a first reading brought, oldest first.
    pub(super) fn take_held(&mut self, archive: Option<&Jid>, held: Vec<Held>) {
        for Held { place, wire, time } in held {
            self.take_archived(archive, &place, wire, time, Reading::First);
        }
    }
}

impl Query {
    /// A first reading of our account, of which whole pages are here.
    pub(super) fn is_begun(&self) -> bool {
        self.is_first() && matches!(&self.purpose, Purpose::Newest { newest: Some(_), .. })
    }

    /// A first reading of our account.
    pub(super) fn is_first(&self) -> bool {
        self.archive.is_none() && matches!(self.purpose, Purpose::Newest { .. })
    }

    /// The page under way is asked for again.
    pub(super) fn on_another_stream(self) -> Self {
        Self { came: 0, held: Vec::new(), late: true, ..self }
    }
}
