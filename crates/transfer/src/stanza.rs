//! Elements of the protocols for files, written and read by hand: other clients leave out what the
//! schemas demand, and the library refuses these whole.

use offhook_model::{Jid, safe_file_name};
use offhook_ports::StreamHost;
use sha1::{Digest, Sha1};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::minidom::rxml::{Namespace, NcName};

/// Namespaces.
pub(crate) mod ns {
    pub(crate) const UPLOAD: &str = "urn:xmpp:http:upload:0";
    pub(crate) const JINGLE: &str = "urn:xmpp:jingle:1";
    pub(crate) const FILE: &str = "urn:xmpp:jingle:apps:file-transfer:5";
    pub(crate) const S5B: &str = "urn:xmpp:jingle:transports:s5b:1";
    pub(crate) const JINGLE_IBB: &str = "urn:xmpp:jingle:transports:ibb:1";
    pub(crate) const HASHES: &str = "urn:xmpp:hashes:2";
    pub(crate) const BYTESTREAMS: &str = "http://jabber.org/protocol/bytestreams";
    pub(crate) const IBB: &str = "http://jabber.org/protocol/ibb";
    pub(crate) const SI: &str = "http://jabber.org/protocol/si";
    pub(crate) const SI_FILE: &str = "http://jabber.org/protocol/si/profile/file-transfer";
    pub(crate) const NEGOTIATION: &str = "http://jabber.org/protocol/feature-neg";
    pub(crate) const FORM: &str = "jabber:x:data";
}

/// How many candidates of the other side are tried.
const CANDIDATES: usize = 16;

/// The largest file that is believed in: what a 64-bit file system can hold.
const LARGEST: u64 = i64::MAX as u64;

/// An element with attributes.
pub(crate) fn el(name: &str, ns: &str, attributes: &[(&str, &str)]) -> Element {
    let mut element = Element::bare(name, ns);
    for (name, value) in attributes {
        if let Ok(name) = NcName::try_from(*name) {
            element.set_attr(Namespace::NONE, name, *value);
        }
    }
    element
}

/// An element with text.
pub(crate) fn text(name: &str, ns: &str, text: &str) -> Element {
    let mut element = Element::bare(name, ns);
    element.append_text(text);
    element
}

/// The element with a child.
pub(crate) fn with(mut element: Element, child: Element) -> Element {
    element.append_child(child);
    element
}

/// What the sender says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Made safe.
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) media_type: Option<String>,
    pub(crate) sha256: Option<[u8; 32]>,
}

/// A way to the sender or its proxy (XEP-0260 section 2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) cid: String,
    pub(crate) jid: Jid,
    pub(crate) host: StreamHost,
    pub(crate) priority: u32,
    pub(crate) proxy: bool,
}

/// A transport of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// SOCKS5 (XEP-0260).
    Socks {
        sid: String,
        /// The key for the other side's candidates, if it names one.
        key: Option<String>,
        candidates: Vec<Candidate>,
    },
    /// In-band (XEP-0261).
    InBand { sid: String, block: usize },
}

/// The file of a Jingle description (XEP-0234 section 5); nothing without a size.
pub(crate) fn jingle_file(description: &Element) -> Option<File> {
    let file = description.get_child("file", ns::FILE)?;
    let part = |name: &str| file.get_child(name, ns::FILE).map(Element::text);
    Some(File {
        name: safe_file_name(&part("name").unwrap_or_default()),
        size: part("size")?.trim().parse().ok().filter(|size| *size <= LARGEST)?,
        media_type: part("media-type").filter(|it| is_media_type(it)),
        sha256: sha256_in(file),
    })
}

/// The SHA-256 among the hashes of an element (XEP-0300).
pub(crate) fn sha256_in(element: &Element) -> Option<[u8; 32]> {
    use base64::Engine;
    let is = |it: &&Element| it.is("hash", ns::HASHES) && it.attr("algo") == Some("sha-256");
    let hash = element.children().find(is)?.text();
    base64::engine::general_purpose::STANDARD.decode(hash.trim()).ok()?.try_into().ok()
}

/// A SHA-256 as an element.
pub(crate) fn sha256(sum: &[u8; 32]) -> Element {
    use base64::Engine;
    let mut hash = el("hash", ns::HASHES, &[("algo", "sha-256")]);
    hash.append_text(base64::engine::general_purpose::STANDARD.encode(sum));
    hash
}

