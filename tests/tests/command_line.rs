//! Exit statuses, and what a program leaves behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use offhook_interop::{
    Client, Lab, PASSWORD, Scratch, Setup, alive, have, offhook, program, until,
};
use serde_json::{Value, json};

fn run(words: &[&str], profile: &Path) -> Output {
    let mut command = offhook();
    command.args(words).arg("--profile").arg(profile);
    command.output().expect("the program runs")
}

#[track_caller]
fn check(words: &[&str], profile: &Path, status: i32, says: &str) {
    let output = run(words, profile);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{words:?}: {errors}");
    assert!(errors.contains(says), "{words:?} does not name {says:?}: {errors}");
}

#[test]
fn bad_arguments_end_with_2_and_change_nothing() {
    let scratch = Scratch::new();
    let profile = scratch.path().join("profile");
    check(&["--headless", "--nonsense"], &profile, 2, "--nonsense");
    check(&["--headless", "--audio-input", "loud"], &profile, 2, "loud");
    check(&["--headless", "--audio-input", "file:/nowhere/x.wav"], &profile, 2, "/nowhere/x.wav");
    check(&["--headless", "--audio-output", "tone:440"], &profile, 2, "file:PATH.wav");
    check(&["--headless", "--ca-file", "/nowhere/ca.pem"], &profile, 2, "/nowhere/ca.pem");
    check(&["--headless", "--name-server", "example"], &profile, 2, "192.0.2.1:53");
    check(&["--headless", "--hosts", "x"], &profile, 2, "NAME=ADDR");
    check(&["--headless", "--bootstrap", "/nowhere/b"], &profile, 2, "/nowhere/b");
    check(&["doctor", "--replay", "/nowhere/x.zip"], &profile, 2, "/nowhere/x.zip");
    check(&["policy", "explain", "/nowhere/jabber-config.xml"], &profile, 2, "/nowhere/jabber-");
    check(&["ctl", "session.state", "[1]"], &profile, 3, "--headless");
    assert!(!profile.exists(), "a refused start has made a profile");
}

#[test]
fn what_is_not_built_says_so_with_2() {
    let scratch = Scratch::new();
    let profile = scratch.path().join("profile");
    check(&["uri", "status"], &profile, 2, "not built yet");
}

#[test]
fn without_a_running_instance_ctl_ends_with_3() {
    let scratch = Scratch::new();
    let profile = scratch.path().join("profile");
    check(&["ctl", "session.state"], &profile, 3, "Nothing runs");
    check(&["ctl", "watch"], &profile, 3, "Nothing runs");
}

#[test]
fn a_profile_that_cannot_be_used_ends_with_2() {
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    std::fs::write(&file, "not a folder").expect("a file");
    check(&["--headless"], &file, 2, &file.display().to_string());
    assert_eq!(std::fs::read(&file).expect("the file"), b"not a folder");

    let profile = scratch.path().join("profile");
    std::fs::create_dir_all(profile.join("config")).expect("a folder");
    let settings = profile.join("config/settings.json");
    std::fs::write(&settings, "{ broken").expect("a file");
    check(&["--headless"], &profile, 2, "settings.json");
    assert_eq!(std::fs::read(&settings).expect("the settings"), b"{ broken");
}

#[test]
fn methods_that_fail_end_with_1_and_those_not_built_with_2() {
    let scratch = Scratch::new();
    let mut client = Client::start(scratch.path(), "a", &Setup::default());
    let check = |method: &str, params: Value, code: i64| {
        let (status, error) = client.ctl(method, params);
        assert_eq!((status, error["code"].as_i64()), (1, Some(code)), "{method}: {error}");
        for member in ["cause", "owner", "remedy"] {
            assert!(error["data"][member].is_string(), "{method}: {error}");
        }
    };
    check("no.such", Value::Null, -32601);
    check("call.dial", json!({ "to": "1", "extra": 1 }), -32602);
    check("session.state", json!({ "x": 1 }), -32602);
    check("call.dial", json!({ "to": "1" }), -32001);
    check("chat.send", json!({ "to": "a@example.test", "body": "x" }), -32001);
    check("call.hangUp", json!({ "id": "c99" }), -32001);
    let (status, error) = client.ctl("voicemail.list", Value::Null);
    assert_eq!(status, 2, "{error}");
    let state = client.session();
    assert_eq!(state["state"], "signedOut");
    assert_eq!(client.end(), Some(0));
}

