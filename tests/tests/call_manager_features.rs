//! Call control at the laboratory's call manager: conferences at its bridge, calls taken, parked and
//! given away, do not disturb, music on hold, and phones that share a line.

use offhook_interop::{Client, Cluster, pause, sound, until};
use serde_json::{Value, json};

/// Two people, a colleague who answers with 1000 Hz, and a mailbox that says 500 Hz.
const PEOPLE: &str = "\
[[users]]\nname = \"alice\"\nnumber = \"2001\"\nfirstName = \"Alice\"\nlastName = \"Adams\"\n\
[[users]]\nname = \"carol\"\nnumber = \"2003\"\nfirstName = \"Carol\"\nlastName = \"Clark\"\n\
[[users]]\nname = \"dave\"\nnumber = \"2004\"\nfirstName = \"Dave\"\nlastName = \"Doe\"\n\
[[robots]]\nname = \"bob\"\nnumber = \"2002\"\ndisplayName = \"Bob Robot\"\nmode = \"tone\"\n\
toneHz = 1000.0\ntoneMs = 600000\nringMs = 200\n\
[[robots]]\nname = \"mail\"\nnumber = \"2999\"\ndisplayName = \"Mailbox\"\nmode = \"tone\"\n\
toneHz = 500.0\ntoneMs = 600000\nringMs = 100\n";

fn config(sip: &str) -> String {
    format!("{PEOPLE}[sip]\nsecondNode = true\nvoicemail = \"mail\"\n{sip}\n")
}

