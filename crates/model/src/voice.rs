//! How a stream of speech sounds where it is heard.

use serde::Serialize;

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
