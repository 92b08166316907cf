//! Figures about a stream over the last seconds: its bit rate and its losses.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use offhook_model::Mos;
use offhook_ports::Opinion;

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

/// Estimates of a call, one a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Opinions {
    now: Option<Mos>,
    sum: u64,
    count: u64,
    range: Option<(Mos, Mos)>,
}

impl Opinions {
    pub(super) fn note(&mut self, mos: Mos) {
        self.now = Some(mos);
        self.sum += u64::from(mos.0);
        self.count += 1;
        let (least, most) = self.range.unwrap_or((mos, mos));
        self.range = Some((least.min(mos), most.max(mos)));
    }

    pub(super) fn sum_up(&self) -> Option<Opinion> {
        let (least, most) = self.range?;
        let mean = Mos((self.sum / self.count.max(1)) as u16);
        Some(Opinion { now: self.now?, mean, least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::{Opinions, Window};
    use offhook_model::Mos;
    use std::time::{Duration, Instant};

    #[test]
    fn opinions_are_summed_up() {
        let mut opinions = Opinions::default();
        assert_eq!(opinions.sum_up(), None);
        for mos in [440, 400, 300, 420] {
            opinions.note(Mos(mos));
        }
        let all = opinions.sum_up().expect("four");
        assert_eq!(
            (all.now, all.mean, all.least, all.most),
            (Mos(420), Mos(390), Mos(300), Mos(440))
        );
    }

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
