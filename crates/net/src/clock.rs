//! The clock: the only place below the media threads that asks the machine what time it is.

use std::time::{Duration, Instant};

use offhook_ports::{BoxFuture, Clock};

use crate::Net;

/// Monotonic time of this machine.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// How long this machine has been asleep in all since it was started; nothing on systems that do
/// not say.
pub(crate) fn slept() -> Duration {
    #[cfg(target_os = "linux")]
    {
        use rustix::time::{ClockId, clock_gettime};
        let of = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        // Only one of the two goes on during sleep.
        of(ClockId::Boottime).saturating_sub(of(ClockId::Monotonic))
    }
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}

impl Clock for Net {
    fn now(&self) -> Instant {
        now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
