//! Two edges (Expressway-E) in front of the deployment: the sign-in that tells the way inside, and
//! the relay of inner web addresses (reference page edge).
//!
//! SIP and XMPP of the edge are ports of their own: SIP under the edge's certificate and only with
//! the routes that the sign-in told, XMPP as inside.

pub(crate) mod media;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::deployment::Deployment;
use crate::fault::Fault;
use crate::http::{Handler, Request, Response};
use crate::nodes::HOSTS as HOSTS_INSIDE;
use crate::{files, random, soap, uds};

/// Names of the edges, without the domain.
pub(crate) const HOSTS: [&str; 2] = ["expe1", "expe2"];

/// How long a cookie is good.
const COOKIE_LIFE: Duration = Duration::from_secs(8 * 3600);

/// How many requests a cookie is good for with [`Fault::EdgeCookieExpires`].
const SHORT_LIFE: u32 = 3;

/// The realm of the edge's own 401.
const REALM: &str = "Basic realm=\"Cisco-Edge\"";

/// Cookies given out, by both edges: they belong to one cluster.
#[derive(Default)]
pub(crate) struct Cookies(Mutex<HashMap<String, Given>>);

struct Given {
    at: Instant,
    used: u32,
}

impl Cookies {
    fn give(&self) -> String {
        let value = random::hex::<32>();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > 1024 {
            all.clear();
        }
        all.insert(value.clone(), Given { at: Instant::now(), used: 0 });
        value
    }

    fn is_good(&self, value: &str, short: bool) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(given) = all.get_mut(value) else { return false };
        given.used += 1;
        given.at.elapsed() < COOKIE_LIFE && !(short && given.used > SHORT_LIFE)
    }
}

/// The handler of an edge's web port, by its place in [`HOSTS`].
pub(crate) fn handler(lab: Arc<Deployment>, cookies: Arc<Cookies>, edge: usize) -> Handler {
    let inside = Inside {
        uds: uds::handler(Arc::clone(&lab), 0),
        files: files::handler(Arc::clone(&lab)),
        soap: soap::handler(Arc::clone(&lab)),
    };
    Arc::new(move |request| answer(&lab, &cookies, &inside, edge, request))
}

/// What an edge reaches inside.
struct Inside {
    uds: Handler,
    files: Handler,
    soap: Handler,
}

fn answer(
    lab: &Deployment,
    cookies: &Cookies,
    inside: &Inside,
    edge: usize,
    request: &Request,
) -> Response {
    if lab.faults.has(Fault::EdgeTunnelDown) {
        return Response::html(502);
    }
    let trimmed = request.path.trim_start_matches('/');
    let (prefix, rest) = trimmed.split_once('/').unwrap_or((trimmed, ""));
    let Some(prefix) = decode(prefix) else { return Response::html(404) };
    if prefix.eq_ignore_ascii_case(lab.domain()) && rest.trim_end_matches('/') == "get_edge_config"
    {
        return sign_in(lab, cookies, edge, request);
    }
    relay(lab, cookies, inside, request, &prefix, rest)
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

fn sign_in(lab: &Deployment, cookies: &Cookies, edge: usize, request: &Request) -> Response {
    let known = request.basic().is_some_and(|(user, password)| {
        lab.check_password(user.split('@').next().unwrap_or_default(), &password).is_some()
    });
    if !known || lab.faults.has(Fault::EdgeUnauthorized) {
        return Response::html(401).with("WWW-Authenticate", REALM).with("Server", "CE_C ECS");
    }
    if lab.faults.has(Fault::EdgeForbidsAll) {
        return Response::html(403);
    }
    let cookie = format!("X-Auth={}; Secure; HttpOnly", cookies.give());
    Response::new(200, "text/xml", config(lab, edge)).with("Set-Cookie", cookie)
}

/// The answer of the sign-in, in the shape that was seen in the field.
fn config(lab: &Deployment, edge: usize) -> String {
    let host = lab.host(HOSTS.get(edge).copied().unwrap_or(HOSTS[0]));
    let cucm = lab.host("cucm1");
    let uds = lab.shown.uds.port();
    let web = lab.services.edges.get(edge).map_or(0, |at| at.port());
    let (sip, xmpp) = (lab.services.edge_sip.port(), lab.services.edge_xmpp.port());
    let server =
        |port: u16| format!("<server><address>{host}</address><tlsPort>{port}</tlsPort></server>");
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<getEdgeConfigResponse version=\"1.0\"><serviceConfig>\
         <service><name>_cisco-phone-tftp</name><error>NameError</error></service>\
         <service><name>_cuplogin</name><error>NameError</error></service>\
         <service><name>_cisco-uds</name><server><priority>1</priority><weight>1</weight>\
         <port>{uds}</port><address>{cucm}</address></server></service>\
         <service><name>tftpServer</name><address>{cucm}</address><address/></service>\
         </serviceConfig><edgeConfig>\
         <sipEdgeServer>{}</sipEdgeServer>\
         <sipRequest><route>&lt;{}&gt;</route></sipRequest>\
         <xmppEdgeServer>{}</xmppEdgeServer><httpEdgeServer>{}</httpEdgeServer><turnEdgeServer/>\
         <userUdsServer><server><address>{cucm}</address><tlsPort>{uds}</tlsPort></server>\
         </userUdsServer></edgeConfig></getEdgeConfigResponse>",
        server(sip),
        inner_route(lab),
        server(xmpp),
        server(web),
    );
    out
}

/// The route that pins the way to the inside.
pub(crate) fn inner_route(lab: &Deployment) -> String {
    let at = lab.services.sip_tls;
    format!("sip:{}:{};transport=tls;zone-id=3;directed;lr", at.ip(), at.port())
}

