//! Trying the servers that sign-in leads to.

use futures_util::future::join_all;
use futures_util::join;
use offhook_model::{Endpoint, Fault, Link, Outcome, Problem, Service as Kind, TraceStep};
use offhook_ports::{Found, PhoneAccount, Progress, Reached, Target, Tell, World, XmppPlan};
use offhook_signin::{Grant, Service};

use crate::findings::Findings;

/// At most so many servers of a kind are tried.
const MOST: usize = 8;

/// The examination beyond discovery, as far as it has come.
pub(crate) struct Checks<'a> {
    pub(crate) world: &'a World,
    pub(crate) tell: Tell<'a>,
    pub(crate) steps: Vec<TraceStep>,
    pub(crate) findings: Findings,
}

/// What one try gave.
struct Tried {
    step: TraceStep,
    problem: Option<Problem>,
}

impl Checks<'_> {
    /// Connects to what was found, without a word about the user.
    pub(crate) async fn connect_only(&mut self, found: &Found) {
        let targets =
            |list: &[Target]| list.iter().map(|it| it.endpoint(Kind::Uds)).collect::<Vec<_>>();
        let groups = match found {
            Found::Cucm(list) | Found::Cup(list) => vec![targets(list)],
            Found::Edge(_) | Found::Webex { .. } => vec![],
            Found::Standard { xmpp, sip } => vec![
                xmpp.iter().map(offhook_ports::XmppServer::endpoint).collect(),
                sip.iter().map(offhook_ports::SipServer::endpoint).collect(),
            ],
        };
        for group in groups {
            let tried = self.reach_all(&group).await;
            self.judge(tried);
        }
    }

    /// Signs in to chat as far as authentication, and connects to the call servers.
    pub(crate) async fn services(&mut self, grant: &Grant) {
        let (chat, calls) = join!(self.chat(&grant.im), self.calls(&grant.phone));
        self.judge(chat);
        self.judge(calls);
        let failed = [grant.im.problem(), grant.phone.problem()];
        for problem in failed.into_iter().flatten() {
            self.findings.block(problem.clone());
        }
    }

    async fn chat(&self, im: &Service<XmppPlan>) -> Vec<Tried> {
        let Some(plan) = im.ready() else { return vec![] };
        let begin = self.world.clock.now();
        let result = self.world.xmpp.login(plan).await;
        let first = plan.servers.first().map(|server| server.endpoint());
        let (at, result) = match result {
            Ok(reached) => {
                (first.map_or_else(|| reached.peer.to_string(), |at| at.to_string()), Ok(reached))
            }
            Err((at, fault)) => (at.to_string(), Err((at, fault))),
        };
        let problem = result.as_ref().err().map(|(at, fault)| fault.problem(at));
        let step =
            self.step("xmpp", format!("sign in to chat as {}", plan.jid), at, begin, &problem);
        vec![Tried { step: with_tls(step, result.ok()), problem }]
    }

    async fn calls(&self, phone: &Service<PhoneAccount>) -> Vec<Tried> {
        let Some(account) = phone.ready() else { return vec![] };
        let servers: Vec<_> = account.servers.iter().map(|server| server.endpoint()).collect();
        self.reach_all(&servers).await
    }

    async fn reach_all(&self, at: &[Endpoint]) -> Vec<Tried> {
        join_all(at.iter().take(MOST).map(|at| self.reach(at))).await
    }

    async fn reach(&self, at: &Endpoint) -> Tried {
        let begin = self.world.clock.now();
        let result: Result<Reached, Fault> = self.world.probe.reach(at, &[]).await;
        let problem = result.as_ref().err().map(|fault| fault.problem(at));
        let step =
            self.step(step_name(at.service), connect_words(at), at.to_string(), begin, &problem);
        Tried { step: with_tls(step, result.ok()), problem }
    }

    fn step(
        &self,
        name: &str,
        asked: String,
        of: String,
        begin: std::time::Instant,
        problem: &Option<Problem>,
    ) -> TraceStep {
        let passed = self.world.clock.now().saturating_duration_since(begin);
        let (answer, outcome) = match problem {
            None => ("answered".to_owned(), Outcome::Won),
            Some(problem) => (problem.cause.clone(), Outcome::Failed),
        };
        TraceStep {
            step: name.to_owned(),
            asked,
            of,
            answer,
            ms: u64::try_from(passed.as_millis()).unwrap_or(u64::MAX),
            outcome,
            why: "the client would use this server".to_owned(),
        }
    }

    /// One server that can be used is enough; the others are worth mending then.
    fn judge(&mut self, tried: Vec<Tried>) {
        let usable = tried.iter().any(|tried| tried.problem.is_none());
        for Tried { step, problem } in tried {
            (self.tell)(Progress::Step(step.clone()));
            self.steps.push(step);
            match problem {
                Some(problem) if usable => self.findings.warn(problem),
                Some(problem) => self.findings.block(problem),
                None => {}
            }
        }
    }
}

fn with_tls(mut step: TraceStep, reached: Option<Reached>) -> TraceStep {
    if let Some(tls) = reached.and_then(|reached| reached.tls) {
        step.answer = format!("{}, {tls}", step.answer);
    }
    step
}

fn step_name(service: Kind) -> &'static str {
    match service {
        Kind::Sip => "sip",
        Kind::Xmpp => "xmpp",
        Kind::Dns
        | Kind::Uds
        | Kind::ServiceProfile
        | Kind::DeviceFile
        | Kind::ClientConfig
        | Kind::ImSoap
        | Kind::Edge
        | Kind::Cloud
        | Kind::Directory
        | Kind::Voicemail => "reach",
    }
}

fn connect_words(at: &Endpoint) -> String {
    let how = match at.link {
        Link::Udp => "UDP",
        Link::Tcp => "TCP",
        Link::Tls => "TLS",
        Link::StartTls => "TCP, later TLS",
    };
    format!("connect to the {} at {at} over {how}", at.service.words())
}
