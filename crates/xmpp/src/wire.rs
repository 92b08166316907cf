//! Stanzas to and from XML.

use offhook_im::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::Jid;
use xmpp_parsers::message::Message;
use xmpp_parsers::minidom::rxml::writer::SimpleNamespaces;
use xmpp_parsers::minidom::rxml::{Encoder, Item};
use xmpp_parsers::minidom::{Element, Node};
use xmpp_parsers::ns;
use xmpp_parsers::presence::Presence;
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

/// Whether a child of the stream counts as a stanza.
pub(crate) fn is_stanza(element: &Element) -> bool {
    matches!(element.name(), "iq" | "message" | "presence") && element.has_ns(ns::JABBER_CLIENT)
}

/// Reads a stanza. The error is the answer due for one that cannot be read: questions must be
/// answered (RFC 6120 section 8.2.3), everything else is passed over.
pub(crate) fn read(mut element: Element) -> Result<Stanza, Option<Box<Stanza>>> {
    if let Some(answer) = answer(&mut element) {
        return Ok(Stanza::Iq(answer));
    }
    let refusal = refusal(&element);
    let stanza = match element.name() {
        "iq" => Iq::try_from(element).ok().map(Stanza::Iq),
        "message" => Message::try_from(element).ok().map(Stanza::Message),
        "presence" => Presence::try_from(element).ok().map(Stanza::Presence),
        _ => None,
    };
    stanza.ok_or(refusal)
}

/// A good answer, its content moved: the library would copy it, and a contact list of 10,000 people
/// is many megabytes as a tree. Nothing, and the element as it was, for everything else.
fn answer(element: &mut Element) -> Option<Iq> {
    let result = element.name() == "iq" && element.attr("type") == Some("result");
    if !result || element.children().count() > 1 {
        return None;
    }
    let address = |name: &str| element.attr(name).map(str::parse::<Jid>).transpose().ok();
    let (from, to, id) = (address("from")?, address("to")?, element.attr("id")?.to_owned());
    let payload = element.take_nodes().into_iter().find_map(Node::into_element);
    Some(Iq::Result { from, to, id, payload })
}

/// Writes a stanza. `None` when it holds characters that XML does not have.
pub(crate) fn write(stanza: &Stanza) -> Option<Vec<u8>> {
    let element: Element = match stanza.clone() {
        Stanza::Iq(iq) => iq.into(),
        Stanza::Message(message) => message.into(),
        Stanza::Presence(presence) => presence.into(),
    };
    let mut encoder: Encoder<SimpleNamespaces> = Encoder::new();
    let mut bytes = Vec::new();
    encode(&element, &mut encoder, &mut bytes)?;
    Some(bytes)
}

/// The tree's own writer panics on a character that XML does not have; this one says so. Trees
/// that we build are at most a few levels deep.
fn encode(
    element: &Element,
    encoder: &mut Encoder<SimpleNamespaces>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let name = element.name().try_into().ok()?;
    encoder.encode(Item::ElementHeadStart(element.ns().into(), name), out).ok()?;
    for ((namespace, name), value) in element.attrs() {
        let attribute = Item::Attribute(namespace.borrow(), name, value);
        encoder.encode(attribute, out).ok()?;
    }
    encoder.encode(Item::ElementHeadEnd, out).ok()?;
    for node in element.nodes() {
        match node {
            Node::Element(child) => encode(child, encoder, out)?,
            Node::Text(text) => encoder.encode(Item::Text(text), out).ok()?,
        }
    }
    encoder.encode(Item::ElementFoot, out).ok()
}

/// What is owed to a stanza that was not read.
pub(crate) enum Refused {
    /// This answer, to who asked.
    Question(Box<Stanza>),
    /// An answer of another one, as what it is worth: an error.
    Answer(Box<Stanza>),
    /// Nothing.
    Word,
}

