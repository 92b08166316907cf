//! G.722 at 64 kbit/s (ITU-T G.722), one code byte for two samples at 16 kHz.
//!
//! The coder is the audio-codec crate's. Its output was compared byte by byte with another
//! implementation (see `tests/tones.rs` for what is checked here).

use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};

use crate::conceal::Concealer;
use crate::{CodecError, MAX_SAMPLES};

/// G.722 encoder.
pub(crate) struct Encoder {
    inner: G722Encoder,
    frame: usize,
}

impl Encoder {
    pub(crate) fn new(frame: usize) -> Self {
        Self { inner: G722Encoder::new(), frame }
    }
}

impl crate::Encoder for Encoder {
    fn samples_per_frame(&self) -> usize {
        self.frame
    }

    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        if pcm.len() != self.frame {
            return Err(CodecError::FrameSize { wanted: self.frame, given: pcm.len() });
        }
        let bytes = self.frame / 2;
        if out.len() < bytes {
            return Err(CodecError::NoRoom(bytes));
        }
        self.inner.encode_into(pcm, out).map_err(|_| CodecError::NoRoom(bytes))
    }

    fn set_expected_loss(&mut self, _percent: u8) {}
}

/// G.722 decoder.
pub(crate) struct Decoder {
    inner: G722Decoder,
    concealer: Concealer,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { inner: G722Decoder::new(), concealer: Concealer::new(16_000) }
    }
}

impl crate::Decoder for Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, CodecError> {
        let samples = payload.len() * 2;
        if payload.is_empty() || samples > MAX_SAMPLES {
            return Err(CodecError::Payload);
        }
        let out = out.get_mut(..samples).ok_or(CodecError::NoRoom(samples))?;
        self.inner.decode_into(payload, out).map_err(|_| CodecError::Payload)?;
        self.concealer.received(out);
        Ok(samples)
    }

    fn conceal(&mut self, samples: usize, out: &mut [i16]) -> usize {
        let count = samples.min(out.len());
        self.concealer.conceal(&mut out[..count]);
        count
    }

    fn decode_fec(&mut self, _next: &[u8], _samples: usize, _out: &mut [i16]) -> Option<usize> {
        None
    }

    fn duration(&self, payload: &[u8]) -> Option<u32> {
        let samples = payload.len() * 2;
        (samples > 0 && samples <= MAX_SAMPLES).then_some(samples as u32)
    }
}
