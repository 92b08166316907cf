//! A lenient reader of the small XML bodies that SIP carries, into a tree.
//!
//! Names are compared without prefix and case, for some servers misspell namespaces and others do
//! not declare them (reference sip-dialect.md section 6). No document type is read, so no entity
//! but the five of XML 1.0 section 4.6 and character references is ever expanded. Size, depth and
//! number of elements are bounded, and the time is proportional to the size.

/// Largest body read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// Deepest nesting of elements.
pub const MAX_DEPTH: usize = 24;
/// Most elements of a body.
pub const MAX_ELEMENTS: usize = 2_000;
/// Most attributes of an element; further ones are not looked at.
const MAX_ATTRIBUTES: usize = 32;

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Name without prefix, as written.
    pub name: String,
    /// Names without prefix, and values.
    pub attributes: Vec<(String, String)>,
    /// Child elements in order.
    pub children: Vec<Element>,
    /// All text directly inside, joined.
    pub text: String,
}

impl Element {
    /// It has this name, whatever the case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The text without surrounding white space; nothing when it is empty.
    pub fn value(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(name))
    }

    /// All children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.is(name))
    }

    /// The text of the first child of this name; nothing when it is empty.
    pub fn value_of(&self, name: &str) -> Option<&str> {
        self.child(name)?.value()
    }

    /// This element or the first below it of this name, in document order.
    pub fn find(&self, name: &str) -> Option<&Element> {
        if self.is(name) {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }
}

/// The outermost element of a body. Nothing when it is too large, too deep, declares a document
/// type, or is no XML. What follows the outermost element is not looked at.
pub fn parse(body: &[u8]) -> Option<Element> {
    if body.len() > MAX_BYTES {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let mut open: Vec<Element> = vec![];
    let mut count = 0;
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        let at = rest.find('<')?;
        if let Some(element) = open.last_mut() {
            unescape(&rest[..at], &mut element.text);
        }
        rest = &rest[at + 1..];
        let (skipped, piece) = skip(rest)?;
        if let Some(text) = piece {
            if let Some(element) = open.last_mut() {
                element.text.push_str(text);
            }
            rest = skipped;
            continue;
        }
        let end = tag_end(rest)?;
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        let closed = if tag.starts_with('/') {
            open.pop()
        } else {
            count += 1;
            if count > MAX_ELEMENTS || open.len() >= MAX_DEPTH {
                return None;
            }
            let empty = tag.ends_with('/');
            let element = read_tag(tag.strip_suffix('/').unwrap_or(tag))?;
            if empty {
                Some(element)
            } else {
                open.push(element);
                continue;
            }
        };
        // A closing tag without an opening one makes the body none.
        let element = closed?;
        match open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => return Some(element),
        }
    }
}

/// After a `<`: what is no tag is stepped over. The second is the text it stands for; nothing means
/// that a tag begins here.
fn skip(rest: &str) -> Option<(&str, Option<&str>)> {
    if let Some(comment) = rest.strip_prefix("!--") {
        return comment.split_once("-->").map(|(_, rest)| (rest, Some("")));
    }
    if let Some(data) = rest.strip_prefix("![CDATA[") {
        return data.split_once("]]>").map(|(text, rest)| (rest, Some(text)));
    }
    if let Some(instruction) = rest.strip_prefix('?') {
        return instruction.split_once("?>").map(|(_, rest)| (rest, Some("")));
    }
    (!rest.starts_with('!')).then_some((rest, None))
}

/// Where a tag ends: at a `>` outside of quotes.
fn tag_end(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn read_tag(tag: &str) -> Option<Element> {
    let end = tag.find(char::is_whitespace).unwrap_or(tag.len());
    let name = local(&tag[..end]);
    if name.is_empty() {
        return None;
    }
    let mut element = Element { name: name.to_owned(), ..Element::default() };
    let mut rest = tag[end..].trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        if element.attributes.len() >= MAX_ATTRIBUTES {
            break;
        }
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after[1..].split_once(quote)?;
        let mut text = String::with_capacity(value.len());
        unescape(value, &mut text);
        element.attributes.push((local(name.trim()).to_owned(), text));
        rest = after.trim_start();
    }
    Some(element)
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Adds text with its references resolved; what is no reference stays as it is.
fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest[1..].bytes().take(10).position(|byte| byte == b';');
        let resolved = name.and_then(|end| Some((resolve(&rest[1..=end])?, end + 2)));
        match resolved {
            Some((c, length)) => {
                out.push(c);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
}

fn resolve(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let number = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(number)
        }
    }
}

/// Text for between tags and in quotes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{MAX_DEPTH, escape, parse};

    #[test]
    fn a_body_becomes_a_tree() {
        let root = parse(
            b"\xef\xbb\xbf<?xml version=\"1.0\"?><!-- x > y --><a:one xmlns:a='urn:x' Two=\"a &amp; &#66;>\">\
              te<![CDATA[<x>]]>xt<three/><b:three>3 &lt; 4 & 5</b:three></a:one>rest",
        )
        .expect("a tree");
        assert!(root.is("ONE"));
        assert_eq!(root.attribute("two"), Some("a & B>"));
        assert_eq!(root.value(), Some("te<x>xt"));
        assert_eq!(root.all("three").count(), 2);
        assert_eq!(root.children[1].value(), Some("3 < 4 & 5"));
        assert_eq!(root.value_of("three"), None, "the first one is empty");
        assert!(root.find("Three").is_some() && root.find("four").is_none());
        assert_eq!(escape("<\"&\r>"), "&lt;&quot;&amp; &gt;");
    }

    #[test]
    fn what_is_no_small_xml_is_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"&c;&c;\">]><a>&b;</a>";
        for text in ["", "text", "<a>", "<a", "</a>", "<a b=c/>", "<a b=\"c/>", "< a/>", bomb] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse("<a>".repeat(MAX_DEPTH + 1).as_bytes()), None);
        assert_eq!(parse(format!("<a>{}</a>", "<b/>".repeat(2_000)).as_bytes()), None);
        assert_eq!(parse(&vec![b' '; 65 * 1024]), None);
    }

    #[test]
    fn tags_in_the_wrong_order_do_no_harm() {
        let root = parse("<a><b>\u{e9}&\u{e9}\u{e9}\u{e9}\u{e9}\u{e9};</a></b>".as_bytes());
        assert!(root.is_some_and(|root| root.is("a") && root.children.len() == 1));
    }
}
