//! SIP messages as text: read, looked into, written (RFC 3261 section 7).

use std::fmt::Write as _;

/// Largest message accepted, in bytes.
pub(crate) const MAX_MESSAGE: usize = 128 * 1024;
const MAX_HEADERS: usize = 256;

/// First line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Request { method: String, uri: String },
    Response { status: u16, reason: String },
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) start: Start,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Full name of a compact header name.
fn full_name(name: &str) -> &str {
    match name {
        "v" | "V" => "Via",
        "f" | "F" => "From",
        "t" | "T" => "To",
        "m" | "M" => "Contact",
        "i" | "I" => "Call-ID",
        "l" | "L" => "Content-Length",
        "c" | "C" => "Content-Type",
        "k" | "K" => "Supported",
        "s" | "S" => "Subject",
        "e" | "E" => "Content-Encoding",
        "o" | "O" => "Event",
        "r" | "R" => "Refer-To",
        "b" | "B" => "Referred-By",
        "u" | "U" => "Allow-Events",
        "x" | "X" => "Session-Expires",
        other => other,
    }
}

impl Message {
    pub(crate) fn request(method: &str, uri: &str) -> Self {
        let start = Start::Request { method: method.to_owned(), uri: uri.to_owned() };
        Self { start, headers: Vec::new(), body: Vec::new() }
    }

    /// A response with the headers every response repeats (RFC 3261 section 8.2.6).
    pub(crate) fn response(request: &Self, status: u16, reason: &str) -> Self {
        let start = Start::Response { status, reason: reason.to_owned() };
        let mut out = Self { start, headers: Vec::new(), body: Vec::new() };
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            for value in request.all(name) {
                out.headers.push((name.to_owned(), value.to_owned()));
            }
        }
        out
    }

    pub(crate) fn method(&self) -> &str {
        match &self.start {
            Start::Request { method, .. } => method,
            Start::Response { .. } => self.cseq().1,
        }
    }

    pub(crate) fn status(&self) -> u16 {
        match &self.start {
            Start::Request { .. } => 0,
            Start::Response { status, .. } => *status,
        }
    }

    pub(crate) fn uri(&self) -> &str {
        match &self.start {
            Start::Request { uri, .. } => uri,
            Start::Response { .. } => "",
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Replaces the first header of that name, or adds one.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.headers.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value,
            None => self.headers.push((name.to_owned(), value)),
        }
    }

    /// Copies these headers, if present, and the body from another message.
    pub(crate) fn carry(mut self, from: &Self, names: &[&str]) -> Self {
        for name in names {
            for value in from.all(name) {
                self.headers.push(((*name).to_owned(), value.to_owned()));
            }
        }
        self.body.clone_from(&from.body);
        self
    }

    /// Copies every header and the body of another message.
    pub(crate) fn carry_all(mut self, from: &Self) -> Self {
        self.headers.extend(from.headers.iter().cloned());
        self.body.clone_from(&from.body);
        self
    }

    pub(crate) fn with_no_body(mut self) -> Self {
        self.body.clear();
        self
    }

    pub(crate) fn with_body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.set("Content-Type", kind);
        self.body = body.into();
        self
    }

    pub(crate) fn call_id(&self) -> &str {
        self.header("Call-ID").unwrap_or_default()
    }

    /// Number and method of CSeq.
    pub(crate) fn cseq(&self) -> (u32, &str) {
        let value = self.header("CSeq").unwrap_or_default();
        let (number, method) = value.split_once(' ').unwrap_or((value, ""));
        (number.trim().parse().unwrap_or(0), method.trim())
    }

    pub(crate) fn sender_tag(&self) -> &str {
        parameter(self.header("From").unwrap_or_default(), "tag").unwrap_or_default()
    }

    pub(crate) fn receiver_tag(&self) -> &str {
        parameter(self.header("To").unwrap_or_default(), "tag").unwrap_or_default()
    }

    /// Branch of the topmost Via.
    pub(crate) fn branch(&self) -> &str {
        let via = self.header("Via").unwrap_or_default();
        parameter(via, "branch").unwrap_or_default()
    }

    /// URI of the first Contact.
    pub(crate) fn contact_uri(&self) -> Option<&str> {
        self.header("Contact").map(uri_of)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = match &self.start {
            Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response { status, reason } => format!("SIP/2.0 {status} {reason}\r\n"),
        };
        for (name, value) in &self.headers {
            if !name.eq_ignore_ascii_case("Content-Length") {
                let _ = write!(out, "{name}: {value}\r\n");
            }
        }
        let _ = write!(out, "Content-Length: {}\r\n\r\n", self.body.len());
        let mut out = out.into_bytes();
        out.extend(&self.body);
        out
    }
}

