//! People, through Prosody, with a client that is not ours (slixmpp): pictures, cards, blocking, away
//! by idle time, alerts, last activity, and "On a call".

use offhook_interop::{
    Client, DOMAIN, PASSWORD, Parts, PhoneAccount, Scratch, Standard, Transport, XmppPeer, have,
    until,
};
use serde_json::{Value, json};

/// A picture of one pixel; with its SHA-1 and in Base64, made with coreutils.
const PNG: &[u8] = include_bytes!("../fixtures/dot.png");
const PNG_SHA1: &str = "5101f7c437776628adb60a220a7a1cae3c5dcba2";
const PNG_BASE64: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNwaDgAAAKEAYEml6crAAAAAElFTkSuQmCC";

struct Stage {
    alice: Client,
    bob: XmppPeer,
    alice_at: String,
    bob_at: String,
    // Ended last.
    servers: Standard,
    scratch: Scratch,
}

impl Stage {
    /// Alice and Bob see each other.
    fn set(what: &str, parts: &Parts, peers: &[&str], services: &[&str]) -> Option<Self> {
        if !have(what, peers) {
            return None;
        }
        let scratch = Scratch::new();
        let servers = Standard::start(&scratch, parts);
        let mut bob = servers.chat_client("bob");
        let (alice_at, bob_at) = (format!("alice@{DOMAIN}"), format!("bob@{DOMAIN}"));
        let alice = Client::start(scratch.path(), "alice", &servers.setup());
        alice.sign_in(&alice_at, PASSWORD, services);
        alice.must("roster.add", json!({ "contact": bob_at, "name": "Bob" }));
        bob.subscribe(&alice_at);
        let asks = |row: &Value| row["wantsUs"] == true || row["subscription"] == "both";
        until("bob's question", 30, || asks(&row(&alice)).then_some(()));
        alice.must("roster.add", json!({ "contact": bob_at }));
        until("bob on alice's list", 30, || {
            let bob = row(&alice);
            (bob["subscription"] == "both" && bob["availability"] == "available").then_some(())
        });
        Some(Self { alice, bob, alice_at, bob_at, servers, scratch })
    }

    fn chat(what: &str) -> Option<Self> {
        Self::set(what, &Parts::chat(), &["knotd", "prosody", "slixmpp"], &["im"])
    }

    /// Waits until Bob has seen Alice like this, from the report `since` on.
    #[track_caller]
    fn seen(&self, what: &str, since: usize, fits: impl Fn(&Value) -> bool) {
        until(what, 30, || {
            let events = self.bob.events();
            events.iter().skip(since).find_map(|it| {
                let hers = it["event"] == "presence" && it["from"] == self.alice_at.as_str();
                (hers && fits(it)).then_some(())
            })
        });
    }
}

fn row(alice: &Client) -> Value {
    alice.must("roster.list", json!({}))["items"][0].clone()
}

