//! Calls are given away and mixed: with baresip through Kamailio, and between our own clients.

use offhook_interop::{
    Baresip, Client, DOMAIN, PASSWORD, Parts, PhoneAccount, SPEECH_DB, SPEECH_HZ, Scratch,
    Standard, Transport, have, pause, until,
};
use serde_json::{Value, json};

const PHONES: [PhoneAccount<'_>; 1] =
    [PhoneAccount { user: "PCMU", codec: "PCMU/8000/1", more: "" }];

/// A foreign phone and clients of ours at one server.
struct Stage {
    phone: Baresip,
    clients: Vec<Client>,
    // Ended last.
    _servers: Standard,
    _scratch: Scratch,
}

impl Stage {
    fn set(what: &str, users: &[(&str, u32)]) -> Option<Self> {
        if !have(what, &["knotd", "kamailio", "kamcmd", "baresip"]) {
            return None;
        }
        let scratch = Scratch::new();
        let servers = Standard::start(&scratch, &Parts::phone(Transport::Tcp));
        let mut clients = vec![];
        for (user, hertz) in users {
            let mut setup = servers.setup();
            setup.input = Some(format!("tone:{hertz}"));
            let client = Client::start(scratch.path(), user, &setup);
            client.sign_in(&format!("{user}@{DOMAIN}"), PASSWORD, &["phone"]);
            servers.sip().until_registered(user, 20);
            clients.push(client);
        }
        let phone = servers.phone(Transport::Tcp, &PHONES);
        Some(Self { phone, clients, _servers: servers, _scratch: scratch })
    }
}

/// One of ours calls another of ours and is answered; the ids at both ends.
fn connect(from: &Client, to: &Client, user: &str) -> (String, String) {
    let (since, theirs) = (from.count(), to.count());
    let id = from.dial(&format!("sip:{user}@{DOMAIN}"));
    let there = to.until_called(theirs);
    to.must("call.answer", json!({ "id": there }));
    from.until_call(&id, "connected", since);
    to.until_call(&there, "connected", theirs);
    (id, there)
}

fn call(client: &Client, id: &str) -> Value {
    let calls = client.must("call.list", json!({}));
    let items = calls["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().find(|call| call["id"] == id).unwrap_or(Value::Null)
}

#[test]
fn a_foreign_phone_is_transferred_to_a_colleague() {
    let Some(stage) = Stage::set("a foreign phone is transferred", &[("alice", 440), ("bob", 620)])
    else {
        return;
    };
    let [alice, bob] = &stage.clients[..] else { panic!("two clients") };
    let (since, theirs) = (alice.count(), bob.count());
    let id = alice.dial(&format!("sip:PCMU@{DOMAIN}"));
    alice.until_call(&id, "connected", since);
    pause(0.5);
    alice.must("call.transfer", json!({ "id": id, "to": format!("sip:bob@{DOMAIN}") }));
    let there = bob.until_called(theirs);
    bob.must("call.answer", json!({ "id": there }));
    bob.until_call(&there, "connected", theirs);
    alice.until_ended(&id, "transferred", since);
    let played = bob.played();
    pause(2.0);
    bob.expect_heard(played, SPEECH_HZ, SPEECH_DB, 1.0);
    bob.must("call.hangUp", json!({ "id": there }));
    bob.until_ended(&there, "hungUp", theirs);
}

#[test]
fn a_transfer_to_who_is_busy_comes_back() {
    let Some(stage) = Stage::set("a transfer comes back", &[("alice", 440)]) else { return };
    let [alice] = &stage.clients[..] else { panic!("one client") };
    let since = alice.count();
    let id = alice.dial(&format!("sip:PCMU@{DOMAIN}"));
    alice.until_call(&id, "connected", since);
    pause(0.5);
    let since = alice.count();
    alice.must("call.transfer", json!({ "id": id, "to": format!("sip:f486@{DOMAIN}") }));
    alice.until_call(&id, "transferring", since);
    alice.until_call(&id, "connected", since);
    let trouble = call(alice, &id)["trouble"]["cause"].as_str().unwrap_or("").to_owned();
    assert!(trouble.contains("not transferred"), "{trouble}");
    alice.must("call.hangUp", json!({ "id": id }));
    alice.until_ended(&id, "hungUp", since);
}

#[test]
fn a_foreign_phone_transfers_us_to_a_colleague() {
    let Some(mut stage) =
        Stage::set("a foreign phone transfers us", &[("alice", 440), ("bob", 620)])
    else {
        return;
    };
    let (since, theirs) = (stage.clients[0].count(), stage.clients[1].count());
    stage.phone.become_account("PCMU", DOMAIN);
    stage.phone.command("dial", &format!("sip:alice@{DOMAIN}"));
    let id = stage.clients[0].until_called(since);
    stage.clients[0].must("call.answer", json!({ "id": id }));
    stage.clients[0].until_call(&id, "connected", since);
    pause(0.5);
    stage.phone.command("transfer", &format!("sip:bob@{DOMAIN}"));
    let [alice, bob] = &stage.clients[..] else { panic!("two clients") };
    alice.until_call(&id, "transferring", since);
    let there = bob.until_called(theirs);
    bob.must("call.answer", json!({ "id": there }));
    until("we talk with bob in the same call", 20, || {
        let call = call(alice, &id);
        (call["state"] == "connected" && call["remote"] == "bob").then_some(())
    });
    let played = alice.played();
    pause(2.0);
    alice.expect_heard(played, 620.0, -12.0, 1.0);
    alice.must("call.hangUp", json!({ "id": id }));
    bob.until_ended(&there, "remoteHungUp", theirs);
}

#[test]
fn who_was_asked_first_takes_the_call_over() {
    let Some(stage) =
        Stage::set("an attended transfer", &[("alice", 440), ("bob", 620), ("carol", 880)])
    else {
        return;
    };
    let [alice, bob, carol] = &stage.clients[..] else { panic!("three clients") };
    let since = alice.count();
    let (first, at_bob) = connect(alice, bob, "bob");
    let (second, at_carol) = connect(alice, carol, "carol");
    alice.until_call(&first, "held", since);
    pause(0.5);
    alice.must("call.transfer", json!({ "id": first, "other": second }));
    alice.until_ended(&first, "transferred", since);
    alice.until_ended(&second, "transferred", since);
    until("bob and carol talk", 20, || {
        let (bobs, carols) = (call(bob, &at_bob), call(carol, &at_carol));
        (bobs["remote"] == "carol" && bobs["state"] == "connected" && carols["remote"] == "bob")
            .then_some(())
    });
    let (at, there) = (bob.played(), carol.played());
    pause(2.0);
    bob.expect_heard(at, 880.0, -12.0, 1.0);
    carol.expect_heard(there, 620.0, -12.0, 1.0);
}

#[test]
fn three_talk_in_a_conference_that_is_mixed_here() {
    let Some(stage) = Stage::set(
        "a conference that is mixed here",
        &[("alice", 440), ("bob", 620), ("carol", 880)],
    ) else {
        return;
    };
    let [alice, bob, carol] = &stage.clients[..] else { panic!("three clients") };
    let (first, _) = connect(alice, bob, "bob");
    let (second, _) = connect(alice, carol, "carol");
    pause(0.5);
    alice.must("call.merge", json!({ "id": first, "other": second }));
    until("it is a conference of three", 20, || {
        let one = call(alice, &first);
        (one["conference"]["people"].as_array().map(Vec::len) == Some(3)
            && one["state"] == "connected")
            .then_some(())
    });
    pause(0.5);
    // Each hears both others, as loud as they are, and nothing besides.
    for (client, tones) in [(alice, [620.0, 880.0]), (bob, [440.0, 880.0]), (carol, [440.0, 620.0])]
    {
        client.expect_together(client.played(), &tones.map(|hertz| (hertz, -12.0)));
    }
    alice.must("call.hangUp", json!({ "id": first }));
    until("the other call is an ordinary one", 20, || {
        let one = call(alice, &second);
        (one["conference"].is_null() && one["state"] == "connected").then_some(())
    });
}
