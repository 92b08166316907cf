//! The archive of our account at the server (XEP-0313) as the source that history is brought up to
//! date from, and of rooms, where [`Im::sync_room`] is given their address (`rooms/archived.rs`).
//!
//! On a new stream everything since the last known id is asked for, page by page; each message goes
//! the way of all messages (`taking`), which knows what is here already. Own messages of which nobody
//! knows whether they arrived are held back until that is over: what the archive has was sent.
//!
//! Nobody but the asked archive can answer: the query's id, the sender and the place in the archive
//! must fit. Preferences, such as what is archived at all, are left to the server.

use std::collections::{BTreeMap, BTreeSet};

use offhook_model::{Jid, Moment, Timestamp};
use offhook_ports::StoreRequest;
use xmpp_parsers::message::{Message as Wire, MessageType};
use xmpp_parsers::ns;
use xmpp_parsers::stanza_error::DefinedCondition;

use crate::asking::{Answer, Question};
use crate::ordering::Order;
use crate::rooms::is_invitation;
use crate::sealing::Unsealed;
use crate::taking::{Arrival, Taken};
use crate::trespass::Trespass;
use crate::{Im, jid_from_wire};

mod first;
mod wire;

use first::{Held, SHORT_PAGE};
use wire::{Page, forwarded};

/// Messages of a page.
const PAGE: usize = 100;

/// Pages of one sync; more is a server that goes round in circles.
const PAGES: u32 = 2_000;

/// How often a question of one stream that nobody answers is asked again.
const SILENCES: u32 = 5;

/// Longest id of a place in an archive, in bytes.
const ID: usize = 1_000;

/// What is known of archives in this connection, and what is under way.
#[derive(Debug, Default)]
pub(crate) struct Archives {
    /// The store told where we were.
    loaded: bool,
    /// Everything up to here is here.
    positions: BTreeMap<Option<Jid>, String>,
    /// Archives that are up to date in this connection.
    synced: BTreeSet<Option<Jid>>,
    /// What the archive is known to hold beyond a sync that is under way.
    ahead: Option<String>,
    queries: BTreeMap<String, Query>,
    /// Own messages of doubtful fate may go out.
    settled: bool,
    /// Questions of this stream that nobody answered.
    silences: u32,
    /// A first reading of our account that a stream broke off: the next goes on with it.
    begun: Option<Query>,
    /// A stream broke off within a page of a first reading of our account.
    short: bool,
    /// Where the stream was ahead of the archive, until that is read to its end.
    pub(crate) orders: BTreeMap<Jid, Order>,
}

impl Archives {
    /// Whether what may have arrived can be sent again.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled
    }

    /// Whether that of our account is read to its end, or there is none.
    pub(crate) fn is_read(&self) -> bool {
        self.synced.contains(&None)
    }
}

/// A page that was asked for.
#[derive(Debug)]
struct Query {
    archive: Option<Jid>,
    purpose: Purpose,
    /// Messages that came for it.
    came: usize,
    pages: u32,
    /// What came of a first reading, which counts when all of it is here: pages come the newest
    /// first, and messages find their places the oldest first.
    held: Vec<Held>,
    /// The same of the pages before, which are newer.
    newer: Vec<Held>,
    /// The newest page came by an earlier stream, so there may be newer ones by now.
    late: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    /// Everything after this id.
    After(String),
    /// The first time: the newest, page by page backwards before this id (nothing at first), and the
    /// newest id of all.
    Newest { since: Timestamp, before: String, newest: Option<String> },
    /// Messages of a conversation before this place in the archive, or before this time where the
    /// oldest message here has no place: many may be written in a second.
    Older { with: Jid, before: Timestamp, place: Option<String> },
}

/// What order the messages of a query come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// The oldest first, after all that is here but what came by the stream since.
    Forwards,
    /// The same, the first time: what was there before this computer knew the account is not news.
    First,
    /// Before all that is here, the oldest of which has this time.
    Older(Timestamp),
}

impl Im {
    /// The store told where we were.
    pub(crate) fn archives_loaded(&mut self, positions: Vec<(Option<Jid>, String)>, now: Moment) {
        for (archive, position) in positions {
            self.archives.positions.entry(archive).or_insert(position);
        }
        self.archives.loaded = true;
        self.begin_sync(now);
    }

