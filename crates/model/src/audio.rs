//! Codecs and the figures of a running stream.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A codec for speech. The names are those of `call.stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AudioCodec {
    /// G.711 µ-law, 64 kbit/s (RFC 3551).
    #[serde(rename = "PCMU")]
    Pcmu,
    /// G.711 A-law, 64 kbit/s (RFC 3551).
    #[serde(rename = "PCMA")]
    Pcma,
    /// G.722, 64 kbit/s, 16 kHz speech on an 8 kHz RTP clock (RFC 3551 section 4.5.2).
    #[serde(rename = "G722")]
    G722,
    /// G.722.1, 24 kbit/s, 16 kHz speech (RFC 5577).
    #[serde(rename = "G7221-24")]
    G7221At24,
    /// G.722.1, 32 kbit/s, 16 kHz speech (RFC 5577).
    #[serde(rename = "G7221-32")]
    G7221At32,
    /// G.729 with the coder of Annex A, 8 kbit/s (RFC 3551 section 4.5.6).
    #[serde(rename = "G729")]
    G729,
    /// Opus, 48 kHz RTP clock (RFC 7587).
    #[serde(rename = "opus")]
    Opus,
}

impl AudioCodec {
    /// All that a description of theirs may name, best first: the order of the desktop client's
    /// offers (reference sip-dialect.md, SDP).
    pub const ALL: [Self; 7] = [
        Self::Opus,
        Self::G722,
        Self::G7221At32,
        Self::G7221At24,
        Self::Pcmu,
        Self::Pcma,
        Self::G729,
    ];

    /// The encoding name in SDP `a=rtpmap`; the rates of G.722.1 share one.
    pub fn encoding_name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::G7221At24 | Self::G7221At32 => "G7221",
            Self::G729 => "G729",
            Self::Opus => "opus",
        }
    }

    /// Ticks of the RTP clock per second.
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 | Self::G729 => 8_000,
            Self::G7221At24 | Self::G7221At32 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// Samples per second that the coder works on. Opus codes at 48 kHz here.
    pub fn sample_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G729 => 8_000,
            Self::G722 | Self::G7221At24 | Self::G7221At32 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// The payload type in our offers, unless the other side has named another one first: the
    /// static one of RFC 3551 (below 96), or what the desktop client takes (reference
    /// sip-dialect.md, SDP).
    pub fn usual_payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::G729 => 18,
            Self::G7221At32 => 104,
            Self::G7221At24 => 105,
            Self::Opus => 114,
        }
    }

    /// The shortest packet of this codec; every packet is a whole number of these.
    pub fn frame(self) -> Duration {
        match self {
            // RFC 5577 section 3: frames of 20 ms.
            Self::G7221At24 | Self::G7221At32 => Duration::from_millis(20),
            Self::Pcmu | Self::Pcma | Self::G722 | Self::G729 | Self::Opus => {
                Duration::from_millis(10)
            }
        }
    }
}

/// What whoever receives Opus asks of whoever sends it (RFC 7587 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusWish {
    /// Sound above half of this is not heard there, in Hz: 8,000 to 48,000 (`maxplaybackrate`).
    pub max_playback_rate: u32,
    /// Bits a second that are taken at most: 6,000 to 510,000 (`maxaveragebitrate`).
    pub max_average_bit_rate: Option<u32>,
    /// Every packet is to be as long as the others (`cbr`).
    pub constant: bool,
    /// Redundancy within the packets is made use of (`useinbandfec`).
    pub in_band_fec: bool,
    /// Silence may be left out (`usedtx`).
    pub dtx: bool,
}

impl Default for OpusWish {
    /// What is meant by saying nothing.
    fn default() -> Self {
        Self {
            max_playback_rate: 48_000,
            max_average_bit_rate: None,
            constant: false,
            in_band_fec: false,
            dtx: false,
        }
    }
}

/// How sound is encrypted and proven (RFC 4568 section 6.2, RFC 7714 section 14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpSuite {
    /// AES-256 in Galois counter mode, tags of 16 bytes.
    AeadAes256Gcm,
    /// AES-128 in counter mode, tags of 10 bytes.
    AesCm128HmacSha1_80,
    /// AES-128 in counter mode, tags of 4 bytes on sound, of 10 on reports. Old phones know no
    /// other.
    AesCm128HmacSha1_32,
}

impl SrtpSuite {
    /// All of them, the strongest first.
    pub const ALL: [Self; 3] =
        [Self::AeadAes256Gcm, Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32];

    /// The name in `a=crypto` and in `call.stats`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// Length of the master key and of the master salt in bytes.
    pub fn key_and_salt(self) -> (usize, usize) {
        match self {
            Self::AeadAes256Gcm => (32, 12),
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => (16, 14),
        }
    }
}

/// Which way a stream goes, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From us.
    Send,
    /// To us.
    Receive,
}

/// The figures of one stream, as `call.stats` prints them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamStats {
    /// Always `audio` until video is built.
    pub kind: &'static str,
    /// Which way.
    pub direction: Direction,
    /// Codec in use.
    pub codec: AudioCodec,
    /// RTP payload type in use.
    pub payload_type: u8,
    /// RTP packets so far.
    pub packets: u64,
    /// RTP payload bytes so far.
    pub bytes: u64,
    /// Packets lost so far: ours by the other side's report, theirs by our count.
    pub lost: u64,
    /// Of theirs, those whose sound was found in the packet after them; 0 for what we send.
    pub recovered: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1) in milliseconds.
    pub jitter_ms: f32,
    /// Round trip by RTCP in milliseconds, if a report came.
    pub round_trip_ms: Option<f32>,
    /// What the jitter buffer adds at present, in milliseconds; 0 for what we send.
    pub delay_ms: f32,
    /// Estimated listening quality, 1 to 5, if it can be estimated yet.
    pub mos_estimate: Option<f32>,
    /// The code point that the system really set, 0 to 63.
    pub dscp: u8,
    /// Our UDP port.
    pub local_port: u16,
    /// Their UDP port.
    pub remote_port: u16,
    /// SRTP suite, or nothing when the stream is in clear.
    pub srtp: Option<String>,
    /// How long ago the stream's sound began, in milliseconds: for what we send, when the first
    /// sample of its first packet was taken from the microphone; for what we receive, when the
    /// first sample of its first packet was given to the speaker. Nothing before that.
    pub age_ms: Option<f64>,
    /// Payload bits per second over the last seconds.
    pub bit_rate: u32,
    /// How it sounds where it is heard: by their extended reports for what we send, by our own count
    /// for what we receive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<crate::VoiceMetrics>,
    /// How long the loudspeaker's sound takes to come back by the microphone, in milliseconds, for
    /// what we send, once the echo canceller has found an echo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub echo_delay_ms: Option<f32>,
    /// How much of the echo is taken out of what we send, in decibels (ERLE).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub echo_removed_db: Option<f32>,
    /// The way that ICE found, or nothing where the sound goes to the address of the description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<MediaWay>,
}

/// Where an address of a call's sound comes from (RFC 8445 section 5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CandidateKind {
    /// It is the machine's own.
    Host,
    /// A translator gave it, as a server saw.
    ServerReflexive,
    /// A translator gave it, as the other side saw.
    PeerReflexive,
    /// A server relays from it.
    Relayed,
}

/// A way through the network by the kinds of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MediaWay {
    /// Ours.
    pub local: CandidateKind,
    /// Theirs.
    pub remote: CandidateKind,
}
