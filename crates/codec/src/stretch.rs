//! Shortens or lengthens sound by one pitch period, to follow the jitter buffer's wish.
//!
//! Overlap-add at the pitch period, so voices keep their pitch. Works on whole packets, in place.

use crate::conceal::find_period;

/// Changes the length of decoded sound without changing its pitch.
pub struct Stretcher {
    per_ms: usize,
}

impl Stretcher {
    /// For a sample rate in hertz.
    pub fn new(rate: u32) -> Self {
        Self { per_ms: rate as usize / 1_000 }
    }

    /// The pitch period at the end of `sound`, if there is room to work with it.
    fn period(&self, sound: &[i16]) -> Option<usize> {
        let min = self.per_ms * 5 / 2;
        let max = (sound.len() / 2).min(10 * self.per_ms);
        // Above 16 kHz every third sample is enough to see the pitch, but the search itself is
        // cheap beside an Opus decode, so it stays at the full rate.
        (max > 2 * min).then(|| find_period(sound, min, max, sound.len() - max))
    }

    /// Takes one pitch period (2.5 to 10 ms) out of the first `filled` samples; gives how many
    /// are left. Leaves packets under 20 ms alone.
    pub fn shorten(&self, sound: &mut [i16], filled: usize) -> usize {
        let filled = filled.min(sound.len());
        let Some(period) = self.period(&sound[..filled]) else { return filled };
        // The beginning fades into what is one period later.
        let keep = filled - period;
        let blend = period.min(keep);
        for index in 0..blend {
            let rise = (index + 1) as f32 / (blend + 1) as f32;
            let (early, late) = (f32::from(sound[index]), f32::from(sound[index + period]));
            sound[index] = (early * (1.0 - rise) + late * rise) as i16;
        }
        sound.copy_within(blend + period..filled, blend);
        keep
    }

    /// Puts one pitch period into the first `filled` samples; gives how many there are now. Leaves
    /// packets under 20 ms alone, and any for which `sound` has no room.
    pub fn lengthen(&self, sound: &mut [i16], filled: usize) -> usize {
        let filled = filled.min(sound.len());
        let Some(period) = self.period(&sound[..filled]) else { return filled };
        if filled + period > sound.len() {
            return filled;
        }
        // The second period fades back into the first, and everything after comes once more.
        sound.copy_within(..filled, period);
        for index in 0..period {
            let rise = (index + 1) as f32 / (period + 1) as f32;
            // sound[period..] holds the original; the original's second period is two on.
            let (forward, back) =
                (f32::from(sound[2 * period + index]), f32::from(sound[period + index]));
            sound[period + index] = (forward * (1.0 - rise) + back * rise) as i16;
        }
        filled + period
    }
}
