//! Bookmarks: on our account (XEP-0402), and where a server has only that, in its private storage
//! (XEP-0048, XEP-0049).

use std::collections::BTreeMap;

use offhook_model::{CommandError, Jid, Reply, Secret, Ticket};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns::{BOOKMARKS2, DATA_FORMS, PUBSUB};
use xmpp_parsers::stanza_error::DefinedCondition;

use super::PLACES;
use super::place::bounded;
use super::questions::{Question, not_connected, refused};
use crate::Im;
use crate::asking::{self, Answer};
use crate::stanza::element;

const PRIVATE: &str = "jabber:iq:private";
const STORAGE: &str = "storage:bookmarks";

/// What is kept of a room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bookmark {
    pub(super) name: Option<String>,
    pub(super) autojoin: bool,
    pub(super) nick: Option<String>,
    pub(super) password: Option<Secret<String>>,
    /// What other clients keep with it; it goes back as it came (XEP-0402 section 3.3).
    pub(super) others: Option<Element>,
}

/// Where bookmarks are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// On our account, with all options of XEP-0402 section 3.
    #[default]
    Whole,
    /// On our account, without the option that some servers do not know.
    Plain,
    /// In private storage.
    Private,
}

/// State of the bookmarks.
#[derive(Debug, Default)]
pub(crate) struct Bookmarks {
    way: Way,
    /// They were read over this connection, or cannot be.
    known: bool,
}

impl Bookmarks {
    pub(super) fn known(&self) -> bool {
        self.known
    }
}

impl Im {
    pub(super) fn fetch_bookmarks(&mut self) {
        self.rooms.bookmarks.known = false;
        let mut pubsub = element("pubsub", PUBSUB, &[]);
        pubsub.append_child(element("items", PUBSUB, &[("node", BOOKMARKS2)]));
        self.ask_get(None, pubsub, asking::Question::Rooms(Question::Bookmarks));
    }

    pub(super) fn bookmarks_came(&mut self, answer: Answer) {
        let mut found = BTreeMap::new();
        match answer {
            Ok(payload) => {
                let items = payload.as_ref().and_then(|it| it.get_child("items", PUBSUB));
                let items = items.into_iter().flat_map(Element::children);
                found.extend(items.take(PLACES).filter_map(read));
            }
            Err(error) if error.defined_condition == DefinedCondition::ItemNotFound => {}
            // Who does not answer this does not answer the next question either.
            Err(error) if error.defined_condition == DefinedCondition::RemoteServerTimeout => {
                return self.bookmarks_known();
            }
            Err(_) => self.rooms.bookmarks.way = Way::Private,
        }
        if !found.is_empty() {
            self.replace_bookmarks(found);
            return self.bookmarks_known();
        }
        // None yet, kept the older way, or not told; what is known stays until it is.
        let mut query = element("query", PRIVATE, &[]);
        query.append_child(element("storage", STORAGE, &[]));
        self.ask_get(None, query, asking::Question::Rooms(Question::OldBookmarks));
    }

    pub(super) fn old_bookmarks_came(&mut self, answer: Answer) {
        let payload = answer.ok().flatten();
        let storage = payload.as_ref().and_then(|it| it.get_child("storage", STORAGE));
        if let Some(storage) = storage {
            let found = storage.children().take(PLACES).filter_map(read_old).collect();
            self.replace_bookmarks(found);
        }
        self.bookmarks_known();
    }

    fn bookmarks_known(&mut self) {
        self.rooms.bookmarks.known = true;
        self.open_gates();
    }

    /// The whole list is new. Rooms that are to be entered are entered.
    fn replace_bookmarks(&mut self, found: BTreeMap<Jid, Bookmark>) {
        let gone: Vec<Jid> = self
            .rooms
            .places
            .values()
            .filter(|it| it.bookmark.is_some() && !found.contains_key(&it.jid))
            .map(|it| it.jid.clone())
            .collect();
        for room in gone {
            self.forget_bookmark(&room);
        }
        for (room, bookmark) in found {
            self.take_bookmark(&room, bookmark);
        }
    }

    /// Something about bookmarks happened on another device: an event of our own account. Whoever
    /// else sends such events is passed over by the caller.
    pub(crate) fn bookmarks_changed(&mut self, items: &[Element]) {
        for item in items.iter().take(PLACES) {
            if item.name() == "retract" {
                let room = item.attr("id").and_then(|id| id.parse::<Jid>().ok());
                if let Some(room) = room.map(|room| room.bare()) {
                    self.forget_bookmark(&room);
                    if self.rooms.places.get(&room).is_some_and(|it| it.wanted) {
                        self.leave_room(&room);
                    }
                }
            } else if let Some((room, bookmark)) = read(item) {
                let leaves = !bookmark.autojoin
                    && self.rooms.places.get(&room).is_some_and(|it| {
                        it.wanted && it.bookmark.as_ref().is_some_and(|old| old.autojoin)
                    });
                self.take_bookmark(&room, bookmark);
                // Another device of ours left it (XEP-0402 section 4.3).
                if leaves {
                    self.leave_room(&room);
                }
            }
        }
        self.paint_rooms();
    }

