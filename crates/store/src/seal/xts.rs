//! XTS-AES-256 (IEEE 1619-2007 section 5.3, without ciphertext stealing: whole blocks only) over
//! files. A data unit is 512 bytes of one file; the unit's number is its place, and the kind of
//! file stands above it, so that the same text in log and database looks different.

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use super::Key;

/// Bytes of a block.
pub const BLOCK: usize = 16;

/// Bytes of a data unit.
const UNIT: usize = 512;

type Block = Array<u8, aes::cipher::array::typenum::U16>;

/// A key, ready for use.
pub struct Cipher {
    text: Aes256,
    place: Aes256,
}

impl Cipher {
    /// Makes the key ready.
    pub fn new(key: &Key) -> Self {
        let (text, place) = key.0.expose().split_at(super::KEY / 2);
        let half = |bytes: &[u8]| {
            let mut array = Array::default();
            array.copy_from_slice(bytes);
            Aes256::new(&array)
        };
        Self { text: half(text), place: half(place) }
    }

    /// Encrypts whole blocks that lie at `offset`, a multiple of 16, of a file of this kind.
    pub fn seal(&self, kind: u64, offset: u64, bytes: &mut [u8]) {
        self.each_unit(kind, offset, bytes, |blocks, tweaks| {
            mix(blocks, tweaks);
            self.text.encrypt_blocks(blocks);
            mix(blocks, tweaks);
        });
    }

    /// Decrypts whole blocks. What was never written is a hole of the file and reads as zeros; a
    /// block that was written is all zeros by a chance of one in 2^128.
    pub fn open(&self, kind: u64, offset: u64, bytes: &mut [u8]) {
        self.each_unit(kind, offset, bytes, |blocks, tweaks| {
            let mut holes = [false; UNIT / BLOCK];
            for (hole, block) in holes.iter_mut().zip(blocks.iter()) {
                *hole = block.iter().all(|byte| *byte == 0);
            }
            mix(blocks, tweaks);
            self.text.decrypt_blocks(blocks);
            mix(blocks, tweaks);
            for (block, _) in blocks.iter_mut().zip(holes).filter(|(_, hole)| *hole) {
                block.fill(0);
            }
        });
    }

    fn each_unit(
        &self,
        kind: u64,
        offset: u64,
        bytes: &mut [u8],
        work: impl Fn(&mut [Block], &[u128]),
    ) {
        let (mut blocks, rest) = Array::slice_as_chunks_mut(bytes);
        debug_assert!(rest.is_empty() && offset.is_multiple_of(BLOCK as u64), "whole blocks");
        let mut unit = offset / UNIT as u64;
        let mut first = (offset % UNIT as u64) as usize / BLOCK;
        while !blocks.is_empty() {
            let count = (UNIT / BLOCK - first).min(blocks.len());
            let (now, later) = blocks.split_at_mut(count);
            work(now, &self.tweaks(kind, unit)[first..first + count]);
            blocks = later;
            first = 0;
            unit += 1;
        }
    }

    /// One for each block of a unit: the encrypted number, doubled again and again.
    fn tweaks(&self, kind: u64, unit: u64) -> [u128; UNIT / BLOCK] {
        let number = u128::from(kind) << 64 | u128::from(unit);
        let mut block = Block::from(number.to_le_bytes());
        self.place.encrypt_block(&mut block);
        let mut tweak = u128::from_le_bytes(block.into());
        std::array::from_fn(|_| {
            let this = tweak;
            tweak = tweak << 1 ^ if tweak >> 127 == 1 { 0x87 } else { 0 };
            this
        })
    }
}

fn mix(blocks: &mut [Block], tweaks: &[u128]) {
    for (block, tweak) in blocks.iter_mut().zip(tweaks) {
        let mixed = u128::from_le_bytes((*block).into()) ^ tweak;
        *block = mixed.to_le_bytes().into();
    }
}

#[cfg(test)]
mod tests {
    use super::{Cipher, Key};

    /// IEEE 1619-2007, annex B, vector 10: both keys, data unit 0xff, bytes 00 to ff twice.
    const KEYS: &str = "2718281828459045235360287471352662497757247093699959574966967627\
                        3141592653589793238462643383279502884197169399375105820974944592";
    const FIRST: &str = "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b";
    const LAST: &str = "4f36ffda9fcea70b9c6e693e148c151";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn cipher() -> Cipher {
        Cipher::new(&Key::read(&format!("xts-aes-256:{KEYS}")).expect("a key"))
    }

    #[test]
    fn the_standards_example_comes_out() {
        let text: Vec<u8> = (0..512).map(|n| n as u8).collect();
        let mut sealed = text.clone();
        cipher().seal(0, 0xff * 512, &mut sealed);
        assert_eq!(hex(&sealed[..32]), FIRST);
        assert!(hex(&sealed).ends_with(LAST), "{}", hex(&sealed[480..]));
        cipher().open(0, 0xff * 512, &mut sealed);
        assert_eq!(sealed, text);
    }

    #[test]
    fn blocks_stand_alone_and_holes_are_zeros() {
        let text: Vec<u8> = (0..4096).map(|n| (n / 7) as u8).collect();
        let mut whole = text.clone();
        cipher().seal(1, 8 * 512, &mut whole);
        // A part, sealed by itself across a boundary of units, is the same.
        let mut part = text[480..560].to_vec();
        cipher().seal(1, 8 * 512 + 480, &mut part);
        assert_eq!(part, whole[480..560]);
        // Another kind of file is not.
        let mut other = text.clone();
        cipher().seal(2, 8 * 512, &mut other);
        assert!(whole.chunks(16).zip(other.chunks(16)).all(|(a, b)| a != b));
        whole[512..1024].fill(0);
        cipher().open(1, 8 * 512, &mut whole);
        assert_eq!(whole[..512], text[..512]);
        assert!(whole[512..1024].iter().all(|byte| *byte == 0));
        assert_eq!(whole[1024..], text[1024..]);
    }
}
