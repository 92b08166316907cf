//! Figures about a stream: its bit rate over the last seconds, and an estimate of how it sounds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use offhook_model::AudioCodec;

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

/// An estimate of the listening quality, 1 to 4.5, by the E-model of ITU-T G.107 with everything
/// at its default but delay and loss. `Ie` and `Bpl` of G.711 are those of G.113 Appendix I with
/// concealment; those of G.722 and Opus are our own choice, since the narrow-band scale has none:
/// an estimate to tell good from bad by, no measurement.
pub(super) fn mos(codec: AudioCodec, loss_percent: f32, one_way_ms: f32) -> f32 {
    let (impairment, robustness) = match codec {
        AudioCodec::Pcmu | AudioCodec::Pcma => (0.0, 25.1),
        AudioCodec::G729 => (11.0, 19.0),
        AudioCodec::G722 => (0.0, 15.0),
        AudioCodec::G7221At24 | AudioCodec::G7221At32 => (0.0, 15.0),
        AudioCodec::Opus => (0.0, 30.0),
    };
    let late = (one_way_ms - 177.3).max(0.0);
    let delay = 0.024 * one_way_ms + 0.11 * late;
    let equipment = impairment + (95.0 - impairment) * loss_percent / (loss_percent + robustness);
    let r = (93.2 - delay - equipment).clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::{Window, mos};
    use offhook_model::AudioCodec;
    use std::time::{Duration, Instant};

    #[test]
    fn the_estimate_falls_with_loss_and_delay() {
        let good = mos(AudioCodec::Pcmu, 0.0, 50.0);
        assert!((4.3..4.5).contains(&good), "{good}");
        assert!(mos(AudioCodec::Pcmu, 5.0, 50.0) < good - 0.3);
        assert!(mos(AudioCodec::Pcmu, 0.0, 400.0) < good - 0.5);
        assert!(mos(AudioCodec::Opus, 100.0, 5_000.0) >= 1.0);
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
