//! The quadrature mirror filters that split 16 kHz sound into two bands and join them again
//! (ITU-T G.722 sections 3.1 and 4.4).

/// Half of the 24 coefficients (table 11); the other half mirrors them.
const COEFFICIENTS: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];

/// The last 24 values.
type History = [i32; 24];

fn push(history: &mut History, first: i32, second: i32) {
    history.copy_within(2.., 0);
    history[22] = first;
    history[23] = second;
}

/// Sums over the even and over the odd places.
fn sums(history: &History) -> (i32, i32) {
    let (mut even, mut odd) = (0, 0);
    for (index, pair) in history.chunks_exact(2).enumerate() {
        even += pair[0] * COEFFICIENTS[index];
        odd += pair[1] * COEFFICIENTS[11 - index];
    }
    (even, odd)
}

/// Splits sound.
#[derive(Default)]
pub(super) struct Analysis(History);

impl Analysis {
    /// Two samples give one of the low and one of the high band.
    pub(super) fn split(&mut self, first: i16, second: i16) -> (i32, i32) {
        push(&mut self.0, i32::from(first), i32::from(second));
        let (even, odd) = sums(&self.0);
        ((odd + even) >> 14, (odd - even) >> 14)
    }
}

/// Joins the bands.
#[derive(Default)]
pub(super) struct Synthesis(History);

impl Synthesis {
    /// One sample of each band gives two samples.
    pub(super) fn join(&mut self, low: i32, high: i32) -> (i16, i16) {
        push(&mut self.0, low + high, low - high);
        let (even, odd) = sums(&self.0);
        (limit(odd >> 11), limit(even >> 11))
    }
}

fn limit(value: i32) -> i16 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}
