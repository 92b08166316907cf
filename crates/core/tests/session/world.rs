//! A world that answers the core's wishes by itself, in virtual time: name system, authenticator,
//! chat server and registrar, reached over a network that comes and goes. It keeps a tally of its own of
//! what was asked, when, and how often.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use offhook_core::{Effect, Event, FlowOutcome, LinkId, RunId, XmppEvent};
use offhook_im::Stanza;
use offhook_model::{Fault, Problem, Service, SessionState, Via};
use offhook_ports::{FlowId, Found, NetworkState, Target};
use offhook_signin as signin;
use offhook_signin::Grant;

use crate::bench::{Bench, at, cucm, full, plan, report, secs, target, unreachable};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }
}

pub fn edge() -> Found {
    Found::Edge(vec![Target { host: "edge.example.test".into(), port: 8443 }])
}

pub fn portal_page() -> Problem {
    Fault::Html.problem(&target().endpoint(Service::Uds))
}

/// A node that is up and does not work: the attempt counts.
pub fn broken_node() -> Problem {
    Fault::Status(503).problem(&target().endpoint(Service::Uds))
}

/// What is under way to the core.
enum Coming {
    Discovered(RunId),
    SignedIn(RunId),
    Renewed(RunId),
    Xmpp(LinkId, Box<XmppEvent>),
    Acked(LinkId, String),
    SipOpened(FlowId),
    SipData(FlowId, Vec<u8>),
    SipFailed(FlowId),
}

/// How an attempt ended, as a server sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    UnderWay,
    LetIn,
    Unreached,
    Failed,
}

