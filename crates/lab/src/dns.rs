//! An authoritative name server of a few dozen records, over UDP and TCP (RFC 1035, 2782, 3403,
//! 2308 for the SOA of negative answers, 6891 for EDNS).

mod records;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use crate::deployment::Deployment;
use records::Data;

const TYPE_A: u16 = 1;
const TYPE_CNAME: u16 = 5;
const TYPE_SOA: u16 = 6;
const TYPE_AAAA: u16 = 28;
const TYPE_SRV: u16 = 33;
const TYPE_NAPTR: u16 = 35;
const TYPE_OPT: u16 = 41;
const TYPE_ANY: u16 = 255;
const CLASS_IN: u16 = 1;
const TTL: u32 = 60;

/// All records of the laboratory; names are lower case without a trailing dot.
pub(crate) struct Zone {
    /// The two domains.
    origins: Vec<String>,
    records: Vec<(String, Data)>,
    truncate_srv: bool,
}

impl Zone {
    /// The domain a name belongs to; the root for names of the rest of the world.
    fn origin_of(&self, name: &str) -> &str {
        let owns = |origin: &&String| name == *origin || is_below(name, origin);
        self.origins.iter().find(owns).map_or("", String::as_str)
    }

    fn exists(&self, name: &str) -> bool {
        self.origins.iter().any(|origin| origin == name)
            || self.records.iter().any(|(owner, _)| owner == name || is_below(owner, name))
    }
}

/// Whether `owner` lies below `name`, which makes `name` exist although it has no records.
fn is_below(owner: &str, name: &str) -> bool {
    owner.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
}

fn write_name(out: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let label = &label.as_bytes()[..label.len().min(63)];
        out.push(u8::try_from(label.len()).unwrap_or(63));
        out.extend(label);
    }
    out.push(0);
}

struct Question<'a> {
    name: String,
    kind: u16,
    class: u16,
    /// The question section as it came, to be sent back with the asker's letter case.
    raw: &'a [u8],
    /// UDP size the asker takes, when it speaks EDNS.
    edns: Option<u16>,
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

fn read_question(query: &[u8]) -> Option<Question<'_>> {
    let mut at = 12;
    let mut name = String::new();
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        // No compression in a question: there is nothing before it to point to.
        if length > 63 || name.len() + length > 253 {
            return None;
        }
        let label = query.get(at..at + length)?;
        at += length;
        if !name.is_empty() {
            name.push('.');
        }
        name.extend(label.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
    }
    let (kind, class) = (word(query, at)?, word(query, at + 2)?);
    let raw = query.get(12..at + 4)?;
    let additional = at + 4;
    let simple = word(query, 6) == Some(0) && word(query, 8) == Some(0);
    let edns = (simple && query.get(additional) == Some(&0))
        .then(|| word(query, additional + 1))
        .flatten()
        .filter(|kind| *kind == TYPE_OPT)
        .and_then(|_| word(query, additional + 3));
    Some(Question { name, kind, class, raw, edns })
}

/// An answer under construction.
struct Answer {
    flags: u16,
    code: u16,
    answers: Vec<Vec<u8>>,
    authority: Vec<Vec<u8>>,
    additional: Vec<Vec<u8>>,
}

fn record(name: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_name(&mut out, name);
    out.extend(kind.to_be_bytes());
    out.extend(CLASS_IN.to_be_bytes());
    out.extend(TTL.to_be_bytes());
    out.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
    out.extend(data);
    out
}

fn soa(origin: &str) -> Vec<u8> {
    let mut data = Vec::new();
    write_name(&mut data, &format!("ns.{origin}"));
    write_name(&mut data, &format!("hostmaster.{origin}"));
    for value in [1u32, 3600, 600, 86400, TTL] {
        data.extend(value.to_be_bytes());
    }
    record(origin, TYPE_SOA, &data)
}

