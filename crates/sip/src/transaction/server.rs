//! One request of theirs (RFC 3261 section 17.2, RFC 6026 section 8.5), and the repetition of 2xx
//! to INVITE that section 13.3.1.4 leaves to the core.

use std::time::{Duration, Instant};

use super::timed::Timed;
use super::{PATIENCE, Path, T1, T2, T4};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No final response yet.
    Proceeding,
    /// Final response sent; it is sent again on repetitions, to INVITE also by itself.
    Completed,
    /// INVITE only: 2xx sent, no ACK yet.
    Accepted,
    /// INVITE only: the ACK came; repetitions are absorbed.
    Confirmed,
    Unacknowledged,
    Over,
}

#[derive(Debug)]
pub(super) struct Server {
    pub path: Path,
    invite: bool,
    state: State,
    last: Vec<u8>,
    /// Timer G, and the repetition of 2xx.
    resend: Option<(Instant, Duration)>,
    /// Timers H, I, J and L.
    until: Option<Instant>,
}

impl Server {
    pub fn new(path: Path, invite: bool) -> Self {
        Self { path, invite, state: State::Proceeding, last: vec![], resend: None, until: None }
    }

    /// Whether this response may be sent.
    pub fn respond(&mut self, status: u16, bytes: Vec<u8>, now: Instant) -> bool {
        if self.state != State::Proceeding {
            return false;
        }
        self.last = bytes;
        match status {
            0..=199 => {}
            200..=299 if self.invite => {
                self.state = State::Accepted;
                self.resend = Some((now + T1, T1));
                self.until = Some(now + PATIENCE);
            }
            _ if self.invite => {
                self.state = State::Completed;
                self.resend = (!self.path.reliable).then(|| (now + T1, T1));
                self.until = Some(now + PATIENCE);
            }
            _ if self.path.reliable => self.state = State::Over,
            _ => {
                self.state = State::Completed;
                self.until = Some(now + PATIENCE);
            }
        }
        true
    }

    /// What to send because the request came again.
    pub fn repeated(&self) -> Option<Vec<u8>> {
        let again = matches!(self.state, State::Proceeding | State::Completed);
        (again && !self.last.is_empty()).then(|| self.last.clone())
    }

    /// An ACK with our branch came. Whether it was for a non-2xx.
    pub fn acknowledge(&mut self, now: Instant) -> bool {
        if !self.invite || !matches!(self.state, State::Completed | State::Confirmed) {
            return false;
        }
        self.resend = None;
        if self.state == State::Completed {
            self.state = if self.path.reliable { State::Over } else { State::Confirmed };
            self.until = Some(now + if self.path.reliable { Duration::ZERO } else { T4 });
        }
        true
    }

    /// The ACK of our 2xx came by the dialog. Timer L goes on.
    pub fn acknowledged(&mut self) {
        if self.state == State::Accepted {
            self.state = State::Confirmed;
            self.resend = None;
            self.last = vec![];
        }
    }

    /// The bytes to send again, if it is time.
    pub fn expire(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.until.is_some_and(|until| until <= now) {
            self.state =
                if self.state == State::Accepted { State::Unacknowledged } else { State::Over };
            (self.resend, self.until) = (None, None);
            return None;
        }
        let (at, interval) = self.resend.filter(|(at, _)| *at <= now)?;
        let next = (interval * 2).min(T2);
        self.resend = Some((at.max(now - interval) + next, next));
        Some(self.last.clone())
    }

    pub fn unacknowledged(&self) -> bool {
        self.state == State::Unacknowledged
    }
}

impl Timed for Server {
    fn due(&self) -> Option<Instant> {
        let resend = self.resend.map(|(at, _)| at);
        resend.into_iter().chain(self.until).min()
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over | State::Unacknowledged)
    }
}
