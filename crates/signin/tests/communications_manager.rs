//! Sign-in by user data services: what is granted, what is passed over, what is refused.

use std::time::Duration;

use offhook_model::{Area, Authenticator, Fault, Link, ProductMode, Rule, UserAddress, Via};
use offhook_ports::{EnrolMode, Found, MediaEncryption, PhoneDialect, Target, XmppAuth};
use offhook_signin::{
    Credentials, Grant, Renewal, Report, Request, Service, SoapStep, renew, sign_in,
};
use offhook_testkit::{PASSWORD, Reply, TOKEN, TestWorld, deployment, reply, url};

fn address() -> UserAddress {
    "alice@example.com".parse().expect("an address")
}

fn credentials(username: &str) -> Credentials {
    Credentials { username: username.into(), password: PASSWORD.into() }
}

fn found() -> Found {
    let target = |host: &str| Target { host: host.into(), port: 8443 };
    Found::Cucm(vec![target("cucm1.example.com"), target("cucm2.example.com")])
}

fn signed_in_as(world: &TestWorld, username: &str) -> Report {
    let (ports, address, found) = (world.world(), address(), found());
    world.run(sign_in(&ports, &Request::new(address, found, credentials(username), 7), &|_| {}))
}

fn signed_in(world: &TestWorld) -> Report {
    signed_in_as(world, "alice")
}

fn grant(world: &TestWorld) -> Grant {
    signed_in(world).outcome.expect("a grant")
}

#[test]
fn a_healthy_deployment_grants_chat_and_phone() {
    let grant = grant(&deployment());
    assert_eq!(grant.authenticator, Authenticator::Cup);
    assert_eq!((grant.mode, grant.via), (ProductMode::Full, Via::Direct));
    assert_eq!((grant.username.as_str(), grant.display_name.as_str()), ("alice", "Alice Smith"));
    assert_eq!(grant.number.as_deref(), Some("2001"));

    let chat = grant.im.ready().expect("chat");
    assert_eq!(chat.jid.bare_str(), "alice@chat.example.com");
    assert_eq!(chat.resource, "jabber_1007");
    let nodes: Vec<_> =
        chat.servers.iter().map(|it| (it.host.as_str(), it.port, it.link)).collect();
    assert_eq!(
        nodes,
        [("imp1.example.com", 5222, Link::StartTls), ("imp2.example.com", 15_222, Link::StartTls)],
    );
    // The certificate must name the domain (reference discovery.md section 5).
    assert!(chat.names.is_empty());
    match &chat.auth {
        XmppAuth::VtgToken { userid, token } => {
            assert_eq!(userid, "alice@chat.example.com");
            assert_eq!(token.expose(), TOKEN);
        }
        XmppAuth::Password { .. } | XmppAuth::WebexToken { .. } => {
            panic!("the password must not go to the chat node")
        }
    }

    let phone = grant.phone.ready().expect("phone");
    let dialect = PhoneDialect::Cucm {
        device: "CSFALICE".into(),
        model: 503,
        line_contact: "c0ffee00-0000-4000-8000-000000000001".into(),
    };
    assert_eq!(phone.dialect, dialect);
    assert_eq!((phone.user.as_str(), phone.display_name.as_str()), ("2001", "Alice"));
    let servers: Vec<_> =
        phone.servers.iter().map(|it| (it.host.as_str(), it.port, it.link)).collect();
    assert_eq!(
        servers,
        [("cucm1.example.com", 5060, Link::Tcp), ("cucm2.example.com", 5060, Link::Tcp)],
    );
    assert_eq!((phone.media_ports.start, phone.media_ports.end), (20_000, 20_100));
    assert_eq!((phone.audio_dscp, phone.signalling_dscp), (46, 24));
    assert_eq!(phone.expires, Duration::from_secs(3600));
    assert_eq!(phone.voicemail_pilot.as_deref(), Some("8000"));
    assert!(phone.digest.is_none());
}

#[test]
fn the_password_goes_to_the_home_cluster_only() {
    let world = deployment();
    grant(&world);
    for asked in world.asked().iter().filter(|asked| asked.ends_with(" as alice")) {
        assert!(asked.starts_with("GET https://cucm1.example.com:8443/"), "{asked}");
    }
}

