//! What a message stanza says beside its address: text, rich text, what it answers, a file, a label;
//! or what it changes of an earlier message. Everything in it is the sender's word: whether the
//! sender may say so is judged in `amending` and `taking`.

use offhook_model::{Attachment, Jid, file_name_of_link};
use xmpp_parsers::message::Message as Wire;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

use crate::text::{cut, emoji, one_line, shown};
use crate::xhtml;

/// XEP-0461.
pub(crate) const REPLY: &str = "urn:xmpp:reply:0";
/// XEP-0428.
pub(crate) const FALLBACK: &str = "urn:xmpp:fallback:0";
/// XEP-0424 from version 0.4 on.
pub(crate) const RETRACT: &str = "urn:xmpp:message-retract:1";
/// XEP-0424 before, inside XEP-0422.
const RETRACT_0: &str = "urn:xmpp:message-retract:0";
const FASTEN: &str = "urn:xmpp:fasten:0";
/// XEP-0425 from version 0.3 on.
const MODERATE: &str = "urn:xmpp:message-moderate:1";
/// XEP-0258.
const LABEL: &str = "urn:xmpp:sec-label:0";
/// XEP-0372.
const REFERENCE: &str = "urn:xmpp:reference:0";

/// Longest text that is kept, in characters.
pub(crate) const BODY: usize = 65_536;

/// Largest rich text that is kept, in bytes.
const HTML: usize = 65_536;

/// Longest label, in characters.
const LABEL_LENGTH: usize = 200;

/// Longest address of a file, in bytes.
const URL: usize = 4_096;

/// How many pieces of a text may be marked as a fallback.
const RANGES: usize = 16;

/// Longest id that is believed, in bytes.
const ID: usize = 1_024;

/// How many emoji one person may put under a message.
pub(crate) const EMOJI: usize = 20;

/// What a message with text says.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Plain text without what only stands there for clients that know less.
    pub(crate) body: String,
    /// It was longer than [`BODY`].
    pub(crate) cut: bool,
    /// Inner XML of the XHTML-IM body.
    pub(crate) html: Option<String>,
    /// The id of the answered message on the wire, and its writer.
    pub(crate) reply: Option<(String, Option<Jid>)>,
    /// A file at a server.
    pub(crate) attachment: Option<Attachment>,
    /// Display marking.
    pub(crate) label: Option<String>,
    /// Whom it names by address.
    pub(crate) references: Vec<Jid>,
}

/// A change of an earlier message, with the id by which the stanza names that message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The stanza's text replaces that of the message (XEP-0308).
    Replace(String),
    /// It is taken back (XEP-0424).
    Retract(String),
    /// The sender's reactions from now on (XEP-0444).
    React(String, Vec<String>),
}

/// The text of a stanza and what goes with it; nothing when it has none.
pub(crate) fn read(wire: &Wire) -> Option<Content> {
    let (_, raw) = wire.get_best_body(Vec::new())?;
    let reply = reply(wire);
    let stripped = match &reply {
        Some(_) => without_fallback(wire, raw, REPLY),
        None => raw.clone(),
    };
    let (body, cut) = cut(shown(&stripped), BODY);
    if body.is_empty() {
        return None;
    }
    let attachment = attachment(wire, &body);
    Some(Content {
        body,
        cut,
        html: html(wire).filter(|_| !cut),
        reply,
        attachment,
        label: label(wire),
        references: references(wire),
    })
}

/// What the stanza changes.
pub(crate) fn change(wire: &Wire) -> Option<Change> {
    let find = |name, ns| wire.payloads.iter().find(|p| p.is(name, ns));
    let target = |element: &Element| usable(element.attr("id"));
    if let Some(retract) = find("retract", RETRACT) {
        return target(retract).map(Change::Retract);
    }
    if let Some(fasten) = find("apply-to", FASTEN).filter(|f| f.has_child("retract", RETRACT_0)) {
        return target(fasten).map(Change::Retract);
    }
    if let Some(replace) = find("replace", ns::MESSAGE_CORRECT) {
        return target(replace).map(Change::Replace);
    }
    let reactions = find("reactions", ns::REACTIONS)?;
    let chosen = reactions.children().filter(|c| c.is("reaction", ns::REACTIONS));
    Some(Change::React(target(reactions)?, emoji(chosen.map(Element::text), EMOJI)))
}

/// Whether the text of a stanza with a change is a message as well: that of reactions is one, unless
/// it only stands there for clients that do not know reactions.
pub(crate) fn speaks_beside(wire: &Wire, change: &Change) -> bool {
    match change {
        Change::React(..) => !fallbacks(wire, ns::REACTIONS).any(|_| true),
        Change::Replace(_) | Change::Retract(_) => false,
    }
}

