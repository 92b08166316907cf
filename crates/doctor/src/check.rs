//! Trying the servers that sign-in leads to.

use std::time::Instant;

use futures_util::future::join_all;
use futures_util::join;
use offhook_model::{
    Area, Endpoint, EnrolFault, Fault, Link, Outcome, Owner, Problem, Service as Kind, TraceStep,
};
use offhook_ports::{
    EnrolMode, Found, PhoneAccount, Progress, Reached, Target, Tell, World, XmppPlan,
};
use offhook_signin::{Grant, Service};

use crate::Registrar;
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
pub(crate) struct Tried {
    pub(crate) step: TraceStep,
    pub(crate) problem: Option<Problem>,
}

impl<'a> Checks<'a> {
    pub(crate) fn new(world: &'a World, tell: Tell<'a>) -> Self {
        Self { world, tell, steps: vec![], findings: Findings::default() }
    }

    /// Connects to what was found, without a word about the user.
    pub(crate) async fn connect_only(&mut self, found: &Found) {
        for group in groups(found) {
            let tried = self.reach_all(&group).await;
            self.judge(tried);
        }
    }

    /// Signs in to chat as far as authentication, and connects to the call servers.
    pub(crate) async fn services(&mut self, grant: &Grant, certified: bool) {
        let (chat, calls) = join!(self.chat(&grant.im), self.calls(&grant.phone));
        let failed = [grant.im.problem(), grant.phone.problem()];
        for problem in failed.into_iter().flatten() {
            self.findings.block(problem.clone());
        }
        if let Some(problem) = grant.phone.ready().filter(|_| !certified).and_then(no_enrolment) {
            self.findings.block(problem);
        }
        let lost = chat.iter().any(|tried| is_lost(&tried.problem));
        self.judge(chat);
        self.judge(calls);
        self.other_chat_nodes(&grant.im, lost).await;
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

    /// Nodes that stand by are tried as well: when the sign-in was lost on the way and no node can be
    /// reached, all are down (D32).
    async fn other_chat_nodes(&mut self, im: &Service<XmppPlan>, lost: bool) {
        let Some(plan) = im.ready().filter(|plan| plan.servers.len() > 1) else { return };
        let servers: Vec<_> = plan.servers.iter().map(|server| server.endpoint()).collect();
        let tried = self.reach_all(&servers).await;
        if !lost {
            return self.judge_mildly(tried);
        }
        if tried.iter().all(|tried| is_lost(&tried.problem)) {
            let hosts: Vec<_> = servers.iter().map(|at| at.host.as_str()).collect();
            self.findings.block(all_nodes_down(&hosts));
        }
        self.judge(tried);
    }

    async fn calls(&self, phone: &Service<PhoneAccount>) -> Vec<Tried> {
        let Some(account) = phone.ready() else { return vec![] };
        let servers: Vec<_> = account.servers.iter().map(|server| server.endpoint()).collect();
        self.reach_all(&servers).await
    }

    /// Registers and withdraws. That one server refuses while another takes the phone is no matter
    /// here: the registrar tries them in order, as a client would.
    pub(crate) async fn register(&mut self, registrar: &dyn Registrar, account: &PhoneAccount) {
        let begin = self.world.clock.now();
        let problems = registrar.register(account).await;
        let hosts: Vec<_> = account.servers.iter().map(|it| it.endpoint().to_string()).collect();
        let asked = "register the phone, stay registered for a moment, and withdraw".to_owned();
        let last = problems.last().cloned();
        let step = self.step("register", asked, hosts.join(", "), begin, &last);
        self.note(step);
        self.findings.see(&problems);
    }

    pub(crate) async fn reach_all(&self, at: &[Endpoint]) -> Vec<Tried> {
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
        begin: Instant,
        problem: &Option<Problem>,
    ) -> TraceStep {
        let (answer, outcome) = match problem {
            None => ("answered".to_owned(), Outcome::Won),
            Some(problem) => (problem.cause.clone(), Outcome::Failed),
        };
        TraceStep {
            step: name.to_owned(),
            asked,
            of,
            answer,
            ms: self.ms_since(begin),
            outcome,
            why: "the client would use this server".to_owned(),
        }
    }

    pub(crate) fn ms_since(&self, begin: Instant) -> u64 {
        let passed = self.world.clock.now().saturating_duration_since(begin);
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn note(&mut self, step: TraceStep) {
        (self.tell)(Progress::Step(step.clone()));
        self.steps.push(step);
    }

    /// One server that can be used is enough; the others are worth mending then.
    pub(crate) fn judge(&mut self, tried: Vec<Tried>) {
        let usable = tried.iter().any(|tried| tried.problem.is_none());
        for Tried { step, problem } in tried {
            self.note(step);
            match problem {
                Some(problem) if usable || problem.is_not_recorded() => self.findings.warn(problem),
                Some(problem) => self.findings.block(problem),
                None => {}
            }
        }
    }

    /// Servers that stand by, and of services beside the sign-in: never more than a warning.
    pub(crate) fn judge_mildly(&mut self, tried: Vec<Tried>) {
        for Tried { step, problem } in tried {
            self.note(step);
            problem.into_iter().for_each(|problem| self.findings.warn(problem));
        }
    }

    /// Servers of services that this client does not use yet: worth knowing.
    pub(crate) fn remark(&mut self, tried: Vec<Tried>) {
        for Tried { step, problem } in tried {
            self.note(step);
            problem.into_iter().for_each(|problem| self.findings.note(problem));
        }
    }
}

/// The server could not be reached at all.
fn is_lost(problem: &Option<Problem>) -> bool {
    problem.as_ref().is_some_and(|problem| problem.area == Area::Network)
}

/// Servers of a kind, each with the others that can stand in for it.
fn groups(found: &Found) -> Vec<Vec<Endpoint>> {
    let targets =
        |list: &[Target], kind| list.iter().map(|it| it.endpoint(kind)).collect::<Vec<_>>();
    match found {
        Found::Cucm(list) => vec![targets(list, Kind::Uds)],
        Found::Cup(list) => vec![targets(list, Kind::ImSoap)],
        Found::Edge(list) => vec![targets(list, Kind::Edge)],
        Found::Webex { .. } => vec![],
        Found::Standard { xmpp, sip } => vec![
            xmpp.iter().map(offhook_ports::XmppServer::endpoint).collect(),
            sip.iter().map(offhook_ports::SipServer::endpoint).collect(),
        ],
    }
}

fn all_nodes_down(hosts: &[&str]) -> Problem {
    Problem::new(
        Area::Network,
        Owner::Server,
        format!("No chat server can be reached: {}.", hosts.join(", ")),
        "Wait: the client signs in again by itself, spread over several minutes so that the nodes are not overrun. If it stays so, have the IM and Presence nodes checked.",
    )
    .with_rule(32)
    .with_evidence(format!("chat server: {} nodes tried", hosts.len()))
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
        | Kind::Voicemail
        | Kind::Relay
        | Kind::Capf => "reach",
    }
}

/// A phone that needs a certificate, and no enrolment is pending (D28).
fn no_enrolment(account: &PhoneAccount) -> Option<Problem> {
    let secure = account.secure.as_ref().filter(|secure| secure.mode == EnrolMode::Nothing)?;
    let at = secure.authority.clone().or_else(|| Some(account.servers.first()?.endpoint()))?;
    Some(Fault::Enrolment(EnrolFault::NothingPending).problem(&at))
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
