//! Out of the office and back, on a machine whose network really changes: a namespace with a cable.

use std::process::Command;

use offhook_interop::{Client, Lab, Scratch, Setup, in_namespace, until};
use serde_json::Value;

const BOB: &str = "bob@lab.example";

#[test]
fn a_session_moves_to_the_edge_and_back_with_its_messages() {
    let name = "a_session_moves_to_the_edge_and_back_with_its_messages";
    in_namespace(name, "a session that moves to the edge and back", inside);
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
