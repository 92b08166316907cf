//! Pictures of people: published by themselves (XEP-0084), or in their card with its hash in their
//! presence (XEP-0153). A server that keeps the two alike (XEP-0398) makes no difference here but for
//! publishing.
//!
//! What is known of a person is a hash. The bytes are fetched when somebody wants to see them, and
//! believed when they have that hash, a size within bounds and the beginning of a picture. They are
//! never decoded here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_model::{Area, Jid, Moment, NoticeBody, Owner, PhotoId, Problem};
use offhook_ports::StoreRequest;
use xmpp_parsers::avatar::Data;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::sha1::{Digest, Sha1};
use xmpp_parsers::stanza_error::DefinedCondition;
use xmpp_parsers::vcard::Photo as CardPhoto;

use crate::asking::{self, Answer};
use crate::stanza::element;
use crate::{Im, Stanza};

/// Largest picture of others, in bytes.
pub const LARGEST: usize = 1024 * 1024;

/// Largest picture of our own, in bytes: with the third that Base64 adds it still fits into a
/// stanza of 256 KiB, which is what common servers take from their clients.
pub const LARGEST_OWN: usize = 160 * 1024;

/// How many pictures, and how many bytes of them, are held in memory.
const HELD: usize = 64;
const HELD_BYTES: usize = 8 * 1024 * 1024;

/// A picture that had to leave memory is not fetched again sooner: a window that shows more of them
/// than fit would fetch for ever.
const REST: Duration = Duration::from_secs(60);

/// Of how many people off the contact list a picture is known.
const STRANGERS: usize = 200;

/// Feature of a server that keeps cards and published pictures alike (XEP-0398).
const CONVERSION: &str = "urn:xmpp:pep-vcard-conversion:0";

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The bytes, as published.
    Data(PhotoId),
    /// The card, for its picture.
    Card(Option<PhotoId>),
    /// Our own picture was published.
    Published,
    /// Our own card, to put the picture into.
    OwnCard(Option<(String, Vec<u8>)>),
    /// Our own card was changed.
    CardSet,
}

/// Pictures and whose they are.
#[derive(Debug, Default)]
pub(crate) struct Photos {
    held: Arc<BTreeMap<PhotoId, Arc<[u8]>>>,
    /// Oldest use first.
    order: VecDeque<PhotoId>,
    rested: BTreeMap<PhotoId, Instant>,
    /// On the way, with whose they are.
    fetching: BTreeMap<PhotoId, Jid>,
    /// Not to be had in this connection.
    failed: BTreeSet<PhotoId>,
    /// People off the list, with their picture or none.
    strangers: BTreeMap<Jid, Option<PhotoId>>,
    /// Contacts who publish: what their presence says does not count.
    publishers: BTreeSet<Jid>,
    own: Option<PhotoId>,
}

impl Im {
    /// The pictures in memory.
    pub fn photos(&self) -> Arc<BTreeMap<PhotoId, Arc<[u8]>>> {
        Arc::clone(&self.photos.held)
    }

    /// Our own picture.
    pub fn own_photo(&self) -> Option<&PhotoId> {
        self.photos.own.as_ref()
    }

    /// The picture of this person is to be shown. May be said as often as it is shown.
    pub fn want_photo(&mut self, who: &Jid, now: Moment) {
        let who = who.bare();
        match self.photo_of(&who) {
            Some(id) => self.want(id, who, now),
            None if self.photos.strangers.contains_key(&who) || self.people.is_listed(&who) => {}
            None if self.full.is_some() && self.photos.strangers.len() < STRANGERS => {
                self.photos.strangers.insert(who.clone(), None);
                self.ask_card(who, None);
            }
            None => {}
        }
    }

    fn photo_of(&self, who: &Jid) -> Option<PhotoId> {
        if *who == self.me {
            return self.photos.own.clone();
        }
        let listed = self.people.get(who).and_then(|contact| contact.photo.clone());
        listed.or_else(|| self.photos.strangers.get(who).cloned().flatten())
    }

    fn want(&mut self, id: PhotoId, who: Jid, now: Moment) {
        let photos = &mut self.photos;
        if photos.held.contains_key(&id) {
            if photos.order.back() != Some(&id) {
                photos.order.retain(|other| *other != id);
                photos.order.push_back(id);
            }
            return;
        }
        photos.rested.retain(|_, until| *until > now.at);
        let busy = photos.fetching.contains_key(&id) || photos.failed.contains(&id);
        if !busy && !photos.rested.contains_key(&id) {
            photos.fetching.insert(id.clone(), who);
            self.store(StoreRequest::GetPhoto(id));
        }
    }

