//! The torture messages of RFC 4475 and RFC 5118 over the wire, at a client that is registered and
//! in a call: what it answers, and that neither its registration nor the call suffers. The table
//! of `docs/conformance.md` is what was seen here; it is written anew by
//! `OFFHOOK_WRITE_DOCS=1 cargo test -p offhook-interop --test torture`.

#[path = "torture/cases.rs"]
mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};

use cases::{Case, RFC_4475, RFC_5118};
use offhook_interop::{
    Client, DOMAIN, Knot, PASSWORD, Registrar, Scratch, Setup, Transport, attempt, have,
};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn messages(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = root().join("crates/sip/tests/fixtures").join(folder);
    let files = std::fs::read_dir(folder).expect("the messages").map(|it| it.expect("one").path());
    files
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("a message"))
        })
        .collect()
}

/// A signed-in client in a call, and who talks to it.
struct Wire {
    registrar: Registrar,
    client: Client,
    transport: Transport,
    call: String,
    /// Our INVITE of that call, and the client's tag in it.
    invite: String,
    tag: String,
    /// How many of the client's messages have been looked at.
    seen: usize,
    /// Responses that were looked at: one is sent again until it is acknowledged.
    known: BTreeSet<String>,
    probes: u32,
    _knot: Knot,
    _sound: UdpSocket,
}

impl Wire {
    fn new(scratch: &Scratch, transport: Transport) -> Self {
        let registrar = Registrar::start();
        let folder = scratch.folder(transport.word());
        let knot = Knot::start(&folder, DOMAIN, &registrar.records(transport));
        let setup = Setup { name_server: Some(knot.address.clone()), ..Setup::default() };
        let client = Client::start(&folder, "alice", &setup);
        client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
        let sound = UdpSocket::bind("127.0.0.1:0").expect("a port for sound");
        let port = sound.local_addr().expect("its address").port();
        let mut wire = Self {
            registrar,
            client,
            transport,
            call: String::new(),
            invite: String::new(),
            tag: String::new(),
            seen: 0,
            known: BTreeSet::new(),
            probes: 0,
            _knot: knot,
            _sound: sound,
        };
        wire.begin_call(port);
        wire
    }

    fn head(&self, method: &str, id: &str, cseq: u32, tag: &str) -> String {
        let (at, word) = (self.registrar.phone(), self.transport.word().to_uppercase());
        let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
        format!(
            "{method} sip:alice@{at} SIP/2.0\r\nVia: SIP/2.0/{word} 127.0.0.1:{};branch=z9hG4bK{id}{cseq}{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:bob@{DOMAIN}>;tag=bob\r\nTo: <sip:alice@{DOMAIN}>{tag}\r\n\
             Call-ID: {id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:bob@127.0.0.1:{}>\r\n",
            self.registrar.port, self.registrar.port
        )
    }

