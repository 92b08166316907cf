//! What goes wrong outside gets a sentence of its own with cause, owner and remedy, the contract's
//! exit status, and leaves the profile as it was. No password is written anywhere.

#![allow(clippy::print_stdout, reason = "the sentences, to be read by somebody")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;

use offhook_interop::{
    Client, DOMAIN, Flaw, Knot, Lab, PASSWORD, Parts, Scratch, Setup, Standard, Transport, doctor,
    have, pause,
};
use serde_json::Value;

const ALICE: &str = "alice@lab.example";

/// Everybody's password in the laboratory is the one that is searched for.
fn people() -> String {
    format!("[[users]]\nname = \"alice\"\nnumber = \"2001\"\npassword = \"{PASSWORD}\"\n")
}

fn setup(lab: &Lab) -> Setup {
    Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        log: Some("trace"),
        ..Setup::default()
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = 0;
        for at in 0..3 {
            word = word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..=chunk.len() {
            text.push(char::from(LETTERS[(word >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

/// The password as it is, and as HTTP Basic and SASL PLAIN wrap it.
fn spellings(user: &str) -> Vec<String> {
    let wrapped =
        [format!("{user}:{PASSWORD}"), format!("\0{user}\0{PASSWORD}"), PASSWORD.to_owned()];
    let mut all: Vec<String> = wrapped.iter().map(|text| base64(text.as_bytes())).collect();
    all.push(PASSWORD.to_owned());
    all
}

#[track_caller]
fn no_password_in(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for spelling in spellings("alice") {
        assert!(!text.contains(&spelling), "the password is in {what}");
    }
}

#[track_caller]
fn no_password_under(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            no_password_under(&path);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            no_password_in(&path.display().to_string(), &bytes);
        }
    }
}

/// Causes seen so far, by case: no two cases may have the same.
#[derive(Default)]
struct Seen(BTreeMap<String, String>);

impl Seen {
    #[track_caller]
    fn check(&mut self, case: &str, problem: &Value) {
        for member in ["cause", "owner", "remedy"] {
            let text = problem[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{case}: no {member} in {problem:#}");
        }
        let owner = problem["owner"].as_str().unwrap_or_default();
        assert!(["user", "admin", "network", "server"].contains(&owner), "{case}: {problem:#}");
        let cause = problem["cause"].as_str().unwrap_or_default().to_owned();
        assert!(!cause.contains(PASSWORD), "{case}: the password is in {cause}");
        println!("{case}: {cause} ({owner}) {}", problem["remedy"].as_str().unwrap_or_default());
        if let Some(other) = self.0.insert(cause.clone(), case.to_owned()) {
            assert_eq!(other, case, "{case} and {other} have the same sentence: {cause}");
        }
    }
}

/// A profile, a deployment that works, and the settings that a good sign-in left.
struct Bench {
    scratch: Scratch,
    good: Lab,
    settings: Vec<u8>,
    seen: Seen,
}

impl Bench {
    fn set() -> Self {
        let scratch = Scratch::new();
        let good = Lab::start(scratch.path(), &[], &people());
        let mut client = Client::start(scratch.path(), "alice", &setup(&good));
        client.sign_in(ALICE, PASSWORD, &["im", "phone"]);
        assert_eq!(client.end(), Some(0));
        let settings = std::fs::read(scratch.path().join("alice/profile/config/settings.json"))
            .expect("a good sign-in leaves settings");
        Self { scratch, good, settings, seen: Seen::default() }
    }

    /// Doctor and sign-in in one place that is wrong.
    #[track_caller]
    fn check(&mut self, case: &str, setup: &Setup, address: &str, password: &str, exit: i32) {
        let profile = self.scratch.path().join("alice/profile");
        let (status, diagnosis, output) = doctor(&profile, setup, address, password);
        assert_eq!(status, exit, "{case}: {diagnosis:#}");
        assert_eq!(diagnosis["exit"], exit, "{case}: {diagnosis:#}");
        let first = &diagnosis["findings"][0];
        assert_eq!(first["severity"], "blocking", "{case}: {diagnosis:#}");
        self.seen.check(case, first);
        no_password_in("what the doctor prints", &output.stdout);
        no_password_in("what the doctor prints", &output.stderr);

        let mut client = Client::start(self.scratch.path(), "alice", setup);
        let problem = client.fail_to_sign_in(address, password);
        self.seen.check(case, &problem);
        no_password_in("what the client prints", client.words().as_bytes());
        assert_eq!(client.end(), Some(0), "{case}");
        let settings = std::fs::read(profile.join("config/settings.json")).unwrap_or_default();
        assert_eq!(
            String::from_utf8_lossy(&settings),
            String::from_utf8_lossy(&self.settings),
            "{case}: the settings have changed"
        );
        no_password_under(&profile);
    }

    #[track_caller]
    fn check_fault(&mut self, fault: &str, exit: i32) {
        let lab = Lab::start(self.scratch.path(), &[fault], &people());
        self.check(fault, &setup(&lab), ALICE, PASSWORD, exit);
    }

    /// After all of it, the profile is as good as ever.
    fn finish(self) {
        let setup = setup(&self.good);
        let mut client = Client::start(self.scratch.path(), "alice", &setup);
        client.sign_in(ALICE, PASSWORD, &["im", "phone"]);
        let heard = client.say("bob@lab.example", "still here?", "delivered");
        assert!(!heard.is_empty());
        no_password_in("what the client prints", client.words().as_bytes());
        assert_eq!(client.end(), Some(0));
        no_password_under(&self.scratch.path().join("alice"));
    }
}

#[test]
fn names_that_lead_nowhere() {
    let mut bench = Bench::set();
    let good = setup(&bench.good);
    bench.check("unknown domain", &good, "alice@nowhere.lab.example", PASSWORD, 10);
    bench.check("domain of others", &good, "alice@nobody.invalid", PASSWORD, 10);
    bench.check_fault("no-records", 10);
    bench.check_fault("truncated-srv", 10);
    // A name server that nobody runs.
    let silent = Setup { name_server: Some("127.0.0.1:9".into()), ..good };
    bench.check("no name server", &silent, ALICE, PASSWORD, 10);
    bench.finish();
}

#[test]
fn servers_that_cannot_be_reached() {
    let mut bench = Bench::set();
    bench.check_fault("refused-port", 20);
    bench.check_fault("dead-only-server", 20);
    bench.finish();
}

#[test]
fn servers_that_cannot_be_trusted() {
    let mut bench = Bench::set();
    bench.check_fault("self-signed-cert", 30);
    bench.check_fault("expired-cert", 30);
    bench.check_fault("wrong-name-cert", 30);
    let stranger = Setup { ca_file: None, ..setup(&bench.good) };
    bench.check("unknown authority", &stranger, ALICE, PASSWORD, 30);
    bench.finish();
}

#[test]
fn a_wrong_password() {
    let mut bench = Bench::set();
    let good = setup(&bench.good);
    bench.check("wrong password", &good, ALICE, "not-the-password", 40);
    bench.finish();
}

#[test]
fn answers_that_make_no_sense() {
    let mut bench = Bench::set();
    bench.check_fault("html-instead-of-xml", 50);
    bench.check_fault("ten-megabytes", 50);
    bench.finish();
}

#[test]
fn a_dead_first_server_does_not_stop_the_second() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &["dead-server"], &people());
    let client = Client::start(scratch.path(), "alice", &setup(&lab));
    client.sign_in(ALICE, PASSWORD, &["im", "phone"]);
}

fn standard(case: &str, parts: &Parts, password: &str, exit: i32) -> Option<Value> {
    if !have(case, &["knotd", "prosody", "kamailio"]) {
        return None;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, parts);
    let setup = Setup { log: Some("trace"), ..servers.setup() };
    let address = format!("alice@{DOMAIN}");
    let profile = scratch.path().join("alice/profile");
    let (status, diagnosis, output) = doctor(&profile, &setup, &address, password);
    assert_eq!(status, exit, "{case}: {diagnosis:#}");
    no_password_in("what the doctor prints", &output.stdout);
    let mut client = Client::start(scratch.path(), "alice", &setup);
    let problem = client.fail_to_sign_in(&address, password);
    no_password_in("what the client prints", client.words().as_bytes());
    assert_eq!(client.end(), Some(0), "{case}");
    no_password_under(&scratch.path().join("alice"));
    let mut seen = Seen::default();
    seen.check(case, &diagnosis["findings"][0]);
    Some(problem)
}

#[test]
fn standard_servers_with_bad_certificates_and_a_wrong_password() {
    let mut seen = Seen::default();
    for (case, flaw) in [
        ("self-signed", Flaw::SelfSigned),
        ("expired", Flaw::Expired),
        ("wrong name", Flaw::WrongName),
    ] {
        let parts = Parts {
            xmpp_flaw: flaw,
            sip_flaw: flaw,
            sip: vec![Transport::Tls],
            ..Parts::default()
        };
        if let Some(problem) = standard(case, &parts, PASSWORD, 30) {
            seen.check(case, &problem);
        }
    }
    if let Some(problem) = standard("wrong password", &Parts::default(), "not-it", 40) {
        seen.check("wrong password", &problem);
    }
}

#[test]
fn a_standard_domain_whose_servers_are_gone() {
    if !have("records of servers that are gone", &["knotd"]) {
        return;
    }
    let scratch = Scratch::new();
    // A port that was ours a moment ago refuses connections.
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    let records = format!(
        "im IN A 127.0.0.1\n_xmpps-client._tcp IN SRV 0 0 {0} im\n_sips._tcp IN SRV 0 0 {0} im\n",
        closed.port()
    );
    let knot = Knot::start(scratch.path(), DOMAIN, &records);
    let setup = Setup { name_server: Some(knot.address.clone()), ..Setup::default() };
    let address = format!("alice@{DOMAIN}");
    let (status, diagnosis, _) = doctor(&scratch.path().join("p"), &setup, &address, PASSWORD);
    assert_eq!(status, 20, "{diagnosis:#}");
    let client = Client::start(scratch.path(), "alice", &setup);
    let problem = client.fail_to_sign_in(&address, PASSWORD);
    Seen::default().check("gone", &problem);
}

/// A stranger in the middle could show any certificate; it must not make the client register in
/// clear at the next server of the list.
#[test]
fn a_bad_certificate_is_no_reason_to_register_in_clear() {
    if !have(
        "a bad certificate beside a port in clear",
        &["knotd", "prosody", "kamailio", "kamcmd"],
    ) {
        return;
    }
    let scratch = Scratch::new();
    let servers =
        Standard::start(&scratch, &Parts { sip_flaw: Flaw::WrongName, ..Parts::default() });
    let client = Client::start(scratch.path(), "alice", &servers.setup());
    client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["im"]);
    let session = client.until_session("decided about the phone", |it| {
        let phone = &it["services"]["phone"];
        phone["state"] == "failed" || phone["state"] == "ready"
    });
    assert_eq!(session["services"]["phone"]["error"]["area"], "tls", "{session:#}");
    // A first failure may be told while further servers are tried.
    pause(3.0);
    let session = client.session();
    assert!(servers.sip().contacts("alice").is_none(), "registered in clear: {session:#}");
}
