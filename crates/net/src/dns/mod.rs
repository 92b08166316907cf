//! The name system: SRV, NAPTR and address records from the given name servers or the system's.
//!
//! Questions are sent by ourselves rather than by a resolver library, because what a doctor must
//! tell apart (silence, refusal, a cut answer whose TCP retry fails…) becomes one and the same
//! error there. Names are always taken as complete: no search domain is ever appended.

mod answer;
mod cache;
mod exchange;
mod servers;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::rr::{Name, RData, RecordType};
use offhook_model::DnsFault;
use offhook_ports::{BoxFuture, Dns, DnsAnswer, Naptr, Srv};
use tokio::time::{Instant, timeout, timeout_at};

use crate::Net;
use answer::Answer;
use cache::Cache;
use servers::{HostsFile, Servers};

pub(crate) use answer::fuzz as fuzz_answer;

/// Bound on one question with all its retries and all its servers.
const IN_ALL: Duration = Duration::from_secs(6);
/// How long the other address family may lag behind the first (RFC 8305 section 3).
const FAMILY_LAG: Duration = Duration::from_millis(250);
/// How many aliases are followed across separate questions.
const ALIASES: usize = 8;

/// Addresses of the system's name servers.
pub(crate) fn system_servers() -> Vec<IpAddr> {
    servers::system().iter().map(SocketAddr::ip).collect()
}

/// Everything needed to ask for names.
#[derive(Debug)]
pub(crate) struct Names {
    servers: Servers,
    hosts: Vec<(String, IpAddr)>,
    hosts_file: HostsFile,
    cache: Cache,
}

impl Names {
    pub(crate) fn new(servers: Vec<SocketAddr>, hosts: Vec<(String, IpAddr)>) -> Self {
        Self {
            servers: Servers::new(servers),
            hosts,
            hosts_file: HostsFile::default(),
            cache: Cache::default(),
        }
    }

    pub(crate) fn forget(&self) {
        self.cache.clear();
        self.hosts_file.forget();
    }

    /// Records of one kind, aliases followed.
    async fn ask(&self, name: &str, kind: RecordType) -> Result<Answer, DnsFault> {
        let name = full_name(name)?;
        let deadline = Instant::now() + IN_ALL;
        let asked = timeout_at(deadline, self.follow(name, kind)).await;
        asked.unwrap_or(Err(DnsFault::Silence))
    }

    async fn follow(&self, mut name: Name, kind: RecordType) -> Result<Answer, DnsFault> {
        let servers = self.servers.list()?;
        for _ in 0..ALIASES {
            let answer = exchange::ask(&servers, &name, kind).await?;
            match answer.alias {
                Some(alias) if answer.records.is_empty() => name = alias,
                Some(_) | None if answer.records.is_empty() => return Err(DnsFault::NoRecord),
                Some(_) | None => return Ok(answer),
            }
        }
        Err(DnsFault::Malformed("the name is an alias of an alias without end".to_owned()))
    }

    /// Answers that need no name server.
    fn local(&self, host: &str) -> Option<DnsAnswer<IpAddr>> {
        let answer = |records, server: &str| {
            Some(DnsAnswer { records, server: server.into(), alias_of: None })
        };
        let given: Vec<_> = self
            .hosts
            .iter()
            .filter(|(name, _)| name.trim_end_matches('.').eq_ignore_ascii_case(host))
            .map(|(_, address)| *address)
            .collect();
        if !given.is_empty() {
            return answer(given, "--hosts");
        }
        if let Ok(literal) = host.parse() {
            return answer(vec![literal], "literal address");
        }
        if is_localhost(host) {
            let both = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return answer(both, "localhost");
        }
        let filed = self.hosts_file.addresses(&full_name(host).ok()?);
        if filed.is_empty() { None } else { answer(filed, "hosts file") }
    }

    async fn resolve(&self, host: &str) -> Result<DnsAnswer<IpAddr>, DnsFault> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Some(answer) = self.local(inner) {
            return Ok(answer);
        }
        if let Some(answer) = self.cache.get(host, crate::now()) {
            return Ok(answer);
        }
        let (answer, ttl) = self.both_families(host).await?;
        self.cache.put(host, &answer, ttl, crate::now());
        Ok(answer)
    }

    /// IPv4 first: call managers are rarely reachable by IPv6 where both exist, and a datagram
    /// flow has no cheap way to find out.
    async fn both_families(&self, host: &str) -> Result<(DnsAnswer<IpAddr>, u32), DnsFault> {
        let four = self.ask(host, RecordType::A);
        let six = self.ask(host, RecordType::AAAA);
        tokio::pin!(four, six);
        let (four, six) = tokio::select! {
            four = &mut four => {
                let six = if four.is_ok() {
                    timeout(FAMILY_LAG, six).await.unwrap_or(Err(DnsFault::Silence))
                } else {
                    six.await
                };
                (four, six)
            }
            six = &mut six => {
                let four = if six.is_ok() {
                    timeout(FAMILY_LAG, four).await.unwrap_or(Err(DnsFault::Silence))
                } else {
                    four.await
                };
                (four, six)
            }
        };
        join(four, six)
    }
}

/// Both answers as one. When neither family has an address, trouble says more than absence.
fn join(
    four: Result<Answer, DnsFault>,
    six: Result<Answer, DnsFault>,
) -> Result<(DnsAnswer<IpAddr>, u32), DnsFault> {
    let (first, second) = match (four, six) {
        (Ok(four), Ok(six)) => (four, Some(six)),
        (Ok(one), Err(_)) | (Err(_), Ok(one)) => (one, None),
        (Err(DnsFault::NoName), Err(_)) | (Err(_), Err(DnsFault::NoName)) => {
            return Err(DnsFault::NoName);
        }
        (Err(DnsFault::NoRecord), Err(fault)) | (Err(fault), Err(_)) => return Err(fault),
    };
    let ttl = second.as_ref().map_or(first.ttl, |second| second.ttl.min(first.ttl));
    let server = first.server.to_string();
    let data = first.records.into_iter().chain(second.into_iter().flat_map(|one| one.records));
    Ok((DnsAnswer { records: data.filter_map(address).collect(), server, alias_of: None }, ttl))
}

fn address(data: RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

fn is_localhost(host: &str) -> bool {
    // RFC 6761 section 6.3.
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// A name that cannot be written as one does not exist.
fn full_name(name: &str) -> Result<Name, DnsFault> {
    let parsed = if name.is_ascii() { Name::from_ascii(name) } else { Name::from_utf8(name) };
    let mut parsed = parsed.map_err(|_| DnsFault::NoName)?;
    parsed.set_fqdn(true);
    if parsed.is_root() { Err(DnsFault::NoName) } else { Ok(parsed) }
}

impl Dns for Net {
    fn srv<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<DnsAnswer<Srv>, DnsFault>> {
        Box::pin(async move {
            let answer = self.names.ask(name, RecordType::SRV).await?;
            Ok(answer.convert(answer::srv))
        })
    }

    fn naptr<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<DnsAnswer<Naptr>, DnsFault>> {
        Box::pin(async move {
            let answer = self.names.ask(name, RecordType::NAPTR).await?;
            Ok(answer.convert(answer::naptr))
        })
    }

    fn addresses<'a>(
        &'a self,
        host: &'a str,
    ) -> BoxFuture<'a, Result<DnsAnswer<IpAddr>, DnsFault>> {
        Box::pin(self.names.resolve(host))
    }
}
