//! The client in every deployment the laboratory plays: what it is given, what it finds, and what
//! it is when it has signed in.

use offhook_interop::{Client, Lab, Scratch, Setup};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";
const CAROL: &str = "carol@lab.example";

/// The lab's name server and authority, and its ports in the place of those of the field.
fn setup(lab: &Lab) -> Setup {
    Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        hosts: lab.hosts(),
        ..Setup::default()
    }
}

#[track_caller]
fn expect(session: &Value, authenticator: &str, mode: &str) {
    assert_eq!(session["authenticator"], authenticator, "{session:#}");
    assert_eq!(session["productMode"], mode, "{session:#}");
    assert_eq!(session["via"], "direct", "{session:#}");
}

/// Says something to the robot and waits for its answer.
#[track_caller]
fn chat(client: &Client) {
    let since = client.count();
    client.say(BOB, "are you there?", "delivered");
    client.until_message(BOB, "You said: are you there?", since);
}

/// Calls the robot until it answers.
#[track_caller]
fn call(client: &Client) {
    let since = client.count();
    let id = client.dial("2002");
    client.until_call(&id, "connected", since);
    client.must("call.hangUp", json!({ "id": id }));
    client.until_ended(&id, "hungUp", since);
}

/// What it uses when it is signed in: all that the deployment has.
#[track_caller]
fn use_all(client: &Client, services: &[&str]) {
    for service in services {
        if *service == "im" { chat(client) } else { call(client) }
    }
}

/// Signs in to a deployment of which nothing is known but the address, and uses it.
#[track_caller]
fn by_address(scenario: &str, address: &str, services: &[&str], authenticator: &str, mode: &str) {
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), scenario, &[], "");
    let client = Client::start(scratch.path(), "client", &setup(&lab));
    expect(&client.sign_in(address, "secret", services), authenticator, mode);
    use_all(&client, services);
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
fn unified_presence_of_release_8() {
    by_address("cup8", ALICE, &["im", "phone"], "cup", "full");
}

#[test]
fn the_cloud() {
    by_address("cloud", ALICE, &["im"], "webex", "imOnly");
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

#[test]
fn the_voice_services_domain_from_the_bootstrap_file() {
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), "voice-domain", &[], "");
    let bootstrap = lab.info["bootstrapFile"].as_str().map(Into::into);
    let client = Client::start(scratch.path(), "client", &Setup { bootstrap, ..setup(&lab) });
    expect(&client.sign_in(ALICE, "secret", &["im", "phone"]), "cup", "full");
}

#[test]
fn chat_in_the_cloud_and_the_phone_at_home() {
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), "hybrid", &[], "");
    let bootstrap = lab.info["bootstrapFile"].as_str().map(Into::into);
    let client = Client::start(scratch.path(), "client", &Setup { bootstrap, ..setup(&lab) });
    expect(&client.sign_in(ALICE, "secret", &["im", "phone"]), "webex", "full");
    use_all(&client, &["im", "phone"]);
}

#[test]
fn manual_settings_where_there_are_no_records() {
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), "manual", &[], "");
    let ways = lab.info["manual"].as_array().cloned().unwrap_or_default();
    assert_eq!(ways.len(), 2, "{ways:?}");
    for (name, way) in ["cup", "cucm"].into_iter().zip(ways) {
        let client = Client::start(scratch.path(), name, &setup(&lab));
        assert_eq!(way["accountType"], name, "{way}");
        client.must("session.setManual", way);
        let session = client.sign_in(ALICE, "secret", &["phone"]);
        assert_eq!(session["authenticator"], name, "{session:#}");
        call(&client);
        // Without them there is nothing to find.
        client.must("session.signOut", Value::Null);
        client.until_session("signed out", |it| it["state"] == "signedOut");
        client.must("session.setManual", json!({ "accountType": "automatic" }));
        let error = client.fail_to_sign_in(ALICE, "secret");
        assert!(error["cause"].as_str().unwrap_or_default().contains("no record"), "{error}");
    }
}

#[test]
fn the_servers_of_the_bootstrap_file_where_there_are_no_records() {
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), "manual", &[], "");
    let bootstrap = lab.info["bootstrapFile"].as_str().map(Into::into);
    let client = Client::start(scratch.path(), "client", &Setup { bootstrap, ..setup(&lab) });
    expect(&client.sign_in(ALICE, "secret", &["im", "phone"]), "cup", "full");
}

#[test]
fn a_cloud_that_is_slow_or_a_portal_does_not_keep_us_out() {
    let scratch = Scratch::new();
    for fault in ["cas-slow", "cas-captive-portal"] {
        let lab = Lab::start(scratch.path(), &[fault], "");
        let client = Client::start(scratch.path(), fault, &setup(&lab));
        expect(&client.sign_in(ALICE, "secret", &["im", "phone"]), "cup", "full");
    }
}

#[test]
fn a_wrong_password_is_told_by_every_authenticator() {
    let scratch = Scratch::new();
    for scenario in ["on-prem", "cup8", "cloud", "phone-only"] {
        let lab = Lab::scenario(scratch.path(), scenario, &[], "");
        let client = Client::start(scratch.path(), scenario, &setup(&lab));
        client.begin_sign_in(ALICE, "wrong");
        let told =
            |it: &Value| it["error"]["cause"].as_str().is_some_and(|it| it.contains("password"));
        client.until_session("told that the password is wrong", told);
    }
}
