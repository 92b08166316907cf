//! What of a message is encrypted and what stays outside (XEP-0420, with the profile of XEP-0384).
//!
//! Outside stays only what servers need or what tells nothing of the contents: addresses, ids,
//! receipts and markers, chat states, storage hints. The text, what it answers, corrects, retracts or
//! reacts to, files and rich text are inside. Version 0.3 can only hold a text: there reactions and
//! retractions go in clear, as other programs of that version do (an id and an emoji), and of an
//! answer or a correction the id alone.

use offhook_model::{Jid, Timestamp};
use offhook_omemo::Entropy;
use xmpp_parsers::message::{Lang, Message as Wire};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

use super::names::{OLD, TWO};
use crate::stanza::element;

const SCE: &str = "urn:xmpp:sce:1";
const HINTS: &str = "urn:xmpp:hints";

/// Shown by programs that do not know the encryption.
const FALLBACK: &str = "This message is encrypted with OMEMO, which this program does not support.";

/// How much XML a decrypted text may hold; what nests deeper is no message.
const ELEMENTS: usize = 500;

/// Namespaces of what may stay outside, and of what counts from outside.
const OUTSIDE: [&str; 9] = [
    ns::RECEIPTS,
    ns::DISPLAYED_MARKERS,
    ns::CHATSTATES,
    ns::SID,
    ns::DELAY,
    ns::CARBONS,
    HINTS,
    "http://jabber.org/protocol/address",
    "jabber:x:delay",
];

/// Of these a message of version 0.3 keeps the outer element: they name an id.
const NAMED: [&str; 4] =
    [ns::MESSAGE_CORRECT, "urn:xmpp:reply:0", "urn:xmpp:fallback:0", "urn:xmpp:message-retract:1"];

fn stays(payload: &Element) -> bool {
    OUTSIDE.iter().any(|namespace| payload.has_ns(*namespace))
}

/// The inside of a message, as text.
pub(crate) fn seal(
    wire: &Wire,
    from: &Jid,
    to: &Jid,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> String {
    let mut content = element("content", SCE, &[]);
    for body in wire.bodies.values() {
        let mut child = element("body", ns::JABBER_CLIENT, &[]);
        child.append_text(body.as_str());
        content.append_child(child);
    }
    for payload in wire.payloads.iter().filter(|it| !stays(it)) {
        content.append_child(payload.clone());
    }
    let mut envelope = element("envelope", SCE, &[]);
    envelope.append_child(content);
    let mut pad = element("rpad", SCE, &[]);
    pad.append_text(padding(entropy));
    envelope.append_child(pad);
    let stamp = now.to_string();
    for (name, attribute, value) in
        [("from", "jid", from.bare_str()), ("to", "jid", to.bare_str()), ("time", "stamp", &stamp)]
    {
        envelope.append_child(element(name, SCE, &[(attribute, value)]));
    }
    String::from(&envelope)
}

/// Up to 200 characters, so that the length tells less (XEP-0420 section 6).
fn padding(entropy: &mut dyn Entropy) -> String {
    let mut chance = [0; 201];
    entropy.fill(&mut chance);
    let (first, rest) = chance.split_first().unwrap_or((&0, &[]));
    rest.iter().take(usize::from(*first) % 201).map(|it| char::from(b'a' + it % 26)).collect()
}

/// The outside: everything else is gone from it. `keep_named` leaves what names an id, for devices
/// of version 0.3.
pub(crate) fn outside(wire: &Wire, keep_named: bool, encrypted: Vec<Element>) -> Wire {
    let mut out = wire.clone();
    out.bodies.clear();
    out.subjects.clear();
    out.thread = None;
    let named = |it: &Element| NAMED.iter().any(|namespace| it.has_ns(*namespace));
    out.payloads.retain(|it| stays(it) || (keep_named && named(it)));
    if !wire.bodies.is_empty() {
        out.bodies.insert(Lang::new(), FALLBACK.to_owned());
    }
    let namespace = encrypted.first().map(Element::ns).unwrap_or_default();
    let hint = [("namespace", namespace.as_str()), ("name", "OMEMO")];
    out.payloads.extend(encrypted);
    out.payloads.push(element("encryption", ns::EME, &hint));
    out.payloads.push(element("store", HINTS, &[]));
    out
}

/// Puts what was inside in place of what stood outside. `None` when it is no envelope of `from`.
pub(crate) fn open(mut wire: Wire, text: &[u8], from: &Jid) -> Option<Wire> {
    let text = std::str::from_utf8(text).ok()?;
    if text.matches('<').count() > ELEMENTS || text.contains("<!") {
        return None;
    }
    let envelope: Element = text.parse().ok()?;
    if !envelope.is("envelope", SCE) {
        return None;
    }
    // Who wrote it is part of what is authenticated; a letter in another's envelope is no letter.
    if let Some(inner) = envelope.get_child("from", SCE) {
        let jid: Jid = inner.attr("jid")?.parse().ok()?;
        if jid.bare() != from.bare() {
            return None;
        }
    }
    wire.payloads.retain(stays);
    wire.bodies.clear();
    for child in envelope.get_child("content", SCE)?.children() {
        if child.is("body", ns::JABBER_CLIENT) {
            wire.bodies.insert(Lang::new(), child.text());
        } else if !stays(child) {
            wire.payloads.push(child.clone());
        }
    }
    Some(wire)
}

/// The same for version 0.3, whose inside is the text alone.
pub(crate) fn open_old(mut wire: Wire, text: &[u8]) -> Option<Wire> {
    let text = std::str::from_utf8(text).ok()?;
    let named = |it: &Element| NAMED.iter().any(|namespace| it.has_ns(*namespace));
    wire.payloads.retain(|it| stays(it) || named(it));
    wire.bodies.clear();
    wire.bodies.insert(Lang::new(), crate::chat::printable(text));
    Some(wire)
}

/// Whether there is anything encrypted in it, in a dialect we know.
pub(crate) fn encrypted(wire: &Wire) -> Option<(offhook_omemo::Dialect, &Element)> {
    let find = |namespace: &str| wire.payloads.iter().find(|it| it.is("encrypted", namespace));
    find(TWO)
        .map(|it| (offhook_omemo::Dialect::Two, it))
        .or_else(|| find(OLD).map(|it| (offhook_omemo::Dialect::Old, it)))
}

/// A sentence in place of what it said.
pub(crate) fn sentence(mut wire: Wire, sentence: &str) -> Wire {
    wire.payloads.retain(stays);
    wire.bodies.clear();
    wire.bodies.insert(Lang::new(), sentence.to_owned());
    wire
}

/// A message without content for a device.
pub(crate) fn empty(encrypted: Element) -> Wire {
    let mut wire = Wire::chat(None);
    wire.payloads.push(encrypted);
    wire.payloads.push(element("store", HINTS, &[]));
    wire
}
