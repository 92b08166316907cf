//! What servers answer: `multistatus` documents (RFC 4918 section 13) as a list.
//!
//! The list of a large address book has more elements than the tree of `offhook_config::xml` holds,
//! so this reads event by event and keeps only what is asked for. Names are compared without their
//! namespaces: servers declare them in every way, and none of the names means two things at its place.

use offhook_config::XmlError;
use quick_xml::errors::IllFormedError;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// Most resources of one answer; an answer with more is [`XmlError::TooLarge`].
pub(super) const MOST_ITEMS: usize = 50_000;
/// Deepest nesting of elements.
const MOST_DEEP: usize = 32;
/// Longest address, tag or token in bytes; longer ones count as missing.
const LONGEST: usize = 2048;
/// Most homes of one principal.
pub(super) const MOST_HOMES: usize = 4;

/// What a server says of the resources that it was asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// One for each resource that has an address.
    pub items: Vec<Item>,
    /// Where the next question goes on (RFC 6578 section 6.4).
    pub token: Option<String>,
}

/// One resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    /// As the server writes it: a path or a whole address.
    pub href: String,
    /// Status of the resource itself; none when its properties have theirs.
    pub status: Option<u16>,
    /// What was found.
    pub props: Props,
}

/// Properties that the server gave (those of a `propstat` that succeeded).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Props {
    pub collection: bool,
    pub address_book: bool,
    /// `sync-collection` is among the reports.
    pub syncs: bool,
    pub etag: Option<String>,
    pub ctag: Option<String>,
    pub principal: Option<String>,
    /// At most [`MOST_HOMES`].
    pub homes: Vec<String>,
    /// A vCard.
    pub card: Option<String>,
}

impl Props {
    fn add(&mut self, other: Self) {
        self.collection |= other.collection;
        self.address_book |= other.address_book;
        self.syncs |= other.syncs;
        let pairs = [
            (&mut self.etag, other.etag),
            (&mut self.ctag, other.ctag),
            (&mut self.principal, other.principal),
            (&mut self.card, other.card),
        ];
        for (own, theirs) in pairs {
            *own = own.take().or(theirs);
        }
        self.homes.extend(other.homes);
        self.homes.truncate(MOST_HOMES);
    }
}

/// Reads an answer. What follows its outermost element is not looked at.
///
/// # Errors
/// [`XmlError`]; [`XmlError::Missing`] when it is a document of another kind.
pub(super) fn read(data: &[u8]) -> Result<Answer, XmlError> {
    let text = String::from_utf8_lossy(data);
    let body = text.trim_start_matches('\u{feff}').trim();
    if body.is_empty() {
        return Err(XmlError::Empty);
    }
    let mut reader = Reader::from_str(body);
    let mut reading = Reading::default();
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            // A page that begins as one is one, whatever comes then.
            Err(error) => return Err(reading.broken(&error)),
        };
        let done = match event {
            Event::Start(tag) => {
                reading.start(tag.name().as_ref())?;
                false
            }
            Event::Empty(tag) => {
                reading.start(tag.name().as_ref())?;
                reading.end()?
            }
            Event::End(_) => reading.end()?,
            Event::Text(text) => {
                reading.text.push_str(&text.xml10_content());
                false
            }
            Event::CData(text) => {
                reading.text.push_str(&text.xml10_content());
                false
            }
            Event::GeneralRef(reference) => {
                if let Ok(Some(c)) = reference.resolve_char_ref() {
                    reading.text.push(c);
                } else if let Some(text) = resolve_xml_entity(&reference) {
                    reading.text.push_str(text);
                }
                // There are no other entities: nothing may declare them.
                false
            }
            Event::DocType(kind) => {
                let html =
                    kind.trim_start().get(..4).is_some_and(|it| it.eq_ignore_ascii_case("html"));
                return Err(if html { XmlError::Html } else { XmlError::DocumentType });
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => false,
            Event::Eof => return Err(XmlError::Broken("it ends too early".to_owned())),
        };
        if done {
            return Ok(reading.answer);
        }
    }
}

#[derive(Default)]
struct Reading {
    open: Vec<String>,
    text: String,
    answer: Answer,
    item: Item,
    /// RFC 4918 section 14.24: one status may be that of several addresses.
    more: Vec<String>,
    found: Props,
    status: Option<u16>,
}

impl Reading {
    fn start(&mut self, name: &str) -> Result<(), XmlError> {
        let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
        if self.open.is_empty() && name != "multistatus" {
            let html = ["html", "head", "body", "script"].contains(&name.as_str());
            return Err(if html { XmlError::Html } else { XmlError::Missing("multistatus") });
        }
        if self.open.len() >= MOST_DEEP {
            return Err(XmlError::TooDeep);
        }
        self.text.clear();
        match (self.parent(0), name.as_str()) {
            ("resourcetype", "collection") => self.found.collection = true,
            ("resourcetype", "addressbook") => self.found.address_book = true,
            ("report", "sync-collection") => self.found.syncs = true,
            ("multistatus", "response") => {
                self.item = Item::default();
                self.more.clear();
            }
            ("response", "propstat") => {
                self.found = Props::default();
                self.status = None;
            }
            _ => {}
        }
        self.open.push(name);
        Ok(())
    }

    /// The name of the innermost open element, or of one further out.
    fn parent(&self, out: usize) -> &str {
        self.open.iter().rev().nth(out).map_or("", String::as_str)
    }

