//! Questions to the name system, and the record of them.

use std::net::IpAddr;
use std::time::Instant;

use offhook_model::{
    Area, DnsFault, Endpoint, Fault, Link, Outcome, Owner, Problem, Service, TraceStep,
};
use offhook_ports::{DnsAnswer, Naptr, Progress, Srv, Tell, World};

/// A question that was answered, before anybody judged the answer.
#[derive(Clone, Debug)]
pub(crate) struct Asked<T> {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) of: String,
    pub(crate) ms: u64,
    /// Where the records belong, when the name is an alias.
    pub(crate) alias_of: Option<String>,
    pub(crate) result: Result<Vec<T>, DnsFault>,
}

impl<T> Asked<T> {
    /// What failed, unless the name system said that there is no such record.
    pub(crate) fn failure(&self) -> Option<&DnsFault> {
        match &self.result {
            Ok(_) | Err(DnsFault::NoName | DnsFault::NoRecord) => None,
            Err(fault) => Some(fault),
        }
    }

    /// The problem of a question that got no usable answer.
    pub(crate) fn problem(&self, domain: &str) -> Option<Problem> {
        let fault = self.failure()?;
        let host = domain.to_owned();
        let at = Endpoint { service: Service::Dns, host, port: 53, link: Link::Udp };
        let evidence = format!("{} {}: {}", self.kind, self.name, fault_words(fault));
        Some(Fault::Dns(fault.clone()).problem(&at).with_evidence(evidence))
    }
}

impl Asked<Srv> {
    /// The records that can be used: not "." (decidedly not here, RFC 2782), not the record's own
    /// name, and with a port.
    pub(crate) fn usable(&self) -> Vec<Srv> {
        let own = self.name.trim_end_matches('.');
        let fits = |record: &Srv| {
            let target = record.target.trim_end_matches('.');
            let itself = target.eq_ignore_ascii_case(own);
            let target = target.to_owned();
            let good = !target.is_empty() && !itself && record.port != 0;
            good.then(|| Srv { target, ..record.clone() })
        };
        self.result.as_deref().unwrap_or_default().iter().filter_map(fits).collect()
    }

    /// What is wrong with the targets (D04). Whether one is an alias cannot be seen from here; see
    /// [`check_targets`](crate::check_targets).
    pub(crate) fn bad_targets(&self) -> Vec<Problem> {
        let own = self.name.trim_end_matches('.');
        let judge = |record: &Srv| {
            let target = record.target.trim_end_matches('.');
            let what = target_fault(target, target.eq_ignore_ascii_case(own))?;
            Some(bad_target(&self.name, target, what))
        };
        let mut problems: Vec<Problem> = vec![];
        for problem in self.result.as_deref().unwrap_or_default().iter().filter_map(judge) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems
    }
}

/// Asks; any number of questions may be under way at once.
#[derive(Clone, Copy)]
pub(crate) struct Questions<'a> {
    pub(crate) world: &'a World,
}

impl Questions<'_> {
    pub(crate) async fn srv(self, name: String) -> Asked<Srv> {
        let begin = self.world.clock.now();
        let answer = self.world.dns.srv(&name).await;
        self.asked("SRV", name, begin, answer)
    }

    pub(crate) async fn naptr(self, name: String) -> Asked<Naptr> {
        let begin = self.world.clock.now();
        let answer = self.world.dns.naptr(&name).await;
        self.asked("NAPTR", name, begin, answer)
    }

    pub(crate) async fn addresses(self, name: String) -> Asked<IpAddr> {
        let begin = self.world.clock.now();
        let answer = self.world.dns.addresses(&name).await;
        self.asked("A/AAAA", name, begin, answer)
    }

    pub(crate) fn ms_since(self, begin: Instant) -> u64 {
        let passed = self.world.clock.now().saturating_duration_since(begin);
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
    }

    fn asked<T>(
        self,
        kind: &'static str,
        name: String,
        begin: Instant,
        answer: Result<DnsAnswer<T>, DnsFault>,
    ) -> Asked<T> {
        let ms = self.ms_since(begin);
        let unknown = || "name server".to_owned();
        match answer {
            Ok(DnsAnswer { records, server, alias_of }) => {
                let of = if server.is_empty() { unknown() } else { server };
                let result = if records.is_empty() { Err(DnsFault::NoRecord) } else { Ok(records) };
                Asked { kind, name, of, ms, alias_of, result }
            }
            Err(fault) => {
                Asked { kind, name, of: unknown(), ms, alias_of: None, result: Err(fault) }
            }
        }
    }
}

