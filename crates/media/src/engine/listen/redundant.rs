//! Packets that carry earlier sound once more (RFC 2198).

use std::time::Instant;

use offhook_rtp::Packet;
use offhook_rtp::red::Unpacked;

use super::{Heard, Listen};

impl Listen {
    /// Takes a packet that came at `now`, with what it holds of earlier ones; it is only counted unless
    /// `wanted`.
    pub(in super::super) fn receive(
        &mut self,
        packet: &Packet<'_>,
        wanted: bool,
        now: Instant,
    ) -> Heard {
        if !self.redundant.contains(&packet.header.payload_type) {
            return self.receive_one(packet, wanted, now);
        }
        let Some(unpacked) = Unpacked::read(packet) else { return Heard::Nothing };
        let heard = self.receive_one(&unpacked.newest, wanted, now);
        if matches!(heard, Heard::Sound) {
            for piece in unpacked.earlier() {
                let payload_type = piece.header.payload_type;
                let known = self.codecs.iter().find(|plan| plan.payload_type == payload_type);
                let clock = self.current.codec.clock_rate();
                if known.is_some_and(|plan| plan.codec.clock_rate() == clock) {
                    self.jitter.insert_recovered(piece, now);
                }
            }
        }
        heard
    }
}
