//! A machine whose only network is its loopback is a network like any other.

use std::process::Command;

use offhook_interop::{Client, Lab, Scratch, Setup, in_namespace, pause};
use serde_json::json;

#[test]
fn a_machine_with_nothing_but_a_loopback_signs_in_chats_and_calls() {
    let name = "a_machine_with_nothing_but_a_loopback_signs_in_chats_and_calls";
    in_namespace(name, "a machine with nothing but a loopback", inside);
}

fn inside() {
    let output = Command::new("ip").args(["-oneline", "addr"]).output().expect("ip runs");
    let addresses = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(addresses.contains("127.0.0.1"), "there is no loopback: {addresses}");
    assert!(addresses.lines().all(|line| line.contains(" lo ")), "{addresses}");

    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let setup = Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    };
    let alice = Client::start(scratch.path(), "alice", &setup);
    alice.sign_in("alice@lab.example", "secret", &["im", "phone"]);
    let since = alice.count();
    alice.say("bob@lab.example", "alone?", "delivered");
    alice.until_message("bob@lab.example", "You said: alone?", since);
    let played = alice.played();
    let id = alice.dial("2002");
    alice.until_call(&id, "connected", since);
    pause(2.5);
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
    alice.expect_heard(played, 1_000.0, -12.0, 1.0);
}