    /// The store has the picture, or has not.
    pub fn photo_read(&mut self, id: PhotoId, bytes: Option<Vec<u8>>, now: Moment) {
        self.time = now;
        let Some(who) = self.photos.fetching.get(&id).cloned() else {
            return;
        };
        if let Some(bytes) = bytes.filter(|bytes| is_photo(bytes) && hash(bytes) == id) {
            self.hold(id, bytes);
            return;
        }
        let items = element("items", ns::PUBSUB, &[("node", ns::AVATAR_DATA)]);
        let item = element("item", ns::PUBSUB, &[("id", &id.0)]);
        let question = asking::Question::Photo(who.clone(), Question::Data(id.clone()));
        if !self.ask_get(Some(who), within("pubsub", items, item), question) {
            self.photos.fetching.remove(&id);
        }
    }

    /// A node of somebody's pictures has news (XEP-0084 section 4.2.2). Our contacts and we
    /// ourselves are listened to.
    pub(crate) fn photo_published(&mut self, from: &Jid, items: &[Element]) {
        let ours = *from == self.me;
        if from.resource().is_some() || !(ours || self.people.is_listed(from)) {
            return;
        }
        let Some(metadata) = items.iter().rev().find_map(|item| {
            item.children().find(|child| child.is("metadata", ns::AVATAR_METADATA))
        }) else {
            return;
        };
        let id = metadata.children().find_map(info);
        if ours {
            self.own_photo_is(id);
        } else {
            self.photos.publishers.insert(from.clone());
            self.photo_is(from, id);
        }
    }

    /// The hash in somebody's presence (XEP-0153 section 3): none while their client does not know
    /// yet.
    pub(crate) fn photo_in_presence(&mut self, who: &Jid, payloads: &[Element]) {
        let update = payloads.iter().find(|payload| payload.is("x", ns::VCARD_UPDATE));
        let photo = update.and_then(|update| update.get_child("photo", ns::VCARD_UPDATE));
        let told = photo.map(Element::text);
        let publishes = self.photos.publishers.contains(who);
        if let Some(told) = told.filter(|_| !publishes && self.people.is_listed(who)) {
            self.photo_is(who, id(told.trim()));
        }
    }

    fn photo_is(&mut self, who: &Jid, id: Option<PhotoId>) {
        if let Some(contact) = self.people.set_photo(who, id) {
            self.tell_contact(contact);
        }
    }

    fn ask_card(&mut self, who: Jid, id: Option<PhotoId>) -> bool {
        let question = asking::Question::Photo(who.clone(), Question::Card(id));
        self.ask_get(Some(who), element("vCard", ns::VCARD, &[]), question)
    }

    pub(crate) fn photo_answered(&mut self, who: &Jid, question: Question, answer: Answer) {
        match question {
            Question::Data(id) => self.data_came(who, id, answer.ok().flatten().as_ref()),
            Question::Card(wanted) => {
                let card = answer.ok().flatten();
                let bytes = card.as_ref().and_then(picture);
                match (bytes, wanted) {
                    (Some(bytes), None) => self.strangers_photo(who, bytes),
                    (Some(bytes), Some(id)) if hash(&bytes) == id => self.arrived_photo(id, bytes),
                    (_, Some(id)) => {
                        self.photos.fetching.remove(&id);
                        self.photos.failed.insert(id);
                    }
                    (None, None) => {}
                }
            }
            Question::OwnCard(picture) => match answer {
                // Who has no card yet begins one (XEP-0054 section 3.1).
                Ok(card) => self.set_card(card, picture),
                Err(error) if error.defined_condition == DefinedCondition::ItemNotFound => {
                    self.set_card(None, picture)
                }
                Err(_) => self.photo_refused(),
            },
            Question::Published | Question::CardSet if answer.is_err() => self.photo_refused(),
            Question::Published | Question::CardSet => {}
        }
    }

    fn data_came(&mut self, who: &Jid, id: PhotoId, answer: Option<&Element>) {
        let data = answer.and_then(|it| it.get_child("items", ns::PUBSUB)).and_then(|items| {
            let item = items.children().find(|item| item.attr("id") == Some(&id.0))?;
            let data = item.get_child("data", ns::AVATAR_DATA)?;
            Data::try_from(data.clone()).ok().map(|data| data.data)
        });
        match data.filter(|bytes| is_photo(bytes) && hash(bytes) == id) {
            Some(bytes) => self.arrived_photo(id, bytes),
            None if self.ask_card(who.clone(), Some(id.clone())) => {}
            None => drop(self.photos.fetching.remove(&id)),
        }
    }

