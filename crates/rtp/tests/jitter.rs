//! The jitter buffer against simulated networks, in virtual time.

use std::time::{Duration, Instant};

use offhook_rtp::jitter::JitterStats;
use offhook_rtp::{Header, Inserted, JitterBuffer, JitterConfig, Packet, Pull, Stretch};

#[allow(clippy::disallowed_methods, reason = "an origin for virtual time; never compared with it")]
fn start() -> Instant {
    Instant::now()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A small generator of even numbers between 0 and 1 (xorshift), so that runs repeat.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// One packet on its way: when it comes, in microseconds, and which it is.
#[derive(Clone, Copy)]
struct Sent {
    at: u64,
    index: u32,
    timestamp: u32,
}

/// What the player heard.
#[derive(Debug, Default)]
struct Heard {
    /// Packets played, in order, with the time at which they were pulled.
    played: Vec<(u32, u64)>,
    concealed: u32,
    recovered: u32,
    empty: u32,
    /// Greatest and last delay seen in the second half.
    greatest: Duration,
    last: Duration,
    target: Duration,
    stats: JitterStats,
}

struct Run {
    first_sequence: u16,
    first_timestamp: u32,
    tick_us: u64,
    stretches: bool,
    redundancy: bool,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            first_sequence: 1_000,
            first_timestamp: 5_000,
            tick_us: 10_000,
            stretches: true,
            redundancy: false,
        }
    }
}

impl Run {
    /// Plays packets of 20 ms on an 8 kHz clock until `seconds` after the start. The player pulls
    /// when it has less than a tick of sound left.
    fn play(&self, mut sent: Vec<Sent>, seconds: u64) -> Heard {
        sent.sort_by_key(|packet| packet.at);
        let start = start();
        let mut buffer = JitterBuffer::new(JitterConfig::new(8_000, Duration::from_millis(20)));
        let mut heard = Heard::default();
        let mut coming = sent.into_iter().peekable();
        let mut stock_us = 0i64;
        // The player's ticks do not fall together with the packets.
        let mut now_us = 3_300;
        while now_us < seconds * 1_000_000 {
            while let Some(packet) = coming.next_if(|packet| packet.at <= now_us) {
                let arrival = start + Duration::from_micros(packet.at);
                let payload = packet.index.to_be_bytes();
                let header = Header {
                    marker: false,
                    payload_type: 0,
                    sequence: self.first_sequence.wrapping_add(packet.index as u16),
                    timestamp: self.first_timestamp.wrapping_add(packet.timestamp),
                    ssrc: 1,
                };
                buffer.insert(&Packet { header, payload: &payload }, arrival);
                if self.redundancy {
                    buffer.redundancy();
                }
            }
            let now = start + Duration::from_micros(now_us);
            while stock_us < self.tick_us as i64 {
                stock_us += self.pull(&mut buffer, (now, now_us), stock_us, &mut heard);
            }
            stock_us -= self.tick_us as i64;
            heard.last = buffer.delay();
            if now_us > seconds * 500_000 {
                heard.greatest = heard.greatest.max(heard.last);
            }
            now_us += self.tick_us;
        }
        heard.target = buffer.target();
        heard.stats = buffer.stats();
        heard
    }

    /// One pull; gives the microseconds of sound it brought.
    fn pull(
        &self,
        buffer: &mut JitterBuffer,
        (now, now_us): (Instant, u64),
        stock_us: i64,
        heard: &mut Heard,
    ) -> i64 {
        match buffer.pull(now, Duration::from_micros(stock_us as u64)) {
            Pull::Packet { payload, stretch, .. } => {
                let index = payload.try_into().map(u32::from_be_bytes).expect("our payload");
                heard.played.push((index, now_us));
                match stretch {
                    Stretch::Shorten(_) if self.stretches => 15_000,
                    Stretch::Lengthen { .. } if self.stretches => 25_000,
                    Stretch::Keep | Stretch::Shorten(_) | Stretch::Lengthen { .. } => 20_000,
                }
            }
            Pull::Lost { ticks, next_payload } => {
                heard.concealed += 1;
                heard.recovered += u32::from(next_payload.is_some());
                i64::from(ticks) * 125
            }
            Pull::Empty | Pull::Wait => {
                heard.empty += 1;
                self.tick_us as i64
            }
        }
    }
}

/// Packets every 20 ms; `way` gives the microseconds on the way, or nothing for a loss.
fn stream(count: u32, mut way: impl FnMut(u32) -> Option<u64>) -> Vec<Sent> {
    (0..count)
        .filter_map(|index| {
            let at = u64::from(index) * 20_000 + way(index)?;
            Some(Sent { at, index, timestamp: index.wrapping_mul(160) })
        })
        .collect()
}

