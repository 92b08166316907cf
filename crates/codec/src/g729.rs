//! G.729 with the coder of Annex A (8 kbit/s, frames of 10 ms in 10 bytes), and silence by Annex B
//! (frames of 2 bytes, or nothing).
//!
//! The coder is that of `rvoip-codec-core`, chosen by what it was measured to do beside two others
//! (docs/dependencies.md). Of its own it is silent after ten frames of nothing, which is right where
//! packets are lost and wrong where nothing was sent: the noise is carried on here.

use codec_core::codecs::g729::G729Codec;
use codec_core::types::{AudioCodecExt as _, CodecConfig, CodecType};

use crate::noise::Noise;
use crate::{CodecError, MAX_SAMPLES};

/// Samples and bytes of a frame, and bytes of one that describes silence (RFC 3551 section 4.5.6).
const FRAME: usize = 80;
const SPEECH: usize = 10;
const SILENCE: usize = 2;
/// The coder makes sound for so many frames of nothing.
const OWN_FRAMES: u32 = 10;

fn coder(annex_b: bool) -> Result<G729Codec, CodecError> {
    let kind = if annex_b { CodecType::G729BA } else { CodecType::G729A };
    G729Codec::new(CodecConfig::new(kind)).map_err(|_| CodecError::Setup("G.729"))
}

/// G.729 encoder.
pub(crate) struct Encoder {
    inner: G729Codec,
    samples: usize,
    skipped: usize,
}

impl Encoder {
    /// For packets of `samples` samples, a whole number of frames.
    pub(crate) fn new(samples: usize) -> Result<Self, CodecError> {
        Ok(Self { inner: coder(false)?, samples, skipped: 0 })
    }
}

impl crate::Encoder for Encoder {
    fn samples_per_frame(&self) -> usize {
        self.samples
    }

    /// A packet is frames of speech and, after the last of them, one of silence (RFC 3551 section
    /// 4.5.6): silence before speech is left out. Between two frames of speech, where the format has
    /// no place for it, the frame before it stands once more.
    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        if pcm.len() != self.samples {
            return Err(CodecError::FrameSize { wanted: self.samples, given: pcm.len() });
        }
        let room = self.samples / FRAME * SPEECH;
        let out = out.get_mut(..room).ok_or(CodecError::NoRoom(room))?;
        let (mut spoken, mut length) = (0, 0);
        self.skipped = 0;
        for (index, frame) in pcm.chunks_exact(FRAME).enumerate() {
            let mut bytes = [0; SPEECH];
            let count =
                self.inner.encode_to_buffer(frame, &mut bytes).map_err(|_| CodecError::Payload)?;
            if count < SPEECH {
                // The description of silence that came last counts.
                length = if count > 0 { spoken + count } else { length };
                out[spoken..spoken + count].copy_from_slice(&bytes[..count]);
                continue;
            }
            if spoken == 0 {
                self.skipped = index * FRAME;
            }
            let at = index * SPEECH - self.skipped / FRAME * SPEECH;
            while spoken > 0 && spoken < at {
                out.copy_within(spoken - SPEECH..spoken, spoken);
                spoken += SPEECH;
            }
            out[at..at + SPEECH].copy_from_slice(&bytes);
            spoken = at + SPEECH;
            length = spoken;
        }
        Ok(length)
    }

    fn leave_out_silence(&mut self, yes: bool) {
        if let Ok(inner) = coder(yes) {
            self.inner = inner;
        }
    }

    fn skipped(&self) -> usize {
        self.skipped
    }
}

/// G.729 decoder.
pub(crate) struct Decoder {
    inner: G729Codec,
    /// The sender has described a silence and sent no speech since.
    resting: bool,
    /// Frames of nothing since the last of anything.
    nothing: u32,
    /// What was heard last, for going on with it.
    history: [i16; FRAME * OWN_FRAMES as usize],
    noise: Noise,
}

impl Decoder {
    pub(crate) fn new() -> Result<Self, CodecError> {
        Ok(Self {
            inner: coder(true)?,
            resting: false,
            nothing: 0,
            history: [0; FRAME * OWN_FRAMES as usize],
            noise: Noise::default(),
        })
    }

    fn frame(&mut self, bytes: &[u8], out: &mut [i16; FRAME]) -> Result<(), CodecError> {
        self.inner.decode_to_buffer(bytes, out).map_err(|_| CodecError::Payload)?;
        self.history.copy_within(FRAME.., 0);
        let at = self.history.len() - FRAME;
        self.history[at..].copy_from_slice(out);
        Ok(())
    }

    /// A frame that did not come.
    fn invent(&mut self, out: &mut [i16; FRAME]) {
        self.nothing = self.nothing.saturating_add(1);
        if self.resting && self.nothing > OWN_FRAMES {
            if self.nothing == OWN_FRAMES + 1 {
                self.noise.learn(&self.history);
            }
            self.noise.fill(out);
        } else if self.frame(&[], out).is_err() {
            out.fill(0);
        }
    }
}

impl crate::Decoder for Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, CodecError> {
        let samples = self.duration(payload).ok_or(CodecError::Payload)? as usize;
        let out = out.get_mut(..samples).ok_or(CodecError::NoRoom(samples))?;
        self.nothing = 0;
        let mut frame = [0; FRAME];
        for (bytes, out) in payload.chunks(SPEECH).zip(out.chunks_exact_mut(FRAME)) {
            self.resting = bytes.len() == SILENCE;
            self.frame(bytes, &mut frame)?;
            out.copy_from_slice(&frame);
        }
        Ok(samples)
    }

    fn conceal(&mut self, samples: usize, out: &mut [i16]) -> usize {
        let count = samples.min(out.len());
        let mut frame = [0; FRAME];
        for out in out[..count].chunks_mut(FRAME) {
            self.invent(&mut frame);
            out.copy_from_slice(&frame[..out.len()]);
        }
        count
    }

    fn decode_fec(&mut self, _: &[u8], _: usize, _: &mut [i16]) -> Option<usize> {
        None
    }

    fn duration(&self, payload: &[u8]) -> Option<u32> {
        let rest = payload.len() % SPEECH;
        let frames = payload.len().div_ceil(SPEECH);
        let whole = (rest == 0 || rest == SILENCE) && (1..=MAX_SAMPLES / FRAME).contains(&frames);
        whole.then_some((frames * FRAME) as u32)
    }

    fn is_resting(&self) -> bool {
        self.resting
    }
}
