//! The coefficients (clauses 3.4, 3.5 and 4.3 of G.722.1): each is quantised by the standard
//! deviation of its region and the step of its category; two to five make a vector, which has a
//! Huffman word, and the signs of what is not zero. What is not sent is filled with noise.

use super::categories::{CHOICES, Categories, NOISE, Variants};
use super::codes::{
    CATEGORY_0, CATEGORY_1, CATEGORY_2, CATEGORY_3, CATEGORY_4, CATEGORY_5, CATEGORY_6,
};
use super::envelope::{Powers, REGION, REGIONS};
use super::huffman::{Node, Reader, Writer, tree};
use super::transform::{FRAME, Frame};

static TREE_0: [Node; 180] = tree(&CATEGORY_0);
static TREE_1: [Node; 93] = tree(&CATEGORY_1);
static TREE_2: [Node; 47] = tree(&CATEGORY_2);
static TREE_3: [Node; 519] = tree(&CATEGORY_3);
static TREE_4: [Node; 208] = tree(&CATEGORY_4);
static TREE_5: [Node; 191] = tree(&CATEGORY_5);
static TREE_6: [Node; 31] = tree(&CATEGORY_6);

/// How the coefficients of a category are coded.
struct Coding {
    /// Coefficients of a vector.
    dimension: usize,
    /// What a quantised coefficient stands for, times 4096 and by the standard deviation. There
    /// are as many as values.
    centroids: &'static [i32],
    /// 1 by the step, times 8192.
    fineness: i32,
    /// What is added before cutting off, times 8192, and two bits more of it.
    rounding: (i32, i32),
    lengths: &'static [u8],
    codes: &'static [u16],
    tree: &'static [Node],
}

static CODINGS: [Coding; NOISE] = [
    Coding {
        dimension: 2,
        centroids: &[
            0, 1606, 3119, 4586, 6049, 7502, 8941, 10406, 11851, 13292, 14736, 16146, 17566, 19351,
        ],
        fineness: 23_167,
        rounding: (2_457, 2),
        lengths: &CATEGORY_0.lengths,
        codes: &CATEGORY_0.codes,
        tree: &TREE_0,
    },
    Coding {
        dimension: 2,
        centroids: &[0, 2229, 4341, 6401, 8471, 10531, 12583, 14588, 16673, 18924],
        fineness: 16_384,
        rounding: (2_703, 1),
        lengths: &CATEGORY_1.lengths,
        codes: &CATEGORY_1.codes,
        tree: &TREE_1,
    },
    Coding {
        dimension: 2,
        centroids: &[0, 3055, 5998, 8929, 11806, 14680, 17680],
        fineness: 11_585,
        rounding: (2_949, 0),
        lengths: &CATEGORY_2.lengths,
        codes: &CATEGORY_2.codes,
        tree: &TREE_2,
    },
    Coding {
        dimension: 4,
        centroids: &[0, 4121, 8192, 12259, 16322],
        fineness: 8_192,
        rounding: (3_195, 0),
        lengths: &CATEGORY_3.lengths,
        codes: &CATEGORY_3.codes,
        tree: &TREE_3,
    },
    Coding {
        dimension: 4,
        centroids: &[0, 5413, 11071, 16315],
        fineness: 5_793,
        rounding: (3_440, 3),
        lengths: &CATEGORY_4.lengths,
        codes: &CATEGORY_4.codes,
        tree: &TREE_4,
    },
    Coding {
        dimension: 5,
        centroids: &[0, 6785, 14300],
        fineness: 4_096,
        rounding: (3_686, 2),
        lengths: &CATEGORY_5.lengths,
        codes: &CATEGORY_5.codes,
        tree: &TREE_5,
    },
    Coding {
        dimension: 5,
        centroids: &[0, 8044],
        fineness: 2_896,
        rounding: (4_096, 0),
        lengths: &CATEGORY_6.lengths,
        codes: &CATEGORY_6.codes,
        tree: &TREE_6,
    },
];

/// 1 by the standard deviation with a power index of 24 and more, times 32768; below it is 1.
const INVERSE_DEVIATIONS: [i32; 33] = [
    32767, 23170, 16384, 11585, 8192, 5793, 4096, 2896, 2048, 1448, 1024, 724, 512, 362, 256, 181,
    128, 91, 64, 45, 32, 23, 16, 11, 8, 6, 4, 3, 2, 1, 1, 1, 1,
];

fn inverse_deviation(index: i32) -> i32 {
    let index = usize::try_from(index - 24).unwrap_or(0);
    INVERSE_DEVIATIONS.get(index).copied().unwrap_or(0)
}

/// Quantises one region and gives each vector's word, signs with it, and its length to `put`.
fn quantise(category: usize, index: i32, region: &[i16], mut put: impl FnMut(u32, usize)) {
    let Some(coding) = CODINGS.get(category) else { return };
    // 1 by step and deviation, times 8192, and two bits more of it.
    let scale = (coding.fineness * inverse_deviation(index) + 4_096) >> 13;
    let (scale, fine) = (scale >> 2, scale & 3);
    let top = coding.centroids.len() as i32 - 1;
    for vector in region.chunks_exact(coding.dimension) {
        let (mut symbol, mut signs, mut count) = (0, 0, 0);
        for coefficient in vector {
            let size = i32::from(coefficient.saturating_abs());
            // The low bits wrap at 16 as ITU-T's do.
            let low = i32::from((2 * size * fine) as i16) >> 1;
            let low = (low + coding.rounding.1) >> 2;
            let value = ((size * scale + coding.rounding.0 + low) >> 13).min(top);
            if value != 0 {
                signs = signs << 1 | u32::from(*coefficient > 0);
                count += 1;
            }
            symbol = symbol * (top + 1) + value;
        }
        let symbol = symbol as usize;
        let word = u32::from(coding.codes[symbol]) << count | signs;
        put(word, usize::from(coding.lengths[symbol]) + count);
    }
}

