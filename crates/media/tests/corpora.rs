//! The corpora, and mutations of them, through the fuzz entry points.

use std::path::Path;

/// Changes, cuts or repeats some bytes.
fn mutate(data: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut data = data.to_vec();
    for _ in 0..1 + next() % 4 {
        if data.is_empty() {
            break;
        }
        let at = next() % data.len();
        match next() % 4 {
            0 => data[at] = next() as u8,
            1 => data.truncate(at),
            2 => data[at] = [0, 1, 0x7f, 0x80, 0xff][next() % 5],
            _ => {
                let end = (at + next() % 32).min(data.len());
                let part = data[at..end].to_vec();
                data.splice(at..at, part);
            }
        }
    }
    data
}

#[test]
fn no_file_makes_the_reader_panic() {
    replay("wav", offhook_media::fuzzing::wav);
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_that_a_sound_server_says_makes_us_panic() {
    replay("pulse", offhook_media::fuzzing::pulse);
}

fn replay(name: &str, read: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 5);
    for (index, file) in files.iter().enumerate() {
        let data = std::fs::read(file).expect("readable");
        read(&data);
        for seed in 0..400 {
            read(&mutate(&data, seed + index as u64 * 1_000));
        }
    }
}
