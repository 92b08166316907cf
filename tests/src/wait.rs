//! Waiting for something, with a bound. The bounds are generous: they end a test that hangs and
//! claim nothing about speed.

use std::time::{Duration, Instant};

/// Asks again and again until there is an answer; nothing when `seconds` have passed.
pub fn attempt<T>(seconds: u64, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// As [`attempt`], and a failed test when there is no answer.
///
/// # Panics
/// `seconds` have passed without an answer.
#[track_caller]
pub fn until<T>(what: &str, seconds: u64, ask: impl FnMut() -> Option<T>) -> T {
    match attempt(seconds, ask) {
        Some(answer) => answer,
        None => panic!("waited {seconds} s in vain for this: {what}"),
    }
}
