//! Group chat in the laboratory's on-prem deployment, whose room hosts speak the vendor's dialect.

use offhook_interop::{Client, Lab, Scratch, Setup, until};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";
const CAROL: &str = "carol@lab.example";
const HOST: &str = "conference-1-standalonecluster0a1b2.lab.example";
const SECOND: &str = "conference-2-standalonecluster0a1b2.lab.example";

fn signed_in(scratch: &Scratch, lab: &Lab, address: &str) -> Client {
    let setup = Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    };
    let name = address.split('@').next().unwrap_or_default();
    let client = Client::start(scratch.path(), name, &setup);
    client.sign_in(address, "secret", &["im"]);
    client
}

fn items(value: &Value) -> Vec<Value> {
    value["items"].as_array().cloned().unwrap_or_default()
}

/// Browses until the listing holds the room on the first host.
#[track_caller]
fn listing(client: &Client) -> Value {
    until("the canteen is listed", 30, || {
        client.must("room.browse", json!({}));
        let done = || Some(client.must("room.listing", json!({})));
        let found = until("the listing is done", 30, || done().filter(|it| it["busy"] == false));
        items(&found).iter().any(|it| it["room"] == canteen().as_str()).then_some(found)
    })
}

fn canteen() -> String {
    format!("pchatroom1001@{HOST}")
}

#[track_caller]
fn until_member(client: &Client, room: &str, nick: &str) -> Value {
    until(&format!("{nick} is in"), 30, || {
        let members = client.must("room.members", json!({ "room": room }));
        items(&members).into_iter().find(|it| it["nick"] == nick)
    })
}

fn said(client: &Client, room: &str) -> Vec<(String, String, bool)> {
    let history = client.must("chat.history", json!({ "with": room, "limit": 50 }));
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let row = |it: &Value| (text(it, "author"), text(it, "body"), it["own"] == true);
    items(&history).iter().map(row).collect()
}

#[test]
fn persistent_rooms_are_listed_entered_and_answer() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let alice = signed_in(&scratch, &lab, ALICE);
    let found = listing(&alice);
    assert_eq!(found["errors"], json!([]), "{found:#}");
    assert_eq!(found["services"], json!([HOST, SECOND]), "{found:#}");
    let names: Vec<_> = items(&found).iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["Archive", "Canteen"], "{found:#}");

    let room = canteen();
    alice.must("room.join", json!({ "room": room }));
    let me = until_member(&alice, &room, ALICE);
    assert_eq!((&me["me"], &me["jid"]), (&json!(true), &json!(ALICE)), "{me:#}");
    until_member(&alice, &room, BOB);
    // A nickname that names nobody: only the room can tell later who said it.
    alice.must("room.nick", json!({ "room": room, "nick": "al" }));
    until_member(&alice, &room, "al");
    let since = alice.count();
    alice.say(&room, "what is there?", "delivered");
    alice.until_message(&format!("{room}/{BOB}"), "You said: what is there?", since);

    // Another person enters later: the replay names who said what.
    let carol = signed_in(&scratch, &lab, CAROL);
    carol.must("room.join", json!({ "room": room }));
    until("the replay", 30, || (said(&carol, &room).len() == 2).then_some(()));
    let want = [(ALICE, "what is there?", false), (BOB, "You said: what is there?", false)];
    assert_eq!(said(&carol, &room), want.map(|(by, text, own)| (by.into(), text.into(), own)));

    // Out and in again: what was said meanwhile comes, nothing comes twice.
    alice.must("room.leave", json!({ "room": room }));
    let since = carol.count();
    carol.say(&room, "soup", "delivered");
    carol.until_message(&format!("{room}/{BOB}"), "You said: soup", since);
    alice.must("room.join", json!({ "room": room }));
    until("what was said meanwhile", 30, || (said(&alice, &room).len() == 4).then_some(()));
    let got = said(&alice, &room);
    let own = (ALICE.to_owned(), "what is there?".to_owned(), true);
    assert_eq!((got[0].1.as_str(), got[0].2), (own.1.as_str(), true), "{got:?}");
    let late = [(CAROL, "soup", false), (BOB, "You said: soup", false)];
    assert_eq!(got[2..], late.map(|(by, text, own)| (by.into(), text.into(), own)));
}

