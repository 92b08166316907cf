//! The two directions of an RTP session: what we stamp on packets, and what arriving packets tell
//! (RFC 3550 sections 5.1 and 6.4, appendices A.1, A.3 and A.8).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::packet::{Header, PacketError};
use crate::rtcp::{NtpTime, ReportBlock, SenderInfo};

/// A sequence number this far ahead is a jump, not a gap (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3_000;
/// A sequence number this far behind is old, not a jump (RFC 3550 A.1).
const MAX_MISORDER: u16 = 100;

/// One step of SplitMix64: turns a seed into unrelated numbers.
pub(crate) fn scramble(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut value = *seed;
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// What we send: sequence, timestamp, source and counts.
#[derive(Clone, Debug)]
pub struct SendState {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    packets: u64,
    bytes: u64,
}

impl SendState {
    /// Source, first sequence number and first timestamp come from `seed`, which must be
    /// unforeseeable (RFC 3550 section 5.1).
    pub fn new(seed: u64) -> Self {
        let mut seed = seed;
        let (a, b) = (scramble(&mut seed), scramble(&mut seed));
        Self {
            ssrc: (a >> 32) as u32,
            // The upper half is left out so that the first packets never wrap: some SRTP
            // implementations guess the roll-over counter wrongly then (RFC 3711 section 3.3.1).
            sequence: (a & 0x7fff) as u16,
            timestamp: b as u32,
            packets: 0,
            bytes: 0,
        }
    }

    /// Our source identifier.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The timestamp of the next packet.
    pub fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// RTP packets and payload bytes so far.
    pub fn sent(&self) -> (u64, u64) {
        (self.packets, self.bytes)
    }

    /// Takes a new source after somebody else was found to use ours (RFC 3550 section 8.2).
    pub fn change_source(&mut self, seed: u64) {
        *self = Self::new(seed);
    }

    /// Time passes: `ticks` of the RTP clock, whether or not something was sent for them.
    pub fn advance(&mut self, ticks: u32) {
        self.timestamp = self.timestamp.wrapping_add(ticks);
    }

    /// Writes the header of the next packet before its payload of `payload_len` bytes, which is
    /// to stand at [`crate::HEADER_LEN`]; counts it. The timestamp is the present one unless
    /// given, as telephone events need. Gives the length of the packet.
    ///
    /// # Errors
    /// [`PacketError::Short`] when header and payload have no room in `out`; nothing is counted.
    pub fn stamp(
        &mut self,
        out: &mut [u8],
        payload_len: usize,
        payload_type: u8,
        marker: bool,
        timestamp: Option<u32>,
    ) -> Result<usize, PacketError> {
        if out.len() < crate::HEADER_LEN + payload_len {
            return Err(PacketError::Short);
        }
        let header = Header {
            marker,
            payload_type,
            sequence: self.sequence,
            timestamp: timestamp.unwrap_or(self.timestamp),
            ssrc: self.ssrc,
        };
        let length = header.write(out)?;
        self.sequence = self.sequence.wrapping_add(1);
        self.packets += 1;
        self.bytes += payload_len as u64;
        Ok(length + payload_len)
    }

    /// What a sender report made at `now` says.
    pub fn sender_info(&self, now: NtpTime) -> SenderInfo {
        SenderInfo {
            ntp: now,
            rtp_timestamp: self.timestamp,
            packets: self.packets as u32,
            bytes: self.bytes as u32,
        }
    }
}

/// How long an address is remembered that sent under our source: ten intervals of reports (RFC 3550
/// section 8.2).
const CLASH_MEMORY: Duration = Duration::from_secs(50);
/// Addresses remembered at once.
const MAX_CLASHES: usize = 8;

/// Addresses that sent under our own source (RFC 3550 section 8.2).
#[derive(Clone, Debug, Default)]
pub struct Collisions {
    known: Vec<(SocketAddr, Instant)>,
}

impl Collisions {
    /// Something came from there under our source. True when that is a collision, after which another
    /// source is to be taken; false when it is our own packets going round, for a second choice of ours
    /// would hardly meet theirs again.
    pub fn is_new(&mut self, from: SocketAddr, now: Instant) -> bool {
        self.known.retain(|(_, at)| now.saturating_duration_since(*at) < CLASH_MEMORY);
        if let Some(known) = self.known.iter_mut().find(|(known, _)| *known == from) {
            known.1 = now;
            return false;
        }
        if self.known.len() >= MAX_CLASHES {
            self.known.remove(0);
        }
        self.known.push((from, now));
        true
    }
}

/// What an arriving packet is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// In the expected range.
    Normal,
    /// First packet of a source that was not heard before, or that takes the place of another:
    /// the jitter buffer starts anew.
    NewSource,
    /// The same source made a jump in its numbers, confirmed by two packets in sequence: the
    /// jitter buffer starts anew.
    Restart,
    /// Far out of sequence; drop it. A second one in sequence becomes a restart.
    Stray,
}

/// What we receive: the counts of one source.
#[derive(Clone, Debug)]
pub struct ReceiveState {
    clock_rate: u32,
    source: Option<Source>,
    /// Totals of sources that went before.
    before: (u64, u64, u64),
}

#[derive(Clone, Debug)]
struct Source {
    ssrc: u32,
    base: u16,
    highest: u16,
    cycles: u32,
    /// The sequence number that would confirm a jump.
    confirm: Option<u16>,
    received: u64,
    bytes: u64,
    expected_prior: u64,
    received_prior: u64,
    /// Arrival of the first packet: the zero of transit times.
    epoch: Instant,
    /// Arrival of the last packet in ticks since the epoch, and its timestamp.
    last: (i64, u32),
    /// Jitter in 1/16 ticks.
    jitter: u64,
    sender_report: Option<(u32, Instant)>,
}

