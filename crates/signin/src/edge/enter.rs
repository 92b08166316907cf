//! Signing in at the edge, at most one at a time, within the budget.

use std::time::Instant;

use offhook_config::{EdgeConfig, HttpUrl, edge_config_url, read_edge_config};
use offhook_model::{EdgeFault, Fault, Outcome, Secret, Service, TraceStep};
use offhook_ports::{HttpRequest, HttpResponse, Target, World};

use super::budget::Leave;
use super::{EdgeRoute, RENEW_AFTER, Session, names};
use crate::flow::Failure;

/// Longest value of a cookie that is believed, in bytes. The edge's has 64.
const LONGEST_COOKIE: usize = 1024;

/// Where the steps of a sign-in are told to.
pub(super) type Note<'a> = &'a (dyn Fn(TraceStep) + Send + Sync);

impl EdgeRoute {
    /// Signs in anew, unless somebody else has since the sign-in number `seen`; then its outcome is
    /// the answer.
    pub(super) async fn renew(
        &self,
        world: &World,
        seen: u64,
        note: Note<'_>,
    ) -> Result<(), Fault> {
        let _turn = self.0.turn.lock().await;
        {
            let state = self.state();
            if state.rounds != seen {
                return state.failed.clone().map_or(Ok(()), Err);
            }
            // The same password would be refused again, and each refusal counts against us.
            if let Some(fault @ Fault::Edge(_, EdgeFault::Refused | EdgeFault::NotForUser)) =
                &state.failed
            {
                return Err(fault.clone());
            }
        }
        let entered = self.enter(world, note).await;
        let mut state = self.state();
        state.rounds += 1;
        match entered {
            Ok((edge, cookie, config)) => {
                let proved_at = world.clock.now();
                let renew_at = proved_at + RENEW_AFTER;
                let round = state.rounds;
                state.session = Some(Session { edge, cookie, renew_at, proved_at, round });
                state.config = config.into();
                state.failed = None;
                Ok(())
            }
            Err(fault) => {
                state.session = None;
                state.failed = Some(fault.clone());
                Err(fault)
            }
        }
    }

    /// The session to use now.
    pub(super) async fn session(&self, world: &World) -> Result<Session, Fault> {
        loop {
            let seen = {
                let state = self.state();
                match &state.session {
                    Some(session) if world.clock.now() < session.renew_at => {
                        return Ok(session.clone());
                    }
                    Some(_) | None => state.rounds,
                }
            };
            self.renew(world, seen, &|_| {}).await?;
        }
    }

    /// What the edge makes of the cookie of this sign-in. One that is over is not used again.
    pub(super) fn judged(&self, round: u64, accepted: bool, now: Instant) {
        let mut state = self.state();
        match &mut state.session {
            Some(session) if session.round == round && accepted => session.proved_at = now,
            Some(session) if session.round == round => state.session = None,
            Some(_) | None => {}
        }
    }

    /// Asks the edges in order, the one that was used last first, until one does not fail by its own
    /// fault. Of several failures the one earliest on the way is told, the first among equals.
    async fn enter(&self, world: &World, note: Note<'_>) -> Result<Entered, Fault> {
        let first = self.state().first;
        let count = self.0.edges.len();
        let mut failed = vec![];
        for step in 0..count {
            let index = (first + step) % count;
            let Some(edge) = self.0.edges.get(index) else { continue };
            match self.enter_at(world, edge, note).await {
                Ok(entered) => {
                    let mut state = self.state();
                    (state.first, state.passed_over) = (index, failed);
                    return Ok(entered);
                }
                Err(fault) if is_final(&fault) => return Err(fault),
                Err(fault) => {
                    let at = edge.endpoint(Service::Edge);
                    failed.push(Failure { at, fault });
                }
            }
        }
        let first = failed.into_iter().min_by_key(|failure| failure.problem().area);
        let none = || Fault::NotProvisioned("An edge".to_owned());
        Err(first.map_or_else(none, |failure| failure.fault))
    }

    async fn enter_at(
        &self,
        world: &World,
        edge: &Target,
        note: Note<'_>,
    ) -> Result<Entered, Fault> {
        self.leave(world).await?;
        let url = edge_config_url(self.domain(), edge);
        let begin = world.clock.now();
        let result = match world.http.send(self.question(&url)).await {
            Ok(response) => self.read(world, edge, &response),
            Err(fault) => Err(self.unreached(world, edge, fault, true)),
        };
        let passed = world.clock.now().saturating_duration_since(begin);
        let (answer, outcome) = match &result {
            Ok((_, _, config)) => (show(config), Outcome::Won),
            Err(fault) => (fault.problem(&edge.endpoint(Service::Edge)).cause, Outcome::Failed),
        };
        note(TraceStep {
            step: "edgeConfig".to_owned(),
            asked: format!("GET https://{}:{}/…/get_edge_config", edge.host, edge.port),
            of: edge.endpoint(Service::Edge).to_string(),
            answer,
            ms: u64::try_from(passed.as_millis()).unwrap_or(u64::MAX),
            outcome,
            why: "signs in at the edge and tells the way inside".to_owned(),
        });
        result
    }

