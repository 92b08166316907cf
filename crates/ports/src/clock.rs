//! Time for flows. Machines get time as an argument instead.

use std::time::{Duration, Instant};

use crate::BoxFuture;

/// A clock that can be waited on.
pub trait Clock: Send + Sync {
    /// Monotonic time.
    fn now(&self) -> Instant;

    /// Ends after `duration`. Dropping it cancels.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}
