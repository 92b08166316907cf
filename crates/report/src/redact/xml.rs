//! Bodies of answers. The markup stays byte for byte, so that a reader comes to the same end;
//! texts and attributes go by the name of what they stand in.

use super::text::is_secret_word;
use super::{Redactor, is_stand_in};

/// What a text is about, by the name of its element or attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Secret,
    Person,
    Name,
    Number,
    Device,
    /// An id that no reader looks into.
    Opaque,
    Other,
}

impl Redactor {
    /// The body without what belongs to people. What is no XML is replaced by a few words of the
    /// same kind: nobody can say what a stranger's web page tells about its reader.
    pub fn body(&mut self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let start = text.trim_start_matches('\u{feff}').trim_start();
        let lower = start.get(..64.min(start.len())).unwrap_or(start).to_ascii_lowercase();
        if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
            return page(&text);
        }
        if start.is_empty() {
            return String::new();
        }
        if !start.starts_with('<') {
            return "removed, no XML".to_owned();
        }
        Scan { redactor: self, path: vec![], out: String::with_capacity(text.len()) }.run(&text)
    }

    fn value(&mut self, about: About, value: &str) -> String {
        let trimmed = value.trim();
        let is_word = matches!(trimmed.to_ascii_lowercase().as_str(), "" | "true" | "false");
        if is_word || is_stand_in(trimmed) {
            return value.to_owned();
        }
        match about {
            About::Secret => self.secret(trimmed),
            About::Person => self.address(trimmed).unwrap_or_else(|| self.person(trimmed)),
            About::Name => self.name(trimmed),
            About::Number => self.address(trimmed).unwrap_or_else(|| self.number(trimmed)),
            About::Device => self.device(trimmed),
            About::Opaque => format!("text-{}", trimmed.len()),
            About::Other => self.other(value),
        }
    }

    fn other(&mut self, value: &str) -> String {
        let trimmed = value.trim();
        let is_url = trimmed.starts_with("http://") || trimmed.starts_with("https://");
        if is_url && !trimmed.contains(char::is_whitespace) {
            return self.url(trimmed);
        }
        // Ports, timers and code points are digits as well; numbers of people stand in elements
        // that are named so.
        if trimmed.bytes().all(|byte| byte.is_ascii_digit()) && trimmed.len() < 7 {
            return value.to_owned();
        }
        // The words of a log would be one more tag here.
        self.text(value).replace("<removed>", "[removed]")
    }
}

/// A page in the place of a page: of all that it said only its forms and the names of their fields
/// stay, for there are sign-ins that go on by them.
fn page(text: &str) -> String {
    let mut out = "<!DOCTYPE html><html><body><br>".to_owned();
    for tag in text.split('<').skip(1).take(MOST_TAGS) {
        let tag = tag.split('>').next().unwrap_or_default();
        let lower = tag.to_ascii_lowercase();
        if lower.starts_with("form") {
            out.push_str(if lower.contains("action") { "<form action=\"*\">" } else { "<form>" });
        } else if lower.starts_with("/form") {
            out.push_str("</form>");
        } else if lower.starts_with("input") {
            let name = tag.find("name=").and_then(|at| tag.get(at + 5..)).unwrap_or_default();
            let plain = |c: char| c.is_ascii_alphabetic() || c == '_';
            let name: String =
                name.trim_start_matches(['"', '\'']).chars().take_while(|c| plain(*c)).collect();
            out.push_str(&format!("<input name=\"{name}\">"));
        }
    }
    out + "</body></html>"
}

/// Tags of a page that are looked at.
const MOST_TAGS: usize = 10_000;

struct Scan<'a> {
    redactor: &'a mut Redactor,
    /// Local names of the open elements, in lower case, with their `name` attribute.
    path: Vec<(String, String)>,
    out: String,
}

/// Deeper paths are read no further; readers refuse such documents (`config::xml`).
const MAX_DEPTH: usize = 256;

