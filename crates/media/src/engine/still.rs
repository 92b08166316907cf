//! A microphone that gives nothing: switched off at the headset or in the system, gone, or never
//! there. A room is never so quiet that exact zeros come, or as good as.

use std::time::Instant;

use offhook_ports::Microphone;

/// Below half of the least step of 16 bits nothing can be told from nothing.
const NOTHING: f32 = 1.0 / 65_536.0;

/// Where a frame came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Not from a sound card: it may be as silent as it likes.
    Made,
    /// From a card.
    Card,
    /// There should be a card.
    Nothing,
}

/// Watches what the microphone gives.
#[derive(Default)]
pub(super) struct Still {
    zeros: Option<Instant>,
    absent: Option<Instant>,
    /// There was a card.
    was: bool,
}

impl Still {
    /// A frame came.
    pub(super) fn note(&mut self, source: Source, frame: &[f32], now: Instant) {
        self.was |= source == Source::Card;
        match source {
            Source::Made => (self.zeros, self.absent) = (None, None),
            Source::Nothing => {
                self.zeros = None;
                self.absent.get_or_insert(now);
            }
            Source::Card => {
                self.absent = None;
                if frame.iter().any(|sample| sample.abs() > NOTHING) {
                    self.zeros = None;
                } else {
                    self.zeros.get_or_insert(now);
                }
            }
        }
    }

    /// How it does.
    pub(super) fn state(&self, now: Instant) -> Microphone {
        let since = |at| now.saturating_duration_since(at);
        match (self.absent, self.zeros) {
            (Some(at), _) if self.was => Microphone::Gone(since(at)),
            (Some(at), _) => Microphone::Missing(since(at)),
            (None, Some(at)) => Microphone::Still(since(at)),
            (None, None) => Microphone::Works,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, Still};
    use offhook_ports::Microphone;
    use std::time::{Duration, Instant};

    #[test]
    #[expect(clippy::disallowed_methods, reason = "some point to count from")]
    fn zeros_are_no_quiet_room_and_their_end_is_seen_at_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut still = Still::default();
        for ms in (0..2_000).step_by(20) {
            still.note(Source::Card, &[0.0; 960], at(ms));
        }
        assert_eq!(still.state(at(2_000)), Microphone::Still(Duration::from_secs(2)));
        still.note(Source::Card, &[0.0, 0.000_05], at(2_000));
        assert_eq!(still.state(at(2_000)), Microphone::Works, "a quiet room");
        still.note(Source::Made, &[0.0; 960], at(2_020));
        assert_eq!(still.state(at(9_000)), Microphone::Works, "a file may be silent");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "some point to count from")]
    fn one_that_is_gone_is_told_from_one_that_never_was() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut still = Still::default();
        still.note(Source::Nothing, &[0.0], start);
        assert_eq!(still.state(start + second), Microphone::Missing(second));
        still.note(Source::Card, &[0.1], start + second);
        assert_eq!(still.state(start + second), Microphone::Works);
        still.note(Source::Nothing, &[0.0], start + second);
        assert_eq!(still.state(start + 2 * second), Microphone::Gone(second));
    }
}
