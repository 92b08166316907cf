//! The adaptive differential coders of the two bands (ITU-T G.722 sections 3.2 to 3.6 and 4.1 to
//! 4.3). Tables are numbered as there.

/// Decision levels of the 60-level quantiser of the low band, positive half (table 14).
const LEVELS: [i32; 30] = [
    0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940,
    1_023, 1_121, 1_219, 1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919,
];
/// Output of the 4-bit inverse quantiser, which also drives the adaptation (table 17).
const OUTPUT_4: [i32; 16] = [
    0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288,
    4_240, 2_584, 1_200, 0,
];
/// Output of the 6-bit inverse quantiser (table 18).
const OUTPUT_6: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192,
    -10_232, -9_360, -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008,
    -3_576, -3_168, -2_776, -2_400, -2_032, -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008,
    16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360, 8_576, 7_856, 7_192, 6_576, 6_000,
    5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360, 1_040, 728, 432,
    136, -432, -136,
];
/// Output of the 2-bit inverse quantiser of the high band (table 19).
const OUTPUT_2: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];
/// Change of the logarithmic scale factor of the low band, by 4-bit code (tables 16 and 20).
const CHANGE_LOW: [i32; 16] =
    [-60, 3_042, 1_198, 538, 334, 172, 58, -30, 3_042, 1_198, 538, 334, 172, 58, -30, -60];
/// The same of the high band, by code.
const CHANGE_HIGH: [i32; 4] = [798, -214, 798, -214];
/// 2,048 times the powers of two in steps of 1/32 (table 21).
const POWERS: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656,
    2_714, 2_774, 2_834, 2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520,
    3_597, 3_676, 3_756, 3_838, 3_922, 4_008,
];

fn saturate(value: i32) -> i32 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

/// The magnitude with which levels are compared: one's complement for negative values.
fn magnitude(value: i32) -> i32 {
    if value < 0 { -(value + 1) } else { value }
}

/// LOGSCL and SCALEL, or LOGSCH and SCALEH: how coarse the quantiser is.
struct Scale {
    /// NBL or NBH.
    logarithm: i32,
    /// DETL or DETH.
    factor: i32,
    greatest: i32,
    /// Exponent at logarithm 0: 8 for the low band, 10 for the high one.
    shift: i32,
}

impl Scale {
    fn adapt(&mut self, change: i32) {
        self.logarithm = (((self.logarithm * 127) >> 7) + change).clamp(0, self.greatest);
        let mantissa = POWERS[(self.logarithm >> 6 & 31) as usize];
        let shift = self.shift - (self.logarithm >> 11);
        let value = if shift < 0 { mantissa << -shift } else { mantissa >> shift };
        self.factor = value << 2;
    }
}

/// Two poles and six zeros that foretell the next value (section 3.6).
#[derive(Default)]
struct Predictor {
    /// S: the value foretold.
    estimate: i32,
    /// SZ: the share of the zeros in it.
    from_zeros: i32,
    /// RLT or RH, the last two reconstructed values.
    reconstructed: [i32; 2],
    /// PLT or PH, the last two partially reconstructed values.
    partial: [i32; 2],
    /// A1 and A2.
    poles: [i32; 2],
    /// DLT or DH, the last six quantised differences.
    differences: [i32; 6],
    /// B1 to B6.
    zeros: [i32; 6],
}

impl Predictor {
    fn adapt(&mut self, difference: i32) {
        let reconstructed = saturate(self.estimate + difference);
        let partial = saturate(self.from_zeros + difference);
        self.adapt_poles(partial);
        self.adapt_zeros(difference);
        self.partial = [partial, self.partial[0]];
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
        self.foretell();
    }

