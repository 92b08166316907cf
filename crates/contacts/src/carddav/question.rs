//! What servers are asked.

use offhook_ports::Method;
use quick_xml::escape::escape;

/// One question, without its address.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub method: Method,
    /// RFC 4918 section 10.2: the resource itself, or those in it as well.
    pub depth: Depth,
    pub body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Itself,
    Members,
}

impl Depth {
    pub(super) fn written(self) -> &'static str {
        match self {
            Self::Itself => "0",
            Self::Members => "1",
        }
    }
}

/// What a resource is, and where the address books of its reader are (RFC 5397 section 3, RFC 6352
/// section 7.1.1).
pub(super) fn what(depth: Depth) -> Question {
    let wanted = "<D:resourcetype/><D:current-user-principal/><C:addressbook-home-set/>\
                  <D:supported-report-set/><S:getctag/>";
    Question { method: Method::Propfind, depth, body: properties(wanted) }
}

/// Which cards an address book has.
pub(super) fn list() -> Question {
    let body = properties("<D:resourcetype/><D:getetag/>");
    Question { method: Method::Propfind, depth: Depth::Members, body }
}

/// What has changed since the token (RFC 6578 section 3.2); the empty one asks for everything.
pub(super) fn changes(token: &str) -> Question {
    let token = escape(token);
    report(
        "D:sync-collection",
        &format!(
            "<D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>\
             <D:prop><D:getetag/></D:prop>"
        ),
        Depth::Itself,
    )
}

/// These cards (RFC 6352 section 8.7).
pub(super) fn cards<'a>(paths: impl Iterator<Item = &'a str>) -> Question {
    let mut wanted = CARD.to_owned();
    for path in paths {
        wanted.push_str("<D:href>");
        wanted.push_str(&escape(path));
        wanted.push_str("</D:href>");
    }
    report("C:addressbook-multiget", &wanted, Depth::Itself)
}

/// All cards with a name, which is all (RFC 6352 section 8.6). No list of filters at all would mean
/// all to some servers and none to others.
pub(super) fn everything() -> Question {
    let wanted = format!("{CARD}<C:filter><C:prop-filter name=\"FN\"/></C:filter>");
    report("C:addressbook-query", &wanted, Depth::Members)
}

const CARD: &str = "<D:prop><D:getetag/><C:address-data/></D:prop>";

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
const NAMES: &str = "xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\" \
                     xmlns:S=\"http://calendarserver.org/ns/\"";

fn properties(wanted: &str) -> String {
    format!("{HEAD}<D:propfind {NAMES}><D:prop>{wanted}</D:prop></D:propfind>")
}

fn report(name: &str, inside: &str, depth: Depth) -> Question {
    let body = format!("{HEAD}<{name} {NAMES}>{inside}</{name}>");
    Question { method: Method::Report, depth, body }
}

#[cfg(test)]
mod tests {
    use super::{cards, changes};

    #[test]
    fn what_servers_have_said_is_escaped() {
        let body = cards(["/a&b/<x>.vcf"].into_iter()).body;
        assert!(body.contains("<D:href>/a&amp;b/&lt;x&gt;.vcf</D:href>"), "{body}");
        assert!(changes("]]><&").body.contains("<D:sync-token>]]&gt;&lt;&amp;</D:sync-token>"));
    }
}
