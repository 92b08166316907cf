//! Every wrong thing has a sentence of its own, an owner, a remedy and an exit status.

use std::time::Duration;

use offhook_discovery::Request;
use offhook_doctor::{Case, Diagnosis, examine};
use offhook_model::{
    AccountType, DnsFault, Endpoint, Fault, Link, ManualAccount, Owner, Preset, Rule, Service,
    Severity, TlsFault,
};
use offhook_signin::Credentials;
use offhook_testkit::{PASSWORD, Reply, TOKEN, TestWorld, deployment, reply, url};

fn examined(world: &TestWorld, password: Option<&str>) -> Diagnosis {
    let address = "alice@example.com".parse().expect("an address");
    examined_as(world, password, Request::new(address, 3))
}

fn examined_as(world: &TestWorld, password: Option<&str>, request: Request) -> Diagnosis {
    let credentials = password
        .map(|password| Credentials { username: "alice".into(), password: password.into() });
    let case = Case {
        request: &request,
        credentials: credentials.as_ref(),
        layers: &[],
        told: &[],
        seen: &[],
        certified: false,
        registrar: None,
        directory: None,
    };
    world.run(examine(&world.world(), &case, &|_| {}))
}

/// One wrong thing and what must be said of it.
struct Wrong {
    what: &'static str,
    world: TestWorld,
    exit: u8,
    rule: Option<u8>,
    owner: Owner,
    cause: &'static str,
}

fn broken(what: &'static str, change: impl Fn(&TestWorld)) -> Wrong {
    let world = deployment();
    change(&world);
    Wrong { what, world, exit: 0, rule: None, owner: Owner::User, cause: "" }
}

impl Wrong {
    fn says(mut self, exit: u8, rule: u8, owner: Owner, cause: &'static str) -> Self {
        self.exit = exit;
        self.rule = (rule != 0).then_some(rule);
        self.owner = owner;
        self.cause = cause;
        self
    }
}

/// Both UDS nodes fail alike.
fn uds(world: &TestWorld, reply: Reply) {
    world.web(url::CLUSTER_USER, reply.clone()).web(url::CLUSTER_USER_2, reply);
}

fn uds_tls(world: &TestWorld, fault: TlsFault) {
    uds(world, Reply::fault(Fault::Tls(fault)));
}

fn srv(world: &TestWorld, fault: DnsFault) {
    for name in ["_cisco-uds._tcp", "_cuplogin._tcp", "_collab-edge._tls"] {
        world.srv_fault(&format!("{name}.example.com"), fault.clone());
    }
}

fn chat_fault(world: &TestWorld, fault: Fault) {
    let at = Endpoint {
        service: Service::Xmpp,
        host: "imp1.example.com".into(),
        port: 5222,
        link: Link::StartTls,
    };
    world.xmpp_fault(at, fault);
}

