//! Meters, and the step to 16-bit samples.

use std::sync::atomic::{AtomicU32, Ordering};

/// A level that one thread writes and any other reads: 0 (silence) to 1 (full scale), with the
/// slow fall of a meter.
#[derive(Default)]
pub(crate) struct Level(AtomicU32);

impl Level {
    /// Takes one frame into account.
    pub(crate) fn note(&self, samples: &[f32]) {
        let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        let kept = self.get() * 0.8;
        self.0.store(peak.max(kept).to_bits(), Ordering::Relaxed);
    }

    /// Nothing sounds.
    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The level at present.
    pub(crate) fn get(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed)).clamp(0.0, 1.0)
    }
}

/// To 16 bits, with saturation.
#[inline]
pub(crate) fn to_pcm16(sample: f32) -> i16 {
    // `as` saturates and turns NaN to 0.
    (sample * 32_768.0).round_ties_even() as i16
}
