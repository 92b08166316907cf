//! Keeps the answers of the outside while flows ask, for problem reports.
//!
//! A [`Recorder`] stands between the flows and the world. Nothing that belongs to people reaches its
//! memory: questions and answers are redacted before they are kept, and passwords are never looked
//! at but to find them again in answers.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use offhook_model::{DnsFault, Endpoint, Fault, Problem};
use offhook_ports::{
    BoxFuture, Clock, Dns, DnsAnswer, Http, HttpFailure, HttpRequest, HttpResponse, Naptr, Probe,
    Reached, Srv, World, XmppLogin, XmppPlan,
};
use serde_json::Value;

use crate::answer::{Answer, Entry, Names, Page, Recorded, Situation, VERSION};
use crate::{Redactor, ask};

/// At most so many answers are kept; the oldest go first.
const MOST_ANSWERS: usize = 600;
/// At most so many bytes of bodies are kept, likewise.
const MOST_BYTES: usize = 3 << 20;
/// A larger body is not kept at all; answers of services are far smaller.
const MOST_BODY: usize = 512 << 10;

/// Headers that decide something; all others are left out.
const HEADERS: [&str; 6] =
    ["content-type", "location", "www-authenticate", "proxy-authenticate", "retry-after", "server"];

/// Keeps what the outside said. Copies share one memory.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    redactor: Redactor,
    situation: Situation,
    entries: VecDeque<Kept>,
    bytes: usize,
    dropped: u32,
    next: u64,
}

struct Kept {
    id: u64,
    entry: Entry,
}

impl Recorder {
    /// The same world; what is asked of it is kept.
    pub fn wrap(&self, world: &World) -> World {
        let recording = Arc::new(Recording { world: world.clone(), recorder: self.clone() });
        World {
            dns: recording.clone(),
            http: recording.clone(),
            probe: recording.clone(),
            xmpp: recording,
            clock: world.clock.clone(),
        }
    }

    /// A new attempt begins: what earlier ones heard is forgotten, but not who is who.
    pub fn begin(&self, mut situation: Situation) {
        let mut state = self.state();
        if let Some((user, _)) = situation.address.rsplit_once('@') {
            state.redactor.learn_person(user);
        }
        state.redact_situation(&mut situation);
        state.situation = situation;
        state.entries.clear();
        state.bytes = 0;
        state.dropped = 0;
    }

    /// The phone shows a certificate of its own.
    pub fn certified(&self) {
        self.state().situation.certified = true;
    }

    /// Somebody signs in under this name. The password is only remembered as something that must
    /// not be in any answer.
    pub fn signs_in(&self, username: &str, password: &str) {
        let mut state = self.state();
        state.redactor.learn_person(username);
        state.redactor.learn_secret(password);
        let shown = state.redactor.text(username);
        state.situation.username = Some(shown);
    }

    /// What is kept, with what a running client saw.
    pub fn recorded(&self, seen: &[Problem]) -> Recorded {
        let mut state = self.state();
        let seen = seen.iter().map(|problem| state.redact_problem(problem)).collect();
        Recorded {
            version: VERSION,
            situation: state.situation.clone(),
            answers: state.entries.iter().map(|kept| kept.entry.clone()).collect(),
            dropped: state.dropped,
            seen,
        }
    }

    /// Nobody signed in or looked for anything so far.
    pub fn is_empty(&self) -> bool {
        self.state().situation.address.is_empty()
    }

    /// Knows everybody who was met, for the other parts of a report.
    pub fn redactor(&self) -> Redactor {
        self.state().redactor.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the place of a question, so that the order is that of asking.
    fn open(&self, asked: String, clock: &Arc<dyn Clock>) -> Open {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        state
            .entries
            .push_back(Kept { id, entry: Entry { asked, ms: 0, answer: Answer::Nothing } });
        state.make_room();
        Open {
            recorder: self.clone(),
            id,
            begin: clock.now(),
            clock: Arc::clone(clock),
            done: false,
        }
    }
}

impl State {
    fn make_room(&mut self) {
        while self.entries.len() > MOST_ANSWERS || self.bytes > MOST_BYTES {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(weight(&oldest.entry.answer));
            self.dropped += 1;
        }
    }

    fn redact_situation(&mut self, situation: &mut Situation) {
        let Ok(mut value) = serde_json::to_value(&*situation) else { return };
        self.redactor.json(&mut value);
        // What cannot be read back after redaction is left out rather than kept in clear.
        *situation = serde_json::from_value(value).unwrap_or_default();
    }

    fn redact_problem(&mut self, problem: &Problem) -> Problem {
        let mut text = |text: &str| self.redactor.text(text);
        Problem {
            cause: text(&problem.cause),
            remedy: text(&problem.remedy),
            evidence: text(&problem.evidence),
            coded: None,
            ..problem.clone()
        }
    }

    fn page(&mut self, response: &HttpResponse) -> Answer {
        if response.body.len() > MOST_BODY {
            return Answer::TooLarge;
        }
        let keep = |(name, _): &&(String, String)| HEADERS.contains(&name.as_str());
        let headers = response.headers.iter().filter(keep);
        Answer::Web(Page {
            status: response.status,
            headers: headers
                .map(|(name, value)| (name.clone(), self.header(name, value)))
                .collect(),
            body: self.redactor.body(&response.body),
            peer: response.peer,
            tls: response.tls.clone(),
        })
    }