#[test]
fn nothing_told_holds_a_secret() {
    let world = deployment();
    let told = std::sync::Mutex::new(String::new());
    let tell = |progress| told.lock().expect("free").push_str(&format!("{progress:?}"));
    let (ports, address, found) = (world.world(), address(), found());
    let report =
        world.run(sign_in(&ports, &Request::new(address, found, credentials("alice"), 7), &tell));
    let shown = format!("{report:?}{}{:?}", told.lock().expect("free"), world.asked());
    for secret in [PASSWORD, "pa&lt;ss", TOKEN, "session-0815"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert!(report.steps.iter().all(|step| !step.asked.contains('?')), "{:?}", report.steps);
    let names: Vec<_> = report.steps.iter().map(|step| step.step.as_str()).collect();
    for name in [
        "homeCluster",
        "servers",
        "user",
        "serviceProfile",
        "devices",
        "device",
        "deviceFile",
        "soapLogin",
        "oneTimePassword",
        "imConfig",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
}

#[test]
fn questions_that_do_not_wait_for_each_other_run_side_by_side() {
    let world = deployment();
    let second = Duration::from_secs(1);
    for (address, body) in [
        (url::PROFILE, reply::PROFILE),
        (url::DEVICES, reply::DEVICES),
        (url::DEVICE, reply::DEVICE),
        (url::DEVICE_FILE, reply::DEVICE_FILE),
    ] {
        world.web(address, Reply::ok(body).after(second));
    }
    grant(&world);
    // Devices, device and file take three; the profile runs beside them.
    assert_eq!(world.clock().passed(), second * 3);
}

#[test]
fn a_dead_first_server_is_passed_over_and_told() {
    let world = deployment();
    world.web(url::CLUSTER_USER, Reply::silence());
    let report = signed_in(&world);
    assert!(report.outcome.is_ok());
    assert_eq!(world.clock().passed(), Duration::from_secs(12));
    let rules: Vec<_> = report.warnings.iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, [Some(Rule(6))]);
}

#[test]
fn another_node_of_the_home_cluster_is_asked_when_the_home_node_fails() {
    let world = deployment();
    world.web(url::USER, Reply::status(503, "busy"));
    for (first, second) in [
        (url::DEVICES, "GET https://cucm2.example.com:8443/cucm-uds/user/alice/devices"),
        (url::DEVICE, "GET https://cucm2.example.com:8443/cucm-uds/user/alice/device/22"),
    ] {
        world.web(first, Reply::fault(Fault::ConnectTimeout));
        let body = if first == url::DEVICES { reply::DEVICES } else { reply::DEVICE };
        world.web(second, Reply::ok(body));
    }
    assert!(grant(&world).phone.ready().is_some());
}

#[track_caller]
fn check_refusal(world: &TestWorld, area: Area, rule: Option<u8>, words: &str) {
    let problem = signed_in(world).outcome.expect_err("no grant");
    assert_eq!((problem.area, problem.rule), (area, rule.map(Rule)), "{problem:?}");
    assert!(problem.cause.contains(words), "{}", problem.cause);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let world = deployment();
    world.web(url::USER, Reply::status(401, reply::PAGE));
    check_refusal(&world, Area::Authentication, None, "did not accept");
    let tries = world.asked().iter().filter(|asked| asked.ends_with("as alice")).count();
    assert_eq!(tries, 1);
}

#[test]
fn all_servers_are_tried_before_giving_up() {
    let world = deployment();
    world
        .web(url::CLUSTER_USER, Reply::ok(reply::PAGE))
        .web(url::CLUSTER_USER_2, Reply::fault(Fault::PortRefused));
    // The network comes before what is provisioned.
    check_refusal(&world, Area::Network, Some(7), "refuses connections on port 8443");
}

#[test]
fn a_stranger_is_no_network_problem() {
    let world = deployment();
    world
        .web(url::CLUSTER_USER, Reply::ok(reply::STRANGER))
        .web(url::CLUSTER_USER_2, Reply::ok(reply::STRANGER));
    check_refusal(&world, Area::Provisioning, None, "does not know the user alice");
}

#[test]
fn a_user_id_unlike_the_address_is_found_by_mail() {
    let world = deployment();
    let home = reply::HOME.replace("/user/alice", "/user/as%6Dith");
    let user = reply::USER.replace("<userName>alice<", "<userName>asmith<");
    world
        .web(url::CLUSTER_USER, Reply::ok(reply::STRANGER))
        .web(
            "GET https://cucm1.example.com:8443/cucm-uds/clusterUser?email=alice%40example.com",
            Reply::ok(home),
        )
        .web("GET https://cucm1.example.com:8443/cucm-uds/user/asmith", Reply::ok(user))
        .web(
            "GET https://cucm1.example.com:8443/cucm-uds/user/asmith/devices",
            Reply::ok(reply::NO_DEVICES),
        );
    let report = signed_in(&world);
    assert_eq!(report.outcome.expect("a grant").username, "asmith");
}

#[test]
fn a_typed_user_name_is_not_replaced_by_the_address() {
    let world = deployment();
    let problem = signed_in_as(&world, "bob").outcome.expect_err("no grant");
    assert_eq!(problem.area, Area::Network);
    assert!(world.asked().iter().all(|asked| !asked.contains("email=")));
}

#[test]
fn a_profile_without_chat_is_a_phone_account() {
    let world = deployment();
    let user = reply::USER.replace("enableImAndPresence=\"true\"", "");
    world.web(url::USER, Reply::ok(user)).web(url::PROFILE, Reply::ok(reply::PROFILE_WITHOUT_CHAT));
    let report = signed_in(&world);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let grant = report.outcome.expect("a grant");
    assert_eq!(grant.mode, ProductMode::PhoneOnly);
    assert_eq!(grant.authenticator, Authenticator::Cucm);
    assert!(matches!(grant.im, Service::NotConfigured));
}

#[test]
fn a_chat_user_whose_profile_names_no_chat_is_told() {
    let world = deployment();
    world.web(url::PROFILE, Reply::ok(reply::PROFILE_WITHOUT_CHAT));
    let rules: Vec<_> = signed_in(&world).warnings.iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, [Some(Rule(25))]);
}

