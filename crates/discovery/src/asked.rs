//! Questions to the name system, and the record of them.

use std::net::IpAddr;

use offhook_model::{
    Area, DnsFault, Endpoint, Fault, Link, Outcome, Owner, Problem, Service, TraceStep,
};
use offhook_ports::{Naptr, Progress, Srv, Tell, World};

/// A question that was answered, before anybody judged the answer.
pub(crate) struct Asked<T> {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) of: String,
    pub(crate) ms: u64,
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
}

/// Asks, and keeps the trace.
pub(crate) struct Asker<'a> {
    pub(crate) world: &'a World,
    pub(crate) domain: String,
    pub(crate) seed: u64,
    pub(crate) steps: Vec<TraceStep>,
    pub(crate) warnings: Vec<Problem>,
    pub(crate) network: &'static str,
    tell: Tell<'a>,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(world: &'a World, tell: Tell<'a>, domain: &str, seed: u64) -> Self {
        Self {
            world,
            domain: domain.to_owned(),
            seed,
            steps: vec![],
            warnings: vec![],
            network: "unknown",
            tell,
        }
    }

    pub(crate) async fn srv(&self, service: &str) -> Asked<Srv> {
        self.srv_at(format!("{service}.{}", self.domain)).await
    }

    pub(crate) async fn srv_at(&self, name: String) -> Asked<Srv> {
        let begin = self.world.clock.now();
        let answer = self.world.dns.srv(&name).await;
        self.asked("SRV", name, begin, answer.map(|answer| (answer.records, answer.server)))
    }

    pub(crate) async fn naptr(&self) -> Asked<Naptr> {
        let begin = self.world.clock.now();
        let name = self.domain.clone();
        let answer = self.world.dns.naptr(&name).await;
        self.asked("NAPTR", name, begin, answer.map(|answer| (answer.records, answer.server)))
    }

    pub(crate) async fn addresses(&self) -> Asked<IpAddr> {
        let begin = self.world.clock.now();
        let name = self.domain.clone();
        let answer = self.world.dns.addresses(&name).await;
        self.asked("A/AAAA", name, begin, answer.map(|answer| (answer.records, answer.server)))
    }

    fn asked<T>(
        &self,
        kind: &'static str,
        name: String,
        begin: std::time::Instant,
        answer: Result<(Vec<T>, String), DnsFault>,
    ) -> Asked<T> {
        let (result, of) = match answer {
            Ok((records, _)) if records.is_empty() => (Err(DnsFault::NoRecord), None),
            Ok((records, server)) => (Ok(records), Some(server)),
            Err(fault) => (Err(fault), None),
        };
        let of = of.filter(|of| !of.is_empty()).unwrap_or_else(|| "name server".to_owned());
        Asked { kind, name, of, ms: self.ms_since(begin), result }
    }

    pub(crate) fn ms_since(&self, begin: std::time::Instant) -> u64 {
        let passed = self.world.clock.now().saturating_duration_since(begin);
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
    }

    /// Adds the step of a question. `won` says that its records decided.
    pub(crate) fn judge<T>(
        &mut self,
        step: &str,
        asked: &Asked<T>,
        won: bool,
        shown: impl Fn(&T) -> String,
    ) {
        let (answer, outcome, why) = match &asked.result {
            Ok(records) => {
                let list: Vec<_> = records.iter().take(8).map(shown).collect();
                let (outcome, why) = if won {
                    (Outcome::Won, "this record decides")
                } else {
                    (Outcome::Lost, "something of higher rank decides")
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

    pub(crate) fn note(&mut self, step: TraceStep) {
        (self.tell)(Progress::Step(step.clone()));
        self.steps.push(step);
    }

    /// The problem of a question that got no usable answer.
    pub(crate) fn dns_problem<T>(&self, asked: &Asked<T>, fault: &DnsFault) -> Problem {
        let at = Endpoint {
            service: Service::Dns,
            host: self.domain.clone(),
            port: 53,
            link: Link::Udp,
        };
        let evidence = format!("{} {}: {}", asked.kind, asked.name, fault_words(fault));
        Fault::Dns(fault.clone()).problem(&at).with_evidence(evidence)
    }

    /// The records that can be used; what is wrong with the others and with these becomes
    /// warnings (D04). Whether a target is an alias cannot be seen from here.
    pub(crate) fn usable(&mut self, asked: &Asked<Srv>) -> Vec<Srv> {
        let Ok(records) = &asked.result else { return vec![] };
        let own = asked.name.trim_end_matches('.');
        let mut usable = vec![];
        for record in records {
            let target = record.target.trim_end_matches('.');
            if target.is_empty() {
                continue; // "." says that the service is decidedly not here (RFC 2782).
            }
            let itself = target.eq_ignore_ascii_case(own);
            if let Some(what) = target_fault(target, itself) {
                self.warn(bad_target(&asked.name, target, what));
            }
            if !itself && record.port != 0 {
                usable.push(Srv { target: target.to_owned(), ..record.clone() });
            }
        }
        usable
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
    }
}
