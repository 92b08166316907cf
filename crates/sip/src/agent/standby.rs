//! The servers that we are not registered with and that are asked whether they are there: the one
//! that stands by, and while we are on a lesser one all that are better (reference sip-dialect.md
//! section 5). Each has a connection of its own. Nothing that such a server asks of us is done.
//!
//! A call manager is asked by a REGISTER that binds nothing, a registrar by OPTIONS; whatever it
//! answers but "not now" shows that it is there, a challenge too.

use std::time::{Duration, Instant};

use offhook_model::Link;
use offhook_ports::{FlowId, PhoneDialect};

use super::flow::{Flow, Received};
use super::{Context, Event, Output, Purpose, UserAgent};
use crate::cucm;
use crate::message::uri::escape_user;
use crate::message::{Method, Name, Request, parse};
use crate::registration::{ANSWER_TIMEOUT, OPEN_TIMEOUT, Phase};
use crate::transaction::Path;

/// When a server that was not there is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Most servers watched at a time.
const MAX_WATCHED: usize = 4;

/// One connection to a server that stands by.
#[derive(Debug)]
pub(super) struct Standby {
    /// Its place among the servers of the account.
    server: usize,
    state: State,
    /// Since when it has answered without a gap.
    answers_since: Option<Instant>,
    call_id: String,
    tag: String,
    cseq: u32,
}

#[derive(Debug)]
enum State {
    Away {
        look_at: Instant,
    },
    Opening {
        flow: FlowId,
        deadline: Instant,
    },
    /// Its next question is due at `ask_at`; the answer to the last at `due`, if it is out.
    Open {
        flow: Box<Flow>,
        ask_at: Instant,
        due: Option<Instant>,
    },
}

impl Standby {
    fn flow_id(&self) -> Option<FlowId> {
        match &self.state {
            State::Away { .. } => None,
            State::Opening { flow, .. } => Some(*flow),
            State::Open { flow, .. } => Some(flow.id),
        }
    }

    fn is_there(&self) -> bool {
        self.answers_since.is_some() && matches!(self.state, State::Open { .. })
    }

    fn next_timeout(&self) -> Instant {
        match &self.state {
            State::Away { look_at } => *look_at,
            State::Opening { deadline, .. } => *deadline,
            State::Open { ask_at, due, .. } => due.map_or(*ask_at, |due| due.min(*ask_at)),
        }
    }
}

impl UserAgent {
    /// Watches what is to be watched from the server we are registered with now, and no other.
    pub(super) fn arrange_standbys(&mut self, now: Instant) {
        let wanted = self.standbys_wanted();
        let gone: Vec<Standby>;
        (gone, self.standbys) = std::mem::take(&mut self.standbys)
            .into_iter()
            .partition(|standby| !wanted.contains(&standby.server));
        for standby in gone {
            self.close_standby_flow(&standby);
        }
        for server in wanted {
            if self.standbys.iter().any(|standby| standby.server == server) {
                continue;
            }
            self.standbys.push(Standby {
                server,
                state: State::Away { look_at: now },
                answers_since: None,
                call_id: self.tokens.long(),
                tag: self.tokens.tag(),
                cseq: 100,
            });
        }
        self.standbys.sort_by_key(|standby| standby.server);
        self.tend_standbys(now);
    }

    /// The better servers; from the best one, the next call manager. A registrar of a standard
    /// account is not bothered while all is well.
    fn standbys_wanted(&self) -> Vec<usize> {
        let (servers, current) = (self.account.servers.len(), self.registration.attempts.server);
        // Edges lead to the same call manager, and none of them stands in for another.
        if self.account.upkeep.keep_alive.is_zero() || self.is_routed() {
            return vec![];
        }
        match current {
            0 if self.is_cucm() && servers > 1 => vec![1],
            0 => vec![],
            current => (0..current).take(MAX_WATCHED).collect(),
        }
    }

    pub(super) fn standby_timeout(&self) -> Option<Instant> {
        self.standbys.iter().map(Standby::next_timeout).min()
    }

