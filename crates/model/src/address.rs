//! What people type and what servers call them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a text is no address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// Nothing stands before or after the `@`, or there is none.
    #[error("\"{0}\" is not an address; addresses look like name@company.com")]
    Shape(String),
    /// A domain label is empty, too long (63 octets, RFC 1035 section 2.3.4) or has a character
    /// that host names do not have.
    #[error("\"{0}\" is not a domain; domains look like company.com")]
    Domain(String),
    /// Nothing that can be dialled is left.
    #[error("\"{0}\" cannot be dialled; use a number, or an address such as name@company.com")]
    Dial(String),
}

/// The address that a person signs in with: a user name and the services domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserAddress {
    user: String,
    domain: String,
}

impl UserAddress {
    /// The part before the last `@`, as typed.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The part after the last `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

impl FromStr for UserAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (user, domain) =
            text.rsplit_once('@').ok_or_else(|| AddressError::Shape(text.to_owned()))?;
        if user.is_empty() || user.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(AddressError::Shape(text.to_owned()));
        }
        Ok(Self { user: user.to_owned(), domain: valid_domain(domain)? })
    }
}

impl fmt::Display for UserAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.domain)
    }
}

fn valid_domain(domain: &str) -> Result<String, AddressError> {
    let lower = domain.trim_end_matches('.').to_lowercase();
    let good = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    if lower.is_empty() || lower.len() > 253 || !lower.split('.').all(good) {
        return Err(AddressError::Domain(domain.to_owned()));
    }
    Ok(lower)
}

/// A Jabber identifier (RFC 7622), compared without regard to case in its first two parts.
///
/// Only the division into parts is checked here; the full preparation of RFC 7622 is the XMPP
/// library's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jid {
    // Shared, not copied: every message names several addresses several times, and a list of
    // 10,000 people has each in more than one place.
    bare: Arc<str>,
    resource: Option<Arc<str>>,
}

impl Jid {
    /// The identifier without its resource.
    pub fn bare(&self) -> Jid {
        Jid { bare: Arc::clone(&self.bare), resource: None }
    }

    /// The identifier without its resource, as text.
    pub fn bare_str(&self) -> &str {
        &self.bare
    }

    /// The part before the `@`, if there is one.
    pub fn local(&self) -> Option<&str> {
        self.bare.split_once('@').map(|(local, _)| local)
    }

    /// The part after the `@`, or the whole when there is no `@`.
    pub fn domain(&self) -> &str {
        self.bare.split_once('@').map_or(&self.bare, |(_, domain)| domain)
    }

    /// The part after the first `/`.
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The same identifier with this resource.
    pub fn with_resource(&self, resource: &str) -> Jid {
        Jid { bare: Arc::clone(&self.bare), resource: Some(resource.into()) }
    }
}

impl FromStr for Jid {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(resource)),
            None => (text, None),
        };
        let shape = || AddressError::Shape(text.to_owned());
        let (local, domain) = match bare.split_once('@') {
            Some((local, domain)) => (Some(local), domain),
            None => (None, bare),
        };
        let bad = |part: &str| {
            part.is_empty() || part.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if local.is_some_and(bad) || bad(domain) || domain.contains('@') || resource == Some("") {
            return Err(shape());
        }
        let small = bare.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        let bare = if small { bare.into() } else { bare.to_lowercase().into() };
        Ok(Self { bare, resource: resource.map(Into::into) })
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Some(resource) => write!(f, "{}/{resource}", self.bare),
            None => f.write_str(&self.bare),
        }
    }
}

impl Serialize for Jid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Jid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a person dialled: a number with its decoration removed, or a SIP address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum DialString {
    /// Digits, `*`, `#`, and a leading `+`.
    Number(String),
    /// `user@host`, without a scheme.
    Address(String),
}

impl DialString {
    /// The user part of a request URI: the number, or what stands before the `@`.
    pub fn user(&self) -> &str {
        match self {
            Self::Number(number) => number,
            Self::Address(address) => address.rsplit_once('@').map_or(address, |(user, _)| user),
        }
    }
}

impl FromStr for DialString {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refuse = || AddressError::Dial(text.trim().to_owned());
        let body = without_scheme(text.trim());
        if body.contains('@') {
            let (user, host) = body.rsplit_once('@').ok_or_else(refuse)?;
            let bad = |c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c);
            if user.is_empty() || host.is_empty() || body.contains(bad) {
                return Err(refuse());
            }
            return Ok(Self::Address(body.to_owned()));
        }
        let number: String =
            body.chars().filter(|c| !" ()-./\u{a0}".contains(*c) && !c.is_control()).collect();
        let digits = number.strip_prefix('+').unwrap_or(&number);
        if digits.is_empty() {
            return Err(refuse());
        }
        if digits.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '#') {
            return Ok(Self::Number(number));
        }
        // A plain SIP account calls people by a bare user name as well.
        if digits.chars().all(|c| c.is_alphanumeric() || "_~!$&'*,;=%".contains(c)) {
            return Ok(Self::Number(number));
        }
        Err(refuse())
    }
}

fn without_scheme(text: &str) -> &str {
    let Some((scheme, rest)) = text.split_once(':') else {
        return text;
    };
    let known = ["tel", "sip", "sips", "ciscotel"];
    if known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        rest.split(';').next().unwrap_or(rest)
    } else {
        text
    }
}

impl fmt::Display for DialString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(text) | Self::Address(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressError, DialString, Jid, UserAddress};

    #[test]
    fn a_sign_in_address_has_two_parts() {
        let address: UserAddress = " Alice@Example.COM. ".parse().expect("valid");
        assert_eq!((address.user(), address.domain()), ("Alice", "example.com"));
        for bad in ["", "alice", "@example.com", "alice@", "al ice@example.com", "a@b..c"] {
            assert!(bad.parse::<UserAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_jid_keeps_its_parts() {
        let jid: Jid = "Alice@Example.com/Desk/2".parse().expect("valid");
        assert_eq!(jid.bare_str(), "alice@example.com");
        assert_eq!(jid.resource(), Some("Desk/2"));
        assert_eq!(jid.domain(), "example.com");
        for bad in ["", "@", "a@", "@b", "a@b/", "a@b@c", "a b@c"] {
            assert!(bad.parse::<Jid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn dialling_drops_decoration_only() {
        let number = |text: &str| text.parse::<DialString>();
        assert_eq!(number("+49 (30) 5550-142"), Ok(DialString::Number("+49305550142".into())));
        assert_eq!(number("tel:2002"), Ok(DialString::Number("2002".into())));
        assert_eq!(number("*81#"), Ok(DialString::Number("*81#".into())));
        assert_eq!(
            number("sip:bob@example.com"),
            Ok(DialString::Address("bob@example.com".into()))
        );
        assert_eq!(number("  "), Err(AddressError::Dial(String::new())));
    }
}