/// What came of a question's records.
#[derive(Clone, Copy)]
pub(crate) enum Fate<'a> {
    /// They decide.
    Won(&'a str),
    /// They do not, for this reason.
    Lost(&'a str),
}

/// Keeps the trace and what should be mended.
pub(crate) struct Notes<'a> {
    pub(crate) steps: Vec<TraceStep>,
    pub(crate) warnings: Vec<Problem>,
    tell: Tell<'a>,
}

impl<'a> Notes<'a> {
    pub(crate) fn new(tell: Tell<'a>) -> Self {
        Self { steps: vec![], warnings: vec![], tell }
    }

    pub(crate) fn note(&mut self, step: TraceStep) {
        (self.tell)(Progress::Step(step.clone()));
        self.steps.push(step);
    }

    /// A step about something that this computer knows, or did not ask.
    pub(crate) fn local(
        &mut self,
        step: &str,
        asked: &str,
        answer: impl Into<String>,
        (outcome, why): (Outcome, impl Into<String>),
    ) {
        self.note(TraceStep {
            step: step.to_owned(),
            asked: asked.to_owned(),
            of: "this computer".to_owned(),
            answer: answer.into(),
            ms: 0,
            outcome,
            why: why.into(),
        });
    }

    /// Adds the step of a question.
    pub(crate) fn judge<T>(
        &mut self,
        step: &str,
        asked: &Asked<T>,
        fate: Fate<'_>,
        shown: impl Fn(&T) -> String,
    ) {
        let (answer, outcome, why) = match &asked.result {
            Ok(records) => {
                let list: Vec<_> = records.iter().take(8).map(shown).collect();
                let (outcome, why) = match fate {
                    Fate::Won(why) => (Outcome::Won, why),
                    Fate::Lost(why) => (Outcome::Lost, why),
                };
                (list.join(", "), outcome, why)
            }
            Err(fault @ (DnsFault::NoName | DnsFault::NoRecord)) => {
                (fault_words(fault), Outcome::Lost, "nothing is published under this name")
            }
            Err(fault) => {
                (fault_words(fault), Outcome::Failed, "the name system gave no usable answer")
            }
        };
        self.note(TraceStep {
            step: step.to_owned(),
            asked: format!("{} {}", asked.kind, asked.name),
            of: asked.of.clone(),
            answer,
            ms: asked.ms,
            outcome,
            why: why.to_owned(),
        });
    }

    /// Keeps a warning, once.
    pub(crate) fn warn(&mut self, problem: Problem) {
        if !self.warnings.contains(&problem) {
            self.warnings.push(problem);
        }
    }
}

fn target_fault(target: &str, itself: bool) -> Option<&'static str> {
    if itself {
        Some("the record's own name")
    } else if target.parse::<IpAddr>().is_ok() {
        Some("an address and not a host name")
    } else if target.contains('_') {
        Some("a name with an underscore, which no certificate can hold")
    } else {
        None
    }
}

fn bad_target(name: &str, target: &str, what: &str) -> Problem {
    Problem::new(
        Area::Dns,
        Owner::Admin,
        format!("The SRV record {name} names {target}, which is {what}."),
        format!("Let {name} name the server by the full host name of its A or AAAA record."),
    )
    .with_rule(4)
    .with_evidence(format!("SRV {name}: target {target}"))
}

pub(crate) fn show_srv(record: &Srv) -> String {
    let target = if record.target.is_empty() { "." } else { &record.target };
    format!("{target}:{} (priority {}, weight {})", record.port, record.priority, record.weight)
}

fn fault_words(fault: &DnsFault) -> String {
    match fault {
        DnsFault::NoName => "no such name".to_owned(),
        DnsFault::NoRecord => "no such record".to_owned(),
        DnsFault::ServerFailure => "the name server failed (SERVFAIL)".to_owned(),
        DnsFault::Refused => "the name server refused (REFUSED)".to_owned(),
        DnsFault::Silence => "no answer in time".to_owned(),
        DnsFault::Malformed(what) => format!("unreadable answer: {what}"),
        DnsFault::NoServer => "no name server is configured".to_owned(),
        DnsFault::NotRecorded => "not recorded".to_owned(),
    }
}
