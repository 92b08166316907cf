//! SIP messages: reading without copying header by header, and writing.
//!
//! [`parse`] finds lines and names only; headers are read as their types when somebody asks.
//! Odd input is accepted and noted ([`Message::oddities`]), broken input is an error. Whether a
//! readable request makes sense is a second question: [`Message::defect`].

mod address;
mod draft;
mod framing;
mod method;
mod multipart;
mod name;
mod parse;
mod scan;
pub mod text;
pub mod uri;
mod via;
mod warning;

use std::borrow::Cow;

use thiserror::Error;

pub use address::Address;
pub(crate) use draft::reason;
pub use draft::{Request, Response};
pub use framing::{Frame, Framer};
pub use method::Method;
pub use multipart::{Part, parts};
pub use name::Name;
pub use parse::{parse, salvage};
pub use uri::{Scheme, Uri};
pub use via::Via;
pub use warning::Warning;

use parse::head_end;
use text::{List, capped_number, trim};

/// Most bytes of start line and headers.
pub const MAX_HEAD: usize = 64 * 1024;
/// Most bytes of body.
pub const MAX_BODY: usize = 1024 * 1024;

/// Why bytes are no message, or a header is not of its type.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ParseError {
    /// Neither a request line nor a status line.
    #[error("the first line is neither a request line nor a status line")]
    StartLine,
    /// Start line and headers are larger than [`MAX_HEAD`].
    #[error("the headers are larger than 64 KiB")]
    HeadTooLarge,
    /// The body is larger than [`MAX_BODY`].
    #[error("the body is larger than 1 MiB")]
    BodyTooLarge,
    /// Content-Length is no number, or there are several that differ.
    #[error("Content-Length cannot be used")]
    ContentLength,
    /// Content-Length promises more than there is.
    #[error("the message is cut short")]
    Truncated,
    /// Not a URI.
    #[error("a URI cannot be read")]
    Uri,
    /// Not a name-addr or addr-spec.
    #[error("an address cannot be read")]
    Address,
    /// Not a Via.
    #[error("a Via cannot be read")]
    Via,
    /// Not a CSeq.
    #[error("CSeq cannot be read")]
    Cseq,
}

/// Something that was put up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A header line without a colon or without a name; it is left out.
    LineWithoutName,
    /// The headers do not end with an empty line.
    NoEmptyLine,
    /// The headers are not UTF-8; the bytes in question were read as Latin-1.
    NotUtf8,
    /// More bytes than Content-Length says; they are left out.
    ExtraBytes,
    /// White space in the start line where one space belongs.
    StartLineSpace,
}

/// Why a readable request cannot be served, as the status to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// 400: a mandatory header is missing, doubled or unreadable; the text says which.
    BadRequest(&'static str),
    /// 416: the request URI has a scheme we do not serve.
    Scheme,
    /// 501: nobody knows the method, and CSeq names another one.
    Method,
    /// 505: not SIP/2.0.
    Version,
}

impl Defect {
    /// The status to answer with.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Scheme => 416,
            Self::Method => 501,
            Self::Version => 505,
        }
    }
}

