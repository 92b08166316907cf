//! Sound cards: the callbacks, and the engine's side of their rings.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{BufferSize, SampleFormat, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use super::callback::{listen, speak};
#[cfg(target_os = "linux")]
use super::pulse::{
    self,
    feed::{Mouth, Pace},
};
use super::steer::Steer;
use super::{OnTrouble, Trouble};
use crate::dsp::{RATE, Stretch};

/// How long to wait for a sound system that does not answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Callbacks of 10 ms: shorter ones cost wake-ups, longer ones delay.
const CALLBACKS_PER_SECOND: u32 = 100;

/// The engine's side of a microphone.
pub(crate) struct CardCapture {
    ring: Consumer<f32>,
    rate: u32,
    steer: Steer,
    stretch: Stretch,
    started: bool,
    raw: Vec<f32>,
    ready: Vec<f32>,
    /// How the device goes along, where that is known.
    #[cfg(target_os = "linux")]
    pace: Option<Arc<Pace>>,
}

impl CardCapture {
    fn new(ring: Consumer<f32>, rate: u32) -> Self {
        Self {
            ring,
            rate,
            steer: Steer::new(rate),
            stretch: Stretch::new(rate, RATE),
            started: false,
            raw: vec![],
            ready: vec![],
            #[cfg(target_os = "linux")]
            pace: None,
        }
    }

    /// How much of what is in the ring would not be there yet if bursts came as late as they may.
    #[cfg(target_os = "linux")]
    fn early(&self) -> usize {
        self.pace
            .as_ref()
            .map_or(0, |pace| pace.period().saturating_sub(pace.since(pulse::clock())))
    }

    #[cfg(not(target_os = "linux"))]
    fn early(&self) -> usize {
        0
    }

    /// Fills `out` from the ring; what is missing is silence, and makes the store a little larger.
    pub(crate) fn pull(&mut self, out: &mut [f32]) {
        let need = self.stretch.needed(out.len());
        let have = self.ring.slots();
        let early = self.early();
        let spare = self.steer.target() + early;
        if !self.started && have < need + spare {
            out.fill(0.0);
            return;
        }
        if !self.started {
            // What gathered while the stream started would be delay from now on.
            self.started = true;
            self.take(have - need - spare);
        }
        let have = self.ring.slots();
        self.take(need.min(have));
        self.stretch.feed(&self.raw);
        self.ready.clear();
        self.stretch.drain(out.len(), &mut self.ready);
        for (n, sample) in out.iter_mut().enumerate() {
            *sample = self.ready.get(n).copied().unwrap_or(0.0);
        }
        let level = have.saturating_sub(need + early);
        let correction = self.steer.observe(level, have < need);
        self.take(correction.skip.min(self.ring.slots()));
        self.stretch.set_ratio(self.rate, RATE, correction.ratio);
    }

    fn take(&mut self, count: usize) {
        self.raw.resize(count, 0.0);
        let _ = self.ring.pop_entire_slice(&mut self.raw);
    }
}

/// What lies between the engine and a loudspeaker.
enum Store {
    /// A ring that a callback empties; it counts how often there was nothing.
    Ring(Producer<f32>, Arc<AtomicU32>),
    /// The sound server's.
    #[cfg(target_os = "linux")]
    Server(Mouth),
}

impl Store {
    /// Samples in it.
    fn level(&self) -> usize {
        match self {
            Self::Ring(ring, _) => ring.buffer().capacity() - ring.slots(),
            #[cfg(target_os = "linux")]
            Self::Server(mouth) => mouth.level(),
        }
    }

    /// How many of them a device that works evenly would have taken already.
    fn due(&self) -> usize {
        match self {
            Self::Ring(..) => 0,
            #[cfg(target_os = "linux")]
            Self::Server(mouth) => mouth.pace().since(pulse::clock()),
        }
    }

    /// What the device takes at once, beyond what is aimed at.
    fn burst(&self) -> usize {
        match self {
            Self::Ring(..) => 0,
            #[cfg(target_os = "linux")]
            Self::Server(mouth) => mouth.pace().period(),
        }
    }