fn in_order(heard: &Heard) {
    assert!(heard.played.windows(2).all(|pair| pair[0].0 < pair[1].0), "out of order or twice");
}

#[test]
fn without_jitter_everything_is_played_with_little_delay() {
    for tick_us in [10_000, 20_000] {
        let run = Run { tick_us, ..Run::default() };
        let heard = run.play(stream(500, |_| Some(30_000)), 10);
        in_order(&heard);
        assert!(heard.played.len() >= 496, "{}", heard.played.len());
        assert_eq!(heard.concealed, 0);
        let most = ms(10) + Duration::from_micros(tick_us);
        assert!(heard.greatest <= most, "{:?}", heard.greatest);
        assert_eq!(heard.target, ms(10));
    }
}

#[test]
fn number_wraps_do_no_harm() {
    let run = Run { first_sequence: 65_500, first_timestamp: u32::MAX - 8_000, ..Run::default() };
    let heard = run.play(stream(500, |_| Some(30_000)), 10);
    in_order(&heard);
    assert!(heard.played.len() >= 496);
    assert_eq!((heard.concealed, heard.stats.late), (0, 0));
}

#[test]
fn swapped_packets_are_played_in_order() {
    let heard =
        Run::default().play(stream(1_000, |i| Some(if i % 10 == 4 { 55_000 } else { 30_000 })), 20);
    in_order(&heard);
    assert!(heard.played.len() >= 990, "{}", heard.played.len());
    assert!(heard.concealed <= 4, "{}", heard.concealed);
}

#[test]
fn losses_are_concealed_without_building_up_delay() {
    for percent in [1.0, 5.0, 10.0] {
        let mut chance = Chance(17);
        let sent = stream(3_000, |_| (chance.next() > percent / 100.0).then_some(30_000));
        let count = sent.len();
        let heard = Run::default().play(sent, 60);
        in_order(&heard);
        assert!(heard.played.len() + 6 >= count, "{} of {count}", heard.played.len());
        let lost = 3_000 - count as u32;
        assert!(heard.concealed.abs_diff(lost) <= lost / 10 + 3, "{} {lost}", heard.concealed);
        assert!(heard.greatest <= ms(45), "{percent} %: {:?}", heard.greatest);
    }
}

#[test]
fn redundancy_is_there_in_time_once_packets_get_lost() {
    let mut chance = Chance(23);
    let sent = stream(3_000, |_| (chance.next() > 0.05).then_some(30_000));
    let run = Run { redundancy: true, ..Run::default() };
    let heard = run.play(sent, 60);
    in_order(&heard);
    let share = f64::from(heard.recovered) / f64::from(heard.concealed);
    // Two losses in a row leave the first without redundancy: 5 %.
    assert!(share > 0.85, "{share}");
    assert!(heard.greatest <= ms(60), "{:?}", heard.greatest);
    let clean = run.play(stream(500, |_| Some(30_000)), 10);
    assert!(clean.greatest <= ms(20), "{:?}", clean.greatest);
}

#[test]
fn sixty_milliseconds_of_jitter_are_followed() {
    for stretches in [true, false] {
        let mut chance = Chance(99);
        let sent = stream(3_000, |_| Some(20_000 + (chance.next() * 60_000.0) as u64));
        let run = Run { stretches, ..Run::default() };
        let heard = run.play(sent, 60);
        in_order(&heard);
        assert!(heard.played.len() >= 2_900, "{}", heard.played.len());
        assert!((ms(50)..=ms(70)).contains(&heard.target), "{:?}", heard.target);
        assert!(heard.greatest <= ms(110), "{:?}", heard.greatest);
        assert!(heard.concealed < 100, "{}", heard.concealed);
    }
}

#[test]
fn a_spike_is_waited_out_and_forgotten() {
    for stretches in [true, false] {
        // A quarter of a second in which everything is held up, then comes at once.
        let sent = stream(1_500, |index| {
            let at = u64::from(index) * 20_000;
            let held = (5_000_000..5_150_000).contains(&at);
            Some(if held { 5_150_000 - at } else { 0 } + 30_000)
        });
        let run = Run { stretches, ..Run::default() };
        let heard = run.play(sent, 30);
        in_order(&heard);
        assert!(heard.played.len() >= 1_480, "{}", heard.played.len());
        assert!(heard.last <= ms(40), "stretching {stretches}: {:?}", heard.last);
    }
}

#[test]
fn clocks_that_differ_do_not_build_up_delay() {
    for parts_per_million in [-300i64, 300] {
        for stretches in [true, false] {
            let sent = stream(15_000, |index| {
                Some((120_000 + i64::from(index) * 20 * parts_per_million / 1_000) as u64)
            });
            let run = Run { stretches, ..Run::default() };
            let heard = run.play(sent, 300);
            in_order(&heard);
            assert!(heard.played.len() >= 14_970, "{}", heard.played.len());
            assert!(heard.greatest <= ms(50), "{:?}", heard.greatest);
            assert!(heard.concealed <= 20, "{}", heard.concealed);
        }
    }
}

