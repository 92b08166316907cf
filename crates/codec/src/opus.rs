//! Opus (RFC 6716) for speech: mono, 48 kHz, about 32 kbit/s, with in-band redundancy while packets get
//! lost.

use offhook_model::OpusWish;
use opus::{Application, Bandwidth, Bitrate, Channels, Signal};

use crate::{CodecError, ExpectedLoss, MAX_PAYLOAD, MAX_SAMPLES};

/// Samples per second.
const RATE: u32 = 48_000;
/// Opus works in steps of 2.5 ms.
const STEP: usize = 120;
/// Bits per second. Wideband speech is transparent from about here (RFC 7587 section 3.1.1).
const BIT_RATE: i32 = 32_000;
/// Bits per second while losses are expected, and while they are reported. Up to 8 kHz speech with a
/// coarse copy of each frame then takes 29 and 32 kbit/s, and 29 up to 20 kHz without a copy at
/// [`BIT_RATE`]: the bits of the highest sounds become redundancy. PESQ (wide band, four voices) at 1, 5
/// and 10 % loss: 4.06, 3.70 and 3.17; 4.16, 3.78 and 3.35. Redundancy and the highest sounds together,
/// for 28: 3.81, 3.39 and 2.85.
const BIT_RATE_LOSS_EXPECTED: i32 = 36_000;
const BIT_RATE_LOSS_REPORTED: i32 = 40_000;
/// From this loss in percent on more bits are likelier to make it worse.
const CONGESTED: u8 = 30;
/// A packet of at most so many bytes has no content (RFC 6716 section 2.1.9).
const EMPTY: usize = 2;
/// 0 to 10; 10 costs more than it gives for speech.
const COMPLEXITY: i32 = 9;

fn setup<T>(result: Result<T, opus::Error>) -> Result<T, CodecError> {
    result.map_err(|error| CodecError::Setup(error.description()))
}

/// Opus encoder.
pub(crate) struct Encoder {
    inner: opus::Encoder,
    frame: usize,
    loss: ExpectedLoss,
    wish: OpusWish,
    /// Silence is left out.
    quiet: bool,
    /// The last packet said that nothing follows.
    resting: bool,
}

impl Encoder {
    /// For packets of `ms` milliseconds, or the next shorter length that Opus knows.
    pub(crate) fn new(ms: u32) -> Result<Self, CodecError> {
        let ms = match ms {
            60.. => 60,
            40..=59 => 40,
            20..=39 => 20,
            0..=19 => 10,
        };
        let mut inner = setup(opus::Encoder::new(RATE, Channels::Mono, Application::Voip))?;
        setup(inner.set_complexity(COMPLEXITY))?;
        setup(inner.set_signal(Signal::Voice))?;
        let frame = (RATE / 1_000 * ms) as usize;
        let wish = OpusWish { in_band_fec: true, ..OpusWish::default() };
        let loss = ExpectedLoss { percent: 1, reported: false };
        let mut encoder = Self { inner, frame, loss, wish, quiet: false, resting: false };
        setup(encoder.tune())?;
        Ok(encoder)
    }

    /// Spends the bits as the other side and the network want it.
    fn tune(&mut self) -> opus::Result<()> {
        let wish = self.wish;
        let ExpectedLoss { percent, reported } = self.loss;
        let redundant = wish.in_band_fec && percent > 0;
        let most = wish.max_average_bit_rate.map_or(i32::MAX, |most| most as i32);
        let bit_rate = match reported {
            _ if !redundant || wish.constant || percent >= CONGESTED => BIT_RATE,
            true => BIT_RATE_LOSS_REPORTED,
            false => BIT_RATE_LOSS_EXPECTED,
        };
        let bandwidth = match wish.max_playback_rate {
            ..12_000 => Bandwidth::Narrowband,
            12_000..16_000 => Bandwidth::Mediumband,
            16_000..24_000 => Bandwidth::Wideband,
            24_000.. if redundant => Bandwidth::Wideband,
            24_000..48_000 => Bandwidth::Superwideband,
            48_000.. => Bandwidth::Fullband,
        };
        self.inner.set_bitrate(Bitrate::Bits(bit_rate.min(most)))?;
        self.inner.set_max_bandwidth(bandwidth)?;
        self.inner.set_vbr(!wish.constant)?;
        self.inner.set_inband_fec(wish.in_band_fec)?;
        self.inner.set_packet_loss_perc(i32::from(percent.min(100)))
    }

    fn retune(&mut self) {
        // libopus refuses only values that it does not know, and these are its own.
        let done = self.tune();
        debug_assert!(done.is_ok(), "{done:?}");
    }
}