/// What the beginning of a byte stream holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    /// A message of so many bytes.
    Message(Message, usize),
    /// So many bytes of keep-alive, with the number of pings (double CRLF) among them.
    Blank(usize, usize),
    /// Not enough bytes yet.
    More,
    /// Nothing that can become SIP.
    Broken,
}

/// Reads the first message of a stream; `datagram` takes the end of the bytes as its end.
pub(crate) fn frame(bytes: &[u8], datagram: bool) -> Framed {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    if blank > 0 {
        return Framed::Blank(blank, blank / 4);
    }
    if bytes.is_empty() {
        return Framed::More;
    }
    let Some(head_end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") else {
        return if datagram || bytes.len() > MAX_MESSAGE { Framed::Broken } else { Framed::More };
    };
    let Some(mut message) = parse_head(bytes.get(..head_end).unwrap_or_default()) else {
        return Framed::Broken;
    };
    let rest = bytes.get(head_end + 4..).unwrap_or_default();
    let length = match message.header("Content-Length").map(|value| value.trim().parse::<usize>()) {
        Some(Ok(length)) if length <= MAX_MESSAGE => length,
        None if datagram => rest.len(),
        // A stream message without a length ends with its headers.
        None => 0,
        Some(_) => return Framed::Broken,
    };
    let Some(body) = rest.get(..length) else {
        return if datagram { Framed::Broken } else { Framed::More };
    };
    message.body = body.to_vec();
    Framed::Message(message, head_end + 4 + length)
}

fn parse_head(head: &[u8]) -> Option<Message> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let first = lines.next()?;
    let start = if let Some(rest) = first.strip_prefix("SIP/2.0 ") {
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = status.parse().ok().filter(|status| (100..700).contains(status))?;
        Start::Response { status, reason: reason.to_owned() }
    } else {
        let mut parts = first.split(' ');
        let (method, uri, version) = (parts.next()?, parts.next()?, parts.next()?);
        if version != "SIP/2.0" || parts.next().is_some() || method.is_empty() || uri.is_empty() {
            return None;
        }
        Start::Request { method: method.to_owned(), uri: uri.to_owned() }
    };
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            value.push(' ');
            value.push_str(line.trim());
        } else {
            let (name, value) = line.split_once(':')?;
            fields.push((full_name(name.trim()), value.trim().to_owned()));
        }
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in fields {
        // Several Vias in one line are as good as several lines.
        if name.eq_ignore_ascii_case("Via") {
            headers.extend(value.split(',').map(|part| ("Via".into(), part.trim().to_owned())));
        } else {
            headers.push((name.to_owned(), value));
        }
    }
    // The length does not count: it is written anew when a message is passed on.
    let is_length = |name: &str| name.eq_ignore_ascii_case("Content-Length");
    if headers.iter().filter(|(name, _)| !is_length(name)).count() > MAX_HEADERS {
        return None;
    }
    let message = Message { start, headers, body: Vec::new() };
    let needed = ["Via", "From", "To", "Call-ID", "CSeq"];
    needed.iter().all(|name| message.header(name).is_some()).then_some(message)
}

/// Where `wanted` stands outside quoted strings, from `start` on.
fn find_unquoted(value: &str, start: usize, wanted: u8) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in value.bytes().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            other if other == wanted && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The URI of an address header, and the header parameters behind it.
fn address(value: &str) -> (&str, &str) {
    match find_unquoted(value, 0, b'<') {
        Some(open) => {
            let close = value[open..].find('>').map_or(value.len(), |at| open + at);
            let tail = value.get(close + 1..).unwrap_or_default();
            (value.get(open + 1..close).unwrap_or_default(), tail)
        }
        // Without brackets everything behind the first semicolon belongs to the header.
        None => {
            let (uri, tail) = value.split_at(value.find(';').unwrap_or(value.len()));
            (uri.trim(), tail)
        }
    }
}

/// A parameter behind the address of a header value (or behind the first word of a Via); quotes
/// around the value are removed.
pub(crate) fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = address(value).1;
    loop {
        rest = rest.get(find_unquoted(rest, 0, b';')? + 1..)?;
        let end = find_unquoted(rest, 0, b';').unwrap_or(rest.len());
        let part = rest.get(..end)?;
        let (key, found) = part.split_once('=').unwrap_or((part, ""));
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found.trim().trim_matches('"'));
        }
    }
}

