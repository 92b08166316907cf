//! Certificates of every kind on a real TLS front, nginx: what is said of them, what is asked, and
//! what an accepted key does.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use offhook_interop::{
    Authority, Client, DOMAIN, Flaw, Knot, Nginx, PASSWORD, Scratch, Setup, doctor, free_port,
    have, program, until,
};
use serde_json::{Value, json};

/// One front: its certificate and key, and where requests go.
struct Front {
    port: u16,
    certificate: PathBuf,
    key: PathBuf,
    upstream: u16,
}

/// The fronts of a test, all known as `uds.example.test:8443`.
struct Fronts {
    scratch: Scratch,
    authority: PathBuf,
    knot: Knot,
    _nginx: Nginx,
    fronts: Vec<(&'static str, u16)>,
    /// Takes connections and never answers.
    _deaf: TcpListener,
}

impl Fronts {
    fn start() -> Self {
        let scratch = Scratch::new();
        let folder = scratch.folder("certificates");
        let authority = Authority::new(&folder);
        let stranger = Authority::new(&scratch.folder("stranger"));
        let deaf = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let deaf_port = deaf.local_addr().expect("bound").port();
        let dead_port = free_port();
        let mut fronts = vec![];
        let mut add = |name, (certificate, key): (PathBuf, PathBuf), upstream| {
            fronts.push((name, Front { port: free_port(), certificate, key, upstream }));
        };
        let files = |authority: &Authority, flaw| {
            let identity = authority.server(DOMAIN, flaw);
            (identity.certificate, identity.key)
        };
        add("failing", files(&authority, Flaw::None), dead_port);
        add("slow", files(&authority, Flaw::None), deaf_port);
        add("expired", files(&authority, Flaw::Expired), dead_port);
        add("wrong name", files(&authority, Flaw::WrongName), dead_port);
        add("self-signed", files(&authority, Flaw::SelfSigned), dead_port);
        add("unknown", files(&stranger, Flaw::None), dead_port);
        add("weak", short_key(&folder), dead_port);
        let servers: String = fronts.iter().map(|(_, front)| server(front)).collect();
        let ports: Vec<u16> = fronts.iter().map(|(_, front)| front.port).collect();
        let nginx = Nginx::start(scratch.path(), &ports, &servers);
        let records = "_cisco-uds._tcp IN SRV 0 0 8443 uds\nuds IN A 127.0.0.1\n";
        let knot = Knot::start(scratch.path(), DOMAIN, records);
        let fronts = fronts.iter().map(|(name, front)| (*name, front.port)).collect();
        let authority = authority.file.clone();
        Self { scratch, authority, knot, _nginx: nginx, fronts, _deaf: deaf }
    }

    fn setup(&self, name: &str) -> Setup {
        let front = self.fronts.iter().find(|(known, _)| *known == name).expect("a front");
        Setup {
            name_server: Some(self.knot.address.clone()),
            ca_file: Some(self.authority.clone()),
            hosts: vec![format!("uds.{DOMAIN}:8443=127.0.0.1:{}", front.1)],
            ..Setup::default()
        }
    }

    /// Exit status and first finding.
    fn doctor(&self, name: &str) -> (i32, Value) {
        let profile = self.scratch.folder(&format!("doctor {name}"));
        let address = format!("alice@{DOMAIN}");
        let (status, diagnosis, _) = doctor(&profile, &self.setup(name), &address, PASSWORD);
        (status, diagnosis["findings"][0].clone())
    }
}

fn server(front: &Front) -> String {
    // Debian's OpenSSL refuses to serve a short key unless told not to.
    format!(
        "server {{ listen 127.0.0.1:{} ssl; ssl_certificate {}; ssl_certificate_key {}; ssl_ciphers \
         DEFAULT@SECLEVEL=0; location / {{ proxy_pass http://127.0.0.1:{}; }} }}\n",
        front.port,
        front.certificate.display(),
        front.key.display(),
        front.upstream
    )
}

/// A certificate with a key of 1,024 bits, by OpenSSL.
fn short_key(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("short.pem"), folder.join("short-key.pem"));
    let mut command = Command::new(program("openssl").expect("openssl"));
    command.args(["req", "-x509", "-newkey", "rsa:1024", "-sha256", "-nodes", "-days", "30"]);
    command.args([
        "-subj",
        "/CN=uds.example.test",
        "-addext",
        "subjectAltName=DNS:uds.example.test",
    ]);
    let output = command.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output();
    assert!(output.expect("openssl runs").status.success());
    (certificate, key)
}

fn have_all(what: &str) -> bool {
    have(what, &["nginx", "knotd", "openssl"])
}

