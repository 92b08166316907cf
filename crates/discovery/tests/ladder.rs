//! Who is found for an address, and what is said when nobody is.

use offhook_discovery::{Report, Request, discover};
use offhook_model::{
    AccountType, Area, DnsFault, Fault, Link, ManualAccount, Outcome, Problem, Rule,
};
use offhook_ports::{Found, SipServer, Target, XmppServer};
use offhook_testkit::TestWorld;

const UDS: &str = "_cisco-uds._tcp.example.com";
const CUPLOGIN: &str = "_cuplogin._tcp.example.com";
const EDGE: &str = "_collab-edge._tls.example.com";

fn report_with(world: &TestWorld, manual: ManualAccount) -> Report {
    let address = "alice@example.com".parse().expect("an address");
    let request = Request { manual, ..Request::new(address, 1) };
    world.run(discover(&world.world(), &request, &|_| {}))
}

fn report(world: &TestWorld) -> Report {
    report_with(world, ManualAccount::default())
}

fn target(host: &str, port: u16) -> Target {
    Target { host: host.into(), port }
}

fn problem(report: Report) -> Problem {
    report.outcome.expect_err("nothing should be found")
}

fn rules(report: &Report) -> Vec<u8> {
    report.warnings.iter().filter_map(|problem| problem.rule).map(|Rule(rule)| rule).collect()
}

#[test]
fn uds_records_come_first_and_in_the_order_of_priority() {
    let world = TestWorld::new();
    world
        .srv(UDS, &[(20, 0, 8443, "cucm2.example.com"), (10, 0, 8443, "cucm1.example.com.")])
        .srv(CUPLOGIN, &[(0, 0, 8443, "imp1.example.com")]);
    let report = report(&world);
    let expected = vec![target("cucm1.example.com", 8443), target("cucm2.example.com", 8443)];
    assert_eq!(report.outcome, Ok(Found::Cucm(expected)));
    assert_eq!(report.network, "inside");
    let records = report.steps.iter().filter(|step| step.step == "srv");
    let outcomes: Vec<_> = records.map(|step| step.outcome).collect();
    assert_eq!(outcomes, [Outcome::Won, Outcome::Lost, Outcome::Lost]);
    assert_eq!(report.steps.iter().filter(|step| step.outcome == Outcome::Won).count(), 1);
}

#[test]
fn the_three_names_are_asked_at_once() {
    let world = TestWorld::new();
    for name in [UDS, CUPLOGIN, EDGE] {
        world.srv_fault(name, DnsFault::Silence);
    }
    let report = report(&world);
    // One wait of five seconds and not three.
    assert_eq!(world.clock().passed().as_secs(), 5);
    let asked = world.asked();
    let times = [UDS, CUPLOGIN, EDGE].map(|name| {
        let question = format!("SRV {name}");
        asked.iter().filter(|asked| **asked == question).count()
    });
    assert_eq!(times, [1, 1, 1]);
    let problem = problem(report);
    assert_eq!((problem.area, problem.rule), (Area::Dns, None));
    assert!(problem.cause.contains("No name server answered"), "{}", problem.cause);
}

#[test]
fn only_outside_records_mean_the_edge() {
    let world = TestWorld::new();
    world.srv(EDGE, &[(10, 0, 8443, "edge.example.com")]);
    let report = report(&world);
    assert_eq!(report.outcome, Ok(Found::Edge(vec![target("edge.example.com", 8443)])));
    assert_eq!(report.network, "outside");
}

#[test]
fn both_views_at_once_are_told() {
    let world = TestWorld::new();
    world
        .srv(UDS, &[(10, 0, 8443, "cucm1.example.com")])
        .srv(EDGE, &[(10, 0, 8443, "edge.example.com")]);
    let report = report(&world);
    assert!(matches!(report.outcome, Ok(Found::Cucm(_))));
    assert_eq!(rules(&report), [2]);
}

#[test]
fn a_dot_means_that_the_service_is_not_here() {
    let world = TestWorld::new();
    world.srv(UDS, &[(0, 0, 0, "")]).srv(CUPLOGIN, &[(0, 0, 8443, "imp1.example.com")]);
    assert_eq!(report(&world).outcome, Ok(Found::Cup(vec![target("imp1.example.com", 8443)])));
}

