//! Our devices talk to devices of python3-omemo with python3-twomemo and python3-oldmemo (Debian), an
//! implementation that shares nothing with ours. Without it the test is skipped, and the recorded
//! conversation of `vectors.rs` remains.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use offhook_omemo::{Bundle, Dialect, IdentityKey, KeyMessage, Own, PreKey, Session, payload};
use serde_json::{Value, json};
use support::{Chance, hex, unhex};

struct Peer {
    child: Child,
    wishes: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start() -> Option<Self> {
        let python = "/usr/bin/python3";
        let there = Command::new(python)
            .args(["-c", "import twomemo, oldmemo"])
            .output()
            .is_ok_and(|it| it.status.success());
        if !there {
            let _ = writeln!(
                std::io::stderr().lock(),
                "SKIPPED for want of python3-twomemo and python3-oldmemo: OMEMO with a foreign device"
            );
            return None;
        }
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/omemo_device.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peer starts");
        let wishes = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("output"));
        Some(Self { child, wishes, answers })
    }

    fn ask(&mut self, wish: Value) -> Value {
        writeln!(self.wishes.as_mut().expect("open"), "{wish}").expect("written");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.wishes = None;
        let _ = self.child.wait();
    }
}

fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Two => "two",
        Dialect::Old => "old",
    }
}

fn read_bundle(dialect: Dialect, value: &Value) -> Bundle {
    let key = |value: &Value| {
        Bundle::read_key(dialect, &unhex(value.as_str().expect("hex"))).expect("a key")
    };
    let prekey = |it: &Value| PreKey { id: it[0].as_u64().expect("id") as u32, key: key(&it[1]) };
    Bundle {
        identity: IdentityKey::from_wire(dialect, &key(&value["ik"])).expect("an identity"),
        signed: prekey(&value["spk"]),
        signature: unhex(value["spks"].as_str().expect("hex")).try_into().expect("64 bytes"),
        prekeys: value["prekeys"].as_array().expect("a list").iter().map(prekey).collect(),
    }
}

fn show_bundle(dialect: Dialect, bundle: &Bundle) -> Value {
    let key = |it: &PreKey| json!([it.id, hex(&Bundle::key_bytes(dialect, it))]);
    json!({
        "ik": hex(&bundle.identity_bytes(dialect)),
        "spk": key(&bundle.signed),
        "spks": hex(&bundle.signature),
        "prekeys": bundle.prekeys.iter().map(key).collect::<Vec<_>>(),
    })
}

/// One of our devices with a session with each foreign one.
struct Ours {
    dialect: Dialect,
    own: Own,
    session: Option<Session>,
    chance: Chance,
}

impl Ours {
    fn new(dialect: Dialect, seed: u64) -> Self {
        let mut chance = Chance(seed);
        let seed = Own::draw_seed(&mut chance).expect("a seed");
        let own = Own::new(dialect, seed, &mut chance, 0).expect("a device");
        Self { dialect, own, session: None, chance }
    }

    fn bundle(&self) -> Value {
        show_bundle(self.dialect, &self.own.bundle().expect("a bundle"))
    }

    fn begin(&mut self, bundle: &Value) {
        let bundle = read_bundle(self.dialect, bundle);
        let new = Session::begin(&self.own, &bundle, &mut self.chance).expect("begun");
        if let Some(old) = self.session.replace(new) {
            self.session.as_mut().expect("a session").put_before(old);
        }
    }

    fn write(&mut self, text: &str) -> Value {
        let sealed =
            payload::seal(self.dialect, text.as_bytes(), &mut self.chance).expect("sealed");
        let key =
            self.session.as_mut().expect("a session").encrypt(&sealed.key).expect("encrypted");
        json!({
            "begins": key.begins,
            "data": hex(&key.data),
            "iv": sealed.iv.map(|it| hex(&it)).unwrap_or_default(),
            "payload": hex(&sealed.payload),
        })
    }

