//! What we hear in one call: packets to sound.

mod redundant;

use std::time::{Duration, Instant};

use offhook_codec::{Decoder, MAX_SAMPLES, Noise, Stretcher};
use offhook_model::AudioCodec;
use offhook_ports::{CodecPlan, MediaPlan};
use offhook_rtp::{
    Arrival, DtmfReceiver, JitterBuffer, JitterConfig, JitterStats, Packet, Pull, ReceiveState,
    Stretch,
};

use super::heard::Account;
use crate::dsp::{Interpolator, RATE};

/// Packets for which a voice is not stretched in the hope of a pause: while sound gets lost by it, and
/// else.
const HASTE: u32 = 10;
const LEISURE: u32 = 250;

/// What a packet was.
pub(super) enum Heard {
    /// Sound that will be played.
    Sound,
    /// The first packet of a telephone event.
    Digit(char),
    /// Something that is none of both, or more of the same event.
    Nothing,
}

/// A decoder with what follows it.
struct Voice {
    codec: AudioCodec,
    payload_type: u8,
    decoder: Box<dyn Decoder>,
    stretcher: Stretcher,
    interpolator: Interpolator,
}

impl Voice {
    /// Changes the length of the first `filled` samples as the jitter buffer wishes; gives how many
    /// there are then.
    fn stretch(&mut self, pcm: &mut [i16], filled: usize, wish: Stretch) -> usize {
        let rate = u64::from(self.codec.sample_rate());
        let samples = |by: Duration| (by.as_micros() as u64 * rate / 1_000_000) as usize;
        match wish {
            Stretch::Keep => {
                self.stretcher.keep(&pcm[..filled]);
                filled
            }
            Stretch::Shorten(by) => self.stretcher.shorten(pcm, filled, samples(by), LEISURE),
            Stretch::Lengthen { by, soon } => {
                let patience = if soon { HASTE } else { LEISURE };
                self.stretcher.lengthen(pcm, filled, samples(by), patience)
            }
        }
    }
}

/// The receiving half of a call.
pub(super) struct Listen {
    pub(super) state: ReceiveState,
    /// What came of what was due.
    pub(super) account: Account,
    jitter: JitterBuffer,
    codecs: Vec<CodecPlan>,
    /// The codec of the packets that come.
    current: CodecPlan,
    packet_time: Duration,
    voice: Option<Voice>,
    events: Vec<u8>,
    /// Payload types of packets that carry earlier sound once more.
    redundant: Vec<u8>,
    /// Payload type of comfort noise; what it said, and the timestamp since when it counts.
    noise: Option<u8>,
    rest: Option<(Noise, u32)>,
    digits: DtmfReceiver,
    pcm: Vec<i16>,
    wide: Vec<f32>,
    /// Sound decoded and not played yet, at the engine's rate.
    ready: Vec<f32>,
    /// When the first packet was given to the speaker.
    began: Option<Instant>,
    /// Packets played shorter and longer than they were.
    stretched: (u64, u64),
}

impl Listen {
    pub(super) fn new() -> Self {
        let current = CodecPlan { codec: AudioCodec::Pcmu, payload_type: 0 };
        let packet_time = Duration::from_millis(20);
        Self {
            state: ReceiveState::new(current.codec.clock_rate()),
            account: Account::default(),
            jitter: JitterBuffer::new(config(current.codec, packet_time)),
            codecs: vec![],
            current,
            packet_time,
            voice: None,
            events: vec![],
            redundant: vec![],
            noise: None,
            rest: None,
            digits: DtmfReceiver::new(),
            // Room for the longest packet and for what stretching adds.
            pcm: vec![0; MAX_SAMPLES + RATE as usize / 50],
            wide: vec![],
            ready: vec![],
            stretched: (0, 0),
            began: None,
        }
    }

    /// When the first sample of the first packet was given to the speaker.
    pub(super) fn began(&self) -> Option<Instant> {
        self.began
    }