fn wrong_things() -> Vec<Wrong> {
    use Owner::{Admin, Network, Server, User};
    vec![
        broken("unknown domain", |w| srv(w, DnsFault::NoName)).says(
            10,
            1,
            Admin,
            "no record of any service",
        ),
        broken("truncated SRV answer", |w| srv(w, DnsFault::Malformed("it is cut short".into())))
            .says(10, 0, Network, "cannot be read: it is cut short"),
        broken("silent name server", |w| srv(w, DnsFault::Silence)).says(
            10,
            0,
            Network,
            "No name server answered",
        ),
        broken("name server fails", |w| srv(w, DnsFault::ServerFailure)).says(
            10,
            0,
            Admin,
            "failed while it looked",
        ),
        broken("name server refuses", |w| srv(w, DnsFault::Refused)).says(
            10,
            0,
            Network,
            "refuses to answer",
        ),
        broken("target without address", |w| {
            uds(w, Reply::fault(Fault::Dns(DnsFault::NoName)));
            w.address_fault("cucm1.example.com", DnsFault::NoName);
            w.address_fault("cucm2.example.com", DnsFault::NoRecord);
        })
        .says(10, 5, Admin, "has no address"),
        broken("dead server", |w| uds(w, Reply::silence())).says(
            20,
            7,
            Network,
            "does not answer on port 8443",
        ),
        broken("refused port", |w| uds(w, Reply::fault(Fault::PortRefused))).says(
            20,
            7,
            Network,
            "refuses connections on port 8443",
        ),
        broken("no route", |w| uds(w, Reply::fault(Fault::Unreachable("no route".into())))).says(
            20,
            7,
            Network,
            "no way from this computer",
        ),
        broken("silent service", |w| uds(w, Reply::fault(Fault::AnswerTimeout))).says(
            20,
            0,
            Server,
            "then said nothing",
        ),
        broken("self-signed certificate", |w| uds_tls(w, TlsFault::SelfSigned)).says(
            30,
            8,
            Admin,
            "signed itself",
        ),
        broken("unknown authority", |w| uds_tls(w, TlsFault::UnknownIssuer)).says(
            30,
            8,
            Admin,
            "an authority that this computer does not know",
        ),
        broken("expired certificate", |w| uds_tls(w, TlsFault::Expired(Some("2025-01-31".into()))))
            .says(30, 12, Admin, "has expired (2025-01-31)"),
        broken("certificate of the future", |w| uds_tls(w, TlsFault::NotYetValid(None))).says(
            30,
            12,
            Admin,
            "not valid yet",
        ),
        broken("wrong name in certificate", |w| {
            uds_tls(
                w,
                TlsFault::WrongName {
                    wanted: "cucm1.example.com".into(),
                    present: vec!["other.example.com".into()],
                },
            );
        })
        .says(30, 9, Admin, "is for other.example.com, not for cucm1.example.com"),
        broken("wrong password", |w| {
            w.web(url::USER, Reply::status(401, reply::PAGE));
        })
        .says(40, 0, User, "did not accept the user name and password"),
        broken("unknown user", |w| uds(w, Reply::ok(reply::STRANGER))).says(
            50,
            0,
            User,
            "does not know the user alice",
        ),
        broken("HTML where XML was expected", |w| uds(w, Reply::ok(reply::PAGE))).says(
            50,
            0,
            Network,
            "a web page where the user data service",
        ),
        broken("captive portal redirect", |w| uds(w, Reply::status(302, ""))).says(
            50,
            0,
            Network,
            "a web page where the user data service",
        ),
        broken("10 MB answer", |w| uds(w, Reply::ok(vec![b'x'; 10 << 20]))).says(
            50,
            0,
            Admin,
            "more than 1024 KB",
        ),
        broken("nonsense", |w| uds(w, Reply::ok("{\"json\": true}"))).says(
            50,
            0,
            Admin,
            "cannot be used",
        ),
        broken("entity bomb", |w| {
            uds(w, Reply::ok("<!DOCTYPE a [<!ENTITY x 'x'>]><clusterUser>&x;</clusterUser>"));
        })
        .says(50, 0, Admin, "declares a document type"),
        broken("no phone file", |w| {
            w.web(url::DEVICE_FILE, Reply::status(404, ""));
        })
        .says(50, 27, Admin, "no configuration file for this phone"),
        broken("HTML service profile", |w| {
            w.web(url::PROFILE, Reply::ok(reply::PAGE));
        })
        .says(50, 0, Network, "a web page where the service profile file"),
        broken("file server refuses", |w| {
            w.web(url::PROFILE, Reply::fault(Fault::PortRefused));
        })
        .says(20, 7, Network, "port 6970"),
        broken("chat refuses the session", |w| {
            w.web_containing(url::SOAP, "<login ", Reply::ok(reply::SOAP_REFUSED));
        })
        .says(40, 0, Admin, "although the password is right"),
        broken("chat certificate", |w| {
            chat_fault(
                w,
                Fault::Tls(TlsFault::WrongName {
                    wanted: "chat.example.com".into(),
                    present: vec!["imp1.example.com".into()],
                }),
            );
        })
        .says(30, 11, Admin, "is for imp1.example.com, not for chat.example.com"),
        broken("chat mechanisms", |w| chat_fault(w, Fault::NoMechanism(vec!["X-OLD".into()])))
            .says(40, 20, Admin, "no way of authentication in common"),
        broken("call servers down", |w| {
            w.reach("cucm1.example.com:5060", Err(Fault::PortRefused));
            w.reach("cucm2.example.com:5060", Err(Fault::ConnectTimeout));
        })
        .says(20, 7, Network, "refuses connections on port 5060"),
        broken("edge that refuses", |w| {
            srv(w, DnsFault::NoName);
            w.srv("_collab-edge._tls.example.com", &[(1, 0, 8443, "edge.example.com")]);
            w.address("edge.example.com", "192.0.2.6");
        })
        .says(20, 7, Network, "the edge server is not running there"),
    ]
}

