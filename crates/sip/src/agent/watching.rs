//! Subscriptions of ours (RFC 6665): the lines that are watched, and the mailbox of a standard
//! account (RFC 3842). Call managers tell of some lines without being asked.

use std::time::{Duration, Instant};

use offhook_model::{DialString, LineState};

use super::{Context, Event, Purpose, UserAgent};
use crate::dialog::Dialog;
use crate::lines::{self, Dialogs, Told};
use crate::message::{Message, Method, Name, Request};
use crate::remote::{Wish, wishes};
use crate::transaction::ServerKey;

/// Most lines watched.
const MAX_LINES: usize = 100;
/// Most requests that wait for their answer at a time.
const MAX_ASKING: usize = 10;
/// For how long to subscribe; a call manager grants this at most
/// (`timerSubscribeExpires`, reference device-config.md section 3.1).
const EXPIRES: Duration = Duration::from_secs(3600);
const EXPIRES_CUCM: Duration = Duration::from_secs(120);
/// How long before its end a subscription is renewed.
const MARGIN: Duration = Duration::from_secs(30);
/// When to try again after a failure that says nothing about when.
const TRY_AGAIN: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Watching {
    subscriptions: Vec<Subscription>,
    /// Lines told by themselves: what is known of them.
    unasked: Vec<(DialString, Dialogs)>,
    next: u32,
}

