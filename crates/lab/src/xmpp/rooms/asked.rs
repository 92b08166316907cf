//! What hosts and rooms answer: discovery and the owner's form (XEP-0045 sections 6 and 10).

use super::{ADMIN, HISTORY, Jid, MUC, OWNER, Post, Room, Rooms, missing, refusal};
use crate::xml::Element;
use crate::xmpp::iq::result;
use crate::xmpp::roster::plain;

const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
const PERSISTENT: &str = "http://www.jabber.com/schemas/muc#persistent";
/// Named among the features; its form at the vendor's is not public, so it is not built here.
const SEARCH: &str = "jabber:iq:search";
const FORM: &str = "jabber:x:data";
const ROOM_CONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";

/// Longest name of a room.
const MAX_NAME: usize = 1023;

impl Rooms {
    /// Answers a request; last in the post is the answer itself.
    pub(super) fn question(&mut self, from: &Jid, to: &Jid, iq: &Element) -> Post {
        if !matches!(iq.attribute("type"), Some("get" | "set")) {
            return Vec::new();
        }
        let mut post = Vec::new();
        let answer = self.answer(from, to, iq, &mut post);
        post.push((from.clone(), answer.unwrap_or_else(|no| no)));
        post
    }

    fn answer(
        &mut self,
        from: &Jid,
        to: &Jid,
        iq: &Element,
        post: &mut Post,
    ) -> Result<Element, Element> {
        if self.missing.as_deref() == Some(to.domain()) {
            return Err(missing(iq));
        }
        let Some(request) = iq.elements().next() else {
            return Err(refusal(iq, "modify", "bad-request", "400"));
        };
        if !to.bare.contains('@') {
            return self.host_answers(&to.bare, iq, request);
        }
        let Some(room) = self.rooms.get_mut(&to.bare) else { return Err(missing(iq)) };
        if let Some(nick) = &to.resource {
            return room.occupant_answers(from, nick, iq, request);
        }
        let set = iq.attribute("type") == Some("set");
        match (request.local(), request.namespace()) {
            ("query", DISCO_INFO) if !set => Ok(result(iq).child(room.info())),
            ("query", DISCO_ITEMS) if !set => {
                Ok(result(iq).child(Element::new("query", DISCO_ITEMS)))
            }
            ("query", OWNER | ADMIN) if !room.rules(from) => {
                Err(refusal(iq, "auth", "forbidden", "403"))
            }
            ("query", OWNER) if room.rights_of(&from.bare) != "owner" => {
                Err(refusal(iq, "auth", "forbidden", "403"))
            }
            ("query", OWNER) if !set => {
                Ok(result(iq).child(Element::new("query", OWNER).child(room.form())))
            }
            ("query", OWNER) if request.find("destroy", OWNER).is_some() => {
                post.extend(room.close(request.find("destroy", OWNER)));
                self.rooms.remove(&to.bare);
                Ok(result(iq))
            }
            ("query", OWNER) => {
                post.extend(room.furnish(from, request));
                Ok(result(iq))
            }
            ("query", ADMIN) if !set => Ok(result(iq).child(room.list(request))),
            ("query", ADMIN) => room.rule(from, iq, request, post),
            _ => Err(refusal(iq, "cancel", "service-unavailable", "503")),
        }
    }

