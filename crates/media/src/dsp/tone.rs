//! Generated sound: test tones, call progress, the ring.

use super::RATE;

/// A tone that plays until it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It rings there: 425 Hz, 1 s on, 4 s off (ITU-T E.180), on the output.
    Ringback,
    /// Busy there: 425 Hz, half a second on, half off (ITU-T E.180), on the output.
    Busy,
    /// No way there: 425 Hz, a quarter of a second on, as long off (ITU-T E.180), on the output.
    Reorder,
    /// It rings here: two soft alternating tones, on the ringer.
    Ring,
    /// A short chord once, on the output, so that the user hears whether it works.
    Test,
}

/// A sine that keeps its phase from frame to frame.
pub(crate) struct Sine {
    phase: f64,
    step: f64,
    amplitude: f32,
}

impl Sine {
    /// `hertz` at the engine's rate; `amplitude` of full scale.
    pub(crate) fn new(hertz: f32, amplitude: f32) -> Self {
        let step = 2.0 * std::f64::consts::PI * f64::from(hertz) / f64::from(RATE);
        Self { phase: 0.0, step, amplitude }
    }

    /// Fills `out`.
    pub(crate) fn fill(&mut self, out: &mut [f32]) {
        // A rotating pointer instead of a sine for each sample; it starts anew from the exact
        // phase with every frame, so errors do not add up.
        let (step_sin, step_cos) = self.step.sin_cos();
        let (mut sin, mut cos) = self.phase.sin_cos();
        for sample in out.iter_mut() {
            *sample = sin as f32 * self.amplitude;
            (sin, cos) = (sin * step_cos + cos * step_sin, cos * step_cos - sin * step_sin);
        }
        self.phase = (self.phase + self.step * out.len() as f64) % (2.0 * std::f64::consts::PI);
    }
}

/// Part of a tone: the frequencies that sound together (0: none), for how many samples.
struct Part {
    hertz: [f32; 2],
    samples: u32,
}

const fn part(first: f32, second: f32, ms: u32) -> Part {
    Part { hertz: [first, second], samples: ms * (RATE / 1_000) }
}

const RINGBACK: &[Part] = &[part(425.0, 0.0, 1_000), part(0.0, 0.0, 4_000)];
const BUSY: &[Part] = &[part(425.0, 0.0, 500), part(0.0, 0.0, 500)];
const REORDER: &[Part] = &[part(425.0, 0.0, 250), part(0.0, 0.0, 250)];
/// A rising fifth three times, then quiet.
const RING: &[Part] = &[
    part(587.33, 0.0, 180),
    part(880.0, 0.0, 180),
    part(587.33, 0.0, 180),
    part(880.0, 0.0, 180),
    part(587.33, 0.0, 180),
    part(880.0, 0.0, 300),
    part(0.0, 0.0, 2_000),
];
const TEST: &[Part] = &[part(523.25, 0.0, 250), part(659.25, 0.0, 250), part(523.25, 783.99, 500)];

/// Plays a [`Tone`].
pub(crate) struct TonePlayer {
    tone: Tone,
    part: usize,
    within: u32,
    sines: [Sine; 2],
}

impl TonePlayer {
    pub(crate) fn new(tone: Tone) -> Self {
        let mut player =
            Self { tone, part: 0, within: 0, sines: [Sine::new(0.0, 0.0), Sine::new(0.0, 0.0)] };
        player.enter();
        player
    }

    /// Which one plays.
    pub(crate) fn tone(&self) -> Tone {
        self.tone
    }

    fn parts(&self) -> (&'static [Part], bool, f32) {
        match self.tone {
            Tone::Ringback => (RINGBACK, true, 0.1),
            Tone::Busy => (BUSY, true, 0.1),
            Tone::Reorder => (REORDER, true, 0.1),
            Tone::Ring => (RING, true, 0.25),
            Tone::Test => (TEST, false, 0.15),
        }
    }

    fn enter(&mut self) {
        let (parts, _, amplitude) = self.parts();
        if let Some(part) = parts.get(self.part) {
            self.sines = part.hertz.map(|hertz| Sine::new(hertz, amplitude));
        }
    }

    /// Adds the tone to `out`; false when it is over.
    pub(crate) fn add(&mut self, out: &mut [f32]) -> bool {
        let mut rest = out;
        loop {
            let (parts, repeats, _) = self.parts();
            let Some(part) = parts.get(self.part) else { return false };
            let left = (part.samples - self.within) as usize;
            let count = left.min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            self.add_part(part.samples, now);
            rest = later;
            self.within += count as u32;
            if self.within >= part.samples {
                self.within = 0;
                self.part += 1;
                if self.part >= parts.len() && repeats {
                    self.part = 0;
                }
                self.enter();
            }
            if rest.is_empty() {
                return self.part < parts.len();
            }
        }
    }

    /// Sounds without a click: 5 ms to swell and to fade.
    fn add_part(&mut self, samples: u32, out: &mut [f32]) {
        const SLOPE: f32 = RATE as f32 * 0.005;
        let mut buffer = [0.0f32; 480];
        let mut place = self.within;
        for chunk in out.chunks_mut(buffer.len()) {
            for sine in &mut self.sines {
                let Some(buffer) = buffer.get_mut(..chunk.len()) else { continue };
                sine.fill(buffer);
                for (n, (sample, tone)) in chunk.iter_mut().zip(buffer.iter()).enumerate() {
                    let at = place + n as u32;
                    let edge = at.min(samples.saturating_sub(at)) as f32;
                    *sample += tone * (edge / SLOPE).min(1.0);
                }
            }
            place += chunk.len() as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sine, Tone, TonePlayer};
    use crate::dsp::{RATE, amplitude};

    fn second_of(player: &mut TonePlayer) -> (Vec<f32>, bool) {
        let mut out = vec![0.0; RATE as usize];
        let mut on = true;
        for frame in out.chunks_mut(960) {
            on = player.add(frame);
        }
        (out, on)
    }

    #[test]
    fn a_sine_holds_its_frequency_and_level_across_frames() {
        let mut sine = Sine::new(1_000.0, 0.25);
        let mut out = vec![0.0; 48_000];
        out.chunks_mut(333).for_each(|chunk| sine.fill(chunk));
        assert!((amplitude(&out, 1_000.0, RATE) - 0.25).abs() < 1e-4);
    }

    #[test]
    fn ringback_sounds_a_second_and_rests_four() {
        let mut player = TonePlayer::new(Tone::Ringback);
        for second in 0..10 {
            let (out, on) = second_of(&mut player);
            let level = amplitude(&out, 425.0, RATE);
            assert_eq!(level > 0.05, second % 5 == 0, "second {second}: {level}");
            assert!(on);
        }
    }

    #[test]
    fn the_test_tone_ends_and_no_tone_clips() {
        let mut player = TonePlayer::new(Tone::Test);
        assert!(!second_of(&mut player).1);
        for tone in [Tone::Ringback, Tone::Busy, Tone::Reorder, Tone::Ring, Tone::Test] {
            let (out, _) = second_of(&mut TonePlayer::new(tone));
            assert!(out.iter().all(|sample| sample.abs() < 0.6), "{tone:?}");
            assert!(out.iter().any(|sample| sample.abs() > 0.05), "{tone:?}");
        }
    }
}
