//! A call in virtual time: speech through coder, a made-up network, and the receiving half exactly as
//! the engine drives it (jitter buffer, decoder, concealment, stretching, ticks that settle behind the
//! packets). For measuring and tests; nothing here opens a socket or a device, or waits.

use std::time::{Duration, Instant};

use offhook_codec::MAX_SAMPLES;
use offhook_model::{AudioCodec, OpusWish};
use offhook_ports::{CodecPlan, MediaPlan};
use offhook_rtp::jitter::JitterStats;
use offhook_rtp::{Header, Packet};

use super::listen::{Heard, Listen};
use super::losses::Losses;
use super::schedule::Schedule;
use super::thread::FORWARD;
use crate::dsp::{Decimator, Interpolator, RATE, to_pcm16};

/// Near the end, so that it wraps.
const FIRST_SEQUENCE: u16 = 65_000;

/// What a packet meets on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Network {
    /// Share of packets lost, in percent.
    pub loss: f64,
    /// Mean length of a run of losses in packets (Gilbert); up to 1 each is lost by itself.
    pub burst: f64,
    /// Each packet is late by up to this many milliseconds, evenly spread.
    pub jitter: f64,
    /// Packets keep their order in spite of jitter.
    pub ordered: bool,
    /// Bits a second that get through, IP and UDP headers counted, with 300 ms of queue; 0 for any.
    pub rate: f64,
    /// Every packet with this share in percent is overtaken by the next two.
    pub swapped: f64,
}

/// A call to be played.
#[derive(Clone, Copy, Debug)]
pub struct Rehearsal {
    /// What is spoken.
    pub codec: AudioCodec,
    /// Length of a packet.
    pub packet_time: Duration,
    /// The way.
    pub network: Network,
    /// Where chance begins.
    pub seed: u64,
    /// The sender's clock is fast by so many parts per million.
    pub drift: f64,
    /// Nothing is sent while the frame is silent, as a sender with voice activity detection does.
    pub pauses: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What the speaker was given, 48 kHz, from the moment on at which the first sample was spoken.
    pub heard: Vec<f32>,
    /// Packets that went off.
    pub sent: u64,
    /// Packets that came.
    pub came: u64,
    /// Bits a second of payload.
    pub bit_rate: f64,
    /// The jitter buffer's delay, milliseconds, at each tick.
    pub delays: Vec<f32>,
    /// What the jitter buffer counted.
    pub buffer: JitterStats,
    /// Packets that were lost and whose sound came with the next one.
    pub recovered: u64,
    /// Packets that were played shorter and longer.
    pub stretched: (u64, u64),
}

/// Even numbers between 0 and 1 (xorshift), so that runs repeat.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The way with its memory. Times are microseconds.
struct Way {
    network: Network,
    chance: Chance,
    /// Inside a run of losses.
    bad: bool,
    /// When the last packet came out, and when the bottleneck is free again.
    last: f64,
    free: f64,
}

impl Way {
    /// When a packet of `bytes` that goes off at `sent` comes; nothing when it is lost.
    fn pass(&mut self, sent: f64, bytes: usize) -> Option<f64> {
        let Network { loss, burst, jitter, ordered, rate, swapped } = self.network;
        let share = loss / 100.0;
        let lost = if burst <= 1.0 {
            self.chance.next() < share
        } else {
            let (leave, enter) = (1.0 / burst, share / (1.0 - share).max(0.01) / burst);
            let turn = self.chance.next();
            self.bad = if self.bad { turn >= leave } else { turn < enter };
            self.bad
        };
        let mut at = sent + 10_000.0 + self.chance.next() * jitter * 1_000.0;
        if self.chance.next() < swapped / 100.0 {
            at += 45_000.0;
        }
        if rate > 0.0 {
            let begin = self.free.max(at);
            if begin - at > 300_000.0 {
                return None;
            }
            self.free = begin + (bytes + 28) as f64 * 8.0 / rate * 1e6;
            at = self.free;
        }
        if ordered {
            at = at.max(self.last);
            self.last = at;
        }
        (!lost).then_some(at)
    }
}

