//! A conference that is mixed here: what is heard in one call is sent in the others.
//!
//! Sound is played and sent by two schedules that do not tick together, so each call keeps what was
//! played until the next frames go out. Nobody is sent their own words.

use crate::dsp::RATE;

/// Sound that may wait: 80 ms. Older sound is dropped, so that a conference does not fall behind.
const LONGEST: usize = RATE as usize / 1_000 * 80;

/// What was heard in a call and was not sent to the others yet.
#[derive(Default)]
pub(super) struct Said {
    waiting: Vec<f32>,
    now: Vec<f32>,
}

impl Said {
    /// Lets `play` add what is heard to silence, keeps it, and adds it to `mix`.
    pub(super) fn heard(&mut self, mix: &mut [f32], play: impl FnOnce(&mut [f32])) {
        self.now.clear();
        self.now.resize(mix.len(), 0.0);
        play(&mut self.now);
        for (mixed, sample) in mix.iter_mut().zip(&self.now) {
            *mixed += sample;
        }
        self.waiting.extend_from_slice(&self.now);
        let over = self.waiting.len().saturating_sub(LONGEST);
        self.waiting.drain(..over);
    }

    /// The oldest sound that waits; silence where there is not enough.
    pub(super) fn take(&mut self, out: &mut [f32]) {
        out.fill(0.0);
        let count = out.len().min(self.waiting.len());
        for (sample, heard) in out.iter_mut().zip(self.waiting.drain(..count)) {
            *sample = heard;
        }
    }
}

/// What each of several hears of the others: the sum without their own part.
pub(super) fn without(sum: &[f32], own: &[f32], out: &mut Vec<f32>) {
    out.clear();
    out.extend(sum.iter().zip(own).map(|(all, one)| all - one));
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Said, without};

    #[test]
    fn what_was_heard_is_played_and_kept_for_the_others() {
        let mut said = Said::default();
        let mut mix = vec![0.25; 4];
        said.heard(&mut mix, |out| out.fill(0.5));
        assert_eq!(mix, [0.75; 4]);
        let mut out = vec![9.0; 6];
        said.take(&mut out);
        assert_eq!(out, [0.5, 0.5, 0.5, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn old_sound_is_dropped() {
        let mut said = Said::default();
        for level in 0..100_u8 {
            said.heard(&mut vec![0.0; LONGEST / 4], |out| out.fill(f32::from(level)));
        }
        let mut out = vec![0.0; 1];
        said.take(&mut out);
        assert_eq!(out, [96.0]);
    }

    #[test]
    fn nobody_hears_themselves() {
        let mut out = vec![];
        without(&[0.6, 0.3], &[0.5, 0.3], &mut out);
        assert!((out[0] - 0.1).abs() < 1e-6 && out[1].abs() < 1e-6);
    }
}