fn look_up(zone: &Zone, question: &Question<'_>) -> Answer {
    // Clients use the laboratory as their resolver, so it claims to be one.
    const AUTHORITATIVE_RESOLVER: u16 = 0x0480;
    let mut answer = Answer {
        flags: AUTHORITATIVE_RESOLVER,
        code: 0,
        answers: Vec::new(),
        authority: Vec::new(),
        additional: Vec::new(),
    };
    if question.class != CLASS_IN {
        answer.code = 5;
        answer.flags = 0;
        return answer;
    }
    let wanted = |data: &Data| {
        question.kind == TYPE_ANY || matches!(data, Data::Alias(_)) || data.kind() == question.kind
    };
    // An alias is answered with itself and with what it leads to (RFC 1034 section 4.3.2).
    let alias = zone.records.iter().find_map(|(owner, data)| match data {
        Data::Alias(target) if *owner == question.name => Some(target.as_str()),
        _ => None,
    });
    for (owner, data) in &zone.records {
        let asked = *owner == question.name || alias == Some(owner);
        if !asked || !wanted(data) {
            continue;
        }
        let mut bytes = Vec::new();
        data.write(&mut bytes);
        answer.answers.push(record(owner, data.kind(), &bytes));
        if let Data::Srv { target, .. } = data {
            let hosts = zone.records.iter().filter(|(owner, _)| owner == target);
            for (owner, address) in hosts {
                if !matches!(address, Data::Address(_)) {
                    continue;
                }
                let mut bytes = Vec::new();
                address.write(&mut bytes);
                let extra = record(owner, address.kind(), &bytes);
                if !answer.additional.contains(&extra) {
                    answer.additional.push(extra);
                }
            }
        }
    }
    let origin = zone.origin_of(&question.name);
    if question.name == origin && !origin.is_empty() && matches!(question.kind, TYPE_SOA | TYPE_ANY)
    {
        answer.answers.push(soa(origin));
    }
    if answer.answers.is_empty() {
        answer.authority.push(soa(origin));
        if !zone.exists(&question.name) {
            answer.code = 3;
        }
    }
    answer
}

/// Answers one query of at most `limit` bytes of answer; `None` when it is not worth an answer.
pub(crate) fn answer(zone: &Zone, query: &[u8], over_udp: bool) -> Option<Vec<u8>> {
    let (id, flags) = (word(query, 0)?, word(query, 2)?);
    if flags & 0x8000 != 0 || query.len() < 12 {
        return None;
    }
    let echo = 0x8000 | flags & 0x7900;
    let refuse = |code: u16| {
        let mut out = Vec::new();
        for value in [id, echo | code, 0, 0, 0, 0] {
            out.extend(value.to_be_bytes());
        }
        Some(out)
    };
    if flags & 0x7800 != 0 {
        return refuse(4);
    }
    if word(query, 4) != Some(1) {
        return refuse(1);
    }
    let Some(question) = read_question(query) else { return refuse(1) };
    let found = look_up(zone, &question);
    let size = usize::from(question.edns.unwrap_or(512).clamp(512, 4096));
    let limit = if over_udp { size } else { usize::from(u16::MAX) };
    let opt = question.edns.map(|_| {
        let mut out = vec![0];
        out.extend(TYPE_OPT.to_be_bytes());
        out.extend(4096u16.to_be_bytes());
        out.extend([0; 6]);
        out
    });
    let build = |truncated: bool, extras: bool| {
        let none = Vec::new();
        let (answers, authority) =
            if truncated { (&none, &none) } else { (&found.answers, &found.authority) };
        let additional = if truncated || !extras { &none } else { &found.additional };
        let mut out = Vec::new();
        let head = echo | found.flags | if truncated { 0x0200 } else { 0 } | found.code;
        let counts = [
            id,
            head,
            1,
            u16::try_from(answers.len()).unwrap_or(0),
            u16::try_from(authority.len()).unwrap_or(0),
            u16::try_from(additional.len() + usize::from(opt.is_some())).unwrap_or(0),
        ];
        for value in counts {
            out.extend(value.to_be_bytes());
        }
        out.extend(question.raw);
        for part in answers.iter().chain(authority).chain(additional) {
            out.extend(part);
        }
        out.extend(opt.iter().flatten());
        out
    };
    if over_udp && zone.truncate_srv && question.kind == TYPE_SRV {
        return Some(build(true, false));
    }
    let mut out = build(false, true);
    if out.len() > limit {
        out = build(false, false);
    }
    if out.len() > limit {
        out = build(true, false);
    }
    Some(out)
}