    fn host_answers(&self, host: &str, iq: &Element, asked: &Element) -> Result<Element, Element> {
        // The vendor's clients name the host as the node, too.
        let known = asked.attribute("node").is_none_or(|node| node.eq_ignore_ascii_case(host));
        match (asked.local(), asked.namespace()) {
            ("query", DISCO_INFO | DISCO_ITEMS) if !known => Err(missing(iq)),
            ("query", DISCO_INFO) => {
                let query = identity("Text conferencing");
                let features = [DISCO_INFO, DISCO_ITEMS, MUC, SEARCH, HISTORY, PERSISTENT];
                Ok(result(iq).child(features.iter().fold(query, |query, it| feature(query, it))))
            }
            ("query", DISCO_ITEMS) => {
                let listed = self
                    .rooms
                    .values()
                    .filter(|room| room.persistent && room.jid.rsplit('@').next() == Some(host));
                let query = Element::new("query", DISCO_ITEMS);
                Ok(result(iq).child(listed.fold(query, |query, room| {
                    query.child(plain("item").with("jid", &room.jid).with("name", &room.name))
                })))
            }
            ("ping", "urn:xmpp:ping") => Ok(result(iq)),
            ("query", SEARCH) => Err(refusal(iq, "cancel", "feature-not-implemented", "501")),
            _ => Err(refusal(iq, "cancel", "service-unavailable", "503")),
        }
    }
}

fn identity(name: &str) -> Element {
    Element::new("query", DISCO_INFO).child(
        plain("identity").with("category", "conference").with("type", "text").with("name", name),
    )
}

fn feature(query: Element, name: &str) -> Element {
    query.child(plain("feature").with("var", name))
}

fn field(name: &str, kind: &str, value: &str) -> Element {
    plain("field").with("var", name).with("type", kind).child(plain("value").text(value))
}

fn flag(yes: bool) -> &'static str {
    if yes { "1" } else { "0" }
}

impl Room {
    fn info(&self) -> Element {
        let lasts = if self.persistent { "muc_persistent" } else { "muc_temporary" };
        let open = if self.members_only { "muc_membersonly" } else { "muc_open" };
        let features = [MUC, lasts, open, "muc_nonanonymous", "muc_unmoderated"];
        features.iter().fold(identity(&self.name), |query, it| feature(query, it))
    }

    fn form(&self) -> Element {
        Element::new("x", FORM)
            .with("type", "form")
            .child(field("FORM_TYPE", "hidden", ROOM_CONFIG))
            .child(field("muc#roomconfig_roomname", "text-single", &self.name))
            .child(field("muc#roomconfig_persistentroom", "boolean", flag(self.persistent)))
            .child(field("muc#roomconfig_membersonly", "boolean", flag(self.members_only)))
    }

    /// Takes the owner's form, and opens a room that is new.
    fn furnish(&mut self, owner: &Jid, query: &Element) -> Post {
        let Some(form) = query.find("x", FORM) else { return Vec::new() };
        if form.attribute("type") == Some("cancel") {
            let unmade = std::mem::take(&mut self.locked);
            return if unmade { self.leave(owner) } else { Vec::new() };
        }
        let value = |name: &str| {
            let field = form.elements().find(|it| it.attribute("var") == Some(name))?;
            field.child_text("value")
        };
        let on = |name: &str| value(name).map(|it| matches!(it.trim(), "1" | "true"));
        if let Some(name) = value("muc#roomconfig_roomname").filter(|it| it.len() <= MAX_NAME) {
            self.name = name;
        }
        self.persistent = on("muc#roomconfig_persistentroom").unwrap_or(self.persistent);
        self.members_only = on("muc#roomconfig_membersonly").unwrap_or(self.members_only);
        if std::mem::take(&mut self.locked) {
            return Vec::new();
        }
        let x = Element::new("x", super::USER).child(plain("status").with("code", "104"));
        let changed =
            Element::stanza("message").with("type", "groupchat").with("from", &self.jid).child(x);
        self.tell_all(&changed)
    }

    /// A question to an occupant; pings are answered here (XEP-0410 section 3.2).
    fn occupant_answers(
        &self,
        from: &Jid,
        nick: &str,
        iq: &Element,
        asked: &Element,
    ) -> Result<Element, Element> {
        if self.at(from).is_none() {
            return Err(refusal(iq, "modify", "not-acceptable", "406"));
        }
        if self.named(nick).is_none() {
            return Err(missing(iq));
        }
        if asked.is("ping", "urn:xmpp:ping") {
            return Ok(result(iq));
        }
        Err(refusal(iq, "cancel", "service-unavailable", "503"))
    }
}
