//! What is said in rooms and through them: messages, the topic, the replay, invitations
//! (XEP-0045 sections 7.4 to 7.8, 7.2.13 and 8.1).

use super::{HISTORY, Jid, Post, REPLAYED, Room, Rooms, Said, USER, missing, refusal};
use crate::xml::Element;
use crate::xmpp::roster::plain;
use crate::xmpp::stamp::now;

const DELAY: &str = "urn:xmpp:delay";
const OLD_DELAY: &str = "jabber:x:delay";
const DIRECT: &str = "jabber:x:conference";

impl Rooms {
    pub(super) fn message(&mut self, from: &Jid, to: &Jid, stanza: &Element) -> Post {
        let kind = stanza.attribute("type").unwrap_or("normal");
        if kind == "error" {
            return Vec::new();
        }
        let Some(room) = self.rooms.get_mut(&to.bare) else {
            return vec![(from.clone(), missing(stanza))];
        };
        let answer = match (kind, stanza.find("x", USER)) {
            ("groupchat", _) => room.said_by(from, to, stanza),
            (_, Some(x)) if to.resource.is_none() => room.passes_on(from, stanza, x),
            _ => room.whisper(from, to, stanza),
        };
        answer.unwrap_or_else(|no| vec![(from.clone(), no)])
    }
}

impl Room {
    fn said_by(&mut self, from: &Jid, to: &Jid, stanza: &Element) -> Result<Post, Element> {
        if to.resource.is_some() {
            return Err(refusal(stanza, "modify", "bad-request", "400"));
        }
        let Some(occupant) = self.at(from) else {
            return Err(refusal(stanza, "modify", "not-acceptable", "406"));
        };
        if occupant.role == "visitor" {
            return Err(refusal(stanza, "auth", "forbidden", "403"));
        }
        let nick = occupant.nick.clone();
        let mut copy = Element::stanza("message")
            .with("type", "groupchat")
            .with("from", &format!("{}/{nick}", self.jid));
        if let Some(id) = stanza.attribute("id") {
            copy.set("id", id);
        }
        // Nobody writes in the room's name.
        let forged = |it: &&Element| matches!(it.namespace(), DELAY | OLD_DELAY | USER | HISTORY);
        let copy = stanza.elements().filter(|it| !forged(it)).cloned().fold(copy, Element::child);
        if stanza.child_text("body").is_some() {
            self.said.push_back(Said { stanza: copy.clone(), stamp: now(), by: from.bare.clone() });
            if self.said.len() > REPLAYED {
                self.said.pop_front();
            }
        } else if let Some(subject) = stanza.child_text("subject") {
            self.subject = Some((nick, subject));
        }
        Ok(self.tell_all(&copy))
    }

    /// The topic, which also marks the end of the replay.
    pub(super) fn topic(&self) -> Element {
        let (from, text) = match &self.subject {
            Some((nick, text)) => (format!("{}/{nick}", self.jid), text.as_str()),
            None => (self.jid.clone(), ""),
        };
        Element::stanza("message")
            .with("type", "groupchat")
            .with("from", &from)
            .child(plain("subject").text(text))
    }

    /// What was said, oldest first, as far as it is wanted.
    pub(super) fn replay(&self, wanted: Option<&Element>) -> Vec<Element> {
        let limit = |name: &str| wanted?.attribute(name)?.parse::<usize>().ok();
        let most =
            if limit("maxchars") == Some(0) { 0 } else { limit("maxstanzas").unwrap_or(REPLAYED) };
        let since = wanted.and_then(|it| it.attribute("since")).unwrap_or_default();
        // Both are times of UTC to the second, which sort as text.
        let late: Vec<&Said> = self.said.iter().filter(|it| it.stamp.as_str() >= since).collect();
        let skip = late.len().saturating_sub(most);
        late.into_iter().skip(skip).map(|said| self.replayed(said)).collect()
    }

    fn replayed(&self, said: &Said) -> Element {
        let old = said.stamp.replace(['-', 'Z'], "");
        said.stanza
            .clone()
            .child(Element::new("delay", DELAY).with("from", &self.jid).with("stamp", &said.stamp))
            .child(Element::new("x", OLD_DELAY).with("from", &self.jid).with("stamp", &old))
            .child(Element::new("x", USER).child(plain("item").with("jid", &said.by)))
            .child(Element::new("x", HISTORY))
    }

    /// Invitations and refusals of them, which go through the room.
    fn passes_on(&mut self, from: &Jid, stanza: &Element, x: &Element) -> Result<Post, Element> {
        let mut post = Vec::new();
        for word in x.elements().filter(|it| matches!(it.local(), "invite" | "decline")).take(50) {
            let Some(to) = word.attribute("to").map(Jid::new) else { continue };
            let invites = word.local() == "invite";
            if invites && self.at(from).is_none() {
                return Err(refusal(stanza, "auth", "forbidden", "403"));
            }
            if invites && self.members_only && self.rights_of(&to.bare) == "none" {
                if !self.rules(from) {
                    return Err(refusal(stanza, "auth", "forbidden", "403"));
                }
                self.rights.insert(to.bare.clone(), "member");
            }
            let to = Jid { bare: to.bare, resource: None };
            post.push((to, self.passed_on(from, x, word)));
        }
        if post.is_empty() {
            return Err(refusal(stanza, "modify", "bad-request", "400"));
        }
        Ok(post)
    }

    fn passed_on(&self, from: &Jid, x: &Element, word: &Element) -> Element {
        let mut copy = plain(word.local()).with("from", &from.bare);
        let reason = word.child_text("reason");
        if let Some(reason) = &reason {
            copy = copy.child(plain("reason").text(reason));
        }
        let mut inner = Element::new("x", USER).child(copy);
        if let Some(password) = x.child_text("password") {
            inner = inner.child(plain("password").text(&password));
        }
        let message = Element::stanza("message").with("from", &self.jid).child(inner);
        if word.local() != "invite" {
            return message;
        }
        let text = reason.unwrap_or_default();
        message.child(Element::new("x", DIRECT).with("jid", &self.jid).text(&text))
    }

    /// A word to one occupant alone.
    fn whisper(&self, from: &Jid, to: &Jid, stanza: &Element) -> Result<Post, Element> {
        let Some(writer) = self.at(from) else {
            return Err(refusal(stanza, "modify", "not-acceptable", "406"));
        };
        let nick = to.resource.as_deref().unwrap_or_default();
        let Some(other) = self.named(nick) else { return Err(missing(stanza)) };
        let mut copy = stanza.clone();
        copy.set("from", &format!("{}/{}", self.jid, writer.nick));
        Ok(vec![(other.jid.clone(), copy)])
    }
}