/// See [`crate::fuzzing`].
pub(crate) fn fuzz_answer(query: &[u8], over_udp: bool) -> Option<Vec<u8>> {
    let zone = Zone {
        origins: vec!["lab.example".into()],
        records: vec![("a.lab.example".into(), Data::Address([127, 0, 0, 1].into()))],
        truncate_srv: false,
    };
    answer(&zone, query, over_udp)
}

/// What is shown inside and outside.
pub(crate) struct Views {
    inner: Zone,
    outer: Zone,
    outside: Arc<AtomicBool>,
}

impl Views {
    pub(crate) fn of(lab: &Deployment, outside: Arc<AtomicBool>) -> Self {
        Self { inner: Zone::of(lab), outer: Zone::outer(lab), outside }
    }

    fn zone(&self) -> &Zone {
        if self.outside.load(Ordering::Acquire) { &self.outer } else { &self.inner }
    }
}

/// Answers over UDP until dropped.
pub(crate) async fn run_udp(socket: UdpSocket, views: Arc<Views>) {
    let mut buffer = vec![0; 4096];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
        if let Some(reply) = answer(views.zone(), &buffer[..length], true) {
            let _ = socket.send_to(&reply, peer).await;
        }
    }
}

/// Answers over TCP until dropped.
pub(crate) async fn run_tcp(listener: TcpListener, views: Arc<Views>) {
    crate::net::serve(listener, move |stream, _| {
        let views = Arc::clone(&views);
        async move {
            let _ = tokio::time::timeout(Duration::from_secs(30), converse(stream, &views)).await;
        }
    })
    .await;
}

