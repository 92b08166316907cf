//! The lexical rules shared by all headers: tokens, white space, quoted strings, lists and
//! parameters (RFC 3261 section 25.1).

use std::borrow::Cow;

use super::scan;

/// Which bytes may stand in a token.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let marks = b"-.!%*_+`'~";
    let mut index = 0;
    while index < marks.len() {
        table[marks[index] as usize] = true;
        index += 1;
    }
    table
};

/// Whether the text is a token: not empty and without separators.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| TOKEN[usize::from(b)])
}

/// The text without linear white space at its ends. Folds were made spaces by the parser.
#[inline]
pub fn trim(text: &str) -> &str {
    match (text.as_bytes().first(), text.as_bytes().last()) {
        (Some(first), Some(last)) if *first > b' ' && *last > b' ' => text,
        _ => trim_blanks(text),
    }
}

fn trim_blanks(text: &str) -> &str {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let bytes = text.as_bytes();
    let start = bytes.iter().take_while(|b| blank(b)).count();
    let end = bytes.len() - bytes[start..].iter().rev().take_while(|b| blank(b)).count();
    &text[start..end]
}

/// Where the quoted string at the start of `text` ends: the index after its closing quote.
/// Nothing when it does not end.
pub fn quoted_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        at = scan::find_any(bytes, at, [b'"', b'\\'])?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
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
    loop {
        at = scan::find_any(bytes, at, [wanted, b'"', b'<'])?;
        match bytes.get(at)? {
            b'"' => at += quoted_end(&text[at..])?,
            b'<' => at = scan::find(bytes, at, b'>')? + 1,
            _ => return Some(at),
        }
    }
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
            return Some(match scan::split_once(item, b'=') {
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
