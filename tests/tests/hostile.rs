//! The whole program against liars: people who say what is not theirs to say through a real server,
//! and a server that says what no server may. Nothing of it is shown as somebody else's words, each
//! kind is told in the diagnostics without a word of it, and the link stays where the rules of XMPP
//! let it stay.

use offhook_interop::{
    Authority, Client, DOMAIN, Flaw, HostileServer, Knot, PASSWORD, Parts, Scratch, Setup,
    Standard, XmppPeer, have, until,
};
use serde_json::{Value, json};

/// In every text that a liar sends, and nowhere else.
const LIE: &str = "f0rged-w0rds";

const PEERS: &[&str] = &["knotd", "prosody", "slixmpp"];

/// The causes of all problems on the screen.
fn notes(client: &Client) -> Vec<String> {
    let state = client.must("diagnostics.get", Value::Null);
    let problems = state["problems"].as_array().cloned().unwrap_or_default();
    problems.iter().map(|it| it["cause"].as_str().unwrap_or_default().to_owned()).collect()
}

#[track_caller]
fn until_note(client: &Client, part: &str) {
    until(&format!("the note \"{part}\""), 30, || {
        notes(client).iter().any(|it| it.contains(part)).then_some(())
    });
}

fn history(client: &Client, with: &str) -> Vec<Value> {
    let history = client.must("chat.history", json!({ "with": with, "limit": 100 }));
    history["items"].as_array().cloned().unwrap_or_default()
}

fn bodies(client: &Client, with: &str) -> Vec<String> {
    let body = |it: &Value| it["body"].as_str().unwrap_or_default().to_owned();
    history(client, with).iter().map(body).collect()
}

/// No word of a liar is in diagnostics, in a report, in what the program printed or logged.
fn nothing_leaks(client: &Client, scratch: &Scratch) {
    let state = client.must("diagnostics.get", Value::Null).to_string();
    assert!(!state.contains(LIE), "{state}");
    let saved = client.must(
        "report.save",
        json!({ "output": scratch.path().join(format!("report-{}.zip", client.count())) }),
    );
    let file = std::fs::File::open(saved["path"].as_str().expect("a path")).expect("a report");
    let mut report = zip::ZipArchive::new(file).expect("a ZIP file");
    for place in 0..report.len() {
        let mut bytes = Vec::new();
        let mut entry = report.by_index(place).expect("an entry");
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("its bytes");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(
            !text.contains(LIE) && !text.contains(PASSWORD),
            "{:?} of the report",
            entry.name()
        );
    }
    let logs = client.profile.join("data/logs");
    for entry in std::fs::read_dir(logs).into_iter().flatten().flatten() {
        let text = std::fs::read(entry.path()).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&text).contains(LIE), "{}", entry.path().display());
    }
}

/// Alice with our client, bob her friend, carol the liar, all at a real server.
struct Stage {
    alice: Client,
    bob: XmppPeer,
    carol: XmppPeer,
    alice_at: String,
    bob_at: String,
    carol_at: String,
    /// Alice's address with her resource, as a liar learns it.
    full: String,
    _servers: Standard,
    scratch: Scratch,
}

impl Stage {
    fn set() -> Self {
        let scratch = Scratch::new();
        let servers = Standard::start(&scratch, &Parts::chat());
        let (bob, mut carol) = (servers.chat_client("bob"), servers.chat_client("carol"));
        let at = |name: &str| format!("{name}@{DOMAIN}");
        let setup = Setup { log: Some("debug"), ..servers.setup() };
        let alice = Client::start(scratch.path(), "alice", &setup);
        alice.sign_in(&at("alice"), PASSWORD, &["im"]);
        let since = alice.count();
        carol.word(json!({ "kind": "text", "to": at("alice"), "id": "c0", "body": "hello" }));
        alice.until_message(&at("carol"), "hello", since);
        alice.say(&at("carol"), "who is there?", "sent");
        let full =
            carol.until_message("who is there?")["full"].as_str().unwrap_or_default().to_owned();
        Self {
            alice,
            bob,
            carol,
            alice_at: at("alice"),
            bob_at: at("bob"),
            carol_at: at("carol"),
            full,
            _servers: servers,
            scratch,
        }
    }

