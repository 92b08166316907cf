//! What a name server's message says in answer to one question (RFC 1035 section 4).

use std::net::SocketAddr;

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use offhook_model::DnsFault;
use offhook_ports::{DnsAnswer, Naptr, Srv};

/// How many aliases are followed within one message, which keeps the work in proportion to its
/// size.
const LINKS: usize = 16;

/// Records of the asked kind.
#[derive(Debug)]
pub(super) struct Answer {
    /// In the order of the message.
    pub(super) records: Vec<RData>,
    /// The name at the end of a chain of aliases: the records are its own, or it is to be asked for
    /// next when there are none.
    pub(super) alias: Option<Name>,
    /// The least TTL of what was used, in seconds.
    pub(super) ttl: u32,
    /// Who answered.
    pub(super) server: SocketAddr,
}

impl Answer {
    pub(super) fn convert<T>(self, one: impl Fn(RData) -> Option<T>) -> DnsAnswer<T> {
        let alias_of = self.alias.as_ref().map(plain);
        let records = self.records.into_iter().filter_map(one).collect();
        DnsAnswer { records, server: self.server.to_string(), alias_of }
    }
}

/// What to make of a message.
#[derive(Debug)]
pub(super) enum Read {
    /// It belongs to another question: late, or forged.
    NotOurs,
    /// It cannot be read although it is meant as the answer.
    Broken(String),
    /// TC is set: ask again over TCP (RFC 2181 section 9).
    Cut,
    /// The server does not understand EDNS (RFC 6891 section 7).
    NoEdns,
    /// The name does not exist, the server fails or refuses.
    Fault(DnsFault),
    /// Records, possibly none.
    Records {
        /// Of the asked kind.
        records: Vec<RData>,
        /// See [`Answer::alias`].
        alias: Option<Name>,
        /// See [`Answer::ttl`].
        ttl: u32,
    },
}

/// Reads a message that came for question `id`, `name`, `kind`.
pub(super) fn read(bytes: &[u8], id: u16, name: &Name, kind: RecordType) -> Read {
    let Some((header, _)) = bytes.split_at_checked(12) else {
        return Read::NotOurs;
    };
    if header[..2] != id.to_be_bytes() {
        return Read::NotOurs;
    }
    // A cut message may end in the middle of a record, so this is seen before the rest is read.
    let is_response = header[2] & 0x80 != 0;
    if is_response && header[2] & 0x02 != 0 {
        return Read::Cut;
    }
    match Message::from_vec(bytes) {
        Err(error) => Read::Broken(error.to_string()),
        Ok(message) if !belongs(&message, name, kind) => Read::NotOurs,
        Ok(message) => sort(message, name, kind),
    }
}

fn belongs(message: &Message, name: &Name, kind: RecordType) -> bool {
    if message.metadata.message_type != MessageType::Response {
        return false;
    }
    match message.queries.as_slice() {
        // Servers that fail may leave the question out.
        [] => message.metadata.response_code != ResponseCode::NoError,
        [query] => query.name().eq_ignore_root(name) && query.query_type() == kind,
        _ => false,
    }
}

fn sort(message: Message, name: &Name, kind: RecordType) -> Read {
    match message.metadata.response_code {
        ResponseCode::NoError => pick(message, name, kind),
        ResponseCode::NXDomain => Read::Fault(DnsFault::NoName),
        ResponseCode::ServFail => Read::Fault(DnsFault::ServerFailure),
        ResponseCode::Refused => Read::Fault(DnsFault::Refused),
        ResponseCode::FormErr | ResponseCode::BADVERS => Read::NoEdns,
        other => Read::Broken(format!("the name server answered {other}")),
    }
}

/// The records at the end of the chain of aliases that starts at `name`.
fn pick(message: Message, name: &Name, kind: RecordType) -> Read {
    let mut at = name.clone();
    let mut ttl = u32::MAX;
    // A longer chain is asked for again from where it was left, and that is bounded too.
    for _ in 0..LINKS {
        let alias = message.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(alias) if record.name.eq_ignore_root(&at) => Some((record.ttl, &alias.0)),
            _ => None,
        });
        let Some((holds, next)) = alias else { break };
        ttl = ttl.min(holds);
        at = next.clone();
    }
    let mut records = vec![];
    for record in message.answers {
        if record.record_type() == kind && record.name.eq_ignore_root(&at) {
            ttl = ttl.min(record.ttl);
            records.push(record.data);
        }
    }
    let alias = (!at.eq_ignore_root(name)).then_some(at);
    Read::Records { records, alias, ttl }
}

/// A name as text without the trailing dot; the root is empty.
fn plain(name: &Name) -> String {
    let text = name.to_ascii();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

pub(super) fn srv(data: RData) -> Option<Srv> {
    match data {
        RData::SRV(srv) => Some(Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: plain(&srv.target),
        }),
        _ => None,
    }
}

pub(super) fn naptr(data: RData) -> Option<Naptr> {
    match data {
        RData::NAPTR(naptr) => Some(Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: String::from_utf8_lossy(&naptr.flags).to_ascii_lowercase(),
            service: String::from_utf8_lossy(&naptr.services).to_ascii_uppercase(),
            replacement: plain(&naptr.replacement),
        }),
        _ => None,
    }
}

/// Reads `data` as an answer to each kind of question we ask, whatever id and name it claims.
pub(crate) fn fuzz(data: &[u8]) {
    let id = data.first_chunk::<2>().map_or(0, |id| u16::from_be_bytes(*id));
    let claimed = Message::from_vec(data).ok().and_then(|message| message.queries.first().cloned());
    let name = claimed.map_or_else(Name::root, |query| query.name().clone());
    for kind in [RecordType::A, RecordType::AAAA, RecordType::SRV, RecordType::NAPTR] {
        if let Read::Records { records, .. } = read(data, id, &name, kind) {
            for record in records {
                assert_eq!(record.record_type(), kind);
                if let Some(srv) = srv(record.clone()) {
                    assert!(!srv.target.ends_with('.') || srv.target.ends_with("\\."));
                }
                let _ = naptr(record);
            }
        }
    }
}