    /// UPPOL2 and UPPOL1.
    fn adapt_poles(&mut self, partial: i32) {
        let same = |other: i32| (partial < 0) == (other < 0);
        let first = saturate(self.poles[0] << 2);
        let toward = if same(self.partial[0]) { -first } else { first }.min(32_767);
        let push = if same(self.partial[1]) { 128 } else { -128 };
        let second = (toward >> 7) + push + ((self.poles[1] * 32_512) >> 15);
        let second = second.clamp(-12_288, 12_288);
        let push = if same(self.partial[0]) { 192 } else { -192 };
        let first = saturate(push + ((self.poles[0] * 32_640) >> 15));
        let bound = saturate(15_360 - second);
        self.poles = [first.clamp(-bound, bound), second];
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        let push = if difference == 0 { 0 } else { 128 };
        for (zero, old) in self.zeros.iter_mut().zip(self.differences) {
            let push = if (old < 0) == (difference < 0) { push } else { -push };
            *zero = saturate(push + ((*zero * 32_640) >> 15));
        }
    }

    /// FILTEP, FILTEZ and PREDIC.
    fn foretell(&mut self) {
        let weigh = |weight: i32, value: i32| (weight * saturate(value + value)) >> 15;
        let from_poles = saturate(
            weigh(self.poles[0], self.reconstructed[0])
                + weigh(self.poles[1], self.reconstructed[1]),
        );
        let sum = self.zeros.iter().zip(self.differences).map(|(b, d)| weigh(*b, d)).sum();
        self.from_zeros = saturate(sum);
        self.estimate = saturate(from_poles + self.from_zeros);
    }
}

/// The lower band, 6 bits a sample.
pub(super) struct Low {
    scale: Scale,
    predictor: Predictor,
}

impl Default for Low {
    /// After reset (section 3.7): the smallest scale factor.
    fn default() -> Self {
        let scale = Scale { logarithm: 0, factor: 32, greatest: 18_432, shift: 8 };
        Self { scale, predictor: Predictor::default() }
    }
}

impl Low {
    /// SUBTRA and QUANTL, then the local decoder.
    pub(super) fn encode(&mut self, value: i32) -> u8 {
        let error = saturate(value - self.predictor.estimate);
        let size = magnitude(error);
        let factor = self.scale.factor;
        // The interval, 1 to 30: levels grow, so count those that are reached.
        let interval = LEVELS.partition_point(|level| size >= (level * factor) >> 12).max(1) as u8;
        let code = match (error < 0, interval) {
            (true, 1) => 63,
            (true, 2) => 62,
            (true, interval) => 34 - interval,
            (false, interval) => 62 - interval,
        };
        self.adapt(code);
        code
    }

    /// INVQBL, RECONS and LIMIT, then the adaptation.
    pub(super) fn decode(&mut self, code: u8) -> i32 {
        let difference = (self.scale.factor * OUTPUT_6[usize::from(code & 63)]) >> 15;
        let value = (self.predictor.estimate + difference).clamp(-16_384, 16_383);
        self.adapt(code);
        value
    }

    /// INVQAL: both ends adapt by the upper four bits.
    fn adapt(&mut self, code: u8) {
        let index = usize::from(code >> 2 & 15);
        let difference = (self.scale.factor * OUTPUT_4[index]) >> 15;
        self.scale.adapt(CHANGE_LOW[index]);
        self.predictor.adapt(difference);
    }
}

/// The upper band, 2 bits a sample.
pub(super) struct High {
    scale: Scale,
    predictor: Predictor,
}

impl Default for High {
    fn default() -> Self {
        let scale = Scale { logarithm: 0, factor: 8, greatest: 22_528, shift: 10 };
        Self { scale, predictor: Predictor::default() }
    }
}

impl High {
    /// SUBTRA and QUANTH, then the local decoder.
    pub(super) fn encode(&mut self, value: i32) -> u8 {
        let error = saturate(value - self.predictor.estimate);
        let outer = magnitude(error) >= (564 * self.scale.factor) >> 12;
        let code = match (error < 0, outer) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        self.adapt(code);
        code
    }

    /// INVQAH, RECONS and LIMIT, then the adaptation.
    pub(super) fn decode(&mut self, code: u8) -> i32 {
        let estimate = self.predictor.estimate;
        let difference = self.adapt(code);
        (estimate + difference).clamp(-16_384, 16_383)
    }

    fn adapt(&mut self, code: u8) -> i32 {
        let index = usize::from(code & 3);
        let difference = (self.scale.factor * OUTPUT_2[index]) >> 15;
        self.scale.adapt(CHANGE_HIGH[index]);
        self.predictor.adapt(difference);
        difference
    }
}
