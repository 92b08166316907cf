//! Two machines and a made-up world between them: every way of negotiating, and those who cheat.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use offhook_model::{
    Attachment, ChatPolicy, Jid, MessageId, Moment, Timestamp, Transfer, TransferId, TransferState,
    TransferWay,
};
use offhook_ports::{StreamHost, TransferFact, TransferOrder};
use offhook_transfer::{Change, FEATURES, Outgoing, Output, Servers, Source, Transfers, fuzzing};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::Jid as WireJid;
use xmpp_parsers::minidom::Element;

const CONTENT: &[u8] = b"what is in the file";
const PROXY: &str = "proxy.example.com";
const UPLOAD: &str = "upload.example.com";

#[expect(clippy::disallowed_methods, reason = "the beginning of virtual time")]
fn beginning() -> Moment {
    Moment { at: Instant::now(), wall: Timestamp(1_700_000_000_000) }
}

/// One person with an adapter that does as the world lets it.
struct Side {
    files: Transfers,
    jid: Jid,
    listens: bool,
    written: Vec<u8>,
    read: usize,
    changes: Vec<Change>,
    orders: Vec<String>,
    sum: [u8; 32],
}

impl Side {
    fn new(jid: &str, now: Moment) -> Self {
        let jid: Jid = jid.parse().expect("valid");
        let mut files = Transfers::new(jid.bare(), jid.to_string().len() as u64, now);
        files.online(jid.clone(), StreamHost { host: "im.example.com".into(), port: 5222 }, now);
        Self {
            files,
            jid,
            listens: true,
            written: vec![],
            read: 0,
            changes: vec![],
            orders: vec![],
            sum: [7; 32],
        }
    }

    fn only(&self) -> Transfer {
        let list = self.files.list();
        Transfer::clone(list.last().expect("a transfer"))
    }
}

/// What the world lets happen.
struct World {
    now: Moment,
    alice: Side,
    bob: Side,
    /// What Bob's program says it can.
    features: BTreeSet<String>,
    /// A direct connection can be made.
    direct: bool,
    proxy: bool,
    upload: Option<Option<u64>>,
    /// Everything that was said, sender first.
    said: Vec<(String, Iq)>,
    activated: bool,
}

impl World {
    fn new(features: &[&str]) -> Self {
        let now = beginning();
        Self {
            now,
            alice: Side::new("alice@example.com/a", now),
            bob: Side::new("bob@example.com/b", now),
            features: features.iter().map(|it| (*it).to_owned()).collect(),
            direct: true,
            proxy: false,
            upload: None,
            said: vec![],
            activated: false,
        }
    }

    fn send(&mut self, name: &str) -> TransferId {
        let upload = self.upload.map(|largest| (UPLOAD.parse().expect("valid"), largest));
        let proxy = self.proxy.then(|| PROXY.parse().expect("valid"));
        self.alice.files.servers(Servers { upload, proxy }, self.now);
        self.run();
        let wish = Outgoing {
            with: self.bob.jid.bare(),
            room: false,
            addresses: vec![self.bob.jid.clone()],
            source: Source::File(format!("/home/alice/{name}").into()),
        };
        let id = self.alice.files.send(wish, self.now).expect("not refused");
        self.alice.files.shown(id, MessageId("m1".into()));
        self.run();
        id
    }

    fn take(&mut self) {
        let id = self.bob.only().id;
        self.bob.files.accept(id, None, self.now).expect("it waits");
        self.run();
    }

    /// Lets everything happen that follows.
    fn run(&mut self) {
        for _ in 0..2_000 {
            let Some(alice) = self.alice.files.poll() else {
                let Some(bob) = self.bob.files.poll() else { return };
                self.carry(false, bob);
                continue;
            };
            self.carry(true, alice);
        }
        panic!("it does not come to rest");
    }

    fn carry(&mut self, alice: bool, output: Output) {
        match output {
            Output::Send(iq) => self.say(alice, *iq),
            Output::Order(id, order) => self.order(alice, id, order),
            Output::Notice(_) => {}
            Output::Show { id, .. } => {
                self.side(alice).files.shown(id, MessageId(format!("m{id}")));
            }
            Output::Message { change, .. } => self.side(alice).changes.push(change),
        }
    }

    fn side(&mut self, alice: bool) -> &mut Side {
        if alice { &mut self.alice } else { &mut self.bob }
    }