#[test]
fn a_room_host_that_is_missing_leaves_a_line_and_the_rooms_of_the_other() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &["room-host-missing"], "");
    let alice = signed_in(&scratch, &lab, ALICE);
    let found = listing(&alice);
    let errors = found["errors"].as_array().cloned().unwrap_or_default();
    assert_eq!(errors.len(), 1, "{found:#}");
    assert!(errors[0].as_str().is_some_and(|it| it.starts_with(SECOND)), "{found:#}");
    assert_eq!(items(&found).len(), 1, "{found:#}");
}

#[test]
fn an_invitation_into_an_ad_hoc_room_is_taken() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let alice = signed_in(&scratch, &lab, ALICE);
    let since = alice.count();
    alice.say(BOB, "invite me", "delivered");
    let event = alice.until_event("the invitation", since, |it| {
        it["type"] == "room" && it["change"] == "invited" && it["who"] == BOB
    });
    let room = event["room"].as_str().expect("a room").to_owned();
    assert!(adhoc(&room), "{room}");
    assert_eq!(event["text"], "A talk", "the reason is the topic: {event:#}");
    let since = alice.count();
    alice.must("room.answer", json!({ "room": room, "accept": true }));
    alice.until_message(&format!("{room}/{BOB}"), "Good that you are here.", since);
    let since = alice.count();
    alice.say(&room, "so it is", "delivered");
    alice.until_message(&format!("{room}/{BOB}"), "You said: so it is", since);
}

#[test]
fn rooms_of_our_own_have_the_vendors_names_and_nicknames() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let alice = signed_in(&scratch, &lab, ALICE);
    let carol = signed_in(&scratch, &lab, CAROL);
    listing(&alice);
    let since = carol.count();
    let made = alice.must("room.create", json!({ "name": "Plan", "invite": [CAROL] }));
    let room = made["room"].as_str().expect("a room").to_owned();
    assert!(adhoc(&room), "{room}");
    carol.until_event("the invitation", since, |it| {
        it["type"] == "room" && it["change"] == "invited" && it["room"] == room.as_str()
    });
    carol.must("room.answer", json!({ "room": room, "accept": true }));
    until_member(&alice, &room, ALICE);
    let other = until_member(&alice, &room, CAROL);
    assert_eq!(other["jid"], CAROL, "{other:#}");
    let since = carol.count();
    alice.say(&room, "hello", "delivered");
    carol.until_message(&format!("{room}/{ALICE}"), "hello", since);

    let since = carol.count();
    alice.must("room.role", json!({ "room": room, "nick": CAROL, "role": "none" }));
    carol.until_event("carol is put out", since, |it| {
        it["type"] == "room" && it["change"] == "failed" && it["room"] == room.as_str()
    });
    let made = alice.must("room.create", json!({ "name": "Lasting", "persistent": true }));
    let lasting = made["room"].as_str().expect("a room").to_owned();
    let digits = lasting.strip_prefix("pchatroom").and_then(|it| it.split_once('@'));
    let digits = digits.is_some_and(|(it, _)| it.chars().all(|c| c.is_ascii_digit()));
    assert!(digits, "{lasting}");
    let found = listing(&carol);
    assert!(items(&found).iter().any(|it| it["room"] == lasting.as_str()), "{found:#}");
}

#[test]
fn persistent_rooms_are_refused_where_the_administrator_has_none() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "[im]\npersistentChat = false\n");
    let alice = signed_in(&scratch, &lab, ALICE);
    let (status, error) = alice.ctl("room.join", json!({ "room": canteen() }));
    assert_ne!(status, 0, "{error}");
    assert!(error.to_string().contains("switched off by your administrator"), "{error}");
}

fn adhoc(room: &str) -> bool {
    let local = room.strip_suffix(&format!("@{HOST}")).or(room.strip_suffix(&format!("@{SECOND}")));
    let digits = local.and_then(|it| it.strip_prefix("chat"));
    digits.is_some_and(|it| !it.is_empty() && it.chars().all(|c| c.is_ascii_digit()))
}
