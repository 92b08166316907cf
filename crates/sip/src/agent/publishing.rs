//! Telling the presence server how we are (RFC 3903): where an account has no chat, what others see of
//! us comes from here.
//!
//! A server that knows nothing of it is asked once. The body is PIDF (RFC 3863) with the person's
//! activity (RFC 4480).

use std::fmt::Write;
use std::time::{Duration, Instant};

use offhook_model::{Activity, Availability, Presence};

use super::{Context, Purpose, UserAgent};
use crate::message::{Message, Method, Name, Request};
use crate::registration::Phase;
use crate::xml::escape;

/// For how long to publish; it is renewed before.
const EXPIRES: Duration = Duration::from_secs(3600);
/// How long before its end it is renewed.
const MARGIN: Duration = Duration::from_secs(30);
/// When to try again after a failure that says nothing about when.
const TRY_AGAIN: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// How often a server may say in a row that it has forgotten.
const MAX_ROUNDS: u8 = 3;

/// What is published.
#[derive(Debug, Default)]
pub(super) struct Publication {
    /// What is to be seen; nothing when nothing is to be published.
    wanted: Option<Presence>,
    /// The server has not been told yet.
    news: bool,
    state: State,
    /// The server's name for what it has (section 4.1).
    etag: Option<String>,
    expires: Option<Duration>,
    call_id: String,
    tag: String,
    cseq: u32,
    rounds: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing is under way; there is something to do at this time.
    Waiting { until: Option<Instant> },
    /// It failed; nothing is tried before.
    Paused { until: Instant },
    /// A PUBLISH is out.
    Out,
    /// The server knows nothing of it.
    #[default]
    Off,
}

impl UserAgent {
    /// From now on the presence server shows this; nothing takes back what it shows. Has no end but
    /// that of the registration. A call manager is told nothing.
    pub fn publish(&mut self, presence: Option<&Presence>, now: Instant) {
        let ends = self.stopping.is_some() || self.registration.phase == Phase::Stopped;
        if self.is_cucm() || ends || self.publication.wanted.as_ref() == presence {
            return;
        }
        let first = self.publication.wanted.is_none() && self.publication.etag.is_none();
        self.publication.wanted = presence.cloned();
        self.publication.news = true;
        if first {
            self.publication.state = State::Waiting { until: None };
        }
        self.tend_publication(now);
        self.flush();
    }

    pub(super) fn publication_timeout(&self) -> Option<Instant> {
        match self.publication.state {
            State::Waiting { until } if self.may_publish() => until,
            State::Paused { until } if self.may_publish() => Some(until),
            State::Waiting { .. } | State::Paused { .. } | State::Out | State::Off => None,
        }
    }

    /// There is something to tell, or to take back, and somebody to be told.
    fn may_publish(&self) -> bool {
        let anything = self.publication.wanted.is_some() || self.publication.etag.is_some();
        anything && self.is_registered() && self.stopping.is_none()
    }

    /// Registered anew: the server may have forgotten, so it is asked at once.
    pub(super) fn renew_publication(&mut self, now: Instant) {
        if self.publication.state != State::Off {
            self.publication.state = State::Waiting { until: Some(now) };
        }
        self.tend_publication(now);
    }

    /// Takes it back, before the registration ends.
    pub(super) fn unpublish(&mut self, now: Instant) {
        self.publication.wanted = None;
        if self.publication.etag.is_some() && self.is_registered() {
            self.send_publish(now);
        }
    }

    pub(super) fn tend_publication(&mut self, now: Instant) {
        let due = match self.publication.state {
            State::Waiting { until } => {
                self.publication.news || until.is_some_and(|until| until <= now)
            }
            State::Paused { until } => until <= now,
            State::Out | State::Off => false,
        };
        if due && self.may_publish() {
            self.send_publish(now);
        }
    }

    fn send_publish(&mut self, now: Instant) {
        if self.publication.call_id.is_empty() {
            self.publication.call_id = self.tokens.long();
            self.publication.tag = self.tokens.tag();
        }
        self.publication.cseq += 1;
        let publication = &self.publication;
        let expires = publication.expires.unwrap_or(EXPIRES).as_secs();
        let expires = if publication.wanted.is_some() { expires } else { 0 };
        let name = (&*publication.call_id, &*publication.tag, publication.cseq);
        let mut request = self.publish_request(name, expires);
        let own = self.own_uri();
        let publication = &mut self.publication;
        if let Some(etag) = &publication.etag {
            request.push(Name::SipIfMatch, etag);
        }
        // A refresh has no body (section 4.4).
        let told = publication.news || publication.etag.is_none();
        if let Some(presence) = publication.wanted.as_ref().filter(|_| told) {
            request.body("application/pidf+xml", document(presence, &own));
        }
        publication.news = false;
        publication.state = State::Out;
        if self.send(request, Context::of(Purpose::Presence), now).is_none() {
            self.publication.news = true;
            self.publication.state = State::Waiting { until: None };
        }
    }

