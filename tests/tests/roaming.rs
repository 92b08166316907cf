//! Out of the office and back, on a machine whose network really changes: a namespace with a cable.

use std::process::Command;

use offhook_interop::{Client, Lab, Scratch, Setup, in_namespace, until};
use serde_json::{Value, json};

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

#[test]
fn a_call_goes_on_in_another_network_and_back() {
    let name = "a_call_goes_on_in_another_network_and_back";
    in_namespace(name, "a call in another network", under_a_call);
}

/// A network of ours: our address with its prefix, and how the call manager is reached from there.
const NETWORKS: [(&str, Option<&str>); 2] = [
    ("203.0.113.10/24", None),
    ("198.51.100.20/24", Some("route replace 203.0.113.0/24 dev cable")),
];

/// The laboratory is at the other end of a cable, whose near end changes its network under a call.
fn under_a_call() {
    for words in ["link add cable type veth peer name end", "link set cable up"] {
        ip(words);
    }
    ip(&format!("addr add {} dev cable", NETWORKS[0].0));
    let scratch = Scratch::new();
    let config = "bind = \"203.0.113.1\"\n[[robots]]\nname = \"bob\"\nnumber = \"2002\"\n\
                  mode = \"tone\"\ntoneHz = 1000.0\ntoneMs = 6000000\nmaxSeconds = 6000\n\
                  [[users]]\nname = \"alice\"\nnumber = \"2001\"\n";
    let there = [
        "link set lo up",
        "link set end up",
        "addr add 203.0.113.1/24 dev end",
        "route add 198.51.100.0/24 dev end",
    ];
    let lab = Lab::beyond(scratch.path(), config, "end", &there);
    let setup = Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    };
    let alice = Client::start(scratch.path(), "alice", &setup);
    alice.sign_in("alice@lab.example", "secret", &["im", "phone"]);
    let since = alice.count();
    let id = alice.dial("2002");
    alice.until_call(&id, "connected", since);
    // What is in buffers and files yet is left out.
    let bob_is_heard = || alice.expect_heard(alice.played() + 2.0, 1_000.0, -12.0, 1.0);
    bob_is_heard();
    for (at, before) in [(1, 0), (0, 1)] {
        let events = lab.count();
        let (now, way) = NETWORKS[at];
        ip(&format!("addr add {now} dev cable"));
        ip(&format!("addr del {} dev cable", NETWORKS[before].0));
        way.into_iter().for_each(ip);
        lab.until_event("registered", events);
        bob_is_heard();
        // And bob hears us: what we send comes from the new address.
        let sent = || alice.stream(&id, "send")["packets"].as_u64().unwrap_or_default();
        let packets = sent();
        until("we go on to send", 30, || (sent() > packets + 50).then_some(()));
        assert_eq!(alice.call(&id)["state"], "connected");
    }
    let before = lab.count();
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
    let end = lab.until_event("robotCallEnded", before);
    assert_eq!(end["cause"], "remoteHungUp", "{end}");
    assert!((end["toneHz"].as_f64().unwrap_or(0.0) - 440.0).abs() < 10.0, "{end}");
    // All but what was under way while the network changed: he heard us in both of them.
    let (heard, lost) = (end["packetsReceived"].as_u64(), end["lost"].as_u64());
    let sent = end["seconds"].as_f64().unwrap_or_default() * 50.0;
    assert!(heard.is_some_and(|heard| heard as f64 > sent / 2.0), "{end} {lost:?}");
}
