//! One question over HTTP at a time, with the record of it.

use std::sync::{Mutex, PoisonError};

use offhook_config::{HttpUrl, XmlError};
use offhook_model::{Endpoint, Fault, Link, Outcome, Problem, Service, TraceStep};
use offhook_ports::{HttpRequest, HttpResponse, Method, Progress, Srv, Target, Tell, World};

use crate::People;

/// What went wrong and where.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) at: Endpoint,
    pub(crate) fault: Fault,
}

impl Failure {
    pub(crate) fn problem(&self) -> Problem {
        self.fault.problem(&self.at)
    }
}

/// Why a question is asked, for the trace.
#[derive(Clone, Copy)]
pub(crate) struct Purpose {
    /// Stable name of the step.
    pub(crate) step: &'static str,
    /// What is expected there.
    pub(crate) service: Service,
    /// Why it is asked, in words.
    pub(crate) why: &'static str,
}

/// Asks, and keeps the trace and the warnings. Shared by questions that run side by side.
pub(crate) struct Flow<'a> {
    pub(crate) world: &'a World,
    tell: Tell<'a>,
    steps: Mutex<Vec<TraceStep>>,
    warnings: Mutex<Vec<Problem>>,
    people: Mutex<People>,
}

impl<'a> Flow<'a> {
    pub(crate) fn new(world: &'a World, tell: Tell<'a>) -> Self {
        Self {
            world,
            tell,
            steps: Mutex::default(),
            warnings: Mutex::default(),
            people: Mutex::default(),
        }
    }

    /// The same conversation in another world.
    pub(crate) fn inside<'b>(&self, world: &'b World) -> Flow<'b>
    where
        'a: 'b,
    {
        Flow::new(world, self.tell)
    }

    /// Takes over what was kept there.
    pub(crate) fn join(&self, other: Flow<'_>) {
        let people = other.people();
        self.learn(|known| *known = people);
        let (steps, warnings) = other.finish();
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).extend(steps);
        warnings.into_iter().for_each(|warning| self.warn(warning));
    }

    /// What was learnt on the way for finding people.
    pub(crate) fn people(&self) -> People {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something for finding people was read.
    pub(crate) fn learn(&self, what: impl FnOnce(&mut People)) {
        what(&mut self.people.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The steps and warnings.
    pub(crate) fn finish(self) -> (Vec<TraceStep>, Vec<Problem>) {
        let steps = self.steps.into_inner().unwrap_or_else(PoisonError::into_inner);
        (steps, self.warnings.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn doing(&self, words: impl Into<String>) {
        (self.tell)(Progress::Doing(words.into()));
    }

    /// Keeps a warning, once.
    pub(crate) fn warn(&self, problem: Problem) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&problem) {
            warnings.push(problem);
        }
    }

    /// Sends a request and reads the answer. `show` makes the short answer of the trace; it must
    /// not show secrets.
    pub(crate) async fn ask<T>(
        &self,
        purpose: Purpose,
        url: &HttpUrl,
        request: HttpRequest,
        read: impl Fn(&[u8]) -> Result<T, XmlError>,
        show: impl Fn(&T) -> String,
    ) -> Result<T, Failure> {
        let read = |response: &HttpResponse| {
            judge(response).and_then(|()| read(&response.body).map_err(|error| error.fault()))
        };
        let verdict = |value: &T| (show(value), Outcome::Won);
        self.exchange(purpose, url, request, read, verdict).await
    }

    /// The same for a resource that need not be there: status 404 is an answer.
    pub(crate) async fn ask_if_any<T>(
        &self,
        purpose: Purpose,
        url: &HttpUrl,
        request: HttpRequest,
        read: impl Fn(&[u8]) -> Result<T, XmlError>,
        show: impl Fn(&T) -> String,
    ) -> Result<Option<T>, Failure> {
        let read = |response: &HttpResponse| match response.status {
            404 => Ok(None),
            _ => judge(response)
                .and_then(|()| read(&response.body).map(Some).map_err(|error| error.fault())),
        };
        let verdict = |value: &Option<T>| match value {
            Some(value) => (show(value), Outcome::Won),
            None => ("there is none".to_owned(), Outcome::Lost),
        };
        self.exchange(purpose, url, request, read, verdict).await
    }

    /// Asks for SRV records, and keeps the record of it. No records are an answer.
    pub(crate) async fn srv(&self, name: &str, why: &str) -> Vec<Srv> {
        let begin = self.world.clock.now();
        let asked = self.world.dns.srv(name).await;
        let passed = self.world.clock.now().saturating_duration_since(begin);
        let (records, of, answer) = match asked {
            Ok(answer) => {
                let hosts: Vec<_> = answer.records.iter().map(|it| it.target.clone()).collect();
                (answer.records, answer.server, hosts.join(", "))
            }
            Err(fault) => (vec![], String::new(), format!("no records: {fault:?}")),
        };
        self.note(TraceStep {
            step: "srv".to_owned(),
            asked: format!("SRV {name}"),
            of,
            answer,
            ms: u64::try_from(passed.as_millis()).unwrap_or(u64::MAX),
            outcome: if records.is_empty() { Outcome::Failed } else { Outcome::Won },
            why: why.to_owned(),
        });
        records.into_iter().filter(|record| !record.target.is_empty()).collect()
    }

    /// One exchange and the record of it.
    pub(crate) async fn exchange<T>(
        &self,
        purpose: Purpose,
        url: &HttpUrl,
        request: HttpRequest,
        read: impl Fn(&HttpResponse) -> Result<T, Fault>,
        verdict: impl Fn(&T) -> (String, Outcome),
    ) -> Result<T, Failure> {
        let at = endpoint(url, purpose.service);
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Propfind => "PROPFIND",
            Method::Report => "REPORT",
        };
        let begin = self.world.clock.now();
        let result = match self.world.http.send(request).await {
            Ok(response) => read(&response),
            Err(fault) => Err(fault),
        };
        let passed = self.world.clock.now().saturating_duration_since(begin);
        let (answer, outcome) = match &result {
            Ok(value) => verdict(value),
            Err(fault) => (fault.problem(&at).cause, Outcome::Failed),
        };
        self.note(TraceStep {
            step: purpose.step.to_owned(),
            asked: format!("{method} {}", without_query(url)),
            of: at.to_string(),
            answer,
            ms: u64::try_from(passed.as_millis()).unwrap_or(u64::MAX),
            outcome,
            why: purpose.why.to_owned(),
        });
        result.map_err(|fault| Failure { at, fault })
    }

    pub(crate) fn note(&self, step: TraceStep) {
        (self.tell)(Progress::Step(step.clone()));
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }
}

/// A redirect where XML was expected leads to a login page of the network or of the service.
pub(crate) fn judge(response: &HttpResponse) -> Result<(), Fault> {
    match response.status {
        200..=299 => Ok(()),
        300..=399 => Err(Fault::Html),
        401 => Err(Fault::BadCredentials),
        status => Err(Fault::Status(status)),
    }
}

fn endpoint(url: &HttpUrl, service: Service) -> Endpoint {
    let link = if url.secure { Link::Tls } else { Link::Tcp };
    Endpoint { service, host: url.host.clone(), port: url.port, link }
}

/// Values of a query name the user; the trace goes to support desks.
fn without_query(url: &HttpUrl) -> String {
    let path = url.path.split('?').next().unwrap_or_default().to_owned();
    HttpUrl { path, ..url.clone() }.to_string()
}

/// Reads `host`, `host:port`, `[address]` and `[address]:port` as administrators and servers write
/// them. `None` when it is of another form.
pub(crate) fn place(text: &str, default_port: u16) -> Option<Target> {
    let text = text.trim();
    // A bare IPv6 address would be read as host and port.
    let text = match text.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => text.to_owned(),
    };
    let url = HttpUrl::parse(&format!("http://{text}/")).filter(|url| url.path == "/")?;
    let named = text.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    Some(Target { host: url.host, port: if named { url.port } else { default_port } })
}