    /// What came before is through: carol's next honest message is here.
    #[track_caller]
    fn sync(&mut self) {
        let (since, word) = (self.alice.count(), format!("so far {}", self.alice.count()));
        let id = format!("sync-{since}");
        self.carol.word(json!({ "kind": "text", "to": self.alice_at, "id": id, "body": word }));
        self.alice.until_message(&self.carol_at, &word, since);
    }

    /// Says this as carol to both of alice's addresses, whole or with her resource.
    fn lie(&mut self, message: &str) {
        for to in [self.alice_at.clone(), self.full.clone()] {
            self.carol.raw(&message.replacen("<message", &format!("<message to='{to}'"), 1));
        }
    }

    fn ask(&mut self, id: &str, payload: &str) -> String {
        let iq = format!("<iq type='set' id='{id}' to='{}'>{payload}</iq>", self.full);
        self.carol.ask(id, &iq)
    }
}

/// A message in the wrapping of a copy (XEP-0280), a place in an archive (XEP-0313) or none.
fn wrapped(how: &str, from: &str, to: &str) -> String {
    let inner = format!(
        "<message xmlns='jabber:client' type='chat' id='w1' from='{from}/desk' to='{to}'>\
         <body>{LIE}</body></message>"
    );
    let stamp = "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>";
    let forwarded = format!("<forwarded xmlns='urn:xmpp:forward:0'>{stamp}{inner}</forwarded>");
    match how {
        "archive" => {
            format!("<result xmlns='urn:xmpp:mam:2' id='a1' queryid='q1'>{forwarded}</result>")
        }
        "nothing" => forwarded,
        how => format!("<{how} xmlns='urn:xmpp:carbons:2'>{forwarded}</{how}>"),
    }
}

#[test]
fn what_liars_say_through_a_real_server_is_nobody_elses_words() {
    if !have("liars at a real server", PEERS) {
        return;
    }
    let mut stage = Stage::set();
    let (alice_at, bob_at) = (stage.alice_at.clone(), stage.bob_at.clone());
    let since = stage.alice.count();
    stage.bob.word(json!({ "kind": "text", "to": alice_at, "id": "m1", "body": "by bob" }));
    stage.alice.until_message(&bob_at, "by bob", since);
    let ours = stage.alice.say(&bob_at, "by us", "delivered");
    let begin = stage.alice.count();

    // The wrapping of a copy (CVE-2017-5589 and its kind), an archive, a plain forward.
    for how in ["received", "sent", "archive", "nothing"] {
        for (from, to) in [(&bob_at, &alice_at), (&alice_at, &bob_at)] {
            stage
                .lie(&format!("<message type='chat' id='l1'>{}</message>", wrapped(how, from, to)));
        }
    }
    // Changes of what others wrote, from another person's conversation.
    for id in ["m1", ours.as_str()] {
        for change in [
            format!("<body>{LIE}</body><replace xmlns='urn:xmpp:message-correct:0' id='{id}'/>"),
            format!("<retract xmlns='urn:xmpp:message-retract:1' id='{id}'/><body>{LIE}</body>"),
            format!(
                "<reactions xmlns='urn:xmpp:reactions:0' id='{id}'><reaction>😀</reaction></reactions>"
            ),
            format!("<displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/>"),
        ] {
            stage.lie(&format!("<message type='chat' id='l2'>{change}</message>"));
        }
    }
    // Bob himself may not change what alice wrote.
    let correct = format!(
        "<message to='{alice_at}' type='chat' id='b9'><body>{LIE}</body><replace xmlns='urn:xmpp:message-correct:0' id='{ours}'/></message>"
    );
    stage.bob.raw(&correct);
    // The lists of contacts and of rooms are our server's to change.
    let push = "<query xmlns='jabber:iq:roster'><item jid='trap@evil.example' subscription='both' name='Bob'/></query>";
    assert!(stage.ask("push1", push).contains("error"));
    let block = format!("<block xmlns='urn:xmpp:blocking'><item jid='{bob_at}'/></block>");
    assert!(stage.ask("push2", &block).contains("error"));
    stage.lie(&format!(
        "<message type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:bookmarks:1'>\
         <item id='trap@conference.{DOMAIN}'><conference xmlns='urn:xmpp:bookmarks:1' autojoin='1' name='{LIE}'/></item></items></event></message>"
    ));
    // As deep and as large as the server lets it through.
    let deep = "<a xmlns='urn:x'>".to_owned() + &"<a>".repeat(9_000) + &"</a>".repeat(9_001);
    stage.lie(&format!("<message type='chat' id='l3'>{deep}</message>"));
    stage.lie(&format!(
        "<message type='chat' id='l4'><a xmlns='urn:x' b='{}'/></message>",
        "x".repeat(100_000)
    ));
    stage.sync();

    assert_eq!(bodies(&stage.alice, &bob_at), ["by bob", "by us"]);
    for message in history(&stage.alice, &bob_at) {
        let untouched = ["edited", "retracted", "reactions"];
        let plain = |name: &&str| matches!(&message[*name], Value::Null | Value::Bool(false));
        assert!(
            untouched.iter().all(|name| plain(name) || message[*name] == json!([])),
            "{message:#}"
        );
        assert_ne!(message["state"], "read", "{message:#}");
    }
    // What a liar says in their own name is theirs.
    for message in history(&stage.alice, &stage.carol_at) {
        let by = message["from"].as_str().unwrap_or_default();
        assert!(by == stage.carol_at || message["own"] == true, "{message:#}");
    }
    let roster = stage.alice.must("roster.list", Value::Null).to_string();
    assert!(!roster.contains("trap@"), "{roster}");
    assert_eq!(stage.alice.must("people.blocked", Value::Null)["items"], json!([]));
    assert_eq!(stage.alice.must("room.list", json!({}))["items"], json!([]));
    for part in [
        "change or take back a message",
        "contact list",
        "into your history",
        "list of rooms",
        "beyond all measure",
    ] {
        until_note(&stage.alice, part);
    }
    let lost = stage
        .alice
        .events()
        .into_iter()
        .skip(begin)
        .find(|it| it["type"] == "session" && it["services"]["im"]["state"] != "ready");
    assert_eq!(lost, None, "the link stayed");
    nothing_leaks(&stage.alice, &stage.scratch);
}

