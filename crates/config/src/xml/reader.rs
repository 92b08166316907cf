//! Bytes to tree.

use quick_xml::XmlVersion;
use quick_xml::errors::IllFormedError;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::{Element, XmlError};

/// Largest document read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// Deepest nesting of elements.
pub const MAX_DEPTH: usize = 64;
/// Most elements of a document; a real device file has fewer than 2,000.
pub const MAX_ELEMENTS: usize = 100_000;
/// Attributes of one element beyond this number are not looked at.
const MAX_ATTRIBUTES: usize = 64;
/// Most oddities told about one document.
const MAX_ODDITIES: usize = 16;

/// A document that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its outermost element.
    pub root: Element,
    /// What was not as it should be, in words without private content; at most 16.
    pub oddities: Vec<&'static str>,
}

/// Reads a document. What follows its outermost element is not looked at.
///
/// # Errors
/// [`XmlError`], but never [`XmlError::Missing`].
pub fn parse(data: &[u8]) -> Result<Document, XmlError> {
    if data.len() > MAX_BYTES {
        return Err(XmlError::TooLarge);
    }
    let text = String::from_utf8_lossy(data);
    let body = text.trim_start_matches('\u{feff}').trim();
    if body.is_empty() {
        return Err(XmlError::Empty);
    }
    if looks_like_html(body) {
        return Err(XmlError::Html);
    }
    // What is trimmed away before the first tag counts as well.
    let before = text.find(body).and_then(|at| text.get(..at)).map_or(0, lines);
    let fresh = || Tree { line: 1 + before, ..Tree::default() };
    let mut tree = fresh();
    if matches!(text, std::borrow::Cow::Owned(_)) {
        tree.odd("bytes that are not UTF-8");
    }
    let root = match tree.read(body) {
        Err(Stop::BareAmpersand) => {
            tree = Tree { oddities: tree.oddities, ..fresh() };
            tree.odd("an ampersand that begins no reference");
            tree.read(&with_escaped_ampersands(body))
        }
        other => other,
    };
    let root = root.map_err(|stop| match stop {
        Stop::BareAmpersand => XmlError::Broken("a reference cannot be read".into()),
        Stop::Error(error) => error,
    })?;
    Ok(Document { root, oddities: tree.oddities })
}

/// Web pages seldom are well-formed, so they are known by their first tag.
fn looks_like_html(mut body: &str) -> bool {
    loop {
        body = body.trim_start();
        let skipped = ["<?", "<!--"].iter().zip(["?>", "-->"]).find_map(|(open, close)| {
            let rest = body.strip_prefix(open)?;
            rest.split_once(close).map(|(_, rest)| rest)
        });
        match skipped {
            Some(rest) => body = rest,
            None => break,
        }
    }
    ["<!doctype html", "<html", "<head", "<body", "<script"].iter().any(|tag| {
        let start = body.get(..tag.len());
        let next = body.get(tag.len()..).and_then(|rest| rest.chars().next());
        start.is_some_and(|start| start.eq_ignore_ascii_case(tag))
            && next.is_none_or(|c| !c.is_alphanumeric())
    })
}

/// Why reading stopped.
enum Stop {
    /// The document cannot be read.
    Error(XmlError),
    /// It can after [`with_escaped_ampersands`].
    BareAmpersand,
}

impl From<XmlError> for Stop {
    fn from(error: XmlError) -> Self {
        Self::Error(error)
    }
}

impl From<quick_xml::Error> for Stop {
    fn from(error: quick_xml::Error) -> Self {
        match error {
            quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => Self::BareAmpersand,
            other => Self::Error(broken(&other)),
        }
    }
}

/// Escapes every ampersand outside of CDATA that begins no reference. The library can let them
/// pass by itself, in quadratic time.
fn with_escaped_ampersands(body: &str) -> String {
    let mut escaped = String::with_capacity(body.len() + 64);
    let mut rest = body;
    while let Some(at) = rest.find(['&', '<']) {
        let (before, tail) = rest.split_at(at);
        escaped.push_str(before);
        let taken =
            if tail.starts_with("<![CDATA[") { tail.find("]]>").unwrap_or(tail.len()) } else { 1 };
        let (taken, tail) = tail.split_at(taken);
        escaped.push_str(taken);
        if taken == "&" && !begins_reference(tail) {
            escaped.push_str("amp;");
        }
        rest = tail;
    }
    escaped.push_str(rest);
    escaped
}

/// What follows an ampersand is a short name and a semicolon.
fn begins_reference(tail: &str) -> bool {
    let name = |c: &u8| c.is_ascii_alphanumeric() || *c == b'#';
    let length = tail.bytes().take(32).take_while(name).count();
    length > 0 && tail.as_bytes().get(length) == Some(&b';')
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    count: usize,
    line: u32,
    oddities: Vec<&'static str>,
}

