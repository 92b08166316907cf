//! Packets that others carried once more (RFC 2198).

use super::slots::Kind;
use super::{JitterBuffer, MAX_PAYLOAD, SLOTS};
use crate::packet::Packet;

impl JitterBuffer {
    /// Puts in what a packet behind it held of an earlier one, if that is missing and its turn is not
    /// over; true when it was. It came late by design, so it says nothing about the network but that
    /// there was a loss; and from now on the delay leaves time for the packet behind a loss.
    pub fn insert_recovered(&mut self, packet: &Packet<'_>) -> bool {
        self.config.redundancy = true;
        if self.epoch.is_none() || packet.payload.len() > MAX_PAYLOAD {
            return false;
        }
        let header = packet.header;
        let (sequence, timestamp) = self.extend(header.sequence, header.timestamp);
        let oldest = (self.newest.0 + 1).saturating_sub(SLOTS as u64);
        let over = self.started && sequence < self.next.0;
        let known = sequence >= self.newest.0 || sequence < oldest || self.slots.holds(sequence);
        if over || known || timestamp >= self.newest.1 {
            return false;
        }
        self.note_loss(true);
        self.slots.put(sequence, timestamp, header.payload_type, Kind::Sound, packet.payload);
        true
    }
}
