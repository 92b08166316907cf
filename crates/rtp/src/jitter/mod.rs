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
mod insert;
mod pull;
mod slots;
mod types;

use std::time::{Duration, Instant};

use delay::DelayEstimate;
use slots::Slots;

pub use types::{Inserted, JitterConfig, JitterStats, Pull, Stretch};

/// Largest payload kept; what is longer is no voice packet on an Ethernet.
pub const MAX_PAYLOAD: usize = 1_500;

/// Packets kept at most: 640 ms at 10 ms a packet.
const SLOTS: usize = 64;

/// Packets that the share of losses is taken over, and the shares from which on the delay makes room for
/// redundancy and gives it up again: the first loss, and none for 20 s after it or half a minute after
/// many.
const LOSS_MEMORY: f32 = 500.0;
const LOSSY: f32 = 0.001_5;
const LOSSLESS: f32 = 0.000_25;

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

    fn note_loss(&mut self, lost: bool) {
        self.loss += (f32::from(u8::from(lost)) - self.loss) / LOSS_MEMORY;
        self.lossy = self.loss > if self.lossy { LOSSLESS } else { LOSSY };
    }
}