/// What is owed to a stanza of which only the head was kept: it was too large or too deep.
pub(crate) fn refused(head: &Element) -> Refused {
    if let Some(answer) = refuse(head, DefinedCondition::PolicyViolation) {
        return Refused::Question(answer);
    }
    let answers = matches!(head.attr("type"), Some("result" | "error"));
    let address = |name: &str| head.attr(name).map(str::parse).transpose();
    match (head.attr("id"), address("from"), address("to")) {
        (Some(id), Ok(from), Ok(to)) if answers && head.name() == "iq" => {
            let error = error(DefinedCondition::PolicyViolation);
            let id = id.to_owned();
            Refused::Answer(Box::new(Stanza::Iq(Iq::Error { from, to, id, error, payload: None })))
        }
        _ => Refused::Word,
    }
}

fn refusal(element: &Element) -> Option<Box<Stanza>> {
    refuse(element, DefinedCondition::BadRequest)
}

fn refuse(element: &Element, why: DefinedCondition) -> Option<Box<Stanza>> {
    let question = matches!(element.attr("type"), Some("get" | "set"));
    if element.name() != "iq" || !question {
        return None;
    }
    let to = match element.attr("from") {
        Some(from) => Some(from.parse().ok()?),
        None => None,
    };
    Some(Box::new(Stanza::Iq(Iq::Error {
        from: None,
        to,
        id: element.attr("id")?.to_owned(),
        error: error(why),
        payload: None,
    })))
}

fn error(why: DefinedCondition) -> StanzaError {
    StanzaError {
        type_: ErrorType::Modify,
        by: None,
        defined_condition: why,
        texts: Default::default(),
        other: None,
    }
}

#[cfg(test)]
mod tests {
    use offhook_im::Stanza;
    use xmpp_parsers::iq::Iq;
    use xmpp_parsers::message::Message;
    use xmpp_parsers::minidom::Element;

    use super::{read, write};

    fn element(text: &str) -> Element {
        text.parse().expect("XML")
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let message = Message::chat(None).with_body("".into(), "<&\u{20ac}>\n'\"".into());
        let stanza = Stanza::Message(message);
        let bytes = write(&stanza).expect("writable");
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(read(element(&text)), Ok(stanza));
    }

    #[test]
    fn answers_read_the_same_as_the_library_reads_them() {
        let check = |text: &str| {
            let library = Iq::try_from(element(text)).ok().map(Stanza::Iq);
            assert_eq!(read(element(text)).ok(), library, "{text}");
        };
        check("<iq xmlns='jabber:client' type='result' id='1'/>");
        check(
            "<iq xmlns='jabber:client' type='result' id='1' from='B@x/y' to='a@x'> <q xmlns='q' a='b'>t<r/></q></iq>",
        );
        check("<iq xmlns='jabber:client' type='result' from='b@x'/>");
        check("<iq xmlns='jabber:client' type='result' id='1' from='b@@x'/>");
        check("<iq xmlns='jabber:client' type='result' id='1'><q xmlns='q'/><r xmlns='r'/></iq>");
        check("<iq xmlns='jabber:client' type='get' id='1'><q xmlns='q'/></iq>");
    }

    #[test]
    fn characters_that_xml_does_not_have_are_not_written() {
        let message = Message::chat(None).with_body("".into(), "a\u{0}b".into());
        assert_eq!(write(&Stanza::Message(message)), None);
    }

    #[test]
    fn unreadable_questions_are_answered_and_the_rest_is_passed_over() {
        let check = |text: &str, answered: bool| {
            let result = read(element(text));
            let answer = match result {
                Ok(stanza) => panic!("read {stanza:?}"),
                Err(answer) => answer,
            };
            assert_eq!(answer.is_some(), answered, "{text}");
        };
        check("<iq xmlns='jabber:client' type='get' id='1' from='b@x'/>", true);
        check("<iq xmlns='jabber:client' type='get' from='b@x'><a xmlns='b'/></iq>", false);
        check("<iq xmlns='jabber:client' type='odd' id='1'><a xmlns='b'/></iq>", false);
        check("<message xmlns='jabber:client' type='odd'/>", false);
        check("<presence xmlns='jabber:client'><show>gone</show></presence>", false);
    }
}
