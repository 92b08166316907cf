//! What discovery tells besides its decision, and how long anything is believed or waited for.

use std::time::Duration;

use offhook_discovery::{Report, Request, check_targets, directory_servers, discover, overruled};
use offhook_model::{
    AccountType, DnsFault, Fault, IpMode, ManualAccount, Outcome, Owner, Preset, Problem, Rule,
    Timestamp, TlsFault,
};
use offhook_ports::{Found, Remembered, Target};
use offhook_testkit::{Reply, TestWorld};

const UDS: &str = "_cisco-uds._tcp.example.com";
const CUPLOGIN: &str = "_cuplogin._tcp.example.com";
const EDGE: &str = "_collab-edge._tls.example.com";
const CAS: &str = "GET https://loginp.webexconnect.com/cas/FederatedSSO?org=example.com";
const CAS_IN_CLEAR: &str = "GET http://loginp.webexconnect.com/cas/FederatedSSO?org=example.com";
const YES: &str = "<r><errorcode>7</errorcode></r>";
const NO: &str = "<r><errorcode>1</errorcode></r>";
const DAY: i64 = 24 * 60 * 60 * 1000;
const NOW: Timestamp = Timestamp(1_795_348_800_000);

fn request() -> Request {
    let address = "alice@example.com".parse().expect("an address");
    Request { now: NOW, ..Request::new(address, 1) }
}

fn run(world: &TestWorld, request: &Request) -> Report {
    world.run(discover(&world.world(), request, &|_| {}))
}

fn inside() -> TestWorld {
    let world = TestWorld::new();
    world.srv(UDS, &[(1, 0, 8443, "cucm1.example.com")]).web(CAS, Reply::ok(NO));
    world
}

fn rules(problems: &[Problem]) -> Vec<u8> {
    problems.iter().filter_map(|problem| problem.rule).map(|Rule(rule)| rule).collect()
}

fn target(host: &str) -> Target {
    Target { host: host.into(), port: 8443 }
}

fn is_cloud(report: &Report) -> bool {
    matches!(report.outcome, Ok(Found::Webex { .. }))
}

#[test]
fn inside_records_from_a_public_name_server_are_d03() {
    let world = inside();
    assert!(rules(&run(&world, &request()).warnings).is_empty());
    world.name_server("9.9.9.9:53");
    let report = run(&world, &request());
    assert_eq!(rules(&report.warnings), [3]);
    assert!(report.outcome.is_ok());
    let outside = TestWorld::new();
    outside.srv(EDGE, &[(1, 0, 8443, "edge.example.com")]).name_server("9.9.9.9:53");
    assert!(rules(&run(&outside, &request()).warnings).is_empty());
}

#[test]
fn a_cloud_before_own_servers_is_d22_unless_both_are_meant() {
    let world = inside();
    world.web(CAS, Reply::ok(YES));
    let report = run(&world, &request());
    assert!(is_cloud(&report));
    assert_eq!(rules(&report.warnings), [22]);
    let Ok(Found::Webex { voice, .. }) = &report.outcome else { panic!("{report:?}") };
    assert_eq!(*voice, [target("cucm1.example.com")]);
    let preset = Preset { voice_services_domain: Some("example.com".into()), ..Preset::default() };
    assert!(rules(&run(&world, &Request { preset, ..request() }).warnings).is_empty());
}

#[test]
fn manual_settings_that_overrule_are_d22() {
    let world = inside();
    let check = |account_type, expected: Option<u8>| {
        let server = Some("x.example.com".to_owned());
        let manual = ManualAccount { account_type, server, ..ManualAccount::default() };
        let request = Request { manual, ..request() };
        let problem = world.run(overruled(&world.world(), &request));
        let rule = problem.as_ref().and_then(|it| it.rule).map(|Rule(rule)| rule);
        assert_eq!(rule, expected, "{problem:?}");
        assert!(
            problem.is_none_or(|it| it.owner == Owner::User && it.remedy.contains("Automatic"))
        );
    };
    check(AccountType::Automatic, None);
    check(AccountType::Cucm, None);
    check(AccountType::Cup, Some(22));
    check(AccountType::Webex, Some(22));
}

