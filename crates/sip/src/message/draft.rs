//! Messages being written.

use std::fmt::{Arguments, Display};
use std::io::Write;
use std::net::SocketAddr;

use super::{Message, Method, Name};

pub(super) fn line(out: &mut Vec<u8>, text: Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = out.write_fmt(text);
    out.extend_from_slice(b"\r\n");
}

pub(super) fn end(out: &mut Vec<u8>, body: &[u8]) {
    line(out, format_args!("Content-Length: {}\r\n", body.len()));
    out.extend_from_slice(body);
}

/// Header values come from the wire and from people; a line break in one would start a header.
fn one_line(value: impl Display) -> String {
    let mut text = value.to_string();
    if text.contains(['\r', '\n']) {
        text = text.replace(['\r', '\n'], " ");
    }
    text
}

/// Headers and body, in the order they were given.
#[derive(Clone, Debug, Default)]
struct Rest {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Names are written in their compact form.
    compact: bool,
}

impl Rest {
    fn push(&mut self, name: &'static str, value: impl Display) {
        self.headers.push((name, one_line(value)));
    }

    fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.headers {
            match Name::find(name).filter(|_| self.compact) {
                Some(known) => line(out, format_args!("{}:{value}", known.compact())),
                None => line(out, format_args!("{name}: {value}")),
            }
        }
        end(out, &self.body);
    }
}

/// A request to be sent. Its Via is given at the last moment, so that a draft can be sent again
/// under another branch.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Request URI.
    pub uri: String,
    /// Number of the CSeq header.
    pub cseq: u32,
    rest: Rest,
}

impl Request {
    /// A request without headers.
    pub fn new(method: Method, uri: impl Into<String>, cseq: u32) -> Self {
        Self { method, uri: one_line(uri.into()), cseq, rest: Rest::default() }
    }

    /// Adds a header.
    pub fn push(&mut self, name: Name, value: impl Display) {
        self.rest.push(name.as_str(), value);
    }

    /// Adds a header that [`Name`] does not have.
    pub fn push_other(&mut self, name: &'static str, value: impl Display) {
        self.rest.push(name, value);
    }

    /// Removes all headers of this name.
    pub fn remove(&mut self, name: Name) {
        self.rest.headers.retain(|(key, _)| *key != name.as_str());
    }

    /// Replaces all headers of this name by one.
    pub fn set(&mut self, name: Name, value: impl Display) {
        self.remove(name);
        self.push(name, value);
    }

    /// The first header of this name.
    pub fn get(&self, name: Name) -> Option<&str> {
        self.all(name).next()
    }

    /// All headers of this name.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &str> + '_ {
        let wanted = move |header: &&(&'static str, String)| header.0 == name.as_str();
        self.rest.headers.iter().filter(wanted).map(|(_, value)| value.as_str())
    }

    /// Sets the body and its type.
    pub fn body(&mut self, content_type: impl Display, body: impl Into<Vec<u8>>) {
        self.set(Name::ContentType, content_type);
        self.rest.body = body.into();
    }

    /// From now on it is written with compact names (RFC 3261 section 7.3.3).
    pub fn compact(&mut self) {
        self.rest.compact = true;
    }

    /// The body.
    pub fn body_bytes(&self) -> &[u8] {
        &self.rest.body
    }

    /// The request as bytes with this Via.
    pub fn write(&self, via: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024 + self.rest.body.len());
        line(&mut out, format_args!("{} {} SIP/2.0", self.method, self.uri));
        // Never compact: two bytes are not worth that some copy back only what is called Via (SIPp).
        line(&mut out, format_args!("Via: {via}"));
        line(&mut out, format_args!("CSeq: {} {}", self.cseq, self.method));
        self.rest.write(&mut out);
        out
    }
}

/// A response to be sent.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    reason: String,
    rest: Rest,
}

impl Response {
    /// A response to this request that came from `from`, with the headers that RFC 3261 section
    /// 8.2.6.2 wants copied. `tag` is added to `To` where it has none, apart from 100.
    pub fn to(request: &Message, status: u16, tag: &str, from: SocketAddr) -> Self {
        let mut rest = Rest::default();
        for (index, via) in request.tokens(Name::Via).enumerate() {
            if index == 0 {
                rest.push("Via", first_via(via, request, from));
            } else {
                rest.push("Via", via);
            }
        }
        let tagged = request.tag(Name::To).is_some() || status == 100 || tag.is_empty();
        // A header that the request lacks is one of the reasons to refuse it.
        for name in [Name::From, Name::To, Name::CallId, Name::Cseq] {
            match request.header(name) {
                Some(to) if name == Name::To && !tagged => {
                    rest.push("To", format_args!("{to};tag={tag}"));
                }
                Some(value) => rest.push(name.as_str(), value),
                None => {}
            }
        }
        let dialog =
            matches!(request.method(), Some(Method::Invite | Method::Subscribe | Method::Refer));
        if dialog && (101..300).contains(&status) {
            for route in request.all(Name::RecordRoute) {
                rest.push("Record-Route", route);
            }
        }
        Self { status, reason: reason(status).to_owned(), rest }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Adds a header.
    pub fn push(&mut self, name: Name, value: impl Display) {
        self.rest.push(name.as_str(), value);
    }

    /// Adds a header that [`Name`] does not have.
    pub fn push_other(&mut self, name: &'static str, value: impl Display) {
        self.rest.push(name, value);
    }

    /// Sets the body and its type.
    pub fn body(&mut self, content_type: impl Display, body: impl Into<Vec<u8>>) {
        self.push(Name::ContentType, content_type);
        self.rest.body = body.into();
    }

    /// The response as bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024 + self.rest.body.len());
        line(&mut out, format_args!("SIP/2.0 {} {}", self.status, self.reason));
        self.rest.write(&mut out);
        out
    }
}

/// The topmost Via as RFC 3261 section 18.2.1 and RFC 3581 section 4 want it completed.
fn first_via(text: &str, request: &Message, from: SocketAddr) -> String {
    let Some(via) = request.via() else { return text.to_owned() };
    let asked = via.params.get("rport") == Some("");
    let host = via.host.trim_matches(['[', ']']);
    let other = host.parse() != Ok(from.ip());
    let mut out = text.to_owned();
    if asked {
        let (hop, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        out = hop.to_owned();
        for (name, value) in super::text::Params::new(params).iter() {
            match value {
                _ if name.eq_ignore_ascii_case("rport") => {
                    out.push_str(&format!(";rport={}", from.port()))
                }
                Some(value) => out.push_str(&format!(";{name}={value}")),
                None => out.push_str(&format!(";{name}")),
            }
        }
    }
    if (asked || other) && via.received().is_none() {
        out.push_str(&format!(";received={}", from.ip()));
    }
    out
}

/// The usual words for a status.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        469 => "Bad Info Package",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "Version Not Supported",
        600 => "Busy Everywhere",
        603 => "Decline",
        _ => match status / 100 {
            1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
    }
}