    /// How often there was nothing in it.
    fn gaps(&self) -> u32 {
        match self {
            Self::Ring(_, gaps) => gaps.load(Ordering::Relaxed),
            #[cfg(target_os = "linux")]
            Self::Server(mouth) => mouth.pace().gaps(),
        }
    }

    /// Puts samples in; what does not fit is lost.
    fn put(&mut self, samples: &[f32]) {
        match self {
            Self::Ring(ring, _) => {
                let _ = ring.push_partial_slice(samples);
            }
            #[cfg(target_os = "linux")]
            Self::Server(mouth) => mouth.put(samples),
        }
    }
}

/// The engine's side of a loudspeaker.
pub(crate) struct CardPlayout {
    store: Store,
    rate: u32,
    steer: Steer,
    stretch: Stretch,
    gaps_seen: u32,
    ready: Vec<f32>,
}

impl CardPlayout {
    fn new(store: Store, rate: u32) -> Self {
        let (steer, stretch) = (Steer::new(rate), Stretch::new(RATE, rate));
        Self { store, rate, steer, stretch, gaps_seen: 0, ready: vec![] }
    }

    /// Plays a frame; what there is no room for is dropped.
    pub(crate) fn push(&mut self, samples: &[f32]) {
        let (level, gaps) = (self.store.level(), self.store.gaps());
        let even = level.saturating_sub(self.store.due());
        let correction = self.steer.observe(even, gaps != self.gaps_seen);
        self.gaps_seen = gaps;
        self.ready.clear();
        if level == 0 {
            self.ready.resize(self.steer.target() + self.store.burst(), 0.0);
        }
        self.stretch.set_ratio(RATE, self.rate, correction.ratio);
        self.stretch.feed(samples);
        self.stretch.drain(usize::MAX, &mut self.ready);
        let from = correction.skip.min(self.ready.len());
        self.store.put(self.ready.get(from..).unwrap_or(&[]));
    }
}

/// An open stream; the card works until it is dropped.
#[allow(dead_code, reason = "held for their Drop")]
pub(super) enum OpenStream {
    #[cfg(target_os = "linux")]
    Pulse(pulse::Stream),
    Cpal(cpal::Stream),
}

/// Opens a microphone of the sound server.
#[cfg(target_os = "linux")]
pub(super) fn record(
    device: &pulse::Device,
    on_trouble: impl OnTrouble,
) -> Result<(OpenStream, CardCapture), String> {
    let (producer, consumer) = ring(RATE);
    let (stream, pace) = pulse::record(device, producer, on_trouble)?;
    let mut card = CardCapture::new(consumer, RATE);
    (card.pace, card.steer) = (Some(pace), Steer::even(RATE));
    Ok((OpenStream::Pulse(stream), card))
}

/// Opens a loudspeaker of the sound server.
#[cfg(target_os = "linux")]
pub(super) fn play(
    device: &pulse::Device,
    on_trouble: impl OnTrouble,
) -> Result<(OpenStream, CardPlayout), String> {
    let (stream, mouth) = pulse::play(device, on_trouble)?;
    let mut card = CardPlayout::new(Store::Server(mouth), RATE);
    card.steer = Steer::even(RATE);
    Ok((OpenStream::Pulse(stream), card))
}

/// Opens a microphone.
pub(super) fn open_input(
    device: &cpal::Device,
    on_trouble: impl OnTrouble,
) -> Result<(OpenStream, CardCapture), String> {
    open(device.default_input_config(), |config, format| {
        let (producer, consumer) = ring(config.sample_rate);
        let stream = input_stream(device, config, format, producer, on_trouble.clone())?;
        stream.play()?;
        Ok((OpenStream::Cpal(stream), CardCapture::new(consumer, config.sample_rate)))
    })
}

