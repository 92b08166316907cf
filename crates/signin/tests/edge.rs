//! Sign-in from outside: what is asked, of whom, what is granted, and what is said when the edge
//! refuses.

use std::sync::Arc;
use std::time::Duration;

use offhook_model::{
    EdgeFault, Endpoint, Fault, Link, Owner, Problem, ProductMode, Rule, Service as Kind, TlsFault,
    UserAddress, Via,
};
use offhook_ports::{Found, HttpRequest, HttpResponse, PhoneDialect, Target, XmppAuth};
use offhook_signin::{Credentials, Grant, Renewal, Report, Request, renew, sign_in};
use offhook_testkit::{Act, EDGE_CONFIG, EdgeDouble, PASSWORD, Reply, url};

const ONE: &str = "edge1.example.com";
const TWO: &str = "edge2.example.com";

fn credentials() -> Credentials {
    Credentials { username: "alice".into(), password: PASSWORD.into() }
}

fn request() -> Request {
    let address: UserAddress = "alice@example.com".parse().expect("an address");
    let edges = [ONE, TWO].map(|host| Target { host: host.into(), port: 8443 });
    Request::new(address, Found::Edge(edges.into()), credentials(), 7)
}

fn signed_in_with(edge: &EdgeDouble, request: &Request) -> Report {
    let outside = edge.world();
    edge.inside().run(sign_in(&outside, request, &|_| {}))
}

fn grant(edge: &EdgeDouble) -> Grant {
    signed_in_with(edge, &request()).outcome.expect("a grant")
}

fn problem(edge: &EdgeDouble) -> Problem {
    signed_in_with(edge, &request()).outcome.expect_err("a problem")
}

#[track_caller]
fn check(problem: &Problem, rule: u8, owner: Owner, words: &str) {
    assert_eq!((problem.rule, problem.owner), (Some(Rule(rule)), owner), "{problem:?}");
    assert!(format!("{} {}", problem.cause, problem.remedy).contains(words), "{problem:?}");
}

/// Asks an inner resource through the grant's route.
fn asked(edge: &EdgeDouble, grant: &Grant, url: &str) -> Result<HttpResponse, Fault> {
    let inside = grant.edge.as_ref().expect("a route").world(&edge.world());
    edge.inside().run(inside.http.send(HttpRequest::get(url)))
}

fn said(fault: &Fault) -> Problem {
    let host = "photos.example.com".to_owned();
    fault.problem(&Endpoint { service: Kind::Uds, host, port: 443, link: Link::Tls })
}

#[test]
fn from_outside_chat_and_phone_go_by_the_edge() {
    let edge = EdgeDouble::new();
    let grant = grant(&edge);
    assert_eq!((grant.mode, grant.via), (ProductMode::Full, Via::Edge));
    assert_eq!(grant.display_name, "Alice Smith");
    assert!(grant.restrictions.iter().any(|it| it.feature == "ldapDirectory"));
    assert_eq!(grant.edge.as_ref().expect("a route").domain(), "example.com");

    let chat = grant.im.ready().expect("chat");
    let servers: Vec<_> =
        chat.servers.iter().map(|it| (it.host.as_str(), it.port, it.link)).collect();
    assert_eq!(servers, [(ONE, 5222, Link::StartTls)]);
    assert_eq!(chat.names, [ONE]);
    assert_eq!(chat.jid.bare_str(), "alice@chat.example.com");
    assert!(matches!(chat.auth, XmppAuth::VtgToken { .. }));

    let phone = grant.phone.ready().expect("phone");
    let servers: Vec<_> =
        phone.servers.iter().map(|it| (it.host.as_str(), it.port, it.link)).collect();
    assert_eq!(servers, [(ONE, 5061, Link::Tls), (TWO, 5061, Link::Tls)]);
    assert_eq!(phone.registrar.as_deref(), Some("cucm1.example.com"));
    assert_eq!(phone.routes, ["<sip:198.51.100.7:5061;transport=tls;zone-id=3;directed;lr>"]);
    assert_eq!(phone.encryption, offhook_ports::MediaEncryption::Required);
    assert!(matches!(&phone.dialect, PhoneDialect::Cucm { device, .. } if device == "CSFALICE"));
}

