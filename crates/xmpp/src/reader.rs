//! The stream as bytes in, elements out: RFC 6120 section 4 without any input or output.
//!
//! It stands in place of a library's stream layer because that has no limit on size or nesting of
//! an element, writes whole stanzas into the log, and cannot tell HTML from a broken stream.

use offhook_im::pack_contact;
use offhook_model::Fault;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::minidom::rxml::{self, Event, Options, Parse, Parser, WithOptions};
use xmpp_parsers::ns;

use crate::skim::{Skim, Skimmed};

/// Largest element before sign-in, in bytes.
const LIMIT_BEFORE_SIGN_IN: usize = 64 * 1024;

/// Largest element, in bytes.
pub(crate) const LIMIT: usize = 512 * 1024;

/// Largest answer to a question, in bytes: a contact list of 10,000 people is about 2 MB.
pub(crate) const LIMIT_IQ: usize = 8 * 1024 * 1024;

/// Largest stanza that is read to its end, so that the stream can go on behind it, in bytes.
const LIMIT_PASSED: usize = 64 * 1024 * 1024;

/// Deepest nesting. Real stanzas stay below 15; the parsed tree is dropped recursively.
const DEPTH: usize = 64;

/// Largest single name or attribute value before sign-in, in bytes. Later it is that of a stanza:
/// what a stranger's attribute holds must not end our stream.
const TOKEN: usize = 16 * 1024;

/// What an element counts beside its bytes: many short ones take more memory than a long text.
const ELEMENT: usize = 32;

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
    /// A child of the stream that was larger or deeper than is read: its head with nothing in it.
    Refused(Element, Fault),
    /// The end of the stream.
    Closed,
}

/// A child of the stream that is passed over.
struct Refused {
    head: Element,
    why: Fault,
    /// Elements that are open in it.
    open: usize,
    size: usize,
    /// Below what the parser is shown.
    skim: Option<Skim>,
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
    /// Bytes of a tag that is not whole.
    unfinished: usize,
    refused: Option<Refused>,
    since_tidy: u32,
}

impl Reader {
    /// A reader at the beginning of a stream.
    pub(crate) fn new() -> Self {
        Self::with_tokens(TOKEN)
    }

    fn with_tokens(max_token_length: usize) -> Self {
        let options = Options { max_token_length, ..Options::default() };
        Self {
            parser: Parser::with_options(options),
            pending: Vec::new(),
            used: 0,
            head: Vec::new(),
            opened: false,
            signed_in: false,
            stack: Vec::new(),
            size: 0,
            unfinished: 0,
            refused: None,
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
        Ok(Self { signed_in, ..Self::with_tokens(if signed_in { LIMIT } else { TOKEN }) })
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
            if !self.skim()? {
                return Ok(None);
            }
            let mut rest = self.pending.get(self.used..).unwrap_or_default();
            let before = rest.len();
            let parsed = self.parser.parse(&mut rest, false);
            let passed = before - rest.len();
            self.used += passed;
            match parsed {
                Ok(Some(event)) => {
                    self.unfinished = 0;
                    if let Some(item) = self.event(event)? {
                        return Ok(Some(item));
                    }
                }
                Ok(None) => return Ok(Some(Item::Closed)),
                Err(rxml::error::EndOrError::NeedMoreData) => {
                    self.unfinished += passed;
                    return self.check_tag().map(|()| None);
                }
                Err(rxml::error::EndOrError::Error(error)) => return Err(self.broken(error)),
            }
        }
    }

    /// Passes over what the parser is not shown. False when more bytes are needed.
    fn skim(&mut self) -> Result<bool, Fault> {
        let Some(refused) = &mut self.refused else { return Ok(true) };
        let Some(skim) = &mut refused.skim else { return Ok(true) };
        let (passed, over) = match skim.pass(self.pending.get(self.used..).unwrap_or_default()) {
            Skimmed::More(passed) => (passed, false),
            Skimmed::End(passed) => (passed, true),
            Skimmed::Broken => return Err(Fault::Nonsense("the XML stream is broken".into())),
        };
        self.used += passed;
        if over {
            refused.skim = None;
        }
        refused.grow(passed)?;
        Ok(over)
    }

