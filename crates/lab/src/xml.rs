//! A small XML reader and writer for stanzas, SOAP and SIP bodies.
//!
//! Written for the laboratory alone, so that a mistake in the client's reader cannot hide behind
//! the same mistake here. It knows elements, attributes, text, CDATA, the five predefined
//! entities and character references; it refuses document type declarations (no entity of the
//! sender's making is ever expanded) and anything deeper than [`MAX_DEPTH`].

use std::fmt::Write as _;

/// Deepest nesting accepted.
pub(crate) const MAX_DEPTH: usize = 64;
/// Most attributes of one element.
const MAX_ATTRIBUTES: usize = 32;

/// Why text is no acceptable XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not well-formed, with what was expected.
    #[error("not well-formed: {0}")]
    NotWellFormed(&'static str),
    /// A construct that is legal XML and refused here.
    #[error("refused: {0}")]
    Restricted(&'static str),
    /// Larger or deeper than accepted.
    #[error("too large: {0}")]
    TooLarge(&'static str),
}

/// A child of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// An element.
    Element(Element),
    /// Text, references resolved.
    Text(String),
}

/// An element with resolved namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// Name as written, prefix included.
    name: String,
    /// Namespace the name is in; empty for none.
    namespace: String,
    /// Attributes as written, namespace declarations included.
    attributes: Vec<(String, String)>,
    /// Children in order.
    pub(crate) children: Vec<Node>,
}

impl Element {
    /// An element that declares its own namespace when `namespace` is not empty.
    pub(crate) fn new(name: &str, namespace: &str) -> Self {
        let mut element = Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            attributes: Vec::new(),
            children: Vec::new(),
        };
        if !namespace.is_empty() {
            element.attributes.push(("xmlns".into(), namespace.into()));
        }
        element
    }

    /// An element of the stream's default namespace, which it does not repeat.
    pub(crate) fn stanza(name: &str) -> Self {
        let mut element = Self::new(name, "");
        element.namespace = "jabber:client".into();
        element
    }

    /// Adds an attribute.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Adds a child.
    pub(crate) fn child(mut self, child: Element) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Adds text.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.children.push(Node::Text(text.to_owned()));
        self
    }

    /// Name without prefix.
    pub(crate) fn local(&self) -> &str {
        self.name.rsplit(':').next().unwrap_or_default()
    }

    /// Namespace of the element.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether local name and namespace are these.
    pub(crate) fn is(&self, local: &str, namespace: &str) -> bool {
        self.local() == local && self.namespace == namespace
    }

    /// Value of an attribute by its name as written.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Sets or replaces an attribute.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.attributes.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.attributes.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Child elements.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// First child element with this local name and namespace.
    pub(crate) fn find(&self, local: &str, namespace: &str) -> Option<&Element> {
        self.elements().find(|element| element.is(local, namespace))
    }

    /// First element with this local name at any depth, itself included.
    #[cfg(test)]
    pub(crate) fn anywhere(&self, local: &str) -> Option<&Element> {
        if self.local() == local {
            return Some(self);
        }
        self.elements().find_map(|element| element.anywhere(local))
    }

    /// Text of the direct children, joined.
    pub(crate) fn own_text(&self) -> String {
        self.children.iter().fold(String::new(), |mut out, node| {
            if let Node::Text(text) = node {
                out.push_str(text);
            }
            out
        })
    }

    /// Text of the first child of that name in the same namespace as this element.
    pub(crate) fn child_text(&self, local: &str) -> Option<String> {
        self.elements().find(|element| element.local() == local).map(Element::own_text)
    }

    /// The element as XML.
    pub(crate) fn to_xml(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        let _ = write!(out, "<{}", self.name);
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}='{}'", escape(value));
        }
        if self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for node in &self.children {
            match node {
                Node::Element(element) => element.write(out),
                Node::Text(text) => out.push_str(&escape(text)),
            }
        }
        let _ = write!(out, "</{}>", self.name);
    }
}

/// Text with the five special characters replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

