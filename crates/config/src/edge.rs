//! The edge: what `get_edge_config` says, and how an inner address looks from outside (reference
//! edge.md sections 2 and 3).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use offhook_ports::{Srv, Target};

use crate::HttpUrl;
use crate::xml::{Element, XmlError, parse};

/// Servers of one kind, and services, beyond this number are not looked at.
const MOST: usize = 32;
/// Longest route of a SIP header that is believed, in bytes.
const LONGEST_ROUTE: usize = 512;

/// What the edge answers to a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EdgeConfig {
    /// What the inner SRV questions would have given, by service name (`_cisco-uds`); a name that
    /// was not found inside has no entry.
    pub services: Vec<(String, Vec<Srv>)>,
    /// Hosts of inner TFTP services.
    pub tftp: Vec<String>,
    /// Where SIP goes to.
    pub sip: Vec<Target>,
    /// Routes that SIP requests carry after the edge itself, each `<sip:…>` as written.
    pub routes: Vec<String>,
    /// Where XMPP goes to.
    pub xmpp: Vec<Target>,
    /// Where HTTP goes to.
    pub http: Vec<Target>,
    /// Where media may be relayed.
    pub turn: Vec<Target>,
    /// The user's own inner user data services.
    pub user_uds: Vec<Target>,
    /// The edge names the user's own services and leaves them empty: it knows no home for the user.
    pub no_home: bool,
    /// What was not as it should be.
    pub oddities: Vec<&'static str>,
}

impl EdgeConfig {
    /// The records of an inner service; none when the edge did not find its name.
    pub fn service(&self, name: &str) -> &[Srv] {
        let found = self.services.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, records)| records)
    }

    /// Whether the edge itself named this inner host, so that its own list lets requests to it
    /// pass.
    pub fn names(&self, host: &str) -> bool {
        let records = self.services.iter().flat_map(|(_, records)| records);
        let all = records
            .map(|record| &record.target)
            .chain(&self.tftp)
            .chain(self.user_uds.iter().map(|target| &target.host));
        all.into_iter().any(|known| known.eq_ignore_ascii_case(host))
    }
}

/// The address by which `edge` relays to `url`. The prefix names services domain, scheme, host and
/// port of the inner service in base64 for URLs, without padding.
pub fn edge_rewrite(url: &HttpUrl, domain: &str, edge: &Target) -> HttpUrl {
    let scheme = if url.secure { "https" } else { "http" };
    let inner = format!("{domain}/{scheme}/{}/{}", url.host, url.port);
    edge_url(edge, &format!("/{}{}", URL_SAFE_NO_PAD.encode(inner), url.path))
}

/// Where a sign-in for this services domain is asked for.
pub fn edge_config_url(domain: &str, edge: &Target) -> HttpUrl {
    let domain = URL_SAFE_NO_PAD.encode(domain);
    let query = "service_name=_cisco-uds&service_name=_cuplogin";
    edge_url(edge, &format!("/{domain}/get_edge_config?{query}"))
}

fn edge_url(edge: &Target, path: &str) -> HttpUrl {
    HttpUrl { secure: true, host: edge.host.clone(), port: edge.port, path: path.to_owned() }
}

/// Reads the answer to `get_edge_config`. Servers and services whose entries cannot be used are
/// left out and told as oddities.
///
/// # Errors
/// Broken XML, or another document.
pub fn read_edge_config(data: &[u8]) -> Result<EdgeConfig, XmlError> {
    let document = parse(data)?;
    let root = document
        .root
        .find("getEdgeConfigResponse")
        .ok_or(XmlError::Missing("it is no answer to get_edge_config"))?;
    let mut config = EdgeConfig { oddities: document.oddities, ..EdgeConfig::default() };
    if let Some(services) = root.child("serviceConfig") {
        for service in services.children_named("service").take(MOST) {
            config.take_service(service);
        }
    }
    let edge = root.child("edgeConfig").ok_or(XmlError::Missing("it has no edgeConfig"))?;
    config.sip = config.servers(edge, "sipEdgeServer", 5061);
    config.xmpp = config.servers(edge, "xmppEdgeServer", 5222);
    config.http = config.servers(edge, "httpEdgeServer", 8443);
    config.turn = config.servers(edge, "turnEdgeServer", 3478);
    config.user_uds = config.servers(edge, "userUdsServer", 8443);
    config.no_home = edge.child("userUdsServer").is_some() && config.user_uds.is_empty();
    config.take_routes(edge);
    Ok(config)
}