#[test]
fn silence_between_talkspurts_is_no_loss() {
    // A second of sound, a second of nothing; sequence numbers go on, timestamps jump.
    let sent = (0..300u32)
        .map(|index| {
            let slot = index / 50 * 100 + index % 50;
            Sent { at: u64::from(slot) * 20_000 + 30_000, index, timestamp: slot * 160 }
        })
        .collect();
    let heard = Run::default().play(sent, 13);
    in_order(&heard);
    assert_eq!(heard.played.len(), 300);
    // The end of a talkspurt cannot be told from a loss at once: at most 200 ms of concealment.
    assert!(heard.concealed <= 6 * 11, "{}", heard.concealed);
    assert!(heard.greatest <= ms(30), "{:?}", heard.greatest);
    for (index, at) in &heard.played {
        let due = u64::from(index / 50 * 100 + index % 50) * 20_000 + 30_000;
        assert!((due..due + 40_000).contains(at), "{index} played {} µs after", at - due);
    }
}

#[test]
fn a_stream_that_jumps_goes_on_after_one_packet() {
    let mut sent = stream(500, |_| Some(30_000));
    for packet in &mut sent[250..] {
        packet.timestamp = packet.timestamp.wrapping_add(0x7000_0000);
    }
    let heard = Run::default().play(sent, 10);
    in_order(&heard);
    assert!(heard.played.len() >= 490, "{}", heard.played.len());
    assert!(heard.played.iter().any(|(index, _)| *index > 480));
}

#[test]
fn a_player_that_slept_catches_up() {
    let start = start();
    let mut buffer = JitterBuffer::new(JitterConfig::new(8_000, ms(20)));
    let put = |buffer: &mut JitterBuffer, index: u16| {
        let timestamp = u32::from(index) * 160;
        let header = Header { marker: false, payload_type: 0, sequence: index, timestamp, ssrc: 1 };
        buffer.insert(&Packet { header, payload: b"x" }, start + ms(u64::from(index) * 20))
    };
    for index in 0..500 {
        assert_eq!(put(&mut buffer, index), Inserted::Queued);
    }
    let now = start + ms(10_000);
    let Pull::Packet { timestamp, .. } = buffer.pull(now, Duration::ZERO) else {
        panic!("nothing to play")
    };
    assert!(timestamp >= 160 * 436, "{timestamp}");
    assert_eq!(put(&mut buffer, 400), Inserted::Late);
    assert_eq!(put(&mut buffer, 499), Inserted::Duplicate);
    assert_eq!(buffer.stats().skipped, 436);
}

#[test]
fn events_take_their_place_without_being_missed() {
    let start = start();
    let mut buffer = JitterBuffer::new(JitterConfig::new(8_000, ms(20)));
    let mut played = 0;
    for index in 0..200u16 {
        let now = start + ms(u64::from(index) * 20);
        let event = (50..58).contains(&index);
        let timestamp = u32::from(if event { 50 } else { index }) * 160;
        let header =
            Header { marker: false, payload_type: 101, sequence: index, timestamp, ssrc: 1 };
        let packet = Packet { header, payload: &[1, 0, 0, 0] };
        if event {
            buffer.insert_event(&packet, now);
        } else {
            buffer.insert(&packet, now);
        }
        match buffer.pull(now + ms(15), Duration::ZERO) {
            Pull::Packet { .. } => played += 1,
            Pull::Lost { .. } => panic!("nothing was lost at {index}"),
            Pull::Empty | Pull::Wait => {}
        }
    }
    assert!(played >= 190, "{played}");
}

#[test]
fn nothing_has_come_yet() {
    let mut buffer = JitterBuffer::new(JitterConfig::new(8_000, ms(20)));
    assert_eq!(buffer.pull(start(), Duration::ZERO), Pull::Empty);
    assert_eq!((buffer.delay(), buffer.target()), (Duration::ZERO, ms(10)));
    let header = Header { marker: true, payload_type: 0, sequence: 1, timestamp: 1, ssrc: 1 };
    let packet = Packet { header, payload: &[0; 1_501] };
    assert_eq!(buffer.insert(&packet, start()), Inserted::TooLong);
}

#[test]
fn a_stream_that_ends_falls_silent() {
    let heard = Run::default().play(stream(100, |_| Some(30_000)), 5);
    assert_eq!(heard.played.len(), 100);
    assert!((5..=11).contains(&heard.concealed), "{}", heard.concealed);
    assert!(heard.empty > 200);
}