    /// A card was fetched for its words; its picture comes for free.
    pub(crate) fn photo_in_card(&mut self, who: &Jid, card: &Element) {
        if let Some(bytes) = picture(card)
            && !self.people.is_listed(who)
            && *who != self.me
        {
            self.strangers_photo(who, bytes);
        }
    }

    fn strangers_photo(&mut self, who: &Jid, bytes: Vec<u8>) {
        let id = hash(&bytes);
        if self.photos.strangers.len() < STRANGERS || self.photos.strangers.contains_key(who) {
            self.photos.strangers.insert(who.clone(), Some(id.clone()));
            self.details_photo(who, id.clone());
            self.arrived_photo(id, bytes);
        }
    }

    fn arrived_photo(&mut self, id: PhotoId, bytes: Vec<u8>) {
        self.store(StoreRequest::PutPhoto(id.clone(), bytes.clone()));
        self.hold(id, bytes);
    }

    fn hold(&mut self, id: PhotoId, bytes: Vec<u8>) {
        let rest = self.time.at + REST;
        let photos = &mut self.photos;
        photos.fetching.remove(&id);
        let held = Arc::make_mut(&mut photos.held);
        if held.insert(id.clone(), bytes.into()).is_none() {
            photos.order.push_back(id);
        }
        let weight = |held: &BTreeMap<PhotoId, Arc<[u8]>>| held.values().map(|it| it.len()).sum();
        let mut bytes: usize = weight(held);
        while photos.order.len() > HELD || bytes > HELD_BYTES {
            let Some(oldest) = photos.order.pop_front() else { break };
            bytes -= held.remove(&oldest).map_or(0, |it| it.len());
            photos.rested.insert(oldest, rest);
        }
    }

    /// Which picture is whose, by the person: for those who are not on the contact list.
    pub fn photo_id(&self, who: &Jid) -> Option<PhotoId> {
        self.photo_of(&who.bare())
    }

    /// A new connection: what was not to be had may be there now.
    pub(crate) fn photos_again(&mut self) {
        let photos = &mut self.photos;
        photos.fetching.clear();
        photos.failed.clear();
        photos.publishers.clear();
        photos.strangers.retain(|_, id| id.is_some());
    }

    // ---- our own ---------------------------------------------------------------------------

    /// Uses this picture as our own, or none.
    ///
    /// # Errors
    /// In words, with the remedy: no picture that others can show, too large, no connection.
    pub fn publish_photo(&mut self, bytes: Option<Vec<u8>>, now: Moment) -> Result<(), String> {
        self.time = now;
        if self.full.is_none() {
            return Err("Chat is not connected at this moment. Try again when it is.".to_owned());
        }
        let picture = match bytes {
            None => None,
            Some(bytes) => Some((fit_to_publish(&bytes)?.to_owned(), bytes)),
        };
        let mut metadata = element("metadata", ns::AVATAR_METADATA, &[]);
        let mut version = "none".to_owned();
        if let Some((kind, bytes)) = &picture {
            version = hash(bytes).0;
            let data = Data { data: bytes.clone() }.into();
            self.publish_item(ns::AVATAR_DATA, &version, data);
            let size = bytes.len().to_string();
            let told = [("bytes", size.as_str()), ("id", &version), ("type", kind)];
            metadata.append_child(element("info", ns::AVATAR_METADATA, &told));
        }
        self.publish_item(ns::AVATAR_METADATA, &version, metadata);
        if !self.services.account.contains(CONVERSION) {
            let question =
                asking::Question::Photo(self.me.clone(), Question::OwnCard(picture.clone()));
            self.ask_get(None, element("vCard", ns::VCARD, &[]), question);
        }
        match picture {
            Some((_, bytes)) => {
                let id = hash(&bytes);
                self.arrived_photo(id.clone(), bytes);
                self.own_photo_is(Some(id));
            }
            None => self.own_photo_is(None),
        }
        Ok(())
    }

    fn publish_item(&mut self, node: &str, id: &str, payload: Element) {
        let mut item = element("item", ns::PUBSUB, &[("id", id)]);
        item.append_child(payload);
        let publish = element("publish", ns::PUBSUB, &[("node", node)]);
        let question = asking::Question::Photo(self.me.clone(), Question::Published);
        self.ask_set(None, within("pubsub", publish, item), question);
    }

