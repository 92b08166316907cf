//! Group chat through Prosody with clients that are not ours (slixmpp).

use offhook_interop::{
    Client, DOMAIN, PASSWORD, Parts, Scratch, Standard, by_ejabberd, have, until,
};
use serde_json::{Value, json};

const NEEDS: [&str; 3] = ["knotd", "prosody", "slixmpp"];

/// The room as `room.list` shows it, once it is as wanted.
#[track_caller]
fn until_room(client: &Client, room: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    until(what, 30, || {
        let list = client.must("room.list", json!({}));
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.into_iter().find(|it| it["room"] == room && fits(it))
    })
}

fn bodies(client: &Client, room: &str) -> Vec<String> {
    let history = client.must("chat.history", json!({ "with": room, "limit": 50 }));
    let items = history["items"].as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|it| it["body"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_room_for_members_is_made_spoken_in_and_ruled() {
    if !have("a room for members", &NEEDS) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let mut bob = servers.chat_client("bob");
    let mut carol = servers.chat_client("carol");
    let (alice_at, bob_at) = (format!("alice@{DOMAIN}"), format!("bob@{DOMAIN}"));
    let carol_at = format!("carol@{DOMAIN}");
    let alice = Client::start(scratch.path(), "alice", &servers.setup());
    alice.sign_in(&alice_at, PASSWORD, &["im"]);

    let made = alice.must(
        "room.create",
        json!({ "name": "Team Röom", "topic": "Lunch", "persistent": true, "membersOnly": true,
                "invite": [bob_at] }),
    );
    let room = made["room"].as_str().expect("an address").to_owned();
    assert!(room.ends_with(&format!("@conference.{DOMAIN}")), "{room}");
    let shown = until_room(&alice, &room, "a room for members that lasts", |it| {
        it["traits"]["membersOnly"] == true && it["traits"]["persistent"] == true
    });
    assert_eq!((&shown["state"], &shown["name"]), (&json!("joined"), &json!("Team Röom")));
    assert_eq!((&shown["affiliation"], &shown["role"]), (&json!("owner"), &json!("moderator")));
    assert_eq!(shown["bookmarked"], true, "{shown:#}");

    bob.until_event("is invited through the room", |it| {
        it["event"] == "invited" && it["room"] == room.as_str()
    });
    bob.enter(&room, "bob");
    bob.until_event("sees the topic", |it| it["event"] == "topic" && it["text"] == "Lunch");

    alice.say(&room, "Grüße an alle & <b>", "delivered");
    let heard = bob.until_message("Grüße an alle & <b>");
    assert_eq!(heard["type"], "groupchat", "{heard:#}");
    let since = alice.count();
    bob.say(&room, "hello from bob");
    alice.until_event("bob's words", since, |it| {
        it["type"] == "chat"
            && it["with"] == room.as_str()
            && it["from"] == format!("{room}/bob").as_str()
            && it["body"] == "hello from bob"
    });

    alice.must("room.subject", json!({ "room": room, "subject": "Tea" }));
    bob.until_event("sees the new topic", |it| it["event"] == "topic" && it["text"] == "Tea");
    until_room(&alice, &room, "the topic", |it| it["subject"] == "Tea");

    let members = alice.must("room.members", json!({ "room": room }));
    let occupants = members["items"].as_array().cloned().unwrap_or_default();
    let of = |nick: &str| occupants.iter().find(|it| it["nick"] == nick).cloned();
    assert_eq!(of("bob").map(|it| it["jid"].clone()), Some(json!(bob_at)), "{members:#}");

    // A moderator takes bob's message back; then bob is put out, comes again and is shut out.
    let history = alice.must("chat.history", json!({ "with": room, "limit": 50 }));
    let items = history["items"].as_array().cloned().unwrap_or_default();
    let said = items.iter().find(|it| it["body"] == "hello from bob").expect("bob's message");
    let take_back = json!({ "room": room, "id": said["id"], "reason": "off topic" });
    if by_ejabberd() {
        // 23.01 has no XEP-0425, and that is said.
        let refused = alice.ctl("room.moderate", take_back);
        assert!(refused.1.to_string().contains("cannot take messages back"), "{}", refused.1);
    } else {
        alice.must("room.moderate", take_back);
        bob.until_event("sees it taken back", |it| it["event"] == "moderated");
        until("the message without its text", 30, || {
            (!bodies(&alice, &room).contains(&"hello from bob".to_owned())).then_some(())
        });
    }
    alice
        .must("room.role", json!({ "room": room, "nick": "bob", "role": "none", "reason": "out" }));
    bob.until_event("is put out", |it| {
        it["event"] == "occupant"
            && it["gone"] == true
            && it["codes"].as_array().is_some_and(|c| c.contains(&json!(307)))
    });
    alice.must("room.affiliate", json!({ "room": room, "who": bob_at, "affiliation": "outcast" }));
    // Nobody who is no member comes in; whom we invite is made one.
    let refused = alice.ctl("room.role", json!({ "room": room, "nick": "bob", "role": "visitor" }));
    assert_ne!(refused.0, 0, "bob is not there: {}", refused.1);
    alice.must("room.invite", json!({ "room": room, "who": carol_at, "reason": "Come" }));
    carol.until_event("is invited", |it| it["event"] == "invited" && it["reason"] == "Come");
    carol.enter(&room, "carol");
    let since = alice.count();
    alice.must("room.destroy", json!({ "room": room }));
    alice.until_event("it is closed", since, |it| {
        it["type"] == "room" && it["change"] == "failed" && it["room"] == room.as_str()
    });
}

#[test]
fn invitations_are_answered_and_bookmarks_lead_back() {
    if !have("invitations and bookmarks", &NEEDS) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let mut bob = servers.chat_client("bob");
    let alice_at = format!("alice@{DOMAIN}");
    let room = format!("bobs@conference.{DOMAIN}");
    let other = format!("others@conference.{DOMAIN}");
    bob.enter(&room, "bob");
    let mut alice = Client::start(scratch.path(), "alice", &servers.setup());
    alice.sign_in(&alice_at, PASSWORD, &["im"]);

    // Through the room and directly, one invitation is left of both.
    let since = alice.count();
    bob.invite(&room, &alice_at, false, "Lunch?");
    alice.until_event("the invitation", since, |it| {
        it["type"] == "room" && it["change"] == "invited" && it["room"] == room.as_str()
    });
    bob.invite(&room, &alice_at, true, "Lunch!");
    bob.invite(&other, &alice_at, true, "Other");
    until("both invitations", 30, || {
        let list = alice.must("room.list", json!({}));
        (list["invitations"].as_array().is_some_and(|it| it.len() == 2)).then_some(())
    });
    alice.must("room.answer", json!({ "room": other, "accept": false }));
    alice.must("room.answer", json!({ "room": room, "accept": true }));
    until_room(&alice, &room, "in the room", |it| it["state"] == "joined");
    bob.say(&room, "before");
    let since = alice.count();
    alice.until_message(&format!("{room}/bob"), "before", since.saturating_sub(20));

    alice.must("room.bookmark", json!({ "room": room, "autojoin": true }));
    alice.must("session.signOut", json!({}));
    alice.end();
    bob.say(&room, "while alice was away");
    bob.say(&room, "twice");

    // Another profile: only the server knows of the room.
    let again = Client::start(scratch.path(), "again", &servers.setup());
    again.sign_in(&alice_at, PASSWORD, &["im"]);
    let shown = until_room(&again, &room, "entered by its bookmark", |it| it["state"] == "joined");
    assert_eq!((&shown["bookmarked"], &shown["autojoin"]), (&json!(true), &json!(true)));
    until("what was said meanwhile", 30, || {
        let said = bodies(&again, &room);
        (said == ["before", "while alice was away", "twice"]).then_some(())
    });
    again.must("room.browse", json!({}));
    let listing = until("the listing", 30, || {
        let listing = again.must("room.listing", json!({}));
        (listing["busy"] == false && listing["items"].as_array().is_some_and(|it| !it.is_empty()))
            .then_some(listing)
    });
    let items = listing["items"].as_array().cloned().unwrap_or_default();
    assert!(items.iter().any(|it| it["room"] == room.as_str()), "{listing:#}");
    let missing = again.ctl("room.join", json!({ "room": format!("nobody@conference.{DOMAIN}") }));
    assert_ne!(missing.0, 0, "{}", missing.1);
    assert!(missing.1.to_string().contains("no such room"), "{}", missing.1);
}

#[test]
fn a_restart_of_the_server_leads_back_into_the_room() {
    if !have("a room on a server that is restarted", &NEEDS) {
        return;
    }
    let scratch = Scratch::new();
    let mut servers = Standard::start(&scratch, &Parts::chat());
    let alice_at = format!("alice@{DOMAIN}");
    let alice = Client::start(scratch.path(), "alice", &servers.setup());
    alice.sign_in(&alice_at, PASSWORD, &["im"]);
    let made = alice.must("room.create", json!({ "name": "Lasting", "persistent": true }));
    let room = made["room"].as_str().expect("an address").to_owned();
    alice.say(&room, "first", "delivered");

    servers.chat.as_mut().expect("a chat server").stop();
    alice.until_session("without chat", |it| it["services"]["im"]["state"] != "ready");
    let since = alice.count();
    let queued = alice.must("chat.send", json!({ "to": room, "body": "written meanwhile" }));
    servers.chat.as_mut().expect("a chat server").start_again();
    alice.until_event("it is in the room", since, |it| {
        it["type"] == "chat" && it["id"] == queued["id"] && it["state"] == "delivered"
    });
    let mut bob = servers.chat_client("bob");
    bob.enter(&room, "bob");
    bob.until_message("written meanwhile");
    let again = bob.events().iter().filter(|it| it["body"] == "written meanwhile").count();
    assert_eq!(again, 1, "once");
    assert_eq!(bodies(&alice, &room), ["first", "written meanwhile"]);
}

#[test]
fn what_was_missed_and_what_was_said_before_come_from_the_rooms_archive() {
    if !have("a room's archive", &NEEDS) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let mut bob = servers.chat_client("bob");
    let alice_at = format!("alice@{DOMAIN}");
    let room = format!("long@conference.{DOMAIN}");
    bob.enter(&room, "bob");
    let words = |range: std::ops::Range<usize>| -> Vec<String> {
        range.map(|n| format!("word {n:03}")).collect()
    };
    // More than the server replays to who comes.
    for word in words(0..120) {
        bob.say(&room, &word);
    }
    bob.until_message("word 119");

    let alice = Client::start(scratch.path(), "alice", &servers.setup());
    alice.sign_in(&alice_at, PASSWORD, &["im"]);
    alice.must("room.join", json!({ "room": room }));
    until("what the room replays", 30, || {
        bodies(&alice, &room).last().filter(|it| *it == "word 119").cloned()
    });
    let replayed = bodies(&alice, &room).len();
    assert!((1..120).contains(&replayed), "{replayed}");
    let all = |client: &Client| {
        let history = client.must("chat.history", json!({ "with": room, "limit": 1000 }));
        let items = history["items"].as_array().cloned().unwrap_or_default();
        items.iter().filter_map(|it| it["body"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    until("all that was said before", 60, || {
        alice.must("chat.open", json!({ "with": room }));
        alice.must("chat.older", json!({ "with": room }));
        offhook_interop::pause(0.5);
        (all(&alice) == words(0..120)).then_some(())
    });

    // Away, and again: everything in between, once and in order, and ours behind it.
    alice.must("room.bookmark", json!({ "room": room, "autojoin": true }));
    alice.must("session.signOut", json!({}));
    for word in words(120..400) {
        bob.say(&room, &word);
    }
    bob.until_message("word 399");
    alice.sign_in(&alice_at, PASSWORD, &["im"]);
    until_room(&alice, &room, "in it again", |it| it["state"] == "joined");
    until("what was missed", 60, || (all(&alice) == words(0..400)).then_some(()));
    alice.say(&room, "I am back", "delivered");
    assert_eq!(all(&alice).last().map(String::as_str), Some("I am back"));
}
