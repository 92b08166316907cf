//! What we send in one call: microphone to packets.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use offhook_codec::{Encoder, Gate, MAX_PAYLOAD, Verdict};
use offhook_model::{AudioCodec, OpusWish};
use offhook_ports::{CodecPlan, MediaPlan};
use offhook_rtp::red::{self, Packer};
use offhook_rtp::srtp::OVERHEAD;
use offhook_rtp::{DtmfSender, HEADER_LEN, SendState};

use super::losses::Losses;
use super::shield::Shield;
use super::wire::{RTP, Wire};
use crate::dsp::{Decimator, RATE, to_pcm16};

/// The sending half of a call.
pub(super) struct Talk {
    pub(super) state: SendState,
    plan: CodecPlan,
    packet_time: Duration,
    opus: OpusWish,
    encoder: Option<Box<dyn Encoder>>,
    /// Payload type for silence, if it is left out.
    noise: Option<u8>,
    /// Finds the silence for codecs that do not themselves.
    gate: Option<Gate>,
    decimator: Decimator,
    low: Vec<f32>,
    pcm: Vec<i16>,
    packet: Vec<u8>,
    /// The next packet begins a talkspurt.
    marker: bool,
    dtmf: DtmfSender,
    /// Digits were asked for and their end was not told yet.
    digits_owed: bool,
    /// What was sent last, and the payload type to send it once more with while losses are reported.
    earlier: Packer,
    redundant: Option<u8>,
    losses: Losses,
    /// When the frame that is being filled began.
    last: Option<Instant>,
    /// When the first sample of the first packet was taken.
    began: Option<Instant>,
    /// Since when the system takes no packets.
    refused: Option<Instant>,
}

/// Packet times that every encoder takes: 10 to 60 ms in steps of 10.
fn usable(packet_time: Duration) -> Duration {
    Duration::from_millis((packet_time.as_millis() as u64).clamp(10, 60) / 10 * 10)
}

impl Talk {
    pub(super) fn new(seed: u64) -> Self {
        let plan = CodecPlan { codec: AudioCodec::Pcmu, payload_type: 0 };
        let packet_time = Duration::from_millis(20);
        Self {
            state: SendState::new(seed),
            plan,
            packet_time,
            opus: OpusWish::default(),
            encoder: None,
            noise: None,
            gate: None,
            decimator: Decimator::new(1),
            low: vec![],
            pcm: vec![],
            packet: vec![0; HEADER_LEN + 2 * MAX_PAYLOAD + red::OVERHEAD + OVERHEAD],
            marker: true,
            dtmf: DtmfSender::new(plan.codec.clock_rate(), packet_time),
            digits_owed: false,
            earlier: Packer::default(),
            redundant: None,
            losses: Losses::default(),
            last: None,
            began: None,
            refused: None,
        }
    }

    /// When the first sample of the first packet was taken from the microphone.
    pub(super) fn began(&self) -> Option<Instant> {
        self.began
    }

    /// Takes a new plan; the coder starts anew only when it has to.
    pub(super) fn apply(&mut self, plan: &MediaPlan) {
        let packet_time = usable(plan.packet_time);
        let same = self.encoder.is_some()
            && (self.plan.codec, self.packet_time) == (plan.send.codec, packet_time)
            && self.noise == plan.noise;
        self.plan = plan.send;
        self.redundant = plan.redundancy.send;
        self.noise = plan.noise;
        let asked = std::mem::replace(&mut self.opus, plan.opus);
        if same {
            if let Some(encoder) = self.encoder.as_mut().filter(|_| asked != plan.opus) {
                encoder.heed(plan.opus);
            }
            return;
        }
        let codec = plan.send.codec;
        self.packet_time = packet_time;
        self.encoder = match offhook_codec::encoder(codec, packet_time) {
            Ok(encoder) => Some(encoder),
            Err(error) => {
                tracing::error!("no encoder for {}: {error}", codec.encoding_name());
                None
            }
        };
        if let Some(encoder) = &mut self.encoder {
            encoder.set_expected_loss(self.losses.expected());
            encoder.heed(plan.opus);
            encoder.leave_out_silence(plan.noise == Some(plan.send.payload_type));
        }
        let other = plan.noise.is_some_and(|noise| noise != plan.send.payload_type);
        self.gate = other.then(|| Gate::new(codec.sample_rate()));
        self.decimator = Decimator::new((RATE / codec.sample_rate()) as usize);
        self.pcm.clear();
        self.earlier.clear();
        self.marker = true;
        let frame_ms = self.frame().as_millis() as u64;
        self.dtmf = DtmfSender::new(codec.clock_rate(), Duration::from_millis(frame_ms.max(10)));
    }

    pub(super) fn plan(&self) -> CodecPlan {
        self.plan
    }

    /// How much sound one packet holds; the encoder may make shorter ones than asked for.
    pub(super) fn frame(&self) -> Duration {
        let samples = self.encoder.as_ref().map_or(0, |encoder| encoder.samples_per_frame());
        Duration::from_micros(samples as u64 * 1_000_000 / u64::from(self.plan.codec.sample_rate()))
    }

    /// Since when the system takes no packets, if so.
    pub(super) fn refused_since(&self) -> Option<Instant> {
        self.refused
    }

    /// Puts digits in the queue; false when there is nothing to wait for.
    pub(super) fn dtmf(&mut self, digits: &str) -> bool {
        self.digits_owed = self.dtmf.push(digits) > 0 || self.digits_owed;
        self.digits_owed
    }

    /// All digits asked for were sent; true once.
    pub(super) fn digits_done(&mut self) -> bool {
        self.digits_owed && self.dtmf.is_idle() && {
            self.digits_owed = false;
            true
        }
    }

