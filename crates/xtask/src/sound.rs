//! Proof of sound: is this tone in this recording, and how loud?
//!
//! Shares nothing with the client: the WAV reader and the measurement are here.

use std::path::Path;

/// Mono samples between −1 and 1.
pub struct Recording {
    /// Samples a second.
    pub rate: u32,
    /// Samples; further channels are dropped.
    pub samples: Vec<f32>,
}

/// Reads PCM of 16 bits.
///
/// # Errors
/// No such file, or not that.
pub fn read(path: &Path) -> Result<Recording, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&bytes).ok_or_else(|| format!("{} is no 16-bit PCM WAV file", path.display()))
}

fn parse(bytes: &[u8]) -> Option<Recording> {
    let u16_at = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let u32_at = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.get(..4)? != b"RIFF" || bytes.get(8..12)? != b"WAVE" {
        return None;
    }
    let (mut at, mut format) = (12, None);
    loop {
        let (name, size) = (bytes.get(at..at + 4)?, u32_at(at + 4)? as usize);
        at += 8;
        if name == b"fmt " {
            format = Some((u16_at(at + 2)? as usize, u32_at(at + 4)?, u16_at(at + 14)?));
        } else if name == b"data" {
            let (channels, rate, bits) = format?;
            let data = bytes.get(at..(at + size).min(bytes.len()))?;
            if bits != 16 || channels == 0 {
                return None;
            }
            let frames = data.chunks_exact(2 * channels);
            let samples = frames
                .map(|frame| f32::from(i16::from_le_bytes([frame[0], frame[1]])) / 32_768.0)
                .collect();
            return Some(Recording { rate, samples });
        }
        at += size + size % 2;
    }
}

/// Level of a frequency in dB below full scale (a full-scale sine is 0), over a stretch.
pub fn level(recording: &Recording, hertz: f32, from: usize, len: usize) -> f32 {
    let end = (from + len).min(recording.samples.len());
    let stretch = &recording.samples[from.min(end)..end];
    if stretch.is_empty() {
        return f32::NEG_INFINITY;
    }
    let step = std::f32::consts::TAU * hertz / recording.rate as f32;
    let (mut re, mut im) = (0.0f64, 0.0f64);
    for (n, sample) in stretch.iter().enumerate() {
        let phase = f64::from(step) * n as f64;
        re += f64::from(*sample) * phase.cos();
        im += f64::from(*sample) * phase.sin();
    }
    let amplitude = 2.0 * (re * re + im * im).sqrt() / stretch.len() as f64;
    20.0 * (amplitude.max(1e-9) as f32).log10()
}

/// What a search for a tone found.
pub struct Tone {
    /// The loudest 500 ms at this frequency, in dB below full scale.
    pub level: f32,
    /// How much louder it is there than the half and the double frequency, in dB.
    pub clear: f32,
    /// Seconds of the recording in which the tone is within 10 dB of its loudest.
    pub seconds: f32,
}

/// Looks for a tone.
pub fn find(recording: &Recording, hertz: f32) -> Tone {
    let window = (recording.rate / 20) as usize;
    let levels: Vec<f32> = (0..recording.samples.len() / window)
        .map(|n| level(recording, hertz, n * window, window))
        .collect();
    let best = levels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let heard = levels.iter().filter(|level| **level > best - 10.0 && **level > -50.0).count();
    let at = levels.iter().position(|level| *level == best).unwrap_or(0) * window;
    let other = [hertz / 2.0, hertz * 2.0, hertz * 1.35]
        .map(|other| level(recording, other, at, window))
        .into_iter()
        .fold(f32::NEG_INFINITY, f32::max);
    Tone { level: best, clear: best - other, seconds: heard as f32 / 20.0 }
}

/// The sample at which a tone first rises above `threshold` dB, to a millisecond, from `from` on.
pub fn onset(recording: &Recording, hertz: f32, from: usize, threshold: f32) -> Option<usize> {
    // One period of the lowest tone used here (440 Hz) fits 5 ms twice.
    let (window, step) = (recording.rate as usize / 200, recording.rate as usize / 1_000);
    (from..recording.samples.len().saturating_sub(window))
        .step_by(step.max(1))
        .find(|&at| level(recording, hertz, at, window) > threshold)
}

/// A WAV file of `seconds`: silence with bursts of a tone, each `(from, to)` in seconds.
pub fn bursts(rate: u32, hertz: f32, seconds: f32, on: &[(f32, f32)]) -> Vec<u8> {
    let count = (seconds * rate as f32) as u32;
    let mut data = Vec::with_capacity(count as usize * 2);
    for n in 0..count {
        let time = n as f32 / rate as f32;
        let loud = on.iter().any(|(from, to)| (*from..*to).contains(&time));
        let value = if loud { (std::f32::consts::TAU * hertz * time).sin() * 0.5 } else { 0.0 };
        data.extend(((value * 32_767.0) as i16).to_le_bytes());
    }
    let mut wav = Vec::with_capacity(44 + data.len());
    wav.extend(b"RIFF");
    wav.extend((36 + data.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend(1u16.to_le_bytes());
    wav.extend(1u16.to_le_bytes());
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * 2).to_le_bytes());
    wav.extend(2u16.to_le_bytes());
    wav.extend(16u16.to_le_bytes());
    wav.extend(b"data");
    wav.extend((data.len() as u32).to_le_bytes());
    wav.extend(data);
    wav
}

#[cfg(test)]
mod tests {
    use super::{bursts, find, onset, parse};

    #[test]
    fn a_tone_is_found_where_it_is_and_nowhere_else() {
        let wav = bursts(8_000, 440.0, 3.0, &[(1.0, 2.0)]);
        let recording = parse(&wav).expect("a recording");
        let tone = find(&recording, 440.0);
        assert!((tone.level + 6.0).abs() < 0.5, "{}", tone.level);
        assert!((tone.seconds - 1.0).abs() < 0.11, "{}", tone.seconds);
        assert!(tone.clear > 20.0, "{}", tone.clear);
        assert!(find(&recording, 1_000.0).level < -30.0);
        let at = onset(&recording, 440.0, 0, -20.0).expect("an onset");
        assert!((7_950..=8_050).contains(&at), "{at}");
    }
}
