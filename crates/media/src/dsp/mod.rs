//! The arithmetic of sound: rate conversion, tones, levels. No clock, no device, no allocation
//! once built.
//!
//! Sound inside the engine is mono `f32` at [`RATE`], full scale ±1.

mod fir;
mod level;
mod progress;
mod stretch;
mod tone;

pub(crate) use fir::{Decimator, Interpolator};
pub(crate) use level::{Level, to_pcm16};
pub(crate) use stretch::Stretch;
pub use tone::Tone;
pub(crate) use tone::{Sine, TonePlayer};

/// Samples per second inside the engine.
pub(crate) const RATE: u32 = 48_000;

/// Samples of one tick of 10 ms, the grain of all scheduling.
pub(crate) const GRAIN: usize = 480;

/// The sum of products; both slices have the same length, a multiple of eight. Eight running sums
/// let the compiler use vector registers, which a single one forbids.
#[inline]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum()
}

/// A low-pass of `taps` coefficients whose edge lies at `cutoff` cycles per sample (below 0.5),
/// windowed after Kaiser with `beta`; gain 1 at 0 Hz.
fn low_pass(taps: usize, cutoff: f64, beta: f64) -> Vec<f64> {
    let middle = (taps as f64 - 1.0) / 2.0;
    let mut kernel: Vec<f64> =
        (0..taps).map(|n| windowed_sinc(n as f64 - middle, middle, cutoff, beta)).collect();
    let gain: f64 = kernel.iter().sum();
    kernel.iter_mut().for_each(|value| *value /= gain);
    kernel
}

/// The windowed sine cardinal at `x` samples from its middle; 0 beyond `half`.
fn windowed_sinc(x: f64, half: f64, cutoff: f64, beta: f64) -> f64 {
    let place = x / half.max(1e-9);
    if place.abs() > 1.0 {
        return 0.0;
    }
    let angle = 2.0 * std::f64::consts::PI * cutoff * x;
    let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
    sinc * bessel_i0(beta * (1.0 - place * place).sqrt()) / bessel_i0(beta)
}

/// The modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

/// Power of `hertz` in `samples` at `rate`, as the amplitude of a sine of that frequency.
#[cfg(test)]
pub(crate) fn amplitude(samples: &[f32], hertz: f32, rate: u32) -> f32 {
    let step = 2.0 * std::f64::consts::PI * f64::from(hertz) / f64::from(rate);
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        re += f64::from(*sample) * (step * n as f64).cos();
        im += f64::from(*sample) * (step * n as f64).sin();
    }
    (2.0 * re.hypot(im) / samples.len() as f64) as f32
}