#[test]
fn the_cloud_is_asked_in_clear_only_when_no_connection_came_about() {
    let check = |reply: Reply, in_clear: bool| {
        let world = TestWorld::new();
        world.web(CAS, reply).web(CAS_IN_CLEAR, Reply::ok(YES));
        assert_eq!(is_cloud(&run(&world, &request())), in_clear);
    };
    check(Reply::fault(Fault::PortRefused), true);
    check(Reply::fault(Fault::Tls(TlsFault::UnknownIssuer)), true);
    check(Reply::silence(), true);
    check(Reply::fault(Fault::AnswerTimeout), false);
    check(Reply::fault(Fault::Dns(DnsFault::NoName)), false);
    check(Reply::status(500, ""), false);
    check(Reply::ok(NO), false);
    check(Reply::ok(vec![b'x'; 70_000]), false);
}

#[test]
fn a_redirect_is_single_sign_on_only_where_nobody_else_can_have_made_it() {
    let check = |over_tls: bool, location: &str, sso: Option<&str>| {
        let world = TestWorld::new();
        let redirect = Reply::status(302, "").with_header("location", location);
        if over_tls {
            world.web(CAS, redirect);
        } else {
            world.web(CAS, Reply::fault(Fault::Closed)).web(CAS_IN_CLEAR, redirect);
        }
        let report = run(&world, &request());
        let found = match &report.outcome {
            Ok(Found::Webex { sso, .. }) => sso.as_deref(),
            _ => None,
        };
        assert_eq!(found, sso, "{location}");
        let told = report.warnings.iter().any(|it| it.cause.contains("web page"));
        assert_eq!(told, !over_tls && sso.is_none(), "{location}: {:?}", report.warnings);
    };
    check(true, "https://idp.example.net/go", Some("https://idp.example.net/go"));
    check(true, "no address", None);
    check(true, "/cas/FederatedSSO?org=example.com", None);
    check(
        false,
        "https://idp.example.net/?SAMLRequest=x",
        Some("https://idp.example.net/?SAMLRequest=x"),
    );
    check(false, "http://portal.example.net/?SAMLRequest=x", None);
    check(false, "https://portal.example.net/login", None);
}