    fn set_card(&mut self, card: Option<Element>, picture: Option<(String, Vec<u8>)>) {
        let card = card.filter(|card| card.is("vCard", ns::VCARD));
        let mut new = element("vCard", ns::VCARD, &[]);
        let kept = card.iter().flat_map(Element::children);
        for child in kept.filter(|child| !child.is("PHOTO", ns::VCARD)) {
            new.append_child(child.clone());
        }
        if let Some((kind, bytes)) = picture {
            let data = xmpp_parsers::vcard::Binval { data: bytes };
            let type_ = xmpp_parsers::vcard::Type { data: kind };
            new.append_child(CardPhoto { type_, binval: data }.into());
        }
        let question = asking::Question::Photo(self.me.clone(), Question::CardSet);
        self.ask_set(None, new, question);
    }

    fn own_photo_is(&mut self, id: Option<PhotoId>) {
        if self.photos.own == id {
            return;
        }
        self.photos.own = id;
        let shown = self.told.clone().filter(|shown| !crate::presence::hides(shown));
        if let Some(shown) = shown {
            let presence = self.presence_stanza(&shown);
            self.send(Stanza::Presence(presence));
        }
    }

    fn photo_refused(&mut self) {
        let problem = Problem::new(
            Area::Provisioning,
            Owner::Server,
            "The chat server did not take the new picture everywhere it is looked for.",
            "Try a smaller picture; if it stays, ask who runs the chat server.",
        );
        self.notice(NoticeBody::Diagnostic { problem: Box::new(problem) });
    }

    /// What our presence says of our picture (XEP-0153): nothing while we do not know.
    pub(crate) fn photo_update(&self) -> Option<Element> {
        let id = self.photos.own.as_ref()?;
        let mut update = element("x", ns::VCARD_UPDATE, &[]);
        let mut photo = element("photo", ns::VCARD_UPDATE, &[]);
        photo.append_text_node(id.0.clone());
        update.append_child(photo);
        Some(update)
    }
}

/// The kind of a picture that may be published.
fn fit_to_publish(bytes: &[u8]) -> Result<&'static str, String> {
    let kind = kind(bytes).filter(|kind| matches!(*kind, "image/png" | "image/jpeg"));
    let kind = kind.ok_or("This file is no PNG and no JPEG picture. Choose another one.")?;
    if bytes.len() > LARGEST_OWN {
        return Err(format!(
            "The picture has {} KiB; servers take {} KiB. Make it smaller, 192 by 192 pixels are \
             enough.",
            bytes.len().div_ceil(1024),
            LARGEST_OWN / 1024
        ));
    }
    Ok(kind)
}

fn within(outer: &str, mut middle: Element, inner: Element) -> Element {
    middle.append_child(inner);
    let mut outer = element(outer, ns::PUBSUB, &[]);
    outer.append_child(middle);
    outer
}

/// One picture of those on offer, if we would take it. Those that lie on the web are not: fetching
/// them would tell that server who looks.
fn info(info: &Element) -> Option<PhotoId> {
    if !info.is("info", ns::AVATAR_METADATA) || info.attr("url").is_some() {
        return None;
    }
    let size: usize = info.attr("bytes")?.parse().ok()?;
    id(info.attr("id")?).filter(|_| size <= LARGEST)
}

/// A SHA-1 in hex; anything else, the empty text too, is no picture.
fn id(text: &str) -> Option<PhotoId> {
    let is = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is.then(|| PhotoId(text.to_ascii_lowercase()))
}

/// The picture in a card.
fn picture(card: &Element) -> Option<Vec<u8>> {
    let photo = card.get_child("PHOTO", ns::VCARD)?;
    let value = photo.get_child("BINVAL", ns::VCARD)?;
    let bytes = xmpp_parsers::vcard::Binval::try_from(value.clone()).ok()?.data;
    is_photo(&bytes).then_some(bytes)
}

fn is_photo(bytes: &[u8]) -> bool {
    bytes.len() <= LARGEST && kind(bytes).is_some()
}

/// The media type by the first bytes, whatever the sender calls it.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn hash(bytes: &[u8]) -> PhotoId {
    use std::fmt::Write;
    let digest = Sha1::digest(bytes);
    let mut text = String::with_capacity(40);
    for byte in digest {
        let _ = write!(text, "{byte:02x}");
    }
    PhotoId(text)
}