#[test]
fn bad_targets_are_told_and_used_as_far_as_they_can_be() {
    let world = TestWorld::new();
    world.srv(
        UDS,
        &[(1, 0, 8443, "192.0.2.1"), (2, 0, 8443, "cucm_1.example.com"), (3, 0, 8443, UDS)],
    );
    let report = report(&world);
    let expected = vec![target("192.0.2.1", 8443), target("cucm_1.example.com", 8443)];
    assert_eq!(report.outcome, Ok(Found::Cucm(expected)));
    assert_eq!(rules(&report), [4, 4, 4]);
}

#[test]
fn a_record_that_names_only_itself_is_the_problem() {
    let world = TestWorld::new();
    world.srv(UDS, &[(1, 0, 8443, UDS)]);
    assert_eq!(problem(report(&world)).rule, Some(Rule(4)));
}

#[test]
fn an_unknown_domain_is_d01() {
    let world = TestWorld::new();
    let report = report(&world);
    assert!(report.steps.iter().all(|step| step.outcome != Outcome::Won));
    let problem = problem(report);
    assert_eq!((problem.rule, problem.area), (Some(Rule(1)), Area::Dns));
}

#[track_caller]
fn check_fault(fault: DnsFault, words: &str) {
    let world = TestWorld::new();
    for name in [UDS, CUPLOGIN, EDGE] {
        world.srv_fault(name, fault.clone());
    }
    let problem = problem(report(&world));
    assert_eq!(problem.area.exit_code(), 10);
    assert_ne!(problem.rule, Some(Rule(1)));
    assert!(problem.cause.contains(words), "{}", problem.cause);
}

#[test]
fn failures_of_the_name_system_are_told_apart_from_absence() {
    check_fault(DnsFault::ServerFailure, "failed while it looked");
    check_fault(DnsFault::Refused, "refuses to answer");
    check_fault(DnsFault::Malformed("cut short".into()), "cut short");
    check_fault(DnsFault::NoServer, "no name server");
}

#[test]
fn one_failed_question_is_told_when_nothing_else_answers() {
    let world = TestWorld::new();
    world.srv_fault(UDS, DnsFault::Malformed("cut short".into()));
    let problem = problem(report(&world));
    assert!(problem.cause.contains("cut short"), "{}", problem.cause);
    assert!(problem.evidence.contains(UDS), "{}", problem.evidence);
}

#[test]
fn one_failed_question_is_a_warning_when_another_answers() {
    let world = TestWorld::new();
    world
        .srv_fault(UDS, DnsFault::ServerFailure)
        .srv("_xmpp-client._tcp.example.com", &[(0, 0, 5222, "chat.example.com")]);
    let report = report(&world);
    assert!(report.outcome.is_ok());
    assert_eq!(report.warnings.len(), 1);
}

fn xmpp(host: &str, port: u16, link: Link) -> XmppServer {
    XmppServer { host: host.into(), port, link }
}

fn sip(host: &str, port: u16, link: Link) -> SipServer {
    SipServer { host: host.into(), port, link }
}

#[test]
fn chat_records_of_both_names_are_mixed() {
    let world = TestWorld::new();
    world
        .srv("_xmpp-client._tcp.example.com", &[(5, 0, 5222, "a.example.com")])
        .srv("_xmpps-client._tcp.example.com", &[(9, 0, 443, "b.example.com")]);
    let expected = Found::Standard {
        xmpp: vec![
            xmpp("a.example.com", 5222, Link::StartTls),
            xmpp("b.example.com", 443, Link::Tls),
        ],
        sip: vec![],
    };
    let report = report(&world);
    assert_eq!(report.outcome, Ok(expected));
    assert_eq!(report.network, "unknown");
}

#[test]
fn call_records_go_from_tls_to_udp() {
    let world = TestWorld::new();
    world
        .srv("_sip._udp.example.com", &[(0, 0, 5060, "pbx.example.com")])
        .srv("_sip._tcp.example.com", &[(0, 0, 5060, "pbx.example.com")])
        .srv("_sips._tcp.example.com", &[(0, 0, 5061, "pbx.example.com")]);
    let expected = vec![
        sip("pbx.example.com", 5061, Link::Tls),
        sip("pbx.example.com", 5060, Link::Tcp),
        sip("pbx.example.com", 5060, Link::Udp),
    ];
    assert_eq!(report(&world).outcome, Ok(Found::Standard { xmpp: vec![], sip: expected }));
}

