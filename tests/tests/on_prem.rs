//! The client in the laboratory's on-prem deployment: sign-in by UDS, IM and Presence sign-in,
//! chats and calls.

use offhook_interop::{Client, Lab, Scratch, Setup, pause, until};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";
const CAROL: &str = "carol@lab.example";

fn setup(lab: &Lab) -> Setup {
    Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    }
}

fn signed_in(scratch: &Scratch, lab: &Lab, address: &str) -> Client {
    let name = address.split('@').next().unwrap_or_default();
    let client = Client::start(scratch.path(), name, &setup(lab));
    client.sign_in(address, "secret", &["im", "phone"]);
    client
}

#[test]
fn the_chain_ends_in_chat_and_phone() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let alice = signed_in(&scratch, &lab, ALICE);
    let session = alice.session();
    assert_eq!(session["productMode"], "full", "{session:#}");
    assert_eq!(session["via"], "direct", "{session:#}");
    let registered = until("alice's device at the registrar", 20, || {
        lab.events().into_iter().find(|it| it["type"] == "registered" && it["device"] == "CSFALICE")
    });
    assert_eq!(registered["number"], "2001", "{registered}");

    let since = alice.count();
    alice.say(BOB, "are you there?", "delivered");
    alice.until_message(BOB, "You said: are you there?", since);

    let (status, error) = alice.ctl("call.hangUp", json!({ "id": "c99" }));
    assert_eq!((status, &error["code"]), (1, &json!(-32002)), "{error}");

    // And out, and in again.
    alice.must("session.signOut", Value::Null);
    alice.until_session("signed out", |it| it["state"] == "signedOut");
    let (status, error) = alice.ctl("chat.send", json!({ "to": BOB, "body": "x" }));
    assert_eq!((status, &error["code"]), (1, &json!(-32001)), "{error}");
    alice.sign_in(ALICE, "secret", &["im", "phone"]);
    let since = alice.count();
    alice.say(BOB, "again", "delivered");
    alice.until_message(BOB, "You said: again", since);
}

#[test]
fn the_robot_is_called_and_hears_us() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let alice = signed_in(&scratch, &lab, ALICE);
    let (since, before, played) = (alice.count(), lab.count(), alice.played());
    let id = alice.dial("2002");
    alice.until_call(&id, "ringing", since);
    alice.until_call(&id, "connected", since);
    pause(2.5);
    alice.must("call.dtmf", json!({ "id": id, "digits": "42#" }));
    pause(1.5);
    let held = alice.count();
    alice.must("call.hold", json!({ "id": id }));
    alice.until_call(&id, "held", held);
    let resumed = alice.count();
    alice.must("call.resume", json!({ "id": id }));
    alice.until_call(&id, "connected", resumed);
    pause(2.0);
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
    let end = lab.until_event("robotCallEnded", before);
    assert!((end["toneHz"].as_f64().unwrap_or(0.0) - 440.0).abs() < 10.0, "{end}");
    assert!((end["levelDbfs"].as_f64().unwrap_or(0.0) + 12.0).abs() < 4.0, "{end}");
    assert_eq!((&end["digits"], &end["cause"]), (&json!("42#"), &json!("remoteHungUp")), "{end}");
    alice.expect_heard(played, 1_000.0, -12.0, 1.5);
}

#[test]
fn the_robot_calls_is_declined_then_answered_and_hangs_up() {
    let scratch = Scratch::new();
    let robot = "[[robots]]\nname = \"bob\"\nnumber = \"2002\"\nmaxSeconds = 4\n";
    let lab = Lab::start(scratch.path(), &[], robot);
    let alice = signed_in(&scratch, &lab, ALICE);

    let (since, before) = (alice.count(), lab.count());
    alice.say(BOB, "call me", "delivered");
    let id = alice.until_called(since);
    alice.must("call.decline", json!({ "id": id }));
    alice.until_ended(&id, "declined", since);
    let failed = lab.until_event("robotCallFailed", before);
    assert!(matches!(failed["status"].as_u64(), Some(486 | 603)), "{failed}");

    let (since, before, played) = (alice.count(), lab.count(), alice.played());
    alice.say(BOB, "call me", "delivered");
    let id = alice.until_called(since);
    alice.must("call.answer", json!({ "id": id }));
    alice.until_call(&id, "connected", since);
    alice.until_ended(&id, "remoteHungUp", since);
    let end = lab.until_event("robotCallEnded", before);
    assert!((end["toneHz"].as_f64().unwrap_or(0.0) - 440.0).abs() < 10.0, "{end}");
    alice.expect_heard(played, 1_000.0, -12.0, 1.5);
}