#[test]
fn a_second_instance_on_a_profile_ends_with_2_and_leaves_the_first_alone() {
    let scratch = Scratch::new();
    let first = Client::start(scratch.path(), "a", &Setup::default());
    check(&["--headless"], &first.profile, 2, "profile");
    assert_eq!(first.session()["state"], "signedOut");
}

#[test]
fn session_quit_ends_the_client_and_its_watchers() {
    let scratch = Scratch::new();
    let mut client = Client::start(scratch.path(), "a", &Setup::default());
    client.must("session.quit", Value::Null);
    let status = client.running.wait(20).expect("an end");
    assert_eq!(status.code(), Some(0));
    check(&["ctl", "session.state"], &client.profile, 3, "Nothing runs");
}

#[test]
fn a_stale_socket_does_not_keep_the_next_start_away() {
    let scratch = Scratch::new();
    let mut first = Client::start(scratch.path(), "a", &Setup::default());
    first.running.kill();
    drop(first);
    let second = Client::start(scratch.path(), "a", &Setup::default());
    assert_eq!(second.session()["state"], "signedOut");
}

#[cfg(unix)]
#[test]
fn the_control_socket_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let client = Client::start(scratch.path(), "a", &Setup::default());
    let socket = client.profile.join("run/control.sock");
    let mode = std::fs::metadata(&socket).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn sigterm_signs_out_and_leaves_nothing_behind() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let setup = Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    };
    let mut client = Client::start(scratch.path(), "alice", &setup);
    client.sign_in("alice@lab.example", "secret", &["im", "phone"]);
    let (id, profile) = (client.running.id(), client.profile.clone());
    let since = client.count();
    let call = client.dial("2002");
    client.until_call(&call, "connected", since);
    let before = lab.count();
    assert_eq!(client.end(), Some(0));
    assert!(!alive(id));
    let end = lab.until_event("robotCallEnded", before);
    assert_eq!(end["cause"], "remoteHungUp", "{end}");
    until("the phone is unregistered", 20, || {
        let mut events = lab.events().into_iter().skip(before);
        events.find(|it| it["type"] == "unregistered" && it["device"] == "CSFALICE")
    });
    drop(client);
    let left: Vec<PathBuf> = processes_about(&profile);
    assert!(left.is_empty(), "still running: {left:?}");
}

/// Processes whose command line names a profile.
fn processes_about(profile: &Path) -> Vec<PathBuf> {
    let named = profile.to_string_lossy().into_owned();
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|it| it.path());
    all.filter(|path| {
        let words = std::fs::read(path.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(&named)
    })
    .collect()
}

#[test]
fn a_report_is_a_zip_without_secrets() {
    let scratch = Scratch::new();
    let people =
        format!("[[users]]\nname = \"alice\"\nnumber = \"2001\"\npassword = \"{PASSWORD}\"\n");
    let lab = Lab::start(scratch.path(), &[], &people);
    let setup = Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        log: Some("trace"),
        ..Setup::default()
    };
    let client = Client::start(scratch.path(), "alice", &setup);
    client.sign_in("alice@lab.example", PASSWORD, &["im", "phone"]);
    client.say("bob@lab.example", "a very private sentence", "delivered");
    let folder = scratch.folder("reports");
    let words = ["report", "save", "--note", "it squeaks", "--output"];
    let mut command = offhook();
    command.args(words).arg(&folder).arg("--profile").arg(&client.profile);
    let output = command.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let path = Path::new(&said);
    assert!(path.starts_with(&folder) && said.ends_with(".zip"), "{said}");
    let bytes = std::fs::read(path).expect("the report");
    assert!(bytes.starts_with(b"PK"), "no zip");

    if !have("reading the report", &["python3"]) {
        return;
    }
    let python = program("python3").expect("python3");
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nfor n in z.namelist():\n    \
                  sys.stdout.buffer.write(n.encode() + b'\\n' + z.read(n) + b'\\n')\n";
    let shown = Command::new(python).args(["-c", script]).arg(path).output().expect("python runs");
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(text.contains("it squeaks") && text.contains("session"), "{text}");
    for secret in [PASSWORD, "a very private sentence"] {
        assert!(!text.contains(secret), "the report contains {secret:?}");
    }
}
