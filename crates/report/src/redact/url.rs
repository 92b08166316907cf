//! Web addresses: scheme, host, port and the shape of path and query stay.

use super::Redactor;
use super::people::looks_like_device;

/// Parameters whose values are about services and not about people.
const PLAIN: [&str; 8] =
    ["service_name", "org", "cmd", "type", "version", "model", "client", "applyto"];

impl Redactor {
    /// The address without what belongs to people: segments of the path that are known, and the
    /// values of the query unless they are about services.
    pub fn url(&mut self, url: &str) -> String {
        let (place, path) = split(url);
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let mut out = place.to_owned();
        out.push_str(&self.path(path));
        if let Some(query) = query {
            out.push('?');
            out.push_str(&hide_values(query));
        }
        out
    }

    fn path(&mut self, path: &str) -> String {
        let mut after_user = false;
        let mut segments = vec![];
        for segment in path.split('/') {
            let plain = decode(segment);
            let shown = if after_user { self.person(&plain) } else { self.segment(&plain) };
            after_user = segment.eq_ignore_ascii_case("user") && !after_user;
            segments.push(if shown == plain { segment.to_owned() } else { encode(&shown) });
        }
        segments.join("/")
    }

    fn segment(&mut self, segment: &str) -> String {
        let is_device = self.devices.find(segment).is_some() || looks_like_device(segment);
        if is_device {
            return self.device(segment);
        }
        self.word(segment)
    }
}

/// `https://host:port` and the rest.
fn split(url: &str) -> (&str, &str) {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..].find(['/', '?']).map_or(url.len(), |at| begin + at);
    url.split_at(end)
}

fn hide_values(query: &str) -> String {
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if !PLAIN.contains(&key.to_ascii_lowercase().as_str()) => {
                format!("{key}=*")
            }
            Some(_) | None => pair.to_owned(),
        })
        .collect();
    pairs.join("&")
}

fn decode(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| segment.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encode(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@+:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