#[test]
fn every_bad_certificate_and_a_bad_upstream_has_its_own_finding() {
    if !have_all("certificates on a TLS front") {
        return;
    }
    let fronts = Fronts::start();
    for (name, rule, words) in [
        ("expired", "D12", "expired"),
        ("wrong name", "D09", "elsewhere.invalid"),
        ("self-signed", "D08", "signed itself"),
        ("unknown", "D08", "authority"),
        ("weak", "D12", "1024 bits"),
    ] {
        let (status, first) = fronts.doctor(name);
        assert_eq!((status, &first["rule"]), (30, &json!(rule)), "{name}: {first:#}");
        let cause = first["cause"].as_str().unwrap_or_default();
        assert!(cause.contains(words), "{name}: {cause}");
    }
    let (status, first) = fronts.doctor("failing");
    let cause = first["cause"].as_str().unwrap_or_default();
    assert!(status == 20 && cause.contains("502"), "{status} {first:#}");
    let (status, first) = fronts.doctor("slow");
    let cause = first["cause"].as_str().unwrap_or_default();
    assert!(status == 20 && cause.contains("said nothing"), "{status} {first:#}");
}

/// Starts a client, begins to sign in, and returns the question or, without one, the problem.
fn begin(fronts: &Fronts, name: &str, client: &str) -> (Client, Value) {
    let client = Client::start(fronts.scratch.path(), client, &fronts.setup(name));
    let address = format!("alice@{DOMAIN}");
    client.must("session.signIn", json!({ "address": address, "password": PASSWORD }));
    let seen = until("a question or a problem", 60, || {
        let state = client.must("session.state", Value::Null);
        [&state["question"], &state["error"]].into_iter().find(|it| !it.is_null()).cloned()
    });
    (client, seen)
}

#[test]
fn a_person_is_asked_an_accepted_key_counts_and_without_it_the_question_comes_again() {
    if !have_all("the question about a certificate") {
        return;
    }
    let fronts = Fronts::start();
    let (mut client, question) = begin(&fronts, "unknown", "alice");
    assert_eq!(question["at"]["host"], format!("uds.{DOMAIN}"), "{question:#}");
    assert_eq!(question["wanted"], json!([format!("uds.{DOMAIN}")]), "{question:#}");
    let present = question["present"].as_array().expect("names");
    assert!(present.contains(&json!(format!("*.{DOMAIN}"))), "{question:#}");
    assert!(question["issuer"].as_str().is_some_and(|it| it.contains("Interop authority")));
    let key = question["key"].as_str().expect("a key").to_owned();
    assert_eq!(key, key_by_openssl(&fronts.scratch.path().join("stranger/None-certificate.pem")));
    assert_eq!(client.end(), Some(0));

    // The control API has no answer to the question; what a window writes is this file.
    let file = client.profile.join("config/certificates.json");
    let accepted = json!([{
        "host": format!("uds.{DOMAIN}"), "key": key, "subject": "", "since": "2026-11-22T12:00:00Z"
    }]);
    std::fs::write(&file, json!({ "accepted": accepted }).to_string()).expect("a file of keys");
    let (mut client, problem) = begin(&fronts, "unknown", "alice");
    let cause = problem["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("502"), "the handshake is over: {problem:#}");
    assert_eq!(client.end(), Some(0));

    // The same key for another host, and none at all.
    let other = std::fs::read_to_string(&file).expect("the file").replace("uds.", "cucm.");
    std::fs::write(&file, other).expect("a file of keys");
    let (mut client, question) = begin(&fronts, "unknown", "alice");
    assert_eq!(question["key"], key.as_str(), "{question:#}");
    assert_eq!(client.end(), Some(0));
    std::fs::remove_file(&file).expect("the file goes");
    let (mut client, question) = begin(&fronts, "unknown", "alice");
    assert_eq!(question["key"], key.as_str(), "{question:#}");
    assert_eq!(client.end(), Some(0));
}

#[test]
fn another_key_than_the_accepted_one_is_asked_about_and_a_short_one_never() {
    if !have_all("a changed key") {
        return;
    }
    let fronts = Fronts::start();
    let folder = fronts.scratch.folder("alice/profile/config");
    let accepted = json!([{
        "host": format!("uds.{DOMAIN}"), "key": "00".repeat(32), "subject": "",
        "since": "2026-11-22T12:00:00Z"
    }]);
    std::fs::write(folder.join("certificates.json"), json!({ "accepted": accepted }).to_string())
        .expect("a file of keys");
    let (mut client, question) = begin(&fronts, "self-signed", "alice");
    let words = question["words"].as_str().unwrap_or_default();
    assert!(words.contains("another key"), "{question:#}");
    assert_eq!(client.end(), Some(0));
    let (mut client, problem) = begin(&fronts, "weak", "bob");
    let cause = problem["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("1024 bits"), "{problem:#}");
    assert_eq!(client.end(), Some(0));
}

/// SHA-256 of the public key, in hex, as OpenSSL computes it.
fn key_by_openssl(certificate: &Path) -> String {
    let openssl = program("openssl").expect("openssl").display().to_string();
    let pipe = format!(
        "'{openssl}' x509 -in '{}' -noout -pubkey | '{openssl}' pkey -pubin -outform der | '{openssl}' \
         dgst -sha256 -r",
        certificate.display()
    );
    let output = Command::new("sh").args(["-c", &pipe]).output().expect("openssl runs");
    String::from_utf8_lossy(&output.stdout).split(' ').next().unwrap_or_default().to_owned()
}