impl crate::Encoder for Encoder {
    fn samples_per_frame(&self) -> usize {
        self.frame
    }

    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        if pcm.len() != self.frame {
            return Err(CodecError::FrameSize { wanted: self.frame, given: pcm.len() });
        }
        let room = out.len().min(MAX_PAYLOAD);
        let length = self
            .inner
            .encode(pcm, &mut out[..room])
            .map_err(|_| CodecError::NoRoom(MAX_PAYLOAD))?;
        // The first frame without content tells them that silence follows; libopus sends another
        // one with content every 400 ms for as long as it lasts.
        let resting = self.quiet && length <= EMPTY;
        let repeated = std::mem::replace(&mut self.resting, resting) && resting;
        Ok(if repeated { 0 } else { length })
    }

    fn set_expected_loss(&mut self, loss: ExpectedLoss) {
        if loss != self.loss {
            self.loss = loss;
            self.retune();
        }
    }

    fn leave_out_silence(&mut self, yes: bool) {
        self.quiet = self.inner.set_dtx(yes).is_ok() && yes;
        self.resting = false;
    }

    fn heed(&mut self, wish: OpusWish) {
        self.wish = wish;
        self.retune();
    }
}

/// A packet whose first frame is one of speech that says that a coarse copy of the frame before it
/// follows. Such a frame begins with its flags: one for voice in each 20 ms, then that one (RFC 6716
/// sections 3.1, 4.2.3 and 4.2.4). Packets of any number of frames, which we never send, say nothing here.
pub(crate) fn carries_redundancy(payload: &[u8]) -> bool {
    let [head, rest @ ..] = payload else { return false };
    let configuration = head >> 3;
    let voices = match configuration {
        0..=11 => [1, 1, 2, 3][usize::from(configuration % 4)],
        12..=15 => 1,
        _ => return false,
    };
    let frame = match (head & 3, rest) {
        (0 | 1, frame) => frame,
        (2, [0..=251, frame @ ..]) | (2, [252..=255, _, frame @ ..]) => frame,
        _ => return false,
    };
    frame.first().is_some_and(|flags| (flags >> (7 - voices)) & 1 == 1)
}

/// Opus decoder. A stereo stream comes out mixed to mono.
pub(crate) struct Decoder {
    inner: opus::Decoder,
    /// The last packet said that the sender is silent.
    resting: bool,
}

impl Decoder {
    pub(crate) fn new() -> Result<Self, CodecError> {
        Ok(Self { inner: setup(opus::Decoder::new(RATE, Channels::Mono))?, resting: false })
    }

    /// Runs the decoder's own concealment, in pieces that it can make.
    fn invent(&mut self, out: &mut [i16]) {
        let whole = out.len() / STEP * STEP;
        let (body, rest) = out.split_at_mut(whole);
        for piece in body.chunks_mut(MAX_SAMPLES) {
            // An empty payload asks for concealment.
            let done = self.inner.decode(&[], piece, false).unwrap_or(0);
            piece.iter_mut().skip(done).for_each(|sample| *sample = 0);
        }
        rest.fill(body.last().copied().unwrap_or(0));
    }
}

impl crate::Decoder for Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, CodecError> {
        let samples = self.duration(payload).ok_or(CodecError::Payload)? as usize;
        let out = out.get_mut(..samples).ok_or(CodecError::NoRoom(samples))?;
        // A frame without content begins a silence of DTX (RFC 6716 section 2.1.9).
        self.resting = payload.len() <= EMPTY;
        self.inner.decode(payload, out, false).map_err(|_| CodecError::Payload)
    }

    fn conceal(&mut self, samples: usize, out: &mut [i16]) -> usize {
        let count = samples.min(out.len());
        self.invent(&mut out[..count]);
        count
    }

    fn decode_fec(
        &mut self,
        next_payload: &[u8],
        samples: usize,
        out: &mut [i16],
    ) -> Option<usize> {
        self.duration(next_payload).filter(|_| carries_redundancy(next_payload))?;
        let usable = (STEP..=MAX_SAMPLES).contains(&samples) && samples.is_multiple_of(STEP);
        let out = usable.then_some(out)?.get_mut(..samples)?;
        self.inner.decode(next_payload, out, true).ok().filter(|done| *done == samples)
    }

    fn duration(&self, payload: &[u8]) -> Option<u32> {
        if payload.is_empty() {
            return None;
        }
        let samples = opus::packet::get_nb_samples(payload, RATE).ok()?;
        (samples > 0 && samples <= MAX_SAMPLES).then_some(samples as u32)
    }

    fn is_resting(&self) -> bool {
        self.resting
    }
}