#[test]
fn the_domain_may_prefer_other_transports() {
    let world = TestWorld::new();
    world
        .naptr(
            "example.com",
            &[
                (20, 0, "SIP+D2T", "_sip._tcp.example.com"),
                (10, 0, "SIP+D2U", "_sip._udp.voice.example.com"),
                (5, 0, "E2U+email", "x.example.com"),
            ],
        )
        .srv("_sip._udp.voice.example.com", &[(0, 0, 5080, "edge.example.com")])
        .srv("_sip._tcp.example.com", &[(0, 0, 5060, "pbx.example.com")])
        .srv("_sips._tcp.example.com", &[(0, 0, 5061, "pbx.example.com")]);
    let expected =
        vec![sip("edge.example.com", 5080, Link::Udp), sip("pbx.example.com", 5060, Link::Tcp)];
    assert_eq!(report(&world).outcome, Ok(Found::Standard { xmpp: vec![], sip: expected }));
}

#[test]
fn the_bare_domain_is_believed_only_when_it_answers() {
    let world = TestWorld::new();
    world.address("example.com", "192.0.2.7");
    assert_eq!(problem(report(&world)).rule, Some(Rule(1)));
    world.reach("example.com:5222", Ok(()));
    let expected =
        Found::Standard { xmpp: vec![xmpp("example.com", 5222, Link::StartTls)], sip: vec![] };
    assert_eq!(report(&world).outcome, Ok(expected));
    world.reach("example.com:5222", Err(Fault::ConnectTimeout));
    assert_eq!(problem(report(&world)).rule, Some(Rule(1)));
}

fn manual(account_type: AccountType, server: &str, sip: &str, xmpp: &str) -> ManualAccount {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ManualAccount {
        account_type,
        server: given(server),
        sip_server: given(sip),
        xmpp_server: given(xmpp),
        ..ManualAccount::default()
    }
}

#[test]
fn manual_settings_outrank_records_and_ask_nobody() {
    let world = TestWorld::new();
    world.srv(UDS, &[(10, 0, 8443, "cucm1.example.com")]);
    let asked = |manual| report_with(&world, manual).outcome;
    assert_eq!(
        asked(manual(AccountType::Cucm, "cucm9:18443", "", "")),
        Ok(Found::Cucm(vec![target("cucm9", 18_443)])),
    );
    assert_eq!(
        asked(manual(AccountType::Cup, "imp9", "", "")),
        Ok(Found::Cup(vec![target("imp9", 8443)])),
    );
    let expected = Found::Standard {
        xmpp: vec![xmpp("chat", 5222, Link::StartTls)],
        sip: vec![sip("pbx", 5061, Link::Tls)],
    };
    assert_eq!(asked(manual(AccountType::Standard, "", "pbx;transport=tls", "chat")), Ok(expected));
    assert!(matches!(asked(manual(AccountType::Webex, "", "", "")), Ok(Found::Webex { .. })));
    assert!(world.asked().is_empty());
}

#[test]
fn a_standard_account_without_servers_asks_for_open_records_only() {
    let world = TestWorld::new();
    world
        .srv(UDS, &[(10, 0, 8443, "cucm1.example.com")])
        .srv("_sip._udp.example.com", &[(0, 0, 5060, "pbx.example.com")]);
    let report = report_with(&world, manual(AccountType::Standard, "", "", ""));
    assert!(matches!(report.outcome, Ok(Found::Standard { .. })));
    assert!(!world.asked().contains(&format!("SRV {UDS}")));
}

#[test]
fn manual_settings_that_are_none_are_the_users_to_mend() {
    let world = TestWorld::new();
    for bad in [
        manual(AccountType::Cucm, "", "", ""),
        manual(AccountType::Cucm, "https://cucm1/", "", ""),
        manual(AccountType::Standard, "", "pbx:70000", ""),
    ] {
        let problem = problem(report_with(&world, bad));
        assert_eq!(problem.who, "you");
    }
}
