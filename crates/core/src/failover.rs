//! The way back to IM and Presence after a server was lost (reference im-presence.md section 3), as
//! a plain value. The users of a failed node come back spread out over a window that the server
//! gives, by the session they have, then by a new one, and then not by themselves any more.
//!
//! Which of the two nodes is asked first and which second is the flow's business (SOAP) and the
//! link's (XMPP): each of the states of connecting here stands for both nodes, primary before
//! secondary. The attempt at once to take the stream up again (XEP-0198) is ours; it needs no new
//! session, so it does not burden a node that has just come up.

use std::time::{Duration, Instant};

use offhook_signin::SoapStep;

use crate::chance::Chance;

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Chat works.
    XmppConnected,
    /// Lost, and the stream may be taken up again.
    Resuming,
    /// The user wants one more attempt after it stopped.
    Wanted,
    /// Waiting; then asked by the session we have, or with `login` by a new one.
    Failover {
        /// End of the wait.
        until: Instant,
        /// The session was of no use.
        login: bool,
    },
    /// Asked by the session we have; `at_once` for the stream's sake.
    SoapConnectSession {
        /// Without a wait before.
        at_once: bool,
    },
    /// Asked with name and password.
    SoapConnect,
    /// Let in; the chat nodes are tried.
    XmppConnect {
        /// Without a wait before.
        at_once: bool,
    },
    /// Only the user begins anew.
    Stopped,
}

/// The machine.
#[derive(Clone, Debug)]
pub(crate) struct Failover {
    state: State,
    lower: Duration,
    upper: Duration,
}

impl Failover {
    /// A chat connection was lost. `resumable`: its stream may be taken up again at once. The limits
    /// are Client Re-Login Lower and Upper Limit; a wait lies evenly between them, both included.
    pub(crate) fn lost(
        (lower, upper): (Duration, Duration),
        resumable: bool,
        now: Instant,
        chance: &mut Chance,
    ) -> Self {
        let mut machine = Self { state: State::XmppConnected, lower, upper };
        match resumable {
            true => machine.state = State::Resuming,
            false => machine.wait(false, now, chance),
        }
        machine
    }

    /// The user asks, and nobody waits. Where it had stopped that is one attempt by whatever lets us
    /// in, and then it stops again; else it goes on as after a wait.
    pub(crate) fn by_user(
        (lower, upper): (Duration, Duration),
        stopped: bool,
        now: Instant,
    ) -> Self {
        let waited = State::Failover { until: now, login: false };
        Self { state: if stopped { State::Wanted } else { waited }, lower, upper }
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The server is asked now: how.
    pub(crate) fn ask(&mut self) -> SoapStep {
        let (state, step) = match self.state {
            State::Wanted => (State::SoapConnect, SoapStep::Both),
            State::Failover { login: true, .. } => (State::SoapConnect, SoapStep::Login),
            State::Resuming => (State::SoapConnectSession { at_once: true }, SoapStep::Session),
            State::Failover { login: false, .. }
            | State::XmppConnected
            | State::SoapConnectSession { .. }
            | State::SoapConnect
            | State::XmppConnect { .. }
            | State::Stopped => (State::SoapConnectSession { at_once: false }, SoapStep::Session),
        };
        self.state = state;
        step
    }

    /// The server let us in.
    pub(crate) fn let_in(&mut self) {
        let at_once = matches!(self.state, State::SoapConnectSession { at_once: true });
        self.state = State::XmppConnect { at_once };
    }

    /// What was tried failed, at both nodes.
    pub(crate) fn failed(&mut self, now: Instant, chance: &mut Chance) {
        match self.state {
            State::XmppConnected
            | State::Resuming
            | State::SoapConnectSession { at_once: true }
            | State::XmppConnect { at_once: true } => self.wait(false, now, chance),
            State::SoapConnectSession { at_once: false } => self.wait(true, now, chance),
            State::SoapConnect | State::XmppConnect { at_once: false } => {
                self.state = State::Stopped;
            }
            State::Failover { .. } | State::Wanted | State::Stopped => {}
        }
    }

    fn wait(&mut self, login: bool, now: Instant, chance: &mut Chance) {
        let window = self.upper.saturating_sub(self.lower).as_millis();
        let window = u64::try_from(window).unwrap_or(u64::MAX - 1);
        let wait = self.lower + Duration::from_millis(chance.below(window.saturating_add(1)));
        self.state = State::Failover { until: now + wait, login };
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use offhook_signin::SoapStep;

    use super::{Failover, State};
    use crate::chance::Chance;

    const LIMITS: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(537));

    #[allow(clippy::disallowed_methods, reason = "virtual time needs a start")]
    fn start() -> Instant {
        Instant::now()
    }

    /// What happens, in one letter: the stream goes on (r), the server lets us in (+), it does not or
    /// chat does not connect (-).
    fn after(resumable: bool, events: &str) -> (State, Vec<SoapStep>) {
        let (now, mut chance) = (start(), Chance::new(7));
        let mut machine = Failover::lost(LIMITS, resumable, now, &mut chance);
        let mut steps = vec![];
        for event in events.chars() {
            if matches!(machine.state(), State::Resuming | State::Failover { .. }) {
                steps.push(machine.ask());
            }
            match event {
                '+' => machine.let_in(),
                _ => machine.failed(now, &mut chance),
            }
        }
        (machine.state(), steps)
    }

    #[test]
    fn every_path_is_the_one_of_the_table() {
        use SoapStep::{Login, Session};
        let waits = |state: State, wanted: bool| matches!(state, State::Failover { login, .. } if login == wanted);
        assert_eq!(after(true, "").0, State::Resuming);
        assert!(waits(after(false, "").0, false));
        let connecting = |at_once| State::XmppConnect { at_once };
        assert_eq!(after(true, "+"), (connecting(true), vec![Session]));
        assert!(waits(after(true, "-").0, false), "no harm done");
        assert!(waits(after(true, "+-").0, false), "let in, and chat is away");
        assert_eq!(after(true, "-+"), (connecting(false), vec![Session, Session]));
        assert_eq!(after(false, "+"), (connecting(false), vec![Session]));
        assert_eq!(after(false, "+-"), (State::Stopped, vec![Session]));
        assert!(waits(after(false, "-").0, true));
        assert_eq!(after(false, "-+"), (connecting(false), vec![Session, Login]));
        assert_eq!(after(false, "-+-"), (State::Stopped, vec![Session, Login]));
        assert_eq!(after(false, "--"), (State::Stopped, vec![Session, Login]));
        assert_eq!(after(true, "---"), (State::Stopped, vec![Session, Session, Login]));
        assert_eq!(after(true, "----").0, State::Stopped);
    }

    #[test]
    fn waits_are_spread_evenly_between_the_limits() {
        let (now, mut chance) = (start(), Chance::new(3));
        let mut thirds = [0_u32; 3];
        for _ in 0..3_000 {
            let machine = Failover::lost(LIMITS, false, now, &mut chance);
            let State::Failover { until, .. } = machine.state() else { panic!("it waits") };
            let wait = until - now;
            assert!((LIMITS.0..=LIMITS.1).contains(&wait), "{wait:?}");
            let third = (wait - LIMITS.0).as_millis() * 3 / 417_001;
            thirds[usize::try_from(third).expect("small")] += 1;
        }
        assert!(thirds.iter().all(|count| (850..1_150).contains(count)), "{thirds:?}");
        let same = (Duration::from_secs(1), Duration::from_secs(1));
        let machine = Failover::lost(same, false, now, &mut chance);
        assert_eq!(machine.state(), State::Failover { until: now + same.0, login: false });
    }
}