#[test]
fn a_domain_in_place_of_the_chat_node_is_told_when_it_fails() {
    let world = deployment();
    let profile = reply::PROFILE.replace("imp1.example.com", "example.com");
    world.web(url::PROFILE, Reply::ok(profile));
    let report = signed_in(&world);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let grant = report.outcome.expect("a grant");
    let problem = grant.im.problem().expect("a problem");
    assert_eq!(problem.rule, Some(Rule(26)));
    // What follows from the wrong name is evidence.
    assert!(problem.evidence.contains("example.com:8443"), "{}", problem.evidence);
}

#[test]
fn no_profile_at_all_is_a_phone_account_too() {
    let world = deployment();
    world.web(url::USER, Reply::ok("<user><userName>alice</userName></user>"));
    assert_eq!(grant(&world).mode, ProductMode::PhoneOnly);
}

#[test]
fn no_desktop_phone_is_a_chat_account_and_told() {
    let world = deployment();
    world.web(url::DEVICES, Reply::ok(reply::NO_DEVICES));
    let report = signed_in(&world);
    let rules: Vec<_> = report.warnings.iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, [Some(Rule(18))]);
    assert_eq!(report.outcome.expect("a grant").mode, ProductMode::ImOnly);
}

#[test]
fn neither_chat_nor_phone_is_no_account() {
    let world = deployment();
    world
        .web(url::PROFILE, Reply::ok(reply::PROFILE_WITHOUT_CHAT))
        .web(url::DEVICES, Reply::ok(reply::NO_DEVICES));
    check_refusal(&world, Area::Provisioning, Some(18), "No desktop phone");
}

#[test]
fn a_failing_phone_leaves_chat_alone() {
    let world = deployment();
    world.web(url::DEVICE_FILE, Reply::status(404, ""));
    let grant = grant(&world);
    assert!(grant.im.ready().is_some());
    assert_eq!(grant.mode, ProductMode::Full);
    assert_eq!(grant.phone.problem().and_then(|problem| problem.rule), Some(Rule(27)));
}

#[test]
fn a_failing_chat_leaves_the_phone_alone() {
    for (address, needle, answer, words) in [
        (url::PROFILE, "", Reply::ok(reply::PAGE), "web page"),
        (url::SOAP, "<login ", Reply::ok(reply::SOAP_REFUSED), "although the password is right"),
        (url::SOAP, "<login ", Reply::fault(Fault::PortRefused), "refuses connections"),
        (url::SOAP, "<get-onetime-password", Reply::ok("<x/>"), "cannot be used"),
    ] {
        let world = deployment();
        world.web_containing(address, needle, answer);
        let grant = grant(&world);
        assert!(grant.phone.ready().is_some());
        assert_eq!(grant.authenticator, Authenticator::Cucm);
        let problem = grant.im.problem().expect("a problem");
        assert!(problem.cause.contains(words), "{}", problem.cause);
    }
}

#[test]
fn when_nothing_works_the_sign_in_fails() {
    let world = deployment();
    world
        .web(url::PROFILE, Reply::fault(Fault::PortRefused))
        .web(url::DEVICE_FILE, Reply::fault(Fault::PortRefused));
    check_refusal(&world, Area::Network, Some(7), "port 6970");
}

#[test]
fn the_chat_configuration_is_not_indispensable() {
    let world = deployment();
    world.web_containing(url::SOAP, "<get-all-config", Reply::status(500, ""));
    let report = signed_in(&world);
    assert_eq!(report.warnings.len(), 1);
    let grant = report.outcome.expect("a grant");
    let chat = grant.im.ready().expect("chat");
    assert_eq!(chat.jid.bare_str(), "alice@example.com");
    assert_eq!(chat.servers.first().map(|server| server.host.as_str()), Some("imp1.example.com"));
}

