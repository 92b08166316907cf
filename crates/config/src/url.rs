//! The few forms of web addresses that servers hand out.

use std::fmt;

/// An absolute `http` or `https` address. User information is refused: a server has no business
/// naming one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// `https`.
    pub secure: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port, 1 to 65535; 80 or 443 when none is written.
    pub port: u16,
    /// Path with its leading `/`, and the query.
    pub path: String,
}

impl HttpUrl {
    /// Reads an address (RFC 3986). `None` when it is of another form.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://")?;
        let secure = if scheme.eq_ignore_ascii_case("https") {
            true
        } else if scheme.eq_ignore_ascii_case("http") {
            false
        } else {
            return None;
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = split_port(authority)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
            None if secure => 443,
            None => 80,
        };
        let path = path.split('#').next().unwrap_or_default();
        if path.len() > 2048 || path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self { secure, host: host.to_owned(), port, path: format!("{slash}{path}") })
    }

    /// The last segment of the path with percent-encoding undone. `None` when it is empty or not
    /// UTF-8.
    pub fn last_segment(&self) -> Option<String> {
        let path = self.path.split('?').next()?;
        let segment = path.trim_end_matches('/').rsplit('/').next()?;
        decode(segment).filter(|segment| !segment.is_empty())
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}{}", self.host, self.port, self.path)
        } else {
            write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.path)
        }
    }
}

/// Divides `host`, `host:port` and `[v6]:port`.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!host.is_empty() && host.len() <= 253 && host.chars().all(good)).then_some((host, port))
}

fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::HttpUrl;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(HttpUrl::parse(text).map(|url| url.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn addresses_of_servers_are_read() {
        check("https://cucm1:8443/cucm-uds/user/a", Some("https://cucm1:8443/cucm-uds/user/a"));
        check(" HTTP://cucm1.example.com ", Some("http://cucm1.example.com:80/"));
        check("https://[2001:db8::1]/x?y=1#z", Some("https://[2001:db8::1]:443/x?y=1"));
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "",
            "cucm1",
            "ftp://x/",
            "https://",
            "https://a:0/",
            "https://a:99999/",
            "https://user:pw@host/",
            "https://[zz]/",
            "https://a/b c",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn the_last_segment_is_decoded() {
        let last = |text| HttpUrl::parse(text).and_then(|url| url.last_segment());
        assert_eq!(last("https://h:1/cucm-uds/user/al%20ice%2").as_deref(), Some("al ice%2"));
        assert_eq!(last("https://h:1/"), None);
    }
}
