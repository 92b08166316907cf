//! Replays the corpora of the fuzz targets, and seeded mutations of them.

use std::path::Path;

use offhook_stun::fuzzing;
use offhook_testkit::corpus::replay;

fn check(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    assert!(replay(&folder, 5_000, 8_445, run) >= 2);
}

#[test]
fn message() {
    check("message", fuzzing::message);
}

#[test]
fn stream() {
    check("stream", fuzzing::stream);
}
