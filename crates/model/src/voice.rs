//! How a stream of speech sounds where it is heard.

use serde::{Serialize, Serializer};

/// An opinion on a scale from 1 (bad) to 5, in hundredths. Programs see the plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mos(pub u16);

impl Mos {
    /// From the plain number.
    pub fn new(mos: f32) -> Self {
        Self((mos * 100.0).round().clamp(100.0, 500.0) as u16)
    }

    /// The plain number.
    pub fn value(self) -> f32 {
        f32::from(self.0) / 100.0
    }

    /// A word for people: `good` where nobody is dissatisfied, `fair` where many are, else `poor`. The
    /// limits are those of the classes of ITU-T G.109.
    pub fn word(self) -> &'static str {
        match self.0 {
            360.. => "good",
            310.. => "fair",
            _ => "poor",
        }
    }
}

impl Serialize for Mos {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 100.0)
    }
}

/// Figures of RFC 3611 section 4.7 in plain units; nothing where a figure is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VoiceMetrics {
    /// Packets that never came, in percent of all.
    pub loss_percent: f32,
    /// Packets that came too late or too early to be played, in percent of all.
    pub discard_percent: f32,
    /// What was missing within bursts, in percent.
    pub burst_density_percent: f32,
    /// What was missing between bursts, in percent.
    pub gap_density_percent: f32,
    /// Mean length of a burst in milliseconds.
    pub burst_ms: f32,
    /// Mean length between bursts in milliseconds.
    pub gap_ms: f32,
    /// Round trip in milliseconds.
    pub round_trip_ms: Option<f32>,
    /// What the listener's program adds from microphone to loudspeaker, in milliseconds.
    pub end_system_ms: Option<f32>,
    /// Level of the speech in dBm0: what a full-scale tone has is 3.14.
    pub signal_dbm0: Option<f32>,
    /// Rating factor of ITU-T G.107, 0 to 100.
    pub r_factor: Option<f32>,
    /// Quality as a listener finds it, 1 to 5: without the delay.
    pub mos_listening: Option<f32>,
    /// Quality as somebody who talks finds it: with the delay.
    pub mos_conversation: Option<f32>,
    /// What the jitter buffer adds at present, in milliseconds.
    pub buffer_ms: f32,
    /// The most it may add.
    pub buffer_limit_ms: f32,
}