/// Opens a loudspeaker.
pub(super) fn open_output(
    device: &cpal::Device,
    on_trouble: impl OnTrouble,
) -> Result<(OpenStream, CardPlayout), String> {
    open(device.default_output_config(), |config, format| {
        let (producer, consumer) = ring(config.sample_rate);
        let gaps = Arc::new(AtomicU32::new(0));
        let stream =
            output_stream(device, config, format, consumer, gaps.clone(), on_trouble.clone())?;
        stream.play()?;
        let store = Store::Ring(producer, gaps);
        Ok((OpenStream::Cpal(stream), CardPlayout::new(store, config.sample_rate)))
    })
}

/// A fifth of a second.
fn ring(rate: u32) -> (Producer<f32>, Consumer<f32>) {
    RingBuffer::new((rate / 5).max(1) as usize)
}

/// Tries settings from the best to the one that the system itself would choose.
fn open<T>(
    default: Result<cpal::SupportedStreamConfig, cpal::Error>,
    mut attempt: impl FnMut(StreamConfig, SampleFormat) -> Result<T, cpal::Error>,
) -> Result<T, String> {
    let default = default.map_err(|error| words(&error))?;
    let own = default.config();
    let short = |config: StreamConfig| StreamConfig {
        buffer_size: BufferSize::Fixed((config.sample_rate / CALLBACKS_PER_SECOND).max(1)),
        ..config
    };
    let tries = [(short(own), default.sample_format()), (own, default.sample_format())];
    let mut last = String::new();
    for (config, format) in tries {
        if config.channels == 0 || config.sample_rate == 0 {
            continue;
        }
        match attempt(config, format) {
            Ok(done) => return Ok(done),
            Err(error) => last = words(&error),
        }
    }
    Err(last)
}

/// Calls `$body` with `$sample` as the type of `$format`.
macro_rules! with_sample_type {
    ($format:expr, $sample:ident => $body:expr) => {
        match $format {
            SampleFormat::I8 => {
                type $sample = i8;
                $body
            }
            SampleFormat::I16 => {
                type $sample = i16;
                $body
            }
            SampleFormat::I24 => {
                type $sample = cpal::I24;
                $body
            }
            SampleFormat::I32 => {
                type $sample = i32;
                $body
            }
            SampleFormat::U8 => {
                type $sample = u8;
                $body
            }
            SampleFormat::U16 => {
                type $sample = u16;
                $body
            }
            SampleFormat::U32 => {
                type $sample = u32;
                $body
            }
            SampleFormat::F32 => {
                type $sample = f32;
                $body
            }
            SampleFormat::F64 => {
                type $sample = f64;
                $body
            }
            other => Err(cpal::Error::with_message(
                cpal::ErrorKind::UnsupportedConfig,
                format!("its sample format {other} is not supported"),
            )),
        }
    };
}

fn input_stream(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    ring: Producer<f32>,
    on_trouble: impl OnTrouble,
) -> Result<cpal::Stream, cpal::Error> {
    with_sample_type!(format, S => device.build_input_stream(
        config, listen::<S>(config.channels, ring), fate(on_trouble), Some(PATIENCE)))
}

fn output_stream(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    ring: Consumer<f32>,
    gaps: Arc<AtomicU32>,
    on_trouble: impl OnTrouble,
) -> Result<cpal::Stream, cpal::Error> {
    with_sample_type!(format, S => device.build_output_stream(
        config, speak::<S>(config.channels, ring, gaps), fate(on_trouble), Some(PATIENCE)))
}

/// The error callback: not called from the data callback, so it may allocate.
fn fate(on_trouble: impl OnTrouble) -> impl FnMut(cpal::Error) + Send + 'static {
    move |error| match error.kind() {
        // The stream goes on after these.
        cpal::ErrorKind::Xrun
        | cpal::ErrorKind::RealtimeDenied
        | cpal::ErrorKind::DeviceChanged => tracing::debug!("sound card: {error}"),
        _ => on_trouble(Trouble::Lost(words(&error))),
    }
}