    /// Closes the innermost element; true when it was the outermost.
    fn end(&mut self) -> Result<bool, XmlError> {
        let text = std::mem::take(&mut self.text);
        let Some(name) = self.open.pop() else { return Ok(true) };
        let short = || Some(text.trim()).filter(|it| (1..=LONGEST).contains(&it.len()));
        let short = || short().map(str::to_owned);
        match (self.parent(1), self.parent(0), name.as_str()) {
            (_, "response", "href") => match short() {
                Some(href) if self.item.href.is_empty() => self.item.href = href,
                other => self.more.extend(other),
            },
            (_, "response", "status") => self.item.status = code(&text),
            (_, "propstat", "status") => self.status = code(&text),
            (_, "prop", "getetag") => self.found.etag = short(),
            (_, "prop", "getctag") => self.found.ctag = short(),
            (_, "multistatus", "sync-token") => self.answer.token = short(),
            (_, "prop", "address-data") => self.found.card = Some(text),
            ("prop", "current-user-principal", "href") => self.found.principal = short(),
            ("prop", "addressbook-home-set", "href") if self.found.homes.len() < MOST_HOMES => {
                self.found.homes.extend(short());
            }
            (_, "response", "propstat") => {
                let found = std::mem::take(&mut self.found);
                if self.status.is_none_or(|status| status / 100 == 2) {
                    self.item.props.add(found);
                }
            }
            (_, "multistatus", "response") => {
                let item = std::mem::take(&mut self.item);
                let status = item.status;
                let more = self.more.drain(..);
                let more = more.map(|href| Item { href, status, props: Props::default() });
                let all = std::iter::once(item).chain(more).filter(|it| !it.href.is_empty());
                self.answer.items.extend(all);
                if self.answer.items.len() > MOST_ITEMS {
                    return Err(XmlError::TooLarge);
                }
            }
            _ => {}
        }
        Ok(self.open.is_empty())
    }

    /// What is wrong, without the document's own words, which may be private.
    fn broken(&self, error: &quick_xml::Error) -> XmlError {
        let what = match error {
            quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => {
                "a reference cannot be read"
            }
            quick_xml::Error::IllFormed(_) => "its tags do not match",
            _ => "it is no XML",
        };
        XmlError::Broken(what.to_owned())
    }
}

/// The code of `HTTP/1.1 200 OK`.
fn code(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use offhook_config::XmlError;

    use super::{MOST_DEEP, MOST_ITEMS, read};

    #[test]
    fn a_list_is_read_whatever_its_prefixes() {
        let text = r#"<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"><d:response>
            <d:href>/a/</d:href>
            <d:propstat><d:prop><d:resourcetype><d:collection/><card:addressbook/></d:resourcetype>
            <d:supported-report-set><d:supported-report><d:report>
            <d:sync-collection/></d:report></d:supported-report></d:supported-report-set></d:prop>
            <d:status>HTTP/1.1 200 OK</d:status></d:propstat>
            <d:propstat><d:prop><d:getetag>"no"</d:getetag></d:prop>
            <d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>
            <response><href>/a/1.vcf</href><href>/a/2.vcf</href><status>HTTP/1.1 404 X</status></response>
            <d:sync-token>t2</d:sync-token></d:multistatus>"#;
        let answer = read(text.as_bytes()).expect("readable");
        let [book, one, two] = &answer.items[..] else { panic!("{:?}", answer.items) };
        assert!(book.props.collection && book.props.address_book && book.props.syncs);
        assert_eq!(book.props.etag, None);
        assert_eq!((one.status, two.status), (Some(404), Some(404)));
        assert_eq!((two.href.as_str(), answer.token.as_deref()), ("/a/2.vcf", Some("t2")));
    }

    #[test]
    fn a_card_keeps_its_lines_and_letters() {
        let text = "<multistatus><response><href>/a</href><propstat><prop><address-data>BEGIN:VCARD&#13;\nFN:J&#xfc;rgen &amp; Co\n</address-data></prop></propstat></response></multistatus>";
        let answer = read(text.as_bytes()).expect("readable");
        let card = answer.items[0].props.card.as_deref();
        assert_eq!(card, Some("BEGIN:VCARD\r\nFN:Jürgen & Co\n"));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let check = |text: &str, error: XmlError| {
            assert_eq!(read(text.as_bytes()).err(), Some(error), "{text}");
        };
        check("", XmlError::Empty);
        check("<!DOCTYPE html><p>Hello<br>", XmlError::Html);
        check("<html><body>", XmlError::Html);
        check("<error xmlns='DAV:'/>", XmlError::Missing("multistatus"));
        check(
            "<!DOCTYPE m [<!ENTITY x 'xx'>]><multistatus>&x;</multistatus>",
            XmlError::DocumentType,
        );
        check(&"<multistatus>".repeat(MOST_DEEP + 1), XmlError::TooDeep);
        let many = "<response><href>/a</href></response>".repeat(MOST_ITEMS + 1);
        check(&format!("<multistatus>{many}</multistatus>"), XmlError::TooLarge);
        for cut in
            ["<multistatus><response>", "plain words", "<multistatus><a></b>", "<multistatus>&"]
        {
            assert!(matches!(read(cut.as_bytes()), Err(XmlError::Broken(_))), "{cut}");
        }
    }
}
