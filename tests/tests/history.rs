//! The history on disk, with the desktop's credential store and without.

use std::path::Path;

use offhook_interop::{Client, Keyring, Lab, Scratch, Setup, have, until};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";
const WORDS: &str = "plovergarden at noon";

fn setup(lab: &Lab, environment: Vec<(&'static str, String)>) -> Setup {
    Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        environment,
        ..Setup::default()
    }
}

/// Whether a text stands in clear in any file of a folder.
fn in_clear(folder: &Path, text: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return in_clear(&path, text);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    })
}

fn say(client: &Client) {
    let sent = client.must("chat.send", json!({ "to": BOB, "body": WORDS }));
    until("the message in the history", 30, || {
        let history = client.must("chat.history", json!({ "with": BOB, "limit": 5 }));
        let items = history["items"].as_array().cloned().unwrap_or_default();
        items.iter().any(|it| it["id"] == sent["id"]).then_some(())
    });
}

/// How messages are kept, once the history is open: that takes a moment after the sign-in.
fn state(client: &Client) -> Value {
    until("an open history", 30, || {
        let state = client.must("history.state", Value::Null);
        (state["kept"] == true || state.get("why").is_some()).then_some(state)
    })
}

#[test]
fn with_a_keyring_the_history_is_encrypted_and_there_again() {
    if !have("a credential store", &["gnome-keyring-daemon", "dbus-daemon"]) {
        return;
    }
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let mut keyring = Keyring::start(scratch.path(), "login password");
    let setup = setup(&lab, keyring.environment());
    let data = scratch.path().join("alice/profile");

    let mut first = Client::start(scratch.path(), "alice", &setup);
    first.sign_in(ALICE, "secret", &["im"]);
    assert_eq!(state(&first), json!({ "kept": true, "encrypted": true }));
    say(&first);
    assert!(!in_clear(&data, "plovergarden"), "in clear while it is open");
    first.end();
    assert!(!in_clear(&data, "plovergarden"), "in clear after the end");

    let mut second = Client::start(scratch.path(), "alice", &setup);
    second.sign_in(ALICE, "secret", &["im"]);
    let found = second.must("chat.search", json!({ "query": "plover" }));
    // The lab's Bob repeats what he hears.
    let bodies = found["items"].as_array().expect("items").iter().map(|it| &it["body"]);
    assert!(bodies.into_iter().any(|body| body == WORDS), "{found:#}");
    let path = scratch.path().join("export.html");
    second.must("chat.export", json!({ "path": path }));
    assert!(std::fs::read_to_string(&path).expect("exported").contains(WORDS));
    second.end();

    // The login password was changed behind the keyring's back: the history waits for the key.
    keyring.restart("another login password");
    let third = Client::start(scratch.path(), "alice", &setup);
    third.sign_in(ALICE, "secret", &["im"]);
    let keeping = state(&third);
    assert_eq!((&keeping["kept"], &keeping["encrypted"]), (&json!(false), &json!(false)));
    let why = keeping["why"].as_str().unwrap_or_default();
    assert!(why.contains("left") && why.contains("sign in again"), "{why}");
    let problems = third.must("diagnostics.get", Value::Null)["problems"].to_string();
    assert!(problems.contains("is encrypted and cannot be read"), "{problems}");
    say(&third);
    assert!(!in_clear(&data, "plovergarden"));
}

#[test]
fn without_a_keyring_it_is_in_clear_and_that_is_said() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let mut client = Client::start(scratch.path(), "alice", &setup(&lab, vec![]));
    client.sign_in(ALICE, "secret", &["im"]);
    let keeping = state(&client);
    assert_eq!((&keeping["kept"], &keeping["encrypted"]), (&json!(true), &json!(false)));
    let why = keeping["why"].as_str().unwrap_or_default();
    assert!(why.contains("without encryption") && why.contains("Secret Service"), "{why}");
    say(&client);
    client.end();
    assert!(in_clear(&scratch.path().join("alice/profile"), "plovergarden"), "nothing was kept");
}
