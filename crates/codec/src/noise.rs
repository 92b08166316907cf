//! Comfort noise: how a silence sounds, as RFC 3389 carries it, and sound made from that.
//!
//! The level is in decibels below a square wave of full scale (RFC 3389 section 3), the colour in
//! reflection coefficients of an all-pole filter; white noise through it is the sound.

/// Coefficients kept: more are not needed for noise (RFC 3389 section 4 leaves their number free).
const ORDER: usize = 12;
/// Coefficients that we send.
const SENT: usize = 10;
/// What one step of a coefficient is worth (RFC 3389 section 3.2).
const STEP: f32 = 258.0 / 32_768.0;
/// The square wave of 0 dBov: µ-law's largest value, 8,031 of 14 bits.
const OVERLOAD: f32 = 32_124.0;

/// Bytes of the longest payload written.
pub const NOISE_PAYLOAD: usize = 1 + SENT;

/// A noise: what it is like, and where its making stands.
#[derive(Clone, Debug)]
pub struct Noise {
    /// Root mean square of the samples.
    level: f32,
    reflections: [f32; ORDER],
    /// State of the lattice filter.
    state: [f32; ORDER + 1],
    seed: u32,
}

impl Default for Noise {
    fn default() -> Self {
        Self { level: 0.0, reflections: [0.0; ORDER], state: [0.0; ORDER + 1], seed: 0x2545_f491 }
    }
}

impl Noise {
    /// Takes what a payload says (RFC 3389 section 3); false when it says nothing, because it is
    /// empty. A first byte above 127 is read without its highest bit, which is reserved.
    pub fn hear(&mut self, payload: &[u8]) -> bool {
        let Some((level, colour)) = payload.split_first() else { return false };
        self.level = OVERLOAD * 10f32.powf(-f32::from(level & 0x7f) / 20.0);
        self.reflections = [0.0; ORDER];
        for (reflection, byte) in self.reflections.iter_mut().zip(colour) {
            // Held below 1: at 1 the filter would not forget.
            *reflection = (STEP * (f32::from(*byte) - 127.0)).clamp(-0.98, 0.98);
        }
        true
    }

    /// Takes the level and the colour of a piece of sound, 10 ms or longer.
    pub fn learn(&mut self, sound: &[i16]) {
        let mut correlation = [0f32; ORDER + 1];
        for (lag, sum) in correlation.iter_mut().enumerate() {
            let later = sound.get(lag..).unwrap_or(&[]);
            *sum = later.iter().zip(sound).map(|(a, b)| f32::from(*a) * f32::from(*b)).sum();
        }
        self.level = (correlation[0] / sound.len().max(1) as f32).sqrt();
        self.reflections = levinson(&correlation);
    }

    /// Root mean square of its samples.
    pub fn level(&self) -> f32 {
        self.level
    }

    /// Writes the payload that says so; gives its length, or 0 when there is no room.
    pub fn write(&self, out: &mut [u8]) -> usize {
        let Some(out) = out.get_mut(..NOISE_PAYLOAD) else { return 0 };
        let below = 20.0 * (OVERLOAD / self.level.max(1e-3)).log10();
        out[0] = below.round().clamp(0.0, 127.0) as u8;
        for (byte, reflection) in out[1..].iter_mut().zip(&self.reflections) {
            *byte = (reflection / STEP + 127.0).round().clamp(0.0, 254.0) as u8;
        }
        NOISE_PAYLOAD
    }

    /// Goes on with the noise.
    pub fn fill(&mut self, out: &mut [i16]) {
        // What the filter takes away from the excitation's power is put into it before.
        let gain: f32 = self.reflections.iter().map(|k| 1.0 - k * k).product::<f32>().sqrt();
        // Evenly spread noise between -1 and 1 has a power of a third.
        let scale = self.level * gain * 3f32.sqrt();
        for sample in out {
            let white = self.chance() * scale;
            *sample = self.filter(white) as i16;
        }
    }