    /// A tag that never ends would be collected for ever.
    fn check_tag(&self) -> Result<(), Fault> {
        let limit = if self.signed_in { 2 * LIMIT } else { LIMIT_BEFORE_SIGN_IN };
        if self.unfinished > limit { Err(Fault::TooLarge(limit as u64)) } else { Ok(()) }
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
        if self.refused.is_some() {
            return self.pass_over(event);
        }
        match event {
            Event::XmlDeclaration(..) => Ok(None),
            Event::StartElement(metrics, (namespace, name), attributes) => {
                if !self.opened {
                    return self.open(&namespace, &name);
                }
                if self.stack.is_empty() {
                    self.size = 0;
                }
                if self.stack.len() >= DEPTH {
                    let why = format!("elements nested more than {DEPTH} deep");
                    return self.refuse(Fault::Nonsense(why), true);
                }
                let mut element = Element::builder(name.as_str(), namespace.as_str());
                for ((namespace, name), value) in attributes {
                    element = element.attr_ns(namespace, name, value);
                }
                self.stack.push(element.build());
                self.grow(metrics.len() + ELEMENT)
            }
            Event::Text(metrics, text) => {
                let Some(top) = self.stack.last_mut() else {
                    return Ok(None);
                };
                top.append_text(text);
                self.grow(metrics.len())
            }
            Event::EndElement(metrics) => {
                let Some(done) = self.stack.pop() else {
                    return Ok(Some(Item::Closed));
                };
                let listed = self.is_contact_list().then(|| pack_contact(&done)).flatten();
                if let Some(parent) = self.stack.last_mut() {
                    if let Some(text) = listed {
                        parent.append_text(text);
                    } else {
                        parent.append_child(done);
                    }
                    return self.grow(metrics.len());
                }
                self.tidy();
                Ok(Some(Item::Element(done)))
            }
        }
    }

    /// What is open now is the whole contact list, as an answer.
    fn is_contact_list(&self) -> bool {
        let [iq, query] = self.stack.as_slice() else { return false };
        query.is("query", ns::ROSTER) && iq.name() == "iq" && iq.attr("type") == Some("result")
    }

    /// What comes of a stanza that is refused.
    fn pass_over(&mut self, event: Event) -> Result<Option<Item>, Fault> {
        let Some(refused) = &mut self.refused else { return Ok(None) };
        match event {
            Event::XmlDeclaration(..) => {}
            Event::Text(metrics, _) => refused.grow(metrics.len())?,
            Event::StartElement(metrics, ..) => {
                refused.grow(metrics.len())?;
                return self.descend();
            }
            Event::EndElement(_) if refused.open > 0 => refused.open -= 1,
            Event::EndElement(_) => {
                self.size = LIMIT;
                self.tidy();
                let refused = self.refused.take();
                return Ok(refused.map(|it| Item::Refused(it.head, it.why)));
            }
        }
        Ok(None)
    }

    /// One level deeper into a refused stanza, where the parser is shown no more than some levels.
    fn descend(&mut self) -> Result<Option<Item>, Fault> {
        let Some(refused) = &mut self.refused else { return Ok(None) };
        refused.open += 1;
        if refused.open < DEPTH {
            return Ok(None);
        }
        // An empty element is over already; its end needs no more bytes.
        match self.parser.parse(&mut [].as_slice(), false) {
            Ok(Some(event)) => self.pass_over(event),
            Ok(None) => Ok(Some(Item::Closed)),
            Err(rxml::error::EndOrError::NeedMoreData) => {
                refused.skim = Some(Skim::new());
                Ok(None)
            }
            Err(rxml::error::EndOrError::Error(error)) => Err(self.broken(error)),
        }
    }

