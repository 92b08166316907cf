//! Proof of sound: is this tone in this recording, how loud, and without a gap?
//!
//! Shares nothing with the client: the WAV reader and the measurement are here.

use std::f64::consts::TAU;
use std::path::Path;

/// Mono samples between −1 and 1.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Samples a second.
    pub rate: u32,
    /// Samples; of several channels the first.
    pub samples: Vec<f64>,
}

/// What was found of a tone.
#[derive(Clone, Debug)]
pub struct Tone {
    /// Its frequency as measured, in hertz.
    pub hertz: f64,
    /// Its level in dB below full scale (a full sine is 0), in the second in which it is clearest.
    pub level: f64,
    /// Its share of everything that is heard in that second, 0 to 1.
    pub share: f64,
    /// From its first to its last moment, in seconds.
    pub seconds: f64,
    /// The longest silence in between, in milliseconds.
    pub longest_gap_ms: f64,
}

impl Recording {
    /// Its length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// What comes after `seconds`.
    pub fn after(&self, seconds: f64) -> Self {
        let from = ((seconds * f64::from(self.rate)) as usize).min(self.samples.len());
        Self { rate: self.rate, samples: self.samples[from..].to_vec() }
    }

    /// Amplitude of a frequency over a stretch (Goertzel's sum).
    fn amplitude(&self, hertz: f64, from: usize, length: usize) -> f64 {
        let stretch = &self.samples[from..(from + length).min(self.samples.len())];
        let step = TAU * hertz / f64::from(self.rate);
        let factor = 2.0 * step.cos();
        let (mut last, mut before) = (0.0, 0.0);
        for sample in stretch {
            let next = sample + factor * last - before;
            before = last;
            last = next;
        }
        let power = last * last + before * before - factor * last * before;
        2.0 * power.max(0.0).sqrt() / stretch.len().max(1) as f64
    }

    /// Looks for a tone near `hertz`; nothing when there is no second of it.
    pub fn find(&self, hertz: f64) -> Option<Tone> {
        // Windows of 20 ms every 5 ms.
        let (window, hop) = (self.rate as usize / 50, self.rate as usize / 200);
        let count = self.samples.len().checked_sub(window)? / hop + 1;
        let levels: Vec<f64> = (0..count).map(|n| self.amplitude(hertz, n * hop, window)).collect();
        let mut sorted = levels.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted[count * 9 / 10];
        if usual < 0.003 {
            return None;
        }
        let loud = |level: &f64| *level > usual * 0.316;
        let first = levels.iter().position(loud)?;
        let last = levels.iter().rposition(loud)?;
        let mut quiet = 0;
        let mut longest = 0;
        for level in &levels[first..=last] {
            quiet = if loud(level) { 0 } else { quiet + 1 };
            longest = longest.max(quiet);
        }
        // A window counts as quiet when two thirds of it are, which hides 7 ms of a gap.
        let longest_gap_ms = if longest == 0 { 0.0 } else { longest as f64 * 5.0 + 7.0 };
        let second = self.rate as usize;
        let starts = (first * hop..=last * hop).step_by(hop * 10);
        let whole = starts.filter(|at| at + second <= self.samples.len());
        // A machine that stutters spoils a second here and there: the clearest counts, of those
        // in which the tone is not much weaker than it ever is.
        let power = |at: usize| self.samples[at..at + second].iter().map(|it| it * it).sum::<f64>();
        let seconds: Vec<(usize, f64)> =
            whole.map(|at| (at, self.amplitude(hertz, at, second))).collect();
        let strongest = seconds.iter().map(|it| it.1).fold(0.0, f64::max);
        let strong = seconds.iter().filter(|it| it.1 >= strongest / 2.0);
        let shares = strong.map(|(at, amplitude)| (*at, amplitude * amplitude / power(*at)));
        let (best, _) = shares.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let around = (-60..=60).map(|step| hertz * (1.0 + f64::from(step) * 0.001));
        let found = around.max_by(|a, b| {
            self.amplitude(*a, best, second).total_cmp(&self.amplitude(*b, best, second))
        })?;
        let amplitude = self.amplitude(found, best, second);
        Some(Tone {
            hertz: found,
            level: 20.0 * amplitude.log10(),
            share: amplitude * amplitude / 2.0 / (power(best) / second as f64),
            seconds: (last - first) as f64 * 0.005 + 0.02,
            longest_gap_ms,
        })
    }