/// A packet on its way.
struct Flying {
    at: f64,
    header: Header,
    payload: Vec<u8>,
}

impl Rehearsal {
    /// G.711 in packets of 20 ms over a perfect network.
    pub fn new(codec: AudioCodec) -> Self {
        Self {
            codec,
            packet_time: Duration::from_millis(20),
            network: Network::default(),
            seed: 1,
            drift: 0.0,
            pauses: false,
        }
    }

    fn plan(&self) -> CodecPlan {
        let payload_type = self.codec.usual_payload_type();
        CodecPlan { codec: self.codec, payload_type }
    }

    /// Plays the call: `speech` at 48 kHz goes in, what is heard comes out.
    ///
    /// # Panics
    /// When a coder cannot be made.
    pub fn play(&self, speech: &[f32]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut flying = self.send(speech, &mut outcome);
        flying.sort_by(|a, b| a.at.total_cmp(&b.at));
        self.hear(&flying, speech.len(), &mut outcome);
        outcome
    }

    /// The same call to a receiver that may wait for as long as it likes: what the coder makes of these
    /// losses at best.
    ///
    /// # Panics
    /// When a coder cannot be made.
    pub fn ideal(&self, speech: &[f32]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut came = self.send(speech, &mut outcome);
        came.sort_by_key(|packet| packet.header.timestamp);
        let mut decoder = offhook_codec::decoder(self.codec).expect("a coder of ours");
        let rate = self.codec.sample_rate();
        let mut interpolator = Interpolator::new((RATE / rate) as usize);
        let samples = (self.packet_time.as_millis() as u32 * rate / 1_000) as usize;
        let mut pcm = vec![0; MAX_SAMPLES];
        let mut coming = came.iter().peekable();
        for number in 0..outcome.sent as u16 {
            let sequence = number.wrapping_add(FIRST_SEQUENCE);
            let filled = match coming.next_if(|packet| packet.header.sequence == sequence) {
                Some(packet) => decoder.decode(&packet.payload, &mut pcm).expect("our packet"),
                None => coming
                    .peek()
                    .filter(|packet| packet.header.sequence == sequence.wrapping_add(1))
                    .and_then(|next| decoder.decode_fec(&next.payload, samples, &mut pcm))
                    .unwrap_or_else(|| decoder.conceal(samples, &mut pcm)),
            };
            let wide: Vec<f32> =
                pcm[..filled].iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
            interpolator.process(&wide, &mut outcome.heard);
        }
        outcome
    }