#[test]
fn pictures_and_cards_pass_both_ways() {
    let Some(mut stage) = Stage::chat("pictures and cards") else { return };
    let Stage { alice, bob, alice_at, bob_at, scratch, .. } = &mut stage;
    let bob_is = json!({ "contact": bob_at });
    bob.ask(
        "card1",
        "<iq type='set' id='card1'><vCard xmlns='vcard-temp'><FN>Bob Stone</FN><TITLE>Smith</TITLE>\
         <TEL><WORK/><NUMBER>+1 555 0100</NUMBER></TEL></vCard></iq>",
    );
    for (id, node, item) in [
        ("pep1", "data", format!("<data xmlns='urn:xmpp:avatar:data'>{PNG_BASE64}</data>")),
        (
            "pep2",
            "metadata",
            format!(
                "<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='{}' id='{PNG_SHA1}' \
                 type='image/png'/></metadata>",
                PNG.len()
            ),
        ),
    ] {
        let answer = bob.ask(
            id,
            &format!(
                "<iq type='set' id='{id}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
                 <publish node='urn:xmpp:avatar:{node}'><item id='{PNG_SHA1}'>{item}</item>\
                 </publish></pubsub></iq>"
            ),
        );
        assert!(answer.contains("type=\"result\"") || answer.contains("type='result'"), "{answer}");
    }
    until("bob's picture", 30, || {
        let photo = alice.must("people.photo", bob_is.clone());
        (photo["photo"] == PNG_SHA1 && photo["size"] == PNG.len()).then_some(())
    });
    let details = until("bob's card", 30, || {
        let details = alice.must("people.details", bob_is.clone());
        details["numbers"].is_array().then_some(details)
    });
    assert_eq!((&details["name"], &details["title"]), (&json!("Bob Stone"), &json!("Smith")));
    assert_eq!(details["numbers"][0], json!(["work", "+1 555 0100"]), "{details:#}");

    let path = scratch.path().join("me.png");
    std::fs::write(&path, PNG).expect("written");
    alice.must("people.setPhoto", json!({ "path": path }));
    let mut asked = 0;
    until("alice's picture is published", 30, || {
        asked += 1;
        let id = format!("meta{asked}");
        let question = format!(
            "<iq type='get' id='{id}' to='{alice_at}'><pubsub \
             xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'/>\
             </pubsub></iq>"
        );
        bob.ask(&id, &question).contains(PNG_SHA1).then_some(())
    });
    let question = format!(
        "<iq type='get' id='data1' to='{alice_at}'><pubsub \
         xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'>\
         <item id='{PNG_SHA1}'/></items></pubsub></iq>"
    );
    assert!(bob.ask("data1", &question).contains(PNG_BASE64));
    let question =
        format!("<iq type='get' id='card2' to='{alice_at}'><vCard xmlns='vcard-temp'/></iq>");
    let card = bob.ask("card2", &question);
    assert!(card.replace(char::is_whitespace, "").contains(PNG_BASE64), "{card}");
    std::fs::write(&path, b"no picture").expect("written");
    let (_, refused) = alice.ctl("people.setPhoto", json!({ "path": path }));
    assert!(refused.to_string().contains("PNG"), "{refused}");
}

#[test]
fn blocking_works_both_ways() {
    let Some(mut stage) = Stage::chat("blocking") else { return };
    let bob_is = json!({ "contact": stage.bob_at });
    stage.alice.must("people.block", bob_is.clone());
    until("bob is blocked", 30, || (row(&stage.alice)["blocked"] == true).then_some(()));
    stage.seen("alice is gone for bob", 0, |it| it["show"] == "unavailable");
    stage.bob.send(&stage.alice_at.clone(), "can you hear me?");
    // The server has dealt with it when it answers what comes after it.
    let ping = format!("<iq type='get' id='p1' to='{DOMAIN}'><ping xmlns='urn:xmpp:ping'/></iq>");
    stage.bob.ask("p1", &ping);
    stage.alice.must("people.unblock", bob_is);
    until("bob is heard", 30, || (row(&stage.alice)["blocked"] != true).then_some(()));
    let since = stage.alice.count();
    stage.bob.send(&stage.alice_at.clone(), "and now?");
    stage.alice.until_message(&stage.bob_at, "and now?", since);
    let history = stage.alice.must("chat.history", json!({ "with": stage.bob_at }));
    assert!(!history.to_string().contains("can you hear me?"), "{history:#}");

    let block = format!(
        "<iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='{}'/></block></iq>",
        stage.alice_at
    );
    stage.bob.ask("b1", &block);
    let offline = |alice: &Client| row(alice)["availability"] == "offline";
    until("bob is gone for alice", 30, || offline(&stage.alice).then_some(()));
    let id = stage.alice.must("chat.send", json!({ "to": stage.bob_at, "body": "hello?" }));
    until("it comes back", 30, || {
        let history = stage.alice.must("chat.history", json!({ "with": stage.bob_at }));
        let items = history["items"].as_array().cloned().unwrap_or_default();
        items.into_iter().find(|it| it["id"] == id["id"] && it["state"] == "failed")
    });
}