    fn header(&mut self, name: &str, value: &str) -> String {
        if name == "location" { self.redactor.url(value) } else { self.redactor.text(value) }
    }

    fn fault(&mut self, fault: &Fault) -> Fault {
        let Ok(mut value) = serde_json::to_value(fault) else { return fault.clone() };
        // A plain variant is a string as well, and no text of anybody.
        if !matches!(value, Value::String(_)) {
            self.redactor.json(&mut value);
        }
        serde_json::from_value(value).unwrap_or(Fault::NotRecorded)
    }
}

fn weight(answer: &Answer) -> usize {
    match answer {
        Answer::Web(page) => page.body.len() + 256,
        _ => 256,
    }
}

/// A question that waits for its answer. Dropped without one it says how long it waited.
struct Open {
    recorder: Recorder,
    id: u64,
    begin: Instant,
    clock: Arc<dyn Clock>,
    done: bool,
}

impl Open {
    fn close(mut self, answer: impl FnOnce(&mut State) -> Answer) {
        self.done = true;
        self.keep(Some(answer));
    }

    fn keep(&self, answer: Option<impl FnOnce(&mut State) -> Answer>) {
        let passed = self.clock.now().saturating_duration_since(self.begin);
        let mut state = self.recorder.state();
        let answer = answer.map_or(Answer::Nothing, |answer| answer(&mut state));
        let more = weight(&answer);
        let Some(kept) = state.entries.iter_mut().find(|kept| kept.id == self.id) else { return };
        kept.entry.ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        kept.entry.answer = answer;
        state.bytes += more;
        state.make_room();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.done {
            self.keep(None::<fn(&mut State) -> Answer>);
        }
    }
}

struct Recording {
    world: World,
    recorder: Recorder,
}

impl Recording {
    async fn names<T, R: for<'a> From<&'a T>>(
        &self,
        asked: String,
        answer: BoxFuture<'_, Result<DnsAnswer<T>, DnsFault>>,
        make: fn(Names<R>) -> Answer,
    ) -> Result<DnsAnswer<T>, DnsFault> {
        let open = self.recorder.open(asked, &self.world.clock);
        let result = answer.await;
        open.close(|_| match &result {
            Ok(answer) => make(Names {
                records: answer.records.iter().map(R::from).collect(),
                server: answer.server.clone(),
                alias_of: answer.alias_of.clone(),
            }),
            Err(fault) => Answer::NoName(fault.clone()),
        });
        result
    }
}

impl Dns for Recording {
    fn srv<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<DnsAnswer<Srv>, DnsFault>> {
        Box::pin(self.names(ask::srv(name), self.world.dns.srv(name), Answer::Srv))
    }

    fn naptr<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<DnsAnswer<Naptr>, DnsFault>> {
        Box::pin(self.names(ask::naptr(name), self.world.dns.naptr(name), Answer::Naptr))
    }

    fn addresses<'a>(
        &'a self,
        host: &'a str,
    ) -> BoxFuture<'a, Result<DnsAnswer<IpAddr>, DnsFault>> {
        let make = |names: Names<Address>| {
            Answer::Addresses(Names {
                records: names.records.into_iter().map(|Address(it)| it).collect(),
                server: names.server,
                alias_of: names.alias_of,
            })
        };
        Box::pin(self.names(ask::addresses(host), self.world.dns.addresses(host), make))
    }
}

struct Address(IpAddr);

impl From<&IpAddr> for Address {
    fn from(address: &IpAddr) -> Self {
        Self(*address)
    }
}

impl Http for Recording {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        let asked = {
            let mut state = self.recorder.state();
            if let Some((user, password)) = &request.basic {
                state.redactor.learn_person(user);
                state.redactor.learn_secret(password.expose());
            }
            ask::web(&mut state.redactor, &request)
        };
        Box::pin(async move {
            let open = self.recorder.open(asked, &self.world.clock);
            let result = self.world.http.send(request).await;
            open.close(|state| match &result {
                Ok(response) => state.page(response),
                Err(fault) => Answer::Failed(state.fault(fault)),
            });
            result
        })
    }

    fn forget(&self) {
        self.world.http.forget();
    }
}

impl Probe for Recording {
    fn reach<'a>(
        &'a self,
        at: &'a Endpoint,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<Reached, Fault>> {
        Box::pin(async move {
            let open = self.recorder.open(ask::reach(at), &self.world.clock);
            let result = self.world.probe.reach(at, names).await;
            open.close(|state| match &result {
                Ok(reached) => answered(reached),
                Err(fault) => Answer::Failed(state.fault(fault)),
            });
            result
        })
    }
}

impl XmppLogin for Recording {
    fn login<'a>(
        &'a self,
        plan: &'a XmppPlan,
    ) -> BoxFuture<'a, Result<Reached, (Endpoint, Fault)>> {
        let asked = ask::xmpp(&mut self.recorder.state().redactor, plan);
        Box::pin(async move {
            let open = self.recorder.open(asked, &self.world.clock);
            let result = self.world.xmpp.login(plan).await;
            open.close(|state| match &result {
                Ok(reached) => answered(reached),
                Err((at, fault)) => Answer::FailedAt(at.clone(), state.fault(fault)),
            });
            result
        })
    }
}

fn answered(reached: &Reached) -> Answer {
    Answer::Reached { peer: reached.peer, tls: reached.tls.clone() }
}
