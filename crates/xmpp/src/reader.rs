//! The stream as bytes in, elements out: RFC 6120 section 4 without any input or output.
//!
//! It stands in place of a library's stream layer because that has no limit on size or nesting of
//! an element, writes whole stanzas into the log, and cannot tell HTML from a broken stream.

use offhook_model::Fault;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::minidom::rxml::{self, Event, Options, Parse, Parser, WithOptions};
use xmpp_parsers::ns;

/// Largest element before sign-in, in bytes.
const LIMIT_BEFORE_SIGN_IN: usize = 64 * 1024;

/// Largest element, in bytes.
pub(crate) const LIMIT: usize = 512 * 1024;

/// Largest answer to a question, in bytes: a contact list of 10,000 people is about 2 MB.
pub(crate) const LIMIT_IQ: usize = 8 * 1024 * 1024;

/// Deepest nesting. Real stanzas stay below 15; the parsed tree is dropped recursively.
const DEPTH: usize = 64;

/// Largest single name or attribute value, in bytes.
const TOKEN: usize = 16 * 1024;

/// How much of the beginning is kept to recognise what came instead of a stream.
const HEAD: usize = 64;

/// After so many elements the parser gives names back that nobody uses.
const TIDY: u32 = 64;

/// Something whole came.
#[derive(Debug)]
pub(crate) enum Item {
    /// The stream header.
    Opened,
    /// A child of the stream.
    Element(Element),
    /// The end of the stream.
    Closed,
}

/// Turns bytes into items. After an error it is of no further use.
pub(crate) struct Reader {
    parser: Parser,
    pending: Vec<u8>,
    used: usize,
    head: Vec<u8>,
    opened: bool,
    signed_in: bool,
    stack: Vec<Element>,
    size: usize,
    since_tidy: u32,
}

impl Reader {
    /// A reader at the beginning of a stream.
    pub(crate) fn new() -> Self {
        let options = Options { max_token_length: TOKEN, ..Options::default() };
        Self {
            parser: Parser::with_options(options),
            pending: Vec::new(),
            used: 0,
            head: Vec::new(),
            opened: false,
            signed_in: false,
            stack: Vec::new(),
            size: 0,
            since_tidy: 0,
        }
    }

    /// A reader for the next stream on the same connection. Bytes that came ahead of it were
    /// written by somebody who did not wait for our header, perhaps before encryption: that ends
    /// the attempt.
    pub(crate) fn restarted(self, signed_in: bool) -> Result<Self, Fault> {
        let ahead = self.pending.get(self.used..).unwrap_or_default();
        if !self.stack.is_empty() || ahead.iter().any(|b| !b.is_ascii_whitespace()) {
            return Err(Fault::Nonsense("data ahead of the stream".into()));
        }
        Ok(Self { signed_in, ..Self::new() })
    }

