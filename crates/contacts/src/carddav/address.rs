//! Addresses: what people type, and what servers refer to.

use std::net::IpAddr;

use offhook_config::HttpUrl;

/// Longest path that is asked for, in bytes.
const LONGEST: usize = 2048;

/// Where a person says that the address books are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A server, a principal, a home or an address book.
    Address(HttpUrl),
    /// A domain whose server is looked for (RFC 6764).
    Domain(String),
}

/// Why what was typed is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mistyped {
    /// It is no address.
    Unreadable,
    /// The password would travel in clear to this host.
    InClear(String),
}

impl Typed {
    /// Reads `https://…`, `host:port/path`, a domain, and a mail address for its domain.
    pub(super) fn read(text: &str) -> Result<Self, Mistyped> {
        let text = text.trim();
        if text.contains("://") {
            let url = HttpUrl::parse(text).ok_or(Mistyped::Unreadable)?;
            return if is_safe(&url) {
                Ok(Self::Address(sendable(url)))
            } else {
                Err(Mistyped::InClear(url.host))
            };
        }
        let text = text.rsplit_once('@').map_or(text, |(_, domain)| domain);
        let url = HttpUrl::parse(&format!("https://{text}")).ok_or(Mistyped::Unreadable)?;
        let bare = !text.contains(['/', ':']) && text.parse::<IpAddr>().is_err();
        let domain = bare && text.contains('.');
        Ok(if domain { Self::Domain(url.host) } else { Self::Address(sendable(url)) })
    }

    /// The host or domain that was typed.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Address(url) => &url.host,
            Self::Domain(domain) => domain,
        }
    }

    /// A password may be shown there: it is the host or domain that was typed, or one below it, and
    /// the way is safe. Name servers alone have no say in it (RFC 6764 section 8).
    pub(super) fn covers(&self, url: &HttpUrl) -> bool {
        let typed = self.host();
        let host = url.host.trim_end_matches('.');
        let tail = host.len().checked_sub(typed.len()).and_then(|at| host.split_at_checked(at));
        let below = tail.is_some_and(|(front, tail)| {
            tail.eq_ignore_ascii_case(typed) && (front.is_empty() || front.ends_with('.'))
        });
        is_safe(url) && below
    }
}

/// Under TLS, or on this machine.
fn is_safe(url: &HttpUrl) -> bool {
    url.secure || is_loopback(&url.host)
}

/// This machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The same scheme, host and port.
pub(super) fn same_origin(one: &HttpUrl, two: &HttpUrl) -> bool {
    one.secure == two.secure && one.port == two.port && one.host.eq_ignore_ascii_case(&two.host)
}

/// Host, and port where it is not the usual one, as people type them.
pub(super) fn place(url: &HttpUrl) -> String {
    let whole = HttpUrl { path: String::new(), ..url.clone() }.to_string();
    let place = whole.split("://").nth(1).unwrap_or_default();
    place.strip_suffix(":443").unwrap_or(place).to_owned()
}

/// Why an address of a server is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Astray {
    /// It is at this other host.
    Foreign(String),
    /// It cannot be read, or climbs with `..`.
    Unusable,
}

/// The path that a server means at `base`. Another scheme or port of the same host is what proxies
/// make of addresses, and passed over.
pub(super) fn path_at(base: &HttpUrl, href: &str) -> Result<String, Astray> {
    let url = resolve(base, href).ok_or(Astray::Unusable)?;
    if url.host.eq_ignore_ascii_case(&base.host) {
        Ok(url.path)
    } else {
        Err(Astray::Foreign(url.host))
    }
}

/// The whole address that a server means (RFC 3986 section 5, without climbing paths).
pub(super) fn resolve(base: &HttpUrl, href: &str) -> Option<HttpUrl> {
    let href = href.trim();
    let scheme = if base.secure { "https" } else { "http" };
    let is_whole = href.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':'));
    let url = if is_whole {
        HttpUrl::parse(&sent(href))?
    } else if href.starts_with("//") {
        HttpUrl::parse(&sent(&format!("{scheme}:{href}")))?
    } else {
        let folder = base.path.split('?').next()?.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path =
            if href.starts_with('/') { sent(href) } else { sent(&format!("{folder}/{href}")) };
        let path = path.split('#').next()?.to_owned();
        HttpUrl { path, ..base.clone() }
    };
    let climbs = |segment: &str| matches!(&*key(segment), "." | "..");
    (url.path.len() <= LONGEST && !url.path.split('/').any(climbs)).then_some(url)
}

