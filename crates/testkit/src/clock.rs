//! Time that passes only when everybody waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use offhook_model::{Moment, Timestamp};
use offhook_ports::{BoxFuture, Clock};

/// The origin of all virtual time in this process.
#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made otherwise; read once")]
pub fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

/// The origin on both clocks; the wall clock says 2026-11-22T12:00:00Z.
pub fn moment() -> Moment {
    Moment { at: epoch(), wall: Timestamp(1_795_348_800_000) }
}

#[derive(Default)]
struct State {
    passed: Duration,
    sleepers: Vec<(u64, Duration, Waker)>,
    next_id: u64,
}

/// A clock that stands still until [`block_on`] finds everybody asleep, then jumps to the first
/// deadline.
#[derive(Clone, Default)]
pub struct VirtualClock(Arc<Mutex<State>>);

impl VirtualClock {
    /// A clock at [`epoch`].
    pub fn new() -> Self {
        Self::default()
    }

    /// How much virtual time has passed.
    pub fn passed(&self) -> Duration {
        self.state().passed
    }

    /// Jumps to the first deadline and wakes who waited for it. `false` when nobody waits.
    pub fn advance(&self) -> bool {
        let mut state = self.state();
        let Some(first) = state.sleepers.iter().map(|(_, due, _)| *due).min() else {
            return false;
        };
        state.passed = state.passed.max(first);
        let passed = state.passed;
        let (due, waiting) = state.sleepers.drain(..).partition(|(_, due, _)| *due <= passed);
        state.sleepers = waiting;
        drop(state);
        let due: Vec<_> = due;
        for (_, _, waker) in due {
            waker.wake();
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        epoch() + self.passed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.state();
        state.next_id += 1;
        let id = state.next_id;
        let due = state.passed + duration;
        drop(state);
        Box::pin(Sleep { clock: self.clone(), id, due })
    }
}

struct Sleep {
    clock: VirtualClock,
    id: u64,
    due: Duration,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if state.passed >= self.due {
            return Poll::Ready(());
        }
        let id = self.id;
        state.sleepers.retain(|(sleeper, _, _)| *sleeper != id);
        state.sleepers.push((id, self.due, context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let id = self.id;
        self.clock.state().sleepers.retain(|(sleeper, _, _)| *sleeper != id);
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Drives a future on this thread, letting virtual time pass whenever it only waits.
///
/// # Panics
/// When the future waits for something other than this clock: it would wait for ever.
pub fn block_on<F: Future>(clock: &VirtualClock, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(flag.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        if !flag.0.swap(false, Ordering::SeqCst) {
            assert!(clock.advance(), "the future waits for something that never comes");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use offhook_ports::Clock;

    use super::{VirtualClock, block_on};

    #[test]
    fn an_hour_passes_at_once() {
        let clock = VirtualClock::new();
        block_on(&clock, clock.sleep(Duration::from_secs(3600)));
        assert_eq!(clock.passed(), Duration::from_secs(3600));
    }
}
