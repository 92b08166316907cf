//! A phone with a secure profile at the laboratory's call manager: its own certificate by CAPF, TLS
//! that shows it, encrypted calls, and what is said where there is no certificate or one is refused.

use offhook_interop::{Client, Cluster, Keyring, Lab, Scratch, Setup, have, pause, sound, until};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";
/// Nobody else writes it, so that it can be looked for.
const STRING: &str = "4711081542";

/// A colleague who encrypts, and one who does not.
fn config(capf: &str, more: &str) -> String {
    format!(
        "[[robots]]\nname = \"bob\"\nnumber = \"2002\"\nmode = \"tone\"\ntoneHz = 1000.0\n\
         toneMs = 600000\nringMs = 200\nencrypted = true\n\
         [[robots]]\nname = \"dora\"\nnumber = \"2005\"\nmode = \"tone\"\ntoneHz = 700.0\n\
         toneMs = 600000\nringMs = 200\n\
         [sip]\nsecurity = \"encrypted\"\ncapf = \"{capf}\"\nauthString = \"{STRING}\"\n{more}\n"
    )
}

/// Chat is ready, and the phone asks for its string.
#[track_caller]
fn until_asked(client: &Client) -> Value {
    let session = client.until_session("asking for the authentication string", |session| {
        session["state"] == "signedIn"
            && session["services"]["im"]["state"] == "ready"
            && session["enrolment"].is_object()
    });
    session["enrolment"].clone()
}

#[track_caller]
fn until_ready(client: &Client) {
    client.until_session("ready to call", |it| it["services"]["phone"]["state"] == "ready");
}

/// The phone is given up; why.
#[track_caller]
fn until_given_up(client: &Client) -> Value {
    let session = client.until_session("without a phone", |session| {
        session["state"] == "signedIn"
            && session["services"]["im"]["state"] == "ready"
            && session["services"]["phone"]["state"] == "failed"
    });
    session["services"]["phone"]["error"].clone()
}

#[track_caller]
fn enrol(client: &Client, string: &str) {
    client.must("phone.enrol", json!({ "string": string }));
}

/// Events of this type.
fn count(lab: &Lab, kind: &str) -> usize {
    lab.events().iter().filter(|event| event["type"] == kind).count()
}

#[track_caller]
fn expect_problem(problem: &Value, cause: &str, owner: &str) {
    assert_eq!(
        (&problem["owner"], &problem["rule"]),
        (&json!(owner), &json!("D28")),
        "{problem:#}"
    );
    let said = problem["cause"].as_str().unwrap_or_default();
    assert!(said.contains(cause), "{problem:#}");
    assert!(problem["remedy"].as_str().is_some_and(|remedy| remedy.len() > 20), "{problem:#}");
}

#[test]
fn a_secure_phone_asks_for_its_string_and_makes_encrypted_calls() {
    let world = Cluster::new(&config("string", ""));
    let client = world.client("alice", 440);
    client.begin_sign_in(ALICE, "secret");
    let question = until_asked(&client);
    assert_eq!((&question["device"], &question["error"]), (&json!("CSFALICE"), &Value::Null));

    // A wrong string is told, and asked for again.
    enrol(&client, "1000000000");
    client.until_session("asking again", |it| it["enrolment"]["error"].is_object());
    let question = until_asked(&client);
    expect_problem(&question["error"], "did not accept the authentication string", "user");
    assert_eq!(count(&world.lab, "registered"), 0);

    enrol(&client, STRING);
    until_ready(&client);
    let issued = world.lab.until_event("certificateIssued", 0);
    assert_eq!((&issued["device"], &issued["by"]), (&json!("CSFALICE"), &json!("string")));
    assert_eq!(world.until_registered("alice", 0)["transport"], "tls");
    assert_eq!(client.session()["enrolment"], Value::Null);
    assert!(!client.words().contains(STRING), "the string is in a log or an event");

    // Who encrypts as well: the padlock is closed, and both hear each other.
    let id = connected(&client, "2002", "full");
    assert_eq!(client.stream(&id, "send")["srtp"], "AES_CM_128_HMAC_SHA1_80");
    let at = client.played();
    pause(2.0);
    client.expect_heard(at, 1000.0, -10.0, 1.0);
    let ended = world.lab.count();
    client.must("call.hangUp", json!({ "id": id }));
    let report = world.lab.until_event("robotCallEnded", ended);
    let heard = sound::read(report["recording"].as_str().expect("a recording").as_ref());
    assert!(heard.find(440.0).is_some_and(|tone| tone.seconds > 1.0), "{report}");

    // Who does not is talked to all the same, and the padlock says so.
    let id = connected(&client, "2005", "signalling");
    assert_eq!(client.stream(&id, "send")["srtp"], Value::Null);
    let at = client.played();
    pause(2.0);
    client.expect_heard(at, 700.0, -10.0, 1.0);
    client.must("call.hangUp", json!({ "id": id }));

    // Who is called learns the truth a moment after taking the call.
    let since = client.count();
    client.say("bob@lab.example", "call me", "sent");
    let id = client.until_called(since);
    client.must("call.answer", json!({ "id": id }));
    client.until_call_is("encrypted", &id, |call| {
        call["state"] == "connected" && call["security"] == "full"
    });
    client.must("call.hold", json!({ "id": id }));
    client.until_call(&id, "held", since);
    let since = client.count();
    client.must("call.resume", json!({ "id": id }));
    client.until_call(&id, "connected", since);
    client.until_call_is("encrypted again", &id, |call| call["security"] == "full");
}

