//! Cookies, per host, for the life of a sign-in (RFC 6265).
//!
//! `Domain` is ignored: a cookie goes back only to the host that set it. That is narrower than a
//! browser's rule and enough for session cookies of UC services. The edge's own cookie is not kept
//! here: the way through the edge keeps it, so that it goes to the edge that gave it and nowhere
//! else, and never goes out a second time after its end.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use offhook_model::Secret;

/// A cookie longer than this is not kept (RFC 6265 section 6.1).
const LONGEST: usize = 4096;
/// Cookies of one host (RFC 6265 section 6.1).
const MOST: usize = 50;
/// Hosts with cookies.
const HOSTS: usize = 64;
/// The cookie of an edge (reference edge.md section 2).
const EDGE: &str = "X-Auth";

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: Secret<String>,
    path: String,
    secure: bool,
}

/// All cookies of this sign-in.
#[derive(Debug, Default)]
pub(crate) struct Jar {
    kept: Mutex<HashMap<String, Vec<Cookie>>>,
}

impl Jar {
    /// Keeps what a `Set-Cookie` header of `host` says, or drops the cookie when it is to end.
    pub(crate) fn take(&self, host: &str, request_path: &str, header: &str) {
        let Some((cookie, ended)) = parse(header, request_path) else {
            return;
        };
        if cookie.name.eq_ignore_ascii_case(EDGE) {
            return;
        }
        let host = host.to_ascii_lowercase();
        let mut kept = self.lock();
        if kept.len() >= HOSTS && !kept.contains_key(&host) {
            return;
        }
        let cookies = kept.entry(host).or_default();
        cookies.retain(|old| (&old.name, &old.path) != (&cookie.name, &cookie.path));
        if !ended && cookies.len() < MOST {
            cookies.push(cookie);
        }
    }

    /// The `Cookie` header for a request; longer paths first (RFC 6265 section 5.4).
    pub(crate) fn give(&self, host: &str, path: &str, secure: bool) -> Option<Secret<String>> {
        let path = path.split(['?', '#']).next().unwrap_or(path);
        let kept = self.lock();
        let mut fitting: Vec<_> = kept
            .get(&host.to_ascii_lowercase())?
            .iter()
            .filter(|cookie| (secure || !cookie.secure) && is_under(path, &cookie.path))
            .collect();
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = fitting
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value.expose()))
            .collect();
        (!pairs.is_empty()).then(|| Secret::new(pairs.join("; ")))
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Cookie>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cookie, and whether the server wants it gone (RFC 6265 section 5.2).
fn parse(header: &str, request_path: &str) -> Option<(Cookie, bool)> {
    if header.len() > LONGEST || header.chars().any(char::is_control) {
        return None;
    }
    let mut parts = header.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: Secret::from(value.trim()),
        path: default_path(request_path),
        secure: false,
    };
    let mut ended = None;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "secure" => cookie.secure = true,
            "max-age" => ended = value.parse::<i64>().ok().map(|seconds| seconds <= 0),
            // Max-Age wins over Expires.
            "expires" => ended = ended.or(Some(is_long_ago(value))),
            _ => {}
        }
    }
    Some((cookie, ended.unwrap_or(false)))
}

/// Servers end a cookie with the epoch or a day soon after; any other date is later than the end
/// of the sign-in, so nothing but the year need be understood.
fn is_long_ago(date: &str) -> bool {
    date.split([' ', '-'])
        .filter(|part| part.len() == 4)
        .filter_map(|part| part.parse::<u16>().ok())
        .any(|year| year < 2000)
}

/// RFC 6265 section 5.1.4.
fn default_path(request_path: &str) -> String {
    let path = request_path.split(['?', '#']).next().unwrap_or_default();
    match path.rfind('/') {
        Some(0) | None => "/".to_owned(),
        Some(end) => path.get(..end).unwrap_or("/").to_owned(),
    }
}

/// RFC 6265 section 5.1.4.
fn is_under(path: &str, cookie_path: &str) -> bool {
    match path.strip_prefix(cookie_path) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || cookie_path.ends_with('/'),
        None => false,
    }
}

/// Reads `data` as a `Set-Cookie` header and gives back what it made of it.
pub(crate) fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let jar = Jar::default();
    jar.take("host", "/a/b?c", &text);
    for path in ["/", "/a", "/a/b", "/a/b/c?d"] {
        let plain = jar.give("host", path, false);
        let given = jar.give("HOST", path, true);
        assert!(plain.is_none() || given.is_some(), "TLS hides no cookie");
        if let Some(given) = given {
            assert!(!given.expose().chars().any(char::is_control));
            assert!(given.expose().len() <= LONGEST + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Jar;

    fn check(set: &[&str], path: &str, secure: bool, expected: Option<&str>) {
        let jar = Jar::default();
        for header in set {
            jar.take("host", "/cucm-uds/user/alice?x=1", header);
        }
        let given = jar.give("host", path, secure);
        assert_eq!(given.as_ref().map(|text| text.expose().as_str()), expected, "{set:?} {path}");
    }

    #[test]
    fn a_cookie_returns_under_its_path_only() {
        let session = "JSESSIONID=1A; Path=/cucm-uds; Secure; HttpOnly";
        check(&[session], "/cucm-uds/clusterUser", true, Some("JSESSIONID=1A"));
        check(&[session], "/cucm-uds?a=b", true, Some("JSESSIONID=1A"));
        check(&[session], "/cucm-udsx", true, None);
        check(&["a=1"], "/cucm-uds/user", false, Some("a=1"));
        check(&["a=1"], "/cucm-uds", false, None);
    }

    #[test]
    fn a_secure_cookie_stays_out_of_clear_text() {
        check(&["a=1; Path=/; Secure", "b=2; Path=/"], "/", false, Some("b=2"));
    }

    #[test]
    fn a_cookie_is_replaced_and_ended_by_its_server() {
        check(&["a=1; Path=/", "a=2; Path=/"], "/", true, Some("a=2"));
        check(&["a=1; Path=/", "a=; Path=/; Max-Age=0"], "/", true, None);
        let ended = "a=; Path=/; Expires=Thu, 01-Jan-1970 00:00:10 GMT";
        check(&["a=1; Path=/", ended], "/", true, None);
        let kept = "a=1; Path=/; Max-Age=60; Expires=Thu, 01-Jan-1970 00:00:10 GMT";
        check(&[kept], "/", true, Some("a=1"));
    }

    #[test]
    fn the_cookie_of_an_edge_is_not_ours_to_keep() {
        check(&["X-Auth=0123456789abcdef; Secure; HttpOnly; Path=/"], "/", true, None);
        check(
            &["x-auth=1; Domain=example.com", "JSESSIONIDSSO=2; Path=/"],
            "/",
            true,
            Some("JSESSIONIDSSO=2"),
        );
    }

    #[test]
    fn odd_headers_set_nothing() {
        for odd in ["", "=", "=x", "novalue", "a=\u{1}b"] {
            check(&[odd], "/cucm-uds/user", true, None);
        }
    }

    #[test]
    fn other_hosts_see_nothing() {
        let jar = Jar::default();
        jar.take("one", "/", "a=1; Domain=example.com");
        assert!(jar.give("two", "/", true).is_none());
        assert!(jar.give("ONE", "/", true).is_some());
        jar.clear();
        assert!(jar.give("one", "/", true).is_none());
    }
}