#[test]
fn every_wrong_thing_is_told_with_owner_and_remedy() {
    for wrong in wrong_things() {
        let diagnosis = examined(&wrong.world, Some(PASSWORD));
        let what = wrong.what;
        let first = diagnosis.findings.first().unwrap_or_else(|| panic!("{what}: no finding"));
        assert!(first.cause.contains(wrong.cause), "{what}: {}", first.cause);
        assert_eq!(diagnosis.exit, wrong.exit, "{what}");
        assert_eq!(first.rule, wrong.rule.map(Rule), "{what}");
        assert_eq!((first.owner, first.severity), (wrong.owner, Severity::Blocking), "{what}");
        for text in [&first.cause, &first.remedy] {
            assert!(text.ends_with('.') && text.len() > 20, "{what}: {text}");
        }
        assert!(!first.who.is_empty() && !diagnosis.steps.is_empty(), "{what}");
    }
}

#[test]
fn an_examination_may_move_between_threads() {
    fn check<T: Send>(_: T) {}
    let address = "alice@example.com".parse().expect("an address");
    let request = Request::new(address, 3);
    let case = Case {
        request: &request,
        credentials: None,
        layers: &[],
        told: &[],
        seen: &[],
        certified: false,
        registrar: None,
        directory: None,
    };
    check(examine(&TestWorld::new().world(), &case, &|_| {}));
}

#[test]
fn no_two_wrong_things_share_a_sentence() {
    let mut causes: Vec<String> = wrong_things()
        .iter()
        .filter(|wrong| wrong.what != "captive portal redirect")
        .map(|wrong| examined(&wrong.world, Some(PASSWORD)).findings[0].cause.clone())
        .collect();
    let all = causes.len();
    causes.sort();
    causes.dedup();
    assert_eq!(causes.len(), all);
}

#[test]
fn no_secret_is_told_whatever_goes_wrong() {
    let healthy = broken("nothing", |_| {});
    for wrong in wrong_things().into_iter().chain([healthy]) {
        let diagnosis = examined(&wrong.world, Some(PASSWORD));
        let json = serde_json::to_string(&diagnosis).expect("serialisable");
        let all = format!("{diagnosis:?}{json}{}", diagnosis.text());
        for secret in [PASSWORD, "pa&lt;ss", "pa<ss", TOKEN, "session-0815"] {
            assert!(!all.contains(secret), "{}: {secret}", wrong.what);
        }
    }
}

#[test]
fn a_healthy_deployment_has_no_findings() {
    let diagnosis = examined(&deployment(), Some(PASSWORD));
    assert_eq!((diagnosis.findings.len(), diagnosis.exit), (0, 0));
    let json = serde_json::to_value(&diagnosis).expect("serialisable");
    for (key, value) in [
        ("address", "alice@example.com"),
        ("servicesDomain", "example.com"),
        ("voiceServicesDomain", "example.com"),
        ("network", "inside"),
        ("authenticator", "cup"),
        ("via", "direct"),
        ("productMode", "full"),
    ] {
        assert_eq!(json[key], value, "{key}");
    }
    assert_eq!(json["exit"], 0);
    let steps = json["steps"].as_array().cloned().unwrap_or_default();
    let step = steps.iter().find(|step| step["step"] == "srv").expect("an SRV question");
    for key in ["step", "asked", "of", "answer", "ms", "outcome", "why"] {
        assert!(!step[key].is_null(), "{key} in {step}");
    }
    assert_eq!(step["outcome"], "won");
    assert!(diagnosis.text().contains("Everything that was asked is well."));
}

#[test]
fn a_finding_is_written_as_the_contract_says() {
    let world = deployment();
    uds(&world, Reply::fault(Fault::PortRefused));
    let json = serde_json::to_value(examined(&world, Some(PASSWORD))).expect("serialisable");
    let finding = &json["findings"][0];
    for (key, value) in [
        ("rule", "D07"),
        ("severity", "blocking"),
        ("owner", "network"),
        ("who", "network administrator"),
    ] {
        assert_eq!(finding[key], value, "{key}");
    }
    assert!(finding["evidence"].as_str().is_some_and(|text| text.contains("8443")));
}

#[test]
fn a_dead_first_server_is_a_warning_and_sign_in_proceeds() {
    let world = deployment();
    world.web(url::CLUSTER_USER, Reply::silence());
    let diagnosis = examined(&world, Some(PASSWORD));
    let found: Vec<_> = diagnosis.findings.iter().map(|it| (it.rule, it.severity)).collect();
    assert_eq!(found, [(Some(Rule(6)), Severity::Warning)]);
    assert_eq!(diagnosis.exit, 0);
    assert!(diagnosis.steps.iter().any(|step| Duration::from_millis(step.ms).as_secs() == 12));
}

