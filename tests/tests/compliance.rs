//! What we claim to speak, held against what is negotiated: `docs/offhook.doap` beside the answer
//! of a running client to the question what it can do, and beside the namespaces that really went
//! through Prosody in one session. And the rows of the compliance suites (XEP-0479, 2023), each
//! with the test that proves it: `docs/compliance.md`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use offhook_interop::{Client, DOMAIN, PASSWORD, Parts, Scratch, Standard, by_ejabberd, have};
use serde_json::{Value, json};

/// How a claim shows.
enum Seen {
    /// In the answer to disco#info.
    Feature(&'static str),
    /// In what the client sent.
    Sent(&'static str),
    /// In what the client was sent because it asked for it.
    Received(&'static str),
    /// In a test of its own: `path::function`, as in docs/features.md.
    Test(&'static str),
}

use Seen::{Feature, Received, Sent, Test};

/// Every extension of the DOAP file, and how it shows.
const CLAIMS: &[(&str, Seen)] = &[
    ("0004", Sent("jabber:x:data")),
    ("0012", Sent("jabber:iq:last")),
    ("0030", Feature("http://jabber.org/protocol/disco#info")),
    ("0045", Feature("http://jabber.org/protocol/muc")),
    ("0047", Feature("http://jabber.org/protocol/ibb")),
    (
        "0048",
        Test("im/tests/rooms_words.rs::bookmarks_are_written_in_the_way_that_the_server_takes"),
    ),
    (
        "0049",
        Test("im/tests/rooms_words.rs::bookmarks_are_written_in_the_way_that_the_server_takes"),
    ),
    ("0054", Sent("vcard-temp")),
    ("0059", Sent("http://jabber.org/protocol/rsm")),
    ("0060", Sent("http://jabber.org/protocol/pubsub")),
    ("0065", Feature("http://jabber.org/protocol/bytestreams")),
    ("0066", Feature("jabber:x:oob")),
    ("0071", Feature("http://jabber.org/protocol/xhtml-im")),
    ("0084", Feature("urn:xmpp:avatar:metadata+notify")),
    ("0085", Feature("http://jabber.org/protocol/chatstates")),
    ("0092", Feature("jabber:iq:version")),
    ("0095", Feature("http://jabber.org/protocol/si")),
    ("0096", Feature("http://jabber.org/protocol/si/profile/file-transfer")),
    ("0115", Feature("http://jabber.org/protocol/caps")),
    ("0153", Test("im/tests/people.rs::the_hash_in_presence_leads_to_the_card")),
    ("0163", Received("http://jabber.org/protocol/pubsub#event")),
    ("0166", Feature("urn:xmpp:jingle:1")),
    ("0184", Feature("urn:xmpp:receipts")),
    ("0191", Sent("urn:xmpp:blocking")),
    ("0198", Sent("urn:xmpp:sm:3")),
    ("0199", Feature("urn:xmpp:ping")),
    ("0203", Received("urn:xmpp:delay")),
    ("0234", Feature("urn:xmpp:jingle:apps:file-transfer:5")),
    ("0245", Test("text/src/action.rs::a_message_about_its_writer_begins_with_the_command")),
    ("0249", Feature("jabber:x:conference")),
    ("0258", Test("im/tests/features.rs::files_labels_and_rich_text_are_read")),
    ("0260", Feature("urn:xmpp:jingle:transports:s5b:1")),
    ("0261", Feature("urn:xmpp:jingle:transports:ibb:1")),
    ("0280", Sent("urn:xmpp:carbons:2")),
    ("0297", Received("urn:xmpp:forward:0")),
    ("0308", Feature("urn:xmpp:message-correct:0")),
    ("0313", Sent("urn:xmpp:mam:2")),
    ("0319", Test("im/tests/people.rs::a_desk_that_is_left_is_told_when_its_time_has_come")),
    ("0333", Feature("urn:xmpp:chat-markers:0")),
    (
        "0352",
        Test(
            "xmpp/tests/resumption.rs::the_server_is_told_whether_anybody_looks_where_it_wants_to_know",
        ),
    ),
    ("0359", Feature("urn:xmpp:sid:0")),
    ("0363", Sent("urn:xmpp:http:upload:0")),
    ("0368", Test("xmpp/tests/prosody.rs::two_people_meet_over_starttls_and_direct_tls")),
    ("0384", Feature("urn:xmpp:omemo:2:devices+notify")),
    ("0393", Test("text/tests/reading.rs::blocks_of_xhtml_are_those_of_styling")),
    ("0402", Feature("urn:xmpp:bookmarks:1+notify")),
    (
        "0410",
        Test("im/tests/rooms.rs::silence_is_looked_into_and_a_room_that_lost_us_entered_anew"),
    ),
    (
        "0421",
        Test("im/tests/rooms_words.rs::only_the_writer_corrects_and_retracts_by_the_rooms_mark"),
    ),
    ("0424", Feature("urn:xmpp:message-retract:1")),
    ("0425", Test("im/tests/rooms_words.rs::moderation_speaks_as_the_room_does")),
    ("0428", Feature("urn:xmpp:fallback:0")),
    ("0444", Feature("urn:xmpp:reactions:0")),
    ("0461", Feature("urn:xmpp:reply:0")),
];

/// Extensions whose names in an answer belong to another claim.
const BESIDE: &[(&str, &str)] =
    &[("eu.siacs.conversations.axolotl.devicelist+notify", "0384, in its older form")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The numbers that the DOAP file names.
fn claimed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("docs/offhook.doap")).expect("the file");
    let number = |part: &str| part.split(".html").next().map(str::to_owned);
    text.split("extensions/xep-").skip(1).filter_map(number).collect()
}

#[test]
fn the_claims_are_what_is_negotiated() {
    let known: BTreeSet<String> = CLAIMS.iter().map(|(xep, _)| (*xep).to_owned()).collect();
    assert_eq!(claimed(), known, "docs/offhook.doap and this table name the same");
    if !have("claims held against Prosody", &["knotd", "prosody", "slixmpp"]) || by_ejabberd() {
        return;
    }
    let (features, spoken) = session();
    let mut wrong = Vec::new();
    for (xep, seen) in CLAIMS {
        let shows = match seen {
            Feature(name) => features.contains(*name),
            Sent(name) => spoken.contains(&format!("in {name}")),
            Received(name) => spoken.contains(&format!("out {name}")),
            Test(name) => exists(name),
        };
        if !shows {
            wrong.push(format!("XEP-{xep} is claimed and does not show"));
        }
    }
    let claims = |name: &str| {
        CLAIMS.iter().any(|(_, seen)| matches!(seen, Feature(it) if *it == name))
            || BESIDE.iter().any(|(it, _)| *it == name)
    };
    let silent = features.iter().filter(|name| !claims(name));
    wrong.extend(silent.map(|name| format!("{name} is offered and nothing claims it")));
    assert!(wrong.is_empty(), "{wrong:#?}\nfeatures {features:#?}\nspoken {spoken:#?}");
}

/// One session in which everything is done once: what our client says it can do, and what was
/// spoken.
fn session() -> (BTreeSet<String>, BTreeSet<String>) {
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let mut bob = servers.chat_client("bob");
    let (alice_at, bob_at) = (format!("alice@{DOMAIN}"), format!("bob@{DOMAIN}"));
    bob.send(&alice_at, "before you came");
    let alice = Client::start(scratch.path(), "alice", &servers.setup());
    alice.sign_in(&alice_at, PASSWORD, &["im"]);
    let since = alice.count();
    alice.must("roster.add", json!({ "contact": bob_at }));
    let id = alice.say(&bob_at, "hello", "delivered");
    let here = bob.until_message("hello");
    bob.send(&alice_at, "to be answered");
    let asked = alice.until_message(&bob_at, "to be answered", since);
    talk(&alice, &bob_at, &id, &asked);
    room(&alice, &bob_at);
    people(&alice, &bob_at);
    file(&alice, &bob_at, scratch.path());
    let full = here["full"].as_str().expect("the full address").to_owned();
    let features = bob.features(&full).into_iter().collect();
    let server = servers.chat.as_ref().expect("a chat server");
    let spoken = offhook_interop::attempt(30, || {
        let spoken = server.namespaces();
        let all = CLAIMS.iter().all(|(_, seen)| match seen {
            Sent(name) => spoken.contains(&format!("in {name}")),
            Received(name) => spoken.contains(&format!("out {name}")),
            Feature(_) | Test(_) => true,
        });
        all.then_some(spoken)
    });
    (features, spoken.unwrap_or_else(|| server.namespaces()))
}

/// What is done with messages.
fn talk(alice: &Client, with: &str, own: &str, theirs: &Value) {
    let chat = |method: &str, mut params: Value| {
        params["with"] = json!(with);
        alice.must(method, params)
    };
    chat("chat.typing", json!({ "typing": true }));
    chat("chat.markRead", json!({}));
    chat("chat.correct", json!({ "id": own, "body": "hello again" }));
    chat("chat.react", json!({ "id": theirs["id"], "emoji": ["\u{1f44d}"] }));
    chat("chat.reply", json!({ "to": theirs["id"], "body": "an answer" }));
    let gone = alice.must("chat.send", json!({ "to": with, "body": "to be taken back" }));
    chat("chat.retract", json!({ "id": gone["id"] }));
}

/// What is done with rooms.
fn room(alice: &Client, with: &str) {
    let since = alice.count();
    let params = json!({ "name": "Compliance", "topic": "All of it", "persistent": true });
    let room = alice.must("room.create", params)["room"].clone();
    alice.until_event("the room stands", since, |it| {
        it["type"] == "room" && it["room"] == room && it["change"] == "joined"
    });
    alice.must("room.invite", json!({ "room": room, "who": with, "reason": "please" }));
    alice.must("room.bookmark", json!({ "room": room, "keep": true, "autojoin": true }));
    alice.must("room.browse", json!({}));
}

/// What is done with people.
fn people(alice: &Client, with: &str) {
    alice.must("people.details", json!({ "contact": with }));
    alice.must("people.block", json!({ "contact": format!("carol@{DOMAIN}") }));
    alice.must("people.unblock", json!({ "contact": format!("carol@{DOMAIN}") }));
}

/// A file goes over the server.
fn file(alice: &Client, with: &str, folder: &Path) {
    let path = folder.join("note.txt");
    std::fs::write(&path, "what is in the file").expect("written");
    let since = alice.count();
    alice.must("file.send", json!({ "to": with, "path": path }));
    alice.until_event("the file is there", since, |it| {
        it["type"] == "file" && it["transfer"]["state"] == "done"
    });
}

/// The rows of the suites, as `docs/compliance.md` names them.
#[test]
fn every_row_of_the_suites_has_a_test() {
    let text = std::fs::read_to_string(root().join("docs/compliance.md")).expect("the page");
    let mut rows = 0;
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [suite, _, providers, proof] = cells[..] else { panic!("four cells: {line}") };
        if matches!(suite, "suite" | "---") {
            continue;
        }
        rows += 1;
        let tests: Vec<&str> = proof.split('`').filter(|it| it.contains("::")).collect();
        assert!(!tests.is_empty(), "no test in {line}");
        let missing: Vec<&&str> = tests.iter().filter(|it| !exists(it)).collect();
        assert!(missing.is_empty(), "{missing:?} of {providers} is no test");
    }
    assert!(rows >= 20, "{rows} rows");
}

/// `path::function`: a file below `crates/`, or below the root, that has this function.
fn exists(name: &str) -> bool {
    let Some((path, function)) = name.rsplit_once("::") else { return false };
    let found = [root().join("crates").join(path), root().join(path)];
    let text = found.iter().find_map(|path| std::fs::read_to_string(path).ok());
    text.is_some_and(|text| text.contains(&format!("fn {function}(")))
}
