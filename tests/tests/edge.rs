//! From outside: sign-in through an edge, chat by its way, a phone that registers through it, and
//! what is said of the things that do not work there.

use offhook_interop::{Client, Lab, Scratch, Setup, until};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";

fn setup(lab: &Lab) -> Setup {
    Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    }
}

fn signed_in(scratch: &Scratch, lab: &Lab) -> (Client, Value) {
    let client = Client::start(scratch.path(), "alice", &setup(lab));
    let session = client.sign_in(ALICE, "secret", &["im", "phone"]);
    assert_eq!(session["via"], "edge", "{session:#}");
    (client, session)
}

#[test]
fn chat_and_phone_work_from_outside_and_the_limits_are_told() {
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), "edge", &[], "");
    let (alice, session) = signed_in(&scratch, &lab);
    assert_eq!(
        (&session["authenticator"], &session["productMode"]),
        (&json!("cup"), &json!("full"))
    );
    assert_eq!(session["services"]["edge"]["state"], "ready", "{session:#}");
    let limits = session["restrictions"].to_string();
    assert!(limits.contains("LDAP") && limits.contains("desk phone"), "{limits}");

    let registered = until("alice's phone at the inner call manager", 20, || {
        lab.events().into_iter().find(|it| it["type"] == "registered" && it["device"] == "CSFALICE")
    });
    assert_eq!((&registered["transport"], &registered["byEdge"]), (&json!("tls"), &json!(true)));

    let since = alice.count();
    alice.say(BOB, "from outside", "delivered");
    alice.until_message(BOB, "You said: from outside", since);
}

#[test]
fn the_second_edge_takes_over() {
    let scratch = Scratch::new();
    let lab = Lab::scenario(scratch.path(), "edge", &["first-edge-dead"], "");
    let (_, session) = signed_in(&scratch, &lab);
    let address = session["services"]["edge"]["address"].as_str().unwrap_or_default();
    assert!(address.starts_with("expe2."), "{session:#}");
}