    fn begin_call(&mut self, port: u16) {
        let body = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 0\r\n"
        );
        let since = self.client.count();
        self.invite = self.head("INVITE", "call", 1, "");
        let length = body.len();
        let text = format!(
            "{}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}",
            self.invite
        );
        self.registrar.send(text.as_bytes());
        self.call = self.client.until_called(since);
        self.client.must("call.answer", serde_json::json!({ "id": self.call }));
        let accepted = self.answer_to("call", &[200]);
        let to = accepted.lines().find(|line| line.starts_with("To:")).unwrap_or("");
        self.tag = to.split("tag=").nth(1).unwrap_or("").to_owned();
        let ack = self.head("ACK", "call", 1, &self.tag) + "Content-Length: 0\r\n\r\n";
        self.registrar.send(ack.as_bytes());
    }

    /// Waits for a response in the transactions of this Call-ID with one of these statuses.
    #[track_caller]
    fn answer_to(&mut self, id: &str, statuses: &[u16]) -> String {
        let call = format!("\r\nCall-ID: {id}\r\n");
        let find = || {
            self.registrar
                .told()
                .into_iter()
                .find(|text| statuses.contains(&status(text)) && text.contains(&call))
        };
        let found = attempt(20, find);
        found.unwrap_or_else(|| {
            panic!("no answer {statuses:?} for {id}: {:#?}", self.registrar.told())
        })
    }

    /// Asks something harmless and waits for its answer: by then all that came before has been
    /// looked at. False when no answer comes.
    fn probe(&mut self, seconds: u64) -> bool {
        self.probes += 1;
        let id = format!("probe{}", self.probes);
        let text = self.head("OPTIONS", &id, 1, "") + "Content-Length: 0\r\n\r\n";
        self.registrar.send(text.as_bytes());
        let call = format!("\r\nCall-ID: {id}\r\n");
        let answered = |it: &String| it.contains(&call) && status(it) == 200;
        attempt(seconds, || self.registrar.told().iter().any(answered).then_some(())).is_some()
    }

    /// What the client has answered since the last look, without repetitions and probes.
    fn news(&mut self) -> Vec<String> {
        let told = self.registrar.told();
        let new: Vec<String> = told.iter().skip(self.seen).cloned().collect();
        self.seen = told.len();
        new.into_iter()
            .filter(|it| status(it) > 0 && !it.contains("\r\nCall-ID: probe"))
            // The final answer to an INVITE comes again until it is acknowledged.
            .filter(|it| self.known.insert(it.clone()) || !is_for_invite(it))
            .collect()
    }

    /// Sends a message; the statuses that came back.
    fn torture(&mut self, name: &str, bytes: &[u8]) -> Vec<u16> {
        self.news();
        let registers = self.registrar.registers();
        self.registrar.send(bytes);
        if self.transport != Transport::Udp && name == "baddn" {
            // It has no end of headers, which only the end of a datagram can stand for.
            self.registrar.send(b"\r\n");
        }
        if self.transport != Transport::Udp && name == "clerr" {
            // What Content-Length has promised and the message does not have.
            let body = bytes.windows(4).position(|it| it == b"\r\n\r\n").expect("a body") + 4;
            assert!(!self.probe(1), "nothing is looked at before the rest has come");
            let sent = bytes.len() - body + self.probe_length();
            self.registrar.send(&vec![b' '; 9_999 - sent]);
        }
        if !self.probe(2) {
            let back = attempt(60, || (self.registrar.registers() > registers).then_some(()));
            assert!(back.is_some() && self.probe(20), "{name}: the client does not come back");
        }
        let mut news = self.news();
        if news.iter().all(|it| status(it) == 100) && !news.is_empty() {
            // It is asked whether it rings; that takes a moment longer.
            attempt(10, || {
                news.extend(self.news());
                news.iter().any(|it| status(it) > 100).then_some(())
            });
        }
        let statuses: Vec<u16> = news.iter().map(|it| status(it)).filter(|it| *it != 100).collect();
        if statuses.contains(&180) {
            self.follow_up("CANCEL", bytes, &news);
            attempt(10, || {
                news.extend(self.news());
                news.iter().any(|it| status(it) == 487).then_some(())
            });
        }
        if bytes.starts_with(b"INVITE") {
            self.follow_up("ACK", bytes, &news);
        }
        statuses
    }

    fn probe_length(&self) -> usize {
        let id = format!("probe{}", self.probes);
        (self.head("OPTIONS", &id, 1, "") + "Content-Length: 0\r\n\r\n").len()
    }

    /// CANCEL or ACK for an INVITE of the same hop, with what its answer has.
    fn follow_up(&mut self, method: &str, invite: &[u8], answers: &[String]) {
        let Some(answer) = answers.iter().rfind(|it| status(it) > 100) else { return };
        let invite = String::from_utf8_lossy(invite);
        let mut text = format!("{method} sip:alice@{} SIP/2.0\r\n", self.registrar.phone());
        text.push_str(&first_via(&invite));
        for line in answer.lines().take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap_or_default();
            match name {
                "CSeq" => {
                    let number = value.split_whitespace().next().unwrap_or("1");
                    text.push_str(&format!("CSeq: {number} {method}\r\n"));
                }
                "To" if method == "CANCEL" => {
                    text.push_str(&format!(
                        "To:{}\r\n",
                        value.rsplit_once(";tag=").unwrap_or((value, "")).0
                    ));
                }
                "To" | "From" | "Call-ID" => text.push_str(&format!("{line}\r\n")),
                _ => {}
            }
        }
        self.registrar.send((text + "Content-Length: 0\r\n\r\n").as_bytes());
    }

    /// The call goes on and the client is registered: it hangs up when asked to, and is reached.
    fn finish(&mut self, disturbed: usize) {
        let session = self.client.session();
        assert_eq!(session["services"]["phone"]["state"], "ready", "{session:#}");
        let calls = self.client.must("call.list", Value::Null);
        let calls = calls["items"].as_array().cloned().unwrap_or_default();
        let ours = calls.iter().find(|it| it["id"] == self.call.as_str());
        let ours = ours.unwrap_or_else(|| {
            panic!("no {} among {}", self.call, self.client.must("call.list", Value::Null))
        });
        assert_eq!(ours["state"], "connected", "{calls:#?}");
        assert_eq!(self.registrar.registers(), 1 + disturbed);
        let since = self.client.count();
        let bye = self.head("BYE", "call", 2, &self.tag) + "Content-Length: 0\r\n\r\n";
        self.registrar.send(bye.as_bytes());
        self.client.until_call(&self.call, "ended", since);
        assert!(self.probe(10));
    }
}

