//! Doubles of all ports behind one set of recorded answers.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use offhook_model::{DnsFault, Endpoint, Fault};
use offhook_ports::{
    BoxFuture, Clock, Dns, DnsAnswer, Http, HttpRequest, HttpResponse, Method, Naptr, Probe,
    Reached, Srv, World, XmppLogin, XmppPlan,
};

use crate::{Reply, VirtualClock, block_on};

/// How long a name system that says nothing is waited for.
const DNS_PATIENCE: Duration = Duration::from_secs(5);

type Asked<'a, T> = BoxFuture<'a, Result<DnsAnswer<T>, DnsFault>>;

#[derive(Default)]
struct Answers {
    srv: HashMap<String, Result<Vec<Srv>, DnsFault>>,
    naptr: HashMap<String, Vec<Naptr>>,
    addresses: HashMap<String, Result<Vec<IpAddr>, DnsFault>>,
    web: Vec<(String, String, Reply)>,
    reach: HashMap<String, Result<(), Fault>>,
    xmpp: Option<(Endpoint, Fault)>,
    delays: HashMap<String, Duration>,
    aliases: HashMap<String, String>,
    name_server: Option<String>,
    asked: Vec<String>,
}

/// A world in which everything unknown fails in the plainest way: names do not exist, ports are
/// refused. Chat sign-ins succeed unless told otherwise.
#[derive(Clone, Default)]
pub struct TestWorld {
    answers: Arc<Mutex<Answers>>,
    clock: VirtualClock,
}

impl TestWorld {
    /// An empty world at [`epoch`](crate::epoch).
    pub fn new() -> Self {
        Self::default()
    }

    /// The ports to hand to a flow.
    pub fn world(&self) -> World {
        let this = Arc::new(self.clone());
        World {
            dns: this.clone(),
            http: this.clone(),
            probe: this.clone(),
            xmpp: this,
            clock: Arc::new(self.clock.clone()),
        }
    }

    /// The clock of this world.
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// Drives a flow to its end.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        block_on(&self.clock, future)
    }

    /// Every question so far: `SRV name`, `GET url`, `GET url as USER`, `REACH host:port`, `XMPP jid`.
    pub fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// Publishes SRV records: priority, weight, port, target as the resolver gives it.
    pub fn srv(&self, name: &str, records: &[(u16, u16, u16, &str)]) -> &Self {
        let record = |(priority, weight, port, target): &(u16, u16, u16, &str)| Srv {
            priority: *priority,
            weight: *weight,
            port: *port,
            target: (*target).to_owned(),
        };
        self.lock().srv.insert(name.into(), Ok(records.iter().map(record).collect()));
        self
    }

    /// Lets an SRV question fail; [`DnsFault::Silence`] takes its time.
    pub fn srv_fault(&self, name: &str, fault: DnsFault) -> &Self {
        self.lock().srv.insert(name.into(), Err(fault));
        self
    }

    /// Lets the SRV answer for this name take so long.
    pub fn srv_after(&self, name: &str, delay: Duration) -> &Self {
        self.lock().delays.insert(name.into(), delay);
        self
    }

    /// The name server that answers everything, instead of `192.0.2.53:53`.
    pub fn name_server(&self, address: &str) -> &Self {
        self.lock().name_server = Some(address.into());
        self
    }

    /// Makes a host an alias: its addresses belong to the other name.
    pub fn alias(&self, host: &str, of: &str) -> &Self {
        self.lock().aliases.insert(host.into(), of.into());
        self
    }

    /// Publishes NAPTR records: order, preference, service, replacement (flag `s`).
    pub fn naptr(&self, name: &str, records: &[(u16, u16, &str, &str)]) -> &Self {
        let record = |(order, preference, service, replacement): &(u16, u16, &str, &str)| Naptr {
            order: *order,
            preference: *preference,
            flags: "s".into(),
            service: (*service).to_owned(),
            replacement: (*replacement).to_owned(),
        };
        self.lock().naptr.insert(name.into(), records.iter().map(record).collect());
        self
    }

    /// Publishes one address.
    pub fn address(&self, host: &str, address: &str) -> &Self {
        let address = address.parse().expect("a literal address");
        self.lock().addresses.insert(host.into(), Ok(vec![address]));
        self
    }

    /// Lets an address question fail.
    pub fn address_fault(&self, host: &str, fault: DnsFault) -> &Self {
        self.lock().addresses.insert(host.into(), Err(fault));
        self
    }

    /// Records an answer to `METHOD url`. Of several that fit a request the last recorded counts.
    pub fn web(&self, method_and_url: &str, reply: Reply) -> &Self {
        self.web_containing(method_and_url, "", reply)
    }

    /// The same, only for requests whose body or headers contain `needle`.
    pub fn web_containing(&self, method_and_url: &str, needle: &str, reply: Reply) -> &Self {
        self.lock().web.push((method_and_url.into(), needle.into(), reply));
        self
    }

    /// What a probe of `host:port` finds.
    pub fn reach(&self, at: &str, result: Result<(), Fault>) -> &Self {
        self.lock().reach.insert(at.into(), result);
        self
    }

    /// Lets chat sign-ins fail.
    pub fn xmpp_fault(&self, at: Endpoint, fault: Fault) -> &Self {
        self.lock().xmpp = Some((at, fault));
        self
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, asked: String) -> MutexGuard<'_, Answers> {
        let mut answers = self.lock();
        answers.asked.push(asked);
        answers
    }

    fn name_answer<T: Send + 'static>(
        &self,
        name: &str,
        result: Option<Result<Vec<T>, DnsFault>>,
    ) -> Asked<'_, T> {
        let clock = self.clock.clone();
        let result = result.unwrap_or(Err(DnsFault::NoName));
        let answers = self.lock();
        let delay = answers.delays.get(name).copied();
        let alias_of = answers.aliases.get(name).cloned();
        let server = answers.name_server.clone().unwrap_or_else(|| "192.0.2.53:53".into());
        drop(answers);
        Box::pin(async move {
            let patience = matches!(result, Err(DnsFault::Silence)).then_some(DNS_PATIENCE);
            if let Some(wait) = delay.or(patience) {
                clock.sleep(wait).await;
            }
            result.map(|records| DnsAnswer { records, server, alias_of })
        })
    }
}

