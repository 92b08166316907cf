//! Shortens or lengthens sound, to follow the jitter buffer's wish.
//!
//! Quiet sound is changed at once and by as much as is wanted. A voice waits for a pause as long as the
//! wish may wait; then it loses or gains one pitch period by overlap-add, which keeps its pitch. Works
//! on whole packets, in place.

use crate::conceal::find_period;

/// Sound whose power is so far (30 dB) below the loudest of late is a pause.
const QUIET: f32 = 0.001;
/// Power of sound that is a pause whatever came before: an amplitude of 20.
const NOTHING: f32 = 400.0;
/// What the loudest is remembered by from packet to packet: half of it for 3 s.
const MEMORY: f32 = 0.995;
/// Periods of a voice have to resemble each other this much.
const ALIKE: f32 = 0.7;
/// A wish that has waited this many packets longer is fulfilled even where periods do not.
const DESPERATE: u32 = 25;

/// Changes the length of decoded sound without changing its pitch.
pub struct Stretcher {
    per_ms: usize,
    /// Power of the loudest packet, fading.
    loudest: f32,
    /// Packets for which the present wish has waited.
    waited: u32,
}

impl Stretcher {
    /// For a sample rate in hertz.
    pub fn new(rate: u32) -> Self {
        Self { per_ms: rate as usize / 1_000, loudest: 0.0, waited: 0 }
    }

    /// Sound that is played as it is; every packet goes through this or one of the others.
    pub fn keep(&mut self, sound: &[i16]) {
        self.is_pause(sound);
        self.waited = 0;
    }

    /// Takes about `by` samples out of the first `filled` when they are a pause, or a pitch period (2.5
    /// to 10 ms) once the wish has waited for `patience` packets; gives how many are left. Voice in
    /// packets under 20 ms stays as it is.
    pub fn shorten(&mut self, sound: &mut [i16], filled: usize, by: usize, patience: u32) -> usize {
        let filled = filled.min(sound.len());
        let Some(cut) = self.piece(&sound[..filled], by.min(filled * 3 / 4), patience) else {
            return filled;
        };
        // The beginning fades into what is one piece later.
        let keep = filled - cut;
        let blend = cut.min(keep);
        for index in 0..blend {
            let rise = (index + 1) as f32 / (blend + 1) as f32;
            let (early, late) = (f32::from(sound[index]), f32::from(sound[index + cut]));
            sound[index] = (early * (1.0 - rise) + late * rise) as i16;
        }
        sound.copy_within(blend + cut..filled, blend);
        keep
    }

    /// Puts about `by` samples into the first `filled` when they are a pause, or a pitch period once the
    /// wish has waited for `patience` packets; gives how many there are now. Leaves alone any sound for
    /// which there is no room.
    pub fn lengthen(
        &mut self,
        sound: &mut [i16],
        filled: usize,
        by: usize,
        patience: u32,
    ) -> usize {
        let mut filled = filled.min(sound.len());
        let Some(mut left) = self.piece(&sound[..filled], by, patience) else { return filled };
        while left > 0 {
            // The blend needs the piece itself and as much behind it.
            let piece = left.min(filled / 2);
            if piece == 0 || filled + piece > sound.len() {
                break;
            }
            repeat(sound, filled, piece);
            filled += piece;
            left -= piece;
        }
        filled
    }

    /// How many samples to change: `by` in a pause, a pitch period where that does.
    fn piece(&mut self, sound: &[i16], by: usize, patience: u32) -> Option<usize> {
        if self.is_pause(sound) {
            self.waited = 0;
            return (by > 0).then_some(by);
        }
        self.waited = self.waited.saturating_add(1);
        if self.waited <= patience {
            return None;
        }
        let (min, max) = (self.per_ms * 5 / 2, (sound.len() / 2).min(10 * self.per_ms));
        if max <= 2 * min {
            return None;
        }
        let (period, likeness) = find_period(sound, min, max, sound.len() - max);
        let enough = likeness >= ALIKE || self.waited > patience.saturating_add(DESPERATE);
        if enough {
            // The next one waits again, but not as long.
            self.waited = patience / 2;
        }
        enough.then_some(period)
    }

    fn is_pause(&mut self, sound: &[i16]) -> bool {
        let sum: f32 = sound.iter().map(|&sample| f32::from(sample).powi(2)).sum();
        let power = sum / sound.len().max(1) as f32;
        self.loudest = power.max(self.loudest * MEMORY);
        power < NOTHING.max(self.loudest * QUIET)
    }
}

/// Puts a copy of the first `piece` of `filled` samples behind them; it fades from what would have
/// followed back to what it repeats.
fn repeat(sound: &mut [i16], filled: usize, piece: usize) {
    sound.copy_within(..filled, piece);
    for index in 0..piece {
        let rise = (index + 1) as f32 / (piece + 1) as f32;
        // sound[piece..] holds the original; the original's second piece is two on.
        let (forward, back) =
            (f32::from(sound[2 * piece + index]), f32::from(sound[piece + index]));
        sound[piece + index] = (forward * (1.0 - rise) + back * rise) as i16;
    }
}