#[test]
fn hostile_pages_and_file_names_do_no_harm() {
    if !have("hostile texts and file names at a real server", PEERS) {
        return;
    }
    let mut stage = Stage::set();
    let pages = [
        "<script>alert(1)</script><p>kept</p>".to_owned(),
        "<p><img src='https://evil.example/track.png' alt='kept'/></p>".to_owned(),
        "<p><a href='javascript:alert(1)'>kept</a></p>".to_owned(),
        "<p style='position:fixed;background:url(https://evil.example/a)' onclick='evil()'>kept</p>".to_owned(),
        "<iframe src='https://evil.example/'/><object data='x'/><p>kept</p>".to_owned(),
        "<p>".repeat(40) + "kept" + &"</p>".repeat(40),
        "<p>".repeat(10_000) + "kept" + &"</p>".repeat(10_000),
    ];
    for (n, page) in pages.iter().enumerate() {
        stage.carol.raw(&format!(
            "<message to='{}' type='chat' id='h{n}'><body>page {n}</body><html xmlns='http://jabber.org/protocol/xhtml-im'>\
             <body xmlns='http://www.w3.org/1999/xhtml'>{page}</body></html></message>",
            stage.alice_at
        ));
    }
    stage.sync();
    for message in history(&stage.alice, &stage.carol_at) {
        let html = message["html"].to_string().to_lowercase();
        for bad in ["script", "evil", "onclick", "iframe", "object", "src=", "url("] {
            assert!(!html.contains(bad), "{message:#}");
        }
    }
    let shown = bodies(&stage.alice, &stage.carol_at);
    for n in 0..pages.len() - 1 {
        assert!(shown.contains(&format!("page {n}")), "page {n} is missing in {shown:?}");
    }
    // Nested beyond all measure: passed over whole, and said.
    until_note(&stage.alice, "beyond all measure");

    let long = "x".repeat(4_096);
    let names = [
        "../../../etc/passwd",
        "..\\..\\autoexec.bat",
        "/etc/shadow",
        "CON",
        "NUL.txt",
        ".bashrc",
        "in\u{202e}fdp.exe",
        "a\u{200b}b.txt",
        "%2e%2e%2f%2e%2e%2fx",
        long.as_str(),
    ];
    for (n, name) in names.iter().enumerate() {
        let offer = format!(
            "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s{n}' initiator='{}/foreign'>\
             <content creator='initiator' name='f' senders='initiator'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'>\
             <file><name>{name}</name><size>10</size></file></description><transport xmlns='urn:xmpp:jingle:transports:ibb:1' \
             sid='t{n}' block-size='4096'/></content></jingle>",
            stage.carol_at
        );
        stage.ask(&format!("offer{n}"), &offer);
        let url = format!(
            "https://upload.{DOMAIN}/f/{}",
            name.replace('\\', "%5c").replace('\u{202e}', "%E2%80%AE")
        );
        stage.carol.raw(&format!(
            "<message to='{}' type='chat' id='o{n}'><body>{url}</body><x xmlns='jabber:x:oob'><url>{url}</url></x></message>",
            stage.alice_at
        ));
    }
    stage.sync();
    let files = stage.alice.must("file.list", json!({}));
    let files = files["items"].as_array().cloned().unwrap_or_default();
    assert!(files.len() >= names.len(), "{files:#?}");
    for file in &files {
        assert_eq!(file["state"], "offered", "{file:#}");
        harmless(file["name"].as_str().unwrap_or_default());
    }
    for message in history(&stage.alice, &stage.carol_at) {
        if let Some(name) = message["attachment"]["name"].as_str() {
            harmless(name);
        }
    }
    assert_eq!(stage.alice.session()["services"]["im"]["state"], "ready");
}