/// The stanza stands in an archive for a message that was taken back: by a moderator's word, by its
/// writer.
pub(crate) fn tombstone(wire: &Wire) -> Option<Option<String>> {
    let retracted = wire
        .payloads
        .iter()
        .find(|p| p.is("retracted", RETRACT) || p.is("retracted", RETRACT_0))?;
    let reason = retracted.children().find(|c| c.name() == "reason").map(Element::text);
    let moderated = retracted.has_child("moderated", MODERATE);
    Some(reason.filter(|_| moderated).map(|reason| one_line(&reason, LABEL_LENGTH)))
}

/// The id that this archive gave the stanza (XEP-0359). Only for archives that are known to set it:
/// others pass on what the sender wrote.
pub(crate) fn archive_id(wire: &Wire, by: &Jid) -> Option<String> {
    wire.payloads
        .iter()
        .filter(|p| p.is("stanza-id", ns::SID))
        .find(|p| p.attr("by").and_then(|it| it.parse::<Jid>().ok()).is_some_and(|it| &it == by))
        .and_then(|p| usable(p.attr("id")))
}

/// The id the sender's client gave (XEP-0359).
pub(crate) fn origin_id(wire: &Wire) -> Option<String> {
    usable(wire.payloads.iter().find(|p| p.is("origin-id", ns::SID))?.attr("id"))
}

fn usable(id: Option<&str>) -> Option<String> {
    id.filter(|id| !id.is_empty() && id.len() <= ID).map(str::to_owned)
}

fn reply(wire: &Wire) -> Option<(String, Option<Jid>)> {
    let reply = wire.payloads.iter().find(|p| p.is("reply", REPLY))?;
    let to = reply.attr("to").and_then(|to| to.parse().ok());
    Some((usable(reply.attr("id"))?, to))
}

fn fallbacks<'a>(wire: &'a Wire, of: &'a str) -> impl Iterator<Item = &'a Element> {
    wire.payloads.iter().filter(move |p| p.is("fallback", FALLBACK) && p.attr("for") == Some(of))
}

/// The text without the pieces that are marked as standing in for `of` (XEP-0428 section 2.3);
/// positions count characters.
fn without_fallback(wire: &Wire, body: &str, of: &str) -> String {
    let parts = fallbacks(wire, of).flat_map(Element::children);
    let parts = parts.filter(|part| part.is("body", FALLBACK)).take(RANGES);
    // A piece whose bounds cannot be read is none.
    let ranges: Vec<std::ops::Range<usize>> = parts
        .filter_map(|part| {
            let at = |name, without| {
                part.attr(name).map_or(Some(without), |value| value.parse::<usize>().ok())
            };
            Some(at("start", 0)?..at("end", usize::MAX)?)
        })
        .collect();
    let kept = body
        .chars()
        .enumerate()
        .filter(|(at, _)| !ranges.iter().any(|range| range.contains(at)))
        .map(|(_, c)| c);
    kept.collect()
}

/// The XHTML-IM body (XEP-0071) from within.
fn html(wire: &Wire) -> Option<String> {
    let html = wire.payloads.iter().find(|p| p.is("html", ns::XHTML_IM))?;
    let body = html.get_child("body", ns::XHTML)?;
    // Without attributes the tags around the content are known to the letter.
    let whole = String::from(&xhtml::clean(body));
    let inner = whole.strip_suffix("</body>")?;
    let inner = inner.get(inner.find('>')? + 1..)?;
    (!inner.is_empty() && inner.len() <= HTML).then(|| inner.to_owned())
}

/// A file at a server (XEP-0066, as XEP-0363 sends it): only where the text is its address and
/// nothing else, so that nobody hides a file behind harmless words.
fn attachment(wire: &Wire, body: &str) -> Option<Attachment> {
    let oob = wire.payloads.iter().find(|p| p.is("x", ns::OOB))?;
    let url = oob.get_child("url", ns::OOB)?.text();
    let url = url.trim();
    let good =
        url.len() <= URL && url.get(..8).is_some_and(|it| it.eq_ignore_ascii_case("https://"));
    if !good || body.trim() != url {
        return None;
    }
    Some(Attachment {
        name: file_name_of_link(url),
        url: Some(url.to_owned()),
        ..Attachment::default()
    })
}

/// What a labelled message is to be marked with (XEP-0258).
fn label(wire: &Wire) -> Option<String> {
    let label = wire.payloads.iter().find(|p| p.is("securitylabel", LABEL))?;
    let marking = one_line(&label.get_child("displaymarking", LABEL)?.text(), LABEL_LENGTH);
    (!marking.is_empty()).then_some(marking)
}

fn references(wire: &Wire) -> Vec<Jid> {
    let mentions = wire
        .payloads
        .iter()
        .filter(|p| p.is("reference", REFERENCE) && p.attr("type") == Some("mention"));
    mentions
        .take(RANGES)
        .filter_map(|p| p.attr("uri")?.strip_prefix("xmpp:")?.split('?').next()?.parse().ok())
        .collect()
}
