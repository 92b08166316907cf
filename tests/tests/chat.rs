//! Chatting through Prosody with a client that is not ours (slixmpp).

use offhook_interop::{Client, DOMAIN, PASSWORD, Parts, Scratch, Standard, have, until};
use serde_json::json;

#[test]
fn messages_receipts_and_presence_pass_both_ways() {
    if !have("chat with a foreign client", &["knotd", "prosody", "slixmpp"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let mut bob = servers.chat_client("bob");
    let (alice_at, bob_at) = (format!("alice@{DOMAIN}"), format!("bob@{DOMAIN}"));
    let alice = Client::start(scratch.path(), "alice", &servers.setup());
    alice.sign_in(&alice_at, PASSWORD, &["im"]);

    alice.say(&bob_at, "Grüße — 你好 & <b>", "delivered");
    bob.until_message("Grüße — 你好 & <b>");

    let since = alice.count();
    bob.send(&alice_at, "straight back & <i> ✓");
    alice.until_message(&bob_at, "straight back & <i> ✓", since);
    until("a receipt for bob", 30, || bob.events().into_iter().find(|it| it["event"] == "receipt"));

    let since = alice.count();
    alice.must("roster.add", json!({ "contact": bob_at, "name": "Bob", "group": "Peers" }));
    bob.until_event("is asked by alice", |it| {
        it["event"] == "asked" && it["from"] == alice_at.as_str()
    });
    // Bob asks back. Putting him on the list is the answer.
    until("bob's question on alice's list", 30, || {
        let roster = alice.must("roster.list", json!({}));
        let row = &roster["items"][0];
        (row["wantsUs"] == true || row["subscription"] == "both").then_some(())
    });
    alice.must("roster.add", json!({ "contact": bob_at }));
    bob.until_event("may see alice", |it| {
        it["event"] == "subscribed" && it["from"] == alice_at.as_str()
    });
    bob.presence("dnd", "In a meeting until 3");
    alice.until_event("bob does not want to be disturbed", since, |it| {
        it["type"] == "presence"
            && it["contact"] == bob_at.as_str()
            && it["availability"] == "dnd"
            && it["note"] == "In a meeting until 3"
    });
    let roster = alice.must("roster.list", json!({}));
    let row = &roster["items"][0];
    assert_eq!((&row["contact"], &row["name"]), (&json!(bob_at), &json!("Bob")), "{roster:#}");
    assert_eq!(row["availability"], "dnd", "{roster:#}");

    alice.must("presence.set", json!({ "availability": "away", "note": "Back at noon" }));
    bob.until_event("sees alice's note", |it| {
        it["event"] == "presence"
            && it["from"] == alice_at.as_str()
            && it["show"] == "away"
            && it["note"] == "Back at noon"
    });

    let history = alice.must("chat.history", json!({ "with": bob_at, "limit": 10 }));
    let bodies: Vec<_> = history["items"].as_array().cloned().unwrap_or_default();
    let bodies: Vec<_> = bodies.iter().filter_map(|it| it["body"].as_str()).collect();
    assert_eq!(bodies, ["Grüße — 你好 & <b>", "straight back & <i> ✓"], "{history:#}");
}

#[test]
fn a_message_written_meanwhile_arrives_after_the_sign_in() {
    if !have("messages kept by the server", &["knotd", "prosody", "slixmpp"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let mut bob = servers.chat_client("bob");
    bob.send(&format!("alice@{DOMAIN}"), "while you were out");
    let alice = Client::start(scratch.path(), "alice", &servers.setup());
    alice.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["im"]);
    until("the message in the history", 30, || {
        let params = json!({ "with": format!("bob@{DOMAIN}"), "limit": 5 });
        let history = alice.must("chat.history", params);
        (history["items"][0]["body"] == "while you were out").then_some(())
    });
}

#[test]
fn a_message_written_while_the_server_is_away_is_sent_when_it_is_back() {
    if !have("a chat server that is restarted", &["knotd", "prosody", "slixmpp"]) {
        return;
    }
    let scratch = Scratch::new();
    let mut servers = Standard::start(&scratch, &Parts::chat());
    let alice = Client::start(scratch.path(), "alice", &servers.setup());
    alice.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["im"]);
    servers.chat.as_mut().expect("a chat server").stop();
    alice.until_session("without chat", |it| it["services"]["im"]["state"] != "ready");
    let since = alice.count();
    let to = format!("bob@{DOMAIN}");
    let answer = alice.must("chat.send", json!({ "to": to, "body": "written meanwhile" }));
    servers.chat.as_mut().expect("a chat server").start_again();
    let bob = servers.chat_client("bob");
    bob.until_message("written meanwhile");
    alice.until_event("it is delivered", since, |it| {
        it["type"] == "chat" && it["id"] == answer["id"] && it["state"] == "delivered"
    });
    alice.until_session("ready to chat", |it| {
        it["state"] == "signedIn" && it["services"]["im"]["state"] == "ready"
    });
}