pub struct World {
    pub bench: Bench,
    pub dice: Dice,
    pub outside: bool,
    pub online: bool,
    pub portal: bool,
    pub token_over: bool,
    /// The next sign-ins and renewals meet a server that fails.
    pub broken: u32,
    /// Since when nothing is in the way.
    pub good_since: Option<Instant>,
    /// Counts networks; connections of an earlier one are dead without a word.
    epoch: u32,
    coming: Vec<(Instant, u32, Coming)>,
    links: BTreeMap<LinkId, u32>,
    flows: BTreeMap<FlowId, u32>,
    attempts: Vec<(RunId, Instant, Fate)>,
    /// Ids of messages that the server has, and those it has told us so of.
    received: Vec<String>,
    acknowledged: Vec<String>,
    pub faults: Vec<String>,
    begin: Instant,
    /// What the core wanted lately, for whoever looks into a failure.
    diary: std::collections::VecDeque<String>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let bench = Bench::new();
        let mut world = Self {
            begin: bench.now.at,
            diary: Default::default(),
            bench,
            dice: Dice(seed),
            outside: false,
            online: true,
            portal: false,
            token_over: false,
            broken: 0,
            good_since: None,
            epoch: 0,
            coming: vec![],
            links: BTreeMap::new(),
            flows: BTreeMap::new(),
            attempts: vec![],
            received: vec![],
            acknowledged: vec![],
            faults: vec![],
        };
        world.tell_network();
        world.bench.sign_in(Some("secret")).expect("begun");
        world.run(secs(40));
        world
    }

    /// Nothing is in the way at this moment.
    pub fn good(&self) -> bool {
        self.online && !self.portal && self.broken == 0
    }

    pub fn tell_network(&mut self) {
        let name = match (self.portal, self.outside) {
            (true, _) => format!("hotel {}", self.epoch),
            (false, true) => "street".to_owned(),
            (false, false) => "office".to_owned(),
        };
        let state = NetworkState { online: self.online, fingerprint: name };
        self.bench.send(Event::Network(state));
        self.look();
        self.mark();
    }

    /// From now on connections of before are dead.
    pub fn cut(&mut self) {
        self.epoch += 1;
        self.good_since = None;
    }

    pub fn mark(&mut self) {
        if !self.good() {
            self.good_since = None;
        } else if self.good_since.is_none() {
            self.good_since = Some(self.bench.now.at);
        }
    }

    /// Servers drop what is open.
    pub fn drop_connections(&mut self) {
        let now = self.bench.now.at;
        self.good_since = None;
        for link in std::mem::take(&mut self.links).into_keys() {
            let event = XmppEvent::Offline { at: at(), fault: Fault::Closed, resumption: None };
            self.coming.push((now, self.epoch, Coming::Xmpp(link, Box::new(event))));
        }
        for flow in std::mem::take(&mut self.flows).into_keys() {
            self.coming.push((now, self.epoch, Coming::SipFailed(flow)));
        }
        self.mark();
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.bench.now.at + time;
        self.look();
        for _ in 0..100_000 {
            let core = self.bench.core.next_timeout();
            let world = self.coming.iter().map(|(at, ..)| *at).min();
            let next = [core, world].into_iter().flatten().min().filter(|at| *at <= end);
            let step = next.unwrap_or(end).saturating_duration_since(self.bench.now.at);
            self.bench.now = self.bench.now.plus(step);
            if next.is_none() {
                return;
            }
            match self.coming.iter().position(|(at, ..)| *at <= self.bench.now.at) {
                Some(index) => {
                    let (_, epoch, coming) = self.coming.remove(index);
                    self.arrive(epoch, coming);
                }
                None => self.bench.send(Event::Timeout),
            }
            self.look();
        }
        panic!("the core never rests");
    }

    fn arrive(&mut self, epoch: u32, coming: Coming) {
        let reached = epoch == self.epoch && self.online;
        let event = match coming {
            Coming::Discovered(run) => {
                let outcome = match (reached, self.outside) {
                    (false, _) => Err(unreachable()),
                    (true, true) => Ok(edge()),
                    (true, false) => Ok(cucm()),
                };
                Event::Flow(run, FlowOutcome::Discovered(Box::new(report(outcome))))
            }
            Coming::SignedIn(run) => {
                let outcome = self.judge(run, reached).map(|()| self.grant());
                let report = signin::Report { steps: vec![], outcome, warnings: vec![] };
                Event::Flow(run, FlowOutcome::SignedIn(Box::new(report)))
            }
            Coming::Renewed(run) => {
                let expired = self.outside && self.token_over;
                let outcome = match self.judge(run, reached && !expired) {
                    Err(_) if expired && reached => {
                        self.settle(run, Fate::Failed);
                        Err(broken_node())
                    }
                    other => other,
                };
                Event::Flow(
                    run,
                    FlowOutcome::Renewed(outcome.map(|()| Box::new(plan(true).into()))),
                )
            }
            Coming::Acked(link, id) => {
                if !reached || !self.links.contains_key(&link) {
                    return;
                }
                self.acknowledged.push(id.clone());
                Event::Xmpp(link, XmppEvent::Acked(id))
            }
            Coming::Xmpp(link, event) => {
                let event = match *event {
                    XmppEvent::Online { .. } if !reached || self.portal => XmppEvent::Failed {
                        at: at(),
                        fault: Fault::ConnectTimeout,
                        resumption: None,
                    },
                    event => event,
                };
                if matches!(event, XmppEvent::Online { .. }) {
                    self.links.insert(link, self.epoch);
                    return self.bench.online(link);
                }
                Event::Xmpp(link, event)
            }
            Coming::SipOpened(flow) if reached && !self.portal => {
                self.flows.insert(flow, self.epoch);
                return self.bench.sip_opened(flow);
            }
            Coming::SipOpened(flow) => Event::SipFailed(flow, Fault::ConnectTimeout),
            Coming::SipData(flow, bytes) => {
                if !reached || !self.flows.contains_key(&flow) {
                    return;
                }
                Event::SipData(flow, bytes)
            }
            Coming::SipFailed(flow) => Event::SipFailed(flow, Fault::Closed),
        };
        self.note(format!("  {event:?}").chars().take(90).collect());
        self.bench.send(event);
    }

    /// What the authenticator makes of an attempt.
    fn judge(&mut self, run: RunId, reached: bool) -> Result<(), Problem> {
        let (fate, outcome) = if !reached {
            (Fate::Unreached, Err(unreachable()))
        } else if self.portal {
            (Fate::Unreached, Err(portal_page()))
        } else if self.broken > 0 {
            self.broken -= 1;
            (Fate::Failed, Err(broken_node()))
        } else {
            (Fate::LetIn, Ok(()))
        };
        self.settle(run, fate);
        self.mark();
        outcome
    }

    fn settle(&mut self, run: RunId, fate: Fate) {
        for (of, _, known) in &mut self.attempts {
            if *of == run {
                *known = fate;
            }
        }
    }

    fn grant(&mut self) -> Grant {
        self.token_over = false;
        Grant { via: if self.outside { Via::Edge } else { Via::Direct }, ..full() }
    }

    /// Takes the core's wishes.
    fn look(&mut self) {
        for effect in std::mem::take(&mut self.bench.effects) {
            self.take(effect);
        }
        if self.bench.core.poll_effect().is_some() {
            self.faults.push("a wish was left over".into());
        }
    }

    fn note(&mut self, what: String) {
        let ms = self.bench.now.at.saturating_duration_since(self.begin).as_millis();
        self.diary.push_back(format!("{ms}: {what}"));
        if self.diary.len() > 40 {
            self.diary.pop_front();
        }
    }

    pub fn diary(&self) -> String {
        self.diary.iter().map(|line| format!("\n  {line}")).collect()
    }

    fn take(&mut self, effect: Effect) {
        if !matches!(effect, Effect::XmppSend(..) | Effect::SipSend(..) | Effect::Store(..)) {
            let words = format!("{effect:?}");
            self.note(words.chars().take(40).collect());
        }
        match effect {
            Effect::Discover { run, .. } => {
                self.touched("discovery");
                self.later((40, 150), Coming::Discovered(run));
            }
            Effect::SignIn { run, .. } => self.attempt(run, Coming::SignedIn(run)),
            Effect::Renew { run, .. } => self.attempt(run, Coming::Renewed(run)),
            Effect::Cancel(run) => self.cancel(run),
            Effect::XmppOpen { link, .. } => {
                self.touched("chat");
                let event = XmppEvent::Online {
                    jid: "alice@example.test/offhook_1".parse().expect("a JID"),
                    resumed: false,
                    server: crate::bench::xmpp_server(),
                    tls: None,
                };
                self.later((50, 150), Coming::Xmpp(link, Box::new(event)));
            }
            Effect::XmppSend(link, stanza) => self.stanza(link, *stanza),
            Effect::XmppClose(link) => {
                self.links.remove(&link);
                self.later((5, 10), Coming::Xmpp(link, Box::new(XmppEvent::Closed)));
            }
            Effect::XmppAbandon(link) => drop(self.links.remove(&link)),
            Effect::SipOpen { flow, .. } => {
                self.touched("the phone");
                self.later((20, 100), Coming::SipOpened(flow));
            }
            Effect::SipSend(flow, bytes) => self.sip(flow, &bytes),
            Effect::SipClose(flow) => drop(self.flows.remove(&flow)),
            _ => {}
        }
    }

    fn later(&mut self, (low, high): (u64, u64), coming: Coming) {
        // Without a network an attempt to connect hangs until its timeout.
        let wait = if self.online { self.dice.between(low, high) } else { 2_000 };
        let at = self.bench.now.at + Duration::from_millis(wait);
        self.coming.push((at, self.epoch, coming));
    }

    fn touched(&mut self, what: &str) {
        if !self.online {
            self.faults.push(format!("{what} was tried without a network"));
        }
    }

    fn attempt(&mut self, run: RunId, coming: Coming) {
        self.touched("the authenticator");
        let now = self.bench.now.at;
        if self.attempts.iter().any(|(_, _, fate)| *fate == Fate::UnderWay) {
            self.faults.push("two attempts at once".into());
        }
        let spent = |(_, at, fate): &&(RunId, Instant, Fate)| {
            *fate == Fate::Failed && *at + secs(600) > now
        };
        if self.attempts.iter().filter(spent).count() >= 5 {
            self.faults.push("over budget".into());
        }
        self.attempts.push((run, now, Fate::UnderWay));
        self.later((80, 300), coming);
    }

    /// What was cancelled may have been seen: it counts as failed.
    fn cancel(&mut self, run: RunId) {
        self.coming.retain(|(_, _, coming)| match coming {
            Coming::Discovered(of) | Coming::SignedIn(of) | Coming::Renewed(of) => *of != run,
            _ => true,
        });
        for (of, _, fate) in &mut self.attempts {
            if *of == run && *fate == Fate::UnderWay {
                *fate = Fate::Failed;
            }
        }
    }

    fn stanza(&mut self, link: LinkId, stanza: Stanza) {
        let alive = self.links.get(&link) == Some(&self.epoch) && self.online && !self.portal;
        let Stanza::Message(message) = stanza else { return };
        let (Some(id), false) = (message.id.map(|id| id.0), message.bodies.is_empty()) else {
            return;
        };
        if self.acknowledged.contains(&id) {
            self.faults.push(format!("{id} was sent again after its acknowledgement"));
        }
        if alive {
            if !self.received.contains(&id) {
                self.received.push(id.clone());
            }
            self.later((20, 60), Coming::Acked(link, id));
        } else {
            // The link finds out by itself that nobody acknowledges.
            let event =
                XmppEvent::Offline { at: at(), fault: Fault::AnswerTimeout, resumption: None };
            let at = self.bench.now.at + secs(30);
            self.coming.push((at, self.epoch, Coming::Xmpp(link, Box::new(event))));
        }
    }

    fn sip(&mut self, flow: FlowId, bytes: &[u8]) {
        let request = String::from_utf8_lossy(bytes).into_owned();
        if self.flows.get(&flow) == Some(&self.epoch) && request.starts_with("REGISTER ") {
            let answer = crate::bench::sip_answer_to(&request, "200 OK");
            self.later((10, 40), Coming::SipData(flow, answer));
        }
    }

    pub fn state(&mut self) -> SessionState {
        self.bench.state()
    }

    /// Messages that the server has not got.
    pub fn lost(&self, sent: &[String]) -> usize {
        sent.iter().filter(|id| !self.received.contains(id)).count()
    }

    /// All tokens of the budget were spent at the beginning of the last so many seconds, by our own
    /// count.
    pub fn budget_was_out(&self, ago: Duration) -> bool {
        let now = self.bench.now.at - ago;
        let spent = self
            .attempts
            .iter()
            .filter(|(_, at, fate)| *fate == Fate::Failed && *at + secs(600) > now);
        spent.count() >= 5
    }

    pub fn attempts(&self) -> usize {
        self.attempts.len()
    }
}