    /// Time passed without sound: `samples` at the engine's rate.
    pub(super) fn skip(&mut self, samples: u64) {
        let ticks = samples * u64::from(self.plan.codec.clock_rate()) / u64::from(RATE);
        self.state.advance(ticks as u32);
        self.pcm.clear();
        self.earlier.clear();
        self.marker = true;
    }

    /// The other side reports how much of ours gets lost, in percent.
    pub(super) fn heard_loss(&mut self, percent: u8) {
        self.losses.report(percent);
        if let Some(encoder) = &mut self.encoder {
            encoder.set_expected_loss(self.losses.expected());
        }
    }

    /// Sends a frame of the microphone, or silence in its place.
    pub(super) fn send(
        &mut self,
        frame: &[f32],
        muted: bool,
        events: Option<u8>,
        shield: &mut Shield,
        (wire, to): (&mut Wire, SocketAddr),
        now: Instant,
    ) {
        self.catch_up(now);
        if self.began.is_none() {
            // The frame's last sample is of this moment, its first one a frame older.
            let length = frame.len() as u64 * 1_000_000 / u64::from(RATE);
            self.began = now.checked_sub(Duration::from_micros(length));
        }
        self.low.clear();
        self.decimator.process(frame, &mut self.low);
        let quiet = if muted { 0.0 } else { 1.0 };
        self.pcm.extend(self.low.iter().map(|&sample| to_pcm16(sample * quiet)));
        let Some(samples) = self.encoder.as_ref().map(|encoder| encoder.samples_per_frame()) else {
            return;
        };
        while samples > 0 && self.pcm.len() >= samples {
            match self.send_packet(samples, events, shield, (&mut *wire, to)) {
                Ok(()) => self.refused = None,
                Err(error) => {
                    self.refused.get_or_insert(now);
                    tracing::trace!("a packet was not sent: {error}");
                }
            }
            self.pcm.drain(..samples);
            let codec = self.plan.codec;
            let ticks =
                samples as u64 * u64::from(codec.clock_rate()) / u64::from(codec.sample_rate());
            self.state.advance(ticks as u32);
        }
    }

    /// After a hold the timestamp goes on as if sound had been sent all the time.
    fn catch_up(&mut self, now: Instant) {
        let away = self
            .last
            .replace(now)
            .map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        if away > Duration::from_millis(400) {
            let samples = away.as_micros() as u64 * u64::from(RATE) / 1_000_000;
            self.skip(samples);
        }
    }

    fn send_packet(
        &mut self,
        samples: usize,
        events: Option<u8>,
        shield: &mut Shield,
        (wire, to): (&mut Wire, SocketAddr),
    ) -> io::Result<()> {
        let (Some(encoder), Some(pcm), Some(body)) =
            (&mut self.encoder, self.pcm.get(..samples), self.packet.get_mut(HEADER_LEN..))
        else {
            return Ok(());
        };
        // The encoder goes on under an event, so that the sound after it fits.
        let length = encoder.encode(pcm, body).map_err(io::Error::other)?;
        let codec = self.plan.codec;
        let skipped = encoder.skipped() as u32 * codec.clock_rate() / codec.sample_rate();
        let event = match events {
            Some(payload_type) => {
                self.dtmf.next(self.state.timestamp()).map(|event| (payload_type, event))
            }
            None => None,
        };
        let verdict = match &mut self.gate {
            Some(gate) => gate.judge(pcm),
            None if length == 0 => Verdict::Nothing,
            None => Verdict::Speech,
        };
        let stamped = match event {
            None if verdict == Verdict::Nothing => {
                self.earlier.clear();
                self.marker = true;
                return Ok(());
            }
            None if verdict == Verdict::Noise => {
                let noise = self.gate.as_ref().map_or(0, |gate| gate.noise().write(body));
                let payload_type = self.noise.unwrap_or(self.plan.payload_type);
                self.earlier.clear();
                self.marker = true;
                self.state.stamp(&mut self.packet, noise, payload_type, false, None)
            }
            Some((payload_type, event)) => {
                if let Some(body) = body.get_mut(..4) {
                    body.copy_from_slice(&event.payload);
                }
                let at = Some(event.timestamp);
                self.marker = true;
                self.earlier.clear();
                self.state.stamp(&mut self.packet, 4, payload_type, event.marker, at)
            }
            None => {
                let marker = std::mem::take(&mut self.marker);
                let at = self.state.timestamp().wrapping_add(skipped);
                let (payload_type, length) = self.once_more(length, at);
                self.state.stamp(&mut self.packet, length, payload_type, marker, Some(at))
            }
        };
        let length = stamped.map_err(io::Error::other)?;
        let Some(length) = shield.seal(&mut self.packet, length) else { return Ok(()) };
        let packet = self.packet.get(..length).unwrap_or(&[]);
        wire.send(RTP, packet, to)
    }

    /// The payload in the first `length` bytes of the body, with the one before it while the other
    /// side reports losses: its payload type and its length.
    fn once_more(&mut self, length: usize, now: u32) -> (u8, usize) {
        let Self { earlier, packet, plan, losses, redundant, .. } = self;
        let body = packet.get_mut(HEADER_LEN..).unwrap_or(&mut []);
        let room = body.len().saturating_sub(OVERHEAD);
        let own = plan.payload_type;
        match redundant.filter(|_| losses.are_reported()) {
            Some(payload_type) => {
                let body = body.get_mut(..room).unwrap_or(&mut []);
                let packed = earlier.pack(body, length, own, now);
                packed.map_or((own, length), |length| (payload_type, length))
            }
            None => {
                if redundant.is_some() {
                    earlier.keep(body.get(..length).unwrap_or(&[]), own, now);
                }
                (own, length)
            }
        }
    }
}