/// Who is in a conference, by name, in the order of the roster.
fn people(call: &Value) -> Vec<String> {
    let people = call["conference"]["people"].as_array().cloned().unwrap_or_default();
    people.iter().map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_conference_at_the_bridge_has_a_roster_and_everybody_is_heard() {
    let world = Cluster::new(&config(""));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let since = alice.count();
    let first = alice.connect("2002");
    let (second, at_carol) = alice.connect_to("2003", &carol);
    alice.until_call(&first, "held", since);
    pause(0.5);
    alice.must("call.merge", json!({ "id": first, "other": second }));
    alice.until_ended(&second, "merged", since);
    let both = ["Alice Adams", "Bob Robot", "Carol Clark"];
    alice.until_call_is("a conference of three", &first, |call| {
        people(call) == both && call["state"] == "connected"
    });
    carol.until_call_is("a conference for carol too", &at_carol, |call| people(call) == both);
    pause(0.5);
    alice.expect_together(alice.played(), &[(1000.0, -10.0), (620.0, -12.0)]);
    carol.expect_together(carol.played(), &[(1000.0, -10.0), (440.0, -12.0)]);
    // Who came last is taken out; the two that are left talk as before.
    let call = alice.call(&first);
    let id = |at: usize| call["conference"]["people"][at]["id"].clone();
    let (code, refused) = alice.ctl("call.expel", json!({ "id": first, "participant": id(1) }));
    assert_ne!(code, 0, "only who came last: {refused}");
    let since = carol.count();
    alice.must("call.expel", json!({ "id": first, "participant": id(2) }));
    carol.until_ended(&at_carol, "remoteHungUp", since);
    alice.until_call_is("an ordinary call with bob", &first, |call| {
        call["conference"].is_null() && call["name"] == "Bob Robot"
    });
    let at = alice.played();
    pause(2.0);
    alice.expect_heard(at, 1000.0, -10.0, 1.0);
    // What bob's phone heard holds both of the others.
    let ended = world.lab.count();
    alice.must("call.hangUp", json!({ "id": first }));
    let report = world.lab.until_event("robotCallEnded", ended);
    let heard = sound::read(report["recording"].as_str().expect("a recording").as_ref());
    for hertz in [440.0, 620.0] {
        assert!(heard.find(hertz).is_some_and(|tone| tone.seconds > 2.0), "{hertz}: {report}");
    }
}

#[test]
fn a_conference_grows_and_outlives_who_made_it() {
    let world = Cluster::new(&config(""));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let dave = world.user("dave", 880);
    let first = alice.connect("2002");
    let (second, at_carol) = alice.connect_to("2003", &carol);
    alice.must("call.merge", json!({ "id": first, "other": second }));
    alice.until_call_is("three", &first, |call| people(call).len() == 3);
    let (third, at_dave) = alice.connect_to("2004", &dave);
    alice.must("call.merge", json!({ "id": first, "other": third }));
    dave.until_call_is("four", &at_dave, |call| people(call).len() == 4);
    alice.must("call.hangUp", json!({ "id": first }));
    dave.until_call_is("three again", &at_dave, |call| people(call).len() == 3);
    let (at, there) = (dave.played(), carol.played());
    pause(2.5);
    dave.expect_together(at, &[(1000.0, -10.0), (620.0, -12.0)]);
    carol.expect_together(there, &[(1000.0, -10.0), (880.0, -12.0)]);
    dave.must("call.hangUp", json!({ "id": at_dave }));
    carol.until_call_is("two", &at_carol, |call| call["conference"].is_null());
}

#[test]
fn calls_that_ring_elsewhere_are_taken() {
    let groups = "[sip.pickupGroups]\n6001 = [\"2001\", \"2004\"]\n6002 = [\"2003\"]";
    let world = Cluster::new(&config(groups));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let dave = world.user("dave", 880);
    // Nothing rings.
    let since = alice.count();
    let answer = alice.must("call.pickup", json!({}));
    alice.until_ended(answer["id"].as_str().expect("an id"), "notFound", since);
    // Of the own group, of another one by its number and by that of the phone, of an associated one.
    for (callee, number, which) in [
        (&dave, "2004", json!({ "which": "group" })),
        (&carol, "2003", json!({ "which": "otherGroup", "number": "6002" })),
        (&carol, "2003", json!({ "which": "directed", "number": "2003" })),
        (&carol, "2003", json!({ "which": "associated" })),
    ] {
        let caller = if number == "2004" { &carol } else { &dave };
        let (calls, rings, ours) = (caller.count(), callee.count(), alice.count());
        let id = caller.dial(number);
        let there = callee.until_called(rings);
        let taken = alice.must("call.pickup", which.clone());
        let taken = taken["id"].as_str().expect("an id").to_owned();
        alice.until_call(&taken, "connected", ours);
        caller.until_call(&id, "connected", calls);
        callee.until_ended(&there, "answeredElsewhere", rings);
        let shown = if number == "2004" { "Carol Clark" } else { "Dave Doe" };
        alice.until_call_is("who calls is shown", &taken, |call| call["name"] == shown);
        caller.until_call_is("who answered is shown", &id, |call| {
            call["name"] == "Alice Adams" && call["state"] == "connected"
        });
        let (at, far) = (alice.played(), caller.played());
        pause(2.0);
        alice.expect_heard(at, if number == "2004" { 620.0 } else { 880.0 }, -12.0, 1.0);
        caller.expect_heard(far, 440.0, -12.0, 1.0);
        alice.must("call.hangUp", json!({ "id": taken }));
        caller.until_ended(&id, "remoteHungUp", calls);
    }
}

#[test]
fn a_parked_call_is_taken_back_by_another_phone_or_rings_again() {
    let world = Cluster::new(&config("parkReversion = 5"));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let parked = |client: &Client| {
        let state = client.until_phone("a parked call", |state| {
            state["parked"].as_array().is_some_and(|parked| !parked.is_empty())
        });
        state["parked"][0]["at"].as_str().expect("a number").to_owned()
    };
    let since = alice.count();
    let id = alice.connect("2002");
    alice.must("call.park", json!({ "id": id }));
    let number = parked(&alice);
    alice.until_ended(&id, "parked", since);
    let back = carol.connect(&number);
    let at = carol.played();
    pause(2.0);
    carol.expect_heard(at, 1000.0, -10.0, 1.0);
    carol.must("call.hangUp", json!({ "id": back }));
    // Nobody takes the next one back.
    let id = alice.connect("2002");
    let since = alice.count();
    alice.must("call.park", json!({ "id": id }));
    alice.until_ended(&id, "parked", since);
    let again = alice.until_called(since);
    alice.must("call.answer", json!({ "id": again }));
    alice.until_call(&again, "connected", since);
    assert_eq!(alice.call(&again)["name"], "Bob Robot");
    let at = alice.played();
    pause(2.0);
    alice.expect_heard(at, 1000.0, -10.0, 1.0);
    alice.must("call.hangUp", json!({ "id": again }));
}

#[test]
fn a_ringing_call_goes_to_the_mailbox() {
    let world = Cluster::new(&config(""));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let (since, theirs) = (alice.count(), carol.count());
    let id = carol.dial("2001");
    let rings = alice.until_called(since);
    alice.must("call.divert", json!({ "id": rings }));
    alice.until_ended(&rings, "diverted", since);
    carol.until_call(&id, "connected", theirs);
    let at = carol.played();
    pause(2.0);
    carol.expect_heard(at, 500.0, -10.0, 1.0);
    carol.must("call.hangUp", json!({ "id": id }));
    let end = carol.until_ended(&id, "hungUp", theirs);
    assert!(end["problem"].is_null(), "{end}");
}

#[test]
fn do_not_disturb_goes_both_ways() {
    let world = Cluster::new(&config(""));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let dnd = |client: &Client, wanted: Value| {
        client.until_phone(&format!("do not disturb is {wanted}"), |state| state["dnd"] == wanted);
    };
    // The server says so, and refuses calls itself.
    world.tell("dnd alice reject");
    dnd(&alice, json!("reject"));
    let (since, theirs) = (alice.count(), carol.count());
    let id = carol.dial("2001");
    carol.until_ended(&id, "busy", theirs);
    world.tell("dnd alice off");
    dnd(&alice, Value::Null);
    assert!(alice.events().iter().skip(since).all(|event| event["type"] != "call"));
    // Told by the phone: the server knows it when the phone registers anew.
    alice.must("call.dnd", json!({ "mode": "ringerOff" }));
    let again = world.tell("restart alice");
    world.until_registered("alice", again);
    // What met no connection, because the server was quicker, is told once more.
    alice.until_phone("do not disturb that the server took", |state| {
        state["dnd"] == "ringerOff" && state["trouble"].is_null()
    });
    // The ringer is off, and the call is there.
    let (since, theirs) = (alice.count(), carol.count());
    let id = carol.dial("2001");
    let rings = alice.until_called(since);
    alice.must("call.answer", json!({ "id": rings }));
    carol.until_call(&id, "connected", theirs);
    carol.must("call.hangUp", json!({ "id": id }));
    alice.must("call.dnd", json!({ "mode": "off" }));
    let again = world.tell("reset alice");
    world.until_registered("alice", again);
    pause(1.0);
    dnd(&alice, Value::Null);
}

#[test]
fn a_server_that_takes_no_word_of_do_not_disturb_is_named() {
    let world = Cluster::new(&config("takesPublish = false"));
    let alice = world.user("alice", 440);
    alice.must("call.dnd", json!({ "mode": "reject" }));
    let state = alice.until_phone("a word about it", |state| !state["trouble"].is_null());
    assert_eq!(state["dnd"], "reject", "it holds here");
    let cause = state["trouble"]["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("on this computer only") && cause.contains("489"), "{cause}");
}

#[test]
fn who_is_held_hears_music() {
    let world = Cluster::new(&config("music = true"));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let (id, there) = carol.connect_to("2001", &alice);
    let since = alice.count();
    carol.must("call.hold", json!({ "id": id }));
    alice.until_call(&there, "remoteHeld", since);
    let at = alice.played();
    pause(2.5);
    alice.expect_heard(at, 523.0, -10.0, 1.0);
    let since = alice.count();
    carol.must("call.resume", json!({ "id": id }));
    alice.until_call(&there, "connected", since);
    // The recording may be a second behind, and the music with it.
    pause(1.5);
    let (at, far) = (alice.played(), carol.played());
    pause(2.0);
    alice.expect_heard(at, 620.0, -12.0, 1.0);
    carol.expect_heard(far, 440.0, -12.0, 1.0);
    // And the other way round.
    let since = carol.count();
    alice.must("call.hold", json!({ "id": there }));
    carol.until_call(&id, "remoteHeld", since);
    let at = carol.played();
    pause(2.0);
    carol.expect_heard(at, 523.0, -10.0, 1.0);
    alice.must("call.hangUp", json!({ "id": there }));
    carol.until_ended(&id, "remoteHungUp", since);
}

#[test]
fn the_third_call_is_told_that_we_are_busy() {
    let world = Cluster::new(&config(""));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let dave = world.user("dave", 880);
    let since = alice.count();
    let first = alice.connect("2002");
    let waits = carol.dial("2001");
    let waiting = alice.until_called(since);
    let theirs = dave.count();
    let third = dave.dial("2001");
    dave.until_ended(&third, "busy", theirs);
    let more = carol.count();
    alice.must("call.answer", json!({ "id": waiting }));
    carol.until_call(&waits, "connected", more);
    alice.until_call(&first, "held", since);
    alice.must("call.resume", json!({ "id": first }));
    carol.until_call(&waits, "remoteHeld", more);
    for id in [first, waiting] {
        alice.must("call.hangUp", json!({ "id": id }));
    }
}

#[test]
fn all_calls_go_elsewhere_by_wish_of_the_phone_and_of_the_server() {
    let world = Cluster::new(&config(""));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    let to_bob = |set: &dyn Fn(), unset: &dyn Fn()| {
        let (since, theirs) = (alice.count(), carol.count());
        set();
        alice.until_phone("forwarding", |state| state["forward"] == json!({ "to": "2002" }));
        let id = carol.dial("2001");
        carol.until_call(&id, "connected", theirs);
        assert_eq!(carol.call(&id)["name"], "Bob Robot");
        carol.must("call.hangUp", json!({ "id": id }));
        unset();
        alice.until_phone("no forwarding", |state| state["forward"].is_null());
        assert!(alice.events().iter().skip(since).all(|event| event["state"] != "incoming"));
    };
    to_bob(&|| drop(alice.must("call.forward", json!({ "to": "2002" }))), &|| {
        alice.must("call.forward", json!({}));
    });
    let tell = |word: &str| world.lab.tell(word);
    to_bob(&|| tell("forward alice 2002"), &|| tell("forward alice off"));
    let since = alice.count();
    let id = carol.dial("2001");
    let rings = alice.until_called(since);
    alice.must("call.decline", json!({ "id": rings }));
    carol.until_call(&id, "ended", 0);
}

#[test]
fn the_server_restarts_resets_dials_and_answers() {
    let world = Cluster::new(&config(""));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    for word in ["restart alice", "reset alice", "check-version alice"] {
        let since = world.tell(word);
        world.until_registered("alice", since);
    }
    alice.until_session("the phone works", |session| {
        session["services"]["phone"]["state"] == "ready"
    });
    // In a call it waits for the end.
    let id = alice.connect("2002");
    let since = world.tell("reset alice");
    pause(3.0);
    let again = |event: &Value| event["type"] == "registered" && event["device"] == "CSFALICE";
    assert!(!world.lab.events().iter().skip(since).any(again), "not during a call");
    assert_eq!(alice.call(&id)["state"], "connected");
    alice.must("call.hangUp", json!({ "id": id }));
    world.until_registered("alice", since);
    // Click to dial, and an answer by remote control.
    let (ours, theirs) = (alice.count(), carol.count());
    world.tell("dial alice 2003");
    let rings = carol.until_called(theirs);
    world.tell("answer carol");
    carol.until_call(&rings, "connected", theirs);
    let call = alice.until_event("alice's call", ours, |event| {
        event["type"] == "call" && event["state"] == "connected"
    });
    alice.must("call.hangUp", json!({ "id": call["id"] }));
    carol.until_ended(&rings, "remoteHungUp", theirs);
}

#[test]
fn without_the_server_a_call_goes_on_and_features_are_refused_in_words() {
    let world = Cluster::new(&config("keepAlive = 10\nreturnAfter = 10"));
    let alice = world.user("alice", 440);
    let since = alice.count();
    let id = alice.connect("2002");
    world.tell("kill cucm2");
    world.tell("kill cucm1");
    alice.until_call_is("a call without server", &id, |call| call["preserved"] == true);
    let at = alice.played();
    pause(2.0);
    alice.expect_heard(at, 1000.0, -10.0, 1.0);
    for (method, params) in [
        ("call.hold", json!({ "id": id })),
        ("call.park", json!({ "id": id })),
        ("call.transfer", json!({ "id": id, "to": "2003" })),
    ] {
        let (code, answer) = alice.ctl(method, params);
        assert_ne!(code, 0, "{method}: {answer}");
        assert!(answer.to_string().contains("server"), "{method}: {answer}");
    }
    alice.must("call.mute", json!({ "id": id }));
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
}

#[test]
fn phones_share_a_line() {
    let world = Cluster::new(&config("deskPhones = true"));
    let (alice, carol) = (world.user("alice", 440), world.user("carol", 620));
    alice.must("call.watch", json!({ "numbers": ["2001"] }));
    let line = |wanted: &'static str| {
        alice.until_phone(&format!("the line is {wanted}"), |state| {
            state["lines"][0]["state"] == wanted
        });
    };
    line("idle");
    // Answered at the desk: no missed call here, and the line is busy.
    let (since, theirs) = (alice.count(), carol.count());
    let id = carol.dial("2001");
    let rings = alice.until_called(since);
    world.tell("desk answer alice");
    carol.until_call(&id, "connected", theirs);
    alice.until_ended(&rings, "answeredElsewhere", since);
    line("busy");
    let at = carol.played();
    pause(2.0);
    carol.expect_heard(at, 700.0, -10.0, 1.0);
    world.tell("desk hangup alice");
    carol.until_ended(&id, "remoteHungUp", theirs);
    line("idle");
    // Answered here: the desk stops ringing.
    let (since, theirs) = (alice.count(), carol.count());
    let id = carol.dial("2001");
    let rings = alice.until_called(since);
    alice.must("call.answer", json!({ "id": rings }));
    carol.until_call(&id, "connected", theirs);
    let reports = until("nothing is connected at the desk", 5, || {
        let started = |event: &Value| event["type"] == "robotCallStarted";
        Some(world.lab.events().iter().filter(|event| started(event)).count())
    });
    assert_eq!(reports, 1, "the desk phone had the first call alone");
    carol.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&rings, "remoteHungUp", since);
}
