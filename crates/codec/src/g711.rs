//! G.711 µ-law and A-law (ITU-T G.711), by tables made at compile time.
//!
//! Linear samples are 16 bit; the law's 14-bit (µ) and 13-bit (A) values sit in their upper bits.

use crate::conceal::Concealer;
use crate::{CodecError, MAX_SAMPLES};

/// Which of the two laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    /// µ-law, payload type 0.
    Mu,
    /// A-law, payload type 8.
    A,
}

/// µ-law adds this to the magnitude so that all segments are powers of two (33 in 14 bits).
const MU_BIAS: i32 = 132;
/// Largest magnitude that does not overflow the last µ-law segment.
const MU_CLIP: i32 = 32_635;

/// The sample that a code of µ-law stands for.
pub const fn mu_law_sample(code: u8) -> i16 {
    let code = !code;
    let exponent = (code >> 4) & 7;
    let mantissa = (code & 15) as i32;
    let magnitude = (((mantissa << 3) + MU_BIAS) << exponent) - MU_BIAS;
    (if code & 0x80 != 0 { -magnitude } else { magnitude }) as i16
}

const fn linear_to_mu(sample: i16) -> u8 {
    let sample = sample as i32;
    let sign = if sample < 0 { 0x80u8 } else { 0 };
    // As for A-law: where a sample lies between two codes, ITU-T G.191 decides so.
    let mut magnitude = if sample < 0 { !sample } else { sample };
    if magnitude > MU_CLIP {
        magnitude = MU_CLIP;
    }
    magnitude += MU_BIAS;
    // The leading one stands between bit 7 (segment 0) and bit 14 (segment 7).
    let exponent = (31 - (magnitude as u32).leading_zeros()) - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 15;
    !(sign | ((exponent as u8) << 4) | mantissa as u8)
}

/// The sample that a code of A-law stands for.
pub const fn a_law_sample(code: u8) -> i16 {
    let code = code ^ 0x55;
    let exponent = (code >> 4) & 7;
    let mantissa = ((code & 15) as i32) << 4;
    let magnitude = if exponent == 0 { mantissa + 8 } else { (mantissa + 0x108) << (exponent - 1) };
    (if code & 0x80 != 0 { magnitude } else { -magnitude }) as i16
}

const fn linear_to_a(sample: i16) -> u8 {
    // The law works on 13 bits; the negative half is the one's complement of the positive.
    let value = (sample >> 3) as i32;
    let (sign, magnitude) = if value >= 0 { (0x80u8, value) } else { (0, -value - 1) };
    let code = if magnitude < 32 {
        (magnitude >> 1) as u8
    } else {
        let exponent = (31 - (magnitude as u32).leading_zeros()) - 4;
        ((exponent as u8) << 4) | ((magnitude >> exponent) & 15) as u8
    };
    (sign | code) ^ 0x55
}

const fn decode_table(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = match law {
            Law::Mu => mu_law_sample(code as u8),
            Law::A => a_law_sample(code as u8),
        };
        code += 1;
    }
    table
}

static MU_LINEAR: [i16; 256] = decode_table(Law::Mu);
static A_LINEAR: [i16; 256] = decode_table(Law::A);

/// G.711 encoder.
pub(crate) struct Encoder {
    law: Law,
    frame: usize,
}

impl Encoder {
    pub(crate) fn new(law: Law, frame: usize) -> Self {
        Self { law, frame }
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
        let out = out.get_mut(..pcm.len()).ok_or(CodecError::NoRoom(pcm.len()))?;
        match self.law {
            Law::Mu => {
                for (byte, sample) in out.iter_mut().zip(pcm) {
                    *byte = linear_to_mu(*sample);
                }
            }
            Law::A => {
                for (byte, sample) in out.iter_mut().zip(pcm) {
                    *byte = linear_to_a(*sample);
                }
            }
        }
        Ok(pcm.len())
    }
}

/// G.711 decoder.
pub(crate) struct Decoder {
    table: &'static [i16; 256],
    concealer: Concealer,
}

impl Decoder {
    pub(crate) fn new(law: Law) -> Self {
        let table = match law {
            Law::Mu => &MU_LINEAR,
            Law::A => &A_LINEAR,
        };
        Self { table, concealer: Concealer::new(8_000) }
    }
}

impl crate::Decoder for Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, CodecError> {
        if payload.is_empty() || payload.len() > MAX_SAMPLES {
            return Err(CodecError::Payload);
        }
        let out = out.get_mut(..payload.len()).ok_or(CodecError::NoRoom(payload.len()))?;
        for (sample, byte) in out.iter_mut().zip(payload) {
            *sample = self.table[usize::from(*byte)];
        }
        self.concealer.received(out);
        Ok(payload.len())
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
        (!payload.is_empty() && payload.len() <= MAX_SAMPLES).then_some(payload.len() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks up the quantisation steps of G.711 tables 1 and 2: each output value lies half of its
    /// own step and half of the previous step above the previous one.
    fn independent(law: Law, code: u8) -> i32 {
        let (bits, scale) = match law {
            Law::Mu => (code ^ 0xff, 4),
            Law::A => (code ^ 0x55, 8),
        };
        let width = |index: i32| match (law, index / 16) {
            (Law::Mu, segment) => 2 << segment,
            (Law::A, segment) => 2 << (segment - 1).max(0),
        };
        let steps = i32::from(bits & 0x7f);
        let first = match law {
            Law::Mu => 0,
            Law::A => 1,
        };
        let value: i32 = (1..=steps).map(|i| (width(i - 1) + width(i)) / 2).sum();
        let magnitude = scale * (first + value);
        if code & 0x80 != 0 { magnitude } else { -magnitude }
    }

    fn check_law(law: Law, table: &[i16; 256]) {
        for code in 0..=255u8 {
            assert_eq!(
                i32::from(table[usize::from(code)]),
                independent(law, code),
                "{law:?} {code:#04x}"
            );
        }
    }

    #[test]
    fn all_codes_decode_as_the_tables_of_the_recommendation_say() {
        check_law(Law::Mu, &MU_LINEAR);
        check_law(Law::A, &A_LINEAR);
        assert_eq!(MU_LINEAR[0x00], -32_124);
        assert_eq!(MU_LINEAR[0xff], 0);
        assert_eq!(A_LINEAR[0xd5], 8);
        assert_eq!(A_LINEAR[0x2a], -32_256);
    }

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        for code in 0..=255u8 {
            // µ-law has two zeros; the negative one comes back as the positive.
            let expected = if code == 0x7f { 0xff } else { code };
            assert_eq!(linear_to_mu(MU_LINEAR[usize::from(code)]), expected);
            assert_eq!(linear_to_a(A_LINEAR[usize::from(code)]), code);
        }
    }

    #[test]
    fn every_sample_is_coded_within_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            for got in [
                MU_LINEAR[usize::from(linear_to_mu(sample))],
                A_LINEAR[usize::from(linear_to_a(sample))],
            ] {
                // Half a step is a thirty-third of the value where a segment begins; 8 more for
                // the bits below the law's resolution.
                let bound = (i32::from(got).abs() + 132) / 32 + 8;
                let error = (i32::from(got) - i32::from(sample)).abs();
                assert!(error <= bound, "{sample} became {got}");
            }
        }
    }
}
