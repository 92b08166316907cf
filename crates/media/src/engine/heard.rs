//! What came of the packets that were due: played or missing, in bursts or alone, and how loud the
//! speech was.

use offhook_rtp::{BurstFigures, Bursts};

/// Frames quieter than this are no speech: −50 dB of full scale, squared.
const QUIET: f64 = 1e-5;

/// A full-scale square wave is 0 dB here; a full-scale tone, 3 dB below, has 3.14 dBm0 (G.711
/// section 4).
const DBM0: f64 = 6.15;

/// See the module.
#[derive(Default)]
pub(super) struct Account {
    bursts: Bursts,
    /// Packets that were lost and whose sound came with the next one.
    recovered: u64,
    /// Sum of the mean squares of frames of speech, and their number.
    speech: (f64, u64),
}

impl Account {
    /// A packet was played as this.
    pub(super) fn played(&mut self, pcm: &[i16]) {
        self.bursts.played();
        let energy: f64 = pcm.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        let mean = energy / (pcm.len().max(1) as f64 * 32_768.0 * 32_768.0);
        if mean > QUIET {
            self.speech = (self.speech.0 + mean, self.speech.1 + 1);
        }
    }

    /// One was lost, and its sound was found in the next one: that is no loss to who listens (RFC 3611
    /// section 4.7.1 counts after error protection).
    pub(super) fn recovered(&mut self) {
        self.bursts.played();
        self.recovered += 1;
    }

    /// One was missing, and what was played in its place is invented.
    pub(super) fn missing(&mut self) {
        self.bursts.missing();
    }

    /// Packets whose sound came with the next one.
    pub(super) fn found(&self) -> u64 {
        self.recovered
    }

    /// Packets that were due, and those of them that were missing.
    pub(super) fn totals(&self) -> (u64, u64) {
        self.bursts.totals()
    }

    pub(super) fn bursts(&self) -> BurstFigures {
        self.bursts.figures()
    }

    /// Mean level of the speech in dBm0.
    pub(super) fn level(&self) -> Option<f32> {
        let (sum, count) = self.speech;
        (count > 0).then(|| (10.0 * (sum / count as f64).log10() + DBM0) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn a_full_tone_has_three_dbm0_and_silence_none() {
        let mut account = Account::default();
        account.played(&[0; 160]);
        assert_eq!(account.level(), None);
        let tone: Vec<i16> = (0..800)
            .map(|n| ((f64::from(n) * std::f64::consts::TAU / 8.0).sin() * 32_767.0) as i16)
            .collect();
        account.played(&tone);
        assert!(account.level().is_some_and(|level| (3.1..3.2).contains(&level)));
        account.missing();
        account.recovered();
        assert_eq!((account.totals(), account.found()), ((4, 1), 1));
    }
}