fn is_for_invite(answer: &str) -> bool {
    answer.lines().any(|line| line.starts_with("CSeq:") && line.contains("INVITE"))
}

fn status(message: &str) -> u16 {
    let rest = message.strip_prefix("SIP/2.0 ").unwrap_or("");
    rest.get(..3).and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// The first Via with the lines it goes on in.
fn first_via(message: &str) -> String {
    let mut found = String::new();
    for line in message.split_inclusive('\n').skip(1) {
        let continued = line.starts_with([' ', '\t']);
        if !found.is_empty() && !continued {
            break;
        }
        let name = line.split(':').next().unwrap_or("").trim();
        if (continued && !found.is_empty())
            || (!continued && (name.eq_ignore_ascii_case("via") || name.eq_ignore_ascii_case("v")))
        {
            found.push_str(line);
        }
    }
    found
}

/// The same request for the client: another request URI, and another transaction and call.
fn for_us(bytes: &[u8], wire: &Wire) -> Vec<u8> {
    let at = wire.registrar.phone();
    let end = bytes.iter().position(|byte| *byte == b'\n').expect("a first line");
    let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut out = format!("{} sip:alice@{at} {}\r\n", words[0], words[2]).into_bytes();
    let mut rest = &bytes[end + 1..];
    while let Some(found) = find(rest) {
        out.extend_from_slice(&rest[..found]);
        out.extend_from_slice(b"us");
        rest = &rest[found..];
    }
    out.extend_from_slice(rest);
    out
}

/// Where something is to be added to the next branch or Call-ID.
fn find(bytes: &[u8]) -> Option<usize> {
    let marks: [&[u8]; 3] = [b"branch=z9hG4bK", b"\nCall-ID: ", b"\ni: "];
    let ends = marks.iter().filter_map(|mark| {
        let lower = bytes.windows(mark.len()).position(|it| it.eq_ignore_ascii_case(mark))?;
        Some(lower + mark.len())
    });
    ends.min()
}

type Rows = BTreeMap<&'static str, [String; 4]>;

/// Sends all messages of an RFC over one transport and fills that column.
fn run(
    wire: &mut Wire,
    folder: &str,
    cases: &'static [Case],
    column: usize,
    rows: &mut Rows,
) -> usize {
    let messages = messages(folder);
    let names: BTreeSet<&str> = messages.keys().map(String::as_str).collect();
    assert_eq!(names, cases.iter().map(|it| it.name).collect(), "the table names each message");
    let (mut wrong, mut disturbed) = (Vec::new(), 0);
    for case in cases {
        let before = wire.registrar.registers();
        let seen = wire.torture(case.name, &messages[case.name]);
        let lost = wire.registrar.registers() - before;
        disturbed += lost;
        let right = match case.name {
            // On a stream they are two messages.
            "dblreq" if column == 1 => seen == [405, 404],
            // Once its body is whole nothing is wrong with it.
            "clerr" if column == 1 => seen == [404],
            _ => {
                seen.len() <= 1
                    && seen.first().map_or(case.asked.is_empty(), |it| case.asked.contains(it))
            }
        };
        // A stream that cannot be cut ends; no datagram has such an effect.
        let ends = column == 1 && ["dblreq", "ncl", "mcl01", "inv2543"].contains(&case.name);
        if !right || lost != usize::from(ends) {
            wrong.push(format!("{}: {seen:?}, new registrations {lost}", case.name));
        }
        let row = rows.entry(case.name).or_default();
        let closed = if lost > 0 { ", closed" } else { "" };
        row[column] = in_words(&seen) + closed;
        if case.ours.is_empty() || ends {
            continue;
        }
        let seen = wire.torture(case.name, &for_us(&messages[case.name], wire));
        if seen.len() != 1 || !case.ours.contains(&seen[0]) {
            wrong.push(format!("{} for us: {seen:?}", case.name));
        }
        row[2 + column] = in_words(&seen);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    disturbed
}

fn in_words(seen: &[u16]) -> String {
    if seen.is_empty() {
        return "ignored".to_owned();
    }
    seen.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn table(cases: &[Case], rows: &Rows) -> String {
    let mut text = "| message | section | asked | UDP | TCP | if it were for us |\n|---|---|---|---|---|---|\n".to_owned();
    for case in cases {
        let [udp, tcp, ours_udp, ours_tcp] = &rows[case.name];
        let ours = match (ours_udp.as_str(), ours_tcp.as_str()) {
            ("", "") => "–".to_owned(),
            (udp, tcp) if udp == tcp || tcp.is_empty() => udp.to_owned(),
            (udp, tcp) => format!("{udp}; {tcp}"),
        };
        text.push_str(&format!(
            "| `{}` | {} | {} | {udp} | {tcp} | {ours} |\n",
            case.name, case.section, case.words
        ));
    }
    text
}

#[test]
fn torture_messages_meet_their_fate_over_the_wire() {
    if !have("torture messages at a registered client", &["knotd"]) {
        return;
    }
    let scratch = Scratch::new();
    let mut tables = BTreeMap::new();
    let mut rows: [Rows; 2] = Default::default();
    for (column, transport) in [Transport::Udp, Transport::Tcp].into_iter().enumerate() {
        let mut wire = Wire::new(&scratch, transport);
        let mut disturbed = run(&mut wire, "rfc4475", RFC_4475, column, &mut rows[0]);
        disturbed += run(&mut wire, "rfc5118", RFC_5118, column, &mut rows[1]);
        wire.finish(disturbed);
    }
    tables.insert("rfc4475", table(RFC_4475, &rows[0]));
    tables.insert("rfc5118", table(RFC_5118, &rows[1]));
    compare(&tables);
}

/// How many requests the strangers send, about a thousand a second.
const STORM: usize = 3_000;

#[test]
fn a_storm_of_strangers_is_not_answered_and_leaves_a_call_alone() {
    if !have("strangers who write to a registered client", &["knotd"]) {
        return;
    }
    let scratch = Scratch::new();
    let mut wire = Wire::new(&scratch, Transport::Udp);
    let strangers: Vec<UdpSocket> = (0..8)
        .map(|_| UdpSocket::bind("127.0.0.1:0").expect("a socket"))
        .inspect(|socket| socket.set_nonblocking(true).expect("one that does not wait"))
        .collect();
    let phone = wire.registrar.phone();
    for number in 0..STORM {
        let method = if number % 2 == 0 { "NOTIFY" } else { "OPTIONS" };
        let text = wire.head(method, &format!("storm{number}"), 1, "");
        let text = text + "Event: message-summary\r\nContent-Length: 0\r\n\r\n";
        // The system may say that nobody listens there; that is what strangers are to believe.
        let _ = strangers[number % strangers.len()].send_to(text.as_bytes(), phone);
        offhook_interop::pause(0.001);
    }
    assert!(wire.probe(10), "the registrar is answered");
    offhook_interop::pause(0.5);
    let mut buffer = [0; 2048];
    let answered = strangers.iter().filter(|it| it.recv(&mut buffer).is_ok()).count();
    assert_eq!(answered, 0, "{}", String::from_utf8_lossy(&buffer));
    wire.finish(0);
}

/// Holds the tables against the page, or writes them into it.
fn compare(tables: &BTreeMap<&str, String>) {
    let page = root().join("docs/conformance.md");
    let mut text = std::fs::read_to_string(&page).expect("docs/conformance.md");
    let old = text.clone();
    for (name, table) in tables {
        let begin = format!("<!-- {name}: written by tests/tests/torture.rs -->\n");
        let end = format!("<!-- end of {name} -->");
        let (before, rest) = text.split_once(&begin).expect("the page has a place for the table");
        let (_, after) = rest.split_once(&end).expect("and an end of it");
        text = format!("{before}{begin}{table}{end}{after}");
    }
    if std::env::var_os("OFFHOOK_WRITE_DOCS").is_some() {
        std::fs::write(&page, text).expect("written");
        return;
    }
    assert!(
        old == text,
        "the tables in docs/conformance.md are not what was seen; write them with \
         OFFHOOK_WRITE_DOCS=1 cargo test -p offhook-interop --test torture"
    );
}