#[test]
fn a_left_desk_is_seen_and_so_is_coming_back() {
    let Some(stage) = Stage::chat("idle time") else { return };
    let since = stage.bob.events().len();
    stage.alice.must("presence.idle", json!({ "seconds": 3600 }));
    stage.seen("alice is away", since, |it| {
        it["show"] == "away" && it["idle"] == true && it["priority"] == 2
    });
    let since = stage.bob.events().len();
    stage.alice.must("presence.idle", json!({ "seconds": 0 }));
    stage.seen("alice is back", since, |it| it["show"] == "available" && it["idle"] == false);
    stage.alice.must("presence.set", json!({ "availability": "dnd", "note": "Writing" }));
    stage.seen("alice is busy", since, |it| it["show"] == "dnd" && it["note"] == "Writing");
    let since = stage.bob.events().len();
    stage.alice.must("presence.idle", json!({ "seconds": 3600, "locked": true }));
    stage.seen("still busy", since, |it| it["show"] == "dnd" && it["idle"] == true);
}

#[test]
fn an_alert_comes_when_somebody_is_available_again() {
    let Some(mut stage) = Stage::chat("alerts and last activity") else { return };
    let bob_is = json!({ "contact": stage.bob_at });
    let (status, answer) = stage.alice.ctl("people.alert", bob_is.clone());
    assert_ne!(status, 0, "bob is here: {answer}");
    stage.bob.presence("dnd", "In a meeting");
    until("bob is in a meeting", 30, || {
        (row(&stage.alice)["activity"] == "inMeeting").then_some(())
    });
    stage.alice.must("people.alert", bob_is.clone());
    assert_eq!(row(&stage.alice)["alert"], true);
    let since = stage.alice.count();
    stage.bob.presence("available", "");
    let bob_at = stage.bob_at.clone();
    stage.alice.until_event("bob is available", since, |it| {
        it["type"] == "available" && it["contact"] == bob_at.as_str()
    });
    assert_ne!(row(&stage.alice)["alert"], true, "told once");
    drop(stage.bob);
    until("bob is gone", 30, || (row(&stage.alice)["availability"] == "offline").then_some(()));
    until("when bob was here", 30, || {
        let details = stage.alice.must("people.details", bob_is.clone());
        details["lastSeen"].is_string().then_some(())
    });
}

#[test]
fn who_is_on_a_call_is_seen_to_be() {
    let peers = &["knotd", "prosody", "slixmpp", "kamailio", "kamcmd", "baresip"];
    let parts = Parts { sip: vec![Transport::Tls], ..Parts::default() };
    let Some(stage) = Stage::set("calls that are seen", &parts, peers, &["im", "phone"]) else {
        return;
    };
    let accounts = [PhoneAccount { user: "PCMU", codec: "PCMU/8000/1", more: "" }];
    let _phone = stage.servers.phone(Transport::Tls, &accounts);
    stage.servers.sip().until_registered("alice", 20);
    let (since, heard) = (stage.bob.events().len(), stage.alice.count());
    let id = stage.alice.dial(&format!("sip:PCMU@{DOMAIN}"));
    stage.alice.until_call(&id, "connected", heard);
    stage.seen("alice is on a call", since, |it| {
        it["show"] == "away" && it["note"] == "On a call" && it["custom"] == "on-call"
    });
    let own = stage.alice.must("presence.get", json!({}));
    assert_eq!(own["activity"], "onCall", "{own}");
    let since = stage.bob.events().len();
    stage.alice.must("call.hangUp", json!({ "id": id }));
    stage.seen("alice is free", since, |it| it["show"] == "available" && it["note"] == "");
}