/// The address of a resource on a node.
pub(crate) fn https(node: &Target, path: String) -> HttpUrl {
    HttpUrl { secure: true, host: node.host.clone(), port: node.port, path }
}

/// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The most important of several failures: the one earliest on the way, the first among equals
/// (`docs/doctor.md`, "Which comes first"). The others are given back for the warnings.
pub(crate) fn most_important(failures: Vec<Failure>) -> Option<(Problem, Vec<Problem>)> {
    let mut problems: Vec<Problem> = failures.iter().map(Failure::problem).collect();
    let first = problems.iter().enumerate().min_by_key(|(index, problem)| (problem.area, *index));
    let index = first.map(|(index, _)| index)?;
    let problem = problems.remove(index);
    Some((problem, problems))
}

#[cfg(test)]
mod tests {
    use super::{encode, place};

    #[test]
    fn everything_but_plain_characters_is_encoded() {
        assert_eq!(encode("al ice/ä&=~"), "al%20ice%2F%C3%A4%26%3D~");
    }

    #[test]
    fn places_are_read_with_and_without_a_port() {
        let read = |text| place(text, 6970).map(|at| (at.host, at.port));
        assert_eq!(read(" tftp1.example.com "), Some(("tftp1.example.com".into(), 6970)));
        assert_eq!(read("tftp1:16970"), Some(("tftp1".into(), 16_970)));
        assert_eq!(read("tftp1:80"), Some(("tftp1".into(), 80)));
        assert_eq!(read("2001:db8::1"), Some(("2001:db8::1".into(), 6970)));
        assert_eq!(read("[2001:db8::1]:70"), Some(("2001:db8::1".into(), 70)));
        for bad in ["", "a b", "a/b", "http://a", "a:0", "a@b"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
