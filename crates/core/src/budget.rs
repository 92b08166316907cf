//! How often an authenticator may be asked of our own accord: a plain value with a few tokens, so that
//! neither the account nor this address is ever blocked (D17; reference edge.md section 2: too many
//! refusals in a row get the address banned).
//!
//! An attempt costs a token. One that was let in gives it back, and so does one that never reached
//! anybody. A person who types a password is not held up; what they type costs all the same, so that
//! nothing automatic comes on top of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use offhook_model::{Area, Owner, Problem, Rule, Timestamp};

/// How many attempts within [`WINDOW`] may end without being let in.
pub(crate) const TOKENS: usize = 5;
/// How long a spent token is missing.
pub(crate) const WINDOW: Duration = Duration::from_secs(600);
/// How long after an attempt that failed the next one begins at the earliest.
pub(crate) const APART: Duration = Duration::from_secs(2);

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// We are in.
    LetIn,
    /// No server saw a word of it.
    NeverAsked,
    /// It failed, or nobody knows how far it came.
    Failed,
}

impl Ended {
    /// What the outcome of an attempt means for the budget.
    pub(crate) fn of<T>(outcome: &Result<T, Problem>) -> Self {
        match outcome {
            Ok(_) => Self::LetIn,
            Err(problem) if never_asked(problem) => Self::NeverAsked,
            Err(_) => Self::Failed,
        }
    }
}

/// Names that are not found, connections that are not made and certificates that are not believed
/// end before a password is sent; a login page of the network is no authenticator.
fn never_asked(problem: &Problem) -> bool {
    match problem.area {
        Area::Dns | Area::Tls => true,
        Area::Network => problem.rule == Some(Rule(7)),
        Area::Provisioning => is_portal(problem),
        Area::Authentication | Area::Registration | Area::Media => false,
    }
}

/// A web page came where data was expected, which is how a network's login page shows itself
/// ([`offhook_model::Fault::Html`] is the only provisioning problem that the network owns).
pub(crate) fn is_portal(problem: &Problem) -> bool {
    (problem.area, problem.owner) == (Area::Provisioning, Owner::Network)
}

/// The tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budget {
    spent: VecDeque<Instant>,
    failed: Option<Instant>,
}

impl Budget {
    /// When the next attempt may begin: at `now`, or later.
    pub(crate) fn ready_at(&self, now: Instant) -> Instant {
        let apart = self.failed.map_or(now, |failed| failed + APART);
        let counted = self.spent.iter().filter(|at| **at + WINDOW > now);
        let token = if counted.clone().count() < TOKENS {
            now
        } else {
            // The oldest of the last few comes back first.
            self.spent.iter().rev().nth(TOKENS - 1).map_or(now, |at| *at + WINDOW)
        };
        apart.max(token).max(now)
    }

    /// All tokens are spent.
    pub(crate) fn is_out(&self, now: Instant) -> bool {
        self.spent.iter().filter(|at| **at + WINDOW > now).count() >= TOKENS
    }

    /// An attempt begins.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.spent.retain(|at| *at + WINDOW > now);
        self.spent.push_back(now);
    }

    /// The attempt that began last is over. One that was cancelled is not told and stays spent.
    pub(crate) fn end(&mut self, how: Ended, now: Instant) {
        match how {
            Ended::LetIn => {
                self.spent.pop_back();
                self.failed = None;
            }
            Ended::NeverAsked => drop(self.spent.pop_back()),
            Ended::Failed => self.failed = Some(now),
        }
    }
}

/// Why nothing is tried until then.
pub(crate) fn spent_problem(until: Timestamp) -> Problem {
    Problem::new(
        Area::Authentication,
        Owner::Server,
        format!(
            "Signing in failed {TOKENS} times within ten minutes; nothing is tried before {}, so \
             that neither the account nor this address is blocked.",
            clock(until)
        ),
        "It goes on by itself; look at what failed meanwhile.",
    )
    .with_rule(17)
}

/// The time of day, for people.
pub(crate) fn clock(time: Timestamp) -> String {
    time.to_utc().format("%H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use offhook_model::{Endpoint, Fault, Link, Service};

    use super::{APART, Budget, Ended, TOKENS, WINDOW};

    #[allow(clippy::disallowed_methods, reason = "virtual time needs a start")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn attempts_that_fail_use_it_up_and_time_gives_it_back() {
        let (mut budget, begin) = (Budget::default(), start());
        let mut now = begin;
        for _ in 0..TOKENS {
            assert_eq!(budget.ready_at(now), now);
            budget.begin(now);
            budget.end(Ended::Failed, now);
            assert!(budget.ready_at(now) >= now + APART);
            now += Duration::from_secs(10);
        }
        assert!(budget.is_out(now));
        assert_eq!(budget.ready_at(now), begin + WINDOW);
        assert_eq!(budget.ready_at(begin + WINDOW), begin + WINDOW);
        budget.begin(begin + WINDOW);
        // One token came back and is gone again: the second oldest is next.
        let now = begin + WINDOW;
        assert_eq!(budget.ready_at(now), now + Duration::from_secs(10));
    }

    #[test]
    fn success_and_unreached_servers_cost_nothing() {
        let (mut budget, now) = (Budget::default(), start());
        for how in [Ended::LetIn, Ended::NeverAsked].repeat(20) {
            budget.begin(now);
            budget.end(how, now);
        }
        assert_eq!(budget.ready_at(now), now);
        budget.begin(now); // cancelled
        budget.begin(now);
        budget.end(Ended::LetIn, now);
        for _ in 1..TOKENS {
            assert!(!budget.is_out(now));
            budget.begin(now);
        }
        assert!(budget.is_out(now), "what was cancelled stays spent");
    }

    #[test]
    fn what_a_server_saw_counts() {
        let at = Endpoint { service: Service::Uds, host: "u".into(), port: 8443, link: Link::Tls };
        let ended = |fault: Fault| Ended::of::<()>(&Err(fault.problem(&at)));
        for fault in [Fault::PortRefused, Fault::ConnectTimeout, Fault::Html] {
            assert_eq!(ended(fault), Ended::NeverAsked);
        }
        for fault in [Fault::BadCredentials, Fault::Status(503), Fault::AnswerTimeout] {
            assert_eq!(ended(fault), Ended::Failed);
        }
    }
}