impl Source {
    fn new(header: &Header, now: Instant) -> Self {
        Self {
            ssrc: header.ssrc,
            base: header.sequence,
            highest: header.sequence,
            cycles: 0,
            confirm: None,
            received: 0,
            bytes: 0,
            expected_prior: 0,
            received_prior: 0,
            epoch: now,
            last: (0, header.timestamp),
            jitter: 0,
            sender_report: None,
        }
    }

    fn expected(&self) -> u64 {
        u64::from(self.cycles) + u64::from(self.highest) + 1 - u64::from(self.base)
    }

    fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    /// RFC 3550 A.8, by differences, so that neither wraps nor the random offset of timestamps
    /// matter.
    fn note_arrival(&mut self, header: &Header, now: Instant, clock_rate: u32) {
        let arrival = now.saturating_duration_since(self.epoch).as_micros() as i64
            * i64::from(clock_rate)
            / 1_000_000;
        let (last_arrival, last_timestamp) = self.last;
        self.last = (arrival, header.timestamp);
        let sent_later = i64::from(header.timestamp.wrapping_sub(last_timestamp) as i32);
        // Events repeat a timestamp on purpose and say nothing about the network.
        if self.received == 0 || sent_later == 0 {
            return;
        }
        let change = (arrival - last_arrival - sent_later).unsigned_abs();
        let change = change.min(u64::from(clock_rate) * 10);
        self.jitter = self.jitter + change - ((self.jitter + 8) >> 4);
    }
}

impl ReceiveState {
    /// For a stream with this RTP clock.
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate, source: None, before: (0, 0, 0) }
    }

    /// The stream goes on with another codec.
    pub fn set_clock_rate(&mut self, clock_rate: u32) {
        self.clock_rate = clock_rate;
    }

    /// Takes note of a packet that came at `now`. Call it for events as well.
    pub fn receive(&mut self, header: &Header, payload_len: usize, now: Instant) -> Arrival {
        let arrival = self.place(header, now);
        if arrival != Arrival::Stray
            && let Some(source) = &mut self.source
        {
            source.note_arrival(header, now, self.clock_rate);
            source.received += 1;
            source.bytes += payload_len as u64;
        }
        arrival
    }

    fn start(&mut self, header: &Header, now: Instant) {
        if let Some(old) = self.source.take() {
            self.before.0 += old.received;
            self.before.1 += old.bytes;
            self.before.2 += old.lost().max(0) as u64;
        }
        self.source = Some(Source::new(header, now));
    }

    fn place(&mut self, header: &Header, now: Instant) -> Arrival {
        let Some(source) = self.source.as_mut().filter(|source| source.ssrc == header.ssrc) else {
            self.start(header, now);
            return Arrival::NewSource;
        };
        let ahead = header.sequence.wrapping_sub(source.highest);
        if ahead < MAX_DROPOUT {
            if header.sequence < source.highest {
                source.cycles = source.cycles.wrapping_add(1 << 16);
            }
            source.highest = header.sequence;
        } else if ahead <= u16::MAX - MAX_MISORDER {
            if source.confirm != Some(header.sequence) {
                source.confirm = Some(header.sequence.wrapping_add(1));
                return Arrival::Stray;
            }
            let report = source.sender_report;
            self.start(header, now);
            if let Some(source) = &mut self.source {
                source.sender_report = report;
            }
            return Arrival::Restart;
        }
        source.confirm = None;
        Arrival::Normal
    }

    /// A sender report of theirs came.
    pub fn sender_report(&mut self, ssrc: u32, info: &SenderInfo, now: Instant) {
        if let Some(source) = self.source.as_mut().filter(|source| source.ssrc == ssrc) {
            source.sender_report = Some((info.ntp.middle(), now));
        }
    }

    /// The source heard at present.
    pub fn ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// Packets and payload bytes received so far.
    pub fn received(&self) -> (u64, u64) {
        let (packets, bytes) =
            self.source.as_ref().map_or((0, 0), |source| (source.received, source.bytes));
        (self.before.0 + packets, self.before.1 + bytes)
    }

    /// Packets that never came, so far.
    pub fn lost(&self) -> u64 {
        let lost = self.source.as_ref().map_or(0, |source| source.lost().max(0) as u64);
        self.before.2 + lost
    }

    /// Interarrival jitter.
    pub fn jitter(&self) -> Duration {
        let ticks = self.source.as_ref().map_or(0, |source| source.jitter >> 4);
        Duration::from_nanos(ticks * 1_000_000_000 / u64::from(self.clock_rate.max(1)))
    }

    /// The block for our next report; the fraction lost counts from the block before.
    pub fn report_block(&mut self, now: Instant) -> Option<ReportBlock> {
        let source = self.source.as_mut()?;
        let expected = source.expected().saturating_sub(source.expected_prior);
        let received = source.received.saturating_sub(source.received_prior);
        source.expected_prior = source.expected();
        source.received_prior = source.received;
        let lost = expected.saturating_sub(received);
        let fraction_lost = (lost * 256).checked_div(expected).unwrap_or(0).min(255) as u8;
        let (last_sr, delay) = source.sender_report.map_or((0, 0), |(middle, at)| {
            let units = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            (middle, units.min(u128::from(u32::MAX)) as u32)
        });
        Some(ReportBlock {
            ssrc: source.ssrc,
            fraction_lost,
            cumulative_lost: source.lost().clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: source.cycles | u32::from(source.highest),
            jitter: (source.jitter >> 4) as u32,
            last_sr,
            delay_since_last_sr: delay,
        })
    }
}
