//! RTP packets (RFC 3550 section 5.1).

/// Length of the header that we write: no contributing sources, no extension.
pub const HEADER_LEN: usize = 12;

/// Why bytes are no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Shorter than its own header says.
    #[error("the packet is cut short")]
    Short,
    /// Not version 2.
    #[error("the packet is not RTP version 2")]
    Version,
    /// Padding longer than the payload, or of length 0.
    #[error("the padding is longer than the payload")]
    Padding,
    /// It is an RTCP packet (RFC 5761 section 4: payload types 64 to 95 with the marker).
    #[error("the packet is RTCP")]
    Rtcp,
}

/// The fixed part of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// First packet of a talkspurt or of an event.
    pub marker: bool,
    /// What the payload is, 0 to 127.
    pub payload_type: u8,
    /// Counts packets.
    pub sequence: u16,
    /// Counts samples of the RTP clock.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

impl Header {
    /// Writes the header to the beginning of `out`; gives its length, [`HEADER_LEN`].
    ///
    /// # Errors
    /// [`PacketError::Short`] when there is no room.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, PacketError> {
        let out = out.get_mut(..HEADER_LEN).ok_or(PacketError::Short)?;
        out[0] = 2 << 6;
        out[1] = (u8::from(self.marker) << 7) | (self.payload_type & 0x7f);
        out[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        Ok(HEADER_LEN)
    }
}

/// A packet as it came. Contributing sources, extensions and padding are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Header.
    pub header: Header,
    /// Payload without padding; may be empty.
    pub payload: &'a [u8],
}

/// Whether a datagram on a shared port is RTCP rather than RTP (RFC 5761 section 4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, second, ..] if first >> 6 == 2 && (192..=223).contains(second))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`PacketError`] when it is no RTP packet.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, PacketError> {
        let (first, second) = match datagram {
            [first, second, ..] => (*first, *second),
            _ => return Err(PacketError::Short),
        };
        if first >> 6 != 2 {
            return Err(PacketError::Version);
        }
        if is_rtcp(datagram) {
            return Err(PacketError::Rtcp);
        }
        let header = Header {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16_at(datagram, 2).ok_or(PacketError::Short)?,
            timestamp: u32_at(datagram, 4).ok_or(PacketError::Short)?,
            ssrc: u32_at(datagram, 8).ok_or(PacketError::Short)?,
        };
        let mut begin = HEADER_LEN + 4 * usize::from(first & 15);
        if first & 0x10 != 0 {
            let words = u16_at(datagram, begin + 2).ok_or(PacketError::Short)?;
            begin += 4 + 4 * usize::from(words);
        }
        let mut payload = datagram.get(begin..).ok_or(PacketError::Short)?;
        if first & 0x20 != 0 {
            let padding = payload.last().map_or(0, |last| usize::from(*last));
            if padding == 0 || padding > payload.len() {
                return Err(PacketError::Padding);
            }
            payload = &payload[..payload.len() - padding];
        }
        Ok(Self { header, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            marker: true,
            payload_type: 111,
            sequence: 0xfffe,
            timestamp: 0x0102_0304,
            ssrc: 0xa0b0_c0d0,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = [0; 16];
        assert_eq!(header().write(&mut out), Ok(12));
        out[12..].copy_from_slice(b"data");
        assert_eq!(Packet::parse(&out), Ok(Packet { header: header(), payload: b"data" }));
        assert_eq!(header().write(&mut out[..11]), Err(PacketError::Short));
    }

    #[test]
    fn sources_extension_and_padding_are_passed_over() {
        let mut bytes = vec![0b1011_0010, 0x00, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([9; 8]); // two contributing sources
        bytes.extend([0xbe, 0xde, 0, 1, 7, 7, 7, 7]); // one word of extension
        bytes.extend(b"sound");
        bytes.extend([0, 0, 3]); // three bytes of padding
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.payload, b"sound");
        assert_eq!(packet.header.sequence, 1);
    }

    #[test]
    fn broken_packets_are_refused() {
        let good = [0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        assert!(Packet::parse(&good).is_ok());
        for (bytes, error) in [
            (&good[..11], PacketError::Short),
            (&[][..], PacketError::Short),
            (&[0x40, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], PacketError::Version),
            (&[0x8f, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], PacketError::Short),
            (&[0x90, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9][..], PacketError::Short),
            (&[0xa0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], PacketError::Padding),
            (&[0xa0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 2][..], PacketError::Padding),
            (&[0x80, 200, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], PacketError::Rtcp),
        ] {
            assert_eq!(Packet::parse(bytes), Err(error), "{bytes:?}");
        }
    }
}