    fn say(&mut self, alice: bool, mut iq: Iq) {
        let from = WireJid::new(&self.side(alice).jid.to_string()).expect("valid");
        let to = match &mut iq {
            Iq::Get { from: own, to, .. }
            | Iq::Set { from: own, to, .. }
            | Iq::Result { from: own, to, .. }
            | Iq::Error { from: own, to, .. } => {
                *own = Some(from);
                to.clone().expect("an address").to_string()
            }
        };
        self.said.push((if alice { "alice" } else { "bob" }.to_owned(), iq.clone()));
        let other = self.side(!alice).jid.to_string();
        let now = self.now;
        if to == other {
            if !self.side(!alice).files.receive(&iq, now) {
                self.elsewhere(alice, &to, &iq);
            }
        } else {
            self.elsewhere(alice, &to, &iq);
        }
    }

    /// The server, its components, and the part of a client that tells what it can.
    fn elsewhere(&mut self, alice: bool, to: &str, iq: &Iq) {
        let Iq::Get { id, payload, .. } = iq else {
            if let Iq::Set { id, payload, .. } = iq {
                assert_eq!((to, payload.name()), (PROXY, "query"));
                self.activated = true;
                self.answer(alice, to, id, None);
            }
            return;
        };
        let answer = match payload.ns().as_str() {
            "http://jabber.org/protocol/disco#info" => {
                let features = self.features.iter().map(|it| format!("<feature var='{it}'/>"));
                let features: String = features.collect();
                format!("<query xmlns='http://jabber.org/protocol/disco#info'>{features}</query>")
            }
            "http://jabber.org/protocol/bytestreams" => format!(
                "<query xmlns='http://jabber.org/protocol/bytestreams'><streamhost host='{PROXY}' port='5000' jid='{PROXY}'/></query>"
            ),
            "urn:xmpp:http:upload:0" => "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://up.example.com/1/a'><header name='Authorization'>Basic x\r\nEvil: y</header><header name='Host'>evil</header></put><get url='https://up.example.com/1/a'/></slot>".to_owned(),
            other => panic!("asked {to} for {other}"),
        };
        self.answer(alice, to, id, Some(answer.parse().expect("XML")));
    }

    fn answer(&mut self, alice: bool, from: &str, id: &str, payload: Option<Element>) {
        let from = Some(WireJid::new(from).expect("valid"));
        let iq = Iq::Result { from, to: None, id: id.to_owned(), payload };
        let now = self.now;
        self.side(alice).files.receive(&iq, now);
    }

    fn order(&mut self, alice: bool, id: TransferId, order: TransferOrder) {
        let (direct, now) = (self.direct, self.now);
        let side = self.side(alice);
        side.orders.push(format!("{order:?}").split([' ', '(', '{']).next().unwrap_or("").into());
        let all = CONTENT.len() as u64;
        let sum = side.sum;
        let mut facts = vec![];
        match order {
            TransferOrder::Look(_) => {
                facts.push(TransferFact::Looked { name: "x".into(), size: all });
            }
            TransferOrder::Put { url, headers, .. } => {
                assert!(url.starts_with("https://"));
                let shown: Vec<(String, String)> =
                    headers.iter().map(|(n, v)| (n.clone(), v.expose().clone())).collect();
                assert_eq!(shown, [("Authorization".to_owned(), "Basic xEvil: y".to_owned())]);
                facts.push(TransferFact::Sent { sha256: None });
            }
            TransferOrder::Listen { .. } => {
                let at = side.listens.then(|| "10.0.0.1:37200".parse().expect("valid"));
                facts.push(TransferFact::Listening(at));
            }
            TransferOrder::Dial { hosts, .. } => {
                let reach = |it: &StreamHost| direct || it.host == PROXY;
                let place = hosts.iter().position(reach);
                facts.push(place.map_or(TransferFact::NotDialled, TransferFact::Dialled));
            }
            TransferOrder::Send(_) => facts.push(TransferFact::Sent { sha256: Some([7; 32]) }),
            TransferOrder::Receive { size, .. } => {
                facts.push(TransferFact::Received { size, sha256: sum });
            }
            TransferOrder::ReadBlock(most) => {
                let end = (side.read + most.min(7)).min(CONTENT.len());
                let bytes = CONTENT[side.read..end].to_vec();
                side.read = end;
                let sha256 = bytes.is_empty().then_some([7; 32]);
                facts.push(TransferFact::Block { bytes, sha256 });
            }
            TransferOrder::WriteBlock { bytes, size, .. } => {
                side.written.extend(bytes);
                let done = side.written.len() as u64;
                facts.push(TransferFact::Written(done));
                if done >= size {
                    facts.push(TransferFact::Received { size: done, sha256: sum });
                }
            }
            TransferOrder::Keep => facts.push(TransferFact::Kept("/home/bob/x".into())),
            TransferOrder::Head(_) => facts.push(TransferFact::Size(Some(all))),
            TransferOrder::Get { .. } => {
                facts.push(TransferFact::Received { size: all, sha256: sum });
            }
            TransferOrder::Capture { .. } | TransferOrder::Stop { .. } | TransferOrder::End => {}
        }
        for fact in facts {
            side.files.fact(id, fact, now);
        }
    }