/// A name that can be shown and saved under, and says what it is.
#[track_caller]
fn harmless(name: &str) {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let device = ["con", "nul"]
        .contains(&name.split('.').next().unwrap_or_default().to_lowercase().as_str());
    assert!(
        !name.is_empty()
            && name.len() <= 200
            && !name.starts_with('.')
            && !name.contains(odd)
            && !device,
        "{name:?}"
    );
}

#[test]
fn nobody_speaks_in_a_room_under_the_name_of_another() {
    if !have("liars in a room", PEERS) {
        return;
    }
    let mut stage = Stage::set();
    let room = format!("tea@conference.{DOMAIN}");
    stage.bob.enter(&room, "bob");
    stage.alice.must("room.join", json!({ "room": room, "nick": "alice" }));
    stage.carol.enter(&room, "b\u{43e}b");
    let since = stage.alice.count();
    let bob_here = format!("{room}/bob");
    stage.bob.raw(&format!(
        "<message to='{room}' type='groupchat' id='m1'><body>by bob</body></message>"
    ));
    stage.alice.until_message(&bob_here, "by bob", since);
    stage.alice.say(&room, "by us", "delivered");
    let items = history(&stage.alice, &room);
    let id = |body: &str| items.iter().find(|it| it["body"] == body).cloned().expect("it is here");
    let (theirs, ours) = (id("by bob"), id("by us"));

    // A name that looks the same is told apart.
    let members = stage.alice.must("room.members", json!({ "room": room }));
    let members = members["items"].as_array().cloned().unwrap_or_default();
    let shown = |nick: &str| {
        let of = members.iter().find(|it| it["nick"] == nick);
        of.map(|it| it["name"].as_str().unwrap_or_default().to_owned()).expect("they are in")
    };
    assert_eq!(shown("bob"), "bob");
    assert!(shown("b\u{43e}b").contains("looks like"), "{members:#?}");

    // Under another name, then under bob's when he is gone.
    let lies = |to: &str| {
        let mut lies = Vec::new();
        for message in [&theirs, &ours] {
            for id in
                [&message["id"], &message["archiveId"]].into_iter().filter_map(|it| it.as_str())
            {
                lies.push(format!("<message to='{to}' type='groupchat' id='x1'><body>{LIE}</body><replace xmlns='urn:xmpp:message-correct:0' id='{id}'/></message>"));
                lies.push(format!("<message to='{to}' type='groupchat' id='x2'><body>{LIE}</body><retract xmlns='urn:xmpp:message-retract:1' id='{id}'/></message>"));
                lies.push(format!("<message to='{to}' type='groupchat' id='x3'><body>{LIE}</body><apply-to xmlns='urn:xmpp:fasten:0' id='{id}'><moderated xmlns='urn:xmpp:message-moderate:0' by='{to}/alice'><retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to></message>"));
            }
        }
        lies
    };
    for lie in lies(&room) {
        stage.carol.raw(&lie);
    }
    stage.bob.raw(&format!("<presence type='unavailable' to='{room}/bob'/>"));
    until("bob has left", 30, || {
        let members = stage.alice.must("room.members", json!({ "room": room }));
        let items = members["items"].as_array().cloned().unwrap_or_default();
        (!items.iter().any(|it| it["nick"] == "bob")).then_some(())
    });
    stage.carol.raw(&format!("<presence to='{room}/bob'/>"));
    for lie in lies(&room) {
        stage.carol.raw(&lie);
    }
    // As if the room replayed it, and as if another one had written it.
    stage.carol.raw(&format!(
        "<message to='{room}' type='groupchat' id='x4'><body>{LIE}</body><delay xmlns='urn:xmpp:delay' from='{room}' stamp='2020-01-01T00:00:00Z'/>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item jid='{}' affiliation='owner'/></x></message>",
        stage.alice_at
    ));
    // To alice alone, as the room would pass it on.
    let all =
        format!("<message from='{room}/bob' type='groupchat' id='x5'><body>{LIE}</body></message>");
    stage.lie(&all.replace(&format!("from='{room}/bob' "), ""));
    let since = stage.alice.count();
    stage.carol.say(&room, "that is all");
    stage.alice.until_event("the end", since.saturating_sub(50), |it| it["body"] == "that is all");

    for message in history(&stage.alice, &room) {
        let (body, from) = (
            message["body"].as_str().unwrap_or_default(),
            message["from"].as_str().unwrap_or_default(),
        );
        let own = message["own"] == true;
        assert!(body != LIE || !own, "{message:#}");
        if message["id"] == theirs["id"] || message["id"] == ours["id"] {
            assert!(message["edited"] != true && message["retracted"].is_null(), "{message:#}");
            assert!(["by bob", "by us"].contains(&body), "{message:#}");
        } else if from == bob_here {
            let author = message["author"].as_str();
            assert!(author.is_none_or(|it| it == stage.carol_at), "{message:#}");
        }
    }
    until_note(&stage.alice, "change or take back a message");
    assert_eq!(stage.alice.session()["services"]["im"]["state"], "ready");
    nothing_leaks(&stage.alice, &stage.scratch);
}

