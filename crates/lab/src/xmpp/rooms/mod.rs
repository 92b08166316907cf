//! Text conferencing as the IM and Presence servers have it (XEP-0045 in the vendor's dialect):
//! two hosts of one domain, ad hoc rooms `chat<digits>` and persistent rooms `pchatroom<digits>`.
//!
//! Rooms take stanzas and give stanzas; who gets them is the router's business.

mod asked;
mod entering;
mod ruling;
mod said;

use std::collections::{BTreeMap, VecDeque};

use super::roster::plain;
use super::router::{Jid, State, error};
use crate::xml::{Element, Node};

const MUC: &str = "http://jabber.org/protocol/muc";
const USER: &str = "http://jabber.org/protocol/muc#user";
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
const OWNER: &str = "http://jabber.org/protocol/muc#owner";
/// Mark of replayed messages.
const HISTORY: &str = "http://www.jabber.com/protocol/muc#history";

/// The rooms that are there from the start: host, local part, name.
const READY: [(usize, &str, &str); 2] = [(1, LASTING, "Canteen"), (2, "pchatroom2001", "Archive")];
/// The persistent room on the first host in which the robot sits.
pub(crate) const LASTING: &str = "pchatroom1001";

/// Rooms kept.
const MAX_ROOMS: usize = 1000;
/// Occupants of one room.
const MAX_OCCUPANTS: usize = 1000;
/// Messages replayed to who enters.
const REPLAYED: usize = 20;

/// Stanzas and who gets each: a connection, or all of an account where there is no resource.
type Post = Vec<(Jid, Element)>;

/// A host of rooms, by its number.
pub(crate) fn host(domain: &str, number: usize) -> String {
    format!("conference-{number}-standalonecluster0a1b2.{domain}").to_ascii_lowercase()
}

/// All rooms of a deployment.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    hosts: Vec<String>,
    /// A host that answers every question with 404.
    missing: Option<String>,
    rooms: BTreeMap<String, Room>,
}

/// One room.
#[derive(Debug, Default)]
struct Room {
    jid: String,
    name: String,
    /// The topic, and who set it.
    subject: Option<(String, String)>,
    persistent: bool,
    members_only: bool,
    /// Made, and its owner has not sent the form back yet (XEP-0045 section 10.1).
    locked: bool,
    /// Lasting rights by bare address.
    rights: BTreeMap<String, &'static str>,
    occupants: Vec<Occupant>,
    said: VecDeque<Said>,
}

#[derive(Debug, Clone)]
struct Occupant {
    nick: String,
    jid: Jid,
    role: &'static str,
    /// What the presence holds, without what is the room's to say.
    presence: Vec<Node>,
}

/// A message that was said.
#[derive(Debug)]
struct Said {
    stanza: Element,
    stamp: String,
    /// The writer's bare address.
    by: String,
}

impl Rooms {
    /// Both hosts of a domain, with the rooms that are always there.
    pub(crate) fn of(domain: &str, missing: bool) -> Self {
        let hosts: Vec<String> = (1..=2).map(|number| host(domain, number)).collect();
        let ready = READY.iter().map(|(number, local, name)| {
            let jid = format!("{local}@{}", host(domain, *number));
            let name = (*name).to_owned();
            (jid.clone(), Room { jid, name, persistent: true, ..Room::default() })
        });
        let missing = hosts.last().filter(|_| missing).cloned();
        Self { missing, rooms: ready.collect(), hosts }
    }

    /// Whether the address is of a host or of one of its rooms.
    pub(crate) fn serve(&self, to: &Jid) -> bool {
        self.hosts.iter().any(|host| host == to.domain())
    }

    /// The hosts beside a server; none for anything else.
    pub(super) fn hosts(&self, server: Option<&Jid>) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str).filter(move |host| {
            let beside = host.split_once('.').map(|(_, domain)| domain);
            server.is_some_and(|server| beside == Some(server.bare.as_str()))
        })
    }

    /// An ad hoc room ends with its last occupant.
    fn sweep(&mut self) {
        self.rooms.retain(|_, room| room.persistent || !room.occupants.is_empty());
    }
}

impl Room {
    fn rights_of(&self, bare: &str) -> &'static str {
        self.rights.get(bare).copied().unwrap_or("none")
    }

    fn at(&self, who: &Jid) -> Option<&Occupant> {
        self.occupants.iter().find(|it| it.jid == *who)
    }

    fn named(&self, nick: &str) -> Option<&Occupant> {
        self.occupants.iter().find(|it| it.nick == nick)
    }

    /// Whether this person may change the room and those in it.
    fn rules(&self, who: &Jid) -> bool {
        matches!(self.rights_of(&who.bare), "owner" | "admin")
            || self.at(who).is_some_and(|it| it.role == "moderator")
    }

    fn item(&self, occupant: &Occupant) -> Element {
        plain("item")
            .with("jid", &occupant.jid.full())
            .with("affiliation", self.rights_of(&occupant.jid.bare))
            .with("role", occupant.role)
    }

    /// The presence of an occupant for one who is in.
    fn shown(&self, occupant: &Occupant, viewer: &Jid, codes: &[u16]) -> Element {
        let mut presence =
            Element::stanza("presence").with("from", &format!("{}/{}", self.jid, occupant.nick));
        presence.children.clone_from(&occupant.presence);
        let own = (occupant.jid == *viewer).then_some(&110);
        presence.child(word(self.item(occupant), codes.iter().chain(own)))
    }

    /// The presence of an occupant for everybody.
    fn show(&self, occupant: &Occupant) -> Post {
        let to = |it: &Occupant| (it.jid.clone(), self.shown(occupant, &it.jid, &[]));
        self.occupants.iter().map(to).collect()
    }

    fn tell_all(&self, stanza: &Element) -> Post {
        self.occupants.iter().map(|it| (it.jid.clone(), stanza.clone())).collect()
    }
}

/// What a room says about an occupant.
fn word<'a>(item: Element, codes: impl Iterator<Item = &'a u16>) -> Element {
    codes.fold(Element::new("x", USER).child(item), |x, code| {
        x.child(plain("status").with("code", &code.to_string()))
    })
}

/// An error with the number of old, which the vendor's servers give too.
fn refusal(to: &Element, kind: &str, condition: &str, code: &str) -> Element {
    let mut reply = error(to, kind, condition);
    for node in &mut reply.children {
        if let Node::Element(error) = node {
            error.set("code", code);
        }
    }
    reply
}

fn missing(to: &Element) -> Element {
    refusal(to, "cancel", "item-not-found", "404")
}

impl State {
    /// A stanza for a room or its host.
    pub(super) fn ask_rooms(&mut self, from: &Jid, stanza: &Element) {
        let to = Jid::new(stanza.attribute("to").unwrap_or_default());
        let post = match stanza.local() {
            "presence" => self.rooms.presence(from, &to, stanza),
            "message" => self.rooms.message(from, &to, stanza),
            _ => self.rooms.question(from, &to, stanza),
        };
        self.rooms.sweep();
        self.post(post);
    }

    /// A connection is gone or hides.
    pub(super) fn leave_rooms(&mut self, who: &Jid) {
        let post = self.rooms.leave_all(who);
        self.rooms.sweep();
        self.post(post);
    }

    fn post(&mut self, post: Post) {
        for (to, stanza) in post {
            match to.resource {
                Some(_) => self.deliver(&to, stanza),
                None => self.deliver_to_available(&to.bare, &stanza),
            }
        }
    }
}
