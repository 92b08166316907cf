//! Adaptive playout buffer.
//!
//! Packets go in as they come, [`JitterBuffer::pull`] takes out the next piece of sound whenever
//! the player has none left. Each packet is due a *target delay* after the moment at which it would
//! have come over the fastest way seen lately. The target follows the 97th percentile of how much
//! later than that packets really come: it grows at once and shrinks slowly.
//!
//! The real delay is corrected in three ways. When sound is due and nothing is there, the player
//! conceals and the stream waits for the packet: the delay grows by that. When the delay is wrong by
//! more than a pitch period, pulled packets ask the player to be shortened or lengthened
//! ([`Stretch`]), which moves the next pull. When that does not help, whole packets are skipped or
//! inserted here.
//!
//! Without jitter a packet waits for [`JitterConfig::min`] and then for the next pull, so that with
//! pulls every 10 ms the buffer adds 10 to 20 ms.

mod delay;
mod slots;
mod types;

use std::time::{Duration, Instant};

use crate::packet::Packet;
use delay::DelayEstimate;
use slots::{Kind, Slots};

pub use types::{Inserted, JitterConfig, JitterStats, Pull, Stretch};

/// Largest payload kept; what is longer is no voice packet on an Ethernet.
pub const MAX_PAYLOAD: usize = 1_500;

/// Packets kept at most: 640 ms at 10 ms a packet.
const SLOTS: usize = 64;

/// Packets that are this much earlier or later than their timestamps say make a new beginning.
const JUMP_US: i64 = 2_000_000;

/// After this much concealment in a row the stream counts as silent.
const GIVE_UP_US: i64 = 200_000;

/// Delay may be too short by this much before the player is asked to lengthen: the moment of a pull is
/// moved by as much when a packet comes just before it.
const SHORT_US: i64 = 4_000;

/// Delay may be too long by this much, the longest pitch period that shortening takes out.
const LONG_US: i64 = 10_000;

/// Pulls in a row that must have found the delay too long before the player is asked to shorten.
const CALM: u32 = 25;

/// Packets that the share of losses is taken over, and the shares from which on the delay makes room for
/// redundancy and gives it up again: two losses in ten seconds, and none for half a minute.
const LOSS_MEMORY: f32 = 500.0;
const LOSSY: f32 = 0.003;
const LOSSLESS: f32 = 0.000_5;

/// As many before a whole packet is skipped, should shortening not have helped.
const PATIENCE: u32 = 100;

/// Packets that one with redundancy in it speaks for; silence has none.
const REDUNDANT: u32 = 100;

/// Where playing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is playing; the first packet that is due starts it.
    Idle,
    /// Playing; `held` microseconds were concealed since the last packet while waiting for it.
    Playing { held: i64 },
}

/// The buffer. Allocates only when made.
pub struct JitterBuffer {
    config: JitterConfig,
    slots: Slots,
    delay: DelayEstimate,
    state: State,
    /// Zero of all times here: the arrival of the first packet.
    epoch: Option<Instant>,
    /// Extended sequence number and timestamp of the newest packet.
    newest: (u64, i64),
    /// Extended sequence number and timestamp that is to be played next.
    next: (u64, i64),
    /// Something was played, so what is before `next` is late.
    started: bool,
    /// Length of a packet in ticks, as the stream shows it.
    packet_ticks: i64,
    /// Packets in a row that did not fit the time line.
    strange: u32,
    /// Pulls in a row that found the delay too long.
    too_long: u32,
    /// The last thing taken was an event or a gap: what is missing is silence, not loss.
    quiet: bool,
    /// Share of packets lost lately, 0 to 1.
    loss: f32,
    /// So many that the delay makes room for redundancy.
    lossy: bool,
    /// Packets to come for which the stream counts as redundant.
    redundant: u32,
    /// What the player has left at this pull.
    ahead_us: i64,
    /// Delay at the last packet pulled.
    current_us: i64,
    stats: JitterStats,
}

impl JitterBuffer {
    /// An empty buffer.
    pub fn new(config: JitterConfig) -> Self {
        let ticks =
            config.packet_time.as_micros() as i64 * i64::from(config.clock_rate) / 1_000_000;
        Self {
            slots: Slots::new(SLOTS, MAX_PAYLOAD),
            delay: DelayEstimate::new(config.min, config.max),
            config,
            state: State::Idle,
            epoch: None,
            newest: (0, 0),
            next: (0, 0),
            started: false,
            packet_ticks: ticks.max(1),
            strange: 0,
            too_long: 0,
            quiet: false,
            loss: 0.0,
            lossy: false,
            redundant: 0,
            ahead_us: 0,
            current_us: 0,
            stats: JitterStats::default(),
        }
    }

    /// Forgets the stream but not the figures: a new source, or a new codec.
    pub fn reset(&mut self, config: JitterConfig) {
        let stats = self.stats;
        let ticks =
            config.packet_time.as_micros() as i64 * i64::from(config.clock_rate) / 1_000_000;
        self.slots.clear();
        self.delay = DelayEstimate::new(config.min, config.max);
        self.config = config;
        self.packet_ticks = ticks.max(1);
        self.begin_anew();
        self.epoch = None;
        self.loss = 0.0;
        self.lossy = false;
        self.redundant = 0;
        self.stats = stats;
    }

    /// The delay from the earliest possible arrival of a packet to its being pulled, at the last
    /// packet pulled.
    pub fn delay(&self) -> Duration {
        Duration::from_micros(self.current_us.max(0) as u64)
    }

    /// The delay aimed at.
    pub fn target(&self) -> Duration {
        Duration::from_micros(self.target_us().max(0) as u64)
    }

    /// Figures since the buffer was made.
    pub fn stats(&self) -> JitterStats {
        self.stats
    }

    fn begin_anew(&mut self) {
        self.slots.clear();
        self.delay.forget_way();
        self.state = State::Idle;
        self.started = false;
        self.strange = 0;
        self.too_long = 0;
        self.quiet = false;
    }

    fn us(&self, ticks: i64) -> i64 {
        ticks * 1_000_000 / i64::from(self.config.clock_rate.max(1))
    }

    fn packet_us(&self) -> i64 {
        self.us(self.packet_ticks)
    }

    fn target_us(&self) -> i64 {
        let target = self.delay.target_us();
        let for_redundancy = self.packet_us();
        if self.redundant > 0 && self.lossy {
            target.max(for_redundancy.min(self.config.max.as_micros() as i64))
        } else {
            target
        }
    }

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

    fn note_loss(&mut self, lost: bool) {
        self.loss += (f32::from(u8::from(lost)) - self.loss) / LOSS_MEMORY;
        self.lossy = self.loss > if self.lossy { LOSSLESS } else { LOSSY };
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