fn text(text: &str) -> Value {
    json!({ "text": text })
}

fn times(text: &str, times: usize) -> Value {
    json!({ "text": text, "times": times })
}

/// A stage of one server that lies and our client signed in at it.
fn hostile(scratch: &Scratch) -> (HostileServer, Knot, Client) {
    let folder = scratch.folder("servers");
    let authority = Authority::new(&folder);
    let server = HostileServer::start(&folder, DOMAIN, &authority.server(DOMAIN, Flaw::None));
    let records = format!("im IN A 127.0.0.1\n_xmpps-client._tcp IN SRV 5 0 {} im\n", server.port);
    let knot = Knot::start(&folder, DOMAIN, &records);
    let setup = Setup {
        name_server: Some(knot.address.clone()),
        ca_file: Some(authority.file.clone()),
        log: Some("debug"),
        ..Setup::default()
    };
    let alice = Client::start(scratch.path(), "alice", &setup);
    alice.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["im"]);
    (server, knot, alice)
}

#[test]
fn what_is_beyond_all_measure_is_passed_over_and_the_link_stays() {
    if !have("a hostile server", &["knotd", "slixmpp"]) {
        return;
    }
    let scratch = Scratch::new();
    let (mut server, _knot, alice) = hostile(&scratch);
    let bob = format!("bob@{DOMAIN}");
    let head = |kind: &str| format!("<{kind} from='{bob}/x' type='chat' id='h1'>");
    let cases: [(&str, Vec<Value>); 5] = [
        (
            "20 MB of text",
            vec![
                text(&(head("message") + "<body>" + LIE)),
                times("0123456789abcdef", 1_310_720),
                text("</body></message>"),
            ],
        ),
        (
            "a million elements",
            vec![text(&head("message")), times("<a/>", 1_000_000), text("</message>")],
        ),
        (
            "100,000 deep",
            vec![
                text(&head("message")),
                times("<a>", 100_000),
                text(LIE),
                times("</a>", 100_000),
                text("</message>"),
            ],
        ),
        (
            "a deep presence",
            vec![
                text(&format!("<presence from='{bob}/x'>")),
                times("<a b='>'>", 5_000),
                times("</a>", 5_000),
                text("</presence>"),
            ],
        ),
        (
            "a deep question",
            vec![
                text(&format!("<iq type='get' id='deep1' from='{bob}/x'>")),
                times("<a>", 5_000),
                times("</a>", 5_000),
                text("</iq>"),
            ],
        ),
    ];
    for (n, (what, pieces)) in cases.iter().enumerate() {
        let since = alice.count();
        let honest = format!("after {what}");
        server.say(pieces);
        server.say(&[text(&format!(
            "<message from='{bob}/x' type='chat' id='a{n}'><body>{honest}</body></message>"
        ))]);
        alice.until_message(&bob, &honest, since);
    }
    server.until("was answered", |it| {
        let text = it["text"].as_str().unwrap_or_default();
        text.contains("deep1") && text.contains("policy-violation")
    });
    // What cannot be a stanza at all is passed over as well.
    let since = alice.count();
    for odd in [
        "<message type='odd'/>",
        "<presence><show>gone</show></presence>",
        "<iq/>",
        "<nonsense xmlns='urn:x'/>",
        "<message xmlns='jabber:server'/>",
    ] {
        server.say(&[text(odd)]);
    }
    server.say(&[text(&format!(
        "<message from='{bob}/x' type='chat' id='z1'><body>the end</body></message>"
    ))]);
    alice.until_message(&bob, "the end", since);
    assert_eq!(server.connections(), 1, "one connection all the time");
    until_note(&alice, "beyond all measure");
    assert!(bodies(&alice, &bob).iter().all(|body| !body.contains(LIE)));
    let memory = alice.running.peak_memory();
    assert!(memory < 400 << 20, "it took {} MB", memory >> 20);
    nothing_leaks(&alice, &scratch);
}