impl Tree {
    fn read(&mut self, body: &str) -> Result<Element, Stop> {
        let mut reader = Reader::from_str(body);
        let mut read = 0;
        loop {
            let event = reader.read_event()?;
            let position = usize::try_from(reader.buffer_position()).unwrap_or(body.len());
            self.line += body.get(read..position).map_or(0, lines);
            read = position;
            let closed = match event {
                Event::Start(tag) => {
                    self.start(&tag)?;
                    None
                }
                Event::Empty(tag) => {
                    self.start(&tag)?;
                    self.end()
                }
                Event::End(_) => self.end(),
                Event::Text(text) => {
                    self.text(&text.xml10_content());
                    None
                }
                Event::CData(text) => {
                    self.text(&text.xml10_content());
                    None
                }
                Event::GeneralRef(reference) => {
                    self.reference(&reference);
                    None
                }
                Event::DocType(_) => return Err(XmlError::DocumentType.into()),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => None,
                Event::Eof => return Err(XmlError::Broken("it ends too early".into()).into()),
            };
            if let Some(root) = closed {
                return Ok(root);
            }
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        self.count += 1;
        if self.count > MAX_ELEMENTS {
            return Err(XmlError::TooLarge);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        let mut element =
            Element { name: local(tag.name().as_ref()), line: self.line, ..Element::default() };
        for attribute in tag.attributes().with_checks(false).take(MAX_ATTRIBUTES) {
            let Ok(attribute) = attribute else {
                self.odd("an attribute that cannot be read");
                continue;
            };
            let value = normalized(&attribute);
            element.attributes.push((local(attribute.key.as_ref()), value));
        }
        self.open.push(element);
        Ok(())
    }

    /// Closes the innermost element and gives it back when it was the outermost.
    fn end(&mut self) -> Option<Element> {
        let mut element = self.open.pop()?;
        element.text = element.text.trim().to_owned();
        match self.open.last_mut() {
            Some(parent) => {
                parent.children.push(element);
                None
            }
            None => Some(element),
        }
    }

    fn text(&mut self, text: &str) {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => self.odd("text before the first element"),
        }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) {
        let name: &str = reference;
        if let Ok(Some(c)) = reference.resolve_char_ref() {
            self.text(c.encode_utf8(&mut [0; 4]));
        } else if let Some(text) = resolve_xml_entity(name) {
            self.text(text);
        } else {
            self.odd("a reference to an unknown entity");
            self.text(&format!("&{name};"));
        }
    }

    fn odd(&mut self, what: &'static str) {
        if self.oddities.len() < MAX_ODDITIES && !self.oddities.contains(&what) {
            self.oddities.push(what);
        }
    }
}

/// The value with references resolved, or as written when one of them is unknown.
fn normalized(attribute: &Attribute<'_>) -> String {
    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
    value.unwrap_or_else(|_| attribute.value.clone()).into_owned()
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

/// The library's sentence without the document's own words, which may be private.
fn broken(error: &quick_xml::Error) -> XmlError {
    let what = match error {
        quick_xml::Error::Syntax(error) => return XmlError::Broken(error.to_string()),
        quick_xml::Error::IllFormed(_) => "its tags do not match",
        quick_xml::Error::InvalidAttr(_) => "an attribute cannot be read",
        quick_xml::Error::Escape(_) => "a reference cannot be read",
        quick_xml::Error::Encoding(_) => "its encoding is not UTF-8",
        quick_xml::Error::Io(_) | quick_xml::Error::Namespace(_) => "it cannot be read",
    };
    XmlError::Broken(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, MAX_DEPTH, XmlError, parse};

    #[track_caller]
    fn check(document: &str, expected: Result<&str, XmlError>) {
        let read = parse(document.as_bytes()).map(|document| document.root.text);
        assert_eq!(read, expected.map(str::to_owned), "{document}");
    }

    #[test]
    fn text_is_joined_and_trimmed() {
        check("<a> one <b>no</b><![CDATA[<two>]]>&amp;&#x33; </a>", Ok("one <two>&3"));
        check("\u{feff}<?xml version='1.0'?><!-- x --><a>1</a>trailing", Ok("1"));
    }

    #[test]
    fn unknown_entities_stay_as_written() {
        check("<a>x&nbsp;y & z</a>", Ok("x&nbsp;y & z"));
        check("<a b='&'><![CDATA[&]]>&&lt;&&long name;&</a>", Ok("&&<&&long name;&"));
    }

    #[test]
    fn web_pages_are_known_however_they_begin() {
        for page in [
            "<!DOCTYPE html><p>unclosed<br>",
            "  <HTML><head>",
            "<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'x'><html/>",
            "<!-- portal --><html lang='en'></html>",
        ] {
            check(page, Err(XmlError::Html));
        }
        check("<htmlish>1</htmlish>", Ok("1"));
    }

    #[test]
    fn declared_entities_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;'>]><a>&y;</a>";
        check(bomb, Err(XmlError::DocumentType));
    }

    #[test]
    fn what_is_cut_short_is_broken() {
        for cut in ["<a><b>1</b>", "<a", "<a><b></a>", "<a b='", "plain text", "<a><!-- "] {
            let read = parse(cut.as_bytes());
            assert!(matches!(read, Err(XmlError::Broken(_))), "{cut}: {read:?}");
        }
        check(" \r\n ", Err(XmlError::Empty));
    }

    #[test]
    fn many_ampersands_take_linear_time() {
        let many = "&".repeat(1 << 16);
        check(&format!("<a>{many}</a>"), Ok(&many));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        check(&nested(MAX_DEPTH + 1), Err(XmlError::TooDeep));
        check(&" ".repeat(MAX_BYTES + 1), Err(XmlError::TooLarge));
        check(&format!("<a>{}</a>", "<b/>".repeat(super::MAX_ELEMENTS)), Err(XmlError::TooLarge));
    }

    #[test]
    fn undeclared_prefixes_do_not_matter() {
        let read =
            parse(b"<device xsi:type=\"axl:XIPPhone\" ctiid='5'><ns:Name>X</ns:Name></device>");
        let root = read.expect("readable").root;
        assert_eq!(root.attribute("TYPE"), Some("axl:XIPPhone"));
        assert_eq!(root.text_at(&["name"]), Some("X"));
    }

    #[test]
    fn debug_shows_no_text() {
        let document = parse(b"<a p='hunter2'><b>hunter2</b></a>").expect("readable");
        assert!(!format!("{document:?}").contains("hunter2"));
    }
}