    #[track_caller]
    fn both_done(&self, way: TransferWay) {
        let (a, b) = (self.alice.only(), self.bob.only());
        assert_eq!((a.state, b.state), (TransferState::Done, TransferState::Done), "{a:?} {b:?}");
        assert_eq!((a.way, b.way), (Some(way), Some(way)));
        assert!(self.alice.changes.contains(&Change::Delivered), "{:?}", self.alice.changes);
        assert_eq!(b.path.as_deref(), Some(std::path::Path::new("/home/bob/x")));
    }

    /// Bob's program gets a question from this address.
    fn strange(&mut self, from: &str, payload: &str) -> Option<Iq> {
        let before = self.said.len();
        let text =
            format!("<iq xmlns='jabber:client' type='set' id='z' from='{from}'>{payload}</iq>");
        let iq = fuzzing::iq(&text).expect("a question");
        let now = self.now;
        assert!(self.bob.files.receive(&iq, now));
        while let Some(output) = self.bob.files.poll() {
            match output {
                Output::Send(iq) => self.said.push(("bob".into(), *iq)),
                Output::Order(id, order) => self.order(false, id, order),
                Output::Show { id, .. } => {
                    self.bob.files.shown(id, MessageId(format!("m{id}")));
                }
                Output::Notice(_) | Output::Message { .. } => {}
            }
        }
        self.said.get(before).map(|(_, iq)| iq.clone())
    }
}

const JINGLE: [&str; 4] = [
    "urn:xmpp:jingle:1",
    "urn:xmpp:jingle:apps:file-transfer:5",
    "urn:xmpp:jingle:transports:s5b:1",
    "urn:xmpp:jingle:transports:ibb:1",
];
const OLDER: [&str; 3] = [
    "http://jabber.org/protocol/si/profile/file-transfer",
    "http://jabber.org/protocol/bytestreams",
    "http://jabber.org/protocol/ibb",
];

#[test]
fn a_file_goes_by_jingle_directly() {
    let mut world = World::new(&JINGLE);
    world.send("../a.txt");
    let offered = world.bob.only();
    assert_eq!((offered.state, offered.name.as_str()), (TransferState::Offered, "a.txt"));
    assert_eq!(world.bob.orders, Vec::<String>::new(), "nothing before it was taken");
    world.take();
    world.both_done(TransferWay::Socks5);
    assert!(!world.activated);
}

#[test]
fn a_file_goes_by_jingle_through_the_proxy() {
    for listens in [true, false] {
        let mut world = World::new(&JINGLE);
        (world.direct, world.proxy, world.alice.listens) = (false, true, listens);
        world.send("a.txt");
        world.take();
        world.both_done(TransferWay::Socks5);
        assert!(world.activated);
    }
}

#[test]
fn jingle_falls_back_to_the_chat_connection() {
    for (listens, features) in [(true, &JINGLE[..]), (false, &JINGLE[..])] {
        let mut world = World::new(features);
        (world.direct, world.alice.listens) = (false, listens);
        world.send("a.txt");
        world.take();
        world.both_done(TransferWay::InBand);
        assert_eq!(world.bob.written, CONTENT);
    }
}

#[test]
fn an_older_program_gets_it_by_stream_initiation() {
    for (direct, proxy) in [(true, false), (false, true)] {
        let mut world = World::new(&OLDER);
        (world.direct, world.proxy) = (direct, proxy);
        world.send("a.txt");
        world.take();
        world.both_done(TransferWay::Socks5);
        assert_eq!(world.activated, proxy);
    }
    let mut world = World::new(&[OLDER[0], OLDER[2]]);
    world.send("a.txt");
    world.take();
    world.both_done(TransferWay::InBand);
    assert_eq!(world.bob.written, CONTENT);
}

#[test]
fn an_older_program_that_cannot_be_reached_is_tried_again_in_band() {
    let mut world = World::new(&OLDER);
    world.direct = false;
    let id = world.send("a.txt");
    world.take();
    let failed = world.alice.only();
    assert_eq!((failed.state, failed.again), (TransferState::Failed, true), "{failed:?}");
    let bob = vec![world.bob.jid.clone()];
    world.alice.files.again(id, bob, world.now).expect("again");
    world.run();
    world.take();
    world.both_done(TransferWay::InBand);
}

