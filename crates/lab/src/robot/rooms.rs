//! The robot in rooms: it sits in the persistent one, comes when it is invited, and makes an ad hoc
//! room for who asks it to.

use std::collections::BTreeMap;

use crate::xml::Element;
use crate::xmpp::rooms::{LASTING, host};
use crate::xmpp::roster::plain;
use crate::xmpp::router::Jid;

const MUC: &str = "http://jabber.org/protocol/muc";
const USER: &str = "http://jabber.org/protocol/muc#user";
const OWNER: &str = "http://jabber.org/protocol/muc#owner";
const DELAY: &str = "urn:xmpp:delay";
/// Rooms it is in because of somebody.
const MAX_ROOMS: usize = 50;

/// What it has to do with rooms.
#[derive(Debug)]
pub(super) struct Inside {
    /// Its bare address, which is its nickname, too.
    me: String,
    domain: String,
    /// Rooms it is in because of somebody, and whom. It leaves with them.
    with: BTreeMap<String, String>,
}

impl Inside {
    pub(super) fn new(me: &str, domain: &str) -> Self {
        Self { me: me.to_owned(), domain: domain.to_owned(), with: BTreeMap::new() }
    }

    /// Into the room that is always there.
    pub(super) fn sit_down(&self) -> Element {
        self.enter(&format!("{LASTING}@{}", host(&self.domain, 1)))
    }

    fn enter(&self, room: &str) -> Element {
        Element::stanza("presence")
            .with("to", &format!("{room}/{}", self.me))
            .child(Element::new("x", MUC).child(plain("history").with("maxstanzas", "0")))
    }

    /// Makes an ad hoc room and asks somebody in.
    pub(super) fn invite(&mut self, who: &str) -> Vec<Element> {
        if self.with.len() >= MAX_ROOMS {
            return Vec::new();
        }
        let number = u64::from_str_radix(&crate::random::hex::<6>(), 16).unwrap_or(1);
        let room = format!("chat{number}@{}", host(&self.domain, 1));
        self.with.insert(room.clone(), who.to_owned());
        let form = Element::new("x", "jabber:x:data").with("type", "submit");
        let invite = plain("invite").with("to", who).child(plain("reason").text("A talk"));
        vec![
            self.enter(&room),
            Element::stanza("iq")
                .with("type", "set")
                .with("id", &crate::random::hex::<4>())
                .with("to", &room)
                .child(Element::new("query", OWNER).child(form)),
            Element::stanza("message")
                .with("type", "groupchat")
                .with("to", &room)
                .child(plain("subject").text("A talk")),
            Element::stanza("message")
                .with("to", &room)
                .child(Element::new("x", USER).child(invite)),
        ]
    }

    /// Programs come at once where they are invited.
    pub(super) fn invited(&mut self, message: &Element) -> Option<Element> {
        let room = message.attribute("from").map(Jid::new).filter(|it| it.resource.is_none())?;
        let by = message
            .find("x", USER)?
            .elements()
            .find(|it| it.local() == "invite")?
            .attribute("from")?;
        if self.with.len() >= MAX_ROOMS {
            return None;
        }
        self.with.insert(room.bare.clone(), Jid::new(by).bare);
        Some(self.enter(&room.bare))
    }

    /// Somebody came or left.
    pub(super) fn presence(&mut self, presence: &Element) -> Option<Element> {
        let from = presence.attribute("from").map(Jid::new)?;
        let item = presence.find("x", USER)?.elements().find(|it| it.local() == "item")?;
        let who = Jid::new(item.attribute("jid")?).bare;
        if self.with.get(&from.bare) != Some(&who) {
            return None;
        }
        match presence.attribute("type") {
            None => Some(Self::say(&from.bare, "Good that you are here.")),
            Some("unavailable") => {
                self.with.remove(&from.bare);
                let to = format!("{}/{}", from.bare, self.me);
                Some(Element::stanza("presence").with("type", "unavailable").with("to", &to))
            }
            Some(_) => None,
        }
    }

    /// What it says to what was said. Nothing to itself, to the replay and to other robots.
    pub(super) fn heard(
        &self,
        message: &Element,
        is_robot: impl Fn(&str) -> bool,
    ) -> Option<Element> {
        let from = message.attribute("from").map(Jid::new)?;
        let nick = from.resource?;
        let name = nick.split('@').next().unwrap_or_default();
        let old = message.find("delay", DELAY).is_some();
        let body = message.child_text("body").filter(|_| !old && !is_robot(name))?;
        Some(Self::say(&from.bare, &format!("You said: {body}")))
    }

    fn say(room: &str, text: &str) -> Element {
        Element::stanza("message")
            .with("type", "groupchat")
            .with("to", room)
            .with("id", &crate::random::uuid())
            .child(plain("body").text(text))
    }
}
