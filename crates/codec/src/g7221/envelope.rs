//! The amplitude envelope (clauses 3.2 and 4.1 of G.722.1): the power of 14 regions of 500 Hz in
//! steps of 3 dB, the first by itself, each other by its difference from the one before it.

use super::codes::POWERS;
use super::huffman::{Node, Reader, Writer, tree};
use super::transform::{Frame, shift_up};

/// Regions that are coded: up to 7 kHz.
pub(super) const REGIONS: usize = 14;
/// Coefficients of a region.
pub(super) const REGION: usize = 20;
/// The least difference from the region before, and the greatest.
const FALL: i32 = -12;
const RISE: i32 = 11;
/// The number sent for the first region is its power and this.
const FIRST: i32 = 7;
/// Bits of that number.
const FIRST_BITS: usize = 5;
/// Powers that are sent, and that make sense when received.
const LEAST: i32 = -8 - FIRST;
const MOST: i32 = 31 - FIRST;

/// The power of each region in steps of 3 dB.
pub(super) type Powers = [i32; REGIONS];

static TREES: [[Node; 23]; REGIONS - 1] = trees();

const fn trees() -> [[Node; 23]; REGIONS - 1] {
    let mut trees = [[[0; 2]; 23]; REGIONS - 1];
    let mut region = 0;
    while region < trees.len() {
        trees[region] = tree(&POWERS[region]);
        region += 1;
    }
    trees
}

/// Measures coefficients that are shifted up by `shift` bits.
pub(super) fn measure(coefficients: &Frame, shift: i32) -> Powers {
    let mut powers = [0; REGIONS];
    for (power, region) in powers.iter_mut().zip(coefficients.chunks_exact(REGION)) {
        let energy = region
            .iter()
            .fold(0i32, |sum, value| sum.saturating_add(i32::from(*value) * i32::from(*value)));
        *power = level(energy) + 11 - 2 * shift;
    }
    // What lies before a peak is raised as far as the peak needs it.
    for region in (0..REGIONS - 1).rev() {
        powers[region] = powers[region].max(powers[region + 1] - RISE);
    }
    powers[0] = powers[0].clamp(1 - FIRST, MOST);
    for region in 1..REGIONS {
        let power = powers[region].clamp(LEAST, MOST);
        powers[region] = power.max(powers[region - 1] + FALL);
    }
    powers
}

/// The energy of a region in steps of 3 dB. A step ends at the root of two.
fn level(energy: i32) -> i32 {
    if energy == 0 {
        return -16;
    }
    let bits = 32 - energy.leading_zeros() as i32;
    let normal = if bits > 16 { energy >> (bits - 16) } else { energy << (16 - bits) };
    bits - 16 + i32::from(normal >> 1 >= 28_963)
}

/// Writes what [`measure`] gave.
pub(super) fn write(powers: &Powers, writer: &mut Writer<'_>) {
    writer.number((powers[0] + FIRST) as u32, FIRST_BITS);
    for (pair, book) in powers.windows(2).zip(&POWERS) {
        let symbol = (pair[1] - pair[0] - FALL) as usize;
        writer.number(u32::from(book.codes[symbol]), usize::from(book.lengths[symbol]));
    }
}

/// Reads an envelope; nothing when it ends early or is out of range.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Powers> {
    let mut powers = [0; REGIONS];
    powers[0] = i32::from(reader.number(FIRST_BITS)?) - FIRST;
    for region in 1..REGIONS {
        powers[region] = powers[region - 1] + reader.symbol(&TREES[region - 1])? as i32 + FALL;
    }
    powers.iter().all(|power| (LEAST..=MOST).contains(power)).then_some(powers)
}

/// Standard deviations for [`deviation`] from its index 22 on; those before are 0.
const DEVIATIONS: [i16; 32] = [
    1, 1, 1, 1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024,
    1448, 2048, 2896, 4096, 5793, 8192, 11585, 16384, 23170,
];
const POWER_ZERO: i32 = 24;

fn deviation(index: i32) -> i16 {
    let index = usize::try_from(index - 22).ok();
    index.and_then(|index| DEVIATIONS.get(index)).copied().unwrap_or(0)
}

/// The standard deviation of each region, shifted up so that the synthesis uses its range, and by
/// how many bits.
pub(super) fn deviations(powers: &Powers) -> ([i16; REGIONS], i32) {
    let mut sum: i32 = powers.iter().map(|power| i32::from(deviation(power + POWER_ZERO))).sum();
    // ITU-T adds up in 16 bits with saturation.
    sum = sum.min(i16::MAX.into());
    let mut top = powers.iter().max().copied().unwrap_or(0) + POWER_ZERO;
    let mut shift = 9;
    while shift >= 0 && (sum >= 8 || top > 28) {
        shift -= 1;
        sum >>= 1;
        top -= 2;
    }
    (powers.map(|power| deviation(power + POWER_ZERO + 2 * shift)), shift)
}

/// The index of a region's power in the encoder's arithmetic, for coefficients shifted up by
/// `shift` bits. Louder regions are shifted down in place.
pub(super) fn settle(powers: &Powers, shift: i32, coefficients: &mut Frame) -> Powers {
    let mut indices = powers.map(|power| power + POWER_ZERO + 2 * shift);
    for (index, region) in indices.iter_mut().zip(coefficients.chunks_exact_mut(REGION)) {
        let down = (*index - 39) >> 1;
        if down <= 0 {
            continue;
        }
        for value in region {
            // Half a step is added before the shift, whose bits fall away with it.
            let fine = (i32::from(*value) << 16).saturating_add(0x8000);
            *value = (fine >> down >> 16) as i16;
        }
        *index -= 2 * down;
    }
    indices
}

/// Weakens coefficients for concealment by `bits` halvings.
pub(super) fn weaken(coefficients: &mut Frame, bits: i32) {
    for value in coefficients {
        *value = shift_up(*value, -bits);
    }
}
