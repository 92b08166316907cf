//! Entry points for fuzzing.

use crate::{packet, rtcp};

/// An RTP packet: whatever can be read lies inside the datagram.
pub fn packet(data: &[u8]) {
    if let Ok(found) = packet::Packet::parse(data) {
        assert!(found.payload.len() + packet::HEADER_LEN <= data.len());
        assert!(found.header.payload_type < 128);
        let mut out = [0; packet::HEADER_LEN];
        assert_eq!(found.header.write(&mut out), Ok(packet::HEADER_LEN));
        assert_eq!(packet::Packet::parse(&out).map(|again| again.header), Ok(found.header));
    }
}

/// An RTCP compound: as many packets as bytes allow.
pub fn rtcp(data: &[u8]) {
    if let Ok(packets) = rtcp::parse(data) {
        assert!(packets.len() <= data.len() / 4);
    }
}
