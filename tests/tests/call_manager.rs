//! The call manager's own ways, in the laboratory: two nodes and a gateway that stand in for each
//! other, another client that has the phone, and what the server tells of its own accord.

use offhook_interop::{Cluster, pause};
use serde_json::{Value, json};

/// Short intervals, so that a way back takes seconds.
const NODES: &str = "[sip]\nsecondNode = true\ngateway = true\nkeepAlive = 10\nreturnAfter = 10\n";

#[test]
fn a_call_outlives_its_node_and_the_phone_goes_back_afterwards() {
    let world = Cluster::new(NODES);
    let alice = world.user("alice", 440);
    world.until_at("cucm1", 0);
    let asked = world.lab.until_event("keptAlive", 0);
    assert_eq!(asked["node"], "cucm2", "{asked}");
    let since = alice.count();
    let id = alice.dial("2002");
    alice.until_call(&id, "connected", since);
    let lost = world.tell("kill cucm1");
    world.until_at("cucm2", lost);
    // Sound goes between the two directly, so it goes on.
    let before = alice.played();
    pause(2.0);
    assert!(alice.played() > before, "the robot is still heard");
    let back = world.tell("revive cucm1");
    pause(15.0);
    let moved = |event: &Value| event["type"] == "registered" && event["node"] == "cucm1";
    let early = world.lab.events().into_iter().skip(back).any(|event| moved(&event));
    assert!(!early, "not while a call goes on");
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
    world.until_at("cucm1", back);
    // And it works there.
    let since = alice.count();
    let id = alice.dial("2002");
    alice.until_call(&id, "connected", since);
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
}

#[test]
fn a_gateway_stands_in_for_both_nodes() {
    let world = Cluster::new(NODES);
    let alice = world.user("alice", 440);
    world.until_at("cucm1", 0);
    world.tell("kill cucm2");
    let lost = world.tell("kill cucm1");
    world.until_at("srst1", lost);
    alice.until_phone("a reduced phone", |state| state["reduced"] == true);
    let since = alice.count();
    let id = alice.dial("2002");
    alice.until_call(&id, "connected", since);
    let held = alice.count();
    alice.must("call.hold", json!({ "id": id }));
    alice.until_call(&id, "held", held);
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
    let back = world.tell("revive cucm1");
    world.until_at("cucm1", back);
    alice.until_phone("all features", |state| state["reduced"] == false);
}

#[test]
fn the_server_tells_of_messages_and_of_forwarding() {
    let world = Cluster::new(NODES);
    let alice = world.user("alice", 440);
    world.until_at("cucm1", 0);
    world.tell("mwi alice on");
    alice.until_phone("the lamp", |state| state["messages"]["waiting"] == true);
    world.tell("mwi alice off");
    alice.until_phone("no lamp", |state| state["messages"]["waiting"] == false);
    world.tell("forward alice 2002");
    alice.until_phone("forwarding", |state| state["forward"] == json!({ "to": "2002" }));
    world.tell("forward alice off");
    alice.until_phone("no forwarding", |state| state["forward"].is_null());
}

#[test]
fn a_phone_that_is_elsewhere_is_taken_over_on_request() {
    let world = Cluster::new(NODES);
    let first = world.user("alice", 440);
    world.until_at("cucm1", 0);
    let second = world.client("alice-again", 440);
    second.begin_sign_in("alice@lab.example", "secret");
    let words = "Registration is active for another client";
    second.until_phone("the phone is elsewhere", |state| state["elsewhere"] == words);
    let since = world.lab.count();
    second.must("call.takeOver", Value::Null);
    world.until_at("cucm1", since);
    second.until_phone("the phone is here", |state| state["elsewhere"].is_null());
    drop(first);
}

#[test]
fn forwarding_is_set_by_the_service_of_the_device_file() {
    let world = Cluster::new(NODES);
    let alice = world.user("alice", 440);
    world.until_at("cucm1", 0);
    alice.must("call.forward", json!({ "to": "2002" }));
    alice.until_phone("forwarding", |state| state["forward"] == json!({ "to": "2002" }));
    // The server tells the next registration what it knows.
    let since = world.tell("restart alice");
    world.until_at("cucm1", since);
    alice.until_phone("forwarding still", |state| state["forward"] == json!({ "to": "2002" }));
    alice.must("call.forward", json!({}));
    alice.until_phone("no forwarding", |state| state["forward"].is_null());
}

#[test]
fn a_parked_call_is_taken_back_by_its_number() {
    let world = Cluster::new(NODES);
    let alice = world.user("alice", 440);
    world.until_at("cucm1", 0);
    let since = alice.count();
    let id = alice.dial("2002");
    alice.until_call(&id, "connected", since);
    alice.must("call.park", json!({ "id": id }));
    let parked = alice.until_phone("a parked call", |state| {
        state["parked"].as_array().is_some_and(|parked| !parked.is_empty())
    });
    assert_eq!(parked["parked"][0]["at"], "7001", "{parked:#}");
    let since = alice.count();
    let back = alice.dial("7001");
    alice.until_call(&back, "connected", since);
    let before = alice.played();
    pause(2.0);
    assert!(alice.played() > before, "the robot is heard again");
    alice.must("call.hangUp", json!({ "id": back }));
    alice.until_ended(&back, "hungUp", since);
}

#[test]
fn lines_that_are_watched_show_what_they_do() {
    let world = Cluster::new(NODES);
    let alice = world.user("alice", 440);
    world.until_at("cucm1", 0);
    alice.must("call.watch", json!({ "numbers": ["2002"] }));
    let is = |wanted: &str, state: &Value| state["lines"][0]["state"] == wanted;
    alice.until_phone("the line is free", |state| is("idle", state));
    let since = alice.count();
    let id = alice.dial("2002");
    alice.until_call(&id, "connected", since);
    alice.until_phone("the line is busy", |state| is("busy", state));
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_phone("the line is free again", |state| is("idle", state));
}
