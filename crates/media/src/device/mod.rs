//! Where sound comes from and goes to: sound cards, files, generated sound, nothing.
//!
//! [`Capture`] gives frames and [`Playout`] takes them, at the engine's rate, whenever the engine's
//! tick asks. Only sound cards have a clock of their own; between it and ours lies a ring that is
//! kept short by [`steer::Steer`]. In a card's callback there is no lock, no allocation and no log:
//! it moves samples between the card's buffer and the ring and counts what did not fit. The sound server of
//! Linux has streams of our own ([`pulse`]), all other systems and ALSA are reached through cpal.

#[doc(hidden)]
pub mod callback;
mod card;
mod desk;
mod file;
mod list;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub mod pulse;
/// Other systems have no sound server, so nothing of it is read.
#[cfg(not(target_os = "linux"))]
#[doc(hidden)]
pub mod pulse {
    pub mod feed {
        pub fn any_bytes(_: &[u8]) {}
    }
}
pub(crate) mod steer;
mod system;
#[cfg(target_os = "linux")]
mod watch;
pub mod wav;

use offhook_model::AudioSpec;

pub(crate) use card::{CardCapture, CardPlayout};
pub(crate) use desk::{Card, Desk, DeskEvent, Listing};
pub(crate) use file::{FileCapture, FilePlayout};

use crate::dsp::Sine;

/// What can befall a stream after it was opened.
enum Trouble {
    /// It is over; in words.
    Lost(String),
    /// The server took it to another device.
    #[cfg(target_os = "linux")]
    Moved,
}

/// Told of it on a thread of the sound system.
trait OnTrouble: Fn(Trouble) + Clone + Send + 'static {}
impl<F: Fn(Trouble) + Clone + Send + 'static> OnTrouble for F {}

/// Milliseconds in a second.
pub(crate) const MS: f64 = 1_000.0;

/// −12 dBFS.
const TONE_AMPLITUDE: f32 = 0.251_188_64;

/// A source of sound that is open.
pub(crate) enum Capture {
    /// A sound card.
    Card(CardCapture),
    /// A WAV file.
    File(FileCapture),
    /// A sine.
    Tone(Sine),
    /// Zeros.
    Silence,
}

impl Capture {
    /// Opens a source that needs no sound card; nothing for the two that do.
    pub(crate) fn generated(spec: &AudioSpec) -> Option<Result<Self, String>> {
        match spec {
            AudioSpec::Default | AudioSpec::Device(_) => None,
            AudioSpec::File { path, repeat } => {
                Some(FileCapture::open(path, *repeat).map(Self::File))
            }
            AudioSpec::Tone(hertz) => Some(Ok(Self::Tone(Sine::new(*hertz, TONE_AMPLITUDE)))),
            AudioSpec::Silence | AudioSpec::Null => Some(Ok(Self::Silence)),
        }
    }

    /// Fills `out`, with silence where there is nothing.
    pub(crate) fn pull(&mut self, out: &mut [f32]) {
        match self {
            Self::Card(card) => card.pull(out),
            Self::File(file) => file.pull(out),
            Self::Tone(sine) => sine.fill(out),
            Self::Silence => out.fill(0.0),
        }
    }
}

/// A place for sound that is open.
pub(crate) enum Playout {
    /// A sound card.
    Card(CardPlayout),
    /// A WAV file.
    File(FilePlayout),
    /// Nowhere.
    Null,
}

impl Playout {
    /// Opens a place that needs no sound card; nothing for the two that do. What can only be a
    /// source takes sound and forgets it.
    pub(crate) fn generated(spec: &AudioSpec) -> Option<Result<Self, String>> {
        match spec {
            AudioSpec::Default | AudioSpec::Device(_) => None,
            AudioSpec::File { path, .. } => Some(FilePlayout::create(path).map(Self::File)),
            AudioSpec::Tone(_) | AudioSpec::Silence | AudioSpec::Null => Some(Ok(Self::Null)),
        }
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// In words, when the place is gone.
    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<(), String> {
        match self {
            Self::Card(card) => {
                card.push(samples);
                Ok(())
            }
            Self::File(file) => file.push(samples),
            Self::Null => Ok(()),
        }
    }

    /// Nothing more to play for now.
    pub(crate) fn rest(&mut self) {
        match self {
            Self::File(file) => file.rest(),
            Self::Card(_) | Self::Null => {}
        }
    }
}