fn here(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Dns for TestWorld {
    fn srv<'a>(&'a self, name: &'a str) -> Asked<'a, Srv> {
        let result = self.note(format!("SRV {name}")).srv.get(name).cloned();
        self.name_answer(name, result)
    }

    fn naptr<'a>(&'a self, name: &'a str) -> Asked<'a, Naptr> {
        let result = self.note(format!("NAPTR {name}")).naptr.get(name).cloned();
        self.name_answer(name, result.map(Ok))
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Asked<'a, IpAddr> {
        let result = self.note(format!("A {host}")).addresses.get(host).cloned();
        self.name_answer(host, result.or_else(|| Some(Ok(vec![host.parse().ok()?]))))
    }
}

impl Http for TestWorld {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, Fault>> {
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Propfind => "PROPFIND",
            Method::Report => "REPORT",
        };
        let asked = format!("{method} {}", request.url);
        let cookie = request.cookie.as_ref().map_or("", |cookie| cookie.expose().as_str());
        let body = String::from_utf8_lossy(&request.body);
        let shown = request.basic.as_ref().map(|(user, word)| format!("{user}:{}", word.expose()));
        let shown = shown.unwrap_or_default();
        let content = format!("{:?} Cookie: {cookie}; Basic {shown}; {body}", request.headers);
        let as_whom = match &request.basic {
            Some((user, _)) => format!("{asked} as {user}"),
            None => asked.clone(),
        };
        let answers = self.note(as_whom);
        let fits = |(url, needle, _): &&(String, String, Reply)| {
            *url == asked && content.contains(needle.as_str())
        };
        let reply = answers.web.iter().rev().find(fits).map(|(_, _, reply)| reply.clone());
        let clock = self.clock.clone();
        Box::pin(async move {
            let reply = reply.unwrap_or_else(|| Reply::fault(Fault::PortRefused));
            if reply.after > request.timeout {
                clock.sleep(request.timeout).await;
                return Err(Fault::ConnectTimeout);
            }
            clock.sleep(reply.after).await;
            let (status, headers, body) = reply.result?;
            if body.len() > request.limit {
                return Err(Fault::TooLarge(request.limit as u64));
            }
            let tls = request.url.starts_with("https:").then(|| "TLSv1.3".to_owned());
            Ok(HttpResponse { status, headers, body, peer: Some(here(8443)), tls })
        })
    }

    fn forget(&self) {}
}

impl Probe for TestWorld {
    fn reach<'a>(
        &'a self,
        at: &'a Endpoint,
        _names: &'a [String],
    ) -> BoxFuture<'a, Result<Reached, Fault>> {
        let result = self.note(format!("REACH {at}")).reach.get(&at.to_string()).cloned();
        let port = at.port;
        Box::pin(async move {
            result.unwrap_or(Err(Fault::PortRefused))?;
            Ok(Reached { peer: here(port), local: here(40_000), tls: None })
        })
    }
}

impl XmppLogin for TestWorld {
    fn login<'a>(
        &'a self,
        plan: &'a XmppPlan,
    ) -> BoxFuture<'a, Result<Reached, (Endpoint, Fault)>> {
        let failure = self.note(format!("XMPP {}", plan.jid)).xmpp.clone();
        Box::pin(async move {
            match failure {
                Some(failure) => Err(failure),
                None => Ok(Reached {
                    peer: here(5222),
                    local: here(40_000),
                    tls: Some("TLSv1.3".into()),
                }),
            }
        })
    }
}