impl Scan<'_> {
    fn run(mut self, text: &str) -> String {
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            self.text(&rest[..at]);
            rest = self.markup(&rest[at..]);
        }
        self.text(rest);
        self.out
    }

    fn text(&mut self, text: &str) {
        if text.trim().is_empty() {
            self.out.push_str(text);
            return;
        }
        let about = self.about_text();
        let value = self.redactor.value(about, text);
        self.out.push_str(&value);
    }

    fn about_text(&self) -> About {
        let Some((local, key)) = self.path.last() else { return About::Other };
        if is_secret(&key.to_ascii_lowercase()) {
            return About::Secret;
        }
        let parent = self.path.iter().rev().nth(1).map_or("", |(local, _)| local.as_str());
        about(local, parent)
    }

    /// Copies one piece of markup and gives what follows it.
    fn markup<'t>(&mut self, rest: &'t str) -> &'t str {
        if let Some(comment) = rest.strip_prefix("<!--") {
            // What was commented out is nobody's business.
            self.out.push_str("<!--");
            let Some((_, rest)) = comment.split_once("-->") else { return "" };
            self.out.push_str("-->");
            return rest;
        }
        if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let (text, rest) = data.split_once("]]>").unwrap_or((data, ""));
            self.out.push_str("<![CDATA[");
            self.text(text);
            self.out.push_str("]]>");
            return rest;
        }
        if rest.starts_with("<!") {
            self.out.push_str("<!DOCTYPE removed []>");
            return after_declaration(rest);
        }
        let Some(end) = end_of_tag(rest) else {
            self.out.push('<');
            return "";
        };
        let (tag, rest) = rest.split_at(end);
        self.tag(tag);
        rest
    }

    fn tag(&mut self, tag: &str) {
        if tag.starts_with("<?") {
            self.out.push_str(if tag.starts_with("<?xml ") { tag } else { "<?removed?>" });
            return;
        }
        if tag.starts_with("</") {
            self.path.pop();
            self.out.push_str(tag);
            return;
        }
        let inner = &tag[1..tag.len() - 1];
        // A quote ends a name as well, or names would be taken for values from here on.
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'');
        let name_end = inner.find(ends).unwrap_or(inner.len());
        let local = local_name(&inner[..name_end]);
        let key = attribute(inner, "name").unwrap_or_default();
        self.out.push('<');
        self.out.push_str(&inner[..name_end]);
        self.attributes(&local, &inner[name_end..]);
        self.out.push('>');
        if !tag.ends_with("/>") && self.path.len() < MAX_DEPTH {
            self.path.push((local, key));
        }
    }

    fn attributes(&mut self, element: &str, mut rest: &str) {
        while let Some(at) = rest.find(['"', '\'']) {
            let quote = if rest[at..].starts_with('"') { '"' } else { '\'' };
            let (before, after) = rest.split_at(at + 1);
            let Some(end) = after.find(quote) else { break };
            let name = before.trim_end_matches([quote, ' ', '=']);
            let name = name.rsplit(|c: char| c.is_whitespace()).next().unwrap_or_default();
            let about =
                if name == "name" { About::Other } else { about(&local_name(name), element) };
            let value = self.redactor.value(about, &after[..end]);
            self.out.push_str(before);
            self.out.push_str(&value);
            self.out.push(quote);
            rest = &after[end + 1..];
        }
        self.out.push_str(rest);
    }
}

/// By the local name and that of the element around it, both in lower case (reference uds.md,
/// device-config.md, im-presence.md).
fn about(local: &str, parent: &str) -> About {
    if is_secret(local) {
        return About::Secret;
    }
    match local {
        "username" | "userid" | "user-id" | "uid" | "ownerid" | "authname" | "email" | "mail"
        | "directoryuri" | "mailid" | "msuri" | "imaddress" | "jid" | "useruuid" | "owner" => {
            About::Person
        }
        "displayname" | "firstname" | "lastname" | "middlename" | "nickname" | "fullname"
        | "screenname" | "department" | "manager" | "title" => About::Name,
        "description" if matches!(parent, "device" | "user" | "line") => About::Name,
        "directorynumber"
        | "featurelabel"
        | "messagesnumber"
        | "voicemailpilotnumber"
        | "telephonenumber"
        | "phonenumber"
        | "mobile"
        | "mobilenumber"
        | "homenumber"
        | "homephone"
        | "pager"
        | "e164"
        | "speeddialnumber"
        | "number"
        | "pilot" => About::Number,
        "name" if parent == "line" => About::Number,
        "name" if parent == "device" => About::Device,
        "name" if parent == "user" => About::Name,
        "contact" if parent == "line" => About::Opaque,
        _ => About::Other,
    }
}

/// Settings that say which credentials are used, or where a forgotten password is asked for, hold
/// none themselves.
fn is_secret(local: &str) -> bool {
    let harmless = ["credential", "url", "uri"].iter().any(|word| local.contains(word));
    (is_secret_word(local) && !harmless) || matches!(local, "jwt" | "ticket" | "authstring")
}

fn local_name(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.find(&format!(" {name}="))? + name.len() + 2;
    let quote = tag[at..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    tag[at + 1..].split(quote).next().map(str::to_owned)
}

/// The place after the `>` that ends a tag; one in quotes does not count.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if byte == open => quote = None,
            _ => {}
        }
    }
    None
}

/// What follows a document type declaration with its inner subset.
fn after_declaration(text: &str) -> &str {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b'>' if depth == 0 => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}
