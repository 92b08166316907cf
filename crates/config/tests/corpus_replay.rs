//! Every reader bears its corpus and mutations of it: no panic, and the invariants hold.

use std::path::Path;

use offhook_config::fuzzing;
use offhook_testkit::corpus::replay;

#[track_caller]
fn check(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    assert!(replay(&folder, 2000, 0x0ff_400c, run) > 0);
}

#[test]
fn xml() {
    check("xml", fuzzing::xml);
}

#[test]
fn uds() {
    check("uds", fuzzing::uds);
}

#[test]
fn cas() {
    check("cas", fuzzing::cas);
}

#[test]
fn service_profile() {
    check("service_profile", fuzzing::service_profile);
}

#[test]
fn device_file() {
    check("device_file", fuzzing::device_file);
}

#[test]
fn dial_rules() {
    check("dial_rules", fuzzing::dial_rules);
}

#[test]
fn soap() {
    check("soap", fuzzing::soap);
}

#[test]
fn url() {
    check("url", fuzzing::url);
}

#[test]
fn edge() {
    check("edge", fuzzing::edge);
}

#[test]
fn bootstrap() {
    check("bootstrap", fuzzing::bootstrap);
}

#[test]
fn provision_url() {
    check("provision_url", fuzzing::provision_url);
}

#[test]
fn client_config() {
    check("client_config", fuzzing::client_config);
}

#[test]
fn ccmcip() {
    check("ccmcip", fuzzing::ccmcip);
}

#[test]
fn webex() {
    check("web_dialer", fuzzing::web_dialer);
    check("webex", fuzzing::webex);
}
