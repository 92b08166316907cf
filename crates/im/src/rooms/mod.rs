//! Group chat (XEP-0045): which rooms we know, in which we are, and what the window sees of them.
//!
//! What a room says is believed of that room only: presence and messages of a room that we are not
//! in are passed over, and every answer must come from whom was asked.

mod administration;
mod archived;
mod bookmarks;
mod browsing;
mod creating;
mod dialect;
mod entering;
mod forms;
mod invitations;
mod lookalikes;
mod messages;
mod occupants;
mod place;
mod questions;
mod talking;
mod upkeep;
mod wishes;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_model::{
    CommandError, Invitation, Jid, Moment, NoticeBody, Reply, Room, RoomListing, RoomWish, Secret,
    Ticket,
};

pub(crate) use invitations::is_invitation;
pub(crate) use place::Place;
pub(crate) use questions::Question;
pub(crate) use talking::Gate;

use crate::{Im, Output};

/// Namespace of what a client says when it enters (XEP-0045 section 18).
pub(crate) const MUC: &str = "http://jabber.org/protocol/muc";
/// Namespace of what a room says of its occupants.
pub(crate) const USER: &str = "http://jabber.org/protocol/muc#user";
/// Namespace of lists of members and of changes by moderators.
pub(crate) const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
/// Namespace of a room's settings.
pub(crate) const OWNER: &str = "http://jabber.org/protocol/muc#owner";

/// How many rooms are known at all; bookmarks beyond are passed over.
const PLACES: usize = 500;

/// A room with more occupants than this is shown anew at most every [`PACE`]: a list of thousands
/// is not made again for each that comes.
const LARGE: usize = 200;
const PACE: Duration = Duration::from_millis(250);

/// Everything about rooms.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    places: BTreeMap<Jid, Place>,
    shown: Arc<BTreeMap<Jid, Arc<Room>>>,
    /// Rooms whose picture is not up to date.
    stale: BTreeSet<Jid>,
    /// When the pictures of large rooms are made.
    paint_at: Option<Instant>,
    invitations: Arc<Vec<Invitation>>,
    /// Our name, for nicknames.
    own_name: Option<String>,
    /// Passwords that came with invitations.
    keys: BTreeMap<Jid, Secret<String>>,
    listing: Arc<RoomListing>,
    browse: browsing::Browse,
    bookmarks: bookmarks::Bookmarks,
    /// Wishes that wait until the server's services are known.
    waiting: Vec<(Ticket, RoomWish)>,
}

impl Im {
    /// Rooms we are in, have bookmarked or were in, by address.
    pub fn rooms(&self) -> Arc<BTreeMap<Jid, Arc<Room>>> {
        Arc::clone(&self.rooms.shown)
    }

    /// Invitations that wait for an answer, the newest last.
    pub fn invitations(&self) -> Arc<Vec<Invitation>> {
        Arc::clone(&self.rooms.invitations)
    }

    /// What browsing for rooms found.
    pub fn listing(&self) -> Arc<RoomListing> {
        Arc::clone(&self.rooms.listing)
    }

    /// What the user wants of rooms. Nothing when the answer comes later, as [`Output::Answer`]
    /// with this ticket.
    ///
    /// # Errors
    /// It cannot be: the cause and the remedy in words.
    pub fn room_wish(
        &mut self,
        ticket: Ticket,
        wish: RoomWish,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        self.time = now;
        let answer = self.obey_room(ticket, wish);
        self.paint_rooms();
        answer
    }

    /// Our name, for nicknames in rooms where the user chose none.
    pub fn call_us(&mut self, name: String) {
        self.rooms.own_name = Some(name);
    }

    /// A new stream: rooms are entered again once the bookmarks are here or were refused.
    pub(crate) fn rooms_online(&mut self) {
        for place in self.rooms.places.values_mut() {
            place.error = None;
            place.tries = 0;
        }
        self.fetch_bookmarks();
        if !self.is_hidden() {
            self.enter_wanted();
        }
        self.paint_rooms();
    }

    /// The connection is gone for good, and with it our place in every room.
    pub(crate) fn rooms_offline(&mut self) {
        let rooms: Vec<Jid> = self.rooms.places.keys().cloned().collect();
        for room in rooms {
            self.lose_room(&room, words::NO_CONNECTION);
        }
        self.give_up_wishes();
        self.stop_browsing(words::NO_CONNECTION);
        self.paint_rooms();
    }

