//! What was found the last time decides, as it would for a sign-in, and is given up as a sign-in would
//! give it up.

use offhook_discovery::Request;
use offhook_doctor::{Case, Diagnosis, examine};
use offhook_model::{Fault, Rule, Severity, Timestamp};
use offhook_ports::{Found, Remembered, Target};
use offhook_signin::Credentials;
use offhook_testkit::{PASSWORD, Reply, TestWorld, deployment, url};

fn examined(world: &TestWorld, password: &str, host: &str) -> Diagnosis {
    let remembered = Remembered {
        domain: "example.com".into(),
        voice_domain: "example.com".into(),
        found: Found::Cucm(vec![Target { host: host.into(), port: 8443 }]),
        at: Timestamp(0),
        network: None,
    };
    let address = "alice@example.com".parse().expect("an address");
    let request = Request { remembered: Some(remembered), ..Request::new(address, 3) };
    let credentials = Credentials { username: "alice".into(), password: password.into() };
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
    world.run(examine(&world.world(), &case, &|_| {}))
}

#[test]
fn servers_that_moved_are_looked_for_anew() {
    let world = deployment();
    world.address("old.example.com", "192.0.2.9");
    let diagnosis = examined(&world, PASSWORD, "old.example.com");
    assert_eq!((diagnosis.findings.len(), diagnosis.exit), (0, 0), "{diagnosis:#?}");
}

#[test]
fn a_name_system_that_would_lead_nowhere_is_told_although_nobody_asks_it() {
    let world = deployment();
    world.srv("_cisco-uds._tcp.example.com", &[(0, 0, 8443, "192.0.2.9")]);
    let diagnosis = examined(&world, PASSWORD, "cucm1.example.com");
    let found: Vec<_> = diagnosis.findings.iter().map(|it| (it.rule, it.severity)).collect();
    assert_eq!(
        (found.as_slice(), diagnosis.exit),
        ([(Some(Rule(4)), Severity::Warning)].as_slice(), 0)
    );
}

#[test]
fn what_fails_anew_as_well_is_the_finding() {
    let world = deployment();
    world.web(url::CLUSTER_USER, Reply::fault(Fault::PortRefused));
    world.web(url::CLUSTER_USER_2, Reply::fault(Fault::PortRefused));
    let diagnosis = examined(&world, PASSWORD, "cucm1.example.com");
    assert_eq!((diagnosis.findings[0].rule, diagnosis.exit), (Some(Rule(7)), 20));
}
