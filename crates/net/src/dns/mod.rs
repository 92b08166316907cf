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
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::proto::rr::{Name, RData, RecordType};
use offhook_model::{DnsFault, IpMode};
use offhook_ports::{BoxFuture, Dns, DnsAnswer, Naptr, Srv};
use tokio::time::{Instant, timeout, timeout_at};

use crate::{HostEntry, Net};
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
    hosts: Vec<HostEntry>,
    hosts_file: HostsFile,
    cache: Cache,
    mode: Mutex<IpMode>,
}

impl Names {
    pub(crate) fn new(servers: Vec<SocketAddr>, hosts: Vec<HostEntry>) -> Self {
        Self {
            servers: Servers::new(servers),
            hosts,
            hosts_file: HostsFile::default(),
            cache: Cache::default(),
            mode: Mutex::default(),
        }
    }

    /// Which families count from now on.
    pub(crate) fn use_families(&self, mode: IpMode) {
        let before = {
            let mut kept = self.mode.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *kept, mode)
        };
        if before != mode {
            self.cache.clear();
        }
    }

    fn mode(&self) -> IpMode {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which address and port `--hosts` gives for this port of a host: entries for the very port
    /// before those for all.
    pub(crate) fn mapped(&self, host: &str, port: u16) -> Vec<SocketAddr> {
        let mode = self.mode();
        let mine = |entry: &&HostEntry| entry.is_for(bare(host)) && counts(mode, entry.address);
        let entries = self.hosts.iter().filter(mine);
        let exact = entries.filter_map(|entry| match entry.ports {
            Some((asked, used)) if asked == port => Some(SocketAddr::new(entry.address, used)),
            Some(_) | None => None,
        });
        exact.collect()
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

    async fn follow(&self, name: Name, kind: RecordType) -> Result<Answer, DnsFault> {
        let servers = self.servers.list()?;
        let mut alias = None;
        for _ in 0..ALIASES {
            let mut answer = exchange::ask(&servers, alias.as_ref().unwrap_or(&name), kind).await?;
            match answer.alias.take() {
                Some(next) if answer.records.is_empty() => alias = Some(next),
                Some(_) | None if answer.records.is_empty() => return Err(DnsFault::NoRecord),
                last => return Ok(Answer { alias: last.or(alias), ..answer }),
            }
        }
        Err(DnsFault::Malformed("the name is an alias of an alias without end".to_owned()))
    }

    /// Answers that need no name server.
    fn local(&self, host: &str) -> Option<DnsAnswer<IpAddr>> {
        let answer = |records, server: &str| {
            Some(DnsAnswer { records, server: server.into(), alias_of: None })
        };
        let entries = self.hosts.iter().filter(|entry| entry.is_for(host));
        let mut given: Vec<IpAddr> = vec![];
        for entry in entries {
            // A host has an entry for each of its ports.
            if !given.contains(&entry.address) {
                given.push(entry.address);
            }
        }
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

    pub(crate) async fn resolve(&self, host: &str) -> Result<DnsAnswer<IpAddr>, DnsFault> {
        let mode = self.mode();
        let host = bare(host);
        if let Some(mut answer) = self.local(host) {
            answer.records.retain(|address| counts(mode, *address));
            return if answer.records.is_empty() { Err(DnsFault::NoRecord) } else { Ok(answer) };
        }
        if let Some(answer) = self.cache.get(host, crate::now()) {
            return Ok(answer);
        }
        let (answer, ttl) = match mode {
            IpMode::Both => self.both_families(host).await?,
            IpMode::V4 => one_family(self.ask(host, RecordType::A).await?),
            IpMode::V6 => one_family(self.ask(host, RecordType::AAAA).await?),
        };
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
    let (mut answer, mut ttl) = one_family(first);
    if let Some(second) = second {
        let (second, holds) = one_family(second);
        ttl = ttl.min(holds);
        answer.records.extend(second.records);
        answer.alias_of = answer.alias_of.or(second.alias_of);
    }
    Ok((answer, ttl))
}

fn one_family(answer: Answer) -> (DnsAnswer<IpAddr>, u32) {
    let ttl = answer.ttl;
    (answer.convert(address), ttl)
}

/// Whether addresses of this family are used.
fn counts(mode: IpMode, address: IpAddr) -> bool {
    match mode {
        IpMode::Both => true,
        IpMode::V4 => address.is_ipv4(),
        IpMode::V6 => address.is_ipv6(),
    }
}

/// Without the dot of a full name and without the brackets of an IPv6 address in a URL.
fn bare(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
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
