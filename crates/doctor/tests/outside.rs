//! An address examined from outside: a healthy edge has no finding, and each thing that can be wrong
//! with one has its rule first, with its owner and exit status.

use std::sync::Arc;

use offhook_discovery::Request;
use offhook_doctor::{Case, Diagnosis, examine};
use offhook_model::{DnsFault, Excluded, Fault, Owner, Preset, Rule, TlsFault, Via};
use offhook_ports::World;
use offhook_signin::Credentials;
use offhook_testkit::{Act, EdgeDouble, PASSWORD, Reply, TestWorld, url};

const ONE: &str = "edge1.example.com";
const TWO: &str = "edge2.example.com";

/// Outside the records of the inner view are not there.
fn outside(edge: &EdgeDouble) -> World {
    let names = TestWorld::new();
    names.srv("_collab-edge._tls.example.com", &[(10, 0, 8443, ONE), (20, 0, 8443, TWO)]);
    for name in ["_cisco-uds._tcp.example.com", "_cuplogin._tcp.example.com"] {
        names.srv_fault(name, DnsFault::NoName);
    }
    for (host, address) in [(ONE, "192.0.2.1"), (TWO, "192.0.2.2")] {
        names.address(host, address);
    }
    for at in [format!("{ONE}:5061"), format!("{TWO}:5061"), format!("{ONE}:5222")] {
        edge.inside().reach(&at, Ok(()));
    }
    World { dns: Arc::new(names), ..edge.world() }
}

fn examined(edge: &EdgeDouble) -> Diagnosis {
    let address = "alice@example.com".parse().expect("an address");
    let excluded = Excluded { webex: true, ..Excluded::default() };
    let preset = Preset { excluded, ..Preset::default() };
    let request = Request { preset, ..Request::new(address, 3) };
    let credentials = Credentials { username: "alice".into(), password: PASSWORD.into() };
    let case = Case {
        request: &request,
        credentials: Some(&credentials),
        layers: &[],
        told: &[],
        seen: &[],
        certified: false,
        registrar: None,
        directory: None,
    };
    let world = outside(edge);
    edge.inside().run(examine(&world, &case, &|_| {}))
}

#[test]
fn a_healthy_edge_has_no_finding() {
    let diagnosis = examined(&EdgeDouble::new());
    assert!(diagnosis.findings.is_empty(), "{:#?}", diagnosis.findings);
    assert_eq!((diagnosis.exit, diagnosis.via), (0, Some(Via::Edge)));
    let steps: Vec<_> = diagnosis.steps.iter().map(|step| step.step.as_str()).collect();
    for step in ["edgeConfig", "homeCluster", "user", "deviceFile", "soapLogin", "xmpp", "sip"] {
        assert!(steps.contains(&step), "{step} is not in {steps:?}");
    }
    let shown = format!("{diagnosis:?}");
    assert!(!shown.contains(PASSWORD) && !shown.contains("X-Auth"));
}

fn check(what: &str, change: impl Fn(&EdgeDouble), exit: u8, rule: u8, owner: Owner) {
    let edge = EdgeDouble::new();
    change(&edge);
    let diagnosis = examined(&edge);
    let first = diagnosis.findings.first().unwrap_or_else(|| panic!("{what}: no finding"));
    assert_eq!((first.rule, first.owner), (Some(Rule(rule)), owner), "{what}: {first:#?}");
    assert_eq!(diagnosis.exit, exit, "{what}: {first:#?}");
}

fn both(edge: &EdgeDouble, act: Act) {
    edge.always(ONE, act.clone()).always(TWO, act);
}

#[test]
fn each_fault_of_an_edge_comes_first_with_its_rule() {
    let name = Fault::Tls(TlsFault::WrongName {
        wanted: "example.com".into(),
        present: vec![ONE.into(), TWO.into()],
    });
    check(
        "no domain in the certificate",
        |e| both(e, Act::Fail(name.clone())),
        30,
        10,
        Owner::Admin,
    );
    check("401", |e| both(e, Act::Status(401)), 40, 13, Owner::User);
    check(
        "401 behind it",
        |e| {
            e.inside()
                .web(url::USER, Reply::status(401, ""))
                .web(url::USER_2, Reply::status(401, ""));
        },
        40,
        13,
        Owner::Admin,
    );
    check("403", |e| both(e, Act::Status(403)), 40, 15, Owner::Admin);
    let host = |e: &EdgeDouble, name: &str, status: u16| {
        e.host(name, Act::Status(status));
    };
    check("403 for the chat node", |e| host(e, "imp1.example.com", 403), 50, 14, Owner::Admin);
    check("403 for all hosts", |e| host(e, "*", 403), 50, 15, Owner::Admin);
    check("502", |e| both(e, Act::Status(502)), 20, 16, Owner::Admin);
    check("502 for all hosts", |e| host(e, "*", 502), 20, 16, Owner::Admin);
    check("refused", |e| both(e, Act::Fail(Fault::PortRefused)), 20, 7, Owner::Network);
    check(
        "one dead edge",
        |e| {
            e.always(ONE, Act::Fail(Fault::ConnectTimeout));
        },
        0,
        6,
        Owner::Admin,
    );
}
