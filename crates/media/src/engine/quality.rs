//! Figures about a stream over the last seconds: its bit rate and its losses.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Counts over the last seconds.
pub(super) struct Window {
    /// When, and the totals of bytes, packets expected and packets lost at that time.
    marks: VecDeque<(Instant, [u64; 3])>,
}

const SPAN: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(900);

impl Window {
    pub(super) fn new() -> Self {
        Self { marks: VecDeque::with_capacity(8) }
    }

    /// Takes the totals at `now`; may be called as often as one likes.
    pub(super) fn note(&mut self, now: Instant, bytes: u64, expected: u64, lost: u64) {
        let due =
            self.marks.back().is_none_or(|(last, _)| now.saturating_duration_since(*last) >= STEP);
        if due {
            self.marks.push_back((now, [bytes, expected, lost]));
        }
        while self.marks.len() > 2
            && self.marks.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= SPAN)
        {
            self.marks.pop_front();
        }
    }

    /// Bits per second, and percent lost, from the oldest mark to these totals.
    pub(super) fn figures(&self, now: Instant, bytes: u64, expected: u64, lost: u64) -> (u32, f32) {
        let Some((from, [old_bytes, old_expected, old_lost])) = self.marks.front() else {
            return (0, 0.0);
        };
        let seconds = now.saturating_duration_since(*from).as_secs_f64();
        let bits = bytes.saturating_sub(*old_bytes) as f64 * 8.0;
        let rate = if seconds > 0.05 { (bits / seconds) as u32 } else { 0 };
        let due = expected.saturating_sub(*old_expected);
        let gone = lost.saturating_sub(*old_lost);
        let percent = if due > 0 { (gone as f32 * 100.0 / due as f32).min(100.0) } else { 0.0 };
        (rate, percent)
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use std::time::{Duration, Instant};

    #[test]
    #[expect(clippy::disallowed_methods, reason = "some point to count from")]
    fn figures_follow_the_last_seconds() {
        let start = Instant::now();
        let mut window = Window::new();
        for second in 0..60u64 {
            let now = start + Duration::from_secs(second);
            // 64 kbit/s; every tenth packet is lost in the last half minute only.
            let lost = second.saturating_sub(30) * 5;
            window.note(now, second * 8_000, second * 50, lost);
        }
        let now = start + Duration::from_secs(60);
        let (rate, loss) = window.figures(now, 60 * 8_000, 60 * 50, 150);
        assert!((63_000..65_000).contains(&rate), "{rate}");
        assert!((9.0..11.0).contains(&loss), "{loss}");
    }
}