    /// The child of the stream that is being read is not wanted, for this reason: nothing of it is
    /// kept but its head. `deeper`: its newest element was not put on the stack.
    fn refuse(&mut self, why: Fault, deeper: bool) -> Result<Option<Item>, Fault> {
        let open = self.stack.len().saturating_sub(1);
        let head = self.stack.drain(..).next();
        let Some(whole) = head.filter(|_| self.signed_in) else {
            return Err(why);
        };
        let mut head = Element::bare(whole.name(), whole.ns());
        head.attrs_mut().clone_from(whole.attrs());
        self.refused = Some(Refused { head, why, open, size: self.size, skim: None });
        if deeper { self.descend() } else { Ok(None) }
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

    /// Counts what came of a child of the stream; one that is too large is refused.
    fn grow(&mut self, by: usize) -> Result<Option<Item>, Fault> {
        self.size = self.size.saturating_add(by);
        let is_iq = self.stack.first().is_some_and(|e| e.name() == "iq");
        let limit = match (self.signed_in, is_iq) {
            (false, _) => LIMIT_BEFORE_SIGN_IN,
            (true, true) => LIMIT_IQ,
            (true, false) => LIMIT,
        };
        if self.size <= limit {
            return Ok(None);
        }
        self.refuse(Fault::TooLarge(limit as u64), false)
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

impl Refused {
    fn grow(&mut self, by: usize) -> Result<(), Fault> {
        self.size = self.size.saturating_add(by);
        let limit = LIMIT_PASSED as u64;
        if self.size > LIMIT_PASSED { Err(Fault::TooLarge(limit)) } else { Ok(()) }
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
                    Ok(Some(Item::Refused(e, _))) => seen.push(format!("refused {}", e.name())),
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
    fn a_contact_list_is_packed_and_a_change_of_it_is_not() {
        let items = "<item jid='b@x' name='B'><group>G</group></item><item jid='c@x'/>";
        let query = format!("<query xmlns='jabber:iq:roster'>{items}<other/></query>");
        let mut reader = signed_in();
        reader.feed(HEADER.as_bytes());
        for kind in ["result", "set"] {
            reader.feed(format!("<iq type='{kind}' id='1'>{query}</iq>").as_bytes());
        }
        assert!(matches!(reader.next(), Ok(Some(Item::Opened))));
        let mut children = || match reader.next() {
            Ok(Some(Item::Element(iq))) => {
                let query = iq.children().next().expect("a list").clone();
                (query.children().count(), query.text().contains("c@x"))
            }
            other => panic!("{other:?}"),
        };
        assert_eq!([children(), children()], [(1, true), (3, false)]);
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
        let next = "<presence/>";
        let huge = format!(
            "{HEADER}<message id='1'><body>{}</body></message>{next}",
            "x".repeat(LIMIT + 1)
        );
        for piece in [100, 8_192] {
            let (seen, fault) = read(signed_in(), &huge, piece);
            assert_eq!(seen, ["opened", "refused message", "presence"]);
            assert_eq!(fault, None);
        }
        let many = format!("{HEADER}<message>{}</message>{next}", "<a/>".repeat(LIMIT / 30));
        assert_eq!(read(signed_in(), &many, 8_192).0, ["opened", "refused message", "presence"]);
        let wide = format!("{HEADER}<message a='{}'/>{next}", "x".repeat(LIMIT - 100));
        assert_eq!(read(signed_in(), &wide, 8_192).0, ["opened", "message", "presence"]);
        let endless = format!("{HEADER}<message a='{}", "x".repeat(3 * LIMIT));
        assert!(read(signed_in(), &endless, 8_192).1.is_some());
        let endless = format!("{HEADER}<message {}", "a='b' ".repeat(LIMIT));
        assert_eq!(read(signed_in(), &endless, 8_192).1, Some(Fault::TooLarge(2 * LIMIT as u64)));

        let early = format!("{HEADER}<features>{}</features>", "x".repeat(70_000));
        assert_eq!(read(Reader::new(), &early, 8_192).1, Some(Fault::TooLarge(64 * 1024)));

        let list = format!(
            "{HEADER}<iq type='result' id='1'><q xmlns='q'>{}</q></iq>",
            "<item xmlns='q' jid='somebody@example.com'/>".repeat(20_000)
        );
        assert_eq!(read(signed_in(), &list, 8_192).0, ["opened", "iq"]);

        let early = format!("{HEADER}{}", "<a>".repeat(DEPTH + 1));
        assert!(matches!(read(Reader::new(), &early, 100).1, Some(Fault::Nonsense(_))));
        for depth in [DEPTH + 1, DEPTH + 2, 5 * DEPTH, 100_000] {
            for (start, end) in [("<a>", "</a>"), ("<a b='>'>x", "</a >")] {
                let inner = start.repeat(depth - 2) + "<b/>" + &end.repeat(depth - 2);
                let deep = format!("{HEADER}<iq id='1'><c/>{inner}<d/></iq>{next}");
                let (seen, fault) = read(signed_in(), &deep, 1_000);
                let first = if depth > DEPTH { "refused iq" } else { "iq" };
                assert_eq!(seen, ["opened", first, "presence"], "{depth} deep: {fault:?}");
            }
        }
        let crossed = format!("{HEADER}<a>{}{}</b>", "<a>".repeat(200), "</a>".repeat(200));
        assert!(matches!(read(signed_in(), &crossed, 7).1, Some(Fault::Nonsense(_))));
    }

    #[test]
    fn of_a_refused_stanza_the_head_is_left() {
        let mut reader = signed_in();
        let text = format!(
            "{HEADER}<iq type='get' id='7' from='b@x'>{}</iq>",
            "<a>".repeat(70) + &"</a>".repeat(70)
        );
        reader.feed(text.as_bytes());
        assert!(matches!(reader.next(), Ok(Some(Item::Opened))));
        let Ok(Some(Item::Refused(head, _))) = reader.next() else { panic!("it is refused") };
        assert_eq!(
            (head.attr("id"), head.attr("type"), head.attr("from")),
            (Some("7"), Some("get"), Some("b@x"))
        );
        assert_eq!(head.nodes().count(), 0);
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
