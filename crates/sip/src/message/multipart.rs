//! Bodies of several parts (RFC 2046 section 5.1).

use super::text::{Params, trim, unquote};

/// Most parts that are read; more are left out.
const MAX_PARTS: usize = 32;

/// One part, or a body that is not divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Media type in lower case, without parameters.
    pub media_type: String,
    /// Content.
    pub body: &'a [u8],
}

/// The parts of a body, or the body itself when it is not multipart. Parts within parts stay
/// whole.
pub fn parts<'a>(content_type: &str, body: &'a [u8]) -> Vec<Part<'a>> {
    let (media_type, params) = split_type(content_type);
    let boundary = Params::new(params).get("boundary").map(unquote);
    match boundary {
        Some(boundary) if media_type.starts_with("multipart/") && !boundary.is_empty() => {
            divide(boundary.as_bytes(), body)
        }
        _ => vec![Part { media_type, body }],
    }
}

fn split_type(content_type: &str) -> (String, &str) {
    let end = content_type.find(';').unwrap_or(content_type.len());
    let (media_type, params) = content_type.split_at(end);
    (trim(media_type).to_ascii_lowercase(), params)
}

fn divide<'a>(boundary: &[u8], body: &'a [u8]) -> Vec<Part<'a>> {
    let mut found = vec![];
    let mut start = None;
    let mut at = 0;
    while at < body.len() && found.len() < MAX_PARTS {
        let length = body[at..].iter().position(|b| *b == b'\n').map_or(body.len() - at, |p| p + 1);
        let line = body[at..at + length].trim_ascii_end();
        if let Some(rest) = line.strip_prefix(b"--").and_then(|l| l.strip_prefix(boundary)) {
            if let Some(start) = start.take() {
                found.push(part(&body[start..at]));
            }
            if rest.starts_with(b"--") {
                return found;
            }
            start = Some(at + length);
        }
        at += length;
    }
    if let Some(start) = start.filter(|_| found.len() < MAX_PARTS) {
        found.push(part(&body[start.min(body.len())..]));
    }
    found
}

fn part(bytes: &[u8]) -> Part<'_> {
    let (head, body) = match bytes {
        [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => (&[][..], rest),
        _ => match super::head_end(bytes, 0) {
            Some((head, body)) => (&bytes[..head], &bytes[body..]),
            None => (&[][..], bytes),
        },
    };
    // The line end before the boundary belongs to the boundary.
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    let head = String::from_utf8_lossy(head);
    let media_type = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| trim(name).eq_ignore_ascii_case("content-type"))
        .map_or_else(|| "text/plain".to_owned(), |(_, value)| split_type(value).0);
    Part { media_type, body }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn parts_end_before_their_boundary() {
        let body = b"preamble\r\n--b\r\nContent-Type: Text/X; a=b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\nrest";
        let found = parts("multipart/mixed; boundary=\"b\"", body);
        let seen: Vec<_> = found.iter().map(|p| (p.media_type.as_str(), p.body)).collect();
        assert_eq!(seen, [("text/x", &b"one"[..]), ("text/plain", b"two")]);
    }

    #[test]
    fn a_plain_body_is_one_part() {
        assert_eq!(parts("application/sdp", b"v=0").len(), 1);
        assert_eq!(parts("multipart/mixed", b"v=0").len(), 1);
        assert_eq!(parts("multipart/mixed;boundary=x", b"v=0").len(), 0);
    }
}
