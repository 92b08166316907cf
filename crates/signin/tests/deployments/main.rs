//! Sign-in with every kind of deployment, by recorded answers.

mod cloud;
mod clusters;
mod files;
mod modes;
mod release_8;

use offhook_model::{Problem, UserAddress};
use offhook_ports::{Found, Target};
use offhook_signin::{Credentials, Grant, Report, Request, sign_in};
use offhook_testkit::{PASSWORD, TestWorld};

pub(crate) fn address() -> UserAddress {
    "alice@example.com".parse().expect("an address")
}

pub(crate) fn credentials(username: &str) -> Credentials {
    Credentials { username: username.into(), password: PASSWORD.into() }
}

pub(crate) fn targets(hosts: &[&str]) -> Vec<Target> {
    hosts.iter().map(|host| Target { host: (*host).into(), port: 8443 }).collect()
}

/// Alice at the nodes that the records name.
pub(crate) fn request() -> Request {
    at(Found::Cucm(targets(&["cucm1.example.com", "cucm2.example.com"])))
}

pub(crate) fn at(found: Found) -> Request {
    Request::new(address(), found, credentials("alice"), 7)
}

pub(crate) fn signed_in(world: &TestWorld, request: &Request) -> Report {
    let ports = world.world();
    let report = world.run(sign_in(&ports, request, &|_| {}));
    let shown = format!("{report:?}{:?}", world.asked());
    for secret in [PASSWORD, "session-0815", "cloud-token-4711", "cred-12", "directory-pw"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
    assert!(report.steps.iter().all(|step| !step.asked.contains('?')), "{:?}", report.steps);
    report
}

pub(crate) fn granted(world: &TestWorld, request: &Request) -> Grant {
    signed_in(world, request).outcome.expect("a grant")
}

pub(crate) fn refused(world: &TestWorld, request: &Request) -> Problem {
    signed_in(world, request).outcome.expect_err("no grant")
}

/// Numbers of the rules, 0 for none.
pub(crate) fn rules(problems: &[Problem]) -> Vec<u8> {
    problems.iter().map(|problem| problem.rule.map_or(0, |rule| rule.0)).collect()
}

/// How often a question was asked whose text contains this.
pub(crate) fn times(world: &TestWorld, part: &str) -> usize {
    world.asked().iter().filter(|asked| asked.contains(part)).count()
}