fn bits_needed(category: usize, index: i32, region: &[i16]) -> usize {
    let mut bits = 0;
    quantise(category, index, region, |_, length| bits += length);
    bits
}

/// Chooses the variant that uses `bits` best: from the middle to finer ones until they are used
/// up, then to coarser ones until it fits.
pub(super) fn choose(
    variants: &Variants,
    indices: &Powers,
    coefficients: &Frame,
    bits: usize,
) -> (usize, Categories) {
    let need = |region: usize, category: usize| {
        let from = region * REGION;
        bits_needed(category, indices[region], &coefficients[from..from + REGION])
    };
    let mut choice = CHOICES / 2 - 1;
    let mut categories = variants.choose(choice);
    let mut needs = [0; REGIONS];
    for (region, bits) in needs.iter_mut().enumerate() {
        *bits = need(region, categories[region]);
    }
    while needs.iter().sum::<usize>() < bits && choice > 0 {
        choice -= 1;
        let region = variants.coarser[choice];
        categories[region] -= 1;
        needs[region] = need(region, categories[region]);
    }
    while needs.iter().sum::<usize>() > bits && choice < CHOICES - 1 {
        let region = variants.coarser[choice];
        choice += 1;
        categories[region] += 1;
        needs[region] = need(region, categories[region]);
    }
    (choice, categories)
}

/// Writes all regions. What does not fit is left out, as it may be with the coarsest variant.
pub(super) fn write(
    categories: &Categories,
    indices: &Powers,
    coefficients: &Frame,
    writer: &mut Writer<'_>,
) {
    let regions = coefficients.chunks_exact(REGION);
    for ((category, index), region) in categories.iter().zip(indices).zip(regions) {
        quantise(*category, *index, region, |word, length| writer.number(word, length));
    }
}

/// Reads all regions into `coefficients`. False when the bits ended early: the region in which
/// that was and all after it are noise.
pub(super) fn read(
    reader: &mut Reader<'_>,
    categories: &Categories,
    deviations: &[i16; REGIONS],
    noise: &mut Noise,
    coefficients: &mut Frame,
) -> bool {
    *coefficients = [0; FRAME];
    let mut whole = true;
    let regions = coefficients.chunks_exact_mut(REGION);
    for ((category, deviation), region) in categories.iter().zip(deviations).zip(regions) {
        let mut category = *category;
        if let Some(coding) = CODINGS.get(category) {
            whole = whole && read_region(reader, coding, *deviation, region).is_some();
            if !whole {
                region.fill(0);
                category = NOISE;
            }
        }
        noise.fill(category, *deviation, region);
    }
    whole
}

fn read_region(
    reader: &mut Reader<'_>,
    coding: &Coding,
    deviation: i16,
    region: &mut [i16],
) -> Option<()> {
    for vector in region.chunks_exact_mut(coding.dimension) {
        let mut symbol = reader.symbol(coding.tree)?;
        let mut count = 0;
        for value in vector.iter_mut().rev() {
            let size = symbol % coding.centroids.len();
            symbol /= coding.centroids.len();
            count += usize::from(size != 0);
            *value = ((i32::from(deviation) * coding.centroids[size]) >> 12) as i16;
        }
        let signs = reader.number(count)?;
        let mut left = count;
        // A value that the deviation made zero takes no sign, though one was sent for it.
        for value in vector.iter_mut().filter(|value| **value != 0) {
            left -= 1;
            if signs >> left & 1 == 0 {
                *value = -*value;
            }
        }
    }
    Some(())
}

/// Noise by its own generator, so that all decoders make the same.
#[derive(Clone, Copy)]
pub(super) struct Noise([i16; 4]);

impl Noise {
    pub(super) fn new() -> Self {
        Self([1; 4])
    }

    fn next(&mut self) -> i16 {
        let [newest, second, third, oldest] = self.0;
        let sum = newest.wrapping_add(oldest);
        let word = if sum < 0 { sum.wrapping_add(1) } else { sum };
        self.0 = [word, newest, second, third];
        word
    }

    /// Fills what is zero in a region of the coarser categories.
    fn fill(&mut self, category: usize, deviation: i16, region: &mut [i16]) {
        let part = match category {
            5 => 5_793,
            6 => 8_192,
            NOISE => 23_170,
            _ => return,
        };
        let size = ((i32::from(deviation) * part) >> 15) as i16;
        for half in region.chunks_exact_mut(REGION / 2) {
            let mut word = self.next();
            for value in half.iter_mut().filter(|value| **value == 0) {
                *value = if word & 1 == 0 { -size } else { size };
                word >>= 1;
            }
        }
    }
}