/// What is wrong with a device, and what helps.
fn words(error: &cpal::Error) -> String {
    let words = match error.kind() {
        cpal::ErrorKind::DeviceBusy => {
            "another program has it for itself (exclusive mode); end that program, or take exclusive mode \
             from it in the system's sound settings"
        }
        cpal::ErrorKind::PermissionDenied => {
            "this computer does not let programs use it; allow it in the system's privacy settings"
        }
        cpal::ErrorKind::DeviceNotAvailable => "it is not connected any more",
        cpal::ErrorKind::HostUnavailable => "the sound server of this computer does not run",
        cpal::ErrorKind::StreamInvalidated => "the sound server ended it",
        cpal::ErrorKind::UnsupportedConfig => "it offers no format that is understood here",
        cpal::ErrorKind::ResourceExhausted => {
            "this computer has no means left for it; end other programs that use sound"
        }
        _ => return error.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{CardCapture, CardPlayout, Store, listen, ring, speak, words};
    use crate::dsp::{RATE, Sine, amplitude};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn stamps() -> (cpal::InputCallbackInfo, cpal::OutputCallbackInfo) {
        let zero = cpal::StreamInstant::new(0, 0);
        (
            cpal::InputCallbackInfo::new(cpal::InputStreamTimestamp {
                callback: zero,
                capture: zero,
            }),
            cpal::OutputCallbackInfo::new(cpal::OutputStreamTimestamp {
                callback: zero,
                playback: zero,
            }),
        )
    }

    #[test]
    fn a_microphone_of_another_rate_and_two_channels_arrives_at_ours() {
        let (producer, consumer) = ring(44_100);
        let mut callback = listen::<u16>(2, producer);
        let mut capture = CardCapture::new(consumer, 44_100);
        let mut sine = Sine::new(1_000.0 * 48_000.0 / 44_100.0, 0.5);
        let mut heard = Vec::new();
        for _ in 0..250 {
            let mut mono = [0.0f32; 441];
            for _ in 0..2 {
                sine.fill(&mut mono);
                let data: Vec<u16> =
                    mono.iter().flat_map(|s| [((s + 1.0) * 32_767.0) as u16; 2]).collect();
                callback(&data, &stamps().0);
            }
            let mut frame = [0.0; 960];
            capture.pull(&mut frame);
            heard.extend_from_slice(&frame);
        }
        let tail = &heard[heard.len() - 4_800..];
        let level = amplitude(tail, 1_000.0, RATE);
        assert!((0.45..0.55).contains(&level), "{level}");
    }

    #[test]
    fn a_loudspeaker_plays_what_was_pushed_and_counts_gaps() {
        let (producer, consumer) = ring(48_000);
        let gaps = Arc::new(AtomicU32::new(0));
        let mut callback = speak::<i16>(2, consumer, gaps.clone());
        let mut playout = CardPlayout::new(Store::Ring(producer, gaps.clone()), 48_000);
        let mut sine = Sine::new(1_000.0, 0.5);
        let mut heard = Vec::new();
        for _ in 0..250 {
            let mut frame = [0.0; 960];
            sine.fill(&mut frame);
            playout.push(&frame);
            for _ in 0..2 {
                let mut data = [7i16; 960];
                callback(&mut data, &stamps().1);
                heard.extend(data.chunks(2).map(|pair| f32::from(pair[0]) / 32_768.0));
            }
        }
        assert_eq!(gaps.load(Ordering::Relaxed), 0);
        let level = amplitude(&heard[heard.len() - 48_000..], 1_000.0, RATE);
        assert!((0.45..0.55).contains(&level), "{level}");
        let mut data = [7i16; 48_000];
        callback(&mut data, &stamps().1);
        assert_eq!((gaps.load(Ordering::Relaxed), data.last()), (1, Some(&0)));
    }

    #[test]
    fn a_device_that_another_program_has_is_told_in_words() {
        for (kind, expected) in [
            (cpal::ErrorKind::DeviceBusy, "exclusive mode"),
            (cpal::ErrorKind::PermissionDenied, "privacy settings"),
            (cpal::ErrorKind::DeviceNotAvailable, "not connected"),
            (cpal::ErrorKind::HostUnavailable, "does not run"),
            (cpal::ErrorKind::BackendError, "0x88890004"),
        ] {
            let said = words(&cpal::Error::with_message(kind, "0x88890004"));
            assert!(said.contains(expected), "{kind:?}: {said}");
        }
    }
}
