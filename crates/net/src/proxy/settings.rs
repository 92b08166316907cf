//! What the system says about proxies, and what that means for one address.

use std::net::IpAddr;

use crate::proxy::Way;

/// A proxy, spoken to in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Entries past this many are not looked at.
const MOST_ENTRIES: usize = 500;

/// One system's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Address of the automatic configuration; it outranks the servers.
    pub(crate) pac: Option<String>,
    /// `host:port` or URL of the proxy for addresses in clear.
    pub(crate) http: Option<String>,
    /// The same for addresses under TLS.
    pub(crate) https: Option<String>,
    /// Hosts that are reached directly.
    pub(crate) bypass: Vec<String>,
    /// Hosts without a dot are reached directly as well (`<local>`).
    pub(crate) bypass_local: bool,
    /// Other parts that cannot be followed, in words.
    pub(crate) trouble: Vec<String>,
}

impl Settings {
    /// Nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.pac.is_none() && self.http.is_none() && self.https.is_none()
    }

    /// The ways that the servers leave, when there is no automatic configuration.
    ///
    /// # Errors
    /// In words, for a proxy that cannot be spoken to.
    pub(crate) fn way(&self, secure: bool, host: &str, port: u16) -> Result<Way, String> {
        let server = if secure { &self.https } else { &self.http };
        match server {
            Some(_) if self.bypasses(host, port) => Ok(Way::Direct),
            Some(text) => Server::parse(text).map(Way::Proxy),
            None => Ok(Way::Direct),
        }
    }

    /// A name stands for itself and for what is below it, an address with a length for its network.
    pub(crate) fn bypasses(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let plain = self.bypass_local && !host.contains(['.', ':']);
        let mut entries = self.bypass.iter().take(MOST_ENTRIES);
        plain || entries.any(|entry| covers(entry, &host, port))
    }

    /// Entries that never match: a wildcard is no name (reference discovery.md section 2).
    pub(crate) fn wildcards(&self) -> impl Iterator<Item = &String> {
        self.bypass.iter().take(MOST_ENTRIES).filter(|entry| entry.contains('*'))
    }
}

fn covers(entry: &str, host: &str, port: u16) -> bool {
    let entry = entry.trim().to_ascii_lowercase();
    if entry.is_empty() || entry.contains('*') {
        return false;
    }
    if let Some((network, length)) = entry.split_once('/') {
        return in_network(network, length, host).unwrap_or(false);
    }
    let (name, only) = match split_port(&entry) {
        Some((name, only)) => (name, Some(only)),
        None => (entry.as_str(), None),
    };
    if only.is_some_and(|only| only != port) {
        return false;
    }
    if let (Ok(one), Ok(other)) = (unbracketed(name).parse::<IpAddr>(), host.parse::<IpAddr>()) {
        return one == other;
    }
    let name = name.trim_start_matches('.').trim_end_matches('.');
    !name.is_empty()
        && host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn in_network(network: &str, length: &str, host: &str) -> Option<bool> {
    let (network, host): (IpAddr, IpAddr) = (network.parse().ok()?, host.parse().ok()?);
    let length: u32 = length.parse().ok()?;
    let same = |one: u128, other: u128, width: u32| {
        let shift = width.checked_sub(length)?;
        Some(one.checked_shr(shift).unwrap_or(0) == other.checked_shr(shift).unwrap_or(0))
    };
    match (network, host) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            same(one.to_bits().into(), other.to_bits().into(), 32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.to_bits(), other.to_bits(), 128),
        _ => Some(false),
    }
}

/// Name and port, unless the colons are those of an IPv6 address.
fn split_port(text: &str) -> Option<(&str, u16)> {
    let (name, port) = text.rsplit_once(':')?;
    if name.contains(':') && !name.ends_with(']') {
        return None;
    }
    Some((name, port.parse().ok()?))
}

fn unbracketed(name: &str) -> &str {
    name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
}

impl Server {
    /// `proxy.example.com:3128`, with or without `http://` and what may follow. A password in it is
    /// passed over: proxies are not given any.
    ///
    /// # Errors
    /// In words, for other kinds of proxy and for what is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => {
                let scheme: String = scheme.chars().take(20).collect();
                return Err(format!("a proxy of the kind {scheme} cannot be used"));
            }
            None => text,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let place = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = match split_port(place) {
            Some((host, port)) => (host, port),
            None if place.ends_with(']') || !place.contains(':') => (place, 80),
            None => return Err("its address cannot be read".to_owned()),
        };
        let host = unbracketed(host);
        let odd = |character: char| character.is_whitespace() || character.is_control();
        if host.is_empty() || host.len() > 253 || port == 0 || host.contains(odd) {
            return Err("its address cannot be read".to_owned());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::{Server, Settings};
    use crate::proxy::Way;

    #[test]
    fn proxies_are_read_as_people_write_them() {
        let check = |text: &str, host: &str, port| {
            assert_eq!(Server::parse(text), Ok(Server { host: host.into(), port }), "{text}");
        };
        check("proxy.example.com:3128", "proxy.example.com", 3128);
        check("http://proxy.example.com:3128/", "proxy.example.com", 3128);
        check("HTTP://alice:secret@proxy:3128", "proxy", 3128);
        check("proxy", "proxy", 80);
        check("http://[2001:db8::1]:8080", "2001:db8::1", 8080);
        check("[2001:db8::1]", "2001:db8::1", 80);
        for bad in
            ["", "http://", "socks5://proxy:1080", "https://proxy", "proxy:x", "a b:80", "p:0"]
        {
            assert!(Server::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bypass_list_has_names_and_networks_and_no_wildcards() {
        let list = |entries: &[&str]| Settings {
            https: Some("proxy:3128".into()),
            bypass: entries.iter().map(|entry| (*entry).to_owned()).collect(),
            ..Settings::default()
        };
        let direct = |entries: &[&str], host: &str| {
            list(entries).way(true, host, 443).expect("a way") == Way::Direct
        };
        assert!(direct(&["example.com"], "example.com"));
        assert!(direct(&["example.com"], "loginp.Example.com."));
        assert!(direct(&[".example.com"], "loginp.example.com"));
        assert!(!direct(&["example.com"], "badexample.com"));
        assert!(!direct(&["*.example.com"], "loginp.example.com"));
        assert!(!direct(&["*"], "loginp.example.com"));
        assert!(direct(&["10.0.0.0/8"], "10.1.2.3"));
        assert!(!direct(&["10.0.0.0/8"], "11.1.2.3"));
        assert!(!direct(&["10.0.0.0/40"], "10.1.2.3"));
        assert!(direct(&["0.0.0.0/0"], "11.1.2.3"));
        assert!(direct(&["2001:db8::/32"], "2001:db8::1"));
        assert!(direct(&["example.com:443"], "example.com"));
        assert!(!direct(&["example.com:80"], "example.com"));
        assert!(direct(&["2001:db8::1"], "2001:db8::1"));
        let local = Settings { bypass_local: true, ..list(&[]) };
        assert_eq!(local.way(true, "intranet", 443), Ok(Way::Direct));
        assert_ne!(local.way(true, "intranet.example.com", 443), Ok(Way::Direct));
        assert_eq!(list(&["a", "*.b", "*"]).wildcards().count(), 2);
        assert_eq!(list(&[]).way(false, "x", 80), Ok(Way::Direct), "no proxy for this kind");
    }
}
