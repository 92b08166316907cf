//! Rate conversion by any ratio, changeable at any sample: for devices, whose clocks are never
//! quite ours, and for files of any rate.

use super::{RATE, windowed_sinc};

/// Positions between two samples for which coefficients are kept; between those they are
/// interpolated, which leaves errors below −80 dB.
const PHASES: usize = 64;
const BETA: f64 = 7.0;

/// Input samples go in by [`Stretch::feed`], output samples come out by [`Stretch::drain`].
pub(crate) struct Stretch {
    /// `PHASES + 1` rows of `length` coefficients.
    table: Vec<f32>,
    length: usize,
    waiting: Vec<f32>,
    /// Where the next output lies, in input samples from the start of its window.
    position: f64,
    /// Input samples for each output sample.
    step: f64,
}

impl Stretch {
    /// From `from` to `to` samples per second, both at least 1.
    pub(crate) fn new(from: u32, to: u32) -> Self {
        let step = f64::from(from.max(1)) / f64::from(to.max(1));
        // Going down, the low-pass must follow the lower rate: the kernel widens by as much. Past
        // a factor of 16 (no device does that) it stays as it is and folds a little.
        let wider = step.clamp(1.0, 16.0);
        let length = ((32.0 * wider) as usize).next_multiple_of(8);
        let mut this = Self {
            table: Vec::with_capacity((PHASES + 1) * length),
            length,
            waiting: vec![0.0; length / 2],
            position: 0.0,
            step,
        };
        this.build(0.455 / wider);
        this
    }

    fn build(&mut self, cutoff: f64) {
        let half = self.length as f64 / 2.0;
        for phase in 0..=PHASES {
            let offset = phase as f64 / PHASES as f64;
            let row: Vec<f64> = (0..self.length)
                .map(|n| windowed_sinc(n as f64 - (half - 1.0) - offset, half, cutoff, BETA))
                .collect();
            let gain: f64 = row.iter().sum();
            self.table.extend(row.iter().map(|value| (value / gain) as f32));
        }
    }

    /// Nothing to do but to pass samples on: the rates are equal, exactly.
    fn straight(&self) -> bool {
        self.step == 1.0 && self.position == 0.0
    }

    /// Changes the ratio to `nominal * factor` input samples for an output sample.
    pub(crate) fn set_ratio(&mut self, from: u32, to: u32, factor: f64) {
        self.step = f64::from(from.max(1)) / f64::from(to.max(1)) * factor;
    }

    /// How many input samples must be fed so that `count` come out.
    pub(crate) fn needed(&self, count: usize) -> usize {
        let last = self.position + self.step * count.saturating_sub(1) as f64;
        (last as usize + self.length).saturating_sub(self.waiting.len())
    }

    /// Takes input.
    pub(crate) fn feed(&mut self, input: &[f32]) {
        self.waiting.extend_from_slice(input);
    }

    /// Appends at most `limit` output samples to `out`, as many as the input allows.
    pub(crate) fn drain(&mut self, limit: usize, out: &mut Vec<f32>) {
        let mut done = 0;
        if self.straight() {
            let skip = self.length / 2 - 1;
            let count = (self.waiting.len() + 1).saturating_sub(self.length).min(limit);
            out.extend_from_slice(self.waiting.get(skip..skip + count).unwrap_or(&[]));
            self.waiting.drain(..count);
            return;
        }
        while done < limit {
            let start = self.position as usize;
            let Some(window) = self.waiting.get(start..start + self.length) else { break };
            out.push(self.sample(window, self.position - start as f64));
            self.position += self.step;
            done += 1;
        }
        let spent = (self.position as usize).min(self.waiting.len());
        self.waiting.drain(..spent);
        self.position -= spent as f64;
    }

    fn sample(&self, window: &[f32], fraction: f64) -> f32 {
        let place = fraction * PHASES as f64;
        let row = (place as usize).min(PHASES - 1);
        let blend = (place - row as f64) as f32;
        let start = row * self.length;
        let (Some(near), Some(far)) = (
            self.table.get(start..start + self.length),
            self.table.get(start + self.length..start + 2 * self.length),
        ) else {
            return 0.0;
        };
        let mut sums = [0.0f32; 8];
        for ((x, a), b) in window.chunks_exact(8).zip(near.chunks_exact(8)).zip(far.chunks_exact(8))
        {
            for lane in 0..8 {
                sums[lane] += x[lane] * (a[lane] + blend * (b[lane] - a[lane]));
            }
        }
        sums.iter().sum()
    }
}

impl Default for Stretch {
    fn default() -> Self {
        Self::new(RATE, RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::Stretch;
    use crate::dsp::{Sine, amplitude};

    fn check(from: u32, to: u32, factor: f64, hertz: f32) {
        let mut stretch = Stretch::new(from, to);
        stretch.set_ratio(from, to, factor);
        // A sine at `from`: the generator thinks in 48 kHz.
        let mut sine = Sine::new(hertz * 48_000.0 / from as f32, 0.5);
        let mut out = Vec::new();
        for _ in 0..100 {
            let need = stretch.needed(to as usize / 100);
            let mut input = vec![0.0; need];
            sine.fill(&mut input);
            stretch.feed(&input);
            let before = out.len();
            stretch.drain(to as usize / 100, &mut out);
            assert_eq!(out.len() - before, to as usize / 100, "{from} to {to}");
        }
        let level = amplitude(&out[out.len() / 4..], hertz * factor as f32, to);
        assert!((0.48..0.52).contains(&level), "{from} to {to}, {hertz} Hz: {level}");
    }

    #[test]
    fn a_sine_keeps_its_level_at_any_ratio() {
        for (from, to) in [
            (48_000, 48_000),
            (44_100, 48_000),
            (48_000, 44_100),
            (8_000, 48_000),
            (16_000, 48_000),
            (96_000, 48_000),
            (48_000, 192_000),
            (22_050, 48_000),
            (11_025, 48_000),
            (44_099, 48_000),
        ] {
            check(from, to, 1.0, 400.0);
            check(from, to, 1.0, 2_800.0);
        }
        check(48_000, 48_000, 1.003, 1_000.0);
        check(48_000, 48_000, 0.997, 1_000.0);
    }
}
