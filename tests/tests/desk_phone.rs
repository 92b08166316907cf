//! Calls made with the phone on the desk, by WebDialer of the laboratory, in the same view as calls
//! of this computer.

use offhook_interop::Cluster;
use serde_json::{Value, json};

const CONFIG: &str = "\
[[users]]\nname = \"alice\"\nnumber = \"2001\"\nfirstName = \"Alice\"\nlastName = \"Adams\"\n\
[[users]]\nname = \"carol\"\nnumber = \"2003\"\nfirstName = \"Carol\"\nlastName = \"Clark\"\n\
[sip]\ndeskPhones = true\n";

fn world(more: &str) -> Cluster {
    Cluster::new(&format!("{CONFIG}{more}"))
}

/// The name of alice's phone on the desk.
#[track_caller]
fn desk(alice: &offhook_interop::Client) -> String {
    let state = alice.must("phone.state", Value::Null);
    let phones = state["deskPhones"].as_array().cloned().unwrap_or_default();
    assert_eq!(phones.len(), 1, "{state:#}");
    assert_eq!(phones[0]["model"], "Cisco 8845");
    phones[0]["device"].as_str().expect("a name").to_owned()
}

#[test]
fn the_phone_on_the_desk_calls_and_is_ended_from_here() {
    let world = world("");
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let device = desk(&alice);
    alice.must("call.with", json!({ "device": device }));
    let (since, theirs) = (alice.count(), carol.count());
    let id = alice.dial("2003");
    let rings = carol.until_called(theirs);
    alice.until_call(&id, "ringing", since);
    let call = alice.call(&id);
    assert_eq!((&call["desk"], &call["remote"]), (&json!(device), &json!("2003")));
    carol.must("call.answer", json!({ "id": rings }));
    carol.until_call(&rings, "connected", theirs);
    carol.until_call_is("the caller is alice", &rings, |call| call["name"] == "Alice Adams");
    // The sound is at the desk.
    let at = carol.played();
    offhook_interop::pause(2.0);
    carol.expect_heard(at, 700.0, -10.0, 1.0);
    // What only the phone itself can do is refused in words.
    for (method, params) in [
        ("call.hold", json!({ "id": id })),
        ("call.mute", json!({ "id": id })),
        ("call.dtmf", json!({ "id": id, "digits": "1" })),
        ("call.transfer", json!({ "id": id, "to": "2003" })),
    ] {
        let (code, answer) = alice.ctl(method, params);
        assert_ne!(code, 0, "{method}");
        assert!(answer.to_string().contains("not public"), "{method}: {answer}");
    }
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
    carol.until_ended(&rings, "remoteHungUp", theirs);
    // And back to this computer.
    alice.must("call.with", json!({}));
    let (here, _) = alice.connect_to("2003", &carol);
    assert!(alice.call(&here)["desk"].is_null());
    alice.must("call.hangUp", json!({ "id": here }));
}

#[test]
fn the_line_tells_when_a_call_at_the_desk_is_over() {
    let world = world("");
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    alice.must("call.with", json!({ "device": desk(&alice) }));
    let (since, theirs) = (alice.count(), carol.count());
    let id = alice.dial("2003");
    let rings = carol.until_called(theirs);
    carol.must("call.answer", json!({ "id": rings }));
    carol.until_call(&rings, "connected", theirs);
    offhook_interop::pause(1.0);
    carol.must("call.hangUp", json!({ "id": rings }));
    alice.until_ended(&id, "hungUp", since);
    // Of the watching nothing is left to be seen.
    assert_eq!(alice.must("phone.state", Value::Null)["lines"], json!([]));
}

#[test]
fn a_service_that_is_off_or_refuses_is_named() {
    let off = world("webDialer = false\n");
    let alice = off.user("alice", 440);
    alice.must("call.with", json!({ "device": desk(&alice) }));
    let state = alice.until_phone("a word about it", |state| !state["trouble"].is_null());
    let cause = state["trouble"]["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("WebDialer is not running"), "{cause}");
    assert!(state["desk"].is_null(), "calls are made here: {state}");
    let (code, answer) = alice.ctl("call.with", json!({ "device": "SEPNOBODY" }));
    assert_ne!(code, 0, "{answer}");
    drop(alice);
    drop(off);
    // The phone is unplugged: the service says that it failed.
    let unplugged = Cluster::new(&CONFIG.replace("deskPhones = true", "secondNode = true"));
    let alice = unplugged.user("alice", 440);
    alice.must("call.with", json!({ "device": desk(&alice) }));
    let since = alice.count();
    let id = alice.dial("2003");
    alice.until_ended(&id, "failed", since);
    let problem = alice.call(&id)["end"]["problem"].clone();
    let cause = problem["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("refused") && cause.contains("(1)"), "{problem}");
    let (code, answer) = alice.ctl("call.dial", json!({ "to": "carol@lab.example" }));
    assert_ne!(code, 0, "addresses cannot be dialled at the desk: {answer}");
}
