//! The lexical rules shared by all headers: tokens, white space, quoted strings, lists and
//! parameters (RFC 3261 section 25.1).

use std::borrow::Cow;

/// Whether the text is a token: not empty and without separators.
pub fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}

/// The text without linear white space at its ends. Folds were made spaces by the parser.
pub fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Where the quoted string at the start of `text` ends: the index after its closing quote.
/// Nothing when it does not end.
pub fn quoted_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// A quoted string without quotes and escapes; other text as it is.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"') else { return Cow::Borrowed(text) };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    unescape_quoted(inner)
}

/// The inside of a quoted string with its backslash escapes resolved.
pub fn unescape_quoted(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    Cow::Owned(out)
}

/// The text as a quoted string; control characters are left out.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// The first place of `wanted` outside quoted strings and angle brackets.
fn find_outside(text: &str, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut angle = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if !angle => at += quoted_end(&text[at..]).unwrap_or(bytes.len()) - 1,
            b'<' => angle = true,
            b'>' => angle = false,
            _ if byte == wanted && !angle => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The elements of a comma-separated list, without empty ones.
#[derive(Clone, Debug)]
pub struct List<'a>(&'a str);

impl<'a> List<'a> {
    /// The list in this header value.
    pub fn new(value: &'a str) -> Self {
        Self(value)
    }
}

impl<'a> Iterator for List<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while !self.0.is_empty() {
            let (item, rest) = match find_outside(self.0, b',') {
                Some(at) => (&self.0[..at], &self.0[at + 1..]),
                None => (self.0, ""),
            };
            self.0 = rest;
            let item = trim(item);
            if !item.is_empty() {
                return Some(item);
            }
        }
        None
    }
}

/// The parameters after a value: `;name=value;name`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// The parameters in this text, which is empty or starts with `;`.
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The text they were read from.
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// Names and raw values, in order; nameless ones are skipped.
    pub fn iter(&self) -> ParamIter<'a> {
        ParamIter(self.0)
    }

    /// The value of the first parameter of this name; empty for one without a value.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.unwrap_or(""))
    }

    /// Whether there is a parameter of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// See [`Params::iter`].
#[derive(Clone, Debug)]
pub struct ParamIter<'a>(&'a str);

impl<'a> Iterator for ParamIter<'a> {
    type Item = (&'a str, Option<&'a str>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let (item, rest) = match find_outside(self.0, b';') {
                Some(at) => (&self.0[..at], &self.0[at + 1..]),
                None => (self.0, ""),
            };
            self.0 = rest;
            let item = trim(item);
            if item.is_empty() {
                continue;
            }
            return Some(match item.split_once('=') {
                Some((name, value)) => (trim(name), Some(trim(value))),
                None => (item, None),
            });
        }
        None
    }
}

/// A decimal number, capped: scalars on the wire have no upper bound, ours have.
pub fn capped_number(text: &str) -> Option<u32> {
    let text = trim(text);
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::{List, Params, capped_number, quote, unquote};

    #[test]
    fn lists_respect_quotes_and_brackets() {
        let items: Vec<_> = List::new(r#""a, b" <sip:x,y@z>;q=1 , <b>,,c"#).collect();
        assert_eq!(items, [r#""a, b" <sip:x,y@z>;q=1"#, "<b>", "c"]);
    }

    #[test]
    fn parameters_are_found_in_any_case() {
        let params = Params::new(r#"; Tag = a ;x="1;2";lr;;"#);
        assert_eq!(params.get("tag"), Some("a"));
        assert_eq!(params.get("X"), Some(r#""1;2""#));
        assert_eq!(params.get("lr"), Some(""));
        assert_eq!(params.get("y"), None);
    }

    #[test]
    fn quoting_goes_both_ways() {
        let text = r#"a "b" \c"#;
        assert_eq!(unquote(&quote(text)), text);
    }

    #[test]
    fn numbers_are_capped() {
        assert_eq!(capped_number(" 12 "), Some(12));
        assert_eq!(capped_number("99999999999"), Some(u32::MAX));
        assert_eq!(capped_number("-1"), None);
    }
}
