//! Files in conversations, between two of our clients and with one that is not ours, through a real
//! chat server.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use offhook_interop::{
    Client, DOMAIN, PASSWORD, Parts, Running, Scratch, Setup, Standard, have, until,
};
use serde_json::{Value, json};

/// A file whose every part differs from every other.
fn file(scratch: &Scratch, name: &str, bytes: usize) -> PathBuf {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let content: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(bytes / 8 + 1)
    .flatten()
    .take(bytes)
    .collect();
    let path = scratch.folder("given").join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, content).expect("a file to send");
    path
}

#[track_caller]
fn same(one: &Path, other: &Path) {
    let read = |path: &Path| std::fs::read(path).expect("readable");
    assert!(read(one) == read(other), "{} and {} differ", one.display(), other.display());
}

fn two(servers: &Standard, scratch: &Scratch) -> (Client, Client) {
    let alice = Client::start(scratch.path(), "alice", &servers.setup());
    let bob = Client::start(scratch.path(), "bob", &servers.setup());
    alice.sign_in(&at("alice"), PASSWORD, &["im"]);
    bob.sign_in(&at("bob"), PASSWORD, &["im"]);
    // A word from each tells the other which program is there.
    let since = alice.count();
    bob.say(&at("alice"), "send it", "sent");
    alice.until_message(&at("bob"), "send it", since);
    let since = bob.count();
    alice.say(&at("bob"), "here", "sent");
    bob.until_message(&at("alice"), "here", since);
    (alice, bob)
}

fn at(user: &str) -> String {
    format!("{user}@{DOMAIN}")
}

/// Waits until a transfer stands so; it is the newest with this name.
#[track_caller]
fn until_transfer(client: &Client, name: &str, state: &str) -> Value {
    let mut seen = Value::Null;
    let found = offhook_interop::attempt(300, || {
        let list = client.must("file.list", json!({}));
        let items = list["items"].as_array().cloned().unwrap_or_default();
        seen = items.into_iter().rev().find(|it| it["name"] == name).unwrap_or(Value::Null);
        (seen["state"] == state).then(|| seen.clone())
    });
    found.unwrap_or_else(|| panic!("{name} never was {state}; it is {seen:#}"))
}

/// Sends a file from one to the other, who takes it; how it went.
#[track_caller]
fn pass(from: &Client, to: &Client, receiver: &str, path: &Path) -> Value {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let since = from.count();
    let sent = from.must("file.send", json!({ "to": at(receiver), "path": path }));
    let offered = until_transfer(to, &name, "offered");
    assert_eq!(offered["direction"], "incoming", "{offered}");
    assert!(offered["path"].is_null(), "nothing is written before it is taken: {offered}");
    to.must("file.accept", json!({ "id": offered["id"] }));
    let taken = until_transfer(to, &name, "done");
    let done = until_transfer(from, &name, "done");
    assert_eq!(done["id"], sent["id"]);
    same(path, Path::new(taken["path"].as_str().expect("it lies somewhere")));
    from.until_event("the file is done", since, |it| {
        it["type"] == "file"
            && it["transfer"]["id"] == sent["id"]
            && it["transfer"]["state"] == "done"
    });
    assert_eq!(done["way"], taken["way"], "{done} {taken}");
    done
}