#[test]
fn the_server_comes_first_where_it_takes_the_file() {
    let mut world = World::new(&JINGLE);
    world.upload = Some(Some(1_000));
    world.send("a.txt");
    let sent = world.alice.only();
    assert_eq!((sent.state, sent.way), (TransferState::Done, Some(TransferWay::Server)));
    assert_eq!(world.alice.changes, [Change::Link("https://up.example.com/1/a".into())]);
    let mut world = World::new(&JINGLE);
    world.upload = Some(Some(3));
    world.send("a.txt");
    world.take();
    world.both_done(TransferWay::Socks5);
}

#[test]
fn a_refusal_reaches_the_sender_either_way() {
    for features in [&JINGLE[..], &OLDER[..]] {
        let mut world = World::new(features);
        world.send("a.txt");
        let id = world.bob.only().id;
        world.bob.files.decline(id, world.now).expect("it waits");
        world.run();
        assert_eq!(world.alice.only().state, TransferState::Declined, "{features:?}");
        assert_eq!(world.bob.only().state, TransferState::Declined);
        assert!(!world.bob.orders.iter().any(|it| it == "Receive" || it == "WriteBlock"));
    }
}

#[test]
fn a_damaged_file_is_removed_and_both_are_told() {
    let mut world = World::new(&JINGLE);
    world.bob.sum = [9; 32];
    world.send("a.txt");
    world.take();
    let (a, b) = (world.alice.only(), world.bob.only());
    assert_eq!((a.state, b.state), (TransferState::Failed, TransferState::Failed), "{a:?}");
    assert!(b.error.is_some_and(|it| it.contains("SHA-256")));
    assert!(!world.bob.orders.contains(&"Keep".to_owned()));
}

#[test]
fn the_end_of_the_link_fails_what_goes_directly_and_nothing_else() {
    let mut world = World::new(&JINGLE);
    world.send("a.txt");
    world.alice.files.offline(world.now);
    let failed = world.alice.only();
    assert_eq!((failed.state, failed.again), (TransferState::Failed, true));
    assert!(failed.error.is_some_and(|it| it.contains("connection to the chat server")));
    let link = Attachment {
        name: "b.txt".into(),
        url: Some("https://elsewhere.test/b.txt".into()),
        ..Attachment::default()
    };
    let with = "bob@example.com".parse().expect("valid");
    let id = world.alice.files.link(&with, &MessageId("m2".into()), &link, world.now);
    let asked = world.alice.orders.clone();
    world.alice.files.accept(id.expect("a link"), None, world.now).expect("it waits");
    world.alice.files.offline(world.now);
    world.run();
    assert_eq!(world.alice.only().state, TransferState::Done);
    assert!(!asked.contains(&"Head".to_owned()), "strangers' servers are not asked before");
}

#[test]
fn policy_refuses_offers_and_says_who_decided() {
    let policies = [
        ChatPolicy { files: false, ..ChatPolicy::default() },
        ChatPolicy { refused_endings: vec!["exe".into()], ..ChatPolicy::default() },
        ChatPolicy { largest_file: Some(3), ..ChatPolicy::default() },
        ChatPolicy { managed_files_only: true, ..ChatPolicy::default() },
    ];
    for policy in policies {
        for features in [&JINGLE[..], &OLDER[..]] {
            let mut world = World::new(features);
            world.bob.files.configure(policy.clone().into(), None);
            world.send("holiday.jpg.exe");
            let refused = world.bob.only();
            assert_eq!(refused.state, TransferState::Declined, "{policy:?}");
            let words = refused.error.expect("words");
            assert!(words.contains("administrator") || words.contains("edge"), "{words}");
            assert_eq!(world.alice.only().state, TransferState::Declined);
        }
    }
}

#[test]
fn a_policy_may_take_files_without_a_question() {
    let mut world = World::new(&JINGLE);
    let policy = ChatPolicy { accept_files: true, ..ChatPolicy::default() };
    world.bob.files.configure(policy.into(), None);
    world.send("a.txt");
    world.both_done(TransferWay::Socks5);
}

