//! The way through an edge over real connections: where the edge's cookie goes, and what its
//! certificate must name.

use std::sync::Arc;

use offhook_model::{Problem, Rule};
use offhook_net::Net;
use offhook_ports::{Found, Http, HttpRequest, Target, World};
use offhook_signin::{Credentials, Request, sign_in};
use offhook_testkit::NoChat;

use crate::doubles::authority::{Authority, Days};
use crate::doubles::knowing;
use crate::doubles::web::Web;

const EDGE: &str = "edge1.example.com";

fn world(net: &Arc<Net>) -> World {
    World {
        dns: net.clone(),
        http: net.clone(),
        probe: net.clone(),
        xmpp: Arc::new(NoChat),
        clock: net.clone(),
    }
}

fn config() -> String {
    let body = "<getEdgeConfigResponse><serviceConfig><service><name>_cisco-uds</name><server>\
                <priority>1</priority><weight>1</weight><port>8443</port><address>cucm1.inside.example</address>\
                </server></service></serviceConfig><edgeConfig/></getEdgeConfigResponse>";
    format!(
        "HTTP/1.1 200 OK\r\nSet-Cookie: X-Auth=abcdef0123456789; Secure; HttpOnly; Path=/\r\n\
         Set-Cookie: JSESSIONIDSSO=7; Path=/\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Signs in at an edge whose certificate has these names, up to its first refusal.
async fn tried(names: &[&str], answers: &[&str]) -> (Problem, Vec<String>, Arc<Net>) {
    let authority = Authority::new("edge authority");
    let web = Web::new(Some(authority.issue(names, Days::Now).config()), answers);
    let net = knowing(&[EDGE, "other.example.com"], &[&authority.file.0]);
    let target = Target { host: EDGE.into(), port: web.at.port() };
    let credentials = Credentials { username: "alice".into(), password: "secret".into() };
    let address = "alice@example.com".parse().expect("an address");
    let request = Request::new(address, Found::Edge(vec![target]), credentials, 7);
    let report = sign_in(&world(&net), &request, &|_| {}).await;
    let other = HttpRequest::get(format!("http://other.example.com:{}/", web.at.port()));
    // Whatever becomes of it: it is the request that counts.
    let _ = net.send(other).await;
    (report.outcome.expect_err("refused in the end"), web.heard(), net)
}

#[tokio::test]
async fn the_cookie_of_an_edge_goes_with_relayed_requests_only() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let (problem, heard, _net) = tried(&[EDGE, "example.com"], &[&config(), refusal]).await;
    assert_eq!(problem.rule, Some(Rule(15)), "{problem:?}");
    let [sign_in, relayed, ..] = heard.as_slice() else { panic!("{heard:?}") };
    assert!(sign_in.starts_with("GET /ZXhhbXBsZS5jb20/get_edge_config?"), "{sign_in}");
    assert!(sign_in.contains("authorization: Basic YWxpY2U6c2VjcmV0\r\n"), "{sign_in}");
    assert!(!sign_in.contains("cookie:"), "{sign_in}");
    // `example.com/https/cucm1.inside.example/8443`, encoded by another program.
    let prefix =
        "GET /ZXhhbXBsZS5jb20vaHR0cHMvY3VjbTEuaW5zaWRlLmV4YW1wbGUvODQ0Mw/cucm-uds/clusterUser?";
    assert!(relayed.starts_with(prefix), "{relayed}");
    assert!(relayed.contains("cookie: X-Auth=abcdef0123456789; JSESSIONIDSSO=7\r\n"), "{relayed}");
    for other in heard.iter().skip(2) {
        assert!(!other.contains("X-Auth"), "{other}");
    }
}

#[tokio::test]
async fn an_edge_must_name_the_services_domain_as_well() {
    let answers = ["HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"];
    for (names, rule) in [
        (vec![EDGE], 10),
        (vec!["example.com"], 9),
        (vec![EDGE, "example.com"], 13),
        (vec![EDGE, "collab-edge.example.com"], 13),
    ] {
        let (problem, heard, _net) = tried(&names, &answers).await;
        assert_eq!(problem.rule, Some(Rule(rule)), "{names:?}: {problem:?}");
        let told = heard.iter().any(|request| request.contains("authorization"));
        assert_eq!(told, rule == 13, "{names:?}: the password goes to a proved edge only");
    }
}
