//! Who is at the other end, from the headers that say so.

use crate::cucm;
use crate::message::{Address, Message, Name};

/// The other party as a person may be shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What to dial to reach them: the callback number where one is given, else the user part.
    pub number: String,
    /// Display name, without escape codes and control characters.
    pub name: Option<String>,
    /// Their URI.
    pub uri: String,
}

impl Identity {
    /// The identity that a network asserts: Remote-Party-ID, then P-Asserted-Identity (reference
    /// sip-dialect.md section 3; RFC 3325). Nothing when there is none or it is to be kept
    /// private.
    pub fn asserted(message: &Message) -> Option<Self> {
        let party = message.addresses(Name::RemotePartyId).filter_map(Result::ok).find(|address| {
            address.params.get("privacy").is_none_or(|p| p.eq_ignore_ascii_case("off"))
        });
        let private = message.lists(Name::Privacy, "id");
        let party = party.or_else(|| message.address(Name::PAssertedIdentity).filter(|_| !private));
        party.map(|address| Self::of(&address))
    }

    /// The identity of the sender of a request: what is asserted, else `From`.
    pub fn of_sender(request: &Message) -> Self {
        let from = || request.party(Name::From).map(|address| Self::of(&address));
        Self::asserted(request).or_else(from).unwrap_or_else(|| Self {
            number: String::new(),
            name: None,
            uri: String::new(),
        })
    }

    /// The identity in one address.
    pub(crate) fn of(address: &Address<'_>) -> Self {
        let uri = address.uri().ok();
        let callback = ["x-cisco-callback-number", "x-cisco-number"].iter().find_map(|name| {
            let inside = uri.and_then(|uri| uri.params.get(name));
            inside.or_else(|| address.params.get(name)).filter(|number| !number.is_empty())
        });
        let user = || uri.and_then(|uri| uri.user_text()).unwrap_or_default().into_owned();
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        Self {
            number: clean(
                &callback.map_or_else(user, |n| crate::message::text::unquote(n).into_owned()),
            ),
            name: address.name().and_then(|name| cucm::clean_display(&name)),
            uri: clean(address.uri_text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Identity;
    use crate::message::parse;

    fn check(headers: &[u8], number: &str, name: Option<&str>) {
        let mut bytes = b"INVITE sip:me@x SIP/2.0\r\nFrom: \"Front\" <sip:1@x>;tag=a\r\n".to_vec();
        bytes.extend_from_slice(headers);
        bytes.extend_from_slice(b"\r\n\r\n");
        let identity = Identity::of_sender(&parse(&bytes).expect("valid"));
        assert_eq!((identity.number.as_str(), identity.name.as_deref()), (number, name));
    }

    #[test]
    fn the_best_source_wins() {
        check(b"X: y", "1", Some("Front"));
        check(b"P-Asserted-Identity: \"Pai\" <sip:2@x>", "2", Some("Pai"));
        check(
            b"Remote-Party-ID: \"Rpid\" <sip:3@x>;privacy=off\r\nP-Asserted-Identity: <sip:2@x>",
            "3",
            Some("Rpid"),
        );
        check(b"Remote-Party-ID: \"Rpid\" <sip:3@x>;privacy=full", "1", Some("Front"));
        check(
            b"Remote-Party-ID: \"R\" <sip:3@x;x-cisco-callback-number=+49301>",
            "+49301",
            Some("R"),
        );
    }

    #[test]
    fn escape_codes_are_never_shown() {
        check(b"Remote-Party-ID: \"\x804\" <sip:3@x>", "3", Some("Conference"));
        check(b"Remote-Party-ID: \"\x80~\" <sip:3@x>", "3", None);
    }
}
