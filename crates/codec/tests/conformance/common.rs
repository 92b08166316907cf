//! Fixtures, measures, and the page that the tables stand in.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use offhook_codec::{Decoder, MAX_PAYLOAD, MAX_SAMPLES, decoder, encoder};
use offhook_model::AudioCodec;

pub fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read(path).expect("a fixture")
}

pub fn samples(name: &str) -> Vec<i16> {
    fixture(name).chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

pub fn fresh(codec: AudioCodec) -> Box<dyn Decoder> {
    decoder(codec).expect("a decoder")
}

/// Packets of 20 ms.
pub fn encode(codec: AudioCodec, sound: &[i16]) -> Vec<Vec<u8>> {
    let mut encoder = encoder(codec, Duration::from_millis(20)).expect("an encoder");
    let mut out = [0; MAX_PAYLOAD];
    let frames = sound.chunks_exact(encoder.samples_per_frame());
    let packets = frames.map(|frame| {
        let bytes = encoder.encode(frame, &mut out).expect("a frame");
        out[..bytes].to_vec()
    });
    packets.collect()
}

pub fn decode<'a>(
    decoder: &mut dyn Decoder,
    packets: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<i16> {
    let mut sound = Vec::new();
    let mut out = [0; MAX_SAMPLES];
    for packet in packets {
        let count = decoder.decode(packet, &mut out).expect("sound");
        sound.extend_from_slice(&out[..count]);
    }
    sound
}

/// Signal to noise in decibels of what lags by `lag` samples.
pub fn ratio(sound: &[i16], heard: &[i16], lag: usize) -> f64 {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (a, b) in sound.iter().zip(&heard[lag..]) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        signal += a * a;
        noise += (a - b) * (a - b);
    }
    10.0 * (signal / f64::max(noise, 1e-9)).log10()
}

/// The greatest difference, and the root of the mean square.
pub fn difference(a: &[i16], b: &[i16]) -> (i32, f64) {
    assert_eq!(a.len(), b.len());
    let differences = || a.iter().zip(b).map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs());
    let square: f64 = differences().map(|d| f64::from(d) * f64::from(d)).sum();
    (differences().max().unwrap_or(0), (square / a.len() as f64).sqrt())
}

/// Compares a table of the page with what was seen, or writes it.
pub fn write(name: &str, table: &str) {
    // One at a time: they share a file.
    static PAGE: Mutex<()> = Mutex::new(());
    let _page = PAGE.lock();
    let page: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let old = std::fs::read_to_string(&page).expect("docs/conformance.md");
    let begin = format!("<!-- {name}: written by crates/codec/tests/conformance -->\n");
    let end = format!("<!-- end of {name} -->");
    let (before, rest) = old.split_once(&begin).expect("the page has a place for the table");
    let (_, after) = rest.split_once(&end).expect("and an end of it");
    let text = format!("{before}{begin}{table}{end}{after}");
    if std::env::var_os("OFFHOOK_WRITE_DOCS").is_some() {
        std::fs::write(&page, text).expect("written");
        return;
    }
    assert!(
        old == text,
        "the tables in docs/conformance.md are not what was seen; write them with \
         OFFHOOK_WRITE_DOCS=1 cargo test -p offhook-codec --test conformance"
    );
}
