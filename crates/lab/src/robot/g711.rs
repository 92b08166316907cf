//! G.711 μ-law and A-law (ITU-T G.711), by the segment arithmetic the recommendation describes.

/// One of the two laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Law {
    /// μ-law, payload type 0.
    Mu,
    /// A-law, payload type 8.
    A,
}

impl Law {
    /// Static payload type (RFC 3551).
    pub(crate) fn payload_type(self) -> u8 {
        match self {
            Self::Mu => 0,
            Self::A => 8,
        }
    }

    /// Encoding name in SDP.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mu => "PCMU",
            Self::A => "PCMA",
        }
    }

    /// The law of an encoding name.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        [Self::Mu, Self::A].into_iter().find(|law| law.name().eq_ignore_ascii_case(name))
    }

    /// A 16 bit sample as one octet.
    pub(crate) fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Mu => encode_mu(sample),
            Self::A => encode_a(sample),
        }
    }

    /// One octet as a 16 bit sample.
    pub(crate) fn decode(self, octet: u8) -> i16 {
        match self {
            Self::Mu => decode_mu(octet),
            Self::A => decode_a(octet),
        }
    }
}

/// 33 in the 14 bit scale of the recommendation, here in 16 bits.
const BIAS: i32 = 132;
/// Largest magnitude the top segment holds.
const CLIP: i32 = 32_635;

fn encode_mu(sample: i16) -> u8 {
    let value = i32::from(sample);
    let magnitude = value.abs().min(CLIP) + BIAS;
    // The segment is the place of the highest bit above bit 7.
    let segment = 24 - magnitude.leading_zeros();
    let step = (magnitude >> (segment + 3)) & 0x0f;
    let code = ((segment as i32) << 4) | step;
    let sign = if value < 0 { 0x80 } else { 0 };
    // All bits are inverted on the line.
    !u8::try_from(sign | code).unwrap_or(0)
}

fn decode_mu(octet: u8) -> i16 {
    let code = !octet;
    let (segment, step) = (u32::from((code >> 4) & 7), i32::from(code & 0x0f));
    let magnitude = (((step << 3) + BIAS) << segment) - BIAS;
    let value = if code & 0x80 == 0 { magnitude } else { -magnitude };
    i16::try_from(value).unwrap_or(0)
}

fn encode_a(sample: i16) -> u8 {
    let value = i32::from(sample);
    // In units of the smallest step; negative values start one below zero.
    let magnitude = (if value < 0 { !value } else { value }) >> 4;
    let code = if magnitude < 32 {
        magnitude
    } else {
        let segment = 28 - magnitude.leading_zeros();
        ((segment as i32) << 4) | ((magnitude >> (segment - 1)) & 0x0f)
    };
    let sign = if value < 0 { 0 } else { 0x80 };
    // Even bits are inverted on the line.
    u8::try_from(sign | code).unwrap_or(0) ^ 0x55
}

fn decode_a(octet: u8) -> i16 {
    let code = octet ^ 0x55;
    let (segment, step) = (u32::from((code >> 4) & 7), i32::from(code & 0x0f));
    let magnitude = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 264) << (segment - 1),
    };
    let value = if code & 0x80 == 0 { -magnitude } else { magnitude };
    i16::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decoder output values of G.711 tables 1a and 2a, in the 16 bit scale.
    #[test]
    fn decoder_values_are_those_of_the_recommendation() {
        for (octet, value) in [
            (0xff, 0),
            (0x7f, 0),
            (0x80, 32_124),
            (0x00, -32_124),
            (0xfe, 8),
            (0xf0, 120),
            (0xef, 132),
        ] {
            assert_eq!(Law::Mu.decode(octet), value, "μ-law {octet:#x}");
        }
        for (octet, value) in
            [(0xd5, 8), (0x55, -8), (0xaa, 32_256), (0x2a, -32_256), (0xd4, 24), (0xc5, 264)]
        {
            assert_eq!(Law::A.decode(octet), value, "A-law {octet:#x}");
        }
    }

    #[test]
    fn every_octet_survives_a_round_trip() {
        for law in [Law::Mu, Law::A] {
            for octet in 0..=255u8 {
                let again = law.encode(law.decode(octet));
                // μ-law has two zeros; both decode to the same sample.
                assert_eq!(law.decode(again), law.decode(octet), "{law:?} {octet:#x}");
            }
        }
    }

    #[test]
    fn every_sample_comes_back_within_half_a_step_of_its_segment() {
        for law in [Law::Mu, Law::A] {
            for sample in i16::MIN..=i16::MAX {
                let back = i32::from(law.decode(law.encode(sample)));
                let error = (back - i32::from(sample)).abs();
                // Half a step, and one for the asymmetry of two's complement.
                let allowed = (i32::from(sample).abs() + 132) / 32 + 9;
                let clipped = sample.unsigned_abs() > 32_000;
                assert!(error <= allowed || clipped, "{law:?} {sample} came back as {back}");
            }
        }
    }
}
