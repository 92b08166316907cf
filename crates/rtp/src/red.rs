//! Packets that carry earlier sound once more (RFC 2198).

use crate::packet::Packet;

/// Earlier pieces of one packet that are looked at; packets with more are broken.
const MAX_PIECES: usize = 8;
/// Longest piece that has room in a header (10 bits).
const MAX_LENGTH: usize = 0x3ff;
/// Farthest timestamp that has room in a header (14 bits).
const MAX_OFFSET: u32 = 0x3fff;
/// Length of the header of an earlier piece, and of that of the newest one.
const HEADS: usize = 4 + 1;

/// The most bytes that one earlier piece adds to a packet besides itself.
pub const OVERHEAD: usize = HEADS;

/// What a redundant packet holds: the newest sound and what came before it, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpacked<'a> {
    /// As the packet would have come without redundancy.
    pub newest: Packet<'a>,
    pieces: [Option<Packet<'a>>; MAX_PIECES],
}

impl<'a> Unpacked<'a> {
    /// Reads a redundant packet; nothing when it is broken.
    ///
    /// Pieces carry no sequence number of their own: the last one is taken for the packet before
    /// this one, and so on. Senders leave out none between.
    pub fn read(packet: &Packet<'a>) -> Option<Self> {
        let mut heads = [(0u8, 0u32, 0usize); MAX_PIECES];
        let (mut count, mut at) = (0, 0);
        while packet.payload.get(at)? & 0x80 != 0 {
            let head = u32::from_be_bytes(packet.payload.get(at..at + 4)?.try_into().ok()?);
            let length = head as usize & MAX_LENGTH;
            *heads.get_mut(count)? = ((head >> 24) as u8 & 0x7f, head >> 10 & MAX_OFFSET, length);
            count += 1;
            at += 4;
        }
        let newest_type = *packet.payload.get(at)?;
        let mut rest = packet.payload.get(at + 1..)?;
        let mut pieces = [None; MAX_PIECES];
        for (index, (payload_type, offset, length)) in heads.into_iter().take(count).enumerate() {
            let (payload, behind) = rest.split_at_checked(length)?;
            rest = behind;
            let mut header = packet.header;
            header.marker = false;
            header.payload_type = payload_type;
            header.sequence = header.sequence.wrapping_sub((count - index) as u16);
            header.timestamp = header.timestamp.wrapping_sub(offset);
            // An empty piece stands for nothing, and one of the same time is no earlier one.
            let usable = !payload.is_empty() && offset > 0;
            if let Some(place) = pieces.get_mut(index).filter(|_| usable) {
                *place = Some(Packet { header, payload });
            }
        }
        let mut header = packet.header;
        header.payload_type = newest_type;
        Some(Self { newest: Packet { header, payload: rest }, pieces })
    }

    /// What came before the newest sound, oldest first.
    pub fn earlier(&self) -> impl Iterator<Item = &Packet<'a>> {
        self.pieces.iter().flatten()
    }
}

/// Keeps the last piece that was sent, and puts it before the next one.
#[derive(Clone, Debug, Default)]
pub struct Packer {
    last: Vec<u8>,
    payload_type: u8,
    timestamp: u32,
}

impl Packer {
    /// Forgets what was sent: what comes next does not follow it.
    pub fn clear(&mut self) {
        self.last.clear();
    }

    /// Keeps `payload`, which is sent as it is at `timestamp`.
    pub fn keep(&mut self, payload: &[u8], payload_type: u8, timestamp: u32) {
        self.last.clear();
        self.last.extend_from_slice(payload);
        (self.payload_type, self.timestamp) = (payload_type, timestamp);
    }