/// Reads one element, with an optional XML declaration before it. Names without prefix are in
/// `default_namespace` until a declaration says otherwise.
pub(crate) fn parse(text: &str, default_namespace: &str) -> Result<Element, XmlError> {
    let mut reader = Reader {
        rest: text.trim_start_matches('\u{feff}').trim_start(),
        scope: vec![(String::new(), default_namespace.to_owned())],
    };
    reader.skip_prolog()?;
    let element = reader.element(0)?;
    if !reader.rest.trim().is_empty() {
        return Err(XmlError::NotWellFormed("text after the root element"));
    }
    Ok(element)
}

/// Reads a start tag alone, as the stream header is, into an element without children.
pub(crate) fn parse_start_tag(text: &str) -> Result<Element, XmlError> {
    let mut reader = Reader { rest: text.trim_start(), scope: Vec::new() };
    reader.skip_prolog()?;
    let (element, _) = reader.start_tag()?;
    Ok(element)
}

struct Reader<'a> {
    rest: &'a str,
    /// Prefixes and namespaces declared by the elements that are open, innermost last.
    scope: Vec<(String, String)>,
}

impl<'a> Reader<'a> {
    fn skip_prolog(&mut self) -> Result<(), XmlError> {
        if self.rest.starts_with("<?xml") {
            let (_, after) =
                self.rest.split_once("?>").ok_or(XmlError::NotWellFormed("XML declaration"))?;
            self.rest = after.trim_start();
        }
        Ok(())
    }

    fn take_until(&mut self, end: &str, what: &'static str) -> Result<&'a str, XmlError> {
        let (taken, after) = self.rest.split_once(end).ok_or(XmlError::NotWellFormed(what))?;
        self.rest = after;
        Ok(taken)
    }

    fn name(&mut self) -> Result<&'a str, XmlError> {
        let end = self
            .rest
            .find(|c: char| {
                c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=' | '<' | '"' | '\'')
            })
            .unwrap_or(self.rest.len());
        let (name, after) = self.rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.')
        {
            return Err(XmlError::NotWellFormed("a name"));
        }
        self.rest = after;
        Ok(name)
    }

    /// Reads `<name a='b' …>` and adds its declarations to the scope; says whether it closed
    /// itself.
    fn start_tag(&mut self) -> Result<(Element, bool), XmlError> {
        self.rest = self.rest.strip_prefix('<').ok_or(XmlError::NotWellFormed("an element"))?;
        if self.rest.starts_with('!') || self.rest.starts_with('?') {
            return Err(XmlError::Restricted("declaration, comment or processing instruction"));
        }
        let name = self.name()?.to_owned();
        let mut attributes: Vec<(String, String)> = Vec::new();
        let empty = loop {
            self.rest = self.rest.trim_start();
            if let Some(after) = self.rest.strip_prefix("/>") {
                self.rest = after;
                break true;
            }
            if let Some(after) = self.rest.strip_prefix('>') {
                self.rest = after;
                break false;
            }
            let key = self.name()?;
            self.rest = self.rest.trim_start();
            self.rest = self.rest.strip_prefix('=').ok_or(XmlError::NotWellFormed("'='"))?;
            self.rest = self.rest.trim_start();
            let value = if let Some(after) = self.rest.strip_prefix('\'') {
                self.rest = after;
                self.take_until("'", "a closing quote")?
            } else {
                self.rest =
                    self.rest.strip_prefix('"').ok_or(XmlError::NotWellFormed("a quoted value"))?;
                self.take_until("\"", "a closing quote")?
            };
            if value.contains('<') {
                return Err(XmlError::NotWellFormed("no '<' in an attribute"));
            }
            if attributes.iter().any(|(old, _)| old == key) {
                return Err(XmlError::NotWellFormed("every attribute once"));
            }
            if attributes.len() >= MAX_ATTRIBUTES {
                return Err(XmlError::TooLarge("attributes"));
            }
            attributes.push((key.to_owned(), resolve(value)?));
        };
        for (key, value) in &attributes {
            if key == "xmlns" {
                self.scope.push((String::new(), value.clone()));
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                self.scope.push((prefix.to_owned(), value.clone()));
            }
        }
        let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
        let namespace = self
            .scope
            .iter()
            .rev()
            .find(|(known, _)| known == prefix)
            .map(|(_, namespace)| namespace.clone())
            .unwrap_or_default();
        Ok((Element { name, namespace, attributes, children: Vec::new() }, empty))
    }