    fn read(&mut self, message: &Value) -> Result<String, offhook_omemo::Error> {
        let bytes = |name: &str| unhex(message[name].as_str().expect("hex"));
        let key = KeyMessage { begins: message["begins"] == true, data: bytes("data") };
        let opened = match &mut self.session {
            Some(session) => session.decrypt(&self.own, &key, &mut self.chance)?,
            None => {
                let (session, opened) = Session::answer(&self.own, &key.data, &mut self.chance)?;
                self.session = Some(session);
                opened
            }
        };
        if let Some(id) = opened.spent {
            assert!(self.own.spend(id));
            self.own.maintain(&mut self.chance, 0);
        }
        let text = payload::open(self.dialect, &opened.plain, &bytes("iv"), &bytes("payload"))?;
        Ok(String::from_utf8(text).expect("text"))
    }
}

/// A conversation in which nothing stays in order: what `side` writes is delivered later, in an order
/// of chance, and some of it never.
fn converse(peer: &mut Peer, ours: &mut Ours, foreign: &str, count: usize) {
    let mut chance = Chance(count as u64);
    let (mut to_us, mut to_them) = (Vec::new(), Vec::new());
    let mut exchanged = [0; 2];
    for number in 0..count {
        let text = format!("message {number}: grüße, \u{1f600} {}", "x".repeat(number * 7 % 900));
        if number % 2 == 0 {
            to_them.push((text.clone(), ours.write(&text)));
        } else {
            let said = peer.ask(json!({"do": "encrypt", "as": foreign, "to": "us", "text": text}));
            assert!(said["data"].is_string(), "{said}");
            to_us.push((text, said));
        }
        while to_us.len() + to_them.len() > 6 {
            deliver(peer, ours, foreign, &mut to_us, &mut to_them, &mut chance, &mut exchanged);
        }
    }
    while !(to_us.is_empty() && to_them.is_empty()) {
        deliver(peer, ours, foreign, &mut to_us, &mut to_them, &mut chance, &mut exchanged);
    }
    assert!(exchanged.iter().all(|it| *it > count / 3), "{exchanged:?}");
}

fn deliver(
    peer: &mut Peer,
    ours: &mut Ours,
    foreign: &str,
    to_us: &mut Vec<(String, Value)>,
    to_them: &mut Vec<(String, Value)>,
    chance: &mut Chance,
    exchanged: &mut [usize; 2],
) {
    let lost = chance.below(20) == 0;
    if to_them.is_empty() || (!to_us.is_empty() && chance.below(2) == 0) {
        let (text, message) = to_us.swap_remove(chance.below(to_us.len()));
        if !lost {
            assert_eq!(ours.read(&message).as_deref(), Ok(text.as_str()));
            assert!(ours.read(&message).is_err(), "a copy was read");
            exchanged[0] += 1;
        }
    } else {
        let (text, mut message) = to_them.swap_remove(chance.below(to_them.len()));
        if !lost {
            message["do"] = "decrypt".into();
            message["as"] = foreign.into();
            message["from"] = "us".into();
            let said = peer.ask(message);
            assert_eq!(said["text"], text.as_str(), "{said}");
            exchanged[1] += 1;
        }
    }
}

#[test]
fn a_foreign_device_and_ours_read_each_other_in_any_order() {
    let Some(mut peer) = Peer::start() else {
        return;
    };
    for dialect in [Dialect::Two, Dialect::Old] {
        // We begin.
        let made = peer.ask(json!({"do": "new", "as": "bob", "ns": name(dialect)}));
        let mut ours = Ours::new(dialect, 11);
        ours.begin(&made["bundle"]);
        let first = ours.write("first");
        let mut wish = first.clone();
        wish["do"] = "decrypt".into();
        wish["as"] = "bob".into();
        wish["from"] = "us".into();
        assert_eq!(peer.ask(wish)["text"], "first", "{dialect:?}");
        converse(&mut peer, &mut ours, "bob", 200);

        // They begin, with another device.
        peer.ask(json!({"do": "new", "as": "carol", "ns": name(dialect)}));
        let mut other = Ours::new(dialect, 12);
        let said = peer.ask(json!({
            "do": "encrypt", "as": "carol", "to": "us", "text": "theirs", "bundle": other.bundle()
        }));
        assert_eq!(said["begins"], true, "{said}");
        assert_eq!(other.read(&said).as_deref(), Ok("theirs"));
        converse(&mut peer, &mut other, "carol", 200);
    }
}

