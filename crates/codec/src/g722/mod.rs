//! G.722 at 64 kbit/s (ITU-T G.722): two bands of 8 kHz, coded by adaptive differences, one byte
//! for two samples at 16 kHz.
//!
//! Names of steps in comments are those of the Recommendation. Arithmetic is exact, including the
//! state after reset, so that both ends stay in step from the first byte on. The crate
//! audio-codec 0.4 was tried and starts from another state.

mod band;
mod filter;

use self::band::{High, Low};
use self::filter::{Analysis, Synthesis};
use crate::conceal::Concealer;
use crate::{CodecError, MAX_SAMPLES};

/// G.722 encoder.
pub(crate) struct Encoder {
    frame: usize,
    filter: Analysis,
    low: Low,
    high: High,
}

impl Encoder {
    pub(crate) fn new(frame: usize) -> Self {
        Self { frame, filter: Analysis::default(), low: Low::default(), high: High::default() }
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
        let out = out.get_mut(..bytes).ok_or(CodecError::NoRoom(bytes))?;
        for (byte, pair) in out.iter_mut().zip(pcm.chunks_exact(2)) {
            let (low, high) = self.filter.split(pair[0], pair[1]);
            *byte = (self.high.encode(high) << 6) | self.low.encode(low);
        }
        Ok(bytes)
    }
}

/// G.722 decoder.
pub(crate) struct Decoder {
    filter: Synthesis,
    low: Low,
    high: High,
    concealer: Concealer,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self {
            filter: Synthesis::default(),
            low: Low::default(),
            high: High::default(),
            concealer: Concealer::new(16_000),
        }
    }
}

impl crate::Decoder for Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, CodecError> {
        let samples = payload.len() * 2;
        if payload.is_empty() || samples > MAX_SAMPLES {
            return Err(CodecError::Payload);
        }
        let out = out.get_mut(..samples).ok_or(CodecError::NoRoom(samples))?;
        for (pair, byte) in out.chunks_exact_mut(2).zip(payload) {
            let low = self.low.decode(byte & 63);
            let high = self.high.decode(byte >> 6);
            let (first, second) = self.filter.join(low, high);
            pair[0] = first;
            pair[1] = second;
        }
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