    /// Takes bytes from the connection.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if !self.opened {
            let room = HEAD.saturating_sub(self.head.len());
            self.head.extend(bytes.iter().take(room));
        }
        self.pending.drain(..self.used);
        self.used = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole item, `None` when more bytes are needed.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Fault> {
        self.check_beginning()?;
        loop {
            let mut rest = self.pending.get(self.used..).unwrap_or_default();
            let before = rest.len();
            let parsed = self.parser.parse(&mut rest, false);
            self.used += before - rest.len();
            match parsed {
                Ok(Some(event)) => {
                    if let Some(item) = self.event(event)? {
                        return Ok(Some(item));
                    }
                }
                Ok(None) => return Ok(Some(Item::Closed)),
                Err(rxml::error::EndOrError::NeedMoreData) => return Ok(None),
                Err(rxml::error::EndOrError::Error(error)) => return Err(self.broken(error)),
            }
        }
    }

    /// What to make of a connection that was closed here.
    pub(crate) fn ended(&self) -> Fault {
        if !self.opened && is_web(&self.head) { Fault::Html } else { Fault::Closed }
    }

    /// The parser itself would collect text before the first element in silence.
    fn check_beginning(&self) -> Result<(), Fault> {
        let text = self.head.trim_ascii_start();
        let enough = text.len() >= b"HTTP/".len();
        if self.opened || !enough || text.starts_with(b"<") {
            return Ok(());
        }
        Err(if is_web(text) { Fault::Html } else { Fault::Nonsense("no XMPP stream".into()) })
    }

    fn event(&mut self, event: Event) -> Result<Option<Item>, Fault> {
        match event {
            Event::XmlDeclaration(..) => Ok(None),
            Event::StartElement(metrics, (namespace, name), attributes) => {
                if !self.opened {
                    return self.open(&namespace, &name);
                }
                if self.stack.is_empty() {
                    self.size = 0;
                }
                self.grow(metrics.len())?;
                if self.stack.len() >= DEPTH {
                    return Err(Fault::Nonsense(format!("elements nested more than {DEPTH} deep")));
                }
                let mut element = Element::builder(name.as_str(), namespace.as_str());
                for ((namespace, name), value) in attributes {
                    element = element.attr_ns(namespace, name, value);
                }
                self.stack.push(element.build());
                // The size limit goes by the kind of stanza, known only now.
                self.grow(0)?;
                Ok(None)
            }
            Event::Text(metrics, text) => {
                if !self.stack.is_empty() {
                    self.grow(metrics.len())?;
                }
                if let Some(top) = self.stack.last_mut() {
                    top.append_text(text);
                }
                Ok(None)
            }
            Event::EndElement(metrics) => {
                let Some(done) = self.stack.pop() else {
                    return Ok(Some(Item::Closed));
                };
                if let Some(parent) = self.stack.last_mut() {
                    parent.append_child(done);
                    self.grow(metrics.len())?;
                    return Ok(None);
                }
                self.tidy();
                Ok(Some(Item::Element(done)))
            }
        }
    }

    fn open(
        &mut self,
        namespace: &rxml::Namespace<'_>,
        name: &rxml::NcName,
    ) -> Result<Option<Item>, Fault> {
        if namespace.as_str() != ns::STREAM || name.as_str() != "stream" {
            return Err(if is_web(&self.head) {
                Fault::Html
            } else {
                Fault::Nonsense("XML, but no XMPP stream".into())
            });
        }
        self.opened = true;
        self.head.clear();
        Ok(Some(Item::Opened))
    }

    fn grow(&mut self, by: usize) -> Result<(), Fault> {
        self.size = self.size.saturating_add(by);
        let is_iq = self.stack.first().is_some_and(|e| e.name() == "iq");
        let limit = match (self.signed_in, is_iq) {
            (false, _) => LIMIT_BEFORE_SIGN_IN,
            (true, true) => LIMIT_IQ,
            (true, false) => LIMIT,
        };
        // An element just begun has no kind yet and is shorter than a few tokens.
        if self.size > limit && !self.stack.is_empty() {
            return Err(Fault::TooLarge(limit as u64));
        }
        Ok(())
    }

    fn tidy(&mut self) {
        self.since_tidy += 1;
        if self.since_tidy >= TIDY || self.size > LIMIT_BEFORE_SIGN_IN {
            self.since_tidy = 0;
            self.parser.release_temporaries();
        }
    }

    fn broken(&self, error: rxml::Error) -> Fault {
        if !self.opened && is_web(&self.head) {
            Fault::Html
        } else if self.opened {
            Fault::Nonsense(format!("the XML stream is broken ({error})"))
        } else {
            Fault::Nonsense("no XMPP stream".into())
        }
    }
}

/// Whether the beginning of an answer is that of a web server or page.
fn is_web(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let begins =
        |with: &[u8]| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    // A document type or a comment never begins a stream, nearly always a page.
    begins(b"HTTP/") || begins(b"<!") || begins(b"<html")
}

#[cfg(test)]
mod tests {
    use offhook_model::Fault;

    use super::{DEPTH, Item, LIMIT, Reader};

    const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
        xmlns:stream='http://etherx.jabber.org/streams' from='example.com' id='1' version='1.0'>";

    fn signed_in() -> Reader {
        Reader::new().restarted(true).expect("nothing pending")
    }

