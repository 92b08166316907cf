//! Asking the cloud whether a domain is one of its organisations (the seed, "Client Issues an HTTP
//! Query"; reference discovery.md section 2). Whatever fails here means "it is not".

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use offhook_config::{CasAnswer, HttpUrl, XmlError, read_cas};
use offhook_model::{Endpoint, Fault, Link, Problem, Service};
use offhook_ports::{HttpRequest, HttpResponse};

use crate::asked::Questions;

/// Where the question goes over TLS, without its query.
pub(crate) const CAS_URL: &str = "https://loginp.webexconnect.com/cas/FederatedSSO";
/// Where it goes in clear: what the seed prints, and what older networks let through.
const CAS_URL_IN_CLEAR: &str = "http://loginp.webexconnect.com/cas/FederatedSSO";
/// Bound on the whole question, both ways of asking and redirects included.
const IN_ALL: Duration = Duration::from_secs(5);
/// Bound on one request, so that something is left for the way in clear.
const ONE: Duration = Duration::from_secs(3);
/// Largest answer that is read, in bytes.
const LIMIT: usize = 64 * 1024;
/// How many redirects to the same host are followed.
const HOPS: usize = 2;

/// What came of one request.
pub(crate) struct Try {
    pub(crate) url: String,
    pub(crate) of: String,
    pub(crate) answer: String,
    pub(crate) ms: u64,
    pub(crate) failed: bool,
}

/// What the cloud says.
pub(crate) struct Said {
    pub(crate) tries: Vec<Try>,
    /// It is one of its organisations.
    pub(crate) ours: Option<Ours>,
    /// What should be mended: a network's login page, a proxy in the way.
    pub(crate) warning: Option<Problem>,
}

/// An organisation of the cloud.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    /// The address that said so, without its query.
    pub(crate) cas: String,
    /// Where the browser must go.
    pub(crate) sso: Option<String>,
}

/// What one answer means.
enum Meaning {
    Unknown,
    Ours(Option<String>),
    Again(String),
    Fault(Fault),
}

/// Asks over TLS, and in clear when no connection came about.
pub(crate) async fn ask(questions: Questions<'_>, organisation: &str) -> Said {
    let begin = questions.world.clock.now();
    let mut said = Said { tries: vec![], ours: None, warning: None };
    for base in [CAS_URL, CAS_URL_IN_CLEAR] {
        let fault = match one_way(questions, base, organisation, begin, &mut said).await {
            Ok(ours) => {
                said.ours = ours;
                said.warning = None;
                return said;
            }
            Err(fault) => fault,
        };
        if matches!(fault, Fault::Html | Fault::Proxy(_)) {
            said.warning = Some(fault.problem(&endpoint(base)));
        }
        if !no_connection(&fault) || passed(questions, begin) >= IN_ALL {
            break;
        }
    }
    said
}

async fn one_way(
    questions: Questions<'_>,
    base: &str,
    organisation: &str,
    begin: Instant,
    said: &mut Said,
) -> Result<Option<Ours>, Fault> {
    let mut url = format!("{base}?org={}", escaped(organisation));
    for _ in 0..=HOPS {
        let left = IN_ALL.saturating_sub(passed(questions, begin));
        let mut request = HttpRequest::get(&url).through_proxy();
        (request.timeout, request.limit) = (left.min(ONE), LIMIT);
        let asked_at = questions.world.clock.now();
        let result = questions.world.http.send(request).await;
        let (of, meaning) = match &result {
            Ok(response) => {
                let peer = response.peer.map(|peer| peer.to_string());
                (peer.unwrap_or_else(|| host_of(&url)), meaning(response, &url, organisation))
            }
            Err(fault) => (host_of(&url), Meaning::Fault(fault.clone())),
        };
        said.tries.push(Try {
            url: without_query(&url),
            of,
            answer: words(&meaning, &endpoint(&url)),
            ms: questions.ms_since(asked_at),
            failed: matches!(meaning, Meaning::Fault(_)),
        });
        match meaning {
            Meaning::Unknown => return Ok(None),
            Meaning::Ours(sso) => return Ok(Some(Ours { cas: base.to_owned(), sso })),
            Meaning::Fault(fault) => return Err(fault),
            Meaning::Again(next) => url = next,
        }
    }
    Err(Fault::Nonsense("it redirects to itself".to_owned()))
}