    fn element(&mut self, depth: usize) -> Result<Element, XmlError> {
        let outside = self.scope.len();
        let element = self.open_element(depth)?;
        self.scope.truncate(outside);
        Ok(element)
    }

    fn open_element(&mut self, depth: usize) -> Result<Element, XmlError> {
        if depth >= MAX_DEPTH {
            return Err(XmlError::TooLarge("depth"));
        }
        let (mut element, empty) = self.start_tag()?;
        if empty {
            return Ok(element);
        }
        loop {
            if let Some(after) = self.rest.strip_prefix("</") {
                self.rest = after;
                let name = self.name()?;
                if name != element.name {
                    return Err(XmlError::NotWellFormed("the matching end tag"));
                }
                self.rest = self.rest.trim_start();
                self.rest = self.rest.strip_prefix('>').ok_or(XmlError::NotWellFormed("'>'"))?;
                return Ok(element);
            }
            if let Some(after) = self.rest.strip_prefix("<![CDATA[") {
                self.rest = after;
                let text = self.take_until("]]>", "the end of CDATA")?;
                element.children.push(Node::Text(text.to_owned()));
            } else if let Some(after) = self.rest.strip_prefix("<!--") {
                self.rest = after;
                self.take_until("-->", "the end of a comment")?;
            } else if self.rest.starts_with('<') {
                let child = self.element(depth + 1)?;
                element.children.push(Node::Element(child));
            } else {
                let end = self.rest.find('<').ok_or(XmlError::NotWellFormed("an end tag"))?;
                let (text, after) = self.rest.split_at(end);
                self.rest = after;
                element.children.push(Node::Text(resolve(text)?));
            }
        }
    }
}

/// Replaces entity and character references.
fn resolve(text: &str) -> Result<String, XmlError> {
    if !text.contains('&') {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) =
            after.split_once(';').ok_or(XmlError::NotWellFormed("the end of a reference"))?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => character(other)?,
        });
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn character(reference: &str) -> Result<char, XmlError> {
    let bad = XmlError::Restricted("an entity of the sender's making");
    let digits = reference.strip_prefix('#').ok_or(bad)?;
    let code = match digits.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    code.ok()
        .and_then(char::from_u32)
        .filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r'))
        .ok_or(XmlError::NotWellFormed("a character reference"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let text = "<message to='a@b' id='1'><body>x &lt; y &amp; z</body>\
                    <active xmlns='http://jabber.org/protocol/chatstates'/></message>";
        let element = parse(text, "jabber:client").unwrap();
        assert_eq!(element.child_text("body").unwrap(), "x < y & z");
        assert!(element.find("active", "http://jabber.org/protocol/chatstates").is_some());
        assert_eq!(element.to_xml(), text);
    }

    #[test]
    fn prefixes_are_resolved_in_their_scope() {
        let text =
            "<?xml version='1.0'?><s:a xmlns:s='urn:s'><b xmlns='urn:b'><s:c/></b><d/></s:a>";
        let element = parse(text, "").unwrap();
        assert!(element.is("a", "urn:s"));
        let b = element.find("b", "urn:b").unwrap();
        assert!(b.find("c", "urn:s").is_some());
        assert!(element.find("d", "").is_some());
    }

    #[test]
    fn hostile_text_is_an_error_and_never_a_panic() {
        let deep = "<a>".repeat(5000);
        for text in [
            "",
            "<",
            "<a",
            "<a>",
            "<a></b>",
            "<a b>",
            "<a b='1' b='2'/>",
            "<a b='<'/>",
            "<a>&x;</a>",
            "<a>&#0;</a>",
            "<!DOCTYPE a><a/>",
            "<a/><b/>",
            "<a>&amp</a>",
            "<1/>",
            &deep,
            "<a><?php ?></a>",
            "<a b=\"1'/>",
        ] {
            assert!(parse(text, "").is_err(), "{text:.40}");
        }
    }
}
