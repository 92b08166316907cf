//! `From`, `To`, `Contact`, `Route` and their kin: a URI with a name and parameters.

use std::borrow::Cow;

use super::ParseError;
use super::scan;
use super::text::{Params, quoted_end, trim, unescape_quoted};
use super::uri::Uri;

/// A name-addr or addr-spec (RFC 3261 section 20.10) that borrows from the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// The name before the URI, without its quotes, its escapes unresolved; empty when there is
    /// none.
    pub display: &'a str,
    /// The URI as written.
    pub uri_text: &'a str,
    /// Parameters of the header, outside the angle brackets.
    pub params: Params<'a>,
}

impl<'a> Address<'a> {
    /// Reads one element of an address header.
    ///
    /// # Errors
    /// [`ParseError::Address`] when a quote or bracket stays open or nothing is there. The URI
    /// itself is looked at by [`Address::uri`] only.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let text = trim(text);
        let (display, rest) = if text.starts_with('"') {
            let end = quoted_end(text).ok_or(ParseError::Address)?;
            let rest = trim(&text[end..]);
            if !rest.starts_with('<') {
                return Err(ParseError::Address);
            }
            (&text[1..end - 1], rest)
        } else {
            match scan::find(text.as_bytes(), 0, b'<') {
                Some(at) => (trim(&text[..at]), &text[at..]),
                None => ("", text),
            }
        };
        let (uri_text, params) = match rest.strip_prefix('<') {
            Some(inner) => scan::split_once(inner, b'>').ok_or(ParseError::Address)?,
            // Without brackets parameters belong to the header (RFC 3261 section 20).
            None => rest.split_at(scan::find(rest.as_bytes(), 0, b';').unwrap_or(rest.len())),
        };
        let uri_text = trim(uri_text);
        if uri_text.is_empty() {
            return Err(ParseError::Address);
        }
        let params = trim(params);
        let params = &params[scan::find(params.as_bytes(), 0, b';').unwrap_or(params.len())..];
        Ok(Self { display, uri_text, params: Params::new(params) })
    }

    /// The URI in parts.
    ///
    /// # Errors
    /// [`ParseError::Uri`].
    pub fn uri(&self) -> Result<Uri<'a>, ParseError> {
        Uri::parse(self.uri_text)
    }

    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// The name with its escapes resolved, or nothing.
    pub fn name(&self) -> Option<Cow<'a, str>> {
        let name = unescape_quoted(self.display);
        (!name.trim().is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn check(text: &str, name: Option<&str>, uri: &str, tag: Option<&str>) {
        let address = Address::parse(text).expect(text);
        assert_eq!(address.name().as_deref(), name, "{text}");
        assert_eq!(address.uri_text, uri, "{text}");
        assert_eq!(address.tag(), tag, "{text}");
    }

    #[test]
    fn names_and_parameters() {
        check(
            r#""Alice \"A\" <x>" <sip:a@b;p=1>;tag=t"#,
            Some(r#"Alice "A" <x>"#),
            "sip:a@b;p=1",
            Some("t"),
        );
        check("Bob Miller <sip:b@c> ; tag = x", Some("Bob Miller"), "sip:b@c", Some("x"));
        check("sip:b@c;tag=x", None, "sip:b@c", Some("x"));
        check("<sip:b@c;tag=x>", None, "sip:b@c;tag=x", None);
    }

    #[test]
    fn open_quotes_and_brackets_are_refused() {
        for bad in ["", "\"a <sip:b@c>", "<sip:b@c", "\"a\" sip:b@c", "<>"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
