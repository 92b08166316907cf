//! Rooms in which a loudspeaker is heard by the microphone, in virtual time: a delay with a few
//! reflections, a far voice, a near voice, and what becomes of them.

use offhook_model::SoundSettings;

use super::Voice;
use crate::dsp::GRAIN;

/// Samples of a second.
pub const SECOND: usize = 48_000;

/// Nothing rings.
const NONE: [f32; GRAIN] = [0.0; GRAIN];

/// The canceller has this long to learn a room, in seconds; then it is judged.
const LEARNING: usize = 10;

/// And this long it is judged, in seconds.
const JUDGED: usize = 6;

/// A room, and who speaks in it.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// From the loudspeaker's sound as it was given to the card to the first echo, in milliseconds.
    pub delay_ms: f64,
    /// How much faster the loudspeaker's clock goes than the microphone's, in parts per million.
    pub ppm: f64,
    /// How loud the echo is beside that of [`echo_of`].
    pub echo: f32,
    /// How loud the near voice is once the room was learnt; zero: nobody speaks here.
    pub near: f32,
}

/// The sounds of a room.
pub struct Scene {
    far: Vec<f32>,
    near: Vec<f32>,
    microphone: Vec<f32>,
}

/// What became of them after the room was learnt.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// How much less there is than the microphone took (ERLE while nobody speaks here), in decibels.
    pub removed_db: f64,
    /// The near voice beside itself in a room without an echo, in decibels; zero is unhurt.
    pub kept_db: f64,
    /// How much of the microphone's sound is the near voice, as a correlation of 0 to 1.
    pub likeness_before: f64,
    /// The same of what is sent.
    pub likeness_after: f64,
    /// Steps of 10 ms of the near voice that are 12 dB lower than in a room without an echo, in
    /// percent.
    pub gone_percent: f64,
}

impl Room {
    /// The sounds of so many seconds.
    #[must_use]
    pub fn scene(&self) -> Scene {
        let length = (LEARNING + JUDGED) * SECOND;
        let far = Speech::new(7, 120.0).take(length);
        let mut near = vec![0.0; LEARNING * SECOND];
        near.extend(Speech::new(99, 210.0).take(JUDGED * SECOND).iter().map(|s| s * self.near));
        let echo = echo_of(&far, self.delay_ms, self.ppm);
        let microphone = echo.iter().zip(&near).map(|(a, b)| a * self.echo + b).collect();
        Scene { far, near, microphone }
    }
}

impl Scene {
    /// What is sent, and from where to where the echo was found to take, in milliseconds; nothing
    /// where the settings want nothing.
    #[must_use]
    pub fn hear(&self, wanted: &SoundSettings) -> Option<(Vec<f32>, Option<i32>)> {
        let mut voice = Voice::new(wanted)?;
        let out = run(&mut voice, &self.far, &self.microphone);
        Some((out, voice.echo().and_then(|found| found.delay_ms)))
    }

    /// Judges what is sent.
    #[must_use]
    pub fn judge(&self, sent: &[f32], wanted: &SoundSettings) -> Option<Outcome> {
        let mut voice = Voice::new(wanted)?;
        let alone = run(&mut voice, &vec![0.0; self.far.len()], &self.near);
        // The canceller may take a second to see that somebody speaks.
        let judged = (LEARNING + 1) * SECOND..(LEARNING + JUDGED) * SECOND;
        let (sent, alone) = (&sent[judged.clone()], &alone[judged.clone()]);
        let microphone = &self.microphone[judged];
        let steps = || alone.chunks(GRAIN).zip(sent.chunks(GRAIN));
        let speech = steps().filter(|(alone, _)| power(alone) > 1e-4);
        let (mut all, mut gone) = (0u32, 0u32);
        for (alone, sent) in speech {
            all += 1;
            gone += u32::from(power(sent) < power(alone) / 16.0);
        }
        Some(Outcome {
            removed_db: decibels(power(microphone) / power(sent).max(1e-12)),
            kept_db: decibels(power(sent) / power(alone).max(1e-12)),
            likeness_before: likeness(alone, microphone),
            likeness_after: likeness(alone, sent),
            gone_percent: 100.0 * f64::from(gone) / f64::from(all.max(1)),
        })
    }
}

/// Something like speech: bursts of low-passed noise with a pitch, and pauses.
pub(super) struct Speech {
    seed: u32,
    pitch: f32,
    low: f32,
    at: usize,
}

impl Speech {
    pub(super) fn new(seed: u32, pitch: f32) -> Self {
        Self { seed, pitch, low: 0.0, at: 0 }
    }

    fn next(&mut self) -> f32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (self.seed >> 8) as f32 / 8_388_608.0 - 1.0;
        self.low += 0.15 * (noise - self.low);
        let time = self.at as f32 / SECOND as f32;
        self.at += 1;
        let syllable = (time * 2.0 * std::f32::consts::PI * 3.3).sin().max(0.0).powi(2);
        let word = if (time * 0.6 + self.pitch * 0.01).fract() < 0.75 { 1.0 } else { 0.0 };
        let wobble = self.pitch * (1.0 + 0.05 * (time * 5.0).sin());
        let phase = (time * wobble).fract();
        let pulse = (-phase * 6.0).exp() - 0.16;
        syllable * word * (0.5 * self.low + 0.25 * pulse)
    }

    pub(super) fn take(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// The loudspeaker's sound at the microphone: after `delay_ms`, with reflections, by a clock that
/// goes `ppm` parts in a million faster.
fn echo_of(far: &[f32], delay_ms: f64, ppm: f64) -> Vec<f32> {
    let path = [(0.0, 0.35), (2.3, -0.12), (5.9, 0.09), (11.7, -0.05), (23.1, 0.03)];
    let at = |place: f64| {
        let (whole, part) = (place.floor(), (place - place.floor()) as f32);
        let get = |n: f64| if n < 0.0 { 0.0 } else { far.get(n as usize).copied().unwrap_or(0.0) };
        get(whole) * (1.0 - part) + get(whole + 1.0) * part
    };
    (0..far.len())
        .map(|n| {
            let here = n as f64 * (1.0 + ppm / 1e6);
            path.iter().map(|(late, gain)| gain * at(here - (delay_ms + late) * 48.0)).sum()
        })
        .collect()
}

/// Sends all of it through, step by step, as the media thread does.
pub(super) fn run(voice: &mut Voice, far: &[f32], microphone: &[f32]) -> Vec<f32> {
    let mut out = microphone.to_vec();
    for (far, near) in far.chunks_exact(GRAIN).zip(out.chunks_exact_mut(GRAIN)) {
        voice.played(far, &NONE);
        voice.spoken(near);
    }
    out
}

pub(super) fn power(sound: &[f32]) -> f64 {
    sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / sound.len() as f64
}

pub(super) fn decibels(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}

/// The part of `wanted` in `got` at the best of several delays, as a correlation of 0 to 1.
fn likeness(wanted: &[f32], got: &[f32]) -> f64 {
    let own = |a: &[f32]| power(a).sqrt() * (a.len() as f64);
    (0..960)
        .map(|late| {
            let got = &got[late..];
            let wanted = &wanted[..got.len()];
            let sum: f64 = wanted.iter().zip(got).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            sum * wanted.len() as f64 / (own(wanted) * own(got)).max(1e-12)
        })
        .fold(0.0, f64::max)
}
