//! Telephone events (RFC 4733): digits as packets of their own.
//!
//! A digit is one event: packets with the same timestamp and a growing duration, the first with
//! the marker, the last sent three times with the end bit.

use std::collections::VecDeque;
use std::time::Duration;

/// Digits in the order of their event codes (RFC 4733 section 3.2).
const DIGITS: &[u8; 16] = b"0123456789*#ABCD";
/// How long a digit sounds.
const TONE: Duration = Duration::from_millis(100);
/// Silence after a digit.
const GAP: Duration = Duration::from_millis(60);
/// The silence after a `,`.
const PAUSE: Duration = Duration::from_secs(2);
/// Level in −dBm0.
const VOLUME: u8 = 10;
/// How often the end is sent (RFC 4733 section 2.5.1.4).
const ENDS: u8 = 3;
/// Digits that wait at most; what is beyond is refused.
const MAX_WAITING: usize = 128;

/// The event code of a digit: 0–9, `*`, `#`, A–D in either case.
pub fn event_of(digit: char) -> Option<u8> {
    let digit = u8::try_from(digit).ok()?.to_ascii_uppercase();
    DIGITS.iter().position(|known| *known == digit).map(|code| code as u8)
}

/// The digit of an event code.
pub fn digit_of(event: u8) -> Option<char> {
    DIGITS.get(usize::from(event)).map(|digit| char::from(*digit))
}

/// One packet to send in place of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DtmfPacket {
    /// Payload.
    pub payload: [u8; 4],
    /// Set on the first packet of an event.
    pub marker: bool,
    /// RTP timestamp: when the event began.
    pub timestamp: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Tone { event: u8, since: u32, duration: u32 },
    End { event: u8, since: u32, duration: u32, left: u8 },
    Gap { ticks: u32 },
}

/// Turns digits into packets, one a packet time.
#[derive(Clone, Debug)]
pub struct DtmfSender {
    clock_rate: u32,
    step: u32,
    waiting: VecDeque<char>,
    phase: Phase,
}

impl DtmfSender {
    /// For events on a clock of `clock_rate` ticks a second, called every `packet_time`.
    pub fn new(clock_rate: u32, packet_time: Duration) -> Self {
        Self {
            clock_rate,
            step: ticks(packet_time, clock_rate).max(1),
            waiting: VecDeque::with_capacity(MAX_WAITING),
            phase: Phase::Idle,
        }
    }

    /// Adds digits (0–9, `*`, `#`, A–D; `,` is a pause of two seconds). Gives back how many of
    /// them were taken: others are unknown, or too many wait already.
    pub fn push(&mut self, digits: &str) -> usize {
        let mut taken = 0;
        for digit in digits.chars() {
            let known = digit == ',' || event_of(digit).is_some();
            if known && self.waiting.len() < MAX_WAITING {
                self.waiting.push_back(digit);
                taken += 1;
            }
        }
        taken
    }

    /// Nothing is being sent and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle && self.waiting.is_empty()
    }

    /// A packet time has come, at timestamp `now`: the packet to send in place of sound, or nothing
    /// when sound is to be sent.
    pub fn next(&mut self, now: u32) -> Option<DtmfPacket> {
        if self.phase == Phase::Idle {
            self.begin(now);
        }
        match self.phase {
            Phase::Idle => None,
            Phase::Tone { event, since, duration } => {
                let marker = duration == 0;
                let duration = duration + self.step;
                if duration < ticks(TONE, self.clock_rate) {
                    self.phase = Phase::Tone { event, since, duration };
                    return Some(packet(event, since, duration, marker, false));
                }
                self.phase = Phase::End { event, since, duration, left: ENDS - 1 };
                Some(packet(event, since, duration, marker, true))
            }
            Phase::End { event, since, duration, left } => {
                self.phase = if left > 1 {
                    Phase::End { event, since, duration, left: left - 1 }
                } else {
                    // The packets after the first end went into the gap.
                    let used = u32::from(ENDS - 1) * self.step;
                    Phase::Gap { ticks: ticks(GAP, self.clock_rate).saturating_sub(used) }
                };
                Some(packet(event, since, duration, false, true))
            }
            Phase::Gap { ticks } => {
                let left = ticks.saturating_sub(self.step);
                self.phase = if left == 0 { Phase::Idle } else { Phase::Gap { ticks: left } };
                None
            }
        }
    }

    fn begin(&mut self, now: u32) {
        match self.waiting.pop_front() {
            None => {}
            Some(',') => self.phase = Phase::Gap { ticks: ticks(PAUSE, self.clock_rate) },
            Some(digit) => {
                if let Some(event) = event_of(digit) {
                    self.phase = Phase::Tone { event, since: now, duration: 0 };
                }
            }
        }
    }
}

fn ticks(time: Duration, clock_rate: u32) -> u32 {
    (time.as_micros() as u64 * u64::from(clock_rate) / 1_000_000) as u32
}

fn packet(event: u8, since: u32, duration: u32, marker: bool, end: bool) -> DtmfPacket {
    let duration = u16::try_from(duration).unwrap_or(u16::MAX).to_be_bytes();
    let flags = (u8::from(end) << 7) | VOLUME;
    DtmfPacket { payload: [event, flags, duration[0], duration[1]], marker, timestamp: since }
}

/// Finds each digit once in the packets of the other side.
#[derive(Clone, Debug, Default)]
pub struct DtmfReceiver {
    last: Option<(u32, u8)>,
}

impl DtmfReceiver {
    /// Nothing heard yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet of the telephone-event payload type came: its digit, if it is the first one of an
    /// event. Any packet of an event will do, so lost ones do not matter.
    pub fn receive(&mut self, timestamp: u32, payload: &[u8]) -> Option<char> {
        let [event, _flags, _, _, ..] = payload else { return None };
        if let Some((last, last_event)) = self.last {
            let later = timestamp.wrapping_sub(last) as i32;
            // An older packet is a straggler; the same event is being repeated.
            if later < 0 || (later == 0 && *event == last_event) {
                return None;
            }
        }
        let digit = digit_of(*event)?;
        self.last = Some((timestamp, *event));
        Some(digit)
    }

    /// The other side changed its source: timestamps start anew.
    pub fn reset(&mut self) {
        self.last = None;
    }
}