    /// The contact list changed, and with it the names to show.
    pub(crate) fn rooms_renamed(&mut self) {
        self.rooms.stale.extend(self.rooms.places.keys().cloned());
        self.paint_rooms();
    }

    /// The server's services are known: what waited for them goes on.
    pub(crate) fn rooms_services_known(&mut self) {
        for (ticket, wish) in std::mem::take(&mut self.rooms.waiting) {
            if let Some(answer) = self.obey_room(ticket, wish) {
                self.answer(ticket, answer);
            }
        }
        self.paint_rooms();
    }

    /// When rooms want [`Im::rooms_timeout`] to be called.
    pub(crate) fn next_rooms_timeout(&self) -> Option<Instant> {
        // Without a connection nothing is asked of rooms; the next one sees what is due.
        self.full.as_ref()?;
        let places = self.rooms.places.values().filter_map(Place::next_timeout);
        places.chain(self.rooms.paint_at).min()
    }

    pub(crate) fn rooms_timeout(&mut self) {
        if self.full.is_none() {
            return;
        }
        let now = self.time.at;
        let due = |it: &&Place| it.next_timeout().is_some_and(|at| at <= now);
        let due: Vec<Jid> =
            self.rooms.places.values().filter(due).map(|it| it.jid.clone()).collect();
        for room in due {
            self.keep_up(&room);
        }
        if self.rooms.paint_at.is_some_and(|at| at <= now) {
            self.rooms.paint_at = None;
            self.paint(true);
        }
        self.paint_rooms();
    }

    /// The room, known from now on. Nothing when too many are.
    fn place(&mut self, room: &Jid) -> Option<&mut Place> {
        if !self.rooms.places.contains_key(room) {
            if self.rooms.places.len() >= PLACES {
                return None;
            }
            let nick = self.usual_nick();
            self.rooms.places.insert(room.clone(), Place::new(room.clone(), nick));
        }
        self.touch(room);
        self.rooms.places.get_mut(room)
    }

    /// The room's picture is to be made anew.
    fn touch(&mut self, room: &Jid) {
        self.rooms.stale.insert(room.clone());
    }

    /// Brings the pictures up to date; those of large rooms when their time has come.
    pub(crate) fn paint_rooms(&mut self) {
        if !self.rooms.stale.is_empty() {
            self.paint(false);
        }
    }

    fn paint(&mut self, large: bool) {
        for room in std::mem::take(&mut self.rooms.stale) {
            let Some(place) = self.rooms.places.get(&room) else {
                Arc::make_mut(&mut self.rooms.shown).remove(&room);
                continue;
            };
            let crowded = place.crowd.len() > LARGE && self.rooms.shown.contains_key(&room);
            if crowded && !large {
                self.rooms.stale.insert(room);
                let at = self.time.at + PACE;
                self.rooms.paint_at.get_or_insert(at);
                continue;
            }
            let picture = Arc::new(self.picture(place));
            Arc::make_mut(&mut self.rooms.shown).insert(room.clone(), picture);
            self.name_room_talk(&room);
        }
    }

    fn picture(&self, place: &Place) -> Room {
        Room {
            room: place.jid.clone(),
            name: place.name(),
            subject: place.subject.clone(),
            nick: place.nick.clone(),
            state: place.state.clone(),
            error: place.error.clone(),
            autojoin: place.bookmark.as_ref().is_some_and(|it| it.autojoin),
            bookmarked: place.bookmark.is_some(),
            traits: place.traits,
            affiliation: place.affiliation,
            role: place.role,
            occupants: self.shown_occupants(place),
            absent: self.shown_absent(place),
        }
    }

    /// Something happened in a room.
    fn room_notice(
        &mut self,
        room: &Jid,
        change: &'static str,
        who: Option<String>,
        text: Option<String>,
    ) {
        self.touch(room);
        self.notice(NoticeBody::Room { room: room.clone(), change, who, text });
    }

    /// The answer to a wish that took time.
    fn answer(&mut self, ticket: Ticket, answer: Result<Reply, CommandError>) {
        self.outputs.push_back(Output::Answer(ticket, answer));
    }
}
