//! The modulated lapped transform of G.722.1 (clauses 3.1 and 4.4 of the Recommendation) in 16-bit
//! arithmetic: a window over two frames of 320 samples, folded to 320 values, and a DCT of type IV.
//!
//! The DCT is cut into 32 of 10 points: five steps of sums and differences before them, five of
//! rotations after them. Every rounding and saturation is where ITU-T's fixed-point arithmetic has
//! it, so that any two implementations of it agree in every bit.

use std::f64::consts::PI;
use std::sync::LazyLock;

use super::bias::{ANALYSIS_BIAS, DITHER, SYNTHESIS_BIAS};

/// Samples of a frame, 20 ms at 16 kHz; as many coefficients.
pub(super) const FRAME: usize = 320;
const HALF: usize = FRAME / 2;
/// Points of the smallest transform, and how often the frame is halved down to it.
const CORE: usize = 10;
const STEPS: usize = 5;

/// Samples, or coefficients, of one frame.
pub(super) type Frame = [i16; FRAME];

/// Cosine and sine of a rotation.
type Angle = (i16, i16);

/// The factors of one direction of the transform.
struct Factors {
    window: Frame,
    core: [[i16; CORE]; CORE],
    /// For spans of 20, 40, 80, 160 and 320 values, one after the other.
    angles: [Angle; FRAME - CORE],
}

/// The scale is part of the factors, so they differ by direction. The Recommendation's tables are
/// these products cut off (the windows) or rounded (all others).
static ANALYSIS: LazyLock<Factors> =
    LazyLock::new(|| Factors::new(18_318.000_7, 10_485.75, 29_828.122_5));
static SYNTHESIS: LazyLock<Factors> =
    LazyLock::new(|| Factors::new(18_095.718_5, 29_491.1, 18_427.001));

impl Factors {
    fn new(window: f64, core: f64, rotation: f64) -> Self {
        let quarter = |index: usize, count: usize| PI * (index as f64 + 0.5) / (4 * count) as f64;
        let mut angles = [(0, 0); FRAME - CORE];
        let mut rest = &mut angles[..];
        for step in 0..STEPS {
            let count = CORE << step;
            let (now, later) = rest.split_at_mut(count);
            for (index, angle) in now.iter_mut().enumerate() {
                let (sine, cosine) = quarter(index, count).sin_cos();
                *angle = ((rotation * cosine).round() as i16, (rotation * sine).round() as i16);
            }
            rest = later;
        }
        Self {
            // Half of a period over two frames.
            window: std::array::from_fn(|i| {
                (window * (PI * (i as f64 + 0.5) / (2 * FRAME) as f64).sin()) as i16
            }),
            core: [[0; CORE]; CORE],
            angles,
        }
        .with_core(core)
    }

    fn with_core(mut self, scale: f64) -> Self {
        for (row, values) in self.core.iter_mut().enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                let angle = PI * (row as f64 + 0.5) * (column as f64 + 0.5) / CORE as f64;
                *value = (scale * angle.cos()).round() as i16;
            }
        }
        self
    }

    /// The 32 transforms of 10 points.
    fn cores(&self, values: &Frame) -> Frame {
        let mut out = [0; FRAME];
        for (from, to) in values.chunks_exact(CORE).zip(out.chunks_exact_mut(CORE)) {
            for (row, value) in self.core.iter().zip(to) {
                let sum = from.iter().zip(row).fold(0, |sum, (a, b)| add_product(sum, *a, *b));
                *value = round(sum);
            }
        }
        out
    }

    /// The rotations, each result multiplied by two `up` times.
    fn rotate(&self, mut values: Frame, up: u32) -> Frame {
        let mut angles = &self.angles[..];
        for step in 0..STEPS {
            let half = CORE << step;
            let (now, later) = angles.split_at(half);
            let mut out = [0; FRAME];
            for (from, to) in values.chunks_exact(2 * half).zip(out.chunks_exact_mut(2 * half)) {
                rotate_span(now, from, to, up);
            }
            values = out;
            angles = later;
        }
        values
    }
}

fn rotate_span(angles: &[Angle], from: &[i16], to: &mut [i16], up: u32) {
    let (low, high) = from.split_at(angles.len());
    let (first, last) = to.split_at_mut(angles.len());
    let values = angles.iter().zip(low).zip(high).zip(first).zip(last.iter_mut().rev());
    for (index, ((((angle, low), high), first), last)) in values.enumerate() {
        // Every second of the upper values counts negatively.
        let sign = if index % 2 == 0 { 1 } else { -1 };
        let (cosine, sine) = *angle;
        let sum = add_product(product(cosine, *low), sign * sine, *high);
        *first = round(shift_up_long(sum, up));
        let sum = add_product(product(-sine, *low), sign * cosine, *high);
        *last = round(shift_up_long(sum, up));
    }
}

/// One step of sums and differences: `combine` has the place in the output, counted through the
/// pairs, and gives sum and difference.
fn butterflies(
    values: &Frame,
    span: usize,
    combine: impl Fn(usize, i16, i16) -> (i16, i16),
) -> Frame {
    let mut out = [0; FRAME];
    let mut pair = 0;
    for (from, to) in values.chunks_exact(span).zip(out.chunks_exact_mut(span)) {
        let (sums, differences) = to.split_at_mut(span / 2);
        let places = sums.iter_mut().zip(differences.iter_mut().rev());
        for (two, (sum, difference)) in from.chunks_exact(2).zip(places) {
            (*sum, *difference) = combine(pair, two[0], two[1]);
            pair += 1;
        }
    }
    out
}

