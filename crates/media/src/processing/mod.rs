//! What is done to our own voice before it is sent: echo taken out, noise lowered, a low voice
//! raised. Nothing is done to theirs, and nothing to the system's microphone level.
//!
//! The work is WebRTC's audio processing in its Rust port; see `docs/dependencies.md`. It runs on the
//! media thread in steps of 10 ms, never in the callback of a card, and only for sound that a
//! microphone took: files and tones go as they are. Without a step that is wanted there is no
//! [`Voice`], and nothing of this costs anything.

pub mod room;

use offhook_model::SoundSettings;
use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate,
    NoiseSuppression, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::dsp::{GRAIN, RATE};

/// The most that a low voice is raised by, in decibels. The port's own 50 would raise a quiet room.
const MOST_GAIN_DB: f32 = 18.0;

/// Steps of loudspeaker sound that may wait for the microphone's: more come only while it stands
/// still, and then they are old.
const AHEAD: usize = 8;

/// What the echo canceller found out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct EchoFigures {
    /// From the loudspeaker's sound as it was given to the card to its echo in the microphone, in
    /// milliseconds, once an echo was found.
    pub(crate) delay_ms: Option<i32>,
    /// How much of the echo is taken out, in decibels (ERLE).
    pub(crate) removed_db: Option<f64>,
}

/// The processing of one microphone.
pub(crate) struct Voice {
    work: AudioProcessing,
    echo: bool,
    /// Loudspeaker sound since the microphone's last step.
    ahead: usize,
    far: Vec<f32>,
    out: Vec<f32>,
}

impl Voice {
    /// Makes it; nothing where nothing is wanted.
    pub(crate) fn new(wanted: &SoundSettings) -> Option<Self> {
        let any = wanted.echo_cancellation || wanted.noise_suppression || wanted.automatic_gain;
        any.then(|| {
            let stream = StreamConfig::new(RATE, 1);
            let work = AudioProcessing::builder()
                .config(config(wanted))
                .capture_config(stream)
                .render_config(stream)
                .build();
            let (far, out) = (vec![0.0; GRAIN], vec![0.0; GRAIN]);
            Self { work, echo: wanted.echo_cancellation, ahead: 0, far, out }
        })
    }

    /// Takes what the loudspeaker and the ringer are about to play: whole steps of 10 ms.
    pub(crate) fn played(&mut self, sound: &[f32], ring: &[f32]) {
        if !self.echo {
            return;
        }
        for (step, ring) in sound.chunks_exact(GRAIN).zip(ring.chunks_exact(GRAIN)) {
            for ((both, one), other) in self.far.iter_mut().zip(step).zip(ring) {
                *both = one + other;
            }
            if self.ahead >= AHEAD {
                continue;
            }
            self.ahead += 1;
            if let Err(error) = self.work.process_render_f32(&[&self.far], &mut [&mut self.out]) {
                tracing::trace!("loudspeaker sound was not looked at: {error}");
            }
        }
    }

    /// Works on what the microphone took, in its place: whole steps of 10 ms.
    pub(crate) fn spoken(&mut self, sound: &mut [f32]) {
        for step in sound.chunks_exact_mut(GRAIN) {
            self.ahead = self.ahead.saturating_sub(1);
            match self.work.process_capture_f32(&[step], &mut [&mut self.out]) {
                Ok(()) => step.copy_from_slice(&self.out),
                Err(error) => tracing::trace!("a step of speech went as it was: {error}"),
            }
        }
    }

    /// What the echo canceller found out; nothing while it does not work.
    pub(crate) fn echo(&self) -> Option<EchoFigures> {
        self.echo.then(|| {
            let found = self.work.statistics();
            EchoFigures { delay_ms: found.delay_ms, removed_db: found.echo_return_loss_enhancement }
        })
    }
}

fn config(wanted: &SoundSettings) -> Config {
    Config {
        // The upper bands are kept: calls are wide band.
        pipeline: Pipeline {
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            multi_channel_render: false,
            multi_channel_capture: false,
            ..Pipeline::default()
        },
        high_pass_filter: Some(HighPassFilter::default()),
        echo_canceller: wanted.echo_cancellation.then(EchoCanceller::default),
        noise_suppression: wanted.noise_suppression.then(NoiseSuppression::default),
        gain_controller2: wanted.automatic_gain.then(|| GainController2 {
            input_volume_controller: false,
            adaptive_digital: Some(AdaptiveDigital {
                max_gain_db: MOST_GAIN_DB,
                initial_gain_db: 0.0,
                ..AdaptiveDigital::default()
            }),
            ..GainController2::default()
        }),
        ..Config::default()
    }
}

#[cfg(test)]
mod tests;