/// A file as a Jingle description.
pub(crate) fn description(file: &File) -> Element {
    let mut about = Element::bare("file", ns::FILE);
    about.append_child(text("name", ns::FILE, &file.name));
    about.append_child(text("size", ns::FILE, &file.size.to_string()));
    if let Some(kind) = &file.media_type {
        about.append_child(text("media-type", ns::FILE, kind));
    }
    match &file.sha256 {
        Some(sum) => about.append_child(sha256(sum)),
        None => about.append_child(el("hash-used", ns::HASHES, &[("algo", "sha-256")])),
    };
    with(Element::bare("description", ns::FILE), about)
}

/// Reads a transport; nothing when it is of no kind that we know.
pub(crate) fn transport(content: &Element) -> Option<Transport> {
    if let Some(socks) = content.get_child("transport", ns::S5B) {
        let mut candidates: Vec<Candidate> =
            socks.children().filter_map(candidate).take(CANDIDATES).collect();
        candidates.sort_by_key(|it| std::cmp::Reverse(it.priority));
        return Some(Transport::Socks {
            sid: short(socks.attr("sid")?)?,
            key: socks.attr("dstaddr").filter(|it| is_key(it)).map(str::to_owned),
            candidates,
        });
    }
    let band = content.get_child("transport", ns::JINGLE_IBB)?;
    let block = band.attr("block-size").and_then(|it| it.parse::<u16>().ok())?;
    Some(Transport::InBand { sid: short(band.attr("sid")?)?, block: usize::from(block) })
}

fn candidate(element: &Element) -> Option<Candidate> {
    if !element.is("candidate", ns::S5B) {
        return None;
    }
    let kind = element.attr("type").unwrap_or("direct");
    Some(Candidate {
        cid: short(element.attr("cid")?)?,
        jid: element.attr("jid")?.parse().ok()?,
        host: host(element)?,
        priority: element.attr("priority").and_then(|it| it.parse().ok()).unwrap_or(0),
        proxy: kind == "proxy",
    })
}

/// `host` and `port` of an element; the port is 1080 without one (XEP-0065 section 4).
pub(crate) fn host(element: &Element) -> Option<StreamHost> {
    let host = element.attr("host")?.trim();
    let fits = !host.is_empty()
        && host.len() <= 255
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_'));
    let port = element.attr("port").map_or(Some(1080), |it| it.parse().ok())?;
    (fits && port != 0).then(|| StreamHost { host: host.to_owned(), port })
}

/// Writes a transport; the key is for our own candidates.
pub(crate) fn write_transport(transport: &Transport) -> Element {
    match transport {
        Transport::InBand { sid, block } => {
            el("transport", ns::JINGLE_IBB, &[("sid", sid), ("block-size", &block.to_string())])
        }
        Transport::Socks { sid, key, candidates } => {
            let mut element = el("transport", ns::S5B, &[("sid", sid), ("mode", "tcp")]);
            if let (Some(key), false) = (key, candidates.is_empty()) {
                element =
                    el("transport", ns::S5B, &[("sid", sid), ("mode", "tcp"), ("dstaddr", key)]);
            }
            for it in candidates {
                element.append_child(el(
                    "candidate",
                    ns::S5B,
                    &[
                        ("cid", &it.cid),
                        ("host", &it.host.host),
                        ("port", &it.host.port.to_string()),
                        ("jid", &it.jid.to_string()),
                        ("priority", &it.priority.to_string()),
                        ("type", if it.proxy { "proxy" } else { "direct" }),
                    ],
                ));
            }
            element
        }
    }
}

/// What a bytestream is known by: SHA-1 over its id and both full addresses (XEP-0065 section 5.3.2).
pub(crate) fn key(sid: &str, first: &Jid, second: &Jid) -> String {
    let sum = Sha1::digest(format!("{sid}{first}{second}").as_bytes());
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_key(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

/// An id of theirs, if it is of a sane length.
pub(crate) fn short(id: &str) -> Option<String> {
    (!id.is_empty() && id.len() <= 256).then(|| id.to_owned())
}

/// Type and subtype, as RFC 6838 section 4.2 writes them.
pub(crate) fn is_media_type(text: &str) -> bool {
    let word = |it: &str| {
        let fits = |c: u8| c.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&c);
        !it.is_empty() && it.len() <= 127 && it.bytes().all(fits)
    };
    text.split_once('/').is_some_and(|(kind, sub)| word(kind) && word(sub))
}