/// A call that is up and protected like this.
#[track_caller]
fn connected(client: &Client, number: &str, security: &str) -> String {
    let id = client.dial(number);
    client.until_call_is(security, &id, |call| {
        call["state"] == "connected" && call["security"] == security
    });
    id
}

/// A client of a laboratory on a desktop that keeps secrets.
fn on_desktop(scratch: &Scratch, lab: &Lab, keyring: &Keyring) -> Client {
    let setup = Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        environment: keyring.environment(),
        ..Setup::default()
    };
    Client::start(scratch.path(), "alice", &setup)
}

#[test]
fn a_kept_certificate_needs_no_question_and_a_refused_one_is_told() {
    if !have("a credential store", &["gnome-keyring-daemon", "dbus-daemon"]) {
        return;
    }
    let scratch = Scratch::new();
    let keyring = Keyring::start(scratch.path(), "login password");
    let lab = Lab::start(&scratch.folder("first"), &[], &config("string", ""));
    let client = on_desktop(&scratch, &lab, &keyring);
    client.begin_sign_in(ALICE, "secret");
    until_asked(&client);
    enrol(&client, STRING);
    until_ready(&client);
    // The phone does not wait for the credential store, and neither does the end of the program for
    // long: an RSA key and its certificate make the store's file much longer than a password does.
    let kept = || (keyring.files().len() > 2_500).then_some(());
    until("the certificate is in the credential store", 60, kept);
    drop(client);

    // Nobody gives out certificates any more: what is kept is enough.
    lab.tell("capf nothing");
    let client = on_desktop(&scratch, &lab, &keyring);
    let session = client.sign_in(ALICE, "secret", &["im", "phone"]);
    assert_eq!(session["enrolment"], Value::Null);
    assert_eq!(count(&lab, "certificateIssued"), 1);
    drop((client, lab));

    // Another deployment does not trust it, and expects no enrolment.
    let lab = Lab::start(&scratch.folder("second"), &[], &config("nothing", ""));
    let client = on_desktop(&scratch, &lab, &keyring);
    client.begin_sign_in(ALICE, "secret");
    expect_problem(&until_given_up(&client), "refused the certificate", "admin");
    assert_eq!(client.session()["enrolment"], Value::Null);
    drop(client);

    // When it does, the user is asked and told why.
    lab.tell("capf string");
    let client = on_desktop(&scratch, &lab, &keyring);
    client.begin_sign_in(ALICE, "secret");
    let question = until_asked(&client);
    expect_problem(&question["error"], "refused the certificate", "admin");
    enrol(&client, STRING);
    until_ready(&client);
    assert_eq!(count(&lab, "certificateIssued"), 1);
}

#[test]
fn without_a_certificate_the_rest_works_and_the_phone_says_why() {
    let world = Cluster::new(&config("nothing", ""));
    let client = world.client("alice", 440);
    client.begin_sign_in(ALICE, "secret");
    expect_problem(&until_given_up(&client), "expects no enrolment", "admin");
    client.say("bob@lab.example", "hello", "sent");
    assert_eq!(count(&world.lab, "registered"), 0);
    client.must("session.signOut", Value::Null);
    client.until_session("signed out", |it| it["state"] == "signedOut");

    // Who is asked and has no string goes on without the phone.
    world.lab.tell("capf string");
    client.begin_sign_in(ALICE, "secret");
    until_asked(&client);
    client.must("phone.enrol", json!({}));
    expect_problem(&until_given_up(&client), "wants an authentication string", "user");
    assert_eq!(client.session()["enrolment"], Value::Null);
}

#[test]
fn a_certificate_is_had_for_nothing_and_renewed_by_the_one_that_is_there() {
    let world = Cluster::new(&config("null", "agedCertificates = true"));
    let client = world.client("alice", 440);
    client.sign_in(ALICE, "secret", &["im", "phone"]);
    assert_eq!(world.lab.until_event("certificateIssued", 0)["by"], "null");
    client.must("session.signOut", Value::Null);
    client.until_session("signed out", |it| it["state"] == "signedOut");

    // Two thirds of its life are over.
    let since = world.tell("capf certificate");
    client.sign_in(ALICE, "secret", &["im", "phone"]);
    assert_eq!(world.lab.until_event("certificateIssued", since)["by"], "certificate");
    assert_eq!(world.until_registered("alice", since)["transport"], "tls");
    connected(&client, "2002", "full");
}
