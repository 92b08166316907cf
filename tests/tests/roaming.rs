//! Out of the office and back, on a machine whose network really changes: a namespace with a cable.

use std::process::Command;

use offhook_interop::{Client, Lab, Scratch, Setup, have, namespace, until};
use serde_json::Value;

const INSIDE: &str = "OFFHOOK_TEST_INSIDE_NAMESPACE";
const NAME: &str = "a_session_moves_to_the_edge_and_back_with_its_messages";
const BOB: &str = "bob@lab.example";

/// Runs itself again in a network namespace of its own, and there does what it says.
#[test]
fn a_session_moves_to_the_edge_and_back_with_its_messages() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    if !have("a session that moves to the edge and back", &["unshare"]) {
        return;
    }
    let words = namespace().expect("a namespace");
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(std::env::current_exe().expect("a test has a path"));
    let output = command.args([NAME, "--exact", "--nocapture"]).env(INSIDE, "1").output();
    let output = output.expect("the test runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{errors}");
}

fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status().expect("ip runs");
    assert!(status.success(), "ip {words}");
}

/// Waits until both services work this way.
#[track_caller]
fn until_via(client: &Client, via: &str) -> Value {
    client.until_session(&format!("up by way of {via}"), |session| {
        session["state"] == "signedIn"
            && session["via"] == via
            && ["im", "phone"].iter().all(|name| session["services"][*name]["state"] == "ready")
    })
}

fn inside() {
    for words in [
        "link add cable type veth peer name end",
        "link set end up",
        "link set cable up",
        "addr add 192.0.2.10/24 dev cable",
    ] {
        ip(words);
    }
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), "edge-roaming", &[], "");
    let setup = Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    };
    let alice = Client::start(scratch.path(), "alice", &setup);
    alice.sign_in("alice@lab.example", "secret", &["im", "phone"]);
    until_via(&alice, "direct");

    for (view, via, from, to) in [
        ("outside", "edge", "192.0.2.10/24", "198.51.100.20/24"),
        ("inside", "direct", "198.51.100.20/24", "192.0.2.10/24"),
    ] {
        let (since, events) = (alice.count(), lab.count());
        lab.view(view);
        ip(&format!("addr add {to} dev cable"));
        ip(&format!("addr del {from} dev cable"));
        // Written while the ground moves: sent once, whichever way.
        let text = format!("on the way {view}");
        alice.must("chat.send", serde_json::json!({ "to": BOB, "body": text }));
        until_via(&alice, via);
        alice.until_message(BOB, &format!("You said: {text}"), since);
        until("the phone registered anew", 30, || {
            let mut after = lab.events().into_iter().skip(events);
            after.find(|it| it["type"] == "registered" && it["byEdge"] == (via == "edge"))
        });
        let answers = alice.events().into_iter().skip(since);
        let again = answers.filter(|it| it["body"] == format!("You said: {text}")).count();
        assert_eq!(again, 1, "the message came more than once");
    }
}
