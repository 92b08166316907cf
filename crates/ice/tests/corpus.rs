//! Replays the corpus of every fuzz target, and seeded mutations of it.

use std::path::Path;

use offhook_ice::fuzzing;
use offhook_testkit::corpus::replay;

fn check(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    assert!(replay(&folder, 5_000, 8_445, run) >= 4);
}

#[test]
fn agent() {
    check("agent", fuzzing::agent);
}
