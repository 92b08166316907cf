//! Replays a fuzzing corpus, and mutations of it, as an ordinary test.

use std::path::Path;

/// Runs `target` on every file below `folder` and on `rounds` mutations drawn from `seed`. Gives
/// the number of files.
///
/// # Panics
/// When the folder cannot be read or is empty: a corpus that vanished is a broken test.
pub fn replay(folder: &Path, rounds: u32, seed: u64, target: fn(&[u8])) -> usize {
    let mut seeds: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            Some((name, std::fs::read(entry.path()).ok()?))
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} holds no seeds", folder.display());
    for (_, seed) in &seeds {
        target(seed);
    }
    let mut chance = Chance(seed | 1);
    for _ in 0..rounds {
        let first = chance.below(seeds.len());
        let second = chance.below(seeds.len());
        target(&mutate(&seeds[first].1, &seeds[second].1, &mut chance));
    }
    seeds.len()
}

/// Small, repeatable chance (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % bound.max(1)
    }
}

/// Bytes that mean something to parsers.
const SPECIAL: &[u8] = b"<>&;\"'=/\0\r\n:@[]{}%\xff\x80 0A";

fn mutate(seed: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(data.len() + 1);
        let end = (at + chance.below(32)).min(data.len());
        match chance.below(6) {
            0 => data.truncate(at),
            1 => drop(data.drain(at..end)),
            2 => {
                let copy = data[at..end].to_vec();
                data.splice(at..at, copy);
            }
            3 => {
                let from = chance.below(other.len() + 1);
                let to = (from + chance.below(64)).min(other.len());
                data.splice(at..end, other[from..to].iter().copied());
            }
            4 => {
                let byte = SPECIAL.get(chance.below(SPECIAL.len()));
                data.extend(byte);
                let last = data.len() - 1;
                data.swap(at, last);
            }
            _ => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << chance.below(8);
                }
            }
        }
    }
    data
}
