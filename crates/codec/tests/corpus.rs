//! Replays the corpus of payloads, and seeded mutations of it, through every decoder.

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

#[test]
fn payloads_never_panic() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/decode");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 8);
    let mut chance = Chance(11);
    for file in files {
        let seed = std::fs::read(&file).expect("a file");
        offhook_codec::fuzzing::fuzz(&seed);
        for _ in 0..120 {
            let mut bytes = seed.clone();
            for _ in 0..=chance.below(20) {
                let at = chance.below(bytes.len());
                match chance.below(3) {
                    0 => bytes[at] = chance.below(256) as u8,
                    1 => bytes[at] ^= 1 << chance.below(8),
                    _ => bytes.truncate(at.max(3)),
                }
            }
            offhook_codec::fuzzing::fuzz(&bytes);
        }
    }
}