async fn converse(mut stream: TcpStream, views: &Views) -> std::io::Result<()> {
    loop {
        let length = usize::from(stream.read_u16().await?);
        let mut query = vec![0; length];
        stream.read_exact(&mut query).await?;
        let Some(reply) = answer(views.zone(), &query, false) else { return Ok(()) };
        let mut framed = u16::try_from(reply.len()).unwrap_or(0).to_be_bytes().to_vec();
        framed.extend(reply);
        stream.write_all(&framed).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::{deployment, scenario};
    use crate::scenario::Scenario;

    fn query(name: &str, kind: u16, edns: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for value in [0x1234, 0x0100, 1, 0, 0, u16::from(edns)] {
            out.extend(value.to_be_bytes());
        }
        write_name(&mut out, name);
        out.extend(kind.to_be_bytes());
        out.extend(CLASS_IN.to_be_bytes());
        if edns {
            out.extend([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]);
        }
        out
    }

    struct Head {
        code: u16,
        truncated: bool,
        answers: u16,
        authority: u16,
    }

    fn ask(faults: &[&str], name: &str, kind: u16) -> (Head, Vec<u8>) {
        let zone = Zone::of(&deployment(faults));
        let reply = answer(&zone, &query(name, kind, true), true).unwrap();
        assert_eq!(word(&reply, 0), Some(0x1234));
        let flags = word(&reply, 2).unwrap();
        let head = Head {
            code: flags & 15,
            truncated: flags & 0x200 != 0,
            answers: word(&reply, 6).unwrap(),
            authority: word(&reply, 8).unwrap(),
        };
        (head, reply)
    }

    #[test]
    fn the_uds_record_names_host_and_port_byte_for_byte() {
        let (head, reply) = ask(&[], "_CISCO-uds._tcp.lab.example", TYPE_SRV);
        assert_eq!((head.code, head.answers), (0, 1));
        let mut rdata = vec![0, 10, 0, 10];
        rdata.extend(18443u16.to_be_bytes());
        rdata.extend(b"\x05cucm1\x03lab\x07example\0");
        assert!(reply.windows(rdata.len()).any(|part| part == rdata));
        assert!(reply.windows(11).any(|part| part == b"_CISCO-uds\x04"), "letter case is kept");
    }

    #[test]
    fn absent_names_and_absent_types_differ_and_both_carry_the_soa() {
        let (head, _) = ask(&[], "_cuplogin._tcp.lab.example", TYPE_SRV);
        assert_eq!((head.code, head.answers, head.authority), (3, 0, 1));
        let (head, _) = ask(&[], "cucm1.lab.example", TYPE_AAAA);
        assert_eq!((head.code, head.answers, head.authority), (0, 0, 1));
        let (head, _) = ask(&[], "_tcp.lab.example", TYPE_SRV);
        assert_eq!((head.code, head.authority), (0, 1), "an empty non-terminal exists");
        // There is no world outside: a name of it does not exist.
        let (head, _) = ask(&[], "example.org", TYPE_A);
        assert_eq!((head.code, head.authority), (3, 1));
    }

    #[test]
    fn faults_show_in_the_records() {
        let (head, _) = ask(&["no-records"], "_cisco-uds._tcp.lab.example", TYPE_SRV);
        assert_eq!(head.code, 3);
        let (head, _) = ask(&["no-records"], "lab.example", TYPE_A);
        assert_eq!((head.code, head.answers), (0, 0), "the bare domain leads nowhere");
        let (head, _) = ask(&["truncated-srv"], "_cisco-uds._tcp.lab.example", TYPE_SRV);
        assert!(head.truncated && head.answers == 0);
        let (head, _) = ask(&["truncated-srv"], "cucm1.lab.example", TYPE_A);
        assert!(!head.truncated && head.answers == 1);
    }

    #[test]
    fn scenarios_differ_in_where_their_records_are() {
        let asked = |kind: Scenario, name: &str| {
            let zone = Zone::of(&scenario(kind, &[]));
            let reply = answer(&zone, &query(name, TYPE_SRV, false), true).unwrap();
            word(&reply, 6).unwrap()
        };
        let plain = "_cisco-uds._tcp.lab.example";
        for (kind, name) in [
            (Scenario::OnPrem, plain),
            (Scenario::Pinpoint, "_cisco-uds._tcp.cisco-internal.lab.example"),
            (Scenario::VoiceDomain, "_cisco-uds._tcp.voice.lab.example"),
            (Scenario::Hybrid, "_cisco-uds._tcp.voice.lab.example"),
        ] {
            assert_eq!(asked(kind, name), 1, "{kind:?}");
            assert_eq!(asked(kind, plain), u16::from(name == plain), "{kind:?}");
        }
    }

    #[test]
    fn an_alias_comes_with_what_it_leads_to() {
        let (head, _) = ask(&["srv-to-alias"], "cucm-alias.lab.example", TYPE_A);
        assert_eq!((head.code, head.answers), (0, 2));
        let (head, _) = ask(&["srv-to-alias"], "cucm-alias.lab.example", TYPE_AAAA);
        assert_eq!((head.code, head.answers), (0, 1));
        let (head, _) = ask(&["no-address"], "cucm1.lab.example", TYPE_A);
        assert_eq!((head.code, head.answers), (3, 0));
        let (head, _) = ask(&["only-ipv6"], "cucm-v6.lab.example", TYPE_AAAA);
        assert_eq!((head.code, head.answers), (0, 1));
    }

    #[test]
    fn the_standard_domain_has_naptr_and_srv() {
        let (head, _) = ask(&[], "open.lab.example", TYPE_NAPTR);
        assert_eq!(head.answers, 3);
        for name in ["_xmpp-client._tcp", "_xmpps-client._tcp", "_sip._udp", "_sips._tcp"] {
            let (head, _) = ask(&[], &format!("{name}.open.lab.example"), TYPE_SRV);
            assert_eq!(head.answers, 1, "{name}");
        }
    }

    #[test]
    fn odd_queries_get_an_error_code_or_nothing() {
        let zone = Zone::of(&deployment(&[]));
        let good = query("cucm1.lab.example", TYPE_A, false);
        for length in 0..good.len() {
            let _ = answer(&zone, &good[..length], true);
        }
        let mut pointer = good.clone();
        pointer[12] = 0xC0;
        assert_eq!(word(&answer(&zone, &pointer, true).unwrap(), 2).unwrap() & 15, 1);
        let mut reply = good;
        reply[2] |= 0x80;
        assert!(answer(&zone, &reply, true).is_none(), "answers are not answered");
    }
}
