//! Questions of others: what we are (XEP-0030 with XEP-0115), which version (XEP-0092), and
//! whether we are there (XEP-0199). Everything else is refused.

use xmpp_parsers::caps::{Caps, compute_disco, hash_caps, query_caps};
use xmpp_parsers::disco::{DiscoInfoQuery, DiscoInfoResult, Identity};
use xmpp_parsers::hashes::Algo;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::Jid as WireJid;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};
use xmpp_parsers::version::VersionResult;

use crate::encryption::NOTIFY;

/// Names the client in caps. The form `v=…&p=…` is what the servers' own tools look for
/// (reference im-presence.md section 2, point 5).
const NODE: &str =
    concat!("http://offhook.invalid/caps?v=", env!("CARGO_PKG_VERSION"), "&p=Offhook");

/// We want to hear of pictures (XEP-0163 section 4, XEP-0084).
const AVATARS: &str = "urn:xmpp:avatar:metadata+notify";

/// In presence to one person: we want to see theirs for a while (reference im-presence.md section
/// 4). Left out everywhere else.
const TEMPORARY: &str = "http://webex.com/connect/temp-presence+notify";

const FEATURES: &[&str] = &[
    AVATARS,
    ns::CAPS,
    ns::CHATSTATES,
    ns::DISCO_INFO,
    ns::DISPLAYED_MARKERS,
    "http://jabber.org/protocol/muc",
    "jabber:x:conference",
    "urn:xmpp:bookmarks:1+notify",
    ns::PING,
    ns::RECEIPTS,
    ns::VERSION,
    NOTIFY[0],
    NOTIFY[1],
    "urn:xmpp:fallback:0",
    "urn:xmpp:message-retract:1",
    "urn:xmpp:reply:0",
    ns::MESSAGE_CORRECT,
    ns::OOB,
    ns::REACTIONS,
    ns::SID,
    ns::XHTML_IM,
    // What offhook-transfer takes.
    ns::JINGLE,
    ns::JINGLE_FT,
    ns::JINGLE_S5B,
    ns::JINGLE_IBB,
    "http://jabber.org/protocol/bytestreams",
    ns::IBB,
    "http://jabber.org/protocol/si",
    "http://jabber.org/protocol/si/profile/file-transfer",
];

/// The caps element for our presence; `temporary` for presence to one person who is watched.
pub(crate) fn caps(temporary: bool) -> Option<Caps> {
    let hash = hash_caps(&compute_disco(&disco(None, temporary)), Algo::Sha_1).ok()?;
    Some(Caps::new(NODE, hash))
}

/// Whether a question is about the caps that [`caps`] gives those who are watched.
fn asks_for_temporary(node: &str) -> bool {
    let told = caps(true).and_then(|caps| query_caps(caps).node);
    told.as_deref() == Some(node)
}

fn disco(node: Option<String>, temporary: bool) -> DiscoInfoResult {
    let more = temporary.then_some(TEMPORARY);
    DiscoInfoResult {
        node,
        identities: vec![Identity {
            category: "client".into(),
            type_: "pc".into(),
            lang: None,
            name: Some("Offhook".into()),
        }],
        features: FEATURES.iter().copied().chain(more).map(str::to_owned).collect(),
        extensions: Vec::new(),
    }
}

/// The answer to a question.
pub(crate) fn answer_get(from: Option<WireJid>, id: String, question: Element) -> Iq {
    if question.is("ping", ns::PING) {
        return result(from, id, None);
    }
    if question.is("query", ns::VERSION) {
        let version = VersionResult {
            name: "Offhook".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            os: None,
        };
        return result(from, id, Some(version.into()));
    }
    if let Ok(query) = DiscoInfoQuery::try_from(question) {
        let known = query.node.as_deref().is_none_or(|node| node.split('#').next() == Some(NODE));
        return if known {
            let temporary = query.node.as_deref().is_some_and(asks_for_temporary);
            result(from, id, Some(disco(query.node, temporary).into()))
        } else {
            refusal(from, id, DefinedCondition::ItemNotFound)
        };
    }
    refusal(from, id, DefinedCondition::ServiceUnavailable)
}

/// A good answer.
pub(crate) fn result(to: Option<WireJid>, id: String, payload: Option<Element>) -> Iq {
    Iq::Result { from: None, to, id, payload }
}

/// A refusal.
pub(crate) fn refusal(to: Option<WireJid>, id: String, condition: DefinedCondition) -> Iq {
    Iq::Error { from: None, to, id, error: error(condition), payload: None }
}

/// An error that trying again does not mend.
pub(crate) fn error(condition: DefinedCondition) -> StanzaError {
    StanzaError {
        type_: ErrorType::Cancel,
        by: None,
        defined_condition: condition,
        texts: Default::default(),
        other: None,
    }
}
