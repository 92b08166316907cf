//! Messages that refer to others, through Prosody with a client that is not ours (slixmpp), both
//! ways: answers (XEP-0461), corrections (XEP-0308), reactions (XEP-0444), retractions (XEP-0424),
//! markers (XEP-0333), and the same from another device of ours (XEP-0280).

use offhook_interop::{Client, DOMAIN, PASSWORD, Parts, Scratch, Standard, XmppPeer, have, until};
use serde_json::{Value, json};

const PEERS: &[&str] = &["knotd", "prosody", "slixmpp"];

/// Alice with our client, bob with the other one.
struct Pair {
    alice: Client,
    bob: XmppPeer,
    alice_at: String,
    bob_at: String,
    servers: Standard,
    _scratch: Scratch,
}

impl Pair {
    fn start() -> Self {
        let scratch = Scratch::new();
        let servers = Standard::start(&scratch, &Parts::chat());
        let bob = servers.chat_client("bob");
        let (alice_at, bob_at) = (format!("alice@{DOMAIN}"), format!("bob@{DOMAIN}"));
        let alice = Client::start(scratch.path(), "alice", &servers.setup());
        alice.sign_in(&alice_at, PASSWORD, &["im"]);
        Self { alice, bob, alice_at, bob_at, servers, _scratch: scratch }
    }

    /// The message as alice's history has it once it fits.
    #[track_caller]
    fn kept(&self, what: &str, id: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let params = json!({ "with": self.bob_at, "limit": 50 });
        until(what, 30, || {
            let history = self.alice.must("chat.history", params.clone());
            let items = history["items"].as_array().cloned().unwrap_or_default();
            items.into_iter().find(|it| it["id"] == id && fits(it))
        })
    }

    fn bob_says(&mut self, id: &str, body: &str) {
        let since = self.alice.count();
        let to = self.alice_at.clone();
        self.bob.word(json!({ "kind": "text", "to": to, "id": id, "body": body }));
        self.alice.until_message(&self.bob_at, body, since);
    }

    fn wish(&self, method: &str, mut params: Value) -> Value {
        params["with"] = json!(self.bob_at);
        self.alice.must(method, params)
    }
}

#[test]
fn what_we_write_about_messages_is_understood() {
    if !have("answers, corrections, reactions, retractions with a foreign client", PEERS) {
        return;
    }
    let mut pair = Pair::start();
    pair.bob_says("bobs-1", "Lunch?");

    let answer = pair.wish("chat.reply", json!({ "to": "bobs-1", "body": "At noon" }));
    let heard = pair.bob.until_word("reply", |it| it["of"] == "bobs-1");
    let body = heard["body"].as_str().unwrap_or_default();
    assert_eq!(heard["id"], answer["id"]);
    assert_eq!(body, "> Lunch?\nAt noon");
    assert_eq!(heard["fallback"], json!([0, "> Lunch?\n".len()]));

    let id = pair.alice.say(&pair.bob_at, "Helo", "delivered");
    pair.wish("chat.correct", json!({ "id": id, "body": "Hello" }));
    pair.bob.until_word("correct", |it| it["of"] == id.as_str() && it["body"] == "Hello");
    pair.kept("the corrected text is kept", &id, |it| {
        it["body"] == "Hello" && it["edited"] == true
    });

    pair.wish("chat.react", json!({ "id": "bobs-1", "emoji": ["👍", "🎉"] }));
    pair.bob.until_word("react", |it| it["of"] == "bobs-1" && it["emoji"] == json!(["👍", "🎉"]));
    pair.wish("chat.react", json!({ "id": "bobs-1", "emoji": [] }));
    pair.bob.until_word("react", |it| it["of"] == "bobs-1" && it["emoji"] == json!([]));

    pair.wish("chat.retract", json!({ "id": id }));
    let heard = pair.bob.until_word("retract", |it| it["of"] == id.as_str());
    assert!(!heard["body"].as_str().unwrap_or_default().contains("Hello"));
    pair.kept("nothing of it is kept", &id, |it| {
        it["body"] == "" && it["retracted"]["by"] == pair.alice_at.as_str()
    });

    let listed = pair.alice.must("chat.list", json!({}));
    assert_eq!(listed["items"][0]["with"], pair.bob_at.as_str());
    pair.wish("chat.markRead", json!({}));
    pair.bob.until_word("seen", |it| it["of"] == "bobs-1");
}

