//! What goes out of the jitter buffer, and when.

use std::time::{Duration, Instant};

use super::slots::Kind;
use super::{JitterBuffer, Pull, State, Stretch};

/// After this much concealment in a row the stream counts as silent.
const GIVE_UP_US: i64 = 200_000;

/// Delay may be too short by this much before the player is asked to lengthen: the moment of a pull is
/// moved by as much when a packet comes just before it.
const SHORT_US: i64 = 4_000;

/// Delay may be too long by this much, the longest pitch period that shortening takes out.
const LONG_US: i64 = 10_000;

/// Pulls in a row that must have found the delay too long before the player is asked to shorten.
const CALM: u32 = 25;

/// As many before a whole packet is skipped, should shortening not have helped.
const PATIENCE: u32 = 100;

impl JitterBuffer {
    /// Takes out the next piece of sound. Call it whenever the player has less than one tick of
    /// sound left; pieces are as long as the sender's packets. `ahead` is how much the player has left:
    /// the piece has to be here by `now`, and is heard that much later.
    pub fn pull(&mut self, now: Instant, ahead: Duration) -> Pull<'_> {
        let Some(epoch) = self.epoch else { return Pull::Empty };
        let now_us = now.saturating_duration_since(epoch).as_micros() as i64;
        self.ahead_us = ahead.as_micros() as i64;
        self.pass_events();
        match self.state {
            State::Idle => self.pull_idle(now_us),
            State::Playing { held } => self.pull_playing(now_us, held),
        }
    }

    /// Events take no time: what is before them has been played.
    fn pass_events(&mut self) {
        if self.state == State::Idle {
            while let Some(lowest) = self.slots.lowest()
                && self.slots.kind(lowest) == Some(Kind::Event)
            {
                self.slots.remove(lowest);
            }
            return;
        }
        while self.slots.kind(self.next.0) == Some(Kind::Event) {
            self.slots.remove(self.next.0);
            self.next.0 += 1;
            self.quiet = true;
        }
    }

    /// How long the packet with this timestamp would have been delayed if played now.
    fn age(&self, now_us: i64, timestamp: i64) -> i64 {
        self.delay.relative(now_us, self.us(timestamp))
    }

    fn pull_idle(&mut self, now_us: i64) -> Pull<'_> {
        let Some(lowest) = self.slots.lowest() else { return Pull::Empty };
        let timestamp = self.slots.timestamp(lowest).unwrap_or(0);
        if self.age(now_us, timestamp) < self.target_us() {
            return Pull::Wait;
        }
        self.next = (lowest, timestamp);
        self.give(now_us)
    }

    fn pull_playing(&mut self, now_us: i64, held: i64) -> Pull<'_> {
        match self.slots.timestamp(self.next.0) {
            Some(timestamp) => self.pull_present(now_us, timestamp),
            None => match self.slots.lowest() {
                Some(later) => self.pull_gap(now_us, held, later),
                None => self.pull_nothing(held),
            },
        }
    }

    /// The next packet in sequence is here.
    fn pull_present(&mut self, now_us: i64, timestamp: i64) -> Pull<'_> {
        let age = self.age(now_us, timestamp);
        let gap = timestamp - self.next.1;
        let target = self.target_us();
        if gap > self.packet_ticks / 2 && age < target {
            // The sender was silent in between; the packet has its own time.
            self.quiet = true;
            return Pull::Empty;
        }
        if self.should_insert(age, target) {
            return self.lost(None);
        }
        if self.should_skip(age, target) {
            self.slots.remove(self.next.0);
            self.stats.skipped += 1;
            self.next = (self.next.0 + 1, timestamp + self.packet_ticks);
        }
        self.give(now_us)
    }

    /// Growing by a whole packet: only when the delay is far too short, since lengthening is heard less.
    fn should_insert(&self, age: i64, target: i64) -> bool {
        !self.quiet && target - age >= 3 * self.packet_us()
    }

    /// Shrinking by a whole packet: only when the next one is here, and shortening did not help.
    fn should_skip(&mut self, age: i64, target: i64) -> bool {
        let skip = self.too_long >= PATIENCE
            && age - target >= self.packet_us()
            && self.slots.kind(self.next.0 + 1) == Some(Kind::Sound);
        if skip {
            self.too_long = 0;
        }
        skip
    }

    /// What the player should do to a packet of this age. Pulls come in steps of a packet: what is
    /// longer only brings the next pull a step later when a whole packet has gathered, and sound that was
    /// shortened by more than the player has left asks for the next packet a step earlier, and must find
    /// it here.
    fn wish(&mut self, age: i64) -> Stretch {
        let (target, packet) = (self.target_us(), self.packet_us());
        if age < target - SHORT_US {
            self.too_long = 0;
            let by = packet - self.ahead_us % packet;
            let soon = age < self.delay.target_us() - SHORT_US;
            return Stretch::Lengthen { by: Duration::from_micros(by as u64), soon };
        }
        let late = age - target >= packet;
        let excess = if late { age + self.ahead_us - target } else { self.ahead_us };
        if excess < LONG_US || age + self.ahead_us < target + LONG_US {
            self.too_long = 0;
            return Stretch::Keep;
        }
        self.too_long = self.too_long.saturating_add(1);
        if self.too_long <= CALM {
            return Stretch::Keep;
        }
        Stretch::Shorten(Duration::from_micros(excess.min(packet) as u64))
    }

    /// The next packet is missing and a later one is here.
    fn pull_gap(&mut self, now_us: i64, held: i64, later: u64) -> Pull<'_> {
        if self.slots.kind(later) == Some(Kind::Event) {
            // Sound before an event trails off anyway.
            self.next.0 = later;
            self.pass_events();
            return self.pull_playing(now_us, held);
        }
        let missing = later.saturating_sub(self.next.0) as i64;
        let later_timestamp = self.slots.timestamp(later).unwrap_or(self.next.1);
        let silent = later_timestamp - self.next.1 - missing * self.packet_ticks;
        if self.quiet || silent > self.packet_ticks / 2 {
            // Loss around a silence: the packet has its own time.
            if self.age(now_us, later_timestamp) < self.target_us() {
                self.quiet = true;
                return Pull::Empty;
            }
            self.next = (later, later_timestamp);
            return self.give(now_us);
        }
        self.note_loss(true);
        let packet_us = self.packet_us();
        let age = self.age(now_us, self.next.1);
        let after = (self.next.0 + 1, self.next.1 + self.packet_ticks);
        self.next = after;
        if held >= packet_us && age >= self.target_us() + packet_us / 2 {
            // It was concealed already while we waited for it.
            self.state = State::Playing { held: held - packet_us };
            return self.pull_playing(now_us, held - packet_us);
        }
        let found = (after.0 == later).then_some(later);
        self.lost(found)
    }

    /// Nothing is here at all.
    fn pull_nothing(&mut self, held: i64) -> Pull<'_> {
        if self.quiet || held >= GIVE_UP_US {
            self.state = State::Idle;
            return Pull::Empty;
        }
        self.state = State::Playing { held: held + self.packet_us() };
        self.lost(None)
    }

    fn lost(&mut self, next: Option<u64>) -> Pull<'_> {
        self.stats.concealed += 1;
        Pull::Lost {
            ticks: self.packet_ticks as u32,
            next_payload: next.and_then(|at| self.slots.payload(at)),
        }
    }

    /// Gives out the packet at `next`.
    fn give(&mut self, now_us: i64) -> Pull<'_> {
        let (sequence, _) = self.next;
        let Some(timestamp) = self.slots.timestamp(sequence) else { return Pull::Empty };
        self.note_loss(false);
        self.redundant = self.redundant.saturating_sub(1);
        let age = self.age(now_us, timestamp);
        let stretch = self.wish(age);
        self.current_us = age + self.ahead_us;
        self.stats.played += 1;
        self.quiet = false;
        self.started = true;
        self.state = State::Playing { held: 0 };
        self.next = (sequence + 1, timestamp + self.packet_ticks);
        match self.slots.take(sequence) {
            Some((payload_type, payload)) => {
                Pull::Packet { payload_type, timestamp: timestamp as u32, payload, stretch }
            }
            None => Pull::Empty,
        }
    }
}