#[test]
fn a_stream_that_is_none_is_ended_with_a_word_and_opened_again_after_growing_pauses() {
    if !have("a server that breaks the stream", &["knotd", "slixmpp"]) {
        return;
    }
    let scratch = Scratch::new();
    let (mut server, _knot, alice) = hostile(&scratch);
    let bob = format!("bob@{DOMAIN}");
    let head = format!("<message from='{bob}/x' type='chat' id='h1'><body>{LIE}");
    let broken = [
        ("invalid UTF-8", vec![text(&head), json!({ "hex": "c328ff" }), text("</body></message>")]),
        (
            "an entity bomb",
            vec![text(&format!(
                "<!DOCTYPE a [<!ENTITY b '{LIE}'><!ENTITY c '&b;&b;'>]>{head}&c;</body></message>"
            ))],
        ),
        ("tags that cross", vec![text(&format!("{head}</message></body>"))]),
        (
            "a comment and an instruction",
            vec![text(&format!("<!-- {LIE} --><?pi?>{head}</body></message>"))],
        ),
        ("an endless tag", vec![text("<message "), times("a='b' ", 400_000)]),
    ];
    let mut pause = 0.0;
    for (n, (what, pieces)) in (1..).zip(&broken) {
        server.say(pieces);
        let of =
            |it: &Value, event: &str, number: usize| it["event"] == event && it["number"] == number;
        server.until(&format!("was told what is wrong with {what}"), |it| {
            let text = it["text"].as_str().unwrap_or_default();
            of(it, "heard", n) && text.contains("<stream:error>") && !text.contains(LIE)
        });
        let ended = server.until("lost the client", |it| of(it, "ended", n));
        let again = server.until("has it back", |it| of(it, "connected", n + 1));
        let waited =
            again["at"].as_f64().unwrap_or_default() - ended["at"].as_f64().unwrap_or_default();
        // Each pause is twice the last one, beside a quarter of chance.
        assert!(waited > 0.9 && waited > 1.4 * pause, "{waited} s after {pause} s, for {what}");
        pause = waited;
        server.until("let it in", |it| of(it, "bound", n + 1));
        alice.until_session("back", |it| it["services"]["im"]["state"] == "ready");
    }
    let since = alice.count();
    server.say(&[text(&format!(
        "<message from='{bob}/x' type='chat' id='z1'><body>good again</body></message>"
    ))]);
    alice.until_message(&bob, "good again", since);
    assert_eq!(bodies(&alice, &bob), ["good again"]);
    let told = alice.events().into_iter().filter(|it| it["type"] == "session");
    let told: Vec<String> =
        told.map(|it| it["services"]["im"]["error"]["cause"].to_string()).collect();
    assert!(told.iter().any(|it| it.contains("the XML stream is broken")), "{told:?}");
    nothing_leaks(&alice, &scratch);
}
