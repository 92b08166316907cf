//! The world behind the edge.

use std::sync::Arc;

use futures_util::lock::MutexGuard;
use offhook_config::HttpUrl;
use offhook_model::{EdgeFault, Endpoint, Fault};
use offhook_ports::{
    BoxFuture, Http, HttpFailure, HttpRequest, HttpResponse, Probe, Reached, World, XmppLogin,
    XmppPlan,
};

use super::enter::never_arrived;
use super::{EdgeRoute, PROVED_FOR, Session};

pub(super) fn world(route: &EdgeRoute, outside: &World) -> World {
    let relay = Arc::new(Relay { route: route.clone(), outside: outside.clone() });
    World { http: relay.clone(), probe: relay.clone(), xmpp: relay, ..outside.clone() }
}

struct Relay {
    route: EdgeRoute,
    outside: World,
}

/// What became of a relayed request, with the number of the sign-in whose cookie it had.
enum Sent {
    /// The inner service answered.
    Answer(HttpResponse),
    /// The edge was not reached.
    Unreached(u64, Fault),
    /// The edge no longer knows the cookie.
    Stale(u64),
}

impl Relay {
    async fn relay(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let bad = || Fault::Nonsense("the address is no http or https URL".to_owned());
        let url = HttpUrl::parse(&request.url).ok_or_else(bad)?;
        if request.proxied || self.route.is_edge(&url.host) {
            return self.outside.http.send(request).await;
        }
        let round = match self.once(&request, &url).await? {
            Sent::Answer(response) => return Ok(response),
            // Nothing has left this machine, so it is asked again by another edge.
            Sent::Unreached(round, fault) if !self.route.pass_over(round) => return Err(fault),
            Sent::Unreached(round, _) | Sent::Stale(round) => round,
        };
        self.route.renew(&self.outside, round, &|_| {}).await?;
        match self.once(&request, &url).await? {
            Sent::Answer(response) => Ok(response),
            Sent::Unreached(_, fault) => Err(fault),
            // A fresh cookie that is refused as well: the edge's nodes do not agree on the time.
            Sent::Stale(_) => Err(self.route.fault(&self.route.edge(), EdgeFault::AllRefused)),
        }
    }

    /// Sends it with the cookie of now.
    async fn once(&self, request: &HttpRequest, url: &HttpUrl) -> Result<Sent, Fault> {
        let clock = &self.outside.clock;
        let permit = self.route.0.budget.request(|| clock.now()).await;
        let permit = permit.map_err(|wait| self.route.held_back(wait))?;
        let (session, _scout) = self.session().await?;
        let dressed = session.dress(request.clone(), url, self.route.domain());
        let response = match self.outside.http.send(dressed).await {
            Ok(response) => response,
            Err(fault) => {
                let unsent = never_arrived(&fault);
                let fault = self.route.unreached(&self.outside, &session.edge, fault, false);
                return if unsent { Ok(Sent::Unreached(session.round, fault)) } else { Err(fault) };
            }
        };
        let stale = is_stale(&response);
        self.route.judged(session.round, !stale, clock.now());
        if stale {
            permit.stale(clock.now());
            return Ok(Sent::Stale(session.round));
        }
        match self.verdict(url, response.status) {
            None => Ok(Sent::Answer(response)),
            Some(fault) => Err(self.route.fault(&session.edge.host, fault)),
        }
    }

    /// The session to use, and the right to go ahead while it is not known whether the edge still
    /// accepts it.
    async fn session(&self) -> Result<(Session, Option<MutexGuard<'_, ()>>), Fault> {
        let clock = &self.outside.clock;
        let fresh = |session: &Session| {
            clock.now().saturating_duration_since(session.proved_at) < PROVED_FOR
        };
        let session = self.route.session(&self.outside).await?;
        if fresh(&session) {
            return Ok((session, None));
        }
        let scout = self.route.0.scout.lock().await;
        let session = self.route.session(&self.outside).await?;
        let ahead = (!fresh(&session)).then_some(scout);
        Ok((session, ahead))
    }

    /// What the edge says in the inner service's place, if this status is the edge's.
    fn verdict(&self, url: &HttpUrl, status: u16) -> Option<EdgeFault> {
        match status {
            403 => Some(self.forbidden(url)),
            502..=504 if url.host.contains('_') => Some(EdgeFault::Underscore),
            // 503 is what a busy call manager says as well.
            502 | 504 => Some(EdgeFault::TunnelDown(status)),
            _ => {
                self.route.state().passed = true;
                None
            }
        }
    }

    /// The edge allows by itself the hosts that it names. When even these are refused, and nothing
    /// else was let pass, it is not about the host.
    fn forbidden(&self, url: &HttpUrl) -> EdgeFault {
        let state = self.route.state();
        if !state.passed && state.config.names(&url.host) {
            EdgeFault::AllRefused
        } else {
            EdgeFault::HostNotAllowed
        }
    }
}

/// 407, or 401 in the edge's own name. Which of the two it says is inferred (reference edge.md
/// section 2), so both count.
fn is_stale(response: &HttpResponse) -> bool {
    let says = |name: &str, word: &str| {
        response.header(name).is_some_and(|text| text.to_ascii_lowercase().contains(word))
    };
    let own = says("www-authenticate", "cisco-edge") || says("server", "ce_c");
    response.status == 407 || (response.status == 401 && own)
}

impl Http for Relay {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(self.relay(request))
    }

    fn forget(&self) {
        self.route.state().session = None;
        self.outside.http.forget();
    }
}

impl Relay {
    /// Whether this connection leaves from here all the same.
    fn leads_out(&self, at: &Endpoint) -> Result<(), Fault> {
        let config = self.route.config();
        let edges = config.sip.iter().chain(&config.xmpp).chain(&config.turn);
        if self.route.is_edge(&at.host) || edges.into_iter().any(|edge| edge.host == at.host) {
            return Ok(());
        }
        Err(self.route.fault(&self.route.edge(), EdgeFault::OnlyHttp))
    }
}

impl Probe for Relay {
    fn reach<'a>(
        &'a self,
        at: &'a Endpoint,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<Reached, Fault>> {
        Box::pin(async move {
            self.leads_out(at)?;
            self.outside.probe.reach(at, names).await
        })
    }
}

impl XmppLogin for Relay {
    fn login<'a>(
        &'a self,
        plan: &'a XmppPlan,
    ) -> BoxFuture<'a, Result<Reached, (Endpoint, Fault)>> {
        Box::pin(async move {
            for server in &plan.servers {
                self.leads_out(&server.endpoint()).map_err(|fault| (server.endpoint(), fault))?;
            }
            self.outside.xmpp.login(plan).await
        })
    }
}
