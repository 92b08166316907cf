//! The clock: the only place below the media threads that asks the machine what time it is.

use std::time::{Duration, Instant};

use offhook_ports::{BoxFuture, Clock};

use crate::Net;

/// Monotonic time of this machine.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Instant {
    Instant::now()
}

impl Clock for Net {
    fn now(&self) -> Instant {
        now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