/// The URI of a header value, with or without angle brackets.
pub(crate) fn uri_of(value: &str) -> &str {
    address(value).0
}

/// The user part of a SIP or tel URI, without parameters, percent-encoding resolved for `+`.
pub(crate) fn user_of(uri: &str) -> String {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let user = match rest.split_once('@') {
        Some((user, _)) => user,
        None if uri.starts_with("tel:") => rest,
        None => "",
    };
    let user = user.split(';').next().unwrap_or_default();
    let user = user.split(':').next().unwrap_or_default();
    user.replace("%2B", "+").replace("%2b", "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:2002@cucm1;user=phone SIP/2.0\r\n\
        v: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;rport, SIP/2.0/TCP x;branch=z9hG4bK0\r\n\
        From: \"A; tag=no <x>\" <sip:2001@cucm1;x=y>;tag=abc\r\n\
        t: <sip:2002@cucm1>\r\n\
        i: id@x\r\nCSeq: 101 INVITE\r\n\
        Subject: one\r\n two\r\nl: 4\r\n\r\nbody";

    #[test]
    fn compact_folded_and_joined_headers_are_read() {
        let Framed::Message(message, used) = frame(INVITE.as_bytes(), false) else { panic!() };
        assert_eq!(used, INVITE.len());
        assert_eq!(message.branch(), "z9hG4bK1");
        assert_eq!(message.all("Via").count(), 2);
        assert_eq!((message.sender_tag(), message.receiver_tag()), ("abc", ""));
        assert_eq!(message.header("Subject"), Some("one two"));
        assert_eq!(message.cseq(), (101, "INVITE"));
        assert_eq!(user_of(message.uri()), "2002");
        assert_eq!(message.body, b"body");
    }

    #[test]
    fn a_stream_is_cut_by_content_length_wherever_it_breaks() {
        let two = format!("\r\n\r\n{INVITE}{INVITE}");
        assert_eq!(frame(two.as_bytes(), false), Framed::Blank(4, 1));
        let rest = &two.as_bytes()[4..];
        for length in 1..INVITE.len() {
            assert_eq!(frame(&rest[..length], false), Framed::More, "{length}");
        }
        assert!(matches!(frame(rest, false), Framed::Message(_, used) if used == INVITE.len()));
    }

    #[test]
    fn what_is_no_message_is_broken_and_never_a_panic() {
        for text in [
            "x\r\n\r\n",
            "INVITE sip:a SIP/2.0\r\n\r\n",
            "SIP/2.0 9999 x\r\n\r\n",
            " \r\n\r\n",
            "SIP/2.0 abc\r\n\r\n",
            "INVITE sip:a SIP/2.0\r\n folded\r\n\r\n",
        ] {
            assert_eq!(frame(text.as_bytes(), false), Framed::Broken, "{text}");
        }
        let negative = INVITE.replace("l: 4", "l: -4");
        assert_eq!(frame(negative.as_bytes(), false), Framed::Broken);
        let long = INVITE.replace("l: 4", "l: 99999999");
        assert_eq!(frame(long.as_bytes(), false), Framed::Broken);
        for length in 0..INVITE.len() {
            let _ = frame(&INVITE.as_bytes()[..length], true);
        }
    }

    #[test]
    fn addresses_give_up_their_parts() {
        assert_eq!(user_of("sip:%2B4930123:pw@x"), "+4930123");
        assert_eq!(user_of("tel:2002;phone-context=x"), "2002");
        let contact = "<sip:a@b;transport=tcp>;+u.sip!devicename.ccm.cisco.com=\"CSFX\";expires=0";
        assert_eq!(parameter(contact, "+u.sip!devicename.ccm.cisco.com"), Some("CSFX"));
        assert_eq!(parameter(contact, "expires"), Some("0"));
        assert_eq!(parameter(contact, "transport"), None);
        assert_eq!(uri_of("sip:a@b;tag=1"), "sip:a@b");
        let contact = "\"A <b>; \\\" x=1\" <sip:a@b>;+sip.instance=\"<urn:uuid:1;2>\";expires=0";
        assert_eq!(uri_of(contact), "sip:a@b");
        assert_eq!(parameter(contact, "expires"), Some("0"));
        assert_eq!(parameter(contact, "+sip.instance"), Some("<urn:uuid:1;2>"));
        assert_eq!(parameter(contact, "x"), None);
    }
}