    /// Does what is due: opens, asks, and gives up.
    pub(super) fn tend_standbys(&mut self, now: Instant) {
        for index in 0..self.standbys.len() {
            match &self.standbys[index].state {
                State::Away { look_at } if *look_at <= now => self.open_standby(index, now),
                State::Opening { deadline, .. } if *deadline <= now => {
                    self.standby_gone(index, now)
                }
                State::Open { due: Some(due), .. } if *due <= now => self.standby_gone(index, now),
                State::Open { due: None, ask_at, .. } if *ask_at <= now => {
                    self.ask_standby(index, now);
                }
                State::Away { .. } | State::Opening { .. } | State::Open { .. } => {}
            }
        }
    }

    fn open_standby(&mut self, index: usize, now: Instant) {
        let flow = self.new_flow();
        let Some(standby) = self.standbys.get_mut(index) else { return };
        let Some(server) = self.account.servers.get(standby.server).cloned() else { return };
        standby.state = State::Opening { flow, deadline: now + OPEN_TIMEOUT };
        self.out.push_back(Output::Open { flow, server, dscp: self.account.signalling_dscp });
    }

    /// True when the flow is one of these.
    pub(super) fn standby_opened(&mut self, mut flow: Flow, now: Instant) -> bool {
        let opening = |standby: &Standby| match standby.state {
            State::Opening { flow: id, .. } => id == flow.id,
            State::Away { .. } | State::Open { .. } => false,
        };
        let Some(index) = self.standbys.iter().position(opening) else { return false };
        let standby = &mut self.standbys[index];
        flow.link = self.account.servers.get(standby.server).map_or(Link::Udp, |at| at.link);
        standby.state = State::Open { flow: Box::new(flow), ask_at: now, due: None };
        self.ask_standby(index, now);
        true
    }

    pub(super) fn standby_failed(&mut self, flow: FlowId, now: Instant) {
        if let Some(index) = self.standby_of(flow) {
            let wait = LOOK_AGAIN.min(self.account.upkeep.keep_alive);
            self.standbys[index].state = State::Away { look_at: now + wait };
            self.standbys[index].answers_since = None;
            self.transactions.flow_lost(flow);
        }
    }

    fn standby_of(&self, flow: FlowId) -> Option<usize> {
        self.standbys.iter().position(|standby| standby.flow_id() == Some(flow))
    }

    fn standby_gone(&mut self, index: usize, now: Instant) {
        let Some(flow) = self.standbys.get(index).and_then(Standby::flow_id) else { return };
        self.standby_failed(flow, now);
        self.out.push_back(Output::Close { flow });
    }

    fn close_standby_flow(&mut self, standby: &Standby) {
        if let Some(flow) = standby.flow_id() {
            self.transactions.flow_lost(flow);
            self.out.push_back(Output::Close { flow });
        }
    }

    pub(super) fn close_standbys(&mut self) {
        for standby in std::mem::take(&mut self.standbys) {
            self.close_standby_flow(&standby);
        }
    }

    /// Bytes of a flow that is not the one in use. Only answers are taken.
    pub(super) fn take_standby(&mut self, flow: FlowId, bytes: &[u8], now: Instant) {
        let Some(index) = self.standby_of(flow) else { return };
        let State::Open { flow: open, .. } = &mut self.standbys[index].state else { return };
        match open.receive(bytes) {
            Received::Messages { messages, pings } => {
                for _ in 0..pings {
                    self.out.push_back(Output::Send { flow, bytes: b"\r\n".to_vec() });
                }
                for bytes in messages {
                    let Ok(message) = parse(&bytes) else { continue };
                    if message.status().is_some() && message.defect().is_none() {
                        self.response(&message, now);
                    }
                }
            }
            Received::Nonsense => self.standby_gone(index, now),
        }
    }

    fn ask_standby(&mut self, index: usize, now: Instant) {
        let Some(standby) = self.standbys.get_mut(index) else { return };
        standby.cseq += 1;
        let every = self.account.upkeep.keep_alive;
        let State::Open { flow, ask_at, due } = &mut standby.state else { return };
        (*ask_at, *due) = (now + every, Some(now + ANSWER_TIMEOUT));
        let branch = self.tokens.branch();
        let via = flow.via(&branch);
        let path = Path { flow: flow.id, reliable: flow.link != Link::Udp };
        let Some(request) = self.question(index) else { return };
        let context = Context::of(Purpose::KeepAlive(path.flow));
        self.transactions.send(path, request, &via, &branch, context, now);
    }

