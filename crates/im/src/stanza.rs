//! What travels on a stream, and the translation of addresses.

use offhook_model::Jid;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::minidom::rxml::NcName;
use xmpp_parsers::presence::Presence;

/// One of the three stanzas of RFC 6120 section 8.
#[derive(Clone, Debug, PartialEq)]
pub enum Stanza {
    /// A question or its answer.
    Iq(Iq),
    /// A message.
    Message(Message),
    /// Presence, or something about a subscription to it.
    Presence(Presence),
}

impl Stanza {
    /// The stanza's id, if it has one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Iq(iq) => Some(iq.id()),
            Self::Message(message) => message.id.as_ref().map(|id| id.0.as_str()),
            Self::Presence(presence) => presence.id.as_deref(),
        }
    }

    /// The element's name, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Iq(_) => "iq",
            Self::Message(_) => "message",
            Self::Presence(_) => "presence",
        }
    }
}

/// The library's address as ours. `None` when ours is stricter about a character.
pub fn jid_from_wire(jid: &xmpp_parsers::jid::Jid) -> Option<Jid> {
    jid.as_str().parse().ok()
}

/// Our address as the library's. `None` when it fails the preparation of RFC 7622.
pub fn jid_to_wire(jid: &Jid) -> Option<xmpp_parsers::jid::Jid> {
    xmpp_parsers::jid::Jid::new(&jid.to_string()).ok()
}

/// An element without children. A name that XML does not allow is left out.
pub(crate) fn element(name: &str, namespace: &str, attributes: &[(&str, &str)]) -> Element {
    let mut builder = Element::builder(name, namespace);
    for (name, value) in attributes {
        if let Ok(name) = NcName::try_from(*name) {
            builder = builder.attr(name, *value);
        }
    }
    builder.build()
}