    fn read(mut reader: Reader, text: &str, piece: usize) -> (Vec<String>, Option<Fault>) {
        let mut seen = Vec::new();
        for bytes in text.as_bytes().chunks(piece) {
            reader.feed(bytes);
            loop {
                match reader.next() {
                    Ok(Some(Item::Opened)) => seen.push("opened".to_owned()),
                    Ok(Some(Item::Element(e))) => seen.push(e.name().to_owned()),
                    Ok(Some(Item::Closed)) => {
                        seen.push("closed".to_owned());
                        return (seen, None);
                    }
                    Ok(None) => break,
                    Err(fault) => return (seen, Some(fault)),
                }
            }
        }
        (seen, None)
    }

    #[test]
    fn the_pieces_do_not_matter() {
        let text = format!(
            "{HEADER} <presence from='b@x/r'><show>away</show></presence>\n<message>\
             <body>\u{20ac} &amp; so on</body></message></stream:stream>"
        );
        let want = ["opened", "presence", "message", "closed"];
        for piece in [1, 2, 3, 7, 64, 10_000] {
            let (seen, fault) = read(signed_in(), &text, piece);
            assert_eq!(seen, want, "pieces of {piece}");
            assert_eq!(fault, None);
        }
    }

    #[test]
    fn what_is_no_stream_is_named() {
        let check = |text: &str, want: fn(&Fault) -> bool| {
            let (_, fault) = read(Reader::new(), text, 1_000);
            assert!(fault.as_ref().is_some_and(want), "{text:?} gave {fault:?}");
        };
        check("HTTP/1.1 400 Bad Request\r\n\r\n", |f| f == &Fault::Html);
        check("<!DOCTYPE html><html></html>", |f| f == &Fault::Html);
        check("\r\n<html lang='en'><body>", |f| f == &Fault::Html);
        check("220 mail.example.com ESMTP\r\n", |f| matches!(f, Fault::Nonsense(_)));
        check("<feed xmlns='http://www.w3.org/2005/Atom'>", |f| matches!(f, Fault::Nonsense(_)));
        check("\u{16}\u{3}\u{1}\0\u{2}", |f| matches!(f, Fault::Nonsense(_)));
    }

    #[test]
    fn size_and_depth_have_limits() {
        let huge = format!("{HEADER}<message><body>{}</body></message>", "x".repeat(LIMIT + 1));
        let (seen, fault) = read(signed_in(), &huge, 8_192);
        assert_eq!(seen, ["opened"]);
        assert_eq!(fault, Some(Fault::TooLarge(LIMIT as u64)));

        let early = format!("{HEADER}<features>{}</features>", "x".repeat(70_000));
        assert_eq!(read(Reader::new(), &early, 8_192).1, Some(Fault::TooLarge(64 * 1024)));

        let list = format!(
            "{HEADER}<iq type='result' id='1'><q xmlns='q'>{}</q></iq>",
            "<item xmlns='q' jid='somebody@example.com'/>".repeat(20_000)
        );
        assert_eq!(read(signed_in(), &list, 8_192).0, ["opened", "iq"]);

        let deep = format!("{HEADER}{}", "<a>".repeat(DEPTH + 1));
        assert!(matches!(read(signed_in(), &deep, 100).1, Some(Fault::Nonsense(_))));
    }

    #[test]
    fn entities_and_comments_are_refused() {
        for bad in ["&xxe;", "<!-- c -->", "<?pi x?>", "<!DOCTYPE a>"] {
            let (_, fault) = read(signed_in(), &format!("{HEADER}<message>{bad}"), 9);
            assert!(matches!(fault, Some(Fault::Nonsense(_))), "{bad}: {fault:?}");
        }
    }

    #[test]
    fn bytes_ahead_of_a_new_stream_end_it() {
        let mut reader = Reader::new();
        reader.feed(format!("{HEADER}<proceed/><message/>").as_bytes());
        assert!(matches!(reader.next(), Ok(Some(Item::Opened))));
        assert!(matches!(reader.next(), Ok(Some(Item::Element(_)))));
        assert!(reader.restarted(false).is_err());
    }
}
