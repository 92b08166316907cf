//! The client in every deployment the laboratory plays: what it is given, what it finds, and what
//! it is when it has signed in.

use offhook_interop::{Client, Lab, Scratch, Setup};
use serde_json::Value;

const ALICE: &str = "alice@lab.example";
const CAROL: &str = "carol@lab.example";

/// The lab's name server and authority.
fn setup(lab: &Lab) -> Setup {
    Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    }
}

#[track_caller]
fn expect(session: &Value, authenticator: &str, mode: &str) {
    assert_eq!(session["authenticator"], authenticator, "{session:#}");
    assert_eq!(session["productMode"], mode, "{session:#}");
    assert_eq!(session["via"], "direct", "{session:#}");
}

/// Signs in to a deployment of which nothing is known but the address.
#[track_caller]
fn by_address(scenario: &str, address: &str, services: &[&str], authenticator: &str, mode: &str) {
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), scenario, &[], "");
    let client = Client::start(scratch.path(), "client", &setup(&lab));
    expect(&client.sign_in(address, "secret", services), authenticator, mode);
}

#[test]
fn on_prem_without_hints() {
    by_address("on-prem", ALICE, &["im", "phone"], "cup", "full");
}

#[test]
fn chat_only() {
    by_address("im-only", ALICE, &["im"], "cup", "imOnly");
}

#[test]
fn phone_only() {
    by_address("phone-only", ALICE, &["phone"], "cucm", "phoneOnly");
}

#[test]
fn the_pinpoint_zone() {
    by_address("pinpoint", ALICE, &["im", "phone"], "cup", "full");
}

#[test]
fn users_of_either_cluster() {
    by_address("multi-cluster", ALICE, &["im", "phone"], "cup", "full");
    by_address("multi-cluster", CAROL, &["im", "phone"], "cup", "full");
}

#[test]
fn the_other_node_takes_over() {
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), "multi-cluster", &["home-node-busy"], "");
    let client = Client::start(scratch.path(), "client", &setup(&lab));
    expect(&client.sign_in(CAROL, "secret", &["im", "phone"]), "cup", "full");
}