#[test]
fn a_session_that_they_lost_is_begun_anew_by_either_side() {
    let Some(mut peer) = Peer::start() else {
        return;
    };
    for dialect in [Dialect::Two, Dialect::Old] {
        peer.ask(json!({"do": "new", "as": "bob", "ns": name(dialect)}));
        let mut ours = Ours::new(dialect, 13);
        let hello = |peer: &mut Peer, ours: &Ours| {
            peer.ask(json!({
                "do": "encrypt", "as": "bob", "to": "us", "text": "hello", "bundle": ours.bundle()
            }))
        };
        let said = hello(&mut peer, &ours);
        ours.read(&said).expect("read");
        converse(&mut peer, &mut ours, "bob", 20);
        // They forgot us and begin again.
        peer.ask(json!({"do": "forget", "as": "bob", "about": "us"}));
        let said = hello(&mut peer, &ours);
        assert_eq!(said["begins"], true);
        assert_eq!(ours.read(&said).as_deref(), Ok("hello"));
        converse(&mut peer, &mut ours, "bob", 20);
        // They forgot us again and cannot read us; we begin again.
        peer.ask(json!({"do": "forget", "as": "bob", "about": "us"}));
        let mut lost = ours.write("lost");
        lost["do"] = "decrypt".into();
        lost["as"] = "bob".into();
        lost["from"] = "us".into();
        assert!(peer.ask(lost)["error"].is_string());
        let made = peer.ask(json!({"do": "bundle", "as": "bob"}));
        ours.begin(&made["bundle"]);
        let mut again = ours.write("again");
        again["do"] = "decrypt".into();
        again["as"] = "bob".into();
        again["from"] = "us".into();
        assert_eq!(peer.ask(again)["text"], "again");
        converse(&mut peer, &mut ours, "bob", 20);
    }
}

/// Writes the conversation that `vectors.rs` replays. Run by hand: the fixture is kept.
#[test]
#[ignore = "makes tests/fixtures anew"]
fn record() {
    let mut peer = Peer::start().expect("the peer");
    for dialect in [Dialect::Two, Dialect::Old] {
        peer.ask(json!({"do": "new", "as": "bob", "ns": name(dialect)}));
        let ours = Ours::new(dialect, 21);
        let messages: Vec<Value> = (0..8)
            .map(|number| {
                let text = format!("recorded message {number}");
                let bundle = ours.bundle();
                let said = peer.ask(json!({
                    "do": "encrypt", "as": "bob", "to": "us", "text": text, "bundle": bundle
                }));
                json!({"text": text, "message": said})
            })
            .collect();
        let fixture = json!({
            "source": "python3-omemo 1.0.2, python3-twomemo 1.0.3, python3-oldmemo 1.0.3 of Debian, \
                       by crates/omemo/tests/peer.rs, test `record`",
            "seed": 21,
            "bundle": ours.bundle(),
            "messages": messages,
        });
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/fixtures/{}.json", name(dialect)));
        std::fs::write(path, serde_json::to_string_pretty(&fixture).expect("JSON") + "\n")
            .expect("written");
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/messages");
        std::fs::create_dir_all(&corpus).expect("made");
        for (place, message) in messages.iter().take(2).enumerate() {
            let data = unhex(message["message"]["data"].as_str().expect("hex"));
            std::fs::write(corpus.join(format!("{}-{place}", name(dialect))), data)
                .expect("written");
        }
    }
}