    fn take_bookmark(&mut self, room: &Jid, bookmark: Bookmark) {
        let autojoin = bookmark.autojoin;
        let Some(place) = self.place(room) else {
            return;
        };
        if !place.listens() {
            if let Some(nick) = &bookmark.nick {
                place.nick.clone_from(nick);
            }
            if bookmark.password.is_some() {
                place.password.clone_from(&bookmark.password);
            }
        }
        place.bookmark = Some(bookmark);
        let tried = place.error.is_some();
        self.room_notice(room, "changed", None, None);
        if autojoin && !tried {
            let hidden = self.is_hidden();
            match self.rooms.places.get_mut(room).filter(|_| hidden) {
                // Entered once we are seen again.
                Some(place) => place.wanted = true,
                None => self.enter(room),
            }
        }
    }

    fn forget_bookmark(&mut self, room: &Jid) {
        let had = self.rooms.places.get_mut(room).and_then(|it| it.bookmark.take());
        if had.is_some() {
            self.room_notice(room, "changed", None, None);
        }
    }

    /// Keeps the room among the bookmarks.
    pub(super) fn keep_bookmark(
        &mut self,
        room: &Jid,
        autojoin: bool,
        ticket: Option<Ticket>,
    ) -> bool {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return false;
        };
        let name = place.name();
        let usual = place.nick.clone();
        let password = place.password.clone();
        let bookmark = place.bookmark.get_or_insert_with(Bookmark::default);
        bookmark.autojoin = autojoin;
        bookmark.name.get_or_insert(name);
        bookmark.nick.get_or_insert(usual);
        bookmark.password = password.or(bookmark.password.take());
        self.room_notice(room, "changed", None, None);
        let way = self.rooms.bookmarks.way;
        self.write_bookmark(room, way, ticket)
    }

    /// Takes it away.
    pub(super) fn drop_bookmark(&mut self, room: &Jid, ticket: Option<Ticket>) -> bool {
        self.forget_bookmark(room);
        let way = self.rooms.bookmarks.way;
        self.write_bookmark(room, way, ticket)
    }

    fn write_bookmark(&mut self, room: &Jid, way: Way, ticket: Option<Ticket>) -> bool {
        let bookmark = self.rooms.places.get(room).and_then(|it| it.bookmark.as_ref());
        let payload = match (way, bookmark) {
            (Way::Private, _) => self.storage(),
            (Way::Whole, Some(bookmark)) => publish(room, bookmark, true),
            (Way::Plain, Some(bookmark)) => publish(room, bookmark, false),
            (Way::Whole | Way::Plain, None) => retract(room),
        };
        let question = Question::Kept(way, room.clone(), ticket);
        self.ask_set(None, payload, asking::Question::Rooms(question))
    }

    /// Bookmarks were written, or not; then the next simpler way is tried.
    pub(super) fn bookmark_kept(
        &mut self,
        way: Way,
        room: Jid,
        ticket: Option<Ticket>,
        answer: Answer,
    ) {
        let gone = self.rooms.places.get(&room).is_none_or(|it| it.bookmark.is_none());
        let Err(error) = answer else {
            self.rooms.bookmarks.way = way;
            return self.answer_kept(ticket, Ok(Reply::Done));
        };
        // What is not there need not be taken away.
        if gone && error.defined_condition == DefinedCondition::ItemNotFound {
            return self.answer_kept(ticket, Ok(Reply::Done));
        }
        let next = match way {
            Way::Whole => Way::Plain,
            Way::Plain => Way::Private,
            Way::Private => return self.answer_kept(ticket, Err(refused(&error))),
        };
        if !self.write_bookmark(&room, next, ticket) {
            self.answer_kept(ticket, Err(not_connected()));
        }
    }

    fn answer_kept(&mut self, ticket: Option<Ticket>, answer: Result<Reply, CommandError>) {
        if let Some(ticket) = ticket {
            self.answer(ticket, answer);
        }
    }

    /// All bookmarks the older way; they are written as one.
    fn storage(&self) -> Element {
        let mut storage = element("storage", STORAGE, &[]);
        for place in self.rooms.places.values() {
            if let Some(bookmark) = &place.bookmark {
                let mut one = conference(STORAGE, bookmark, &[("jid", place.jid.bare_str())]);
                add_children(&mut one, STORAGE, bookmark);
                storage.append_child(one);
            }
        }
        let mut query = element("query", PRIVATE, &[]);
        query.append_child(storage);
        query
    }
}

