//! Audio coders behind one pair of traits: G.711, G.722, G.722.1, G.729 and Opus; comfort noise
//! (RFC 3389); G.711 and GSM 6.10 of recordings.
//!
//! Everything works on mono 16-bit samples at [`AudioCodec::sample_rate`]. Creating a coder
//! allocates; coding and concealing never do, so both may run on a thread that must not wait.
//! This crate opens no device and keeps no time.

mod conceal;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod g711;
mod g722;
mod g7221;
mod g729;
mod gate;
mod gsm;
mod noise;
mod opus;
mod stretch;

use std::time::Duration;

use offhook_model::{AudioCodec, OpusWish};

pub use error::CodecError;
pub use g711::{a_law_sample, mu_law_sample};
pub use gate::{Gate, Verdict};
pub use gsm::{GSM_BLOCK, GSM_SAMPLES, GsmDecoder};
pub use noise::{NOISE_PAYLOAD, Noise};
pub use stretch::Stretcher;

/// The most samples one packet decodes to: 120 ms of Opus at 48 kHz (RFC 6716 section 2).
pub const MAX_SAMPLES: usize = 5_760;

/// The most bytes one packet is encoded to: 60 ms of G.711 take 480, and Opus is held to this.
pub const MAX_PAYLOAD: usize = 1_276;

/// How many of our packets get lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpectedLoss {
    /// 0 to 100; 0 wants no redundancy.
    pub percent: u8,
    /// The other side's RTCP reports say so; else nothing is known yet.
    pub reported: bool,
}

/// Turns sound into payloads.
pub trait Encoder: Send {
    /// Samples that make one packet, at the codec's sample rate.
    fn samples_per_frame(&self) -> usize;

    /// Encodes one packet; gives the number of bytes written.
    ///
    /// # Errors
    /// [`CodecError::FrameSize`] unless `pcm` holds exactly [`Encoder::samples_per_frame`]
    /// samples, [`CodecError::NoRoom`] when `out` is too small.
    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, CodecError>;

    /// Tells how many of our packets get lost. Opus spends bits on redundancy accordingly; others
    /// ignore it.
    fn set_expected_loss(&mut self, _loss: ExpectedLoss) {}

    /// Silence may be left out from now on, or no longer: then [`Encoder::encode`] gives 0 for a
    /// packet that need not be sent. Those that have no such frames of their own ignore it.
    fn leave_out_silence(&mut self, _yes: bool) {}

    /// What the other side asks of Opus. Others ignore it.
    fn heed(&mut self, _wish: OpusWish) {}

    /// Samples of silence that were left out before the first frame in the last packet: its
    /// timestamp is later by so much.
    fn skipped(&self) -> usize {
        0
    }
}

/// Turns payloads into sound.
pub trait Decoder: Send {
    /// Decodes one payload; gives the number of samples written.
    ///
    /// # Errors
    /// [`CodecError::NoRoom`] when `out` is too small ([`MAX_SAMPLES`] always suffice),
    /// [`CodecError::Payload`] when the payload makes no sense.
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, CodecError>;

    /// Invents `samples` samples in place of a lost packet; gives the number written, which is
    /// `samples` unless `out` is shorter.
    fn conceal(&mut self, samples: usize, out: &mut [i16]) -> usize;

    /// Recovers the lost packet before `next_payload` from the redundancy in it, `samples` long.
    /// Nothing when the codec has no such redundancy or the payload carries none: then
    /// [`Decoder::conceal`]. `next_payload` is to be decoded as usual afterwards.
    fn decode_fec(&mut self, next_payload: &[u8], samples: usize, out: &mut [i16])
    -> Option<usize>;

    /// How many samples the payload holds, at the codec's sample rate.
    fn duration(&self, payload: &[u8]) -> Option<u32>;

    /// The sender has said that it is silent: that nothing comes is no loss, and
    /// [`Decoder::conceal`] gives the noise that it described.
    fn is_resting(&self) -> bool {
        false
    }
}

/// The payload holds enough to recover the one before it ([`Decoder::decode_fec`]).
pub fn carries_redundancy(codec: AudioCodec, payload: &[u8]) -> bool {
    codec == AudioCodec::Opus && opus::carries_redundancy(payload)
}

/// Makes an encoder for packets of `packet_time`, 10 to 60 ms in whole steps of 10 ms. Opus knows
/// only 10, 20, 40 and 60 ms, G.722.1 only 20, 40 and 60 ms: they take the next shorter one, G.722.1
/// 20 ms at least.
///
/// # Errors
/// [`CodecError::PacketTime`] outside that range, [`CodecError::Setup`] when the codec refuses.
pub fn encoder(codec: AudioCodec, packet_time: Duration) -> Result<Box<dyn Encoder>, CodecError> {
    let ms = u32::try_from(packet_time.as_millis()).unwrap_or(u32::MAX);
    if !(10..=60).contains(&ms) || ms % 10 != 0 {
        return Err(CodecError::PacketTime(packet_time));
    }
    let frame = (codec.sample_rate() / 1_000 * ms) as usize;
    Ok(match codec {
        AudioCodec::Pcmu => Box::new(g711::Encoder::new(g711::Law::Mu, frame)),
        AudioCodec::Pcma => Box::new(g711::Encoder::new(g711::Law::A, frame)),
        AudioCodec::G722 => Box::new(g722::Encoder::new(frame)),
        AudioCodec::Opus => Box::new(opus::Encoder::new(ms)?),
        AudioCodec::G7221At24 => Box::new(g7221::Encoder::new(g7221::Rate::Low, ms)),
        AudioCodec::G7221At32 => Box::new(g7221::Encoder::new(g7221::Rate::High, ms)),
        AudioCodec::G729 => Box::new(g729::Encoder::new(frame)?),
    })
}

/// Makes a decoder.
///
/// # Errors
/// [`CodecError::Setup`] when the codec refuses.
pub fn decoder(codec: AudioCodec) -> Result<Box<dyn Decoder>, CodecError> {
    Ok(match codec {
        AudioCodec::Pcmu => Box::new(g711::Decoder::new(g711::Law::Mu)),
        AudioCodec::Pcma => Box::new(g711::Decoder::new(g711::Law::A)),
        AudioCodec::G722 => Box::new(g722::Decoder::new()),
        AudioCodec::Opus => Box::new(opus::Decoder::new()?),
        AudioCodec::G7221At24 => Box::new(g7221::Decoder::new(g7221::Rate::Low)),
        AudioCodec::G7221At32 => Box::new(g7221::Decoder::new(g7221::Rate::High)),
        AudioCodec::G729 => Box::new(g729::Decoder::new()?),
    })
}