    /// A new stream: what went on meanwhile is not known.
    pub(crate) fn archives_doubtful(&mut self) {
        let Archives { loaded, positions, mut orders, queries, begun, short, .. } =
            std::mem::take(&mut self.archives);
        let short = short || queries.values().any(Query::is_first);
        let broken = queries.into_values().find(Query::is_begun);
        let begun = broken.map(|query| query.on_another_stream()).or(begun);
        orders.values_mut().for_each(Order::begin_anew);
        self.archives = Archives { loaded, positions, orders, begun, short, ..Archives::default() };
    }

    /// Our account told what it can do, or did not answer.
    pub(crate) fn account_known(&mut self, silent: bool, now: Moment) {
        if self.services.account.contains(ns::MAM) {
            self.begin_sync(now);
        } else if silent {
            // There may be one all the same.
            self.doubts_are_over();
        } else {
            self.sync_over(&None);
        }
    }

    fn begin_sync(&mut self, now: Moment) {
        let has = self.full.is_some() && self.services.account.contains(ns::MAM);
        if has && self.archives.loaded && !self.archives.settled {
            self.sync_archive(None, now);
        }
    }

    /// How far a room's archive was read, as the store remembers it.
    pub(crate) fn archive_position(&self, room: &Jid) -> Option<String> {
        self.archives.positions.get(&Some(room.clone())).cloned()
    }

    /// Asks a room's archive for everything after this place. False when it cannot be asked.
    pub(crate) fn sync_room(&mut self, room: Jid, place: String) -> bool {
        let archive = Some(room);
        self.archives.positions.insert(archive.clone(), place.clone());
        let purpose = Purpose::After(place);
        self.query(Query::new(archive, purpose, 0))
    }

    /// Brings an archive up to date: of our account, or of a room. At most one sync of each goes on.
    fn sync_archive(&mut self, archive: Option<Jid>, now: Moment) {
        if self.archives.queries.values().any(|it| it.archive == archive && it.is_sync()) {
            return;
        }
        let begun = if archive.is_none() { self.archives.begun.take() } else { None };
        let query = match (self.archives.positions.get(&archive), begun) {
            (Some(position), _) => Query::new(archive, Purpose::After(position.clone()), 0),
            (None, Some(begun)) => begun,
            (None, None) => Query::new(archive, Self::newest(now), 0),
        };
        self.query(query);
    }

    /// This computer has no older messages of the conversation: the server's archive may. They come
    /// like all others; `Chat::older` says when there are no more.
    pub(crate) fn ask_older(&mut self, with: &Jid) {
        let under_way =
            self.archives.queries.values().any(
                |it| matches!(&it.purpose, Purpose::Older { with: other, .. } if other == with),
            );
        if under_way {
            return;
        }
        let archive = self.is_room(with).then(|| with.clone());
        let here = match &archive {
            Some(room) => self.has_room_archive(room),
            None => self.services.account.contains(ns::MAM),
        };
        let oldest = self.talks.get(with).and_then(|talk| talk.messages.first());
        let purpose = Purpose::Older {
            with: with.clone(),
            before: oldest.map_or(self.time.wall, |oldest| oldest.time),
            place: oldest.and_then(|oldest| oldest.more.archive_id.clone()),
        };
        if !here || !self.query(Query::new(archive, purpose, 0)) {
            self.nothing_older(with);
        }
    }

    fn query(&mut self, query: Query) -> bool {
        let id = self.ids.next();
        let short = self.archives.short && query.is_first();
        let payload = query.payload(&id, if short { SHORT_PAGE } else { PAGE });
        let to = query.archive.clone().unwrap_or_else(|| self.me.clone());
        let asked = self.ask_set(Some(to), payload, Question::Archive(id.clone()));
        if asked {
            self.archives.queries.insert(id, query);
        }
        asked
    }

