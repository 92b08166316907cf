//! A world made of recorded answers, in which time passes only when everybody waits.
//!
//! The same flows run over it and come to the same decision. A question that the record holds
//! several times gets its answers in the order in which they came, the last one for ever; one that
//! it does not hold gets [`Fault::NotRecorded`].

mod clock;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use offhook_model::{DnsFault, Endpoint, Fault, Link, Service};
use offhook_ports::{
    BoxFuture, Clock, Dns, DnsAnswer, Http, HttpFailure, HttpRequest, HttpResponse, Naptr, Probe,
    Reached, Srv, World, XmppLogin, XmppPlan,
};

use crate::answer::{Answer, Entry, Names};
use crate::{Redactor, ask};

use clock::ReplayClock;

/// How long nobody waits: a question without an answer takes so long.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// Recorded answers as a world.
#[derive(Clone)]
pub struct Replay {
    state: Arc<Mutex<State>>,
    clock: ReplayClock,
}

struct State {
    answers: HashMap<String, Vec<Entry>>,
    redactor: Redactor,
    missing: Vec<String>,
}

impl Replay {
    /// A world that gives these answers. Its time begins at `start`, which is of no importance.
    pub fn new(answers: &[Entry], start: std::time::Instant) -> Self {
        let mut by_question: HashMap<String, Vec<Entry>> = HashMap::new();
        // The last one first, so that the next one is at the end.
        for entry in answers.iter().rev() {
            by_question.entry(entry.asked.clone()).or_default().push(entry.clone());
        }
        let state = State { answers: by_question, redactor: Redactor::default(), missing: vec![] };
        Self { state: Arc::new(Mutex::new(state)), clock: ReplayClock::new(start) }
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

    /// Drives a flow to its end, which takes no time but that of thinking. Nothing when it waits
    /// for something that can never come.
    pub fn run<F: Future>(&self, flow: F) -> Option<F::Output> {
        clock::run(&self.clock, flow)
    }

    /// Questions that the record does not hold, in the order in which they were asked, each once.
    pub fn missing(&self) -> Vec<String> {
        self.state().missing.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next answer to this question, after its time.
    async fn answer(&self, asked: String) -> Option<Answer> {
        let entry = self.next(asked)?;
        if entry.answer == Answer::Nothing {
            self.clock.sleep(FOR_EVER).await;
        }
        self.clock.sleep(Duration::from_millis(entry.ms).min(FOR_EVER)).await;
        Some(entry.answer)
    }

    fn next(&self, asked: String) -> Option<Entry> {
        let mut state = self.state();
        match state.answers.get_mut(&asked) {
            Some(entries) if entries.len() > 1 => entries.pop(),
            Some(entries) => entries.last().cloned(),
            None => {
                if !state.missing.contains(&asked) {
                    state.missing.push(asked);
                }
                None
            }
        }
    }

    async fn names<T>(
        &self,
        asked: String,
        take: fn(Answer) -> Option<DnsAnswer<T>>,
    ) -> Result<DnsAnswer<T>, DnsFault> {
        match self.answer(asked).await {
            Some(Answer::NoName(fault)) => Err(fault),
            Some(Answer::Nothing) => Err(DnsFault::Silence),
            Some(answer) => take(answer).ok_or(DnsFault::NotRecorded),
            None => Err(DnsFault::NotRecorded),
        }
    }
}

fn names<R, T>(names: Names<R>, make: impl Fn(R) -> T) -> DnsAnswer<T> {
    DnsAnswer {
        records: names.records.into_iter().map(make).collect(),
        server: names.server,
        alias_of: names.alias_of,
    }
}

fn fault(answer: Option<Answer>) -> Fault {
    match answer {
        Some(Answer::Nothing) => Fault::AnswerTimeout,
        Some(Answer::Failed(fault) | Answer::FailedAt(_, fault)) => fault,
        Some(_) | None => Fault::NotRecorded,
    }
}

impl Dns for Replay {
    fn srv<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<DnsAnswer<Srv>, DnsFault>> {
        Box::pin(self.names(ask::srv(name), |answer| match answer {
            Answer::Srv(rows) => Some(names(rows, |row| Srv::from(&row))),
            _ => None,
        }))
    }

    fn naptr<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<DnsAnswer<Naptr>, DnsFault>> {
        Box::pin(self.names(ask::naptr(name), |answer| match answer {
            Answer::Naptr(rows) => Some(names(rows, |row| Naptr::from(&row))),
            _ => None,
        }))
    }

    fn addresses<'a>(
        &'a self,
        host: &'a str,
    ) -> BoxFuture<'a, Result<DnsAnswer<IpAddr>, DnsFault>> {
        Box::pin(self.names(ask::addresses(host), |answer| match answer {
            Answer::Addresses(rows) => Some(names(rows, |address| address)),
            _ => None,
        }))
    }
}

impl Http for Replay {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        let asked = ask::web(&mut self.state().redactor, &request);
        Box::pin(async move {
            match self.answer(asked).await {
                Some(Answer::Web(page)) => Ok(HttpResponse {
                    status: page.status,
                    headers: page.headers,
                    body: page.body.into_bytes(),
                    peer: page.peer,
                    tls: page.tls,
                }),
                other => Err(fault(other)),
            }
        })
    }

    fn forget(&self) {}
}

impl Probe for Replay {
    fn reach<'a>(
        &'a self,
        at: &'a Endpoint,
        _names: &'a [String],
    ) -> BoxFuture<'a, Result<Reached, Fault>> {
        Box::pin(async move {
            match self.answer(ask::reach(at)).await {
                Some(Answer::Reached { peer, tls }) => Ok(Reached { peer, local: nowhere(), tls }),
                other => Err(fault(other)),
            }
        })
    }
}

impl XmppLogin for Replay {
    fn login<'a>(
        &'a self,
        plan: &'a XmppPlan,
    ) -> BoxFuture<'a, Result<Reached, (Endpoint, Fault)>> {
        let asked = ask::xmpp(&mut self.state().redactor, plan);
        Box::pin(async move {
            let domain = || Endpoint {
                service: Service::Xmpp,
                host: plan.jid.domain().to_owned(),
                port: 5222,
                link: Link::StartTls,
            };
            match self.answer(asked).await {
                Some(Answer::Reached { peer, tls }) => Ok(Reached { peer, local: nowhere(), tls }),
                Some(Answer::FailedAt(at, fault)) => Err((at, fault)),
                other => {
                    let at = plan.servers.first().map_or_else(domain, |server| server.endpoint());
                    Err((at, fault(other)))
                }
            }
        })
    }
}

/// Our own address is nobody's business, so it is not recorded.
fn nowhere() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)
}
