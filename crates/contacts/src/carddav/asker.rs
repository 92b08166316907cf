//! Questions to a server, within the bounds of one reading.

use std::time::{Duration, Instant};

use offhook_config::HttpUrl;
use offhook_model::{Endpoint, Fault, Link, Service};
use offhook_ports::{HttpRequest, HttpResponse, World};

use super::address::{is_loopback, place, resolve, same_origin};
use super::answer::{Answer, read};
use super::question::Question;
use super::{BookFault, BookPlan};

/// No new question is begun when a reading has taken so long.
const PATIENCE: Duration = Duration::from_secs(300);
/// Bound on one question: servers look through the whole address book for some.
const ANSWER: Duration = Duration::from_secs(60);
/// Most bytes of one answer, and of all answers of a reading.
const MOST_BYTES: usize = 16 << 20;
const MOST_BYTES_IN_ALL: usize = 128 << 20;
/// Most questions of a reading. The largest address book takes 200 pages.
const MOST_QUESTIONS: usize = 2_000;
/// Most redirections of one question.
const MOST_HOPS: usize = 5;

/// Asks, follows redirections, and keeps the password to itself where it belongs to nobody.
pub(super) struct Asker<'a> {
    pub world: &'a World,
    plan: &'a BookPlan,
    /// Who may be shown the password: the scheme, host and port of this. Nobody before it is known.
    pub home: Option<HttpUrl>,
    until: Instant,
    questions: usize,
    bytes: usize,
}

/// What a server says.
#[derive(Debug)]
pub(super) enum Said {
    /// What was asked for.
    List(Answer),
    /// Nothing but a status that is no 207 and no 401.
    Status(u16),
    /// More than fits one answer; less may be asked for.
    TooMuch,
}

impl<'a> Asker<'a> {
    pub(super) fn new(world: &'a World, plan: &'a BookPlan) -> Self {
        let until = world.clock.now() + PATIENCE;
        Self { world, plan, home: None, until, questions: MOST_QUESTIONS, bytes: MOST_BYTES_IN_ALL }
    }

    /// Asks at this address, and says who has answered in the end.
    ///
    /// # Errors
    /// What no other question of the kind would change. [`BookFault::TooLong`] and
    /// [`BookFault::TooLarge`] when the reading has used up what it may.
    pub(super) async fn ask(
        &mut self,
        question: &Question,
        at: &HttpUrl,
    ) -> Result<(HttpUrl, Said), BookFault> {
        let mut at = at.clone();
        for _ in 0..=MOST_HOPS {
            let Some(response) = self.send(question, &at).await? else {
                return Ok((at, Said::TooMuch));
            };
            match response.status {
                301 | 302 | 303 | 307 | 308 => at = onward(&at, response.header("location"))?,
                401 => return Err(self.refused(&at, &response)),
                207 => {
                    let answer = read(&response.body);
                    let answer = answer.map_err(|error| BookFault::of_way(&at, error.fault()))?;
                    return Ok((at, Said::List(answer)));
                }
                status => return Ok((at, Said::Status(status))),
            }
        }
        Err(BookFault::Lost(at.host))
    }

    /// One answer, whatever it is; none when it is too large.
    async fn send(
        &mut self,
        question: &Question,
        at: &HttpUrl,
    ) -> Result<Option<HttpResponse>, BookFault> {
        let left = self.until.saturating_duration_since(self.world.clock.now());
        if left.is_zero() || self.questions == 0 {
            return Err(BookFault::TooLong(at.host.clone()));
        }
        self.questions -= 1;
        let limit = self.bytes.min(MOST_BYTES);
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = HttpRequest {
            method: question.method,
            headers: vec![
                header("Content-Type", "application/xml; charset=utf-8"),
                header("Depth", question.depth.written()),
            ],
            body: question.body.clone().into_bytes(),
            // It may be anywhere in the world.
            proxied: !is_loopback(&at.host),
            timeout: left.min(ANSWER),
            limit,
            ..HttpRequest::get(at.to_string())
        };
        let request = if self.is_home(at) {
            request.with_basic(&self.plan.user_name, &self.plan.password)
        } else {
            request
        };
        match self.world.http.send(request).await {
            Ok(response) => {
                self.bytes = self.bytes.saturating_sub(response.body.len());
                Ok(Some(response))
            }
            Err(Fault::TooLarge(_)) if limit == MOST_BYTES => {
                self.bytes = self.bytes.saturating_sub(limit);
                Ok(None)
            }
            Err(Fault::TooLarge(_)) => Err(BookFault::TooLarge(at.host.clone())),
            // Not the answer's time is over, but the reading's.
            Err(Fault::AnswerTimeout | Fault::ConnectTimeout) if left < ANSWER => {
                Err(BookFault::TooLong(at.host.clone()))
            }
            Err(fault) => Err(BookFault::of_way(at, fault)),
        }
    }

    fn is_home(&self, at: &HttpUrl) -> bool {
        self.home.as_ref().is_some_and(|home| same_origin(home, at))
    }

    fn refused(&self, at: &HttpUrl, response: &HttpResponse) -> BookFault {
        if let Some(home) = self.home.as_ref().filter(|home| !same_origin(home, at)) {
            return BookFault::Elsewhere { host: home.host.clone(), other: place(at) };
        }
        let ways = response.headers.iter().filter(|(name, _)| name == "www-authenticate");
        let ways = ways.filter_map(|(_, value)| value.split_whitespace().next());
        let offered = ways.take(8).map(|way| way.chars().take(32).collect()).collect();
        BookFault::Refused { host: at.host.clone(), offered }
    }
}

/// Where a redirection leads: to another path here, or elsewhere under TLS.
fn onward(at: &HttpUrl, location: Option<&str>) -> Result<HttpUrl, BookFault> {
    let to = location.and_then(|location| resolve(at, location));
    let to = to.ok_or_else(|| BookFault::Lost(at.host.clone()))?;
    if same_origin(at, &to) || to.secure {
        Ok(to)
    } else if at.secure && to.host.eq_ignore_ascii_case(&at.host) {
        // A server behind a proxy does not know that it is spoken to under TLS.
        Ok(HttpUrl { path: to.path, ..at.clone() })
    } else {
        Err(BookFault::InClear(to.host))
    }
}

/// The server as an endpoint.
pub(super) fn endpoint(at: &HttpUrl) -> Endpoint {
    let link = if at.secure { Link::Tls } else { Link::Tcp };
    Endpoint { service: Service::Directory, host: at.host.clone(), port: at.port, link }
}
