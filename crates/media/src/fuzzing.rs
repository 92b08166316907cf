//! Entry points for fuzzers.

use std::io::Cursor;

use crate::wav::WavReader;

/// Takes any bytes as what a sound server says on a stream, in pieces; what is given on is no more than what
/// came, and nothing that was read is said again.
///
/// # Panics
/// When one of these does not hold.
#[cfg(target_os = "linux")]
pub fn pulse(data: &[u8]) {
    use crate::device::pulse::feed::{Inbox, Message, Pace, SAMPLE, listen};
    let origin = crate::device::pulse::clock();
    let pace = Pace::new(origin, 240, 19_200);
    let (mut ring, mut heard) = rtrb::RingBuffer::<f32>::new(960);
    let mut inbox = Inbox::new(pulseaudio::protocol::MAX_VERSION);
    let (mut told, mut samples) = (0, 0);
    let step = usize::from(data.first().copied().unwrap_or_default()) + 1;
    for mut piece in data.chunks(step) {
        let read = inbox.read(&mut piece, |message| match message {
            Message::Sound(sound) => {
                told += sound.len();
                listen(sound, &mut ring, &pace, origin);
            }
            Message::Command(_) => told += 1,
        });
        if read.is_err() {
            break;
        }
        while heard.pop().is_ok() {
            samples += 1;
        }
    }
    assert!(told <= data.len() && samples * SAMPLE <= told);
}

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