    /// A PUBLISH of presence without its body; `expires` in seconds.
    pub(super) fn publish_request(
        &self,
        (call_id, tag, cseq): (&str, &str, u32),
        expires: u64,
    ) -> Request {
        let own = self.own_uri();
        let mut request = Request::new(Method::Publish, own.clone(), cseq);
        request.push(Name::MaxForwards, 70);
        for route in self.way() {
            request.push(Name::Route, route);
        }
        request.push(Name::From, format_args!("{};tag={tag}", self.own_address()));
        request.push(Name::To, format_args!("<{own}>"));
        request.push(Name::CallId, call_id);
        request.push(Name::Event, "presence");
        request.push(Name::Expires, expires);
        request.push(Name::UserAgent, &self.product);
        request
    }

    pub(super) fn publish_response(&mut self, message: &Message, now: Instant) {
        let status = message.status().unwrap_or(100);
        let publication = &mut self.publication;
        let figure = |name| message.number(name).map(|s| Duration::from_secs(s.into()));
        match status {
            ..200 => return,
            200..=299 => {
                publication.rounds = 0;
                publication.etag = message.header(Name::SipEtag).map(str::to_owned);
                let asked = publication.expires.unwrap_or(EXPIRES);
                let granted = figure(Name::Expires).filter(|it| *it <= asked).unwrap_or(asked);
                let wait = (granted - MARGIN.min(granted / 2)).max(Duration::from_secs(5));
                // What was taken back needs no refresh.
                let stands = publication.wanted.is_some();
                publication.state = State::Waiting { until: stands.then(|| now + wait) };
                publication.etag = publication.etag.take().filter(|_| stands);
            }
            // It has forgotten what it had (section 4.1): all is told anew.
            412 if publication.rounds < MAX_ROUNDS => {
                publication.rounds += 1;
                (publication.etag, publication.news) = (None, true);
                publication.state = State::Waiting { until: None };
            }
            423 if publication.rounds < MAX_ROUNDS && figure(Name::MinExpires).is_some() => {
                publication.rounds += 1;
                publication.expires = figure(Name::MinExpires).map(|it| it.min(LONGEST_WAIT * 24));
                publication.news = true;
                publication.state = State::Waiting { until: None };
            }
            _ => return self.publish_failed(status, figure(Name::RetryAfter), now),
        }
        self.tend_publication(now);
    }

    /// No answer, or one that says no.
    pub(super) fn publish_failed(&mut self, status: u16, wait: Option<Duration>, now: Instant) {
        let publication = &mut self.publication;
        publication.news = true;
        publication.state = match status {
            408 | 500 | 502..=504 => {
                let wait = wait.unwrap_or(TRY_AGAIN).min(LONGEST_WAIT);
                State::Paused { until: now + wait }
            }
            _ => State::Off,
        };
    }

    pub(super) fn publish_cseq(&mut self) -> u32 {
        self.publication.cseq += 1;
        self.publication.cseq
    }
}

/// RFC 3863 with RFC 4479 and 4480.
fn document(presence: &Presence, own: &str) -> String {
    let basic = match presence.availability {
        Availability::Offline => "closed",
        Availability::Available | Availability::Away | Availability::Dnd => "open",
    };
    let activity = match (presence.activity, presence.availability) {
        (Some(Activity::OnCall), _) => Some("on-the-phone"),
        (Some(Activity::InMeeting), _) => Some("meeting"),
        (Some(Activity::Presenting), _) => Some("presentation"),
        (None, Availability::Away) => Some("away"),
        // There is no word for not wanting to be disturbed; this one comes nearest.
        (None, Availability::Dnd) => Some("busy"),
        (None, Availability::Available | Availability::Offline) => None,
    };
    let own = escape(own);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
         xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
         xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"{own}\">\
         <tuple id=\"phone\"><status><basic>{basic}</basic></status><contact>{own}</contact>"
    );
    if let Some(note) = &presence.note {
        // Writing to memory does not fail.
        let _ = write!(out, "<note>{}</note>", escape(note));
    }
    out.push_str("</tuple>");
    if let Some(activity) = activity {
        let _ = write!(
            out,
            "<dm:person id=\"person\"><rpid:activities><rpid:{activity}/></rpid:activities>\
             </dm:person>"
        );
    }
    out.push_str("</presence>\r\n");
    out
}
