//! What comes into the jitter buffer.

use std::time::Instant;

use super::slots::Kind;
use super::{Inserted, JitterBuffer, MAX_PAYLOAD, SLOTS};
use crate::packet::Packet;

/// Packets that are this much earlier or later than their timestamps say make a new beginning.
const JUMP_US: i64 = 2_000_000;

/// Packets that one with redundancy in it speaks for; silence has none.
const REDUNDANT: u32 = 100;

impl JitterBuffer {
    /// Puts in a packet of sound that came at `now`.
    pub fn insert(&mut self, packet: &Packet<'_>, now: Instant) -> Inserted {
        self.put(packet, Kind::Sound, true, now)
    }

    /// Puts in a packet that was found in a later one (RFC 2198). It says nothing about the way and is no
    /// duplicate when the packet itself came too.
    pub fn insert_recovered(&mut self, packet: &Packet<'_>, now: Instant) -> Inserted {
        self.redundancy();
        self.put(packet, Kind::Sound, false, now)
    }

    /// The packet put in last holds enough to recover the one before it. While packets get lost, the
    /// target is at least one packet then, so that the next one is there in time.
    pub fn redundancy(&mut self) {
        self.redundant = REDUNDANT;
    }

    /// Puts in a packet that shares the sequence numbers but is no sound (a telephone event): its
    /// place is passed over without being taken for a loss.
    pub fn insert_event(&mut self, packet: &Packet<'_>, now: Instant) -> Inserted {
        self.put(packet, Kind::Event, true, now)
    }

    /// `itself`: the packet came as such, and was not found in another.
    fn put(&mut self, packet: &Packet<'_>, kind: Kind, itself: bool, now: Instant) -> Inserted {
        if packet.payload.len() > MAX_PAYLOAD {
            return Inserted::TooLong;
        }
        let header = packet.header;
        let mut place = self.extend(header.sequence, header.timestamp);
        let mut outcome = Inserted::Queued;
        if !itself && self.is_jump(place, now) {
            return Inserted::Late;
        }
        if self.is_jump(place, now) {
            self.strange += 1;
            if self.strange < 2 {
                return Inserted::Late;
            }
            self.begin_anew();
            self.epoch = None;
            place = self.extend(header.sequence, header.timestamp);
            outcome = Inserted::Restarted;
        }
        self.strange = 0;
        let (sequence, timestamp) = place;
        let epoch = *self.epoch.get_or_insert(now);
        let arrival = now.saturating_duration_since(epoch).as_micros() as i64;
        if kind == Kind::Sound && itself {
            self.learn_packet_time(place);
            self.delay.note(arrival, self.us(timestamp));
        }
        if sequence > self.newest.0 {
            self.newest = place;
        }
        // Older than the ring is long counts as late even before playing has begun.
        let highest = self.slots.highest().unwrap_or(0);
        let floor = (highest + 1).saturating_sub(SLOTS as u64);
        if (self.started && sequence < self.next.0) || sequence < floor {
            self.stats.late += u64::from(itself);
            return Inserted::Late;
        }
        if self.slots.holds(sequence) {
            self.stats.duplicates += u64::from(itself);
            return Inserted::Duplicate;
        }
        if !itself {
            // Made good, and lost on the way all the same: the time to make it good stays.
            self.note_loss(true);
        }
        self.make_room(sequence);
        self.slots.put(sequence, timestamp, header.payload_type, kind, packet.payload);
        outcome
    }

    /// Numbers that do not wrap, by nearness to the newest packet.
    fn extend(&mut self, sequence: u16, timestamp: u32) -> (u64, i64) {
        if self.epoch.is_none() {
            // Far from zero, so that packets before the first one fit.
            self.newest = ((1 << 20) + u64::from(sequence), i64::from(timestamp));
            return self.newest;
        }
        let behind = sequence.wrapping_sub(self.newest.0 as u16) as i16;
        let later = timestamp.wrapping_sub(self.newest.1 as u32) as i32;
        (self.newest.0.saturating_add_signed(i64::from(behind)), self.newest.1 + i64::from(later))
    }

    fn is_jump(&self, (sequence, timestamp): (u64, i64), now: Instant) -> bool {
        let Some(epoch) = self.epoch else { return false };
        let far = sequence.abs_diff(self.newest.0) > 3_000;
        let arrival = now.saturating_duration_since(epoch).as_micros() as i64;
        let off = self.delay.relative(arrival, self.us(timestamp)).abs();
        far || off > JUMP_US
    }

    /// Two packets in sequence show how long a packet is.
    fn learn_packet_time(&mut self, (sequence, timestamp): (u64, i64)) {
        let ticks = timestamp - self.newest.1;
        if sequence == self.newest.0 + 1 && (2_500..=120_000).contains(&self.us(ticks)) {
            self.packet_ticks = ticks;
        }
    }

    /// A packet too far ahead pushes the oldest out: the player was not pulling.
    fn make_room(&mut self, sequence: u64) {
        let oldest = (sequence + 1).saturating_sub(SLOTS as u64);
        if self.slots.lowest().is_some_and(|lowest| lowest < oldest) {
            self.stats.skipped += self.slots.drop_before(oldest) as u64;
            if self.started && self.next.0 < oldest {
                self.next = match self.slots.lowest().and_then(|at| self.slots.timestamp(at)) {
                    Some(timestamp) => (self.slots.lowest().unwrap_or(oldest), timestamp),
                    None => (oldest, self.next.1),
                };
            }
        }
    }
}
