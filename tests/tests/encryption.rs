//! Encryption from client to client through Prosody with a device that is not ours: slixmpp with
//! python3-twomemo. Nothing of the text is in what the server keeps.

use std::path::Path;

use offhook_interop::{
    Client, DOMAIN, PASSWORD, Parts, Scratch, Standard, by_ejabberd, have, until,
};
use serde_json::{Value, json};

fn bob() -> String {
    format!("bob@{DOMAIN}")
}

fn alice(scratch: &Scratch, servers: &Standard) -> Client {
    let alice = Client::start(scratch.path(), "alice", &servers.setup());
    alice.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["im"]);
    alice
}

fn newest(client: &Client) -> Value {
    let history = client.must("chat.history", json!({ "with": bob(), "limit": 1 }));
    history["items"][0].clone()
}

/// Whether anything below `folder` holds these bytes.
fn holds(folder: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds(&path, text);
        }
        let data = std::fs::read(path).unwrap_or_default();
        data.windows(text.len()).any(|it| it == text.as_bytes())
    })
}

#[test]
fn a_foreign_device_and_ours_read_each_other() {
    if !have("encryption with a foreign client", &["knotd", "prosody", "slixmpp", "twomemo"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let mut peer = servers.omemo_client("bob");
    let mut client = alice(&scratch, &servers);
    client.must("chat.encrypt", json!({ "with": bob(), "on": true }));
    let me = format!("alice@{DOMAIN}");

    // Both ways, many times.
    for round in 0..10 {
        let text = format!("whispered {round} grüße & <b>");
        client.must("chat.send", json!({ "to": bob(), "body": text }));
        peer.until_message(&text);
        let since = client.count();
        let text = format!("whispered back {round} ✓");
        peer.send(&me, &text);
        client.until_message(&bob(), &text, since);
    }
    assert_eq!(newest(&client)["protection"], "encrypted");

    // Keys are compared.
    let keys = client.must("chat.keys", json!({ "with": bob() }));
    let theirs = peer.until_event("has a key", |it| it["event"] == "key");
    assert_eq!(keys["keys"][0]["fingerprint"], theirs["fingerprint"], "{keys:#}");
    let trust = json!({
        "owner": bob(), "fingerprint": theirs["fingerprint"], "trust": "verified"
    });
    client.must("chat.trust", trust);
    client.must("chat.send", json!({ "to": bob(), "body": "whispered to the verified" }));
    peer.until_message("whispered to the verified");
    assert_eq!(newest(&client)["protection"], "verified");

    // The program ends and begins again: sessions go on.
    client.end();
    drop(client);
    let mut client = alice(&scratch, &servers);
    client.must("chat.send", json!({ "to": bob(), "body": "whispered after a restart" }));
    let got = peer.until_message("whispered after a restart");
    assert_eq!(got["begins"], false, "the session went on");

    // Killed at once after writing, again and again: no key is used twice.
    for round in 0..4 {
        let text = format!("whispered before a kill {round}");
        client.must("chat.send", json!({ "to": bob(), "body": text }));
        client.running.kill();
        drop(client);
        client = alice(&scratch, &servers);
        let text = format!("whispered after a kill {round}");
        client.must("chat.send", json!({ "to": bob(), "body": text }));
        peer.until_message(&text);
    }
    let bad = |it: &Value| it["event"] == "reused" || it["event"] == "failed";
    assert!(!peer.events().iter().any(bad), "{:#?}", peer.events());

    // What the server kept says nothing. Its own folder alone: ours has the history.
    let kept =
        scratch.path().join("servers").join(if by_ejabberd() { "ejabberd" } else { "prosody" });
    assert!(holds(&kept, "urn:xmpp:omemo:2"), "the archive is where it is looked for");
    assert!(!holds(&kept, "whispered"), "the text is at the server in clear");
}

#[test]
fn a_person_without_keys_is_not_written_to_in_clear_unless_that_was_said() {
    if !have("encryption with nobody there", &["knotd", "prosody", "slixmpp"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let peer = servers.chat_client("bob");
    let client = alice(&scratch, &servers);
    client.must("chat.encrypt", json!({ "with": bob(), "on": true }));
    client.must("chat.send", json!({ "to": bob(), "body": "not in clear" }));
    let failed = until("the refusal", 30, || {
        let message = newest(&client);
        (message["state"] == "failed").then_some(message)
    });
    assert!(
        failed["error"].as_str().is_some_and(|it| it.contains("no device with keys")),
        "{failed:#}"
    );
    client.must("chat.encrypt", json!({ "with": bob(), "on": false }));
    client.must("chat.send", json!({ "to": bob(), "body": "in clear, then" }));
    peer.until_message("in clear, then");
    let heard = |it: &Value| it["body"] == "not in clear";
    assert!(!peer.events().iter().any(heard));
}