    /// A message out of an archive, if this is one: true then, whatever became of it.
    pub(crate) fn receive_archived(&mut self, message: &Wire, now: Moment) -> bool {
        let Some(result) = message.payloads.iter().find(|p| p.is("result", ns::MAM)) else {
            return false;
        };
        let from = message.from.as_ref().and_then(jid_from_wire);
        let queryid = result.attr("queryid").unwrap_or_default();
        let query = self.archives.queries.get_mut(queryid);
        let place = result.attr("id").filter(|id| !id.is_empty() && id.len() <= ID);
        let asked = match query.as_ref().and_then(|query| query.archive.as_ref()) {
            None => from.as_ref().is_none_or(|from| *from == self.me),
            Some(room) => from.as_ref() == Some(room),
        };
        let (true, Some(query), Some(place)) = (asked, query, place) else {
            // A room may still answer what was asked on an earlier stream.
            let late = from.as_ref().is_some_and(|from| self.is_room(from));
            if !asked && !late {
                self.refuse(Trespass::Archive, from.map(|from| from.bare()).as_ref());
            }
            return true;
        };
        query.came += 1;
        if query.came > 2 * PAGE {
            return true;
        }
        let Some((wire, time)) = forwarded(result, now) else {
            return true;
        };
        let reading = match query.purpose {
            Purpose::Newest { .. } => {
                query.held.push(Held { place: place.to_owned(), wire, time });
                return true;
            }
            Purpose::After(_) => Reading::Forwards,
            Purpose::Older { before, .. } => Reading::Older(before),
        };
        let archive = query.archive.clone();
        self.take_archived(archive.as_ref(), place, wire, time, reading);
        // A link that never carries a whole page gets on all the same.
        if archive.is_none() && reading == Reading::Forwards {
            self.reach(&archive, place.to_owned());
        }
        true
    }

    fn take_archived(
        &mut self,
        archive: Option<&Jid>,
        place: &str,
        wire: Wire,
        time: Timestamp,
        reading: Reading,
    ) {
        if let Some(room) = archive {
            let time = match reading {
                Reading::Forwards | Reading::First => self.in_its_second(room, time),
                Reading::Older(before) => just_before(before, time),
            };
            return self.take_room_archived(room, place, wire, time);
        }
        let from = wire.from.as_ref().and_then(jid_from_wire).map(|it| it.bare());
        let to = wire.to.as_ref().and_then(jid_from_wire).map(|it| it.bare());
        let from = from.unwrap_or_else(|| self.me.clone());
        let own = from == self.me;
        let with = if own { to.unwrap_or_else(|| self.me.clone()) } else { from.clone() };
        let chat = matches!(wire.type_, MessageType::Chat | MessageType::Normal);
        if !chat || self.is_room(&with) || is_invitation(&wire) {
            return;
        }
        let Unsealed::Open(wire, protection) = self.unseal(wire) else {
            return;
        };
        let time = match reading {
            Reading::Forwards | Reading::First => self.time_in_archive(&with, time),
            Reading::Older(before) => just_before(before, time),
        };
        let taken = self.take_message(Arrival {
            with: with.clone(),
            from,
            author: None,
            own,
            wire,
            time,
            live: false,
            archive_id: Some(place.to_owned()),
            protection,
            room: None,
        });
        if !matches!(reading, Reading::Older(_)) {
            self.came_to(&with, &taken, own, time);
        }
        if reading == Reading::First && matches!(taken, Taken::New(_)) {
            self.read_up_to(&with, time);
        }
    }