fn sendable(url: HttpUrl) -> HttpUrl {
    HttpUrl { path: sent(&url.path), ..url }
}

/// What may not stand in an address (RFC 3986 section 2) percent-encoded; servers forget it.
fn sent(text: &str) -> String {
    let mut sent = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte) {
            sent.push(char::from(byte));
        } else {
            sent.push_str(&format!("%{byte:02X}"));
        }
    }
    sent
}

/// What two ways to write one path have in common: its bytes without percent-encoding.
pub(super) fn key(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let digits = (*first == b'%').then(|| tail.split_at_checked(2)).flatten();
        let byte = digits.and_then(|(digits, tail)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, tail))
        });
        match byte {
            Some((byte, tail)) => {
                bytes.push(byte);
                rest = tail;
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Two collections are one, with or without the slash at their end.
pub(super) fn same_folder(one: &str, two: &str) -> bool {
    key(one).trim_end_matches('/') == key(two).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use offhook_config::HttpUrl;

    use super::{Astray, Mistyped, Typed, key, path_at, resolve};

    fn url(text: &str) -> HttpUrl {
        HttpUrl::parse(text).expect("an address")
    }

    #[test]
    fn what_people_type() {
        let read = |text: &str| match Typed::read(text) {
            Ok(Typed::Address(url)) => url.to_string(),
            Ok(Typed::Domain(domain)) => domain,
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(read(" example.com "), "example.com");
        assert_eq!(read("ann@example.com"), "example.com");
        assert_eq!(read("dav.example.com:8443"), "https://dav.example.com:8443/");
        assert_eq!(read("dav.example.com/ann b/"), "Unreadable");
        assert_eq!(read("dav.example.com/ann/ü"), "https://dav.example.com:443/ann/%C3%BC");
        assert_eq!(read("https://example.com/a/"), "https://example.com:443/a/");
        assert_eq!(read("nas"), "https://nas:443/");
        assert_eq!(read("192.0.2.7"), "https://192.0.2.7:443/");
        assert_eq!(read("http://127.0.0.1:5232"), "http://127.0.0.1:5232/");
        assert_eq!(read("http://[::1]:5232/a"), "http://[::1]:5232/a");
        let clear = Err(Mistyped::InClear("example.com".into()));
        assert_eq!(Typed::read("http://example.com/"), clear);
        for bad in ["", "ftp://x/", "https://ann:pw@x/", "a b", "http://127.0.0.1.evil.example/"] {
            assert!(Typed::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_stays_with_what_was_typed() {
        let typed = Typed::read("example.com").expect("a domain");
        let covers = |text| typed.covers(&url(text));
        assert!(covers("https://example.com/") && covers("https://DAV.Example.com:8443/x"));
        for other in [
            "https://badexample.com/",
            "https://com/",
            "http://dav.example.com/",
            "https://example.com.evil/",
        ] {
            assert!(!covers(other), "{other}");
        }
    }

    #[test]
    fn addresses_of_servers() {
        let base = url("https://h.example:8443/dav/ann/");
        let at = |href| path_at(&base, href);
        assert_eq!(at("/x/ü.vcf").as_deref(), Ok("/x/%C3%BC.vcf"));
        assert_eq!(at("book/1.vcf").as_deref(), Ok("/dav/ann/book/1.vcf"));
        assert_eq!(at("http://H.example/x y").as_deref(), Ok("/x%20y"));
        let foreign = || Err(Astray::Foreign("evil.example".into()));
        assert_eq!(at("https://evil.example/x"), foreign());
        assert_eq!(at("//evil.example/x"), foreign());
        for bad in ["/a/../b", "/a/%2e%2E/b", "..", "mailto:a@b", "https://u@h.example/"] {
            assert_eq!(at(bad), Err(Astray::Unusable), "{bad}");
        }
        assert_eq!(
            resolve(&base, "https://o.example/a").map(|it| it.to_string()).as_deref(),
            Some("https://o.example:443/a")
        );
        assert_eq!(key("/a%40b/%C3%BC%2"), "/a@b/ü%2");
    }
}