#[test]
fn one_sign_in_at_the_edge_serves_the_whole_chain() {
    let edge = EdgeDouble::new();
    let report = signed_in_with(&edge, &request());
    let seen = edge.seen();
    assert_eq!(seen.sign_ins.len(), 1);
    assert!(seen.stale.is_empty() && seen.leaked.is_empty(), "{seen:?}");
    // Services domain, its collab-edge host, and the SRV-ID form (reference edge.md section 1).
    let names = ["example.com", "collab-edge.example.com", "_collab-edge._tls.example.com"];
    assert_eq!(seen.also_named, names);
    let inner: Vec<_> = seen.relayed.iter().map(|(asked, _)| asked.as_str()).collect();
    assert!(inner.contains(&"GET HTTP://CUCM1.EXAMPLE.COM:6970/CSFALICE.CNF.XML"), "{inner:?}");
    let with_password: Vec<_> =
        seen.relayed.iter().filter(|(_, basic)| *basic).map(|(asked, _)| asked).collect();
    assert!(with_password.iter().all(|it| it.contains("HTTPS://CUCM1")), "{with_password:?}");
    assert!(!with_password.is_empty());
    assert_eq!(report.steps.first().map(|step| step.step.as_str()), Some("edgeConfig"));
    assert!(report.steps.len() > 5 && report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn nothing_told_holds_password_or_cookie() {
    let edge = EdgeDouble::new();
    let report = signed_in_with(&edge, &request());
    let shown = format!("{report:?}");
    for secret in [PASSWORD, "X-Auth", "edge1-0000"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn the_second_edge_serves_when_the_first_fails() {
    for act in [
        Act::Fail(Fault::PortRefused),
        Act::Fail(Fault::ConnectTimeout),
        Act::Fail(Fault::Tls(TlsFault::UnknownIssuer)),
        Act::Status(502),
        Act::Status(500),
    ] {
        let edge = EdgeDouble::new();
        edge.always(ONE, act.clone());
        let grant = grant(&edge);
        assert_eq!(grant.edge.as_ref().expect("a route").edge(), TWO, "{act:?}");
        assert!(edge.seen().leaked.is_empty());
    }
}

#[test]
fn an_edge_that_dies_in_the_middle_is_replaced() {
    let edge = EdgeDouble::new();
    let grant = grant(&edge);
    edge.always(ONE, Act::Fail(Fault::PortRefused));
    asked(&edge, &grant, "https://cucm1.example.com:8443/cucm-uds/servers").expect("an answer");
    assert_eq!(grant.edge.as_ref().expect("a route").edge(), TWO);
    let seen = edge.seen();
    assert_eq!(
        seen.sign_ins.iter().map(|(edge, ..)| edge.as_str()).collect::<Vec<_>>(),
        [ONE, TWO]
    );
    assert!(seen.leaked.is_empty(), "{:?}", seen.leaked);
}

#[test]
fn refusals_of_the_sign_in_are_told_apart() {
    let of = |status: u16| {
        let edge = EdgeDouble::new();
        edge.always(ONE, Act::Status(status)).always(TWO, Act::Status(status));
        let problem = problem(&edge);
        (problem, edge.seen().sign_ins.len())
    };
    let (refused, asked) = of(401);
    check(&refused, 13, Owner::User, "password");
    assert_eq!(asked, 1, "a refused password is not tried at another edge");
    let (forbidden, asked) = of(403);
    check(&forbidden, 15, Owner::Admin, "clocks");
    assert_eq!(asked, 1);
    let (unknown, asked) = of(404);
    assert!(unknown.cause.contains("does not serve this domain"), "{unknown:?}");
    assert_eq!(asked, 1);
    let (tunnel, asked) = of(502);
    check(&tunnel, 16, Owner::Admin, "tunnel");
    assert_eq!(asked, 2, "another edge may have a tunnel");
    let (browser, _) = of(302);
    assert!(browser.cause.contains("single sign-on"), "{browser:?}");
}

#[test]
fn a_certificate_without_the_services_domain_is_the_edges_own_fault() {
    let edge = EdgeDouble::new();
    let fault =
        Fault::Tls(TlsFault::WrongName { wanted: "example.com".into(), present: vec![ONE.into()] });
    edge.always(ONE, Act::Fail(fault.clone())).always(TWO, Act::Fail(fault));
    check(&problem(&edge), 10, Owner::Admin, "example.com");
}

#[test]
fn a_node_that_refuses_what_the_edge_accepted_is_not_linked() {
    let edge = EdgeDouble::new();
    edge.inside().web(url::USER, Reply::status(401, "")).web(url::USER_2, Reply::status(401, ""));
    check(&problem(&edge), 13, Owner::Admin, "edge1.example.com");
}

#[test]
fn one_forbidden_host_is_about_the_allow_list() {
    let edge = EdgeDouble::new();
    let grant = grant(&edge);
    edge.host("photos.example.com", Act::Status(403));
    let fault = asked(&edge, &grant, "https://photos.example.com/alice.jpg").expect_err("refused");
    check(&said(&fault), 14, Owner::Admin, "Add photos.example.com");
}

#[test]
fn everything_forbidden_is_about_clocks() {
    let edge = EdgeDouble::new();
    edge.host("*", Act::Status(403));
    check(&problem(&edge), 15, Owner::Admin, "clocks");
}

#[test]
fn a_dead_tunnel_and_an_underscore_are_told_apart() {
    let edge = EdgeDouble::new();
    let grant = grant(&edge);
    edge.host("*", Act::Status(502));
    let ask = |url| said(&asked(&edge, &grant, url).expect_err("refused"));
    check(&ask("https://photos.example.com/a"), 16, Owner::Admin, "tunnel");
    check(&ask("https://old_photos.example.com/a"), 16, Owner::Admin, "underscore");
}

#[test]
fn a_cookie_that_is_over_is_renewed_once_for_all() {
    let edge = EdgeDouble::new();
    let grant = grant(&edge);
    edge.expire();
    let inside = Arc::new(grant.edge.as_ref().expect("a route").world(&edge.world()));
    let ask =
        || inside.http.send(HttpRequest::get("https://cucm1.example.com:8443/cucm-uds/servers"));
    let answers = edge.inside().run(futures_util::future::join_all((0..12).map(|_| ask())));
    assert!(answers.iter().all(|it| it.as_ref().is_ok_and(|it| it.status == 200)), "{answers:?}");
    let seen = edge.seen();
    assert_eq!(seen.sign_ins.len(), 2);
    assert_eq!(seen.most_at_once, 1);
    assert!(seen.stale.len() <= 3, "{}", seen.stale.len());
}

#[test]
fn after_a_quiet_while_one_request_goes_ahead() {
    let edge = EdgeDouble::new();
    let grant = grant(&edge);
    let inside = grant.edge.as_ref().expect("a route").world(&edge.world());
    let ask =
        || inside.http.send(HttpRequest::get("https://cucm1.example.com:8443/cucm-uds/servers"));
    for _ in 0..3 {
        let clock = edge.inside().clock().clone();
        edge.inside().run(offhook_ports::Clock::sleep(&clock, Duration::from_secs(240)));
        edge.expire();
        let answers = edge.inside().run(futures_util::future::join_all((0..12).map(|_| ask())));
        assert!(
            answers.iter().all(|it| it.as_ref().is_ok_and(|it| it.status == 200)),
            "{answers:?}"
        );
    }
    assert_eq!((edge.seen().stale.len(), edge.seen().sign_ins.len()), (3, 4));
}

#[test]
fn the_cookie_is_renewed_before_its_eight_hours_are_over() {
    let edge = EdgeDouble::new();
    let grant = grant(&edge);
    let clock = edge.inside().clock().clone();
    let wait = offhook_ports::Clock::sleep(&clock, Duration::from_secs(7 * 3600 + 55 * 60));
    edge.inside().run(wait);
    edge.expire();
    asked(&edge, &grant, "https://cucm1.example.com:8443/cucm-uds/servers").expect("an answer");
    let seen = edge.seen();
    assert_eq!((seen.sign_ins.len(), seen.stale.len()), (2, 0));
}

#[test]
fn a_chat_reconnect_keeps_the_way() {
    let edge = EdgeDouble::new();
    let renewal = grant(&edge).renewal.expect("one-time passwords");
    let outside = edge.world();
    let plan =
        edge.inside().run(renew(&outside, &renewal, &credentials(), &|_| {})).expect("a plan").plan;
    assert_eq!((plan.servers[0].host.as_str(), plan.names[0].as_str()), (ONE, ONE));
    #[allow(irrefutable_let_patterns, reason = "other kinds of renewal may be added")]
    if let Renewal::Soap(soap) = &renewal {
        assert!(soap.edge.is_some());
    }
    assert!(edge.seen().leaked.is_empty());
}

#[test]
fn requests_to_the_cloud_and_to_the_edge_are_not_rewritten() {
    let edge = EdgeDouble::new();
    let route = grant(&edge).edge.expect("a route");
    let inside = route.world(&edge.world());
    let before = edge.seen().relayed.len();
    let cloud = HttpRequest::get("https://cas.example.net/cas/FederatedSSO?org=x").through_proxy();
    assert!(edge.inside().run(inside.http.send(cloud)).is_err());
    let own = HttpRequest::get(format!("https://{ONE}:8443/ZXhhbXBsZS5jb20/get_edge_sso"));
    assert_eq!(edge.inside().run(inside.http.send(own)).expect("an answer").status, 404);
    let seen = edge.seen();
    assert_eq!((seen.relayed.len(), seen.leaked.len()), (before, 0));
}

#[test]
fn inner_hosts_cannot_be_probed_from_outside() {
    let edge = EdgeDouble::new();
    let route = grant(&edge).edge.expect("a route");
    let inside = route.world(&edge.world());
    let at = |host: &str, port| Endpoint {
        service: Kind::Sip,
        host: host.into(),
        port,
        link: Link::Tcp,
    };
    // The recorded deployment answers on this port.
    let inner = at("cucm1.example.com", 5060);
    let reached = edge.inside().run(inside.probe.reach(&inner, &[]));
    let said = reached.expect_err("refused").problem(&inner);
    assert!(said.rule.is_none() && said.cause.contains("over HTTP"), "{said:?}");
    let own = at(TWO, 5061);
    assert_eq!(edge.inside().run(inside.probe.reach(&own, &[])), Err(Fault::PortRefused));
}

#[test]
fn a_user_without_a_home_is_told_so() {
    let edge = EdgeDouble::new();
    let body = EDGE_CONFIG
        .replace("<server><address>cucm1.example.com</address><tlsPort>8443</tlsPort></server></userUdsServer>", "<server><address/></server></userUdsServer>")
        .replace("<name>_cisco-uds</name>", "<name>_cisco-uds</name><error>NameError</error>");
    edge.config(&body);
    let problem = problem(&edge);
    assert!(problem.cause.contains("no call manager for this user"), "{problem:?}");
}

#[test]
fn an_edge_without_doors_leaves_the_other_service_alone() {
    let edge = EdgeDouble::new();
    edge.config(&EDGE_CONFIG.replace("xmppEdgeServer", "someEdgeServer"));
    let grant = grant(&edge);
    assert!(grant.phone.ready().is_some());
    assert!(grant.im.problem().is_some_and(|problem| problem.cause.contains("chat")));
}

#[test]
fn a_wrong_password_is_asked_three_times_and_then_held_back() {
    let edge = EdgeDouble::new();
    let mut request = request();
    request.credentials.password = "wrong".into();
    let begin = edge.inside().clock().passed();
    for _ in 0..3 {
        let problem = signed_in_with(&edge, &request).outcome.expect_err("refused");
        check(&problem, 13, Owner::User, "password");
    }
    // Each but the first waited for 15 s after the one before.
    assert!(edge.inside().clock().passed() - begin >= Duration::from_secs(30));
    request.credentials.password = PASSWORD.into();
    let held = signed_in_with(&edge, &request).outcome.expect_err("held back");
    check(&held, 17, Owner::User, "minutes");
    assert_eq!(edge.seen().sign_ins.len(), 3);
    let clock = edge.inside().clock().clone();
    edge.inside().run(offhook_ports::Clock::sleep(&clock, Duration::from_secs(15 * 60)));
    assert!(signed_in_with(&edge, &request).outcome.is_ok());
}

#[test]
fn silence_after_refusals_is_intrusion_protection() {
    let edge = EdgeDouble::new();
    let mut request = request();
    let grant = signed_in_with(&edge, &request).outcome.expect("a grant");
    request.credentials.password = "wrong".into();
    for _ in 0..3 {
        assert!(signed_in_with(&edge, &request).outcome.is_err());
    }
    edge.always(ONE, Act::Fail(Fault::ConnectTimeout));
    edge.always(TWO, Act::Fail(Fault::ConnectTimeout));
    let fault = asked(&edge, &grant, "https://photos.example.com/a").expect_err("shut out");
    assert!(
        matches!(&fault, Fault::Edge(_, EdgeFault::HeldBack(_) | EdgeFault::ShutOut)),
        "{fault:?}"
    );
    check(&said(&fault), 17, Owner::User, "ait");
}