fn conference(namespace: &str, bookmark: &Bookmark, more: &[(&str, &str)]) -> Element {
    let autojoin = if bookmark.autojoin { "true" } else { "false" };
    let mut attributes = vec![("autojoin", autojoin)];
    attributes.extend(bookmark.name.as_deref().map(|name| ("name", name)));
    attributes.extend(more);
    element("conference", namespace, &attributes)
}

fn add_children(one: &mut Element, namespace: &str, bookmark: &Bookmark) {
    let secret = bookmark.password.as_ref().map(|it| it.expose().as_str());
    for (name, text) in [("nick", bookmark.nick.as_deref()), ("password", secret)] {
        if let Some(text) = text {
            let mut child = element(name, namespace, &[]);
            child.append_text_node(text);
            one.append_child(child);
        }
    }
}

fn publish(room: &Jid, bookmark: &Bookmark, whole: bool) -> Element {
    let mut one = conference(BOOKMARKS2, bookmark, &[]);
    add_children(&mut one, BOOKMARKS2, bookmark);
    if let Some(others) = &bookmark.others {
        one.append_child(others.clone());
    }
    let mut item = element("item", PUBSUB, &[("id", room.bare_str())]);
    item.append_child(one);
    let mut publish = element("publish", PUBSUB, &[("node", BOOKMARKS2)]);
    publish.append_child(item);
    let mut pubsub = element("pubsub", PUBSUB, &[]);
    pubsub.append_child(publish);
    pubsub.append_child(options(whole));
    pubsub
}

/// XEP-0402 section 3: kept, all of them, for us alone. ejabberd 23.01 refuses the whole when it
/// does not know `max_items`.
fn options(whole: bool) -> Element {
    let all = [
        ("FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"),
        ("pubsub#persist_items", "true"),
        ("pubsub#send_last_published_item", "never"),
        ("pubsub#access_model", "whitelist"),
        ("pubsub#max_items", "max"),
    ];
    let mut form = element("x", DATA_FORMS, &[("type", "submit")]);
    for (name, text) in all.into_iter().filter(|(name, _)| whole || *name != "pubsub#max_items") {
        let hidden = [("var", name), ("type", "hidden")];
        let attributes = if name == "FORM_TYPE" { &hidden[..] } else { &hidden[..1] };
        let mut field = element("field", DATA_FORMS, attributes);
        let mut value = element("value", DATA_FORMS, &[]);
        value.append_text_node(text);
        field.append_child(value);
        form.append_child(field);
    }
    let mut options = element("publish-options", PUBSUB, &[]);
    options.append_child(form);
    options
}

fn retract(room: &Jid) -> Element {
    let mut retract = element("retract", PUBSUB, &[("node", BOOKMARKS2), ("notify", "true")]);
    retract.append_child(element("item", PUBSUB, &[("id", room.bare_str())]));
    let mut pubsub = element("pubsub", PUBSUB, &[]);
    pubsub.append_child(retract);
    pubsub
}

/// One item of the node, in an answer or in an event.
fn read(item: &Element) -> Option<(Jid, Bookmark)> {
    let room = item.attr("id")?.parse::<Jid>().ok()?.bare();
    room.local()?;
    let one = item.children().find(|it| it.is("conference", BOOKMARKS2))?;
    let others = one.get_child("extensions", BOOKMARKS2).cloned();
    Some((room, Bookmark { others, ..bookmark(one, BOOKMARKS2) }))
}

fn read_old(one: &Element) -> Option<(Jid, Bookmark)> {
    let room = one.attr("jid").filter(|_| one.is("conference", STORAGE))?.parse::<Jid>().ok()?;
    room.local()?;
    Some((room.bare(), bookmark(one, STORAGE)))
}

fn bookmark(one: &Element, namespace: &str) -> Bookmark {
    let text = |name| one.get_child(name, namespace).map(Element::text);
    Bookmark {
        name: one.attr("name").map(bounded).filter(|it| !it.is_empty()),
        autojoin: matches!(one.attr("autojoin"), Some("true" | "1")),
        nick: text("nick").map(|it| bounded(&it)).filter(|it| !it.is_empty()),
        password: text("password").filter(|it| !it.is_empty()).map(Secret::new),
        others: None,
    }
}
