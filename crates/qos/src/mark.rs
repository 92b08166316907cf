//! Differentiated services code points (RFC 2474) and the ToS bytes that device files hold.

/// A code point, 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dscp(pub u8);

impl Dscp {
    /// Expedited forwarding (46), for audio of audio calls.
    pub const AUDIO: Self = Self(46);
    /// AF41 (34), for video and for audio of video calls.
    pub const VIDEO: Self = Self(34);
    /// CS3 (24), for signalling. Old deployments mark AF31 (26) instead.
    pub const SIGNALLING: Self = Self(24);
}

/// The code point in a ToS byte such as `dscpForAudio` (184 is 46). The two lowest bits belong to
/// congestion notification and are dropped.
pub fn dscp_of_tos(tos: u8) -> Dscp {
    Dscp(tos >> 2)
}

/// The ToS or traffic class byte for a code point; values above 63 are cut to six bits.
pub fn tos_of_dscp(dscp: Dscp) -> u8 {
    (dscp.0 & 63) << 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_file_bytes_become_code_points() {
        for (tos, dscp) in [(184, Dscp::AUDIO), (136, Dscp::VIDEO), (96, Dscp::SIGNALLING)] {
            assert_eq!(dscp_of_tos(tos), dscp);
            assert_eq!(tos_of_dscp(dscp), tos);
        }
        assert_eq!(dscp_of_tos(187), Dscp::AUDIO);
    }
}
