//! Two engines that call each other over loopback, and ears for what they play.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use offhook_media::{MediaEngine, MediaOptions};
use offhook_model::{AudioCodec, AudioSpec, CallId, OpusWish, SoundSettings, StreamStats};
use offhook_ports::{CodecPlan, MediaFact, MediaPlan, PortRange};

pub const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub const CALL: CallId = CallId(7);
pub const EVENTS: u8 = 101;

/// A folder that goes away with the test.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "offhook-media-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn output(&self, name: &str) -> AudioSpec {
        AudioSpec::File { path: self.path(name), repeat: false }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An engine and what it told.
pub struct Phone {
    pub engine: MediaEngine,
    pub facts: Arc<Mutex<Vec<MediaFact>>>,
    pub rtp: SocketAddr,
    pub rtcp: SocketAddr,
}

pub fn engine(input: AudioSpec, output: AudioSpec) -> (MediaEngine, Arc<Mutex<Vec<MediaFact>>>) {
    static SEED: AtomicU32 = AtomicU32::new(1);
    let facts = Arc::new(Mutex::new(Vec::new()));
    let told = facts.clone();
    let seed = u64::from(SEED.fetch_add(1, Ordering::Relaxed)) * 7_919;
    let ringer = output.clone();
    // Tones are noise to those who look for speech.
    let sound = SoundSettings::OFF;
    let options = MediaOptions { input, output, ringer, sound, seed };
    let engine = MediaEngine::start(options, move |fact| told.lock().expect("no panic").push(fact));
    (engine, facts)
}

impl Phone {
    pub fn new(input: AudioSpec, output: AudioSpec) -> Self {
        static PORT: AtomicU16 = AtomicU16::new(0);
        let (engine, facts) = engine(input, output);
        // Tests of one file run side by side; files run one after the other.
        let start = 44_000 + PORT.fetch_add(80, Ordering::Relaxed);
        let range = PortRange { start, end: start + 79 };
        let (rtp, rtcp) = engine.reserve(CALL, HOME, range).expect("free ports");
        Self { engine, facts, rtp, rtcp }
    }

    pub fn facts(&self) -> Vec<MediaFact> {
        self.facts.lock().expect("no panic").clone()
    }

    /// The figures of the call; asked again when the machine was too busy to answer in time.
    pub fn stats(&self) -> Vec<StreamStats> {
        for _ in 0..50 {
            let stats = self.engine.stats(CALL);
            if !stats.is_empty() {
                return stats;
            }
            sleep(20);
        }
        panic!("no figures")
    }

    pub fn digits(&self) -> String {
        let digit = |fact: &MediaFact| match fact {
            MediaFact::Digit(_, digit) => Some(*digit),
            _ => None,
        };
        self.facts().iter().filter_map(digit).collect()
    }

    /// Waits until the fact was told.
    #[expect(clippy::disallowed_methods, reason = "real sound takes real time")]
    pub fn wait_for(&self, what: impl Fn(&MediaFact) -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if self.facts().iter().any(&what) {
                return true;
            }
            sleep(20);
        }
        false
    }
}

pub fn sleep(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

pub fn payload_type(codec: AudioCodec) -> u8 {
    codec.usual_payload_type()
}

pub fn plan(codec: AudioCodec, rtp: SocketAddr, rtcp: SocketAddr) -> MediaPlan {
    let all = AudioCodec::ALL.map(|codec| CodecPlan { codec, payload_type: payload_type(codec) });
    MediaPlan {
        remote: rtp,
        remote_rtcp: Some(rtcp),
        send: CodecPlan { codec, payload_type: payload_type(codec) },
        receive: all.to_vec(),
        dtmf: Some(EVENTS),
        dtmf_receive: vec![EVENTS],
        noise: None,
        noise_receive: None,
        opus: OpusWish { in_band_fec: true, ..OpusWish::default() },
        packet_time: Duration::from_millis(20),
        sending: true,
        receiving: true,
        mix: false,
        extended: Default::default(),
        redundancy: Default::default(),
        dscp: 46,
        cname: "test@localhost".into(),
        srtp: None,
        ice: None,
    }
}

/// Connects both.
pub fn connect(a: &Phone, b: &Phone, codec: AudioCodec) {
    a.engine.apply(CALL, plan(codec, b.rtp, b.rtcp));
    b.engine.apply(CALL, plan(codec, a.rtp, a.rtcp));
}

/// The sound of a WAV file that the engine wrote, read by nothing of the engine's.
pub fn recording(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).expect("a recording");
    assert_eq!((&bytes[..4], &bytes[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(&bytes[20..24], [1, 0, 1, 0], "mono PCM");
    assert_eq!((number(24), &bytes[34..36]), (48_000, &[16u8, 0][..]));
    assert_eq!(number(4) as usize, bytes.len() - 8, "RIFF length");
    assert_eq!(number(40) as usize, bytes.len() - 44, "data length");
    bytes[44..]
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect()
}

/// Amplitude of `hertz` by Goertzel's algorithm.
pub fn amplitude(samples: &[f32], hertz: f64) -> f64 {
    let step = 2.0 * std::f64::consts::PI * hertz / 48_000.0;
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        let next = f64::from(*sample) + 2.0 * step.cos() * last - before;
        before = last;
        last = next;
    }
    let power = last * last + before * before - 2.0 * step.cos() * last * before;
    2.0 * power.max(0.0).sqrt() / samples.len().max(1) as f64
}

/// The strongest tenth of a second of `hertz`, and the median one: a burst or a gap moves one of
/// them only.
pub fn loudness(samples: &[f32], hertz: f64) -> (f64, f64) {
    let mut levels: Vec<f64> =
        samples.chunks_exact(4_800).map(|part| amplitude(part, hertz)).collect();
    levels.sort_by(f64::total_cmp);
    let median = levels.get(levels.len() / 2).copied().unwrap_or(0.0);
    (levels.last().copied().unwrap_or(0.0), median)
}