impl EdgeConfig {
    fn take_service(&mut self, service: &Element) {
        let Some(name) = service.text_at(&["name"]) else {
            return self.odd("a service without a name");
        };
        // `NameError`: the inner name system does not know it. A fact, and no fault.
        if service.child("error").is_some() {
            return;
        }
        if name.eq_ignore_ascii_case("tftpServer") {
            let hosts = service.children_named("address").filter_map(Element::value);
            self.tftp = hosts.filter(|host| is_host(host)).map(str::to_owned).take(MOST).collect();
            return;
        }
        let mut records = vec![];
        for server in service.children_named("server").take(MOST) {
            match record(server) {
                Some(record) => records.push(record),
                None => self.odd("a server of a service that cannot be used"),
            }
        }
        if !records.is_empty() {
            self.services.push((name.to_owned(), records));
        }
    }

    /// An element without address is how "none" is written.
    fn servers(&mut self, edge: &Element, kind: &str, usual: u16) -> Vec<Target> {
        let mut found: Vec<Target> = vec![];
        let of_kind = edge.children_named(kind).flat_map(|group| group.children_named("server"));
        for server in of_kind.take(MOST) {
            let Some(host) = server.text_at(&["address"]) else { continue };
            let ports = ["tlsPort", "port", "udpPort"];
            let port = ports.iter().find_map(|name| server.text_at(&[name]));
            match port.map_or(Ok(usual), str::parse) {
                Ok(port) if port != 0 && is_host(host) => {
                    let target = Target { host: host.to_owned(), port };
                    if !found.contains(&target) {
                        found.push(target);
                    }
                }
                Ok(_) | Err(_) => self.odd("an edge server that cannot be used"),
            }
        }
        found
    }

    /// The text goes into SIP headers as it is, so it must be one route and nothing more.
    fn take_routes(&mut self, edge: &Element) {
        let requests = edge.children_named("sipRequest");
        for route in requests.flat_map(|request| request.children_named("route")).take(MOST) {
            match route.value() {
                Some(text) if is_route(text) => self.routes.push(text.to_owned()),
                Some(_) => self.odd("a SIP route that cannot be used"),
                None => {}
            }
        }
    }

    fn odd(&mut self, what: &'static str) {
        if !self.oddities.contains(&what) {
            self.oddities.push(what);
        }
    }
}

fn record(server: &Element) -> Option<Srv> {
    let number = |name: &str| server.text_at(&[name]).map_or(Ok(0), str::parse::<u16>).ok();
    let target = server.text_at(&["address"]).filter(|host| is_host(host))?;
    Some(Srv {
        priority: number("priority")?,
        weight: number("weight")?,
        port: number("port").filter(|port| *port != 0)?,
        target: target.to_owned(),
    })
}

fn is_host(text: &str) -> bool {
    let url =
        if text.contains(':') { format!("https://[{text}]") } else { format!("https://{text}") };
    HttpUrl::parse(&url).is_some_and(|url| url.host == text && url.path == "/")
}

fn is_route(text: &str) -> bool {
    let uri = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    uri.is_some_and(|uri| {
        let lower = uri.to_ascii_lowercase();
        text.len() <= LONGEST_ROUTE
            && (lower.starts_with("sip:") || lower.starts_with("sips:"))
            && uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\",".contains(&byte))
    })
}
