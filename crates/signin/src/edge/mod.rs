//! The way through the edge (reference edge.md sections 2 and 3): the sign-in at the edge itself,
//! and the world behind it.
//!
//! The edge's cookie lives here and nowhere else. It goes out with relayed requests to the edge that
//! gave it, in [`Session::dress`], and there is no other place that reads it.

mod budget;
mod enter;
mod inside;
mod relay;
mod restrictions;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::lock::Mutex as Turn;
use offhook_config::{EdgeConfig, HttpUrl, edge_rewrite};
use offhook_model::{EdgeFault, Fault, Secret};
use offhook_ports::{HttpRequest, Target, World};

pub use budget::EdgeBudget;
pub(crate) use inside::{ranked, sign_in};
pub use restrictions::{restricted, restrictions};

use crate::Credentials;
use crate::flow::{Failure, Flow};
use crate::home::passed_over_problem;

/// The edge's cookie lives for eight hours (reference edge.md section 2); it is renewed before.
const RENEW_AFTER: Duration = Duration::from_secs(7 * 3600 + 1800);
/// So long after the edge accepted the cookie nobody doubts it. Later one request goes ahead and the
/// others wait for what comes of it, so that a forgotten cookie is told to us once.
const PROVED_FOR: Duration = Duration::from_secs(60);

/// An open way through an edge: whoever asks the inside asks through it. Clones are the same way.
#[derive(Clone)]
pub struct EdgeRoute(Arc<Inner>);

struct Inner {
    domain: String,
    credentials: Credentials,
    /// In the order to try.
    edges: Vec<Target>,
    budget: EdgeBudget,
    /// Whoever signs in holds it; the others wait for what comes of it.
    turn: Turn<()>,
    /// Whoever finds out whether an old cookie still counts holds it.
    scout: Turn<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<Session>,
    /// Which edge to ask first.
    first: usize,
    config: Arc<EdgeConfig>,
    /// How many sign-ins are over, and what became of the last.
    rounds: u64,
    failed: Option<Fault>,
    /// Edges that come before the one in use and failed.
    passed_over: Vec<Failure>,
    /// A relayed request was let pass since the way was opened.
    passed: bool,
}

/// What a sign-in at the edge gave.
#[derive(Clone)]
struct Session {
    /// Where it relays.
    edge: Target,
    cookie: Option<Secret<String>>,
    renew_at: Instant,
    /// When the edge gave or last accepted the cookie.
    proved_at: Instant,
    /// The number of the sign-in.
    round: u64,
}

impl EdgeRoute {
    /// Signs in at the first of `targets` that can be used.
    pub(crate) async fn open(
        flow: &Flow<'_>,
        targets: &[Target],
        domain: &str,
        credentials: &Credentials,
        budget: &EdgeBudget,
    ) -> Result<Self, Fault> {
        let route = Self(Arc::new(Inner {
            domain: domain.to_owned(),
            credentials: credentials.clone(),
            edges: targets.to_vec(),
            budget: budget.clone(),
            turn: Turn::new(()),
            scout: Turn::new(()),
            state: Mutex::default(),
        }));
        route.renew(flow.world, 0, &|step| flow.note(step)).await?;
        let passed_over = std::mem::take(&mut route.state().passed_over);
        for failure in &passed_over {
            flow.warn(passed_over_problem(failure, &route.edge()));
        }
        Ok(route)
    }

    /// The services domain it leads to.
    pub fn domain(&self) -> &str {
        &self.0.domain
    }

    /// The edge in use, or asked next, by name.
    pub fn edge(&self) -> String {
        let first = self.state().first;
        self.0.edges.get(first).map(|edge| edge.host.clone()).unwrap_or_default()
    }

    /// What the edge said at the last sign-in.
    pub fn config(&self) -> Arc<EdgeConfig> {
        self.state().config.clone()
    }

    /// The world as it looks through the edge: every HTTP request to an inner host is rewritten, with
    /// the edge's cookie, renewed when it is over. Requests to the cloud and to the edge itself go
    /// as they are. Probes of inner hosts and chat sign-ins at them are refused, because the edge
    /// relays neither; names are asked outside, where inner names do not exist.
    pub fn world(&self, outside: &World) -> World {
        relay::world(self, outside)
    }

    fn is_edge(&self, host: &str) -> bool {
        self.0.edges.iter().any(|edge| edge.host.eq_ignore_ascii_case(host))
    }

    fn fault(&self, edge: &str, fault: EdgeFault) -> Fault {
        Fault::Edge(edge.to_owned(), fault)
    }

    fn held_back(&self, wait: Duration) -> Fault {
        // A part of a second counts as a whole one, for who waits the time told must not be early.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Fault::Edge(self.edge(), EdgeFault::HeldBack(seconds))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// The request as this edge wants it.
    fn dress(&self, mut request: HttpRequest, url: &HttpUrl, domain: &str) -> HttpRequest {
        request.url = edge_rewrite(url, domain, &self.edge).to_string();
        request.cookie = self.cookie.clone();
        request.also_named = names(domain);
        request
    }
}

/// Names of which the certificate of an edge must hold one beside its own (reference edge.md section
/// 1). The last is the SRV-ID form, which some authorities write as an ordinary name.
fn names(domain: &str) -> Vec<String> {
    ["", "collab-edge.", "_collab-edge._tls."].map(|begin| format!("{begin}{domain}")).into()
}

impl fmt::Debug for EdgeRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeRoute").field("domain", &self.0.domain).finish_non_exhaustive()
    }
}