fn meaning(response: &HttpResponse, url: &str, organisation: &str) -> Meaning {
    if matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return redirect(response.header("location").unwrap_or_default(), url);
    }
    match read_cas(&response.body) {
        Ok(CasAnswer::Unknown) => Meaning::Unknown,
        Ok(CasAnswer::Password(_)) => Meaning::Ours(None),
        // The form sends itself once the browser has loaded the page; always over TLS.
        Ok(CasAnswer::SamlPage) => {
            Meaning::Ours(Some(format!("{CAS_URL}?org={}", escaped(organisation))))
        }
        Err(XmlError::Html) => Meaning::Fault(Fault::Html),
        // 511: the network itself asks for a sign-in (RFC 6585 section 6).
        Err(_) if response.status == 511 || says_html(response) => Meaning::Fault(Fault::Html),
        Err(_) if response.status == 407 => {
            Meaning::Fault(Fault::Proxy("it wants a password".to_owned()))
        }
        Err(_) if response.status != 200 => Meaning::Fault(Fault::Status(response.status)),
        Err(error) => Meaning::Fault(error.fault()),
    }
}

/// Single sign-on is said by a redirect to another host. That is inferred (reference discovery.md
/// section 2), and a network's login page redirects in the same manner where it can: in clear. So
/// there the address must be of TLS and speak of SAML.
fn redirect(location: &str, url: &str) -> Meaning {
    let Some(from) = HttpUrl::parse(url) else { return Meaning::Fault(Fault::Html) };
    let target = match location.strip_prefix('/') {
        Some(path) if !path.starts_with('/') => {
            HttpUrl::parse(&HttpUrl { path: location.to_owned(), ..from.clone() }.to_string())
        }
        Some(_) | None => HttpUrl::parse(location),
    };
    let Some(target) = target else {
        return Meaning::Fault(Fault::Nonsense("it redirects to no web address".to_owned()));
    };
    if target.host.eq_ignore_ascii_case(&from.host) {
        return Meaning::Again(target.to_string());
    }
    let saml = target.secure && location.to_ascii_lowercase().contains("saml");
    if from.secure || saml {
        return Meaning::Ours(Some(location.trim().to_owned()));
    }
    Meaning::Fault(Fault::Html)
}

fn says_html(response: &HttpResponse) -> bool {
    response.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
}

/// Faults of the connection, and not answers.
fn no_connection(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::PortRefused
            | Fault::ConnectTimeout
            | Fault::Unreachable(_)
            | Fault::Tls(_)
            | Fault::Closed
            | Fault::Proxy(_)
    )
}

fn passed(questions: Questions<'_>, begin: Instant) -> Duration {
    questions.world.clock.now().saturating_duration_since(begin)
}

fn words(meaning: &Meaning, at: &Endpoint) -> String {
    match meaning {
        Meaning::Unknown => "not an organisation of the cloud".to_owned(),
        Meaning::Ours(None) => "an organisation of the cloud, with password sign-in".to_owned(),
        Meaning::Ours(Some(url)) => {
            format!("an organisation of the cloud, with single sign-on at {}", host_of(url))
        }
        Meaning::Again(url) => format!("redirected to {}", without_query(url)),
        Meaning::Fault(fault) => fault.problem(at).cause,
    }
}

fn endpoint(url: &str) -> Endpoint {
    let (host, port, secure) = match HttpUrl::parse(url) {
        Some(url) => (url.host, url.port, url.secure),
        None => (url.to_owned(), 443, true),
    };
    let link = if secure { Link::Tls } else { Link::Tcp };
    Endpoint { service: Service::Cloud, host, port, link }
}

fn host_of(url: &str) -> String {
    endpoint(url).to_string()
}

fn without_query(url: &str) -> String {
    let (start, query) = url.split_once('?').unwrap_or((url, ""));
    if query.is_empty() { start.to_owned() } else { format!("{start}?org=…") }
}

/// Percent-encoding of all but the unreserved characters (RFC 3986 section 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
