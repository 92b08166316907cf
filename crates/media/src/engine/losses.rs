//! How much of what we send gets lost, as the other side's reports tell, and what the encoder is told.

use offhook_codec::ExpectedLoss;

/// From this loss in percent on, earlier sound is sent once more where that is agreed.
const ENOUGH: f32 = 1.0;

/// Encoders are told at least this while losses are expected: redundancy made for 5 % costs clean sound
/// no more than that made for 1 % (PESQ of three voices, Opus at 32 kbit/s: 4.15 and 4.14).
const FLOOR: f32 = 5.0;

/// Smoothed below this, no loss is expected any longer: six clean reports, half a minute, after 1 %.
const FORGOTTEN: f32 = 0.2;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Losses {
    /// Smoothed, in percent.
    reported: f32,
    /// The same, but begun as if a loss had been reported: the first loss is to be made good as well.
    expected: f32,
}

impl Default for Losses {
    fn default() -> Self {
        Self { reported: 0.0, expected: 1.0 }
    }
}

impl Losses {
    /// A report came. It is believed at once when it rises and slowly when it falls, since single
    /// reports cover few packets.
    pub(super) fn report(&mut self, percent: u8) {
        for smooth in [&mut self.reported, &mut self.expected] {
            let percent = f32::from(percent);
            *smooth = percent.max(*smooth * 0.75 + percent * 0.25);
        }
    }

    /// What the encoder is to expect.
    pub(super) fn expected(&self) -> ExpectedLoss {
        let percent = match self.expected {
            ..FORGOTTEN => 0,
            expected => expected.clamp(FLOOR, 100.0).ceil() as u8,
        };
        ExpectedLoss { percent, reported: self.reported >= FORGOTTEN }
    }

    /// Earlier sound is worth being sent once more.
    pub(super) fn are_reported(&self) -> bool {
        self.reported >= ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::{ExpectedLoss, Losses};

    /// The percentage that the encoder is told, whether that was reported, and whether earlier sound is
    /// worth being sent once more.
    fn seen(losses: &Losses) -> (u8, bool, bool) {
        let ExpectedLoss { percent, reported } = losses.expected();
        (percent, reported, losses.are_reported())
    }

    #[test]
    fn losses_are_expected_at_first_and_after_each_and_forgotten_in_half_a_minute() {
        let mut losses = Losses::default();
        assert_eq!(seen(&losses), (5, false, false));
        let clean_until_forgotten = |losses: &mut Losses| {
            (1..100).find(|_| {
                losses.report(0);
                losses.expected() == ExpectedLoss::default()
            })
        };
        assert_eq!(clean_until_forgotten(&mut losses), Some(6));
        losses.report(1);
        assert_eq!(seen(&losses), (5, true, true));
        losses.report(0);
        assert_eq!(seen(&losses), (5, true, false));
        losses.report(30);
        assert_eq!(seen(&losses), (30, true, true));
        losses.report(2);
        assert_eq!(seen(&losses), (23, true, true));
        assert!(clean_until_forgotten(&mut losses).is_some_and(|reports| reports < 20));
    }
}
