//! Voice activity for codecs that know of none: what of our sound may be left out.
//!
//! Only what is quiet and near the lowest level heard lately is left out, and that only some time
//! after the last speech: music, tones and a loud room are always sent. How the silence sounds goes
//! in their place, at its beginning, when it changes, and now and then.

use crate::noise::Noise;

/// Louder than this (root mean square) is always sent: 42 dB below full scale.
const ALWAYS: f32 = 250.0;
/// So much above the lowest level is speech.
const ABOVE: f32 = 2.5;
/// Quieter than this is never speech.
const NEVER: f32 = 8.0;
/// The lowest level is forgotten by so much a second.
const FORGET_PER_SECOND: f32 = 1.3;
/// Speech goes on for so long after it was heard last, in milliseconds.
const HANGOVER_MS: u32 = 240;
/// The noise is told anew after so long, in milliseconds, and by such a change.
const TELL_MS: u32 = 400;
const CHANGE: f32 = 1.6;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent.
    Speech,
    /// Comfort noise is sent in its place.
    Noise,
    /// Nothing is.
    Nothing,
}

/// Tells speech from silence, packet by packet.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Samples per millisecond.
    per_ms: u32,
    /// The lowest level lately.
    floor: f32,
    /// Time since speech was heard, in milliseconds.
    since_speech: u32,
    /// Time since the noise was told, and its level then.
    told: Option<(u32, f32)>,
    noise: Noise,
}

impl Gate {
    /// For a sample rate in hertz.
    pub fn new(rate: u32) -> Self {
        let per_ms = (rate / 1_000).max(1);
        Self { per_ms, floor: ALWAYS, since_speech: 0, told: None, noise: Noise::default() }
    }

    /// Judges the next packet.
    pub fn judge(&mut self, pcm: &[i16]) -> Verdict {
        let ms = pcm.len() as u32 / self.per_ms;
        let power: f32 = pcm.iter().map(|sample| f32::from(*sample).powi(2)).sum();
        let level = (power / pcm.len().max(1) as f32).sqrt();
        let forgotten = self.floor * FORGET_PER_SECOND.powf(ms as f32 / 1_000.0);
        self.floor = level.min(forgotten).max(1.0);
        let speech = level > ALWAYS || (level > NEVER && level > self.floor * ABOVE);
        self.since_speech = if speech { 0 } else { self.since_speech.saturating_add(ms) };
        if self.since_speech <= HANGOVER_MS {
            self.told = None;
            return Verdict::Speech;
        }
        self.tell(pcm, ms)
    }

    fn tell(&mut self, pcm: &[i16], ms: u32) -> Verdict {
        self.noise.learn(pcm);
        let level = self.noise.level().max(NEVER);
        match &mut self.told {
            Some((since, then))
                if *since + ms < TELL_MS && level < *then * CHANGE && level > *then / CHANGE =>
            {
                *since += ms;
                Verdict::Nothing
            }
            told => {
                *told = Some((0, level));
                Verdict::Noise
            }
        }
    }

    /// The noise to be sent after [`Verdict::Noise`].
    pub fn noise(&self) -> &Noise {
        &self.noise
    }
}

#[cfg(test)]
mod tests {
    use super::{Gate, Verdict};
    use crate::noise::Noise;

    fn tone(level: f32) -> Vec<i16> {
        (0..160).map(|n| (level * (n as f32 * 0.5).sin()) as i16).collect()
    }

    #[test]
    fn silence_is_left_out_after_a_while_and_speech_is_not() {
        let mut gate = Gate::new(8_000);
        let mut room = Noise::default();
        assert!(room.hear(&[62, 100]));
        let mut quiet = vec![0; 160];
        for _ in 0..50 {
            assert_eq!(gate.judge(&tone(6_000.0)), Verdict::Speech);
        }
        let mut verdicts = Vec::new();
        for _ in 0..100 {
            room.fill(&mut quiet);
            verdicts.push(gate.judge(&quiet));
        }
        // Twelve packets of 20 ms of hangover, the noise, and again every 400 ms.
        assert!(verdicts[..12].iter().all(|verdict| *verdict == Verdict::Speech));
        assert_eq!(verdicts[12], Verdict::Noise);
        let sent = verdicts.iter().filter(|verdict| **verdict == Verdict::Noise).count();
        assert!((4..=8).contains(&sent), "{sent}");
        assert_eq!(gate.judge(&tone(600.0)), Verdict::Speech);
    }

    #[test]
    fn a_steady_tone_is_never_taken_for_silence() {
        let mut gate = Gate::new(8_000);
        for _ in 0..3_000 {
            assert_eq!(gate.judge(&tone(500.0)), Verdict::Speech);
        }
    }
}