/// Passes a request on to the inner address that the prefix names.
fn relay(
    lab: &Deployment,
    cookies: &Cookies,
    inside: &Inside,
    request: &Request,
    prefix: &str,
    rest: &str,
) -> Response {
    let parts: Vec<&str> = prefix.split('/').collect();
    let [domain, scheme, host, port] = parts.as_slice() else { return Response::html(404) };
    if !domain.eq_ignore_ascii_case(lab.domain()) {
        return Response::html(404);
    }
    let short = lab.faults.has(Fault::EdgeCookieExpires);
    if !request.cookie("X-Auth").is_some_and(|value| cookies.is_good(value, short)) {
        return Response::html(407).with("Proxy-Authenticate", REALM);
    }
    if lab.faults.has(Fault::EdgeForbidsInside) {
        return Response::html(403);
    }
    // That an edge says so with 502 of an inner host that is down is inferred.
    let node = HOSTS_INSIDE.iter().position(|name| host.eq_ignore_ascii_case(&lab.host(name)));
    if node.is_some_and(|node| lab.im_nodes.are_two() && !lab.im_nodes.is_up(node)) {
        return Response::html(502);
    }
    let Some(target) = target(lab, inside, scheme, host, port) else {
        return Response::html(403);
    };
    target(&request.at(&format!("/{rest}")))
}

/// Who answers inside; nothing for a host that is not on the list of allowed ones.
fn target<'a>(
    lab: &Deployment,
    inside: &'a Inside,
    scheme: &str,
    host: &str,
    port: &str,
) -> Option<&'a Handler> {
    let port: u16 = port.parse().ok()?;
    let is = |name: &str| host.eq_ignore_ascii_case(&lab.host(name));
    let cucm = is("cucm1") || is("cucm2");
    let imp = (is("imp1") || is("imp2")) && !lab.faults.has(Fault::EdgeForbidsHost);
    match scheme {
        "https" if cucm && port == lab.shown.uds.port() => Some(&inside.uds),
        "http" if cucm && port == lab.shown.files.port() => Some(&inside.files),
        "https" if imp && port == lab.shown.soap.port() => Some(&inside.soap),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::scenario;
    use crate::http::tests::get;
    use crate::scenario::Scenario;

    // `printf lab.example | base64`, without padding.
    const DOMAIN: &str = "bGFiLmV4YW1wbGU";
    // `printf lab.example/https/cucm1.lab.example/18443 | base64`.
    const UDS: &str = "bGFiLmV4YW1wbGUvaHR0cHMvY3VjbTEubGFiLmV4YW1wbGUvMTg0NDM";
    // "alice:secret"
    const BASIC: &str = "Authorization: Basic YWxpY2U6c2VjcmV0";

    fn edge(faults: &[&str]) -> Handler {
        let lab = Arc::new(scenario(Scenario::Edge, faults));
        handler(lab, Arc::default(), 0)
    }

    fn cookie(handler: &Handler) -> String {
        let reply =
            handler(&get(&format!("/{DOMAIN}/get_edge_config?service_name=_cisco-uds"), BASIC));
        assert_eq!(reply.status, 200);
        let set = reply.headers.iter().find(|(name, _)| *name == "Set-Cookie").unwrap();
        let value = set.1.split(';').next().unwrap().to_owned();
        assert_eq!(value.len(), "X-Auth=".len() + 64);
        value
    }

    #[test]
    fn the_sign_in_tells_the_way_and_the_relay_wants_its_cookie() {
        let handler = edge(&[]);
        let asked = format!("/{UDS}/cucm-uds/clusterUser?username=alice");
        assert_eq!(handler(&get(&asked, BASIC)).status, 407);
        let headers = format!("{BASIC}\r\nCookie: {}", cookie(&handler));
        let reply = handler(&get(&asked, &headers));
        assert_eq!(reply.status, 200);
        assert!(String::from_utf8_lossy(&reply.body).contains("found=\"true\""));
    }

    #[test]
    fn a_wrong_password_is_told_in_the_edges_own_realm() {
        let reply = edge(&[])(&get(&format!("/{DOMAIN}/get_edge_config"), ""));
        assert_eq!(reply.status, 401);
        assert!(reply.headers.iter().any(|(_, value)| value.contains("Cisco-Edge")));
    }

    #[test]
    fn hosts_that_are_not_allowed_are_refused() {
        let handler = edge(&[]);
        let headers = format!("Cookie: {}", cookie(&handler));
        // lab.example/https/photos.lab.example/443
        let photos = "bGFiLmV4YW1wbGUvaHR0cHMvcGhvdG9zLmxhYi5leGFtcGxlLzQ0Mw";
        assert_eq!(handler(&get(&format!("/{photos}/a.jpg"), &headers)).status, 403);
    }

    #[test]
    fn faults_have_their_status() {
        let config = format!("/{DOMAIN}/get_edge_config");
        let status = |fault: &str| edge(&[fault])(&get(&config, BASIC)).status;
        assert_eq!(status("edge-tunnel-down"), 502);
        assert_eq!(status("edge-unauthorized"), 401);
        assert_eq!(status("edge-forbids-all"), 403);
        let handler = edge(&["edge-cookie-expires"]);
        let headers = format!("{BASIC}\r\nCookie: {}", cookie(&handler));
        let asked = get(&format!("/{UDS}/cucm-uds/version"), &headers);
        let statuses: Vec<u16> = (0..4).map(|_| handler(&asked).status).collect();
        assert_eq!(statuses, [200, 200, 200, 407]);
    }
}
