//! How often an edge may be asked. Its intrusion protection shuts an address out for ten minutes
//! after a few refused sign-ins, or after more than five requests with a cookie that is over (rule
//! D17); everybody behind the same address then suffers. So we stop by ourselves before it does.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// How long a refusal counts. Longer than the edge's own ten minutes: its clock began before ours.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Most refused sign-ins within the window; the next one waits until the first is out of it.
pub const MOST_REFUSED: usize = 3;
/// Between a refused sign-in and the next (reference edge.md section 2).
pub const APART: Duration = Duration::from_secs(15);
/// Most sign-ins of any outcome within the window: whatever goes wrong, it is no flood.
pub const MOST_SIGN_INS: usize = 12;
/// Most requests within the window that the edge may find to have a cookie that is over.
pub const MOST_STALE: usize = 5;
/// Most requests under way at once: should the edge forget the cookie now, so many are stale, and
/// some must be left for the next time.
pub const MOST_AT_ONCE: usize = 3;

/// What may be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Go on.
    Now,
    /// After this little time, at most [`APART`].
    Soon(Duration),
    /// Not before this time has passed.
    Refused(Duration),
}

/// The record of what the edge did not like. A value: time is an argument.
#[derive(Debug, Default)]
struct Record {
    sign_ins: VecDeque<Instant>,
    refused: VecDeque<Instant>,
    stale: VecDeque<Instant>,
    under_way: usize,
    waiting: Vec<Waker>,
}

impl Record {
    fn age(&mut self, now: Instant) {
        for list in [&mut self.sign_ins, &mut self.refused, &mut self.stale] {
            while list.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
                list.pop_front();
            }
        }
    }

    fn sign_in(&mut self, now: Instant) -> Leave {
        self.age(now);
        let full =
            [full(&self.refused, MOST_REFUSED, now), full(&self.sign_ins, MOST_SIGN_INS, now)];
        if let Some(wait) = full.into_iter().flatten().max() {
            return Leave::Refused(wait);
        }
        let apart = self.refused.back().map(|at| *at + APART);
        match apart.map(|at| at.saturating_duration_since(now)) {
            Some(wait) if !wait.is_zero() => Leave::Soon(wait),
            Some(_) | None => {
                self.sign_ins.push_back(now);
                Leave::Now
            }
        }
    }
}

/// How long until a full list has room.
fn full(list: &VecDeque<Instant>, most: usize, now: Instant) -> Option<Duration> {
    let first = list.front().filter(|_| list.len() >= most)?;
    Some((*first + WINDOW).saturating_duration_since(now))
}

/// The record, shared by all sign-ins of this program: clones are the same budget. It must live
/// longer than a session, for a user who types a wrong password starts a new one each time.
#[derive(Clone, Default)]
pub struct EdgeBudget(Arc<Mutex<Record>>);

impl EdgeBudget {
    /// Asks to sign in. [`Leave::Now`] counts as a sign-in.
    pub(crate) fn sign_in(&self, now: Instant) -> Leave {
        self.lock().sign_in(now)
    }

    /// The sign-in just counted never reached the edge.
    pub(crate) fn not_reached(&self) {
        self.lock().sign_ins.pop_back();
    }

    /// The edge refused a sign-in.
    pub(crate) fn refused(&self, now: Instant) {
        self.lock().refused.push_back(now);
    }

    /// The edge has refused so much that it may have shut us out.
    pub(crate) fn is_suspicious(&self, now: Instant) -> bool {
        let mut record = self.lock();
        record.age(now);
        record.refused.len() >= MOST_REFUSED || record.stale.len() >= MOST_STALE
    }

    /// Waits until one more request cannot be one too many.
    ///
    /// # Errors
    /// How long to wait, when that many requests were stale already.
    pub(crate) async fn request(&self, now: impl Fn() -> Instant) -> Result<Permit, Duration> {
        poll_fn(|context| {
            let mut record = self.lock();
            let now = now();
            record.age(now);
            if let Some(wait) = full(&record.stale, MOST_STALE, now) {
                return Poll::Ready(Err(wait));
            }
            let room = MOST_AT_ONCE.min(MOST_STALE - record.stale.len());
            if record.under_way < room {
                record.under_way += 1;
                return Poll::Ready(Ok(Permit(self.clone())));
            }
            record.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EdgeBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EdgeBudget")
    }
}

/// One request under way.
pub(crate) struct Permit(EdgeBudget);

impl Permit {
    /// The edge found its cookie over.
    pub(crate) fn stale(self, now: Instant) {
        self.0.lock().stale.push_back(now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let waiting = {
            let mut record = self.0.lock();
            record.under_way = record.under_way.saturating_sub(1);
            std::mem::take(&mut record.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use offhook_testkit::{VirtualClock, block_on, epoch};

    use super::{APART, EdgeBudget, Leave, MOST_AT_ONCE, MOST_REFUSED, MOST_SIGN_INS, WINDOW};

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn refusals_are_spaced_and_then_waited_for() {
        let budget = EdgeBudget::default();
        let mut now = epoch();
        for _ in 0..MOST_REFUSED {
            assert_eq!(budget.sign_in(now), Leave::Now);
            budget.refused(now);
            now += seconds(5);
            let leave = budget.sign_in(now);
            assert!(leave == Leave::Soon(seconds(10)) || budget.is_suspicious(now), "{leave:?}");
            now += APART;
        }
        let wait = WINDOW - seconds(60);
        assert_eq!(budget.sign_in(now), Leave::Refused(wait));
        assert_eq!(budget.sign_in(now + wait), Leave::Now);
    }

    #[test]
    fn sign_ins_that_reach_nobody_do_not_count() {
        let budget = EdgeBudget::default();
        for _ in 0..100 {
            assert_eq!(budget.sign_in(epoch()), Leave::Now);
            budget.not_reached();
        }
        for _ in 0..MOST_SIGN_INS {
            assert_eq!(budget.sign_in(epoch()), Leave::Now);
        }
        assert_eq!(budget.sign_in(epoch()), Leave::Refused(WINDOW));
    }

    #[test]
    fn stale_requests_are_counted_before_they_are_too_many() {
        let (clock, budget) = (VirtualClock::new(), EdgeBudget::default());
        let ask = || block_on(&clock, budget.request(epoch));
        let permits: Vec<_> = (0..MOST_AT_ONCE).map(|_| ask().expect("leave")).collect();
        permits.into_iter().for_each(|permit| permit.stale(epoch()));
        let left: Vec<_> = (0..2).map(|_| ask().expect("leave")).collect();
        left.into_iter().for_each(|permit| permit.stale(epoch()));
        assert_eq!(ask().err(), Some(WINDOW));
        assert!(block_on(&clock, budget.request(|| epoch() + WINDOW)).is_ok());
    }
}
