//! Referrals: where they lead (RFC 4516), and whether and as whom they are followed.
//!
//! A server that refers is believed as far as it can be without harm. Credentials go to hosts that
//! the administrator named, and to others of the same domain, never with less protection than
//! they had; everybody else is asked as nobody.

use offhook_ports::{LdapScope, LdapSecurity, LdapServer};

use super::plan::{Base, LdapPlan};

/// Where a referral leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elsewhere {
    pub(super) host: String,
    port: Option<u16>,
    tls: bool,
    /// The base to search there; nothing keeps the one of the question.
    dn: Option<String>,
    scope: Option<LdapScope>,
}

/// Reads `ldap://host:port/dn?attributes?scope?filter?extensions`. A URL without a host leads
/// nowhere, one with an extension that must be understood (`!`) nowhere that we know.
pub(super) fn read(url: &str) -> Option<Elsewhere> {
    let (scheme, rest) = url.split_once("://")?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "ldap" => false,
        "ldaps" => true,
        _ => return None,
    };
    let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match place.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    if host.is_empty() || host.len() > 253 || !host.chars().all(good) {
        return None;
    }
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|port| *port > 0)?),
        None => None,
    };
    let mut parts = path.split('?');
    let dn = decoded(parts.next().unwrap_or_default())?;
    let scope = match parts.nth(1).unwrap_or_default().to_ascii_lowercase().as_str() {
        "base" => Some(LdapScope::Base),
        "one" => Some(LdapScope::OneLevel),
        "sub" => Some(LdapScope::Subtree),
        _ => None,
    };
    if parts.nth(1).is_some_and(|extensions| extensions.split(',').any(|it| it.starts_with('!'))) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    Some(Elsewhere { host, port, tls, dn: Some(dn).filter(|dn| !dn.is_empty()), scope })
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = vec![];
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high << 4 | low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

impl Elsewhere {
    /// Partitions of Active Directory in which there are no people: every search from the root of a
    /// domain refers to them.
    pub(super) fn holds_no_people(&self) -> bool {
        let dn = self.dn.as_deref().unwrap_or_default().to_ascii_lowercase();
        let partitions = ["dc=domaindnszones,", "dc=forestdnszones,", "cn=configuration,"];
        partitions.iter().any(|partition| dn.starts_with(partition))
    }

    /// What is asked there in place of a question below `base` that this server referred.
    pub(super) fn base(&self, base: &Base) -> Base {
        let dn = self.dn.clone().unwrap_or_else(|| base.dn.clone());
        Base { dn, scope: self.scope.unwrap_or(base.scope) }
    }

    /// The server there. Who was asked under TLS does not send us on without.
    pub(super) fn server(&self, from: &LdapServer) -> LdapServer {
        let (security, usual) = match (self.tls, from.security) {
            (true, _) => (LdapSecurity::Tls, 636),
            (false, LdapSecurity::None) => (LdapSecurity::None, 389),
            (false, LdapSecurity::StartTls | LdapSecurity::Tls) => (LdapSecurity::StartTls, 389),
        };
        LdapServer { host: self.host.clone(), port: self.port.unwrap_or(usual), security }
    }
}

impl LdapPlan {
    /// Credentials may go to this host: the administrator named it, or it is of a domain that they
    /// named: that of a search base, of presence, of this computer. What a server's name seems to
    /// be a part of is no such domain, for `co.uk` would be one.
    pub(super) fn trusts(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let bases = self.bases.iter().chain(&self.group_bases);
        let domains = bases.filter_map(|base| domain_of(&base.dn));
        let domains = domains.chain(self.domain.clone()).chain(self.presence_domain.clone());
        let named = self.servers.iter().map(|server| server.host.clone());
        named.clone().any(|name| name.eq_ignore_ascii_case(&host))
            || domains.chain(named).any(|domain| is_within(&host, &domain.to_ascii_lowercase()))
    }
}

/// A host of a domain, or the domain as a host. Addresses are of no domain.
fn is_within(host: &str, domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    let is_name = domain.contains('.') && last.chars().any(|c| c.is_ascii_alphabetic());
    let before = host.strip_suffix(domain);
    is_name && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// `example.com` of `ou=people,dc=example,dc=com`; nothing of fewer than two parts.
fn domain_of(dn: &str) -> Option<String> {
    let parts = dn.split(',').filter_map(|part| part.trim().split_once('='));
    let parts = parts.filter(|(name, _)| name.trim().eq_ignore_ascii_case("dc"));
    let parts: Vec<_> = parts.map(|(_, value)| value.trim()).collect();
    (parts.len() > 1).then(|| parts.join("."))
}

#[cfg(test)]
mod tests {
    use offhook_ports::{LdapScope, LdapSecurity, LdapServer};

    use super::{Elsewhere, domain_of, is_within, read};

    fn elsewhere(host: &str) -> Elsewhere {
        Elsewhere { host: host.into(), port: None, tls: false, dn: None, scope: None }
    }

    #[test]
    fn urls_in_all_their_forms() {
        let plain = elsewhere("other.test");
        assert_eq!(read("ldap://Other.test"), Some(plain.clone()));
        assert_eq!(read("LDAP://other.test/"), Some(plain.clone()));
        let full = Elsewhere {
            port: Some(1389),
            dn: Some("ou=péople,dc=x".into()),
            scope: Some(LdapScope::OneLevel),
            ..plain.clone()
        };
        assert_eq!(read("ldap://other.test:1389/ou=p%C3%A9ople,dc=x?cn?one?(a=b)"), Some(full));
        let six = Elsewhere { tls: true, port: Some(7), ..elsewhere("::1") };
        assert_eq!(
            read("ldaps://[::1]:7/??sub").map(|it| Elsewhere { scope: None, ..it }),
            Some(six)
        );
        for none in [
            "http://x/",
            "ldap:///dc=x",
            "x",
            "ldap://h:0/",
            "ldap://h:99999/",
            "ldap://h/%4",
            "ldap://h/%ff",
            "ldap://a b/",
            "ldap://u@h/",
            "ldap://h/????!odd=1",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
        assert!(read("ldap://h/????odd=1").is_some());
    }

    #[test]
    fn protection_does_not_go_down() {
        let from = |security| LdapServer { host: "a".into(), port: 1, security };
        let to = |security| elsewhere("b").server(&from(security)).security;
        assert_eq!(to(LdapSecurity::None), LdapSecurity::None);
        assert_eq!(to(LdapSecurity::StartTls), LdapSecurity::StartTls);
        assert_eq!(to(LdapSecurity::Tls), LdapSecurity::StartTls);
    }

    #[test]
    fn domains_of_administrators() {
        assert_eq!(
            domain_of("OU=People, DC=example,dc=co,dc=uk").as_deref(),
            Some("example.co.uk")
        );
        assert_eq!(domain_of("o=example"), None);
        assert!(is_within("dc2.example.com", "example.com") && is_within("a.b", "a.b"));
        assert!(!is_within("badexample.com", "example.com") && !is_within("x.com", "com"));
        assert!(!is_within("1.10.0.0.1", "10.0.0.1"));
    }
}
