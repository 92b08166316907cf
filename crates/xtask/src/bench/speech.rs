//! Something like speech: codecs that adapt to what they hear do less work for a tone.

/// Lowest formants of a, e, i, o, u, in hertz.
const VOWELS: [[f32; 3]; 5] = [
    [730.0, 1_090.0, 2_440.0],
    [530.0, 1_840.0, 2_480.0],
    [270.0, 2_290.0, 3_010.0],
    [570.0, 840.0, 2_410.0],
    [300.0, 870.0, 2_240.0],
];

/// Syllables a second.
const PACE: f32 = 4.0;

/// A WAV file of 16 bits and one channel: vowels of a voice whose pitch moves, a hiss before each,
/// a pause after every sixth.
pub fn wav(rate: u32, seconds: u32) -> Vec<u8> {
    let count = rate * seconds;
    let mut data = Vec::with_capacity(count as usize * 2);
    let (mut phase, mut chance) = (0.0f32, 0x2545_f491u32);
    let mut mouth = [Resonator::default(); 3];
    for n in 0..count {
        let syllable = n as f32 / rate as f32 * PACE;
        let (index, inside) = (syllable as usize, syllable.fract());
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let hiss = (chance >> 8) as f32 / (1 << 23) as f32 - 1.0;
        let pitch = 110.0 + 30.0 * (syllable * 0.9).sin();
        phase += pitch / rate as f32;
        let mut source = 0.02 * hiss;
        if phase >= 1.0 {
            phase -= 1.0;
            source += 1.0;
        }
        let mut sound = 0.0;
        for (resonator, hertz) in mouth.iter_mut().zip(VOWELS[index % VOWELS.len()]) {
            sound += resonator.next(source, hertz, rate as f32);
        }
        let envelope = match (index % 7, inside) {
            (6, _) => 0.0,
            (_, inside) if inside < 0.15 => 0.0,
            (_, inside) => (std::f32::consts::PI * (inside - 0.15) / 0.85).sin(),
        };
        let consonant = if index % 7 != 6 && inside < 0.15 { 0.1 * hiss } else { 0.0 };
        let value = (sound * envelope * 0.35 + consonant).clamp(-0.9, 0.9);
        data.extend(((value * 32_767.0) as i16).to_le_bytes());
    }
    let mut wav = Vec::with_capacity(44 + data.len());
    wav.extend(b"RIFF");
    wav.extend((36 + data.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend([1u16, 1].map(u16::to_le_bytes).concat());
    wav.extend([rate, rate * 2].map(u32::to_le_bytes).concat());
    wav.extend([2u16, 16].map(u16::to_le_bytes).concat());
    wav.extend(b"data");
    wav.extend((data.len() as u32).to_le_bytes());
    wav.extend(data);
    wav
}

/// Two poles, 80 Hz wide.
#[derive(Clone, Copy, Default)]
struct Resonator {
    last: [f32; 2],
}

impl Resonator {
    fn next(&mut self, input: f32, hertz: f32, rate: f32) -> f32 {
        let radius = (-std::f32::consts::PI * 80.0 / rate).exp();
        let (sine, cosine) = (std::f32::consts::TAU * hertz / rate).sin_cos();
        // A pulse of 1 rings with an amplitude of 1, whatever the rate.
        let before = 2.0 * radius * cosine * self.last[0] - radius * radius * self.last[1];
        let out = sine * input + before;
        self.last = [out, self.last[0]];
        out
    }
}

#[cfg(test)]
mod tests {
    use super::wav;

    #[test]
    fn it_is_loud_enough_and_has_pauses() {
        let samples: Vec<i16> = wav(8_000, 4)[44..]
            .chunks_exact(2)
            .map(|two| i16::from_le_bytes([two[0], two[1]]))
            .collect();
        assert_eq!(samples.len(), 32_000);
        assert!(samples.iter().any(|sample| sample.abs() > 6_000));
        let power: f64 = samples.iter().map(|it| f64::from(*it).powi(2)).sum();
        let level = 10.0 * (power / samples.len() as f64 / 32_768.0f64.powi(2)).log10();
        assert!((-32.0..-12.0).contains(&level), "{level}");
        assert!(samples[12_100..13_900].iter().all(|sample| *sample == 0));
    }
}
