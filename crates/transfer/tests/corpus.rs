//! The corpus and mutations of it go through the fuzzer's entry.

use std::path::Path;
use std::time::Instant;

use offhook_transfer::fuzzing;

#[expect(clippy::disallowed_methods, reason = "the beginning of virtual time")]
fn beginning() -> Instant {
    Instant::now()
}

#[test]
fn questions_of_all_kinds_do_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/stanzas");
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for entry in std::fs::read_dir(folder).expect("corpus") {
        seeds.push(std::fs::read(entry.expect("entry").path()).expect("readable"));
    }
    assert!(!seeds.is_empty());
    seeds.sort();
    let start = beginning();
    let mut chance = 1_u64;
    for round in 0..400_usize {
        let mut data = seeds[round % seeds.len()].clone();
        if round >= seeds.len() {
            for _ in 0..=round % 4 {
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
                mutate(&mut data, chance >> 20);
            }
        }
        fuzzing::fuzz(&data, start);
    }
}

/// Swaps bytes, drops a piece, or repeats one; quotes and brackets are favoured.
fn mutate(data: &mut Vec<u8>, chance: u64) {
    let len = data.len().max(1);
    let at = (chance >> 3) as usize % len;
    let to = (at + 1 + (chance >> 17) as usize % 24).min(data.len());
    match chance % 4 {
        0 => {
            if let Some(byte) = data.get_mut(at) {
                *byte = b"<>'/= 0a"[(chance >> 9) as usize % 8];
            }
        }
        1 => {
            data.drain(at.min(to)..to);
        }
        2 => {
            let piece: Vec<u8> = data.get(at..to).unwrap_or_default().to_vec();
            data.splice(at.min(to)..at.min(to), piece);
        }
        _ => {
            let other = (chance >> 11) as usize % len;
            if at < data.len() && other < data.len() {
                data.swap(at, other);
            }
        }
    }
}