    /// The tone of a call: near `hertz`, within 4 dB of `level`, clear, and for `seconds` at least.
    ///
    /// # Errors
    /// It is not there; what is, in words.
    pub fn tone(&self, hertz: f64, level: f64, seconds: f64) -> Result<Tone, String> {
        let length = self.seconds();
        let Some(tone) = self.find(hertz) else {
            return Err(format!("no tone of {hertz} Hz in a recording of {length:.1} s"));
        };
        let wrong = if (tone.hertz / hertz - 1.0).abs() >= 0.01 {
            "the frequency is wrong".to_owned()
        } else if (tone.level - level).abs() >= 4.0 {
            format!("the level is not near {level} dB")
        } else if tone.share <= 0.8 {
            "there is more than the tone".to_owned()
        } else if tone.seconds < seconds {
            format!("the tone is shorter than {seconds} s")
        } else {
            return Ok(tone);
        };
        Err(format!("{wrong}: {tone:?} in a recording of {length:.1} s"))
    }

    /// The tone of a call, as [`Self::tone`] looks for it.
    ///
    /// # Panics
    /// It is not there.
    #[track_caller]
    pub fn expect_tone(&self, who: &str, hertz: f64, level: f64, seconds: f64) -> Tone {
        let found = self.tone(hertz, level, seconds);
        found.unwrap_or_else(|why| panic!("what {who} heard: {why}"))
    }
}

/// Reads PCM of 16 bits. A file that is still being written is read as far as it goes.
///
/// # Panics
/// There is no such file, or it is something else.
#[track_caller]
pub fn read(path: &Path) -> Recording {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(&bytes).unwrap_or_else(|| panic!("{} is no 16-bit PCM WAV file", path.display()))
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
            format = Some((usize::from(u16_at(at + 2)?), u32_at(at + 4)?, u16_at(at + 14)?));
        } else if name == b"data" {
            let (channels, rate, bits) = format?;
            if bits != 16 || channels == 0 {
                return None;
            }
            let data = bytes.get(at..(at.saturating_add(size)).min(bytes.len()))?;
            let frames = data.chunks_exact(2 * channels);
            let samples = frames.map(|it| f64::from(i16::from_le_bytes([it[0], it[1]])) / 32_768.0);
            return Some(Recording { rate, samples: samples.collect() });
        }
        at += size + size % 2;
    }
}

/// A WAV file of one channel with a tone of this amplitude (0 to 1).
pub fn tone(rate: u32, hertz: f64, seconds: f64, amplitude: f64) -> Vec<u8> {
    let count = (seconds * f64::from(rate)) as u32;
    let mut wav = Vec::with_capacity(44 + count as usize * 2);
    wav.extend(b"RIFF");
    wav.extend((36 + count * 2).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend(1u16.to_le_bytes());
    wav.extend(1u16.to_le_bytes());
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * 2).to_le_bytes());
    wav.extend(2u16.to_le_bytes());
    wav.extend(16u16.to_le_bytes());
    wav.extend(b"data");
    wav.extend((count * 2).to_le_bytes());
    for n in 0..count {
        let value = (TAU * hertz * f64::from(n) / f64::from(rate)).sin() * amplitude;
        wav.extend(((value * 32_767.0) as i16).to_le_bytes());
    }
    wav
}

#[cfg(test)]
mod tests {
    use super::{parse, tone};

    #[test]
    fn a_tone_is_measured_as_it_was_made() {
        let recording = parse(&tone(8_000, 440.0, 2.0, 0.25)).expect("a recording");
        let found = recording.expect_tone("the test", 440.0, -12.0, 1.9);
        assert!(found.longest_gap_ms == 0.0 && found.share > 0.98, "{found:?}");
        assert!(recording.find(1_000.0).is_none_or(|other| other.share < 0.1));
    }

    #[test]
    fn a_gap_is_measured_to_a_few_milliseconds() {
        let mut recording = parse(&tone(16_000, 440.0, 3.0, 0.25)).expect("a recording");
        for sample in &mut recording.samples[20_000..20_000 + 16 * 80] {
            *sample = 0.0;
        }
        let gap = recording.find(440.0).expect("a tone").longest_gap_ms;
        assert!((70.0..=90.0).contains(&gap), "{gap}");
    }
}
