//! GSM 6.10 full rate (ETSI EN 300 961): the decoder, for recordings. Frames of 20 ms at 8 kHz, 260
//! bits each; no call uses it.
//!
//! Arithmetic is the standard's in 16 bits, so that every sample is that of any other decoder.

/// Samples of a frame.
const FRAME: usize = 160;
/// Samples of a part of it, and how far back its pulses may repeat.
const PART: usize = 40;
const PAST: usize = 120;

/// Bytes of a block in a WAV file (format 0x31): two frames, low bits first.
pub const GSM_BLOCK: usize = 65;
/// Samples of such a block.
pub const GSM_SAMPLES: usize = 2 * FRAME;

/// Bits of the eight log area ratios; offset, lowest value, and inverse slope (table 4.1 of the
/// standard).
const RATIOS: [(u32, i16, i16, i16); 8] = [
    (6, 0, -32, 13_107),
    (6, 0, -32, 13_107),
    (5, 2_048, -16, 13_107),
    (5, -2_560, -16, 13_107),
    (4, 94, -8, 19_223),
    (4, -1_792, -8, 17_476),
    (3, -341, -4, 31_454),
    (3, -1_144, -4, 29_708),
];
/// Gains of what is repeated (table 4.3b), and mantissas of the pulses' height (table 4.6).
const GAINS: [i16; 4] = [3_277, 11_469, 21_299, 32_767];
const MANTISSAS: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];

/// Bits of a block, low ones first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// At most 7; those beyond the end are 0.
    fn take(&mut self, count: u32) -> i16 {
        let byte = |index: usize| u16::from(self.bytes.get(index).copied().unwrap_or(0));
        let two = byte(self.at / 8) | byte(self.at / 8 + 1) << 8;
        let value = two >> (self.at % 8) & ((1 << count) - 1);
        self.at += count as usize;
        value as i16
    }
}

/// Decodes recordings of GSM 6.10.
#[derive(Clone, Debug)]
pub struct GsmDecoder {
    /// The last excitation; what comes next is appended.
    past: [i16; PAST],
    lag: usize,
    ratios: [i16; 8],
    lattice: [i16; 9],
    emphasis: i16,
}

impl Default for GsmDecoder {
    fn default() -> Self {
        Self { past: [0; PAST], lag: PART, ratios: [0; 8], lattice: [0; 9], emphasis: 0 }
    }
}

impl GsmDecoder {
    /// Decodes one block of a WAV file. Any bits are frames: there is no error.
    pub fn decode(&mut self, block: &[u8; GSM_BLOCK], out: &mut [i16; GSM_SAMPLES]) {
        let mut bits = Bits { bytes: block, at: 0 };
        for frame in out.as_chunks_mut::<FRAME>().0 {
            self.frame(&mut bits, frame);
        }
    }

    fn frame(&mut self, bits: &mut Bits<'_>, out: &mut [i16; FRAME]) {
        let mut ratios = [0; 8];
        for (ratio, (count, offset, lowest, slope)) in ratios.iter_mut().zip(RATIOS) {
            let value = (bits.take(count) + lowest) << 10;
            let value = multiply(slope, value.saturating_sub(offset << 1));
            *ratio = value.saturating_add(value);
        }
        for part in out.as_chunks_mut::<PART>().0 {
            self.excite(bits, part);
        }
        self.shape(ratios, out);
    }

    /// Pulses on a grid, and what the past repeats (clauses 5.3.1 and 5.3.2).
    fn excite(&mut self, bits: &mut Bits<'_>, part: &mut [i16; PART]) {
        let lag = bits.take(7) as usize;
        if (PART..=PAST).contains(&lag) {
            self.lag = lag;
        }
        let gain = GAINS[bits.take(2) as usize];
        let grid = bits.take(2) as usize;
        let (exponent, mantissa) = height(bits.take(6));
        let down = 6 - exponent;
        let half = if down == 0 { 0 } else { 1 << (down - 1) };
        *part = [0; PART];
        for pulse in part.iter_mut().skip(grid).step_by(3).take(13) {
            let value = (2 * bits.take(3) - 7) << 12;
            *pulse = multiply(MANTISSAS[mantissa], value).saturating_add(half) >> down;
        }
        for (at, value) in part.iter_mut().enumerate() {
            // The lag is no less than a part is long: all of it is past.
            let repeated = multiply(gain, self.past[PAST - self.lag + at]);
            *value = value.saturating_add(repeated);
        }
        self.past.copy_within(PART.., 0);
        self.past[PAST - PART..].copy_from_slice(part);
    }

    /// The short-term filter, whose ratios go over from those of the last frame, and the end of the
    /// emphasis (clauses 5.3.3 to 5.3.5).
    fn shape(&mut self, ratios: [i16; 8], out: &mut [i16; FRAME]) {
        let old = std::mem::replace(&mut self.ratios, ratios);
        let blend = |mix: fn(i16, i16) -> i16| -> [i16; 8] {
            std::array::from_fn(|index| reflection(mix(old[index], ratios[index])))
        };
        let spans: [(usize, [i16; 8]); 4] = [
            (13, blend(|old, new| ((old >> 2) + (new >> 2)).saturating_add(old >> 1))),
            (14, blend(|old, new| (old >> 1) + (new >> 1))),
            (13, blend(|old, new| ((old >> 2) + (new >> 2)).saturating_add(new >> 1))),
            (FRAME - PART, blend(|_, new| new)),
        ];
        let mut rest = &mut out[..];
        for (count, reflections) in &spans {
            let (now, later) = rest.split_at_mut(*count);
            for sample in now {
                let value = self.lattice(reflections, *sample);
                self.emphasis = value.saturating_add(multiply(self.emphasis, 28_180));
                *sample = self.emphasis.saturating_add(self.emphasis) & !7;
            }
            rest = later;
        }
    }

    fn lattice(&mut self, reflections: &[i16; 8], mut value: i16) -> i16 {
        for (index, reflection) in reflections.iter().enumerate().rev() {
            let state = self.lattice[index];
            value = value.saturating_sub(multiply(*reflection, state));
            self.lattice[index + 1] = state.saturating_add(multiply(*reflection, value));
        }
        self.lattice[0] = value;
        value
    }
}

/// Exponent and mantissa of the height of the pulses.
fn height(code: i16) -> (i16, usize) {
    let mut exponent = if code > 15 { (code >> 3) - 1 } else { 0 };
    let mut mantissa = code - (exponent << 3);
    if mantissa == 0 {
        return (-4, 7);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent -= 1;
    }
    (exponent, (mantissa - 8) as usize)
}

/// A log area ratio as the factor of the filter.
fn reflection(ratio: i16) -> i16 {
    let size = ratio.saturating_abs();
    let value = match size {
        ..11_059 => size << 1,
        11_059..20_070 => size + 11_059,
        _ => (size >> 2).saturating_add(26_112),
    };
    if ratio < 0 { -value } else { value }
}

/// The product of two fractions, rounded.
fn multiply(a: i16, b: i16) -> i16 {
    let product = (i32::from(a) * i32::from(b) + 16_384) >> 15;
    product.min(i16::MAX.into()) as i16
}
