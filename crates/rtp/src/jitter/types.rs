//! What goes into the jitter buffer and what comes out of it.

use std::time::Duration;

/// How a buffer behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitterConfig {
    /// Ticks of the RTP clock per second.
    pub clock_rate: u32,
    /// Length of a packet until the stream shows its own.
    pub packet_time: Duration,
    /// Least target delay, also the first one.
    pub min: Duration,
    /// Greatest target delay.
    pub max: Duration,
}

impl JitterConfig {
    /// 10 to 200 ms.
    pub fn new(clock_rate: u32, packet_time: Duration) -> Self {
        Self {
            clock_rate,
            packet_time,
            min: Duration::from_millis(10),
            max: Duration::from_millis(200),
        }
    }
}

/// What became of a packet that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It waits for its turn.
    Queued,
    /// The same sequence number is here already.
    Duplicate,
    /// Its turn is over.
    Late,
    /// It waits for its turn; the buffer was emptied because the stream made a jump.
    Restarted,
    /// Its payload is longer than [`super::MAX_PAYLOAD`].
    TooLong,
}

/// What the player should do to the sound of a packet so that the delay comes right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Play as it is.
    Keep,
    /// Play it shorter by about as much where that is not heard.
    Shorten(Duration),
    /// Play it longer by about as much where that is not heard. When it is `soon`, sound gets lost until
    /// then.
    Lengthen {
        /// How much.
        by: Duration,
        /// It does not wait long.
        soon: bool,
    },
}

/// The next piece of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull<'a> {
    /// Decode and play this.
    Packet {
        /// Which codec it is for.
        payload_type: u8,
        /// Its RTP timestamp.
        timestamp: u32,
        /// Payload, maybe empty.
        payload: &'a [u8],
        /// Whether to change its length.
        stretch: Stretch,
    },
    /// A packet is missing: recover it from `next_payload` if that is there and the codec can,
    /// else conceal.
    Lost {
        /// Length of the missing sound in ticks of the RTP clock.
        ticks: u32,
        /// Payload of the packet after the missing one.
        next_payload: Option<&'a [u8]>,
    },
    /// The sender is silent: play silence or comfort noise for one pull.
    Empty,
    /// Sound has come but is not due yet: play silence for one pull.
    Wait,
}

/// Figures for `call.stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterStats {
    /// Packets given out.
    pub played: u64,
    /// Packets that came after their turn.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Pieces of sound that were missing when due.
    pub concealed: u64,
    /// Packets left out to shorten the delay.
    pub skipped: u64,
}
