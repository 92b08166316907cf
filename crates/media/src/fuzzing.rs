//! Entry points for fuzzers.

use std::io::Cursor;

/// What a sound server says on a stream.
pub use crate::device::pulse::feed::any_bytes as pulse;
use crate::wav::WavReader;

/// Reads any bytes as a WAV file, twice; what is read is finite, in range and bounded by the size.
///
/// # Panics
/// When one of these does not hold.
pub fn wav(data: &[u8]) {
    let Ok(mut reader) = WavReader::open(Cursor::new(data)) else { return };
    assert!((1..=768_000).contains(&reader.rate()));
    // GSM 6.10 holds the most in a byte: 320 samples in 65.
    let most = data.len() * 5;
    assert!(reader.frames() as usize <= most);
    let mut totals = [0, 0];
    for total in &mut totals {
        let mut out = Vec::new();
        while reader.read(1_000, &mut out).is_ok_and(|count| count > 0) {}
        assert!(out.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        assert!(out.len() <= most);
        *total = out.len();
        if reader.rewind().is_err() {
            return;
        }
    }
    assert_eq!(totals[0], totals[1]);
}
