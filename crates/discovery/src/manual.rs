//! Manual connection settings, which outrank everything that could be found, and those of the
//! bootstrap file, which are used when nothing was.

use offhook_model::{AccountType, Area, Link, ManualAccount, Owner, Problem};
use offhook_ports::{Found, SipServer, Target, XmppServer};

use crate::cloud::CAS_URL;

/// What the settings say, if anything. Standard settings with at least one server mean exactly
/// these servers; without any the records of the open standards are asked.
pub(crate) fn read(manual: &ManualAccount) -> Option<Result<Found, Problem>> {
    Some(match manual.account_type {
        AccountType::Automatic => return None,
        AccountType::Standard
            if given(&manual.sip_server).or(given(&manual.xmpp_server)).is_none() =>
        {
            return None;
        }
        AccountType::Standard => standard(manual),
        AccountType::Cucm => {
            let named = [&manual.server, &manual.ccmcip, &manual.tftp];
            target(named.into_iter().find_map(given), "Communications Manager").map(Found::Cucm)
        }
        AccountType::Cup => target(given(&manual.server), "IM and Presence server").map(Found::Cup),
        AccountType::Webex => {
            let cas = given(&manual.cas_url).unwrap_or(CAS_URL).to_owned();
            Ok(Found::Webex { cas, sso: None, voice: vec![] })
        }
    })
}

fn given(field: &Option<String>) -> Option<&str> {
    field.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn standard(manual: &ManualAccount) -> Result<Found, Problem> {
    let xmpp = match given(&manual.xmpp_server) {
        Some(text) => vec![xmpp_server(text)?],
        None => vec![],
    };
    let sip = match given(&manual.sip_server) {
        Some(text) => vec![sip_server(text)?],
        None => vec![],
    };
    Ok(Found::Standard { xmpp, sip })
}

fn target(text: Option<&str>, what: &str) -> Result<Vec<Target>, Problem> {
    let text = text.ok_or_else(|| {
        Problem::new(
            Area::Provisioning,
            Owner::User,
            format!("Manual setup does not name the {what}."),
            format!("Enter the address of the {what}, or choose automatic setup."),
        )
    })?;
    let server = Server::parse(text)?;
    Ok(vec![Target { port: server.port.unwrap_or(8443), host: server.host }])
}

/// Without a transport, port 5061 means TLS and every other UDP (RFC 3263 section 4.1: a numeric
/// port without a transport is UDP).
fn sip_server(text: &str) -> Result<SipServer, Problem> {
    let server = Server::parse(text)?;
    let link = match (server.transport, server.port) {
        (Some(link), _) => link,
        (None, Some(5061)) => Link::Tls,
        (None, _) => Link::Udp,
    };
    let default = if link == Link::Tls { 5061 } else { 5060 };
    Ok(SipServer { host: server.host, port: server.port.unwrap_or(default), link })
}

/// Port 5223 speaks TLS from its first byte by old custom.
fn xmpp_server(text: &str) -> Result<XmppServer, Problem> {
    let server = Server::parse(text)?;
    let direct = server.transport == Some(Link::Tls) || server.port == Some(5223);
    let link = if direct { Link::Tls } else { Link::StartTls };
    let default = if direct { 5223 } else { 5222 };
    Ok(XmppServer { host: server.host, port: server.port.unwrap_or(default), link })
}

/// `host[:port][;transport=udp|tcp|tls]`; an IPv6 address stands in brackets when a port follows.
#[derive(Debug, PartialEq, Eq)]
struct Server {
    host: String,
    port: Option<u16>,
    transport: Option<Link>,
}

impl Server {
    fn parse(text: &str) -> Result<Self, Problem> {
        Self::read(text.trim()).ok_or_else(|| {
            Problem::new(
                Area::Provisioning,
                Owner::User,
                format!("\"{text}\" in manual setup is no server."),
                "Write it as host, host:port or host:port;transport=tls.",
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (place, options) = text.split_once(';').unwrap_or((text, ""));
        let transport = match options.trim() {
            "" => None,
            option => {
                let (key, value) = option.split_once('=')?;
                if !key.trim().eq_ignore_ascii_case("transport") {
                    return None;
                }
                Some(match value.trim().to_ascii_lowercase().as_str() {
                    "udp" => Link::Udp,
                    "tcp" => Link::Tcp,
                    "tls" => Link::Tls,
                    _ => return None,
                })
            }
        };
        let (host, port) = place_of(place.trim())?;
        let port = match port {
            Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
            None => None,
        };
        Some(Self { host: host.to_owned(), port, transport })
    }
}

fn place_of(place: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    if place.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some((place, None));
    }
    let (host, port) = match place.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!host.is_empty() && host.len() <= 253 && host.chars().all(good)).then_some((host, port))
}

/// What was found, for the trace.
pub(crate) fn show(found: &Found) -> String {
    let targets = |list: &[Target]| {
        let list: Vec<_> = list.iter().map(|at| format!("{}:{}", at.host, at.port)).collect();
        list.join(", ")
    };
    match found {
        Found::Cucm(list) | Found::Cup(list) | Found::Edge(list) => targets(list),
        Found::Webex { cas, .. } => cas.clone(),
        Found::Standard { xmpp, sip } => {
            let xmpp = xmpp.iter().map(|server| format!("chat {}", server.endpoint()));
            let sip = sip.iter().map(|server| format!("calls {}", server.endpoint()));
            xmpp.chain(sip).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::Link;

    use super::{Server, sip_server, xmpp_server};

    #[track_caller]
    fn check_sip(text: &str, expected: Option<(&str, u16, Link)>) {
        let read = sip_server(text).ok().map(|server| (server.host, server.port, server.link));
        let expected = expected.map(|(host, port, link)| (host.to_owned(), port, link));
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn call_servers_are_read() {
        check_sip("pbx", Some(("pbx", 5060, Link::Udp)));
        check_sip(" pbx.example.com:5070 ", Some(("pbx.example.com", 5070, Link::Udp)));
        check_sip("pbx:5061", Some(("pbx", 5061, Link::Tls)));
        check_sip("pbx;transport=TCP", Some(("pbx", 5060, Link::Tcp)));
        check_sip("[::1]:5080;transport=tls", Some(("::1", 5080, Link::Tls)));
        check_sip("2001:db8::1", Some(("2001:db8::1", 5060, Link::Udp)));
        for bad in ["pbx:0", "pbx:x", "a b", "pbx;transport=sctp", "pbx;lr", "[x]:1", ":5060"] {
            check_sip(bad, None);
        }
    }

    #[test]
    fn chat_servers_are_read() {
        let read = |text| xmpp_server(text).map(|server| (server.port, server.link));
        assert_eq!(read("chat"), Ok((5222, Link::StartTls)));
        assert_eq!(read("chat:5223"), Ok((5223, Link::Tls)));
        assert_eq!(read("chat:15222"), Ok((15_222, Link::StartTls)));
        assert!(Server::read("").is_none());
    }
}
