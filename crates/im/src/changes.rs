//! Stanzas of answers, corrections, reactions and retractions, without address and id, and how those
//! that wait are kept over a restart.

use offhook_model::{Jid, Message, MessageId, Secret};
use offhook_ports::StoreRequest;
use xmpp_parsers::message::Message as Wire;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::oob::Oob;

use crate::Im;
use crate::content::{FALLBACK, REPLY, RETRACT};
use crate::outbox::Parcel;
use crate::stanza::element;

/// XEP-0334.
const HINTS: &str = "urn:xmpp:hints";

/// How much of an answered message is quoted, in characters.
const QUOTE: usize = 500;

/// Names private values that hold a change.
const KEPT: &str = "change:";

/// What clients say that know no retraction.
const TAKEN_BACK: &str = "(A message was taken back, which this program cannot show.)";

/// A message as it goes out.
pub(crate) fn plain(message: &Message) -> Wire {
    let wire = Wire::chat(None).with_body("".into(), message.body.clone());
    match message.more.attachment.as_ref().and_then(|file| file.url.clone()) {
        // XEP-0363 section 5: a file is the text that is nothing but its link, and the same link
        // out of band.
        Some(url) if url == message.body => wire.with_payload(Oob { url, desc: None }),
        Some(_) | None => wire,
    }
}

/// A message that answers another one, which is quoted for clients that do not know answers.
pub(crate) fn reply(id: &str, to: &Jid, answered: &str, message: &Message) -> Wire {
    let quoted: String = answered.chars().take(QUOTE).collect();
    let quote: String = quoted.lines().map(|line| format!("> {line}\n")).collect();
    let end = quote.chars().count().to_string();
    let body = element("body", FALLBACK, &[("start", "0"), ("end", &end)]);
    let reply = element("reply", REPLY, &[("to", &to.to_string()), ("id", id)]);
    let mut wire = Wire::chat(None).with_body("".into(), format!("{quote}{}", message.body));
    wire.payloads.push(reply);
    if !quote.is_empty() {
        wire.payloads.push(fallback(REPLY, body));
    }
    wire
}

/// What makes a message a correction.
pub(crate) fn replace(id: &str) -> Element {
    element("replace", ns::MESSAGE_CORRECT, &[("id", id)])
}

/// Reactions.
pub(crate) fn reactions(id: &str, emoji: &[String]) -> Wire {
    let mut reactions = element("reactions", ns::REACTIONS, &[("id", id)]);
    for one in emoji {
        let reaction = Element::builder("reaction", ns::REACTIONS).append(one.as_str());
        reactions.append_child(reaction.build());
    }
    let mut wire = Wire::chat(None);
    wire.payloads.extend([reactions, store()]);
    wire
}

/// A retraction.
pub(crate) fn retract(id: &str) -> Wire {
    let retract = element("retract", RETRACT, &[("id", id)]);
    let mut wire = Wire::chat(None).with_body("".into(), TAKEN_BACK.into());
    let body = Element::bare("body", FALLBACK);
    wire.payloads.extend([retract, fallback(RETRACT, body), store()]);
    wire
}

fn fallback(of: &str, body: Element) -> Element {
    let mut fallback = element("fallback", FALLBACK, &[("for", of)]);
    fallback.append_child(body);
    fallback
}

/// Archives and copies take it though it may have no text (XEP-0334 section 4.4).
fn store() -> Element {
    Element::bare("store", HINTS)
}

impl Im {
    /// Keeps a change until the server has it.
    pub(crate) fn keep_change(&mut self, id: &MessageId, with: &Jid, wire: Wire) {
        let written = self.time.wall.0;
        let value = format!("{written} {with}\n{}", String::from(&Element::from(wire)));
        self.store(StoreRequest::PutValue(format!("{KEPT}{id}"), Some(Secret::new(value))));
    }

    /// A kept change is no longer needed.
    pub(crate) fn forget_change(&mut self, id: &str) {
        self.store(StoreRequest::PutValue(format!("{KEPT}{id}"), None));
    }
}

/// The changes among kept values, each with the time it was made.
pub(crate) fn kept(values: &[(String, Secret<String>)]) -> Vec<(i64, MessageId, Jid, Parcel)> {
    let mut changes: Vec<_> =
        values.iter().filter_map(|(key, value)| one_kept(key, value)).collect();
    changes.sort_by_key(|(written, ..)| *written);
    changes
}

fn one_kept(key: &str, value: &Secret<String>) -> Option<(i64, MessageId, Jid, Parcel)> {
    let id = MessageId(key.strip_prefix(KEPT)?.to_owned());
    let (head, stanza) = value.expose().split_once('\n')?;
    let (written, with) = head.split_once(' ')?;
    let wire = Wire::try_from(stanza.parse::<Element>().ok()?).ok()?;
    Some((written.parse().ok()?, id, with.parse().ok()?, Parcel::Change(Box::new(wire))))
}
