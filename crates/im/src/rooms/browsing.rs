//! Which rooms there are (XEP-0045 sections 6.2 to 6.4): services of the server and of bookmarks,
//! their rooms page by page.
//!
//! Each service answers for itself: one that does not leaves a line in the listing, and takes no
//! room of another away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use offhook_model::{Jid, ListedRoom, RoomListing, RoomTraits};
use xmpp_parsers::disco::{DiscoItemsQuery, DiscoItemsResult};
use xmpp_parsers::ns;
use xmpp_parsers::rsm::SetQuery;

use super::place::bounded;
use super::questions::Question;
use super::words;
use crate::asking::Answer;
use crate::services::Service;
use crate::{Im, jid_from_wire};

/// How many rooms are listed.
const ROOMS: usize = 5_000;

/// How many services are asked.
const SERVICES: usize = 50;

/// Rooms a page.
const PAGE: usize = 250;

/// Pages of one service.
const PAGES: usize = 40;

/// State of a search for rooms.
#[derive(Debug, Default)]
pub(crate) struct Browse {
    /// Services whose answer is to come, and how many pages each gave.
    asked: BTreeMap<Jid, usize>,
    found: BTreeMap<Jid, ListedRoom>,
}

impl Im {
    /// Asks one service for its rooms, or all.
    pub(super) fn browse(&mut self, service: Option<Jid>) {
        let services = match service {
            Some(service) => vec![service.bare()],
            None => self.room_services(),
        };
        self.rooms.browse = Browse::default();
        let mut listing = RoomListing { services: services.clone(), ..RoomListing::default() };
        if services.is_empty() {
            listing.errors.push(words::NO_SERVICE.into());
        }
        self.rooms.listing = Arc::new(listing);
        for service in services {
            if self.ask_page(&service, None) {
                self.rooms.browse.asked.insert(service, 1);
            } else {
                self.browse_failed(&service, words::NO_CONNECTION);
            }
        }
        self.show_listing();
    }

    /// Services of the server, and those of the rooms we know. A service that does not tell what it
    /// is, and by its name is one for rooms, is asked all the same: so the user hears of it.
    fn room_services(&self) -> Vec<Jid> {
        let told = self.services.items.iter().filter(|it| is_service(it)).map(|it| it.jid.clone());
        let known = self.rooms.places.keys().filter_map(|room| room.domain().parse().ok());
        let named = |it: &&Jid| it.local().is_none() && it.domain().starts_with("conference");
        let unclear = self.services.unclear.iter().filter(named).cloned();
        let all: BTreeSet<Jid> = told.chain(known).chain(unclear).collect();
        all.into_iter().take(SERVICES).collect()
    }

    fn ask_page(&mut self, service: &Jid, after: Option<String>) -> bool {
        // The first question has no page: old services refuse what they do not know.
        let rsm = after.map(|after| SetQuery {
            max: Some(PAGE),
            after: Some(after),
            before: None,
            index: None,
        });
        let query = DiscoItemsQuery { node: None, rsm };
        self.ask_room(service, query.into(), Question::Rooms)
    }

    pub(super) fn rooms_came(&mut self, service: &Jid, answer: Answer) {
        let Some(pages) = self.rooms.browse.asked.remove(service) else {
            return;
        };
        let found = match answer {
            Ok(payload) => payload.and_then(|it| DiscoItemsResult::try_from(it).ok()),
            Err(error) => {
                let why = words::refused_listing(&error);
                self.browse_failed(service, &why);
                return self.show_listing();
            }
        };
        let Some(found) = found else {
            self.browse_failed(service, "its answer could not be read");
            return self.show_listing();
        };
        let before = self.rooms.browse.found.len();
        for item in found.items {
            let room = jid_from_wire(&item.jid).map(|it| it.bare());
            // A service names its own rooms only.
            let room = room.filter(|it| it.local().is_some() && it.domain() == service.domain());
            if let Some(room) = room.filter(|_| self.rooms.browse.found.len() < ROOMS) {
                let name = item.name.as_deref().map(bounded).filter(|it| !it.is_empty());
                let name = name.unwrap_or_else(|| room.local().unwrap_or_default().to_owned());
                let listed = ListedRoom { room: room.clone(), name, service: service.clone() };
                self.rooms.browse.found.insert(room, listed);
            }
        }
        let grew = self.rooms.browse.found.len() > before;
        let last = found.rsm.and_then(|rsm| rsm.last).filter(|_| grew && pages < PAGES);
        if let Some(last) = last.filter(|_| self.rooms.browse.found.len() < ROOMS)
            && self.ask_page(service, Some(last))
        {
            self.rooms.browse.asked.insert(service.clone(), pages + 1);
        }
        self.show_listing();
    }

    /// Nobody answers any more.
    pub(super) fn stop_browsing(&mut self, why: &str) {
        for service in std::mem::take(&mut self.rooms.browse.asked).into_keys() {
            self.browse_failed(&service, why);
        }
        if self.rooms.listing.busy {
            self.show_listing();
        }
    }

    fn browse_failed(&mut self, service: &Jid, why: &str) {
        let why = format!("{service}: {why}");
        Arc::make_mut(&mut self.rooms.listing).errors.push(why);
    }

    fn show_listing(&mut self) {
        let mut rooms: Vec<ListedRoom> = self.rooms.browse.found.values().cloned().collect();
        rooms.sort_by_cached_key(|it| (it.name.to_lowercase(), it.room.clone()));
        let busy = !self.rooms.browse.asked.is_empty();
        let listing = Arc::make_mut(&mut self.rooms.listing);
        listing.rooms = rooms;
        listing.busy = busy;
        if !busy {
            let me = self.me.clone();
            self.notice(offhook_model::NoticeBody::Room {
                room: me,
                change: "listing",
                who: None,
                text: None,
            });
        }
    }
}

/// A service for rooms of text, not a gateway to another network.
pub(super) fn is_service(service: &Service) -> bool {
    service.identities.iter().any(|it| it == "conference/text") && service.jid.local().is_none()
}

/// What a room's features say (XEP-0045 section 6.4). The vendor's say `persistent` as well
/// (reference im-presence.md section 6).
pub(super) fn traits(features: &BTreeSet<String>) -> RoomTraits {
    let has = |feature: &str| features.contains(feature);
    RoomTraits {
        persistent: has("muc_persistent") || has("persistent"),
        members_only: has("muc_membersonly"),
        moderated: has("muc_moderated"),
        password: has("muc_passwordprotected"),
        open_addresses: has("muc_nonanonymous"),
        hidden: has("muc_hidden"),
        archive: has(ns::MAM),
        moderation: has("urn:xmpp:message-moderate:1") || has("urn:xmpp:message-moderate:0"),
    }
}
