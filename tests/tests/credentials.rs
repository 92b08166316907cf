//! Passwords and the desktop's credential store: GNOME Keyring on a message bus of our own.

use offhook_interop::{Client, Keyring, Lab, Scratch, Setup, have};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";

fn setup(lab: &Lab, environment: Vec<(&'static str, String)>) -> Setup {
    Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        environment,
        ..Setup::default()
    }
}

fn problems(client: &Client) -> String {
    client.must("diagnostics.get", Value::Null)["problems"].to_string()
}

/// Signs in without saying a password; how it went.
fn recalled(client: &Client) -> Value {
    client.must("session.signIn", json!({ "address": ALICE }));
    client.until_session("in, or waiting for a password", |session| {
        session["state"] == "signedIn" || session["step"] == "Waiting for the password"
    })
}

#[test]
fn the_desktop_keeps_the_password_and_a_changed_keyring_says_how_to_recover() {
    if !have("a credential store", &["gnome-keyring-daemon", "dbus-daemon"]) {
        return;
    }
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let mut keyring = Keyring::start(scratch.path(), "login password");
    let setup = setup(&lab, keyring.environment());

    let first = Client::start(scratch.path(), "alice", &setup);
    first.sign_in(ALICE, "secret", &["im"]);
    assert!(!problems(&first).contains("password store"), "{}", problems(&first));
    drop(first);

    let second = Client::start(scratch.path(), "alice", &setup);
    assert_eq!(recalled(&second)["state"], "signedIn");
    drop(second);
    let files = keyring.files();
    assert!(!files.windows(6).any(|part| part == b"secret"), "a keyring in clear");

    // The login password was changed behind the keyring's back: it stays locked.
    keyring.restart("another login password");
    let third = Client::start(scratch.path(), "alice", &setup);
    assert_ne!(recalled(&third)["state"], "signedIn");
    let said = problems(&third);
    assert!(said.contains("password store is locked") && said.contains("Unlock it"), "{said}");
    third.sign_in(ALICE, "secret", &["im"]);
}

#[test]
fn without_a_store_the_password_stays_in_memory_and_that_is_said() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let client = Client::start(scratch.path(), "alice", &setup(&lab, vec![]));
    client.sign_in(ALICE, "secret", &["im"]);
    let said = problems(&client);
    assert!(said.contains("until Offhook ends") && said.contains("Secret Service"), "{said}");
    client.must("session.signOut", Value::Null);
    client.until_session("signed out", |it| it["state"] == "signedOut");
    assert_eq!(recalled(&client)["state"], "signedIn");
    drop(client);
    let again = Client::start(scratch.path(), "alice", &setup(&lab, vec![]));
    assert_ne!(recalled(&again)["state"], "signedIn");
}
