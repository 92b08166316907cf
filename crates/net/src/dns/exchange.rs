//! One question to the name servers: over UDP, and over TCP when the answer does not fit.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::{Edns, Message, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use offhook_model::DnsFault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

use crate::datagrams;

use super::answer::{self, Answer, Read};

/// Bound on one try at one server.
const TRY: Duration = Duration::from_secs(2);
/// How often a silent server is asked.
const TRIES: usize = 2;
/// Size of datagram to offer: what passes without fragments (DNS flag day 2020).
const DATAGRAM: u16 = 1232;

/// What one server made of the question.
enum Outcome {
    /// Nobody else need be asked.
    Final(Result<(Vec<hickory_resolver::proto::rr::RData>, Option<Name>, u32), DnsFault>),
    /// Somebody else may do better.
    Next(DnsFault),
}

/// Asks the servers in turn; those that stay silent a second time. The caller bounds the whole.
pub(super) async fn ask(
    servers: &[SocketAddr],
    name: &Name,
    kind: RecordType,
) -> Result<Answer, DnsFault> {
    let mut fault = DnsFault::Silence;
    let mut left: Vec<SocketAddr> = servers.to_vec();
    for _ in 0..TRIES {
        let mut silent = vec![];
        for server in left {
            match one(server, name, kind).await {
                Outcome::Final(result) => {
                    let (records, alias, ttl) = result?;
                    return Ok(Answer { records, alias, ttl, server });
                }
                Outcome::Next(DnsFault::Silence) => silent.push(server),
                Outcome::Next(other) => fault = other,
            }
        }
        left = silent;
    }
    Err(fault)
}

async fn one(server: SocketAddr, name: &Name, kind: RecordType) -> Outcome {
    let deadline = Instant::now() + TRY;
    let mut edns = true;
    loop {
        let Some((id, question)) = question(name, kind, edns) else {
            return Outcome::Final(Err(DnsFault::NoName));
        };
        let read = |bytes: &[u8]| answer::read(bytes, id, name, kind);
        let mut got = match over_udp(server, &question, read, deadline).await {
            Ok(got) => got,
            Err(fault) => return Outcome::Next(fault),
        };
        if matches!(got, Read::Cut) {
            got = match timeout(TRY, over_tcp(server, &question, read)).await {
                Ok(Ok(got)) => got,
                Ok(Err(error)) => return Outcome::Next(cut_short(&words(&error))),
                Err(_) => return Outcome::Next(cut_short("no answer")),
            };
        }
        match got {
            Read::NoEdns if edns => edns = false,
            Read::NoEdns => {
                let what = "the name server does not understand the question";
                return Outcome::Next(DnsFault::Malformed(what.to_owned()));
            }
            Read::Records { records, alias, ttl } => {
                return Outcome::Final(Ok((records, alias, ttl)));
            }
            Read::Fault(DnsFault::NoName) => return Outcome::Final(Err(DnsFault::NoName)),
            Read::Fault(fault) => return Outcome::Next(fault),
            Read::Broken(what) => return Outcome::Next(DnsFault::Malformed(what)),
            Read::Cut => return Outcome::Next(cut_short("an answer that is cut short too")),
            Read::NotOurs => {
                return Outcome::Next(cut_short("an answer to another question"));
            }
        }
    }
}

fn cut_short(tcp: &str) -> DnsFault {
    DnsFault::Malformed(format!("the answer is cut short, and asking again over TCP gave {tcp}"))
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "a refused connection".to_owned(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => "a closed connection".to_owned(),
        _ => error.to_string(),
    }
}

/// Id and message; nothing when the name is too long for the wire.
fn question(name: &Name, kind: RecordType, edns: bool) -> Option<(u16, Vec<u8>)> {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.clone(), kind));
    if edns {
        let mut offer = Edns::new();
        offer.set_max_payload(DATAGRAM);
        message.set_edns(offer);
    }
    Some((message.metadata.id, message.to_vec().ok()?))
}

/// The first datagram that belongs to the question. The socket is connected, so only the server's
/// datagrams come in and a closed port is told by the system.
async fn over_udp(
    server: SocketAddr,
    question: &[u8],
    read: impl Fn(&[u8]) -> Read,
    deadline: Instant,
) -> Result<Read, DnsFault> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let gone = |error: io::Error| {
        tracing::debug!(%server, %error, "name server cannot be asked");
        DnsFault::Silence
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(gone)?;
    socket.connect(server).await.map_err(gone)?;
    socket.send(question).await.map_err(gone)?;
    let mut buffer = vec![0; usize::from(DATAGRAM).max(4096)];
    let mut strange = false;
    loop {
        match timeout_at(deadline, datagrams::receive(&socket, &mut buffer)).await {
            Ok(Ok(length)) => match read(buffer.get(..length).unwrap_or_default()) {
                Read::NotOurs => strange = true,
                other => return Ok(other),
            },
            Ok(Err(error)) => return Err(gone(error)),
            Err(_) if strange => {
                let what = "what came on the name server's port is no answer to the question";
                return Err(DnsFault::Malformed(what.to_owned()));
            }
            Err(_) => return Err(DnsFault::Silence),
        }
    }
}

/// RFC 7766: two bytes of length, then the message.
async fn over_tcp(
    server: SocketAddr,
    question: &[u8],
    read: impl Fn(&[u8]) -> Read,
) -> io::Result<Read> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(question);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(read(&answer))
}
