//! One request of ours (RFC 3261 section 17.1, RFC 6026 section 8.4).

use std::time::Instant;

use super::timed::Timed;
use super::{ClientKey, Delivered, PATIENCE, Path, T1, T2, T4};
use crate::message::{Message, Method, Name, Request};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Sent, nothing came back. RFC: calling or trying.
    Waiting,
    /// A provisional response came.
    Proceeding,
    /// A final response came; repetitions are absorbed.
    Completed,
    /// INVITE only: a 2xx came; further 2xx are delivered, as they may be of other forks.
    Accepted,
    TimedOut,
    Over,
}

/// What a response means.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub deliver: bool,
    pub ack: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Client<C> {
    pub path: Path,
    pub request: Request,
    via: String,
    bytes: Vec<u8>,
    context: C,
    state: State,
    /// Timers A and E.
    resend: Option<(Instant, std::time::Duration)>,
    /// Timers B and F, then D, K and M.
    until: Option<Instant>,
    ack: Vec<u8>,
}

impl<C: Clone> Client<C> {
    pub fn new(
        path: Path,
        request: Request,
        via: String,
        bytes: Vec<u8>,
        context: C,
        now: Instant,
    ) -> Self {
        Self {
            path,
            request,
            via,
            bytes,
            context,
            state: State::Waiting,
            resend: (!path.reliable).then(|| (now + T1, T1)),
            until: Some(now + PATIENCE),
            ack: vec![],
        }
    }

    fn is_invite(&self) -> bool {
        self.request.method == Method::Invite
    }

    pub fn delivered(&self, key: &ClientKey) -> Delivered<C> {
        Delivered { key: key.clone(), context: self.context.clone(), request: self.request.clone() }
    }

    pub fn receive(&mut self, message: &Message, now: Instant) -> Verdict {
        let status = message.status().unwrap_or(100);
        match (self.state, status) {
            (State::Waiting | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                if self.is_invite() {
                    // An INVITE rings as long as it likes; its user decides when to cancel.
                    (self.resend, self.until) = (None, None);
                }
                Verdict { deliver: true, ack: None }
            }
            (State::Waiting | State::Proceeding, 200..=299) if self.is_invite() => {
                self.state = State::Accepted;
                (self.resend, self.until) = (None, Some(now + PATIENCE));
                self.bytes = vec![];
                Verdict { deliver: true, ack: None }
            }
            (State::Waiting | State::Proceeding, _) => self.complete(message, now),
            (State::Accepted, 200..=299) => Verdict { deliver: true, ack: None },
            (State::Completed, 300..) if self.is_invite() => {
                Verdict { deliver: false, ack: Some(self.ack.clone()) }
            }
            (State::Accepted | State::Completed | State::TimedOut | State::Over, _) => {
                Verdict::default()
            }
        }
    }

    fn complete(&mut self, message: &Message, now: Instant) -> Verdict {
        let wait = if self.is_invite() { PATIENCE } else { T4 };
        self.resend = None;
        self.bytes = vec![];
        self.state = if self.path.reliable { State::Over } else { State::Completed };
        self.until = (!self.path.reliable).then(|| now + wait);
        let ack = self.is_invite().then(|| {
            self.ack = self.ack_for(message);
            self.ack.clone()
        });
        Verdict { deliver: true, ack }
    }

    /// The ACK of a non-2xx response (RFC 3261 section 17.1.1.3).
    fn ack_for(&self, message: &Message) -> Vec<u8> {
        let mut ack = self.same_hop(Method::Ack);
        ack.push(Name::To, message.header(Name::To).unwrap_or_default());
        ack.write(&self.via)
    }

    /// The CANCEL (RFC 3261 section 9.1) and its Via, when it may be sent.
    pub fn cancel(&mut self, now: Instant) -> Option<(Request, String)> {
        if !self.is_invite() || self.state != State::Proceeding {
            return None;
        }
        // A final response must come now; section 9.1 gives it 64 times T1.
        self.until = Some(now + PATIENCE);
        let mut cancel = self.same_hop(Method::Cancel);
        cancel.push(Name::To, self.request.get(Name::To).unwrap_or_default());
        Some((cancel, self.via.clone()))
    }

    fn same_hop(&self, method: Method) -> Request {
        let mut request = Request::new(method, self.request.uri.clone(), self.request.cseq);
        for name in [Name::From, Name::CallId, Name::MaxForwards, Name::Route, Name::SessionId] {
            for value in self.request.all(name) {
                request.push(name, value);
            }
        }
        request
    }

    /// The bytes to send again, if it is time.
    pub fn expire(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.until.is_some_and(|until| until <= now) {
            self.state = if self.waits() { State::TimedOut } else { State::Over };
            (self.resend, self.until) = (None, None);
            return None;
        }
        let (at, interval) = self.resend.filter(|(at, _)| *at <= now)?;
        // Timer A doubles without bound, timer E up to T2 and is T2 in state proceeding.
        let next = match (self.is_invite(), self.state) {
            (true, _) => interval * 2,
            (false, State::Proceeding) => T2,
            (false, _) => (interval * 2).min(T2),
        };
        self.resend = Some((at.max(now - interval) + next, next));
        Some(self.bytes.clone())
    }

    pub fn waits(&self) -> bool {
        matches!(self.state, State::Waiting | State::Proceeding)
    }

    pub fn timed_out(&self) -> bool {
        self.state == State::TimedOut
    }
}

impl<C> Timed for Client<C> {
    fn due(&self) -> Option<Instant> {
        let resend = self.resend.map(|(at, _)| at);
        resend.into_iter().chain(self.until).min()
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over | State::TimedOut)
    }
}