impl Watching {
    /// A name for a request of ours that others are told about.
    pub fn next_id(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.next
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Package {
    Dialog,
    Presence,
    Messages,
}

impl Package {
    fn event(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::Presence => "presence",
            Self::Messages => "message-summary",
        }
    }

    fn accept(self) -> &'static str {
        match self {
            Self::Dialog => "application/dialog-info+xml",
            Self::Presence => "application/pidf+xml",
            Self::Messages => "application/simple-message-summary",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be asked for at this time.
    Wanted { at: Instant },
    /// The SUBSCRIBE is out.
    Asking,
    /// Granted; to be renewed at this time.
    Active { renew_at: Instant },
    /// The last SUBSCRIBE is out.
    Ending,
    /// Refused for good.
    Off,
}

#[derive(Debug)]
struct Subscription {
    id: u32,
    /// Nothing is the own mailbox.
    line: Option<DialString>,
    package: Package,
    /// The other package was tried.
    second: bool,
    state: State,
    dialog: Option<Dialog>,
    call_id: String,
    tag: String,
    expires: Duration,
    known: Dialogs,
    told: LineState,
}

impl UserAgent {
    /// Watches these lines and no others.
    pub(super) fn watch_lines(&mut self, lines: &[DialString], now: Instant) {
        let lines = &lines[..lines.len().min(MAX_LINES)];
        let unwanted = |sub: &Subscription| {
            sub.state != State::Ending
                && sub.line.as_ref().is_some_and(|line| !lines.contains(line))
        };
        let ids: Vec<u32> =
            self.watching.subscriptions.iter().filter(|s| unwanted(s)).map(|s| s.id).collect();
        for id in ids {
            self.unsubscribe(id, now);
        }
        self.watching.unasked.retain(|(line, _)| lines.contains(line));
        for line in lines {
            let known =
                |s: &Subscription| s.line.as_ref() == Some(line) && s.state != State::Ending;
            if !self.watching.subscriptions.iter().any(known) {
                let package = if self.is_cucm() { Package::Presence } else { Package::Dialog };
                self.add_subscription(Some(line.clone()), package, now);
            }
        }
        self.tend_subscriptions(now);
    }

    fn add_subscription(&mut self, line: Option<DialString>, package: Package, now: Instant) {
        let id = self.watching.next_id();
        self.watching.subscriptions.push(Subscription {
            id,
            line,
            package,
            second: false,
            state: State::Wanted { at: now },
            dialog: None,
            call_id: self.tokens.long(),
            tag: self.tokens.tag(),
            expires: if self.is_cucm() { EXPIRES_CUCM } else { EXPIRES },
            known: Dialogs::default(),
            told: LineState::Unknown,
        });
    }

    /// A new registration: our address may be another one, and the server may have forgotten all.
    pub(super) fn renew_subscriptions(&mut self, now: Instant) {
        self.watching.subscriptions.retain(|sub| sub.state != State::Ending);
        for sub in &mut self.watching.subscriptions {
            sub.restart(now, self.tokens.long());
        }
        let asked = self.watching.subscriptions.iter().any(|sub| sub.line.is_none());
        if self.account.upkeep.mailbox && !self.is_cucm() && !asked {
            self.add_subscription(None, Package::Messages, now);
        }
        self.tend_subscriptions(now);
    }

    pub(super) fn watching_timeout(&self) -> Option<Instant> {
        if !self.is_registered() {
            return None;
        }
        let room = self.asking() < MAX_ASKING;
        let due = |sub: &Subscription| match sub.state {
            State::Wanted { at } | State::Active { renew_at: at } => room.then_some(at),
            State::Asking | State::Ending | State::Off => None,
        };
        self.watching.subscriptions.iter().filter_map(due).min()
    }

    fn asking(&self) -> usize {
        self.watching.subscriptions.iter().filter(|sub| sub.state == State::Asking).count()
    }

    /// Asks for what is due.
    pub(super) fn tend_subscriptions(&mut self, now: Instant) {
        if !self.is_registered() {
            return;
        }
        let room = MAX_ASKING.saturating_sub(self.asking());
        let due = |sub: &&Subscription| match sub.state {
            State::Wanted { at } | State::Active { renew_at: at } => at <= now,
            State::Asking | State::Ending | State::Off => false,
        };
        let ids: Vec<u32> =
            self.watching.subscriptions.iter().filter(due).take(room).map(|sub| sub.id).collect();
        for id in ids {
            self.subscribe(id, State::Asking, now);
        }
    }

    fn sub(&mut self, id: u32) -> Option<&mut Subscription> {
        self.watching.subscriptions.iter_mut().find(|sub| sub.id == id)
    }

    fn subscribe(&mut self, id: u32, next: State, now: Instant) {
        let Some(sub) = self.watching.subscriptions.iter().find(|sub| sub.id == id) else { return };
        let to = match &sub.line {
            Some(line) => self.uri_of(line),
            None => self.own_uri(),
        };
        let (way, from) = (self.way(), self.own_address());
        let contact = self.contact();
        let Some(sub) = self.sub(id) else { return };
        let mut request = match &mut sub.dialog {
            Some(dialog) => dialog.request(Method::Subscribe),
            None => {
                let mut request = Request::new(Method::Subscribe, to.clone(), 1);
                request.push(Name::MaxForwards, 70);
                for route in way {
                    request.push(Name::Route, route);
                }
                request.push(Name::From, format_args!("{from};tag={}", sub.tag));
                request.push(Name::To, format_args!("<{to}>"));
                request.push(Name::CallId, &sub.call_id);
                request
            }
        };
        let expires = if next == State::Ending { Duration::ZERO } else { sub.expires };
        request.push(Name::Contact, contact);
        request.push(Name::Event, sub.package.event());
        request.push(Name::Accept, sub.package.accept());
        request.push(Name::Expires, expires.as_secs());
        sub.state = next;
        request.push(Name::UserAgent, &self.product);
        if self.send(request, Context::of(Purpose::Subscribe(id)), now).is_none()
            && let Some(sub) = self.sub(id)
        {
            sub.state = State::Wanted { at: now };
        }
    }

    fn unsubscribe(&mut self, id: u32, now: Instant) {
        if self.is_registered() && self.sub(id).is_some_and(|sub| sub.dialog.is_some()) {
            self.subscribe(id, State::Ending, now);
        } else {
            self.watching.subscriptions.retain(|sub| sub.id != id);
        }
    }

    /// Takes all of them back, before the registration ends.
    pub(super) fn unsubscribe_all(&mut self, now: Instant) {
        let ids: Vec<u32> = self.watching.subscriptions.iter().map(|sub| sub.id).collect();
        ids.into_iter().for_each(|id| self.unsubscribe(id, now));
    }

    pub(super) fn subscription_cseq(&mut self, id: u32, last: u32) -> u32 {
        match self.sub(id).and_then(|sub| sub.dialog.as_mut()) {
            Some(dialog) => {
                dialog.local_cseq += 1;
                dialog.local_cseq
            }
            None => last + 1,
        }
    }

    pub(super) fn subscribe_response(
        &mut self,
        id: u32,
        request: &Request,
        message: &Message,
        now: Instant,
    ) {
        let status = message.status().unwrap_or(100);
        if status < 200 {
            return;
        }
        if status >= 300 {
            let wait = message.number(Name::RetryAfter).or(message.number(Name::MinExpires));
            return self.subscribe_failed(id, status, wait, now);
        }
        let Some(sub) = self.sub(id) else { return };
        if sub.state == State::Ending {
            self.watching.subscriptions.retain(|sub| sub.id != id);
            return;
        }
        if sub.dialog.is_none() {
            sub.dialog = Dialog::of_response(request, message);
        }
        let asked = sub.expires;
        let granted = message.number(Name::Expires).map(|s| Duration::from_secs(s.into()));
        let granted = granted.filter(|granted| *granted <= asked).unwrap_or(asked);
        let margin = MARGIN.min(granted / 2);
        sub.state =
            State::Active { renew_at: now + (granted - margin).max(Duration::from_secs(5)) };
        self.tend_subscriptions(now);
    }

    /// A SUBSCRIBE was refused or not answered; `figure` is the Retry-After or Min-Expires told.
    pub(super) fn subscribe_failed(
        &mut self,
        id: u32,
        status: u16,
        figure: Option<u32>,
        now: Instant,
    ) {
        let call_id = self.tokens.long();
        let cucm = self.is_cucm();
        let Some(sub) = self.sub(id) else { return };
        let figure = figure.map(|s| Duration::from_secs(s.into()).min(LONGEST_WAIT));
        match status {
            _ if sub.state == State::Ending => {
                self.watching.subscriptions.retain(|sub| sub.id != id);
            }
            // It has forgotten this one, so a new one is asked for; a new one that is not known
            // either is nobody's.
            481 if sub.dialog.is_some() => sub.restart(now, call_id),
            423 if figure.is_some_and(|least| least > sub.expires) => {
                sub.expires = figure.unwrap_or(sub.expires);
                sub.state = State::Wanted { at: now };
            }
            489 if !sub.second && !cucm && sub.package == Package::Dialog => {
                (sub.package, sub.second) = (Package::Presence, true);
                sub.restart(now, call_id);
            }
            408 | 480 | 500 | 502..=504 => {
                sub.restart(now + figure.unwrap_or(TRY_AGAIN), call_id);
                self.line_is(id, LineState::Unknown);
            }
            _ => {
                sub.state = State::Off;
                self.line_is(id, LineState::Unknown);
            }
        }
        self.tend_subscriptions(now);
    }

    /// NOTIFY of a subscription of ours, known by Call-ID and both tags. False when it is none.
    pub(super) fn notify_of_ours(
        &mut self,
        key: &ServerKey,
        message: &Message,
        now: Instant,
    ) -> bool {
        if self.notify_of_press(key, message, now) {
            return true;
        }
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let event = message.header(Name::Event).unwrap_or("").split(';').next().unwrap_or("");
        let found = self.watching.subscriptions.iter_mut().find(|sub| sub.owns(message));
        let Some(sub) = found else { return false };
        let id = sub.id;
        let status = if !event.trim().eq_ignore_ascii_case(sub.package.event()) {
            489
        } else if sub.dialog.as_mut().is_some_and(|dialog| !dialog.in_order(number)) {
            500
        } else {
            200
        };
        self.answer_plainly(key, message, status, now);
        if status == 200 {
            self.told_by_subscription(id, message, now);
        }
        true
    }

    fn told_by_subscription(&mut self, id: u32, message: &Message, now: Instant) {
        let Some(sub) = self.sub(id) else { return };
        if sub.line.is_none() {
            for wish in wishes(message) {
                if let Wish::Messages(messages) = wish {
                    self.event(Event::MessageWaiting(messages));
                }
            }
        } else {
            match lines::read(message, &mut sub.known) {
                Some((_, Told::State(state))) => self.line_is(id, state),
                Some((_, Told::Gap)) => {
                    // A refresh brings the whole (RFC 6665 section 4.1.2.2).
                    sub.known = Dialogs::default();
                    if let State::Active { renew_at } = &mut sub.state {
                        *renew_at = now;
                    }
                }
                None => {}
            }
        }
        self.subscription_state(id, message, now);
        self.tend_subscriptions(now);
    }

    /// Subscription-State (RFC 6665 section 4.1.3).
    fn subscription_state(&mut self, id: u32, message: &Message, now: Instant) {
        let text = message.header(Name::SubscriptionState).unwrap_or("").to_ascii_lowercase();
        let mut items = text.split(';').map(str::trim);
        if items.next() != Some("terminated") {
            return;
        }
        let params: Vec<(&str, &str)> = items.filter_map(|item| item.split_once('=')).collect();
        let get = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let after = get("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let wait = match get("reason") {
            Some("deactivated" | "timeout") => Some(Duration::ZERO),
            Some("rejected" | "noresource" | "invariant") => None,
            _ => Some(after.unwrap_or(TRY_AGAIN).min(LONGEST_WAIT)),
        };
        let call_id = self.tokens.long();
        let Some(sub) = self.sub(id) else { return };
        match (sub.state, wait) {
            (State::Ending, _) => self.watching.subscriptions.retain(|sub| sub.id != id),
            // One that is ended as soon as it is made must not be asked for without end.
            (_, Some(wait)) => sub.restart(now + wait.max(Duration::from_secs(1)), call_id),
            (_, None) => {
                (sub.state, sub.dialog) = (State::Off, None);
                self.line_is(id, LineState::Unknown);
            }
        }
    }

    fn line_is(&mut self, id: u32, state: LineState) {
        let Some(sub) = self.sub(id).filter(|sub| sub.told != state) else { return };
        sub.told = state;
        if let Some(line) = sub.line.clone() {
            self.event(Event::Line { line, state });
        }
    }

    /// A NOTIFY about a line that nobody subscribed to, from a call manager: of the lines watched
    /// the one with that number.
    pub(super) fn unasked(&mut self, message: &Message) {
        let from = message.party(Name::From).map(|from| from.uri_text.to_owned());
        let entity = lines::read(message, &mut Dialogs::default()).and_then(|(entity, _)| entity);
        let user = |uri: &str| {
            let uri = uri.split_once(':').map_or(uri, |(_, rest)| rest);
            uri.split(['@', ';']).next().unwrap_or("").to_owned()
        };
        let users: Vec<String> = entity.iter().chain(&from).map(|uri| user(uri)).collect();
        let subs = &self.watching.subscriptions;
        let found = users.iter().find_map(|user| {
            subs.iter().find(|sub| sub.line.as_ref().is_some_and(|line| line.user() == user))
        });
        let Some((id, line)) = found.and_then(|sub| Some((sub.id, sub.line.clone()?))) else {
            return;
        };
        let place = self.watching.unasked.iter().position(|(known, _)| *known == line);
        let place = place.unwrap_or_else(|| {
            self.watching.unasked.push((line, Dialogs::default()));
            self.watching.unasked.len() - 1
        });
        let Some((_, known)) = self.watching.unasked.get_mut(place) else { return };
        match lines::read(message, known) {
            Some((_, Told::State(state))) => self.line_is(id, state),
            // Nothing can be asked for: what comes next is taken as it is.
            Some((_, Told::Gap)) => *known = Dialogs::default(),
            None => {}
        }
    }
}

impl Subscription {
    /// A new one in place of this, at this time.
    fn restart(&mut self, at: Instant, call_id: String) {
        (self.dialog, self.call_id, self.known) = (None, call_id, Dialogs::default());
        self.state = State::Wanted { at };
    }

    /// A NOTIFY may come before the answer to the SUBSCRIBE, so the other tag may not be known yet.
    fn owns(&self, message: &Message) -> bool {
        match &self.dialog {
            Some(dialog) => dialog.owns(message),
            None => {
                self.state == State::Asking
                    && message.header(Name::CallId) == Some(&self.call_id)
                    && message.tag(Name::To) == Some(&self.tag)
            }
        }
    }
}