#[test]
fn a_secure_phone_knows_where_and_how_it_enrols() {
    let capf = "<capfAuthMode>1</capfAuthMode><capfList><capf><phonePort>3805</phonePort>\
                <processNodeName>cucm1.example.com</processNodeName></capf></capfList></device>";
    let world = deployment();
    let file = reply::DEVICE_FILE.replace("Mode>1<", "Mode>3<").replace("</device>", capf);
    world.web(url::DEVICE_FILE, Reply::ok(file));
    let Service::Ready(phone) = grant(&world).phone else { panic!("no phone") };
    let secure = phone.secure.expect("a secure profile");
    assert_eq!((secure.device.as_str(), secure.mode), ("CSFALICE", EnrolMode::String));
    let at = secure.authority.expect("an authority");
    assert_eq!((at.to_string().as_str(), at.link), ("cucm1.example.com:3805", Link::Tls));
    assert_eq!(phone.encryption, MediaEncryption::Fallback);
}

fn renewed(world: &TestWorld) -> Result<String, offhook_model::Problem> {
    let renewal = grant(world).renewal.expect("a renewal");
    let before = world.asked().len();
    let ports = world.world();
    let plan = world.run(renew(&ports, &renewal, &credentials("alice"), &|_| {}))?.plan;
    let Renewal::Soap(known) = &renewal else { panic!("no session") };
    assert_eq!(plan.resource, known.resource);
    let tries = world.asked().len() - before;
    Ok(format!("{} after {tries}", plan.jid))
}

#[test]
fn a_live_session_gives_the_next_one_time_password() {
    assert_eq!(renewed(&deployment()).as_deref(), Ok("alice@chat.example.com after 2"));
}

#[test]
fn a_dead_session_is_opened_anew() {
    let (world, renewal) = with_a_dead_session();
    let ports = world.world();
    let plan = world.run(renew(&ports, &renewal, &credentials("alice"), &|_| {}));
    match plan.expect("a plan").plan.auth {
        XmppAuth::VtgToken { token, .. } => assert_eq!(token.expose(), "t2"),
        XmppAuth::Password { .. } | XmppAuth::WebexToken { .. } => panic!("no token"),
    }
}

/// What a reconnect by a new session brings is what the next one starts from.
#[test]
fn a_session_that_was_opened_anew_is_the_next_reconnects() {
    let (world, renewal) = with_a_dead_session();
    let ports = world.world();
    let made = world.run(renew(&ports, &renewal, &credentials("alice"), &|_| {})).expect("a plan");
    let next = made.renewal.expect("what comes next");
    let Renewal::Soap(soap) = &next else { panic!("no session") };
    assert_eq!(soap.session.expose(), "second");
    let before = world.asked().len();
    world.run(renew(&ports, &next, &credentials("alice"), &|_| {})).expect("a plan");
    assert_eq!(world.asked().len() - before, 2, "no login");
}

/// After a node was lost the two are tried with a wait between (reference im-presence.md section 3).
#[test]
fn only_the_session_or_only_a_new_one_is_tried_where_that_is_wanted() {
    for (step, let_in) in [(SoapStep::Session, false), (SoapStep::Login, true)] {
        let (world, mut renewal) = with_a_dead_session();
        let Renewal::Soap(soap) = &mut renewal else { panic!("no session") };
        soap.step = step;
        let before = world.asked().len();
        let ports = world.world();
        let plan = world.run(renew(&ports, &renewal, &credentials("alice"), &|_| {}));
        assert_eq!(plan.is_ok(), let_in, "{step:?}");
        // A login, and the two questions of either session.
        assert_eq!(world.asked().len() - before, 2 + usize::from(let_in), "{step:?}");
    }
}

fn with_a_dead_session() -> (TestWorld, Renewal) {
    let world = deployment();
    // The first session stays refused; the new one is known by its own key.
    let body =
        "<e><login-resp><success><session-key>second</session-key></success></login-resp></e>";
    let token = "<e><get-onetime-password-resp><success><password>t2</password></success></get-onetime-password-resp></e>";
    let renewal = grant(&world).renewal.expect("a renewal");
    world
        .web_containing(url::SOAP, "session-0815", Reply::ok(reply::SOAP_EXPIRED))
        .web_containing(url::SOAP, "<login ", Reply::ok(body))
        .web_containing(
            url::SOAP,
            "second</session-key></s:Header><s:Body><get-onetime",
            Reply::ok(token),
        );
    (world, renewal)
}

#[test]
fn a_changed_password_ends_the_renewal() {
    let world = deployment();
    let renewal = grant(&world).renewal.expect("a renewal");
    world.web_containing(url::SOAP, "", Reply::status(401, reply::PAGE));
    let ports = world.world();
    let outcome = world.run(renew(&ports, &renewal, &credentials("alice"), &|_| {}));
    assert_eq!(outcome.expect_err("refused").area, Area::Authentication);
}