    /// Between -1 and 1.
    fn chance(&mut self) -> f32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.seed >> 8) as f32 / 8_388_608.0 - 1.0
    }

    /// The all-pole lattice.
    fn filter(&mut self, input: f32) -> f32 {
        let mut forward = input;
        for order in (0..ORDER).rev() {
            let k = self.reflections[order];
            forward -= k * self.state[order];
            self.state[order + 1] = k * forward + self.state[order];
        }
        self.state[0] = forward;
        forward
    }
}

/// Reflection coefficients by the recursion of Levinson and Durbin; the first is minus the
/// correlation of neighbours.
fn levinson(correlation: &[f32; ORDER + 1]) -> [f32; ORDER] {
    let mut reflections = [0f32; ORDER];
    let mut predictor = [0f32; ORDER + 1];
    predictor[0] = 1.0;
    // A thousandth of white noise keeps the filter away from the edge of stability.
    let mut error = correlation[0] * 1.001;
    for order in 1..=ORDER {
        if error <= 1.0 {
            break;
        }
        let sum: f32 = (0..order).map(|i| predictor[i] * correlation[order - i]).sum();
        let k = (-sum / error).clamp(-0.98, 0.98);
        reflections[order - 1] = k;
        let before = predictor;
        for i in 1..=order {
            predictor[i] = before[i] + k * before[order - i];
        }
        error *= 1.0 - k * k;
    }
    reflections
}

#[cfg(test)]
mod tests {
    use super::{NOISE_PAYLOAD, Noise};

    fn power(sound: &[i16]) -> f32 {
        (sound.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / sound.len() as f32).sqrt()
    }

    /// Correlation of neighbours: the colour, in one figure.
    fn colour(sound: &[i16]) -> f32 {
        let product: f32 = sound.windows(2).map(|p| f32::from(p[0]) * f32::from(p[1])).sum();
        product / sound.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>()
    }

    #[test]
    fn level_and_colour_come_through_the_payload() {
        // Neighbours alike at 0.8, then unlike, then a level alone: minus 40 dB of full scale.
        for (payload, alike) in
            [(&[40, 127 - 102][..], 0.8), (&[40, 127 + 102][..], -0.8), (&[40][..], 0.0)]
        {
            let mut noise = Noise::default();
            assert!(noise.hear(payload));
            let mut sound = vec![0; 16_000];
            noise.fill(&mut sound);
            assert!((power(&sound) / 321.2 - 1.0).abs() < 0.1, "{}", power(&sound));
            assert!((colour(&sound) - alike).abs() < 0.05, "{}", colour(&sound));
            // What is learnt from it and written says the same.
            let mut again = Noise::default();
            again.learn(&sound);
            let mut out = [0; NOISE_PAYLOAD];
            assert_eq!(again.write(&mut out), NOISE_PAYLOAD);
            assert!(out[0].abs_diff(40) <= 1, "{out:?}");
            let first = payload.get(1).copied().unwrap_or(127);
            assert!(out[1].abs_diff(first) <= 6, "{out:?}");
        }
    }

    #[test]
    fn any_payload_makes_bounded_noise() {
        let mut noise = Noise::default();
        assert!(!noise.hear(&[]));
        let mut sound = [1; 800];
        noise.fill(&mut sound);
        assert_eq!(sound, [0; 800]);
        for payload in [&[0; 40][..], &[255; 40], &[0, 255, 0, 255, 0, 255, 0, 255]] {
            assert!(noise.hear(payload));
            noise.fill(&mut sound);
        }
        // Silence again after the loudest: nothing rings on.
        assert!(noise.hear(&[127]));
        noise.fill(&mut sound);
        noise.fill(&mut sound);
        assert!(power(&sound) < 2.0, "{}", power(&sound));
        assert_eq!(noise.write(&mut [0; 3]), 0);
    }
}
