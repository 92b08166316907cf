//! Where sound comes from and goes to, as the options `--audio-input`, `--audio-output` and
//! `--ringer-output` spell it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// One end of the sound path.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AudioSpec {
    /// Whatever the system's default is at that moment.
    #[default]
    Default,
    /// A device by the name that `devices.list` shows.
    Device(String),
    /// A WAV file: read as input, written as output. `repeat` starts over at its end.
    File {
        /// Path as given.
        path: PathBuf,
        /// `file+loop:`; only inputs can repeat.
        repeat: bool,
    },
    /// A sine of this frequency in hertz (20 to 20,000) at −12 dBFS; inputs only.
    Tone(f32),
    /// Digital silence; inputs only.
    Silence,
    /// Nothing: an input that gives no samples, an output that takes them and forgets.
    Null,
}

/// Why a text is no audio specification.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "\"{0}\" is not an audio device; use default, device:NAME, file:PATH.wav, file+loop:PATH.wav, \
     tone:HZ (20 to 20000), silence or null"
)]
pub struct SpecError(String);

impl FromStr for AudioSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let refuse = || SpecError(text.to_owned());
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let file = |repeat| AudioSpec::File { path: PathBuf::from(rest), repeat };
        match (kind, rest.is_empty()) {
            ("default", true) => Ok(Self::Default),
            ("silence", true) => Ok(Self::Silence),
            ("null", true) => Ok(Self::Null),
            ("device", false) => Ok(Self::Device(rest.to_owned())),
            ("file", false) => Ok(file(false)),
            ("file+loop", false) => Ok(file(true)),
            ("tone", false) => match rest.parse::<f32>() {
                Ok(hertz) if (20.0..=20_000.0).contains(&hertz) => Ok(Self::Tone(hertz)),
                _ => Err(refuse()),
            },
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for AudioSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Device(name) => write!(f, "device:{name}"),
            Self::File { path, repeat: false } => write!(f, "file:{}", path.display()),
            Self::File { path, repeat: true } => write!(f, "file+loop:{}", path.display()),
            Self::Tone(hertz) => write!(f, "tone:{hertz}"),
            Self::Silence => f.write_str("silence"),
            Self::Null => f.write_str("null"),
        }
    }
}

impl Serialize for AudioSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AudioSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::AudioSpec;

    #[test]
    fn every_spelling_survives_its_text() {
        for text in [
            "default",
            "device:Headset 1",
            "file:/a b.wav",
            "file+loop:x.wav",
            "tone:440",
            "silence",
            "null",
        ] {
            assert_eq!(text.parse::<AudioSpec>().expect(text).to_string(), text);
        }
        for bad in ["", "tone:", "tone:5", "tone:x", "device:", "file:", "loud", "default:1"] {
            assert!(bad.parse::<AudioSpec>().is_err(), "{bad}");
        }
    }
}