#[test]
fn a_page_that_starts_saml_sends_the_browser_to_the_cloud_over_tls() {
    let world = TestWorld::new();
    let page = "<html><body><form action=\"https://idp.example.net/\"><input name=\"SAMLRequest\">";
    world.web(CAS, Reply::fault(Fault::Closed)).web(CAS_IN_CLEAR, Reply::ok(page));
    let expected = "https://loginp.webexconnect.com/cas/FederatedSSO?org=example.com";
    match run(&world, &request()).outcome {
        Ok(Found::Webex { sso, .. }) => assert_eq!(sso.as_deref(), Some(expected)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_proxy_in_the_way_is_d33_and_no_obstacle() {
    let world = inside();
    let proxy = || Reply::fault(Fault::Proxy("it wants a password".into()));
    world.web(CAS, proxy()).web(CAS_IN_CLEAR, proxy());
    let report = run(&world, &request());
    assert_eq!(rules(&report.warnings), [33]);
    assert!(matches!(report.outcome, Ok(Found::Cucm(_))));
    // A proxy that only refuses tunnels is none.
    world.web(CAS_IN_CLEAR, Reply::ok(NO));
    assert!(run(&world, &request()).warnings.is_empty());
}

#[test]
fn the_sso_organisation_is_asked_for_where_one_is_set() {
    let world = TestWorld::new();
    world.web(&CAS.replace("example.com", "b%C3%BCro.example"), Reply::ok(YES));
    let preset = Preset { sso_org_domain: Some("büro.example".into()), ..Preset::default() };
    assert!(is_cloud(&run(&world, &Request { preset, ..request() })));
}

fn kept(found: Found) -> Remembered {
    Remembered {
        domain: "example.com".into(),
        voice_domain: "example.com".into(),
        found,
        at: Timestamp(NOW.0 - DAY),
        network: Some("office".into()),
    }
}

#[track_caller]
fn check_memory(remembered: Remembered, network: Option<&str>, used: bool) {
    let world = inside();
    let network = network.map(str::to_owned);
    let report = run(&world, &Request { remembered: Some(remembered), network, ..request() });
    assert_eq!(report.from_memory, used);
    let remember = report.remember.expect("something to keep");
    let step = report.steps.iter().find(|step| step.step == "remembered").expect("a step");
    if used {
        assert_eq!(report.outcome, Ok(Found::Cucm(vec![target("old.example.com")])));
        assert_eq!((step.outcome, remember.at.0), (Outcome::Won, NOW.0 - DAY));
        assert!(!world.asked().iter().any(|asked| asked.starts_with("SRV")));
        assert_eq!(report.network, "inside");
    } else {
        assert_eq!(step.outcome, Outcome::Skipped);
        assert_eq!(remember.at, NOW);
        assert_eq!(remember.found, Found::Cucm(vec![target("cucm1.example.com")]));
    }
}

#[test]
fn what_is_remembered_is_used_where_and_when_it_was_found() {
    let old = || kept(Found::Cucm(vec![target("old.example.com")]));
    check_memory(old(), None, true);
    check_memory(old(), Some("office"), true);
    check_memory(Remembered { network: None, ..old() }, Some("home"), true);
    check_memory(old(), Some("home"), false);
    check_memory(Remembered { at: Timestamp(NOW.0 - 31 * DAY), ..old() }, None, false);
    check_memory(Remembered { at: Timestamp(NOW.0 + DAY), ..old() }, None, false);
    check_memory(Remembered { domain: "example.net".into(), ..old() }, None, false);
    check_memory(Remembered { voice_domain: "example.net".into(), ..old() }, None, false);
}

#[test]
fn a_remembered_edge_is_not_used_when_use_from_outside_is_switched_off() {
    let world = inside();
    let remembered = Some(kept(Found::Edge(vec![target("edge.example.com")])));
    let preset = Preset { remote_access: false, ..Preset::default() };
    let report = run(&world, &Request { remembered, preset, ..request() });
    assert!(matches!(report.outcome, Ok(Found::Cucm(_))) && !report.from_memory);
}

#[test]
fn only_the_edge_and_no_use_from_outside_is_said_in_words() {
    let world = TestWorld::new();
    world.srv(EDGE, &[(1, 0, 8443, "edge.example.com")]);
    let preset = Preset { remote_access: false, ..Preset::default() };
    let problem = run(&world, &Request { preset, ..request() }).outcome.expect_err("refused");
    assert!(problem.cause.contains("switched off") && problem.who == "you", "{problem:?}");
}

fn fallback() -> Preset {
    let fallback = ManualAccount {
        account_type: AccountType::Cup,
        server: Some("imp9.example.com".into()),
        ..ManualAccount::default()
    };
    Preset { fallback, ..Preset::default() }
}

#[test]
fn the_bootstrap_file_is_used_only_when_nothing_was_found() {
    let from_file = Ok(Found::Cup(vec![target("imp9.example.com")]));
    let with = |world: &TestWorld, preset: Preset| run(world, &Request { preset, ..request() });
    let report = with(&TestWorld::new(), fallback());
    assert_eq!(report.outcome, from_file);
    assert!(report.remember.is_none());
    let step = report.steps.last().expect("a step");
    assert_eq!((step.step.as_str(), step.outcome), ("fallback", Outcome::Won));
    assert!(step.why.contains("nothing"), "{}", step.why);

    assert!(matches!(with(&inside(), fallback()).outcome, Ok(Found::Cucm(_))));

    let silent = TestWorld::new();
    for name in [UDS, CUPLOGIN, EDGE] {
        silent.srv_fault(name, DnsFault::Silence);
    }
    let report = with(&silent, fallback());
    assert_eq!(report.outcome, from_file);
    assert!(!report.warnings.is_empty());

    let mut excluded = fallback();
    (excluded.excluded.webex, excluded.excluded.cucm, excluded.excluded.cup) = (true, true, true);
    let world = inside();
    assert_eq!(with(&world, excluded).outcome, from_file);
    assert!(world.asked().is_empty());
}

#[test]
fn an_incomplete_bootstrap_file_is_the_administrators_to_mend() {
    let mut preset = fallback();
    preset.fallback.server = None;
    let report = run(&TestWorld::new(), &Request { preset, ..request() });
    assert_eq!(report.outcome.expect_err("nothing").rule, Some(Rule(1)));
    assert!(report.warnings.iter().any(|it| it.remedy.contains("CUP_ADDRESS")));
}

#[test]
fn a_slow_answer_of_lower_rank_is_waited_for_one_second_only() {
    let world = inside();
    world.srv_after(EDGE, Duration::from_secs(4));
    assert!(run(&world, &request()).outcome.is_ok());
    assert_eq!(world.clock().passed(), Duration::from_secs(1));
    let world = inside();
    world.srv_after(EDGE, Duration::from_millis(400)).srv_after(UDS, Duration::from_millis(300));
    assert!(run(&world, &request()).outcome.is_ok());
    assert_eq!(world.clock().passed(), Duration::from_millis(400));
}

#[test]
fn a_slow_answer_of_higher_rank_is_waited_for() {
    let world = TestWorld::new();
    world.srv(UDS, &[(1, 0, 8443, "cucm1.example.com")]).srv_after(UDS, Duration::from_secs(3));
    world.srv(CUPLOGIN, &[(1, 0, 8443, "imp1.example.com")]);
    let report = run(&world, &request());
    assert!(matches!(report.outcome, Ok(Found::Cucm(_))));
    assert_eq!(report.suggested_server.as_deref(), Some("imp1.example.com"));
    assert_eq!(world.clock().passed(), Duration::from_secs(3));
}

#[test]
fn the_services_domain_may_be_another_than_the_addresss() {
    let world = TestWorld::new();
    world.srv("_cisco-uds._tcp.corp.example", &[(1, 0, 8443, "cucm1.corp.example")]);
    let preset = Preset { services_domain: Some("Corp.Example.".into()), ..Preset::default() };
    let report = run(&world, &Request { preset, ..request() });
    assert_eq!(report.outcome, Ok(Found::Cucm(vec![target("cucm1.corp.example")])));
    assert_eq!(
        (report.domain.as_str(), report.voice_domain.as_str()),
        ("corp.example", "corp.example")
    );
    assert!(
        world.asked().iter().all(|asked| !asked.contains("example.com")),
        "{:?}",
        world.asked()
    );
}

#[track_caller]
fn check_target(world: &TestWorld, mode: IpMode, expected: &[u8], words: &str) {
    let found = Found::Cucm(vec![target("cucm1.example.com"), target("192.0.2.7")]);
    let checked = world.run(check_targets(&world.world(), &found, mode));
    assert_eq!(rules(&checked.problems), expected);
    assert_eq!(checked.steps.len(), 1);
    assert!(checked.problems.iter().all(|it| it.cause.contains(words)), "{:?}", checked.problems);
}

#[test]
fn targets_without_usable_addresses_are_told() {
    let host = "cucm1.example.com";
    let world = TestWorld::new();
    check_target(&world, IpMode::Both, &[5], "no address");
    world.address_fault(host, DnsFault::NoRecord);
    check_target(&world, IpMode::V6, &[5], "IP_Mode");
    world.address(host, "192.0.2.1");
    check_target(&world, IpMode::Both, &[], "");
    check_target(&world, IpMode::V4, &[], "");
    check_target(&world, IpMode::V6, &[5], "no IPv6 address");
    world.alias(host, "node7.example.net");
    check_target(&world, IpMode::V4, &[4], "alias of node7.example.net");
}

#[test]
fn directory_servers_come_from_standard_and_printed_names() {
    let world = TestWorld::new();
    world
        .srv(
            "_gc._tcp.example.com",
            &[(1, 0, 3268, "dc2.example.com"), (0, 0, 3268, "dc1.example.com")],
        )
        .srv(
            "_gc._msdcs._tcp.example.com",
            &[(0, 0, 3268, "dc1.example.com"), (5, 0, 3268, "dc9.example.com")],
        )
        .srv("_ldap._msdcs._tcp.example.com", &[(0, 0, 389, "dc3.example.com")])
        .srv_after("_gc._tcp.example.com", Duration::from_secs(2))
        .srv_after("_ldap._msdcs._tcp.example.com", Duration::from_secs(2));
    let servers = world.run(directory_servers(&world.world(), "example.com", 1));
    let hosts = |list: &[Target]| list.iter().map(|it| it.host.clone()).collect::<Vec<_>>();
    assert_eq!(
        hosts(&servers.catalogue),
        ["dc1.example.com", "dc2.example.com", "dc9.example.com"]
    );
    assert_eq!(hosts(&servers.ldap), ["dc3.example.com"]);
    assert_eq!((servers.steps.len(), world.asked().len()), (5, 5));
    assert_eq!(world.clock().passed(), Duration::from_secs(2));
}