#[test]
fn a_file_goes_over_the_server_and_its_message_is_delivered() {
    if !have("file upload", &["knotd", "prosody"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let (alice, bob) = two(&servers, &scratch);
    let path = file(&scratch, "Bericht 2026 – final.pdf", 3_000_001);
    let since = alice.count();
    let done = pass(&alice, &bob, "bob", &path);
    assert_eq!(done["way"], "server");
    alice.until_event("the message with the link is delivered", since, |it| {
        it["type"] == "chat" && it["id"] == done["message"] && it["state"] == "delivered"
    });
    // A second one of the same name overwrites nothing.
    let again = pass(&alice, &bob, "bob", &path);
    assert_ne!(again["id"], done["id"]);
    let history = bob.must("chat.history", json!({ "with": at("alice"), "limit": 10 }));
    let items = history["items"].as_array().cloned().unwrap_or_default();
    let files: Vec<&Value> = items.iter().filter(|it| it["attachment"].is_object()).collect();
    assert_eq!(files.len(), 2, "{history:#}");
    let paths: Vec<&str> =
        files.iter().filter_map(|it| it["attachment"]["path"].as_str()).collect();
    assert!(paths.len() == 2 && paths[0] != paths[1], "{history:#}");
}

#[test]
fn a_large_upload_needs_little_memory() {
    if !have("a large upload", &["knotd", "prosody"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let (alice, bob) = two(&servers, &scratch);
    let small = file(&scratch, "small.bin", 10);
    pass(&alice, &bob, "bob", &small);
    let before = [&alice, &bob].map(|it| it.running.peak_memory());
    let path = file(&scratch, "large.bin", 100 * 1024 * 1024);
    let done = pass(&alice, &bob, "bob", &path);
    assert_eq!(done["way"], "server");
    for (client, before) in [&alice, &bob].into_iter().zip(before) {
        let grown = client.running.peak_memory().saturating_sub(before);
        assert!(grown < 30 * 1024 * 1024, "grew by {grown} bytes");
    }
}

#[test]
fn without_upload_a_file_goes_directly_then_by_the_proxy_then_in_band() {
    if !have("files between programs", &["knotd", "prosody"]) {
        return;
    }
    let scratch = Scratch::new();
    let mut servers = Standard::start(&scratch, &Parts::chat());
    servers.chat.as_mut().expect("a chat server").without(&["upload"]);
    let (alice, bob) = two(&servers, &scratch);
    let direct = pass(&alice, &bob, "bob", &file(&scratch, "direct.bin", 2_000_003));
    assert_eq!(direct["way"], "socks5");
    pass(&bob, &alice, "alice", &file(&scratch, "back.bin", 1));
    pass(&alice, &bob, "bob", &file(&scratch, "empty.bin", 0));

    // Every port that a client listens on is taken: only the server's proxy is left.
    let taken: Vec<TcpListener> =
        (37_200..=37_210).filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).collect();
    let by_proxy = pass(&alice, &bob, "bob", &file(&scratch, "proxy.bin", 500_001));
    assert_eq!(by_proxy["way"], "socks5");
    drop((alice, bob));

    servers.chat.as_mut().expect("a chat server").without(&["upload", "proxy"]);
    let scratch = Scratch::new();
    let (alice, bob) = two(&servers, &scratch);
    let in_band = pass(&alice, &bob, "bob", &file(&scratch, "band.bin", 100_001));
    assert_eq!(in_band["way"], "inBand");
    drop(taken);

    // Refused by the receiver.
    alice.must("file.send", json!({ "to": at("bob"), "path": file(&scratch, "no.bin", 10) }));
    let offered = until_transfer(&bob, "no.bin", "offered");
    bob.must("file.decline", json!({ "id": offered["id"] }));
    until_transfer(&alice, "no.bin", "declined");
    // To somebody who is not there.
    alice.must("file.send", json!({ "to": at("carol"), "path": file(&scratch, "gone.bin", 10) }));
    let failed = until_transfer(&alice, "gone.bin", "failed");
    assert!(failed["error"].as_str().is_some_and(|it| it.contains("not signed in")), "{failed}");
    until("nothing half is left", 10, || {
        let folder = bob.profile.join("data/downloads");
        let mut names = std::fs::read_dir(folder).expect("a folder").flatten();
        names.all(|it| !it.file_name().to_string_lossy().ends_with(".part")).then_some(())
    });
}

#[test]
fn a_picture_of_the_screen_arrives_as_png() {
    if !have("a picture of the screen", &["knotd", "prosody", "Xvfb"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let folder = scratch.folder("screen");
    std::fs::create_dir_all(&folder).expect("a folder");
    // Displays are numbered for the whole machine.
    let display = format!(":{}", 1_000 + std::process::id() % 50_000);
    let mut server = Command::new(offhook_interop::program("Xvfb").expect("Xvfb"));
    server.args([display.as_str(), "-screen", "0", "640x480x24", "-nolisten", "tcp"]);
    let _screen = Running::start("Xvfb", &mut server, &folder);
    let socket = format!("/tmp/.X11-unix/X{}", display.trim_start_matches(':'));
    until("the X server", 30, || Path::new(&socket).exists().then_some(()));

    let setup = Setup { environment: vec![("DISPLAY", display.clone())], ..servers.setup() };
    let alice = Client::start(scratch.path(), "alice", &setup);
    let bob = Client::start(scratch.path(), "bob", &servers.setup());
    alice.sign_in(&at("alice"), PASSWORD, &["im"]);
    bob.sign_in(&at("bob"), PASSWORD, &["im"]);
    let sent = alice.must("file.capture", json!({ "to": at("bob"), "area": "screen" }));
    let list = alice.must("file.list", json!({}));
    let name = list["items"][0]["name"].as_str().expect("a name").to_owned();
    assert!(name.starts_with("capture-20") && name.ends_with(".png"), "{list} {sent}");
    let offered = until_transfer(&bob, &name, "offered");
    bob.must("file.accept", json!({ "id": offered["id"] }));
    let taken = until_transfer(&bob, &name, "done");
    let picture = std::fs::read(taken["path"].as_str().expect("a path")).expect("a picture");
    assert_eq!(picture.get(..8), Some(&b"\x89PNG\r\n\x1a\n"[..]));
    let size = [640_u32.to_be_bytes(), 480_u32.to_be_bytes()].concat();
    assert_eq!(picture.get(16..24), Some(size.as_slice()), "width and height of the header");

    // Without a screen there are words.
    bob.must("file.capture", json!({ "to": at("alice") }));
    let list = bob.must("file.list", json!({}));
    let name = list["items"].as_array().and_then(|it| it.last()?["name"].as_str()).expect("it");
    let failed = until_transfer(&bob, name, "failed");
    assert!(
        failed["error"].as_str().is_some_and(|it| it.contains("desktop's own program")),
        "{failed}"
    );
}
