//! Two edges in front of the recorded deployment. They know inner hosts by a table of prefixes that
//! were encoded by another program, not by the rule that the client follows.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use offhook_model::Fault;
use offhook_ports::{BoxFuture, Clock, Http, HttpRequest, HttpResponse, World};

use crate::{PASSWORD, TestWorld, deployment};

/// `example.com` in base64.
const DOMAIN: &str = "ZXhhbXBsZS5jb20";

/// Prefix in base64 and what it stands for, such as `example.com/https/cucm1.example.com/8443`.
const PREFIXES: &[(&str, &str)] = &[
    ("ZXhhbXBsZS5jb20vaHR0cHMvY3VjbTEuZXhhbXBsZS5jb20vODQ0Mw", "https://cucm1.example.com:8443"),
    ("ZXhhbXBsZS5jb20vaHR0cHMvY3VjbTIuZXhhbXBsZS5jb20vODQ0Mw", "https://cucm2.example.com:8443"),
    ("ZXhhbXBsZS5jb20vaHR0cC9jdWNtMS5leGFtcGxlLmNvbS82OTcw", "http://cucm1.example.com:6970"),
    ("ZXhhbXBsZS5jb20vaHR0cHMvaW1wMS5leGFtcGxlLmNvbS84NDQz", "https://imp1.example.com:8443"),
    ("ZXhhbXBsZS5jb20vaHR0cHMvcGhvdG9zLmV4YW1wbGUuY29tLzQ0Mw", "https://photos.example.com:443"),
    (
        "ZXhhbXBsZS5jb20vaHR0cHMvb2xkX3Bob3Rvcy5leGFtcGxlLmNvbS80NDM",
        "https://old_photos.example.com:443",
    ),
];

/// The answer of a healthy edge.
pub const EDGE_CONFIG: &str = "<getEdgeConfigResponse version=\"1.0\"><serviceConfig>\
<service><name>_cuplogin</name><error>NameError</error></service>\
<service><name>_cisco-uds</name>\
<server><priority>10</priority><weight>0</weight><port>8443</port><address>cucm1.example.com</address></server>\
<server><priority>20</priority><weight>0</weight><port>8443</port><address>cucm2.example.com</address></server>\
</service><service><name>tftpServer</name><address>cucm1.example.com</address><address/></service></serviceConfig>\
<edgeConfig><sipEdgeServer><server><address>edge1.example.com</address><tlsPort>5061</tlsPort></server>\
<server><address>edge2.example.com</address><tlsPort>5061</tlsPort></server></sipEdgeServer>\
<sipRequest><route>&lt;sip:198.51.100.7:5061;transport=tls;zone-id=3;directed;lr&gt;</route></sipRequest>\
<xmppEdgeServer><server><address>edge1.example.com</address><tlsPort>5222</tlsPort></server></xmppEdgeServer>\
<httpEdgeServer><server><address>edge1.example.com</address><tlsPort>8443</tlsPort></server></httpEdgeServer>\
<turnEdgeServer/><userUdsServer><server><address>cucm1.example.com</address><tlsPort>8443</tlsPort></server></userUdsServer>\
</edgeConfig></getEdgeConfigResponse>";

/// What an edge does when it is asked.
#[derive(Clone, Debug)]
pub enum Act {
    /// Lets the request pass, if the password or the cookie is right.
    Serve,
    /// Answers with this status, whatever it is asked.
    Status(u16),
    /// The connection fails.
    Fail(Fault),
}

/// What the edges saw. Times are virtual.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Sign-ins that arrived: edge, when, and the status that was answered.
    pub sign_ins: Vec<(String, Instant, u16)>,
    /// Requests with a cookie that is over.
    pub stale: Vec<Instant>,
    /// Most sign-ins at the same time.
    pub most_at_once: usize,
    /// Cookies that went to a host that did not give them: must stay empty.
    pub leaked: Vec<String>,
    /// Relayed requests that were let pass: `METHOD url` as inside, and whether with Basic.
    pub relayed: Vec<(String, bool)>,
    /// Names that the certificate had to hold beside the host's, of the last request.
    pub also_named: Vec<String>,
}

#[derive(Default)]
struct State {
    seen: Seen,
    body: Option<String>,
    sign_in: HashMap<String, VecDeque<Act>>,
    always: HashMap<String, Act>,
    hosts: HashMap<String, Act>,
    valid: Vec<(String, String)>,
    given: u32,
    signing_in: usize,
}

/// See the module.
#[derive(Clone)]
pub struct EdgeDouble {
    inside: TestWorld,
    state: Arc<Mutex<State>>,
}

impl Default for EdgeDouble {
    fn default() -> Self {
        Self { inside: deployment(), state: Arc::default() }
    }
}

impl EdgeDouble {
    /// Edges `edge1.example.com` and `edge2.example.com`, port 8443, in full health.
    pub fn new() -> Self {
        Self::default()
    }

    /// The world outside: only the edges can be reached.
    pub fn world(&self) -> World {
        World { http: Arc::new(self.clone()), ..self.inside.world() }
    }