/// Sequence number and method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cseq {
    /// Sequence number, below 2^31.
    pub number: u32,
    /// Method of the request.
    pub method: Method,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of(self, head: &str) -> &str {
        head.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Start {
    Request { method: Method, uri: Span, version_good: bool },
    Response { status: u16, reason: Span },
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    known: Option<Name>,
    name: Span,
    value: Span,
}

/// A message that was read.
#[derive(Clone, Debug)]
pub struct Message {
    head: String,
    start: Start,
    slots: Vec<Slot>,
    body: Vec<u8>,
    oddities: Vec<Oddity>,
}

impl Message {
    fn take_body(&mut self, rest: &[u8]) -> Result<(), ParseError> {
        let mut length: Option<usize> = None;
        for value in self.all(Name::ContentLength) {
            let good = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
            let this = value.parse().ok().filter(|_| good).ok_or(ParseError::ContentLength)?;
            if length.replace(this).is_some_and(|before| before != this) {
                return Err(ParseError::ContentLength);
            }
        }
        let length = length.unwrap_or(rest.len());
        if length > MAX_BODY {
            return Err(ParseError::BodyTooLarge);
        }
        let body = rest.get(..length).ok_or(ParseError::Truncated)?;
        if body.len() < rest.len() {
            self.oddities.push(Oddity::ExtraBytes);
        }
        self.body = body.to_vec();
        Ok(())
    }

    /// The method; nothing for a response.
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The request URI as written; empty for a response.
    pub fn request_uri(&self) -> &str {
        match &self.start {
            Start::Request { uri, .. } => uri.of(&self.head),
            Start::Response { .. } => "",
        }
    }

    /// The status code, 100 to 699; nothing for a request.
    pub fn status(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(*status),
        }
    }

    /// The reason phrase; empty for a request.
    pub fn reason(&self) -> &str {
        match &self.start {
            Start::Request { .. } => "",
            Start::Response { reason, .. } => reason.of(&self.head),
        }
    }

    /// The first header of this name. Folded lines are joined.
    pub fn header(&self, name: Name) -> Option<&str> {
        self.all(name).next()
    }

    /// All headers of this name, in order.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &str> + '_ {
        let wanted = move |slot: &&Slot| slot.known == Some(name);
        self.slots.iter().filter(wanted).map(|slot| slot.value.of(&self.head))
    }

    /// The first header of a name that [`Name`] does not have.
    pub fn other(&self, name: &str) -> Option<&str> {
        let wanted = |slot: &&Slot| {
            slot.known.is_none() && slot.name.of(&self.head).eq_ignore_ascii_case(name)
        };
        self.slots.iter().find(wanted).map(|slot| slot.value.of(&self.head))
    }

    /// All headers as written, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.slots.iter().map(|slot| (slot.name.of(&self.head), slot.value.of(&self.head)))
    }

    /// The elements of all headers of this name that hold a comma-separated list.
    pub fn tokens(&self, name: Name) -> impl Iterator<Item = &str> + '_ {
        self.all(name).flat_map(List::new)
    }

    /// Whether a list header has this element, in any case.
    pub fn lists(&self, name: Name, wanted: &str) -> bool {
        self.tokens(name).any(|token| token.eq_ignore_ascii_case(wanted))
    }

    /// All addresses of the headers of this name.
    pub fn addresses(
        &self,
        name: Name,
    ) -> impl Iterator<Item = Result<Address<'_>, ParseError>> + '_ {
        self.tokens(name).map(Address::parse)
    }

    /// The first address of this name that can be read.
    pub fn address(&self, name: Name) -> Option<Address<'_>> {
        self.addresses(name).find_map(Result::ok)
    }

    /// The whole value as one address: `From` and `To`, where a comma separates nothing.
    pub fn party(&self, name: Name) -> Option<Address<'_>> {
        Address::parse(self.header(name)?).ok()
    }

    /// The tag of `From` or `To`.
    pub fn tag(&self, name: Name) -> Option<&str> {
        self.party(name)?.tag()
    }

    /// All hops, first the last one the message passed.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'_>, ParseError>> + '_ {
        self.tokens(Name::Via).map(Via::parse)
    }

    /// The first hop.
    pub fn via(&self) -> Option<Via<'_>> {
        self.vias().next()?.ok()
    }

    /// CSeq.
    ///
    /// # Errors
    /// [`ParseError::Cseq`] when there is none or its number is not below 2^31.
    pub fn cseq(&self) -> Result<Cseq, ParseError> {
        let value = self.header(Name::Cseq).ok_or(ParseError::Cseq)?;
        let (number, method) = value.split_once([' ', '\t']).ok_or(ParseError::Cseq)?;
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseError::Cseq);
        }
        let number = number.parse().ok().filter(|n| *n < 1 << 31).ok_or(ParseError::Cseq)?;
        let method = Method::parse(trim(method)).ok_or(ParseError::Cseq)?;
        Ok(Cseq { number, method })
    }

    /// A header that holds a number first, capped at 2^32 − 1: Expires, Retry-After, RSeq…
    pub fn number(&self, name: Name) -> Option<u32> {
        let value = self.header(name)?;
        let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        capped_number(&value[..end])
    }

    /// The media type of the body in lower case, without parameters.
    pub fn content_type(&self) -> Option<String> {
        let value = self.header(Name::ContentType)?;
        Some(trim(value.split(';').next()?).to_ascii_lowercase())
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text; bytes that are no UTF-8 become U+FFFD.
    pub fn body_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The session description: the body, or the first such part of a multipart body.
    pub fn sdp(&self) -> Option<String> {
        if self.body.is_empty() {
            return None;
        }
        parts(self.header(Name::ContentType).unwrap_or(""), &self.body)
            .into_iter()
            .find(|part| part.media_type == "application/sdp")
            .map(|part| String::from_utf8_lossy(part.body).into_owned())
    }

    /// The text of the first warning, else the reason phrase.
    pub fn explanation(&self) -> String {
        let warned = self.tokens(Name::Warning).find_map(Warning::parse);
        warned.map(|w| w.text).filter(|t| !t.is_empty()).unwrap_or_else(|| self.reason().to_owned())
    }

    /// What was put up with.
    pub fn oddities(&self) -> &[Oddity] {
        &self.oddities
    }

    /// Why this message cannot be served, if it cannot (RFC 3261 sections 8.1.1 and 8.2).
    pub fn defect(&self) -> Option<Defect> {
        for (name, text) in [
            (Name::From, "From"),
            (Name::To, "To"),
            (Name::CallId, "Call-ID"),
            (Name::Cseq, "CSeq"),
        ] {
            if self.all(name).count() != 1 {
                return Some(Defect::BadRequest(text));
            }
        }
        let readable = |name| self.party(name).is_some_and(|address| address.uri().is_ok());
        let bad = match () {
            () if self.header(Name::CallId).is_none_or(str::is_empty) => "Call-ID",
            () if !readable(Name::From) => "From",
            () if !readable(Name::To) => "To",
            () if self.header(Name::Via).is_none() || self.vias().any(|via| via.is_err()) => "Via",
            () => "",
        };
        let cseq = self.cseq().ok();
        match (&self.start, cseq) {
            (Start::Request { version_good: false, .. }, _) => Some(Defect::Version),
            _ if !bad.is_empty() => Some(Defect::BadRequest(bad)),
            (_, None) => Some(Defect::BadRequest("CSeq")),
            (Start::Request { method, .. }, Some(cseq)) if cseq.method != *method => {
                // RFC 4475 section 3.1.2.18 would rather have 501 where both apply.
                match method {
                    Method::Other(_) => Some(Defect::Method),
                    _ => Some(Defect::BadRequest("CSeq")),
                }
            }
            (Start::Request { .. }, _) => match Uri::parse(self.request_uri()) {
                Ok(Uri { scheme: Scheme::Other(_), .. }) => Some(Defect::Scheme),
                Ok(_) => None,
                Err(_) => Some(Defect::BadRequest("request URI")),
            },
            (Start::Response { .. }, _) => None,
        }
    }

    /// The message written again: the same headers in the same order, Content-Length made right.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.head.len() + self.body.len() + 32);
        match &self.start {
            Start::Request { method, uri, version_good } => {
                let version = if *version_good { "2.0" } else { "0.0" };
                draft::line(
                    &mut out,
                    format_args!("{method} {} SIP/{version}", uri.of(&self.head)),
                );
            }
            Start::Response { status, reason } => {
                draft::line(&mut out, format_args!("SIP/2.0 {status} {}", reason.of(&self.head)));
            }
        }
        for slot in self.slots.iter().filter(|slot| slot.known != Some(Name::ContentLength)) {
            draft::line(
                &mut out,
                format_args!("{}: {}", slot.name.of(&self.head), slot.value.of(&self.head)),
            );
        }
        draft::end(&mut out, &self.body);
        out
    }
}
