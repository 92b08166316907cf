//! Time in a replay: it stands still until everybody sleeps, then jumps to the first deadline.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use offhook_ports::{BoxFuture, Clock};

/// A flow that sleeps more often than this walks in circles.
const MOST_JUMPS: u32 = 100_000;

#[derive(Clone)]
pub(super) struct ReplayClock(Arc<Mutex<State>>);

struct State {
    start: Instant,
    passed: Duration,
    sleepers: Vec<(u64, Duration, Waker)>,
    next: u64,
}

impl ReplayClock {
    pub(super) fn new(start: Instant) -> Self {
        let state = State { start, passed: Duration::ZERO, sleepers: vec![], next: 0 };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self) -> bool {
        let mut state = self.state();
        let Some(first) = state.sleepers.iter().map(|(_, due, _)| *due).min() else {
            return false;
        };
        state.passed = state.passed.max(first);
        let passed = state.passed;
        let (due, waiting) = state.sleepers.drain(..).partition(|(_, due, _)| *due <= passed);
        state.sleepers = waiting;
        drop(state);
        let due: Vec<(u64, Duration, Waker)> = due;
        due.into_iter().for_each(|(_, _, waker)| waker.wake());
        true
    }
}

impl Clock for ReplayClock {
    fn now(&self) -> Instant {
        let state = self.state();
        state.start + state.passed
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.state();
        state.next += 1;
        let (id, due) = (state.next, state.passed.saturating_add(duration));
        drop(state);
        Box::pin(Sleep { clock: self.clone(), id, due })
    }
}

struct Sleep {
    clock: ReplayClock,
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

/// Drives a future on this thread. Nothing when it waits for what never comes.
pub(super) fn run<F: Future>(clock: &ReplayClock, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut context = Context::from_waker(&waker);
    let mut jumps = 0;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        if !flag.0.swap(false, Ordering::SeqCst) {
            jumps += 1;
            if jumps > MOST_JUMPS || !clock.advance() {
                return None;
            }
        }
    }
}
