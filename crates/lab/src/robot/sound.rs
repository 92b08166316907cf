//! Sound outside the network: WAV files, a tone, and what a recording sounds like.

use std::f64::consts::TAU;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Samples a second of everything here.
pub(crate) const RATE: usize = 8000;
/// Samples of one packet of 20 ms.
pub(crate) const FRAME: usize = 160;

/// A sine tone that goes on without a step from frame to frame.
#[derive(Debug)]
pub(crate) struct Tone {
    step: f64,
    phase: f64,
}

impl Tone {
    pub(crate) fn new(hertz: f64) -> Self {
        Self { step: TAU * hertz / RATE as f64, phase: 0.0 }
    }

    /// The next 20 ms, 10 dB below full scale.
    pub(crate) fn frame(&mut self) -> [i16; FRAME] {
        const PEAK: f64 = 0.316 * 32_767.0;
        let mut out = [0; FRAME];
        for sample in &mut out {
            *sample = (PEAK * self.phase.sin()) as i16;
            self.phase = (self.phase + self.step) % TAU;
        }
        out
    }
}

/// A growing WAV file (8 kHz, 16 bit, one channel) whose header is right after every second and
/// at the end.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: File,
    samples: usize,
    in_header: usize,
}

impl Recorder {
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        let mut recorder = Self { file: File::create(path)?, samples: 0, in_header: 0 };
        recorder.header()?;
        Ok(recorder)
    }

    pub(crate) fn write(&mut self, samples: &[i16]) -> std::io::Result<()> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.file.write_all(&bytes)?;
        self.samples += samples.len();
        if self.samples >= self.in_header + RATE {
            self.header()?;
        }
        Ok(())
    }

    fn header(&mut self) -> std::io::Result<()> {
        let length = u32::try_from(self.samples * 2).unwrap_or(u32::MAX - 36);
        let mut head = Vec::with_capacity(44);
        head.extend(b"RIFF");
        head.extend((length + 36).to_le_bytes());
        head.extend(b"WAVEfmt ");
        head.extend(16u32.to_le_bytes());
        for value in [1u16, 1] {
            head.extend(value.to_le_bytes());
        }
        for value in [8000u32, 16_000] {
            head.extend(value.to_le_bytes());
        }
        for value in [2u16, 16] {
            head.extend(value.to_le_bytes());
        }
        head.extend(b"data");
        head.extend(length.to_le_bytes());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&head)?;
        self.file.seek(SeekFrom::End(0))?;
        self.in_header = self.samples;
        Ok(())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.header() {
            tracing::warn!(%error, "a recording could not be finished");
        }
    }
}

/// Reads a WAV file of the same format.
pub(crate) fn read_wav(path: &Path) -> Result<Vec<i16>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err("no WAV file".into());
    }
    let mut at = 12;
    let mut right_format = false;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let end = (at + 8).saturating_add(length).min(bytes.len());
        let content = bytes.get(at + 8..end).unwrap_or_default();
        if &head[..4] == b"fmt " {
            let word =
                |at: usize| content.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
            let rate = content.get(4..8).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            right_format = word(0) == Some(1)
                && word(2) == Some(1)
                && rate == Some(8000)
                && word(14) == Some(16);
        }
        if &head[..4] == b"data" && right_format {
            return Ok(content.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect());
        }
        at = end + (length & 1);
    }
    Err("not 8 kHz, 16 bit, one channel".into())
}

/// Strongest tone in hertz and level in dB below full scale of the loudest second; `None` for
/// silence or less than a tenth of a second.
pub(crate) fn measure(samples: &[i16]) -> Option<(f64, f64)> {
    let window = RATE.min(samples.len());
    if window < RATE / 10 {
        return None;
    }
    let energy = |part: &[i16]| part.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    let starts = (0..=samples.len() - window).step_by(RATE / 4);
    let loudest = starts
        .map(|at| &samples[at..at + window])
        .max_by(|one, two| energy(one).total_cmp(&energy(two)))?;
    let rms = (energy(loudest) / window as f64).sqrt();
    if rms < 1.0 {
        return None;
    }
    let best = |candidates: &mut dyn Iterator<Item = f64>| {
        candidates
            .map(|hertz| (hertz, power(loudest, hertz)))
            .max_by(|one, two| one.1.total_cmp(&two.1))
            .map_or(0.0, |(hertz, _)| hertz)
    };
    let coarse = best(&mut (5..390).map(|step| f64::from(step) * 10.0));
    let near = best(&mut (-10..=10).map(|step| coarse + f64::from(step)));
    let exact = best(&mut (-10..=10).map(|step| near + f64::from(step) / 10.0));
    Some((exact, 20.0 * (rms / 32_768.0).log10()))
}

/// Power at one frequency, with a Hann window so that neighbours do not leak in.
fn power(samples: &[i16], hertz: f64) -> f64 {
    let step = TAU * hertz / RATE as f64;
    let count = samples.len() as f64;
    let (mut real, mut imaginary) = (0.0, 0.0);
    // A rotating pointer saves a sine and a cosine per sample and frequency.
    let (turn_sin, turn_cos) = step.sin_cos();
    let (hann_sin, hann_cos) = (TAU / count).sin_cos();
    let (mut x, mut y) = (1.0, 0.0);
    let (mut hx, mut hy) = (1.0, 0.0);
    for sample in samples {
        let value = f64::from(*sample) * (0.5 - 0.5 * hx);
        real += value * x;
        imaginary += value * y;
        (x, y) = (x * turn_cos - y * turn_sin, x * turn_sin + y * turn_cos);
        (hx, hy) = (hx * hann_cos - hy * hann_sin, hx * hann_sin + hy * hann_cos);
    }
    real * real + imaginary * imaginary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_measured_to_a_tenth_of_a_hertz() {
        for hertz in [350.0, 440.3, 1000.0, 2500.0] {
            let mut tone = Tone::new(hertz);
            let mut samples = vec![0; 4000];
            for _ in 0..100 {
                samples.extend(tone.frame());
            }
            let (found, level) = measure(&samples).unwrap();
            assert!((found - hertz).abs() <= 0.15, "{hertz} measured as {found}");
            assert!((level + 13.0).abs() < 0.2, "{level}");
        }
        assert!(measure(&[0; 16_000]).is_none());
        assert!(measure(&[1000; 10]).is_none());
    }

    #[test]
    fn a_recording_is_a_valid_file_at_any_second_and_at_the_end() {
        let folder = std::env::temp_dir();
        let path = folder.join(format!("lab-recorder-{}.wav", crate::random::hex::<6>()));
        let mut recorder = Recorder::create(&path).unwrap();
        recorder.write(&[7; RATE + 5]).unwrap();
        assert_eq!(read_wav(&path).unwrap().len(), RATE + 5);
        recorder.write(&[7; 11]).unwrap();
        drop(recorder);
        assert_eq!(read_wav(&path).unwrap(), vec![7; RATE + 16]);
        std::fs::write(&path, b"RIFFxxxxWAVEfmt \xff\xff\xff\xff").unwrap();
        assert!(read_wav(&path).is_err());
        std::fs::remove_file(&path).unwrap();
    }
}
