//! High availability of IM and Presence over the laboratory's two nodes: one dies while people chat,
//! both are gone, users are moved back; inside, through an edge, and for plain accounts.

use offhook_interop::{Client, Lab, Scratch, Setup, until};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";
const CAROL: &str = "carol@lab.example";
const CANTEEN: &str = "pchatroom1001@conference-1-standalonecluster0a1b2.lab.example";

/// The limits are seconds here; in the field they are minutes.
const TWO_NODES: &str = "[im]\nsecondNode = true\nreloginLower = 1\nreloginUpper = 2\n\
                         mutualContacts = true\n";

struct World {
    scratch: Scratch,
    lab: Lab,
}

impl World {
    fn new(scenario: &str) -> Self {
        let scratch = Scratch::new();
        let lab = Lab::scenario(scratch.path(), scenario, &[], TWO_NODES);
        Self { scratch, lab }
    }

    fn client(&self, name: &str) -> Client {
        let setup = Setup {
            name_server: Some(self.lab.name_server()),
            ca_file: Some(self.lab.authority()),
            hosts: self.lab.hosts(),
            ..Setup::default()
        };
        Client::start(self.scratch.path(), name, &setup)
    }

    fn signed_in(&self, address: &str) -> Client {
        let client = self.client(address.split('@').next().unwrap_or_default());
        client.sign_in(address, "secret", &["im"]);
        client
    }

    /// Waits until somebody chats at a node.
    #[track_caller]
    fn until_at(&self, user: &str, node: &str, since: usize) -> Value {
        until(&format!("{user} chats at {node}"), 40, || {
            self.lab.events().into_iter().skip(since).find(|event| {
                event["type"] == "chatBegan" && event["user"] == user && event["node"] == node
            })
        })
    }

    fn kill(&self, node: &str) -> usize {
        let since = self.lab.count();
        self.lab.tell(&format!("kill {node}"));
        self.lab.until_event("node", since);
        since
    }
}

fn im(session: &Value) -> &Value {
    &session["services"]["im"]["state"]
}

/// What a conversation holds: own or not, and the text, oldest first.
fn said(client: &Client, with: &str) -> Vec<(bool, String)> {
    let history = client.must("chat.history", json!({ "with": with, "limit": 100 }));
    let items = history["items"].as_array().cloned().unwrap_or_default();
    let row = |it: &Value| (it["own"] == true, it["body"].as_str().unwrap_or_default().to_owned());
    items.iter().map(row).collect()
}

#[track_caller]
fn until_sees(client: &Client, who: &str, online: bool) {
    until(&format!("{who} is seen"), 40, || {
        let roster = client.must("roster.list", Value::Null);
        let all = roster.as_array().or(roster["items"].as_array()).cloned().unwrap_or_default();
        let contact = all.into_iter().find(|it| it["contact"] == who)?;
        (online == (contact["availability"] == "available")).then_some(())
    });
}

#[test]
fn chat_goes_on_at_the_other_node_and_comes_back_when_it_is_moved() {
    let world = World::new("on-prem");
    let (alice, carol) = (world.signed_in(ALICE), world.signed_in(CAROL));
    world.until_at("alice", "imp1", 0);
    alice.must("room.join", json!({ "room": CANTEEN }));
    alice.say(CANTEEN, "before", "delivered");
    alice.say(CAROL, "one", "delivered");
    until_sees(&alice, CAROL, true);

    let since = world.kill("imp1");
    alice.until_session("without chat", |it| im(it) != "ready");
    let mut ids = vec![];
    for body in ["two", "three", "four"] {
        let answer = alice.must("chat.send", json!({ "to": CAROL, "body": body }));
        ids.push(answer["id"].clone());
    }
    alice.must("chat.send", json!({ "to": CANTEEN, "body": "meanwhile" }));
    world.until_at("alice", "imp2", since);
    world.until_at("carol", "imp2", since);
    let session = alice.until_session("chatting", |it| im(it) == "ready");
    let address = session["services"]["im"]["address"].as_str().unwrap_or_default();
    assert!(address.starts_with("imp2.lab.example"), "{session:#}");
    let want: Vec<String> = ["one", "two", "three", "four"].map(str::to_owned).into();
    until("everything arrives", 40, || {
        let got: Vec<String> = said(&carol, ALICE).into_iter().map(|(_, body)| body).collect();
        (got.len() >= want.len()).then(|| assert_eq!(got, want, "once each, in order"))
    });
    until_sees(&alice, CAROL, true);
    until_sees(&carol, ALICE, true);
    // The room was entered again, and what was written meanwhile went there once.
    let room = |text: &str| (false, format!("You said: {text}"));
    until("the room answers", 40, || {
        let got = said(&alice, CANTEEN);
        let once = |text: &str| got.iter().filter(|it| **it == room(text)).count() == 1;
        (once("before") && once("meanwhile")).then_some(())
    });

    // The node comes back: nobody moves by itself. Then everybody is moved.
    world.lab.tell("revive imp1");
    world.lab.until_event("node", since + 1);
    let since = world.lab.count();
    alice.say(CAROL, "five", "delivered");
    world.lab.tell("fallback");
    for user in ["alice", "carol"] {
        world.until_at(user, "imp1", since);
    }
    alice.until_session("chatting", |it| im(it) == "ready");
    alice.say(CAROL, "six", "delivered");
    let got: Vec<String> = said(&carol, ALICE).into_iter().map(|(_, body)| body).collect();
    assert_eq!(got, ["one", "two", "three", "four", "five", "six"]);
}