    /// The end of a page.
    pub(crate) fn archive_answered(&mut self, id: &str, answer: Answer, now: Moment) {
        let Some(query) = self.archives.queries.remove(id) else {
            return;
        };
        match answer {
            Ok(fin) => {
                let page = Page::read(fin.as_ref());
                self.page_over(query, page);
            }
            Err(error) => {
                let gone = error.defined_condition == DefinedCondition::ItemNotFound;
                let silent = error.defined_condition == DefinedCondition::RemoteServerTimeout;
                let again = silent && query.archive.is_none() && self.archives.silences < SILENCES;
                match query.purpose {
                    // On a bad way an answer is lost or late. The rest need not wait for it.
                    Purpose::After(_) | Purpose::Newest { .. } if again => {
                        self.archives.silences += 1;
                        self.doubts_are_over();
                        self.archives.begun = query.is_begun().then(|| query.on_another_stream());
                        self.sync_archive(None, now);
                    }
                    // The archive no longer has the place where we were.
                    Purpose::After(_) if gone => {
                        self.archives.positions.remove(&query.archive);
                        let (archive, purpose) = (query.archive, Self::newest(now));
                        self.query(Query::new(archive, purpose, 0));
                    }
                    Purpose::Older { with, before, place: Some(_) } if gone => {
                        let purpose = Purpose::Older { with: with.clone(), before, place: None };
                        let query = Query::new(query.archive, purpose, 0);
                        if !self.query(query) {
                            self.nothing_older(&with);
                        }
                    }
                    Purpose::After(_) | Purpose::Newest { .. } => {
                        self.sync_failed(query.archive, query.held, query.newer);
                    }
                    Purpose::Older { with, .. } => self.nothing_older(&with),
                }
            }
        }
    }

    /// What came still counts. What else there is, the next stream asks for: the position stays.
    fn sync_failed(&mut self, archive: Option<Jid>, mut held: Vec<Held>, newer: Vec<Held>) {
        held.extend(newer);
        self.take_held(archive.as_ref(), held);
        match &archive {
            Some(room) => {
                self.room_archive_refuses(room);
                self.sync_over(&archive);
            }
            None => self.doubts_are_over(),
        }
    }

    fn page_over(&mut self, query: Query, page: Page) {
        match query.purpose {
            Purpose::After(before) => match page.last.filter(|last| *last != before) {
                Some(last) => {
                    let (archive, pages) = (query.archive, query.pages + 1);
                    self.reach(&archive, last.clone());
                    let purpose = Purpose::After(last);
                    let on = !page.complete && pages < PAGES;
                    let query = Query::new(archive.clone(), purpose, pages);
                    if !(on && self.query(query)) {
                        self.sync_over(&archive);
                    }
                }
                None => self.sync_over(&query.archive),
            },
            Purpose::Newest { .. } => self.first_page_over(query, page),
            Purpose::Older { with, .. } => {
                if page.complete || page.first.is_none() {
                    self.nothing_older(&with);
                }
            }
        }
    }

    /// Everything up to here is here. Kept after the messages themselves.
    fn reach(&mut self, archive: &Option<Jid>, position: String) {
        let known = self.archives.positions.insert(archive.clone(), position.clone());
        if known.as_ref() != Some(&position) {
            self.store(StoreRequest::PutArchive(archive.clone(), position));
        }
    }

    fn sync_over(&mut self, archive: &Option<Jid>) {
        self.archives.synced.insert(archive.clone());
        if let Some(room) = archive {
            self.room_caught_up(room);
        } else {
            // Before the position: a kill between the two costs a second reading, and no order.
            self.close_orders();
            if let Some(ahead) = self.archives.ahead.take() {
                self.reach(archive, ahead);
            }
            self.archives.short = false;
            self.doubts_are_over();
        }
    }

    /// What may have arrived is known now, or will not be: all the rest goes out.
    fn doubts_are_over(&mut self) {
        self.archives.settled = true;
        self.flush();
    }

    /// A message came by the stream, and this is its place in our archive.
    pub(crate) fn lies_at(&mut self, place: Option<String>) {
        let Some(place) = place.filter(|place| place.len() <= ID) else {
            return;
        };
        if self.archives.synced.contains(&None) {
            self.reach(&None, place);
        } else {
            self.archives.ahead = Some(place);
        }
    }

    fn nothing_older(&mut self, with: &Jid) {
        self.set_older(with, false);
    }
}

impl Query {
    fn new(archive: Option<Jid>, purpose: Purpose, pages: u32) -> Self {
        Self { archive, purpose, came: 0, pages, held: Vec::new(), newer: Vec::new(), late: false }
    }

    fn is_sync(&self) -> bool {
        !matches!(self.purpose, Purpose::Older { .. })
    }
}

/// Archives count in whole seconds: what was written in the second of the oldest message here stands
/// before it all the same.
fn just_before(oldest: Timestamp, time: Timestamp) -> Timestamp {
    time.min(Timestamp(oldest.0.saturating_sub(1)))
}
