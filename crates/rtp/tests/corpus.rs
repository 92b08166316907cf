//! Replays the corpus of every fuzz target, and seeded mutations of it.

use offhook_rtp::fuzzing;

/// Mutations of each file.
const ROUNDS: u64 = 500;

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

fn mutate(seed: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len());
        match chance.below(5) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
            1 if !bytes.is_empty() => bytes[at] = chance.below(256) as u8,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, chance.below(256) as u8),
            _ => {
                let end = (at + chance.below(40)).min(bytes.len());
                let piece = bytes[at.min(end)..end].to_vec();
                let place = chance.below(bytes.len());
                bytes.splice(place..place, piece);
            }
        }
    }
    bytes
}

fn check(target: &str, run: fn(&[u8])) {
    let folder = format!("{}/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 3, "the corpus of {target} is too small");
    let mut chance = Chance(42);
    for file in files {
        let seed = std::fs::read(&file).expect("a file");
        run(&seed);
        for _ in 0..ROUNDS {
            run(&mutate(&seed, &mut chance));
        }
    }
}

#[test]
fn packets_never_panic() {
    check("packet", fuzzing::packet);
}

#[test]
fn reports_never_panic() {
    check("rtcp", fuzzing::rtcp);
}

#[test]
fn redundant_packets_never_panic() {
    check("red", fuzzing::red);
}

#[test]
fn protected_packets_never_panic() {
    check("srtp", fuzzing::srtp);
}

#[test]
fn descriptions_never_panic() {
    check("sdp", fuzzing::sdp);
}

#[test]
fn jitter_buffers_lose_and_repeat_nothing() {
    check("jitter", fuzzing::jitter);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(5),
        ..proptest::prelude::ProptestConfig::with_cases(256)
    })]

    #[test]
    fn any_operations_keep_the_jitter_buffer_true(
        data in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2_000),
    ) {
        fuzzing::jitter(&data);
    }

    /// Nearly ordered streams, which random bytes hardly ever make.
    #[test]
    fn shaken_streams_keep_the_jitter_buffer_true(
        shakes in proptest::collection::vec((0u8..12, 0u8..4, 0u8..45), 10..400),
    ) {
        let mut data = Vec::new();
        for (index, (back, what, time)) in shakes.iter().enumerate() {
            let sequence = (index as u16).saturating_sub(u16::from(*back / 3)).to_be_bytes();
            data.extend([*what, sequence[0], sequence[1], 0, *time]);
            data.extend([0, 0, 0, 0, 5]);
        }
        fuzzing::jitter(&data);
    }
}
