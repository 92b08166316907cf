//! Which region is quantised how finely (clause 3.3 of G.722.1): eight categories, from 52 bits a
//! region to none. Both ends work it out from the envelope and the bits that are left. Sixteen
//! variants of it, each with one region coarser than the one before, let the encoder choose what
//! just fits.

use super::envelope::{Powers, REGIONS};

/// The coarsest category: nothing is sent, all is noise.
pub(super) const NOISE: usize = 7;
/// Bits that choose the variant, and the variants.
pub(super) const CHOICE_BITS: usize = 4;
pub(super) const CHOICES: usize = 1 << CHOICE_BITS;
/// Bits that a region needs on average by its category.
const EXPECTED: [i32; 8] = [52, 47, 43, 37, 29, 22, 16, 0];

/// The category of each region.
pub(super) type Categories = [usize; REGIONS];

/// All variants.
pub(super) struct Variants {
    /// The finest.
    pub(super) finest: Categories,
    /// The region that is one category coarser in each following variant.
    pub(super) coarser: [usize; CHOICES - 1],
}

impl Variants {
    /// For `bits` bits that are left for the coefficients.
    pub(super) fn new(powers: &Powers, bits: usize) -> Self {
        let bits = i32::try_from(bits).unwrap_or(i32::MAX);
        // At higher rates most categories need more than expected.
        let bits = if bits > 320 { 320 + (((bits - 320) * 5) >> 3) } else { bits };
        let offset = offset(powers, bits);
        balance(powers, bits, offset)
    }

    /// The variant `choice`, 0 to 15.
    pub(super) fn choose(&self, choice: usize) -> Categories {
        let mut categories = self.finest;
        for region in self.coarser.iter().take(choice) {
            categories[*region] += 1;
        }
        categories
    }
}

fn category(power: i32, offset: i32) -> usize {
    ((offset - power) >> 1).clamp(0, NOISE as i32) as usize
}

fn expected(categories: &Categories) -> i32 {
    categories.iter().map(|category| EXPECTED[*category]).sum()
}

/// The greatest offset with which nearly all bits are needed.
fn offset(powers: &Powers, bits: i32) -> i32 {
    let mut best = -32;
    for delta in [32, 16, 8, 4, 2, 1] {
        if expected(&powers.map(|power| category(power, best + delta))) >= bits - 32 {
            best += delta;
        }
    }
    best
}

/// From the categories at `offset` on, makes finer and coarser ones by turns, so that what they
/// need lies evenly about `bits`.
fn balance(powers: &Powers, bits: i32, offset: i32) -> Variants {
    let mut finest = powers.map(|power| category(power, offset));
    let mut coarsest = finest;
    let (mut most, mut least) = (expected(&finest), expected(&coarsest));
    // How far a region is from what its power would want.
    let want = |region: usize, category: usize| offset - powers[region] - 2 * category as i32;
    let mut regions = [0; 2 * CHOICES];
    let (mut first, mut last) = (CHOICES, CHOICES);
    for _ in 1..CHOICES {
        if most + least <= 2 * bits {
            // The first of those that want it most; there is one, as all at the finest need more.
            let candidates = (0..REGIONS).filter(|region| finest[*region] > 0);
            let region = candidates.min_by_key(|region| want(*region, finest[*region]));
            let region = region.unwrap_or(0);
            first -= 1;
            regions[first] = region;
            most -= EXPECTED[finest[region]];
            finest[region] = finest[region].saturating_sub(1);
            most += EXPECTED[finest[region]];
        } else {
            // Searched from above, the first again.
            let candidates = (0..REGIONS).rev().filter(|region| coarsest[*region] < NOISE);
            let region = candidates.min_by_key(|region| -want(*region, coarsest[*region]));
            let region = region.unwrap_or(0);
            regions[last] = region;
            last += 1;
            least -= EXPECTED[coarsest[region]];
            coarsest[region] = (coarsest[region] + 1).min(NOISE);
            least += EXPECTED[coarsest[region]];
        }
    }
    let mut coarser = [0; CHOICES - 1];
    coarser.copy_from_slice(&regions[first..last]);
    Variants { finest, coarser }
}
