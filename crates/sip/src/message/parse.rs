//! Finding the lines of a message and the names of its headers.

use super::text::{is_token, trim};
use super::{MAX_HEAD, Message, Method, Name, Oddity, ParseError, Slot, Span, Start, scan};

/// Reads one whole message: a datagram, or what [`Framer`] cut from a stream.
///
/// # Errors
/// [`ParseError`] when the bytes are no message.
pub fn parse(bytes: &[u8]) -> Result<Message, ParseError> {
    let skip = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let bytes = &bytes[skip..];
    let mut oddities = Vec::new();
    let (head_len, body_start) = match head_end(bytes, 0) {
        Some(ends) => ends,
        None => {
            oddities.push(Oddity::NoEmptyLine);
            (bytes.len(), bytes.len())
        }
    };
    if head_len > MAX_HEAD {
        return Err(ParseError::HeadTooLarge);
    }
    let head = readable(&bytes[..head_len], &mut oddities);
    let mut lines = Lines { text: head, at: 0, folded: false };
    let first = lines.next_line().ok_or(ParseError::StartLine)?;
    let start = start_line(&lines.text, first, &mut oddities)?;
    let mut slots: Vec<Slot> = Vec::with_capacity(24);
    while let Some(line) = lines.next_line() {
        match header_line(&lines.text, line) {
            Some(slot) => slots.push(slot),
            None => oddities.push(Oddity::LineWithoutName),
        }
    }
    oddities.dedup();
    let head = if lines.folded { unfold(lines.text) } else { lines.text };
    let mut message = Message { head, start, slots, body: Vec::new(), oddities };
    message.take_body(&bytes[body_start..])?;
    Ok(message)
}

/// What can still be told of a request that [`parse`] refuses, so that it can be refused in turn
/// (RFC 3261 section 8.2.6): its headers, and of its first line the method. Nothing when it is a
/// response, has no readable method, or has no end of headers within [`MAX_HEAD`].
pub fn salvage(bytes: &[u8]) -> Option<Message> {
    let skip = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let bytes = &bytes[skip..];
    let (head_len, _) = head_end(bytes, 0).filter(|(head, _)| *head <= MAX_HEAD)?;
    let mut oddities = Vec::new();
    let head = readable(&bytes[..head_len], &mut oddities);
    let mut lines = Lines { text: head, at: 0, folded: false };
    let first = lines.next_line()?;
    let text = first.of(&lines.text);
    let (method, rest) = text.split_once(' ')?;
    let method = Method::parse(method)?;
    let (uri, version) = rest.trim_end_matches([' ', '\t']).rsplit_once(' ')?;
    version.get(..4).filter(|v| v.eq_ignore_ascii_case("SIP/"))?;
    let version_good = version.eq_ignore_ascii_case("SIP/2.0");
    let start = Start::Request { method, uri: span_in(&lines.text, trim(uri)), version_good };
    let mut slots: Vec<Slot> = Vec::new();
    while let Some(line) = lines.next_line() {
        slots.extend(header_line(&lines.text, line));
    }
    let head = if lines.folded { unfold(lines.text) } else { lines.text };
    Some(Message { head, start, slots, body: Vec::new(), oddities })
}

/// The length of the head including its last line end, and where the body starts; nothing while
/// there is no empty line. `from` is where to start looking.
pub(super) fn head_end(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        at = scan::find(bytes, at, b'\n')? + 1;
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'\n'), _) => return Some((at, at + 1)),
            (Some(b'\r'), Some(b'\n')) => return Some((at, at + 2)),
            _ => {}
        }
    }
}

/// The head as text. CUCM writes single bytes from 0x80 into display
/// names (reference sip-dialect.md section 3), so bytes that are no UTF-8 keep their value.
fn readable(bytes: &[u8], oddities: &mut Vec<Oddity>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            oddities.push(Oddity::NotUtf8);
            let mut text = String::with_capacity(bytes.len() + 16);
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
            }
            text
        }
    }
}

/// Makes spaces of the line ends within folded lines; all places stay what they were.
fn unfold(head: String) -> String {
    let mut bytes = head.into_bytes();
    for at in 1..bytes.len() {
        if matches!(bytes[at], b' ' | b'\t') && bytes[at - 1] == b'\n' {
            bytes[at - 1] = b' ';
            if at >= 2 && bytes[at - 2] == b'\r' {
                bytes[at - 2] = b' ';
            }
        }
    }
    // Only ASCII was replaced by ASCII.
    String::from_utf8(bytes).unwrap_or_default()
}

struct Lines {
    text: String,
    at: usize,
    /// A line was continued on the next one.
    folded: bool,
}

impl Lines {
    fn next_line(&mut self) -> Option<Span> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        if start >= bytes.len() {
            return None;
        }
        let mut end = scan::find(bytes, start, b'\n').unwrap_or(bytes.len());
        while matches!(bytes.get(end + 1), Some(b' ' | b'\t')) {
            self.folded = true;
            end = scan::find(bytes, end + 1, b'\n').unwrap_or(bytes.len());
        }
        self.at = end + 1;
        let end = if bytes.get(start..end)?.ends_with(b"\r") { end - 1 } else { end };
        Some(Span { start: start as u32, end: end as u32 })
    }
}

fn span_in(head: &str, part: &str) -> Span {
    let start = part.as_ptr() as usize - head.as_ptr() as usize;
    Span { start: start as u32, end: (start + part.len()) as u32 }
}

fn start_line(head: &str, line: Span, oddities: &mut Vec<Oddity>) -> Result<Start, ParseError> {
    let text = line.of(head);
    if let Some(rest) =
        text.get(..8).filter(|v| v.eq_ignore_ascii_case("SIP/2.0 ")).and(text.get(8..))
    {
        let digits = rest.get(..3).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let status = digits.and_then(|d| d.parse().ok()).filter(|s| (100..700).contains(s));
        let after = rest.get(3..).unwrap_or("");
        return match status {
            Some(status) if after.is_empty() || after.starts_with(' ') => {
                Ok(Start::Response { status, reason: span_in(head, trim(after)) })
            }
            _ => Err(ParseError::StartLine),
        };
    }
    let (method, rest) = text.split_once(' ').ok_or(ParseError::StartLine)?;
    let trimmed = rest.trim_end_matches([' ', '\t']);
    let (uri, version) = trimmed.rsplit_once(' ').ok_or(ParseError::StartLine)?;
    let method = Method::parse(method).ok_or(ParseError::StartLine)?;
    if !version.get(..4).is_some_and(|v| v.eq_ignore_ascii_case("SIP/")) {
        return Err(ParseError::StartLine);
    }
    if trim(uri).len() != uri.len() || trimmed.len() != rest.len() {
        oddities.push(Oddity::StartLineSpace);
    }
    let uri = trim(uri);
    if uri.is_empty() || uri.contains([' ', '\t']) {
        return Err(ParseError::StartLine);
    }
    let version_good = version.eq_ignore_ascii_case("SIP/2.0");
    Ok(Start::Request { method, uri: span_in(head, uri), version_good })
}

fn header_line(head: &str, line: Span) -> Option<Slot> {
    let text = line.of(head);
    let (name, value) = scan::split_once(text, b':')?;
    let name = trim(name);
    let known = Name::find(name);
    if known.is_none() && !is_token(name) {
        return None;
    }
    Some(Slot { known, name: span_in(head, name), value: span_in(head, trim(value)) })
}