/// Figures that make sense: whole packets of 20 ms of G.711, for about as long as was talked.
#[track_caller]
fn expect_figures(told: &Value, talked: u64) {
    for way in ["received", "sent"] {
        let figure = |name: &str| told[way][name].as_u64().unwrap_or_default();
        assert!(figure("packets") > 50 && figure("octets") == figure("packets") * 160, "{told}");
        assert!((talked.saturating_sub(2)..talked + 60).contains(&figure("seconds")), "{told}");
    }
    let jitter = told["received"]["jitter"].as_f64();
    assert!(told["received"]["lost"].is_u64() && jitter.is_some_and(|it| it >= 0.0), "{told}");
}

#[test]
fn at_the_end_of_a_call_its_figures_are_told_in_bye_and_in_its_answer() {
    let scratch = Scratch::new();
    let robot = "[sip]\ncodecs = [\"PCMU\"]\n\
                 [[robots]]\nname = \"bob\"\nnumber = \"2002\"\nmaxSeconds = 6\n";
    let lab = Lab::start(scratch.path(), &[], robot);
    let alice = signed_in(&scratch, &lab, ALICE);
    for by_us in [true, false] {
        let (since, before) = (alice.count(), lab.count());
        let id = alice.dial("2002");
        alice.until_call(&id, "connected", since);
        if by_us {
            pause(4.0);
            alice.must("call.hangUp", json!({ "id": id }));
        } else {
            alice.until_ended(&id, "remoteHungUp", since);
        }
        let told = lab.until_event("callStatistics", before);
        assert_eq!(
            (&told["number"], &told["inAnswer"]),
            (&json!("2001"), &json!(!by_us)),
            "{told}"
        );
        expect_figures(&told, if by_us { 4 } else { 6 });
        // What the robot counted itself: ours are up to a second old, and go on until its BYE is here.
        let end = lab.until_event("robotCallEnded", before);
        for (way, counted) in [("sent", "packetsReceived"), ("received", "packetsSent")] {
            let (told, counted) = (told[way]["packets"].as_u64(), end[counted].as_u64());
            let apart = told.zip(counted).map(|(told, counted)| told.abs_diff(counted));
            assert!(apart.is_some_and(|apart| apart < 500), "{way}: {told:?} of {counted:?}");
        }
    }
}

#[test]
fn numbers_that_refuse_say_why() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let alice = signed_in(&scratch, &lab, ALICE);
    for (number, status) in [("4486", 486), ("4480", 480), ("4503", 503)] {
        let since = alice.count();
        let id = alice.dial(number);
        let end = alice.until_call(&id, "ended", since);
        assert_eq!(end["sipStatus"], status, "{end}");
    }
}

#[test]
fn two_colleagues_chat_call_and_remember() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let mut alice = signed_in(&scratch, &lab, ALICE);
    let carol = signed_in(&scratch, &lab, CAROL);

    let (here, there) = (alice.count(), carol.count());
    alice.say(CAROL, "lunch?", "delivered");
    carol.until_message(ALICE, "lunch?", there);
    carol.say(ALICE, "yes, at noon", "delivered");
    alice.until_message(CAROL, "yes, at noon", here);

    let (here, there) = (alice.count(), carol.count());
    let played = (alice.played(), carol.played());
    let id = alice.dial("2003");
    let other = carol.until_called(there);
    carol.must("call.answer", json!({ "id": other }));
    alice.until_call(&id, "connected", here);
    carol.until_call(&other, "connected", there);
    pause(2.5);
    assert_eq!(alice.stream(&id, "send")["codec"], carol.stream(&other, "receive")["codec"]);
    carol.must("call.hangUp", json!({ "id": other }));
    alice.until_ended(&id, "remoteHungUp", here);
    carol.until_ended(&other, "hungUp", there);
    alice.expect_heard(played.0, 440.0, -12.0, 1.2);
    carol.expect_heard(played.1, 440.0, -12.0, 1.2);

    assert_eq!(alice.end(), Some(0));
    drop(alice);
    let alice = Client::start(scratch.path(), "alice", &setup(&lab));
    alice.sign_in(ALICE, "secret", &["im"]);
    let history = until("the history", 20, || {
        let history = alice.must("chat.history", json!({ "with": CAROL, "limit": 10 }));
        (history["items"].as_array().map(Vec::len) >= Some(2)).then_some(history)
    });
    let rows = history["items"].as_array().cloned().unwrap_or_default();
    let shown: Vec<_> = rows.iter().map(|it| (it["body"].as_str(), it["state"].as_str())).collect();
    assert_eq!(
        shown,
        [(Some("lunch?"), Some("delivered")), (Some("yes, at noon"), Some("delivered"))],
        "{history:#}"
    );
}