    /// Makes the payload in the first `length` bytes of `body` a redundant one: the piece kept, if it
    /// fits, and this one, which is kept then. Gives the new length; nothing, and the payload as it
    /// was, when there is no room.
    pub fn pack(
        &mut self,
        body: &mut [u8],
        length: usize,
        payload_type: u8,
        timestamp: u32,
    ) -> Option<usize> {
        let offset = timestamp.wrapping_sub(self.timestamp);
        let fits =
            (1..=MAX_LENGTH).contains(&self.last.len()) && (1..=MAX_OFFSET).contains(&offset);
        let before = if fits { HEADS + self.last.len() } else { 1 };
        if length + before > body.len() {
            return None;
        }
        body.copy_within(..length, before);
        if fits {
            let head = 1 << 31
                | u32::from(self.payload_type & 0x7f) << 24
                | offset << 10
                | self.last.len() as u32;
            body[..4].copy_from_slice(&head.to_be_bytes());
            body[4] = payload_type & 0x7f;
            body[HEADS..before].copy_from_slice(&self.last);
        } else {
            body[0] = payload_type & 0x7f;
        }
        let (_, newest) = body.split_at(before);
        self.last.clear();
        self.last.extend_from_slice(&newest[..length]);
        (self.payload_type, self.timestamp) = (payload_type, timestamp);
        Some(before + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Header;

    fn packet(payload: &[u8]) -> Packet<'_> {
        let header =
            Header { marker: true, payload_type: 121, sequence: 0, timestamp: 100, ssrc: 7 };
        Packet { header, payload }
    }

    /// The packet of RFC 2198 section 4: DVI (5) as primary, LPC (7) of 160 samples before as redundant
    /// encoding, with bodies of our own.
    #[test]
    fn the_packet_of_the_rfc_is_read() {
        let mut bytes = vec![0x80 | 7, 160 >> 6, (160 & 0x3f) << 2, 14, 5];
        bytes.extend([0x11; 14]);
        bytes.extend([0x22; 84]);
        let got = packet(&bytes);
        let unpacked = Unpacked::read(&got).expect("a packet");
        assert_eq!(unpacked.newest.payload, [0x22; 84]);
        assert_eq!(unpacked.newest.header, Header { payload_type: 5, ..got.header });
        let earlier: Vec<_> = unpacked.earlier().collect();
        assert_eq!(earlier.len(), 1);
        assert_eq!(earlier[0].payload, [0x11; 14]);
        let header = earlier[0].header;
        assert_eq!((header.payload_type, header.sequence, header.marker), (7, 65_535, false));
        assert_eq!(header.timestamp, 100u32.wrapping_sub(160));
    }

    #[test]
    fn what_is_packed_is_read_with_the_piece_before_it() {
        let mut packer = Packer::default();
        let mut body = [0; 400];
        for round in 0..5u8 {
            body[..160].fill(round);
            let at = 160 * u32::from(round);
            let length = packer.pack(&mut body, 160, 8, at).expect("room");
            assert_eq!(length, if round == 0 { 161 } else { 325 });
            let mut got = packet(&body[..length]);
            (got.header.sequence, got.header.timestamp) = (u16::from(round), at);
            let unpacked = Unpacked::read(&got).expect("a packet");
            assert_eq!(unpacked.newest.payload, [round; 160]);
            let earlier: Vec<_> = unpacked.earlier().map(|it| (it.header, it.payload)).collect();
            if round > 0 {
                assert_eq!(earlier[0].1, [round - 1; 160]);
                assert_eq!(earlier[0].0.sequence, u16::from(round) - 1);
                assert_eq!(earlier[0].0.timestamp, at - 160);
            }
            assert_eq!(earlier.len(), usize::from(round > 0));
        }
        // After a long pause the piece is too far back, and without room nothing is done.
        body[..160].fill(9);
        assert_eq!(packer.pack(&mut body, 160, 8, 100_000), Some(161));
        assert_eq!(packer.pack(&mut body[..160], 160, 8, 100_160), None);
    }

    #[test]
    fn broken_packets_are_refused_and_empty_pieces_stand_for_nothing() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0x80, 0, 0, 5, 0],
            &[0x80, 0, 0, 5, 0, 1, 2, 3, 4],
            &[0x80; 33],
            &[0xff; 2_000],
        ] {
            assert_eq!(Unpacked::read(&packet(bytes)), None, "{bytes:?}");
        }
        for bytes in [&[0x80, 1, 0, 0, 5, 9][..], &[0x80, 0, 0, 1, 5, 8, 9]] {
            let got = packet(bytes);
            let unpacked = Unpacked::read(&got).expect("a packet");
            assert_eq!((unpacked.earlier().count(), unpacked.newest.payload), (0, &[9][..]));
        }
        let got = packet(&[5]);
        assert_eq!(Unpacked::read(&got).map(|it| it.newest.payload), Some(&[][..]));
    }
}