#[test]
fn nobody_speaks_for_another() {
    let mut world = World::new(&JINGLE);
    (world.direct, world.alice.listens) = (false, false);
    world.send("a.txt");
    let said = world.said.iter().find_map(|(_, iq)| match iq {
        Iq::Set { payload, .. } => payload.attr("sid").map(str::to_owned),
        _ => None,
    });
    let sid = said.expect("an offer");
    // The same session, another program of hers, and somebody else.
    for forger in ["alice@example.com/other", "mallory@example.com/a", "alice@example.com"] {
        let end = format!(
            "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='{sid}'><reason><success/></reason></jingle>"
        );
        let answer = world.strange(forger, &end);
        assert!(matches!(answer, Some(Iq::Error { .. })), "{forger}: {answer:?}");
        assert_eq!(world.bob.only().state, TransferState::Offered);
    }
    world.take();
    world.both_done(TransferWay::InBand);
}

/// Begins an in-band transfer of `size` bytes from Mallory to Bob, open with blocks of 8 bytes.
fn opened(size: &str) -> World {
    let mut world = World::new(&[]);
    let from = "mallory@example.com/m";
    world.strange(from, &format!("<si xmlns='http://jabber.org/protocol/si' id='s' profile='http://jabber.org/protocol/si/profile/file-transfer'><file xmlns='http://jabber.org/protocol/si/profile/file-transfer' name='a' size='{size}'/><feature xmlns='http://jabber.org/protocol/feature-neg'><x xmlns='jabber:x:data' type='form'><field var='stream-method'><option><value>http://jabber.org/protocol/ibb</value></option></field></x></feature></si>"));
    world.take();
    world.strange(from, "<open xmlns='http://jabber.org/protocol/ibb' sid='s' block-size='8'/>");
    world
}

#[test]
fn who_breaks_the_rules_in_band_is_stopped() {
    let data = |seq: &str, text: &str| {
        format!("<data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='{seq}'>{text}</data>")
    };
    let table = [
        ("wrong number", data("1", "YWJj")),
        ("no number", data("x", "YWJj")),
        ("no base64", data("0", "!!!!")),
        ("an overlong block", data("0", "YWJjZGVmZ2hpamtsbW5vcA==")),
        ("more than announced", data("0", "YWJjZGVm")),
        ("nothing", data("0", "")),
        ("an early end", "<close xmlns='http://jabber.org/protocol/ibb' sid='s'/>".to_owned()),
    ];
    for (what, word) in table {
        let mut world = opened("4");
        world.strange("mallory@example.com/m", &word);
        assert_eq!(world.bob.only().state, TransferState::Failed, "{what}");
        assert!(!world.bob.orders.contains(&"Keep".to_owned()), "{what}");
    }
    // Somebody else's blocks do not count, and the right ones do.
    let mut world = opened("4");
    let forged = world.strange("eve@example.com/m", &data("0", "YWJjZA=="));
    assert!(matches!(forged, Some(Iq::Error { .. })));
    world.strange("mallory@example.com/m", &data("0", "YWJjZA=="));
    assert_eq!(world.bob.only().state, TransferState::Done);
    assert_eq!(world.bob.written, b"abcd");
}

#[test]
fn impossible_sizes_and_floods_of_offers_are_refused() {
    for size in ["-1", "18446744073709551615", "99999999999999999999", "x", ""] {
        let mut world = World::new(&[]);
        let offer = offer("s", size);
        world.strange("mallory@example.com/m", &offer);
        assert!(world.bob.files.list().is_empty(), "{size:?}");
    }
    let mut world = World::new(&[]);
    for number in 0..100 {
        world.strange("mallory@example.com/m", &offer(&format!("s{number}"), "5"));
    }
    assert_eq!(world.bob.files.list().len(), 10);
}

fn offer(sid: &str, size: &str) -> String {
    format!(
        "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='{sid}'><content creator='initiator' name='f' senders='initiator'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><name>a</name><size>{size}</size></file></description><transport xmlns='urn:xmpp:jingle:transports:ibb:1' sid='t{sid}' block-size='4096'/></content></jingle>"
    )
}

#[test]
fn progress_is_told_five_times_a_second_at_most() {
    let mut world = World::new(&JINGLE);
    let id = world.send("a.txt");
    let mut told = 0;
    for step in 0..1_000 {
        world.now = world.now.plus(Duration::from_millis(1));
        world.alice.files.fact(id, TransferFact::Progress(step), world.now);
        while let Some(output) = world.alice.files.poll() {
            told += usize::from(matches!(output, Output::Notice(_)));
        }
    }
    assert!(told <= 5, "{told}");
}

#[test]
fn what_is_announced_is_what_is_taken() {
    for feature in JINGLE.iter().chain(&OLDER) {
        assert!(FEATURES.contains(feature), "{feature}");
    }
}