#[test]
fn a_bad_target_outranks_the_port_behind_it() {
    let world = deployment();
    world.srv("_cisco-uds._tcp.example.com", &[(0, 0, 8443, "192.0.2.9")]);
    let diagnosis = examined(&world, Some(PASSWORD));
    let rules: Vec<_> = diagnosis.findings.iter().map(|it| it.rule).collect();
    assert_eq!(rules, [Some(Rule(4)), Some(Rule(7))]);
    assert_eq!(diagnosis.exit, 10);
}

#[test]
fn no_phone_is_a_warning_while_chat_works() {
    let world = deployment();
    world.web(url::DEVICES, Reply::ok(reply::NO_DEVICES));
    let diagnosis = examined(&world, Some(PASSWORD));
    assert_eq!(diagnosis.findings.first().and_then(|it| it.rule), Some(Rule(18)));
    assert_eq!(diagnosis.exit, 0);
}

#[test]
fn without_a_password_only_the_way_is_examined() {
    let world = deployment();
    let diagnosis = examined(&world, None);
    let severities: Vec<_> = diagnosis.findings.iter().map(|it| it.severity).collect();
    assert_eq!((severities.as_slice(), diagnosis.exit), ([Severity::Note].as_slice(), 0));
    let cloud = |asked: &str| asked.contains("//loginp.webexconnect.com/");
    assert!(world.asked().iter().all(|asked| !asked.starts_with("GET") || cloud(asked)));
    world.reach("cucm1.example.com:8443", Err(Fault::ConnectTimeout));
    assert_eq!(examined(&world, None).exit, 0);
    world.reach("cucm2.example.com:8443", Err(Fault::Tls(TlsFault::SelfSigned)));
    assert_eq!(examined(&world, None).exit, 20);
}

#[test]
fn a_standard_account_is_checked_by_its_servers() {
    let world = TestWorld::new();
    world
        .srv("_xmpp-client._tcp.example.com", &[(0, 0, 5222, "chat.example.com")])
        .srv("_sip._udp.example.com", &[(0, 0, 5060, "pbx.example.com")])
        .address("chat.example.com", "192.0.2.4")
        .address("pbx.example.com", "192.0.2.5")
        .reach("pbx.example.com:5060", Ok(()));
    assert_eq!(examined(&world, Some(PASSWORD)).exit, 0);
    chat_fault(&world, Fault::BadCredentials);
    let diagnosis = examined(&world, Some(PASSWORD));
    assert_eq!(diagnosis.exit, 40);
    assert_eq!(diagnosis.findings.len(), 1);
}

#[test]
fn the_text_shows_every_finding_with_its_remedy() {
    let world = deployment();
    uds(&world, Reply::fault(Fault::PortRefused));
    let diagnosis = examined(&world, Some(PASSWORD));
    let text = diagnosis.text();
    for finding in &diagnosis.findings {
        for part in [&finding.cause, &finding.who, &finding.remedy] {
            assert!(text.contains(part.as_str()), "{part}");
        }
    }
    assert!(text.contains("exit status 20"));
}

#[test]
fn manual_settings_that_overrule_the_records_are_told() {
    let world = deployment();
    let examine = |account_type| {
        let server = Some("cucm1.example.com".to_owned());
        let manual = ManualAccount { account_type, server, ..ManualAccount::default() };
        let address = "alice@example.com".parse().expect("an address");
        let request = Request { manual, ..Request::new(address, 3) };
        let diagnosis = examined_as(&world, Some(PASSWORD), request);
        diagnosis.findings.iter().any(|it| it.rule == Some(Rule(22)))
    };
    assert!(!examine(AccountType::Cucm));
    assert!(examine(AccountType::Webex));
}

#[test]
fn the_domain_of_the_srv_questions_is_told() {
    let world = deployment();
    let preset =
        Preset { voice_services_domain: Some("voice.example.com".into()), ..Preset::default() };
    let address = "alice@example.com".parse().expect("an address");
    let diagnosis = examined_as(&world, None, Request { preset, ..Request::new(address, 3) });
    assert_eq!(diagnosis.services_domain, "example.com");
    assert_eq!(diagnosis.voice_services_domain, "voice.example.com");
}