    /// Takes a new plan.
    pub(super) fn apply(&mut self, plan: &MediaPlan, was_receiving: bool) {
        self.codecs.clone_from(&plan.receive);
        self.events.clone_from(&plan.dtmf_receive);
        self.redundant.clone_from(&plan.redundancy.receive);
        self.noise = plan.noise_receive;
        self.packet_time = plan.packet_time;
        let first = plan.receive.first().copied().unwrap_or(plan.send);
        let known = self.codecs.contains(&self.current);
        if !known {
            self.expect(first);
        } else if plan.receiving && !was_receiving {
            self.clear();
        }
    }

    /// The codec that is heard at present, or expected.
    pub(super) fn plan(&self) -> CodecPlan {
        self.current
    }

    /// What the jitter buffer did.
    pub(super) fn buffer(&self) -> JitterStats {
        self.jitter.stats()
    }

    /// What the jitter buffer adds at present.
    pub(super) fn delay(&self) -> Duration {
        self.jitter.delay()
    }

    /// Packets played shorter and longer than they were.
    pub(super) fn stretched(&self) -> (u64, u64) {
        self.stretched
    }

    fn expect(&mut self, plan: CodecPlan) {
        self.current = plan;
        self.state.set_clock_rate(plan.codec.clock_rate());
        self.clear();
    }

    fn clear(&mut self) {
        self.jitter.reset(config(self.current.codec, self.packet_time));
        self.ready.clear();
        self.rest = None;
    }

    /// Takes a packet without earlier ones in it.
    fn receive_one(&mut self, packet: &Packet<'_>, wanted: bool, now: Instant) -> Heard {
        let header = &packet.header;
        let sound =
            self.codecs.iter().find(|plan| plan.payload_type == header.payload_type).copied();
        if let Some(plan) = sound
            && plan.codec.clock_rate() != self.current.codec.clock_rate()
        {
            self.expect(plan);
        }
        match self.state.receive(header, packet.payload.len(), now) {
            Arrival::Normal => {}
            Arrival::NewSource => {
                self.clear();
                self.digits.reset();
            }
            Arrival::Restart => self.clear(),
            Arrival::Stray => return Heard::Nothing,
        }
        if let Some(plan) = sound {
            self.current = plan;
            if wanted {
                self.jitter.insert(packet, now);
                if offhook_codec::carries_redundancy(plan.codec, packet.payload) {
                    self.jitter.redundancy();
                }
                return Heard::Sound;
            }
            return Heard::Nothing;
        }
        if wanted {
            self.jitter.insert_event(packet, now);
        }
        if self.is_noise(header.payload_type) {
            if wanted {
                self.comfort(header.timestamp, packet.payload);
            }
            return Heard::Nothing;
        }
        if !self.is_event(packet) {
            return Heard::Nothing;
        }
        let digit = self.digits.receive(header.timestamp, packet.payload);
        digit.map_or(Heard::Nothing, Heard::Digit)
    }

    /// Telephone events come with an agreed payload type. Where the other side numbers its own
    /// differently, an unknown dynamic type with the payload of an event is one too.
    fn is_event(&self, packet: &Packet<'_>) -> bool {
        let payload_type = packet.header.payload_type;
        self.events.contains(&payload_type) || (payload_type >= 96 && packet.payload.len() == 4)
    }

    /// Comfort noise comes with the agreed payload type or its static one (RFC 3551 section 6);
    /// old gateways take 19, which the same table keeps free for their sake.
    fn is_noise(&self, payload_type: u8) -> bool {
        self.noise == Some(payload_type) || matches!(payload_type, 13 | 19)
    }

    fn comfort(&mut self, timestamp: u32, payload: &[u8]) {
        let mut noise = self.rest.take().map(|(noise, _)| noise).unwrap_or_default();
        if noise.hear(payload) {
            self.rest = Some((noise, timestamp));
        }
    }

    /// The sender has said that it is silent: nothing is missing when nothing comes.
    pub(super) fn rests(&self) -> bool {
        self.rest.is_some() || self.voice.as_ref().is_some_and(|voice| voice.decoder.is_resting())
    }