    /// Waits a little after a refusal, and refuses by itself when there were too many.
    async fn leave(&self, world: &World) -> Result<(), Fault> {
        loop {
            match self.0.budget.sign_in(world.clock.now()) {
                Leave::Now => return Ok(()),
                Leave::Soon(wait) => world.clock.sleep(wait).await,
                Leave::Refused(wait) => return Err(self.held_back(wait)),
            }
        }
    }

    fn question(&self, url: &HttpUrl) -> HttpRequest {
        let credentials = &self.0.credentials;
        let mut request = HttpRequest::get(url.to_string())
            .with_basic(&credentials.username, &credentials.password);
        request.headers.push(("Accept".to_owned(), "text/xml".to_owned()));
        request.also_named = names(self.domain());
        request
    }

    fn read(
        &self,
        world: &World,
        edge: &Target,
        response: &HttpResponse,
    ) -> Result<Entered, Fault> {
        let fault = match response.status {
            200..=299 => {
                let config = read_edge_config(&response.body).map_err(|error| {
                    let fault = EdgeFault::Unreached(edge.port, Box::new(error.fault()));
                    self.fault(&edge.host, fault)
                })?;
                return Ok((relay(edge, &config), cookie(response), config));
            }
            300..=399 => EdgeFault::SingleSignOn,
            401 | 407 => EdgeFault::Refused,
            403 => EdgeFault::NotForUser,
            404 => EdgeFault::NoDomain,
            status @ 502..=504 => EdgeFault::TunnelDown(status),
            status => EdgeFault::Unreached(edge.port, Box::new(Fault::Status(status))),
        };
        if matches!(fault, EdgeFault::Refused | EdgeFault::NotForUser) {
            self.0.budget.refused(world.clock.now());
        }
        Err(self.fault(&edge.host, fault))
    }

    /// The edge in use cannot be reached: the next one is asked first from now on. `false` when
    /// there is no other.
    pub(super) fn pass_over(&self, round: u64) -> bool {
        let count = self.0.edges.len();
        let mut state = self.state();
        if count > 1 && state.rounds == round {
            state.first = (state.first + 1) % count;
        }
        count > 1
    }

    /// The connection to an edge failed. After several refusals silence has another meaning.
    pub(super) fn unreached(
        &self,
        world: &World,
        edge: &Target,
        fault: Fault,
        signing_in: bool,
    ) -> Fault {
        let silent = matches!(fault, Fault::ConnectTimeout | Fault::PortRefused | Fault::Closed);
        if silent && self.0.budget.is_suspicious(world.clock.now()) {
            return self.fault(&edge.host, EdgeFault::ShutOut);
        }
        if signing_in && never_arrived(&fault) {
            self.0.budget.not_reached();
        }
        self.fault(&edge.host, EdgeFault::Unreached(edge.port, Box::new(fault)))
    }
}

type Entered = (Target, Option<Secret<String>>, EdgeConfig);

/// Another edge would say the same.
fn is_final(fault: &Fault) -> bool {
    match fault {
        Fault::Edge(_, fault) => match fault {
            EdgeFault::Refused
            | EdgeFault::NotForUser
            | EdgeFault::NoDomain
            | EdgeFault::SingleSignOn
            | EdgeFault::HeldBack(_)
            | EdgeFault::NoHome => true,
            EdgeFault::Unreached(..)
            | EdgeFault::HostNotAllowed
            | EdgeFault::AllRefused
            | EdgeFault::TunnelDown(_)
            | EdgeFault::Underscore
            | EdgeFault::OnlyHttp
            | EdgeFault::ShutOut => false,
        },
        _ => false,
    }
}

/// No credentials have left this machine.
pub(super) fn never_arrived(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Dns(_)
            | Fault::PortRefused
            | Fault::ConnectTimeout
            | Fault::Unreachable(_)
            | Fault::Tls(_)
    )
}

/// The cookie is bound to the edge that gave it, so that one relays, on the port that it names.
fn relay(edge: &Target, config: &EdgeConfig) -> Target {
    let same = |other: &&Target| other.host.eq_ignore_ascii_case(&edge.host);
    config.http.iter().find(same).unwrap_or(edge).clone()
}

/// The edge's cookie. Its attributes do not matter: it goes to this edge only, for eight hours.
fn cookie(response: &HttpResponse) -> Option<Secret<String>> {
    let headers = response.headers.iter().filter(|(name, _)| name == "set-cookie");
    headers.filter_map(|(_, text)| text.split(';').next()?.split_once('=')).find_map(
        |(name, value)| {
            let value = value.trim();
            let fits = !value.is_empty() && value.len() <= LONGEST_COOKIE;
            let plain =
                value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",\\".contains(&byte));
            let ours = name.trim().eq_ignore_ascii_case("X-Auth") && fits && plain;
            ours.then(|| Secret::new(format!("X-Auth={value}")))
        },
    )
}

fn show(config: &EdgeConfig) -> String {
    let inner: Vec<_> =
        config.service("_cisco-uds").iter().map(|record| record.target.as_str()).collect();
    match inner.as_slice() {
        [] => "accepted; no user data service inside".to_owned(),
        hosts => format!("accepted; inside: {}", hosts.join(", ")),
    }
}
