//! Generated sound: test tones, call progress, the ring.

use offhook_model::ToneCountry;

use super::RATE;
use super::progress::{Part, RING, TEST, parts};

/// A tone that plays until it is changed. Those of a call's progress sound as in the chosen country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A number may be dialled, on the output.
    Dial,
    /// It rings there, on the output.
    Ringback,
    /// Busy there, on the output.
    Busy,
    /// No way there (congestion), on the output.
    Reorder,
    /// Somebody calls during a call: low in the ear, and on the ringer where that is another device.
    Waiting,
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

/// Plays a [`Tone`].
pub(crate) struct TonePlayer {
    tone: Tone,
    country: Option<ToneCountry>,
    part: usize,
    within: u32,
    sines: [Sine; 2],
}

impl TonePlayer {
    pub(crate) fn new(tone: Tone, country: Option<ToneCountry>) -> Self {
        let sines = [Sine::new(0.0, 0.0), Sine::new(0.0, 0.0)];
        let mut player = Self { tone, country, part: 0, within: 0, sines };
        player.enter();
        player
    }

    /// Which one plays.
    pub(crate) fn tone(&self) -> Tone {
        self.tone
    }

    fn parts(&self) -> (&'static [Part], bool, f32) {
        match self.tone {
            Tone::Ring => (RING, true, 0.25),
            Tone::Test => (TEST, false, 0.15),
            // Somebody speaks meanwhile.
            Tone::Waiting => (parts(self.tone, self.country), true, 0.05),
            Tone::Dial | Tone::Ringback | Tone::Busy | Tone::Reorder => {
                (parts(self.tone, self.country), true, 0.1)
            }
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
    use offhook_model::ToneCountry;

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
        let mut player = TonePlayer::new(Tone::Ringback, None);
        for second in 0..10 {
            let (out, on) = second_of(&mut player);
            let level = amplitude(&out, 425.0, RATE);
            assert_eq!(level > 0.05, second % 5 == 0, "second {second}: {level}");
            assert!(on);
        }
    }

    #[test]
    fn the_test_tone_ends_and_no_tone_clips() {
        let mut player = TonePlayer::new(Tone::Test, None);
        assert!(!second_of(&mut player).1);
        for country in ToneCountry::ALL.map(Some).into_iter().chain([None]) {
            for tone in [
                Tone::Dial,
                Tone::Ringback,
                Tone::Busy,
                Tone::Reorder,
                Tone::Waiting,
                Tone::Ring,
                Tone::Test,
            ] {
                let (out, _) = second_of(&mut TonePlayer::new(tone, country));
                assert!(out.iter().all(|sample| sample.abs() < 0.6), "{tone:?} {country:?}");
                assert!(out.iter().any(|sample| sample.abs() > 0.04), "{tone:?} {country:?}");
            }
        }
    }

    #[test]
    fn progress_sounds_as_in_its_country() {
        let heard = |tone, country, hertz: [f32; 2]| {
            let (out, _) = second_of(&mut TonePlayer::new(tone, Some(country)));
            hertz.map(|hertz| amplitude(&out, hertz, RATE))
        };
        let [low, high] = heard(Tone::Ringback, ToneCountry::Us, [440.0, 480.0]);
        assert!(low > 0.09 && high > 0.09, "{low} {high}");
        let [low, high] = heard(Tone::Busy, ToneCountry::Us, [480.0, 620.0]);
        assert!(low > 0.045 && high > 0.045, "{low} {high}");
        let [own, other] = heard(Tone::Dial, ToneCountry::At, [420.0, 450.0]);
        assert!(own > 0.09 && other < 0.01, "{own} {other}");
        // Twice, and then a long pause.
        let mut player = TonePlayer::new(Tone::Ringback, Some(ToneCountry::Gb));
        let on = (0..30)
            .map(|_| {
                let mut tenth = vec![0.0; RATE as usize / 10];
                player.add(&mut tenth);
                if tenth.iter().any(|sample| sample.abs() > 0.05) { '#' } else { '.' }
            })
            .collect::<String>();
        assert_eq!(on, "####..####....................");
    }
}