    fn question(&self, index: usize) -> Option<Request> {
        let standby = self.standbys.get(index)?;
        let State::Open { flow, .. } = &standby.state else { return None };
        let server = self.account.servers.get(standby.server)?;
        let host = super::routes::bracketed(&server.host);
        let contact = flow.contact(self.contact_user());
        let own = |domain: &str| format!("<sip:{}@{domain}>", escape_user(&self.account.user));
        let (method, uri, own) = match &self.account.dialect {
            PhoneDialect::Cucm { .. } => (Method::Register, format!("sip:{host}"), own(&host)),
            PhoneDialect::Standard => {
                (Method::Options, format!("sip:{host}:{}", server.port), own(&self.domain()))
            }
        };
        let mut request = Request::new(method, uri, standby.cseq);
        request.push(Name::MaxForwards, 70);
        request.push(Name::From, format_args!("{own};tag={}", standby.tag));
        request.push(Name::To, own);
        request.push(Name::CallId, &standby.call_id);
        match &self.account.dialect {
            PhoneDialect::Cucm { device, model, .. } => {
                let params = cucm::register_params(device, *model, None);
                let value = format!("<{contact}>{params};expires=0;cisco-keep-alive");
                request.push(Name::Contact, value);
                request.push(Name::Expires, 0);
                request.push(Name::Supported, cucm::SUPPORTED_REGISTER);
            }
            PhoneDialect::Standard => request.push(Name::Contact, format_args!("<{contact}>")),
        }
        request.push(Name::UserAgent, &self.product);
        Some(request)
    }

    /// A server that stands by has answered.
    pub(super) fn standby_answered(&mut self, flow: FlowId, status: u16, now: Instant) {
        let Some(index) = self.standby_of(flow).filter(|_| status >= 200) else { return };
        // A challenge is an answer: the credentials are for the server that is registered with [I].
        if matches!(status, 408 | 500 | 503 | 504) {
            return self.standby_gone(index, now);
        }
        let standby = &mut self.standbys[index];
        standby.answers_since.get_or_insert(now);
        if let State::Open { due, .. } = &mut standby.state {
            *due = None;
        }
        self.consider_return(now);
    }

    pub(super) fn standby_is_there(&self) -> bool {
        self.standbys.iter().any(Standby::is_there)
    }

    /// Goes on with the best server that stands by, if one is there. Its connection is open, so
    /// nothing but a REGISTER lies between.
    pub(super) fn go_to_standby(&mut self, now: Instant) -> bool {
        let Some(index) = self.standbys.iter().position(Standby::is_there) else { return false };
        self.promote(index, now);
        true
    }

    fn promote(&mut self, index: usize, now: Instant) {
        let standby = self.standbys.remove(index);
        let State::Open { flow, .. } = standby.state else { return };
        // What was asked there needs no answer any more.
        self.transactions.flow_lost(flow.id);
        self.registration.attempts.server = standby.server;
        if let Some(server) = self.server().cloned() {
            self.event(Event::Registering { server });
        }
        self.flow = Some(*flow);
        self.register_first(now);
    }

    /// Back to a better server that has answered for long enough, when no call goes on.
    pub(super) fn consider_return(&mut self, now: Instant) {
        let Phase::Registered { .. } = self.registration.phase else { return };
        if !self.calls.is_empty() || self.stopping.is_some() {
            return;
        }
        let (current, wait) = (self.registration.attempts.server, self.account.upkeep.return_after);
        let ready = |standby: &Standby| {
            let since = standby.answers_since.filter(|_| standby.is_there());
            standby.server < current
                && since.is_some_and(|since| now.saturating_duration_since(since) >= wait)
        };
        let Some(index) = self.standbys.iter().position(ready) else { return };
        if !self.is_cucm() {
            // A registrar keeps what it was told until it ends; call managers tell each other.
            self.send_register(Purpose::Unregister, now);
            self.flush();
        }
        self.close_flow(now);
        self.promote(index, now);
    }
}