#[test]
fn what_others_write_about_messages_is_shown() {
    if !have("a foreign client's answers, corrections, reactions, retractions", PEERS) {
        return;
    }
    let mut pair = Pair::start();
    let to = pair.alice_at.clone();
    let id = pair.alice.say(&pair.bob_at, "Lunch?", "delivered");

    let since = pair.alice.count();
    pair.bob.word(json!({ "kind": "reply", "to": to, "id": "b1", "of": id, "body": "At noon" }));
    pair.alice.until_message(&pair.bob_at, "At noon", since);
    pair.kept("what it answers", "b1", |it| it["replyTo"]["id"] == id.as_str());

    pair.bob.word(json!({ "kind": "correct", "to": to, "id": "b2", "of": "b1", "body": "At one" }));
    pair.kept("the corrected text", "b1", |it| it["body"] == "At one" && it["edited"] == true);
    pair.alice.until_event("a change is told", since, |it| {
        it["type"] == "message" && it["message"]["body"] == "At one"
    });

    pair.bob.word(
        json!({ "kind": "react", "to": to, "id": "b3", "of": id, "emoji": ["❤️", "no emoji"] }),
    );
    let kept =
        pair.kept("a reaction", &id, |it| it["reactions"].as_array().is_some_and(|r| r.len() == 1));
    assert_eq!(kept["reactions"][0], json!({ "emoji": "❤️", "from": [pair.bob_at], "own": false }));

    pair.bob.word(json!({ "kind": "seen", "to": to, "id": "b4", "of": id }));
    pair.kept("that it was read", &id, |it| it["state"] == "read");

    pair.bob.word(json!({ "kind": "retract", "to": to, "id": "b5", "of": "b1" }));
    pair.kept("that it was taken back", "b1", |it| {
        it["body"] == "" && it["retracted"]["by"] == pair.bob_at.as_str()
    });

    // Bob tries the same with what alice wrote.
    let since = pair.alice.count();
    pair.bob.word(json!({ "kind": "correct", "to": to, "id": "b6", "of": id, "body": "forged" }));
    pair.bob.word(json!({ "kind": "retract", "to": to, "id": "b7", "of": id }));
    pair.alice.until_event("it is told once", since, |it| it["type"] == "diagnostic");
    pair.bob_says("b8", "after that");
    let history = pair.wish("chat.history", json!({}));
    let bodies: Vec<_> =
        history["items"].as_array().into_iter().flatten().map(|it| &it["body"]).collect();
    assert_eq!(bodies, ["Lunch?", "", "after that"], "{history:#}");
}

#[test]
fn what_another_device_of_ours_changes_is_changed_here() {
    if !have("another device of ours on a foreign client", PEERS) {
        return;
    }
    let pair = Pair::start();
    let mut phone = pair.servers.chat_client("alice");
    let to = pair.bob_at.clone();
    phone.word(json!({ "kind": "text", "to": to, "id": "p1", "body": "from my phne" }));
    pair.kept("a copy of it", "p1", |it| it["own"] == true);
    phone.word(
        json!({ "kind": "correct", "to": to, "id": "p2", "of": "p1", "body": "from my phone" }),
    );
    pair.kept("its correction", "p1", |it| it["body"] == "from my phone");
    phone.word(json!({ "kind": "react", "to": to, "id": "p3", "of": "p1", "emoji": ["👍"] }));
    pair.kept("its reaction", "p1", |it| it["reactions"][0]["own"] == true);
    phone.word(json!({ "kind": "retract", "to": to, "id": "p4", "of": "p1" }));
    pair.kept("its retraction", "p1", |it| {
        it["body"] == "" && it["retracted"]["by"] == pair.alice_at.as_str()
    });
}

#[test]
fn a_correction_made_without_a_server_arrives_when_it_is_back() {
    if !have("a correction over a restart", PEERS) {
        return;
    }
    let mut pair = Pair::start();
    let id = pair.alice.say(&pair.bob_at, "Helo", "delivered");
    pair.servers.chat.as_mut().expect("a chat server").stop();
    pair.alice.until_session("without chat", |it| it["services"]["im"]["state"] != "ready");
    pair.wish("chat.correct", json!({ "id": id, "body": "Hello" }));
    pair.servers.chat.as_mut().expect("a chat server").start_again();
    let bob = pair.servers.chat_client("bob");
    bob.until_word("correct", |it| it["of"] == id.as_str() && it["body"] == "Hello");
}