    /// Adds the next `mix.len()` samples to `mix`.
    pub(super) fn play(&mut self, mix: &mut [f32], now: Instant) {
        let count = mix.len();
        // A pull gives at least 2.5 ms, so a tick takes few; the bound is for broken streams.
        for _ in 0..64 {
            if self.ready.len() >= count || !self.pull(count, now) {
                break;
            }
        }
        if self.began.is_none() && !self.ready.is_empty() {
            self.began = Some(now);
        }
        if self.ready.len() < count {
            self.ready.resize(count, 0.0);
        }
        for (mixed, sample) in mix.iter_mut().zip(self.ready.drain(..count)) {
            *mixed += sample;
        }
    }

    /// Gets one piece of sound; false when there is none.
    fn pull(&mut self, count: usize, now: Instant) -> bool {
        let waiting = Duration::from_micros(self.ready.len() as u64 * 1_000_000 / u64::from(RATE));
        let Self { jitter, voice, codecs, pcm, wide, ready, stretched, account, rest, .. } = self;
        let filled = match jitter.pull(now, waiting) {
            Pull::Packet { payload_type, payload, stretch, timestamp } => {
                rest.take_if(|(_, since)| (timestamp.wrapping_sub(*since) as i32) > 0);
                if voice.as_ref().is_none_or(|voice| voice.payload_type != payload_type) {
                    *voice = make_voice(codecs, payload_type);
                }
                let Some(voice) = voice else { return false };
                let filled = match voice.decoder.decode(payload, pcm) {
                    Ok(filled) => filled,
                    Err(error) => {
                        tracing::trace!("a packet was not decoded: {error}");
                        let samples = voice.codec.sample_rate() as usize / 50;
                        voice.decoder.conceal(samples, pcm)
                    }
                };
                account.played(pcm.get(..filled).unwrap_or(&[]));
                let before = filled;
                let filled = voice.stretch(pcm, filled, stretch);
                stretched.0 += u64::from(filled < before);
                stretched.1 += u64::from(filled > before);
                filled
            }
            Pull::Lost { ticks, next_payload } => {
                let Some(voice) = voice else {
                    account.missing();
                    ready.resize(count, 0.0);
                    return false;
                };
                let rates =
                    (u64::from(voice.codec.sample_rate()), u64::from(voice.codec.clock_rate()));
                let samples = (u64::from(ticks) * rates.0 / rates.1) as usize;
                let samples = samples.clamp(1, MAX_SAMPLES);
                let found =
                    next_payload.and_then(|next| voice.decoder.decode_fec(next, samples, pcm));
                match found {
                    Some(filled) => {
                        account.recovered();
                        filled
                    }
                    None => {
                        account.missing();
                        voice.decoder.conceal(samples, pcm)
                    }
                }
            }
            Pull::Empty | Pull::Wait => {
                let Some(voice) = voice else { return false };
                // No more than is needed, so that what comes next is not late.
                let wanted = count.saturating_sub(ready.len()).max(1);
                let samples = wanted.div_ceil((RATE / voice.codec.sample_rate()) as usize);
                match rest {
                    Some((noise, _)) => {
                        noise.fill(pcm.get_mut(..samples).unwrap_or_default());
                        samples
                    }
                    None if voice.decoder.is_resting() => voice.decoder.conceal(samples, pcm),
                    None => return false,
                }
            }
        };
        let Some(voice) = voice else { return false };
        wide.clear();
        wide.extend(pcm.iter().take(filled).map(|&sample| f32::from(sample) / 32_768.0));
        voice.interpolator.process(wide, ready);
        filled > 0
    }
}

fn config(codec: AudioCodec, packet_time: Duration) -> JitterConfig {
    JitterConfig {
        // The playing tick lies just behind the arrival of packets already.
        min: Duration::ZERO,
        ..JitterConfig::new(codec.clock_rate(), packet_time)
    }
}

fn make_voice(codecs: &[CodecPlan], payload_type: u8) -> Option<Voice> {
    let plan = codecs.iter().find(|plan| plan.payload_type == payload_type)?;
    let rate = plan.codec.sample_rate();
    match offhook_codec::decoder(plan.codec) {
        Ok(decoder) => Some(Voice {
            codec: plan.codec,
            payload_type,
            decoder,
            stretcher: Stretcher::new(rate),
            interpolator: Interpolator::new((RATE / rate) as usize),
        }),
        Err(error) => {
            tracing::error!("no decoder for {}: {error}", plan.codec.encoding_name());
            None
        }
    }
}