/// A session that the servers have forgotten is no obstacle: name and password open another.
#[test]
fn a_forgotten_session_is_opened_anew_after_a_second_wait() {
    let world = World::new("im-only");
    let alice = world.signed_in(ALICE);
    world.lab.tell("forget sessions");
    let since = world.kill("imp1");
    world.until_at("alice", "imp2", since);
    alice.until_session("signed in", |it| it["state"] == "signedIn" && im(it) == "ready");
    // The newest session is the one that counts from now on: it is known at the other node.
    world.lab.tell("revive imp1");
    let since = world.kill("imp2");
    world.until_at("alice", "imp1", since);
    alice.until_session("signed in", |it| it["state"] == "signedIn" && im(it) == "ready");
    alice.say(BOB, "here again", "delivered");
}

#[test]
fn with_both_nodes_gone_there_is_a_sentence_and_try_again_works() {
    let world = World::new("on-prem");
    let alice = world.signed_in(ALICE);
    world.kill("imp2");
    let since = world.kill("imp1");
    let session = alice.until_session("without chat", |it| {
        im(it) == "failed"
            && it["services"]["im"]["error"]["remedy"] != Value::Null
            && it["services"]["im"]["error"]["cause"]
                .as_str()
                .is_some_and(|it| it.contains("nothing more is tried by itself"))
    });
    assert_eq!(session["state"], "signedIn", "the phone works: {session:#}");
    alice.must("chat.send", json!({ "to": BOB, "body": "kept" }));
    // A wish that fails ends in the same sentence.
    alice.must("session.tryAgain", Value::Null);
    alice.until_session("without chat", |it| im(it) == "failed");
    world.lab.tell("revive imp2");
    world.lab.until_event("node", since + 1);
    until("a wish is granted", 40, || {
        // While one is under way the next is refused.
        let _ = alice.ctl("session.tryAgain", Value::Null);
        offhook_interop::attempt(5, || (im(&alice.session()) == "ready").then_some(()))
    });
    world.until_at("alice", "imp2", since);
    until("what was kept arrives", 40, || {
        let got = said(&alice, BOB);
        let echoes = got.iter().filter(|it| it.1 == "You said: kept").count();
        (echoes == 1).then_some(())
    });
}

#[test]
fn through_an_edge_chat_comes_back_by_the_other_node() {
    let world = World::new("edge");
    let alice = world.signed_in(ALICE);
    let began = world.until_at("alice", "imp1", 0);
    assert_eq!(began["byEdge"], true, "{began}");
    let since = world.kill("imp1");
    alice.must("chat.send", json!({ "to": BOB, "body": "kept" }));
    let began = world.until_at("alice", "imp2", since);
    assert_eq!(began["byEdge"], true, "{began}");
    alice.until_session("chatting", |it| im(it) == "ready");
    until("what was kept arrives", 40, || {
        let echoes = said(&alice, BOB).into_iter().filter(|it| it.1 == "You said: kept").count();
        (echoes == 1).then_some(())
    });
}

/// A plain account proves itself with its password each time; its servers are those of the records.
#[test]
fn a_plain_account_finds_the_other_server_by_itself() {
    let world = World::new("on-prem");
    let alice = world.signed_in("alice@open.lab.example");
    world.until_at("alice", "imp1", 0);
    let since = world.kill("imp1");
    alice.must("chat.send", json!({ "to": "bob@open.lab.example", "body": "kept" }));
    world.until_at("alice", "imp2", since);
    until("what was kept arrives", 40, || {
        let got = said(&alice, "bob@open.lab.example");
        (got.iter().filter(|it| it.1 == "You said: kept").count() == 1).then_some(())
    });
}