    /// Everything that comes out of the network.
    fn send(&self, speech: &[f32], outcome: &mut Outcome) -> Vec<Flying> {
        let mut encoder =
            offhook_codec::encoder(self.codec, self.packet_time).expect("a coder of ours");
        let mut decimator = Decimator::new((RATE / self.codec.sample_rate()) as usize);
        let mut way = Way {
            network: self.network,
            chance: Chance(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            bad: false,
            last: 0.0,
            free: 0.0,
        };
        let (mut low, mut payload, mut flying) = (Vec::new(), vec![0; 1_500], Vec::new());
        let (mut bytes, mut lost, mut count, mut losses) = (0, 0u32, 0u32, Losses::default());
        encoder.set_expected_loss(losses.expected());
        let frame = RATE as usize * self.packet_time.as_millis() as usize / 1_000;
        for (index, piece) in speech.chunks_exact(frame).enumerate() {
            low.clear();
            decimator.process(piece, &mut low);
            let pcm: Vec<i16> = low.iter().map(|&sample| to_pcm16(sample)).collect();
            let length = encoder.encode(&pcm, &mut payload).expect("a whole frame");
            let quiet = piece.iter().all(|sample| sample.abs() < 0.001);
            if self.pauses && quiet {
                continue;
            }
            let frame_us = self.packet_time.as_secs_f64() * 1e6;
            let sent = (index + 1) as f64 * frame_us / (1.0 + self.drift * 1e-6);
            let ticks =
                self.packet_time.as_millis() as u64 * u64::from(self.codec.clock_rate()) / 1_000;
            let header = Header {
                marker: false,
                payload_type: self.plan().payload_type,
                sequence: (outcome.sent as u16).wrapping_add(FIRST_SEQUENCE),
                timestamp: (index as u64 * ticks) as u32,
                ssrc: 7,
            };
            outcome.sent += 1;
            bytes += length;
            count += 1;
            match way.pass(sent, length + 12) {
                Some(at) => {
                    flying.push(Flying { at, header, payload: payload[..length].to_vec() });
                }
                None => lost += 1,
            }
            // A report every five seconds.
            if count == 250 {
                losses.report((lost * 100).div_ceil(count) as u8);
                encoder.set_expected_loss(losses.expected());
                (lost, count) = (0, 0);
            }
        }
        outcome.came = flying.len() as u64;
        outcome.bit_rate = bytes as f64 * 8.0 * RATE as f64 / speech.len().max(1) as f64;
        flying
    }

    /// The receiving half, driven as the media thread drives it.
    #[expect(clippy::disallowed_methods, reason = "some point to count virtual time from")]
    fn hear(&self, flying: &[Flying], length: usize, outcome: &mut Outcome) {
        let start = Instant::now() + Duration::from_secs(1_000);
        let at = |us: f64| start + Duration::from_nanos((us * 1e3) as u64);
        let tick = Duration::from_millis(20);
        let (mut listen, mut schedule) = (Listen::new(), Schedule::default());
        listen.apply(&self.media_plan(), false);
        schedule.run(true, start);
        let end = at(length as f64 / f64::from(RATE) * 1e6 + 500_000.0);
        let mut coming = flying.iter().peekable();
        let mut mix = vec![0.0; RATE as usize / 50];
        let mut first = true;
        loop {
            let due = schedule.next().unwrap_or(end);
            let packet = coming.peek().map_or(end, |packet| at(packet.at));
            let now = due.min(packet);
            if now >= end {
                break;
            }
            let mut heard = false;
            if packet <= now
                && let Some(packet) = coming.next()
            {
                let packet = Packet { header: packet.header, payload: &packet.payload };
                heard = matches!(listen.receive(&packet, true, now), Heard::Sound);
                if std::mem::take(&mut first) {
                    schedule.lay_behind(now);
                } else {
                    schedule.lean(now);
                }
            }
            let until = if heard { now + FORWARD } else { now };
            while schedule.take(until, tick) {
                let begin = (now - start).as_micros() as usize * RATE as usize / 1_000_000;
                if outcome.heard.is_empty() {
                    outcome.heard.resize(begin, 0.0);
                }
                mix.fill(0.0);
                listen.play(&mut mix, now);
                outcome.heard.extend_from_slice(&mix);
                outcome.delays.push(listen.delay().as_secs_f32() * 1_000.0);
            }
        }
        outcome.buffer = listen.buffer();
        outcome.recovered = listen.account.found();
        outcome.stretched = listen.stretched();
    }

    fn media_plan(&self) -> MediaPlan {
        let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
        MediaPlan {
            remote: nowhere,
            remote_rtcp: None,
            send: self.plan(),
            receive: vec![self.plan()],
            dtmf: None,
            dtmf_receive: vec![],
            noise: None,
            noise_receive: None,
            opus: OpusWish { in_band_fec: true, ..OpusWish::default() },
            packet_time: self.packet_time,
            sending: false,
            receiving: true,
            mix: false,
            extended: Default::default(),
            redundancy: Default::default(),
            dscp: 0,
            cname: String::new(),
            srtp: None,
            ice: None,
        }
    }
}