    /// The deployment behind, and the clock.
    pub fn inside(&self) -> &TestWorld {
        &self.inside
    }

    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        self.lock().seen.clone()
    }

    /// The edge of this name does this at its next sign-ins, in order.
    pub fn next_sign_ins(&self, edge: &str, acts: &[Act]) -> &Self {
        self.lock().sign_in.entry(edge.to_owned()).or_default().extend(acts.iter().cloned());
        self
    }

    /// The edge of this name does this at everything from now on.
    pub fn always(&self, edge: &str, act: Act) -> &Self {
        self.lock().always.insert(edge.to_owned(), act);
        self
    }

    /// What becomes of requests to this inner host.
    pub fn host(&self, inner: &str, act: Act) -> &Self {
        self.lock().hosts.insert(inner.to_owned(), act);
        self
    }

    /// What the edges answer to a sign-in in place of [`EDGE_CONFIG`].
    pub fn config(&self, body: &str) -> &Self {
        self.lock().body = Some(body.to_owned());
        self
    }

    /// All cookies given so far are over.
    pub fn expire(&self) -> &Self {
        self.lock().valid.clear();
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let (edge, path) = place(&request.url);
        self.note(&request, &edge);
        let clock = self.inside.clock().clone();
        if !matches!(edge.as_str(), "edge1.example.com" | "edge2.example.com") {
            clock.sleep(Duration::from_secs(5)).await;
            return Err(Fault::ConnectTimeout);
        }
        let act = self.lock().always.get(&edge).cloned();
        if let Some(Act::Fail(fault)) = act {
            clock.sleep(Duration::from_millis(20)).await;
            return Err(fault);
        }
        if path.starts_with(&format!("/{DOMAIN}/get_edge_config?")) {
            return self.sign_in(&edge, &request).await;
        }
        clock.sleep(Duration::from_millis(50)).await;
        self.relay(&edge, &path, request).await
    }

    /// Keeps what the tests look at.
    fn note(&self, request: &HttpRequest, edge: &str) {
        let mut state = self.lock();
        state.seen.also_named.clone_from(&request.also_named);
        if let Some(cookie) = &request.cookie {
            // The giver's name is part of the cookie.
            let giver = cookie.expose().strip_prefix("X-Auth=").and_then(|it| it.split('-').next());
            if giver.is_none_or(|giver| !edge.starts_with(giver)) {
                state.seen.leaked.push(edge.to_owned());
            }
        }
    }

    async fn sign_in(&self, edge: &str, request: &HttpRequest) -> Result<HttpResponse, Fault> {
        let clock = self.inside.clock().clone();
        let act = {
            let mut state = self.lock();
            state.signing_in += 1;
            state.seen.most_at_once = state.seen.most_at_once.max(state.signing_in);
            let scripted = state.sign_in.get_mut(edge).and_then(VecDeque::pop_front);
            scripted.or_else(|| state.always.get(edge).cloned()).unwrap_or(Act::Serve)
        };
        clock.sleep(Duration::from_millis(300)).await;
        let mut state = self.lock();
        state.signing_in -= 1;
        let known =
            request.basic.as_ref().is_some_and(|(_, password)| password.expose() == PASSWORD);
        let status = match act {
            Act::Fail(fault) => return Err(fault),
            Act::Status(status) => status,
            Act::Serve if known => 200,
            Act::Serve => 401,
        };
        state.seen.sign_ins.push((edge.to_owned(), clock.now(), status));
        if status != 200 {
            let realm = ("www-authenticate".to_owned(), "Basic realm=\"Cisco-Edge\"".to_owned());
            return Ok(answer(status, vec![realm], ""));
        }
        state.given += 1;
        let name = edge.split('.').next().unwrap_or_default();
        let cookie = format!("{name}-{:058}", state.given);
        state.valid.push((edge.to_owned(), format!("X-Auth={cookie}")));
        let set = format!("X-Auth={cookie}; Secure; HttpOnly");
        let body = state.body.clone().unwrap_or_else(|| EDGE_CONFIG.to_owned());
        Ok(answer(200, vec![("set-cookie".to_owned(), set)], &body))
    }

    async fn relay(
        &self,
        edge: &str,
        path: &str,
        mut request: HttpRequest,
    ) -> Result<HttpResponse, Fault> {
        let cookie = request.cookie.take().map(|cookie| (edge.to_owned(), cookie.expose().clone()));
        let (prefix, rest) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
        let inner = PREFIXES.iter().find(|(known, _)| *known == prefix).map(|(_, inner)| *inner);
        let Some(inner) = inner else { return Ok(answer(404, vec![], "")) };
        {
            let mut state = self.lock();
            if !cookie.is_some_and(|cookie| state.valid.contains(&cookie)) {
                state.seen.stale.push(self.inside.clock().now());
                return Ok(answer(407, vec![], ""));
            }
            let host = inner.split("//").nth(1).and_then(|rest| rest.split(':').next());
            let act = state.hosts.get(host.unwrap_or_default()).or(state.hosts.get("*"));
            match act.or(state.always.get(edge)) {
                Some(Act::Status(status)) => return Ok(answer(*status, vec![], "")),
                Some(Act::Fail(fault)) => return Err(fault.clone()),
                Some(Act::Serve) | None => {}
            }
            let asked = format!("{:?} {inner}/{rest}", request.method).to_uppercase();
            state.seen.relayed.push((asked, request.basic.is_some()));
        }
        request.url = format!("{inner}/{rest}");
        self.inside.send(request).await
    }
}

/// Host and path with its query.
fn place(url: &str) -> (String, String) {
    let rest = url.split("//").nth(1).unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.split(':').next().unwrap_or_default();
    (host.to_owned(), format!("/{path}"))
}

fn answer(status: u16, headers: Vec<(String, String)>, body: &str) -> HttpResponse {
    HttpResponse { status, headers, body: body.into(), peer: None, tls: None }
}

impl Http for EdgeDouble {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, Fault>> {
        Box::pin(self.serve(request))
    }

    fn forget(&self) {}
}