/// The analysis: samples to coefficients.
pub(super) struct Analysis {
    factors: &'static Factors,
    old: Frame,
}

impl Analysis {
    pub(super) fn new() -> Self {
        Self { factors: &ANALYSIS, old: [0; FRAME] }
    }

    /// Gives the coefficients of the last frame and this one, and by how many bits they are
    /// shifted up (down when negative) to use the range.
    pub(super) fn run(&mut self, new: &Frame) -> (Frame, i32) {
        let mut folded = self.fold(new);
        self.old = *new;
        let shift = headroom(&folded);
        for (value, bias) in folded.iter_mut().zip(&ANALYSIS_BIAS) {
            *value = shift_up(*value, shift).saturating_add(i16::from(*bias));
        }
        for step in 0..STEPS {
            folded = butterflies(&folded, FRAME >> step, |_, low, high| {
                let (low, high) = (i32::from(low), i32::from(high));
                (((low + high) >> 1) as i16, ((low - high) >> 1) as i16)
            });
        }
        let cores = self.factors.cores(&folded);
        (self.factors.rotate(cores, 0), shift)
    }

    fn fold(&self, new: &Frame) -> Frame {
        let window = &self.factors.window;
        let mut folded = [0; FRAME];
        let (first, second) = folded.split_at_mut(HALF);
        for (i, (first, second)) in first.iter_mut().zip(second).enumerate() {
            let (low, high, last) = (HALF - 1 - i, HALF + i, FRAME - 1 - i);
            let sum = product(window[low], self.old[low]);
            *first = round(add_product(sum, window[high], self.old[high]));
            let sum = product(window[last], new[i]);
            *second = round(add_product(sum, -window[i], new[last]));
        }
        folded
    }
}

/// Bits by which values may be shifted up before the transform.
fn headroom(values: &Frame) -> i32 {
    let magnitudes = || values.iter().map(|value| i32::from(value.saturating_abs()));
    let peak = magnitudes().max().unwrap_or(0);
    let shift = if peak >= 14_000 {
        0
    } else {
        let scaled = (if peak < 438 { peak + 1 } else { peak } * 9_587 * 2) >> 20;
        // The norm of a 16-bit value, which is 0 for 0.
        if scaled == 0 { 9 } else { scaled.leading_zeros() as i32 - 17 - 6 }
    };
    // Much sound in many places needs one bit more than its peak tells.
    shift - i32::from(peak < magnitudes().sum::<i32>() >> 7)
}

/// The synthesis: coefficients to samples.
#[derive(Clone, Copy)]
pub(super) struct Synthesis {
    factors: &'static Factors,
    /// The half of the last frame that overlaps with the next.
    old: [i16; HALF],
}

impl std::fmt::Debug for Factors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Factors")
    }
}

impl Synthesis {
    pub(super) fn new() -> Self {
        Self { factors: &SYNTHESIS, old: [0; HALF] }
    }

    /// Gives the samples up to the middle of this frame's window. `shift` is by how many bits the
    /// coefficients are shifted up.
    pub(super) fn run(&mut self, coefficients: &Frame, shift: i32, out: &mut Frame) {
        let mut values = butterflies(coefficients, FRAME, |pair, low, high| {
            let dithered = |at: usize| i32::from(low.saturating_add(i16::from(DITHER[at])));
            let high = i32::from(high);
            (
                ((dithered(2 * pair) + high) >> 1) as i16,
                ((dithered(2 * pair + 1) - high) >> 1) as i16,
            )
        });
        for step in 1..STEPS {
            values = butterflies(&values, FRAME >> step, |_, low, high| {
                (low.saturating_add(high), low.saturating_sub(high))
            });
        }
        let mut new = self.factors.rotate(self.factors.cores(&values), 1);
        for (value, bias) in new.iter_mut().zip(&SYNTHESIS_BIAS) {
            *value = shift_up(value.saturating_add(i16::from(*bias)), -shift);
        }
        self.overlap(&new, out);
    }

    /// What is left of the last frame, then nothing: no coefficients would give the corrections.
    pub(super) fn fade(&mut self, out: &mut Frame) {
        self.overlap(&[0; FRAME], out);
    }

    fn overlap(&mut self, new: &Frame, out: &mut Frame) {
        let window = &self.factors.window;
        let (first, second) = out.split_at_mut(HALF);
        for (i, (first, second)) in first.iter_mut().zip(second).enumerate() {
            let last = HALF - 1 - i;
            let sum =
                add_product(product(window[i], new[last]), window[FRAME - 1 - i], self.old[i]);
            *first = round(shift_up_long(sum, 2));
            let sum = add_product(product(window[HALF + i], new[i]), -window[last], self.old[last]);
            *second = round(shift_up_long(sum, 2));
        }
        self.old.copy_from_slice(&new[HALF..]);
    }
}

/// A product of two fractions. One of the factors is never -32768.
fn product(a: i16, b: i16) -> i32 {
    2 * i32::from(a) * i32::from(b)
}

fn add_product(sum: i32, a: i16, b: i16) -> i32 {
    sum.saturating_add(product(a, b))
}

/// The upper half of a sum, rounded.
fn round(sum: i32) -> i16 {
    (sum.saturating_add(0x8000) >> 16) as i16
}

fn shift_up_long(value: i32, bits: u32) -> i32 {
    value.saturating_mul(1 << bits)
}

/// Shifts up with saturation, down when negative. At most 15 bits.
pub(super) fn shift_up(value: i16, bits: i32) -> i16 {
    if bits < 0 {
        value >> bits.unsigned_abs().min(15)
    } else {
        let shifted = i32::from(value) << bits.min(15);
        shifted.clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }
}
