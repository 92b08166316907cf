//! Calls through an edge from end to end: sign-in from outside, the phone by TLS and the edge's
//! routes, sound as SRTP to the edge and in clear behind it.

use offhook_interop::{Client, Lab, Scratch, Setup, pause};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";

fn outside(scratch: &Scratch, config: &str) -> (Lab, Client) {
    let lab = Lab::scenario(scratch.path(), "edge", &[], config);
    let setup = Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    };
    let alice = Client::start(scratch.path(), "alice", &setup);
    let session = alice.sign_in(ALICE, "secret", &["im", "phone"]);
    assert_eq!(session["via"], "edge", "{session:#}");
    (lab, alice)
}

/// The call's sound is encrypted as far as the edge. The padlock weighs the whole way: behind the edge
/// the sound is clear, which the call manager says in Call-Info.
#[track_caller]
fn expect_encrypted(client: &Client, id: &str) {
    let call = client.call(id);
    assert_eq!(call["security"], "signalling", "{call:#}");
    for direction in ["send", "receive"] {
        let stream = client.stream(id, direction);
        assert!(stream["srtp"].as_str().is_some_and(|it| it.contains("AES")), "{stream:#}");
    }
}

/// Sound went through the edge, and the robot heard our 440 Hz.
#[track_caller]
fn expect_passed(lab: &Lab, since: usize) -> Value {
    let passed = lab.until_event("passedEdge", since);
    for way in ["inwards", "outwards"] {
        assert!(passed[way].as_u64().is_some_and(|packets| packets > 50), "{passed}");
    }
    let end = lab.until_event("robotCallEnded", since);
    assert!((end["toneHz"].as_f64().unwrap_or(0.0) - 440.0).abs() < 10.0, "{end}");
    end
}

#[test]
fn the_robot_is_called_from_outside_held_and_taken_back() {
    let scratch = Scratch::new();
    let (lab, alice) = outside(&scratch, "");
    let (since, before, played) = (alice.count(), lab.count(), alice.played());
    let id = alice.dial("2002");
    alice.until_call(&id, "connected", since);
    pause(2.5);
    alice.expect_heard(played, 1_000.0, -12.0, 1.5);
    expect_encrypted(&alice, &id);
    alice.must("call.dtmf", json!({ "id": id, "digits": "42#" }));
    pause(1.5);
    let held = alice.count();
    alice.must("call.hold", json!({ "id": id }));
    alice.until_call(&id, "held", held);
    let resumed = alice.count();
    alice.must("call.resume", json!({ "id": id }));
    alice.until_call(&id, "connected", resumed);
    pause(2.0);
    expect_encrypted(&alice, &id);
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
    let end = expect_passed(&lab, before);
    assert_eq!(end["digits"], "42#", "{end}");
}

#[test]
fn the_robot_calls_outside_and_hangs_up() {
    let scratch = Scratch::new();
    let robot = "[[robots]]\nname = \"bob\"\nnumber = \"2002\"\nmaxSeconds = 5\n";
    let (lab, alice) = outside(&scratch, robot);
    let (since, before, played) = (alice.count(), lab.count(), alice.played());
    alice.say(BOB, "call me", "delivered");
    let id = alice.until_called(since);
    alice.must("call.answer", json!({ "id": id }));
    alice.until_call(&id, "connected", since);
    pause(2.0);
    expect_encrypted(&alice, &id);
    alice.until_ended(&id, "remoteHungUp", since);
    alice.expect_heard(played, 1_000.0, -12.0, 1.5);
    expect_passed(&lab, before);
}
