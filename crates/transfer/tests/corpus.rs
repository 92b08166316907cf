//! The corpus and mutations of it go through the fuzzer's entry.

use std::path::Path;
use std::time::Instant;

use offhook_testkit::corpus::replay;
use offhook_transfer::fuzzing;

#[expect(clippy::disallowed_methods, reason = "the beginning of virtual time")]
fn check(data: &[u8]) {
    fuzzing::fuzz(data, Instant::now());
}

#[test]
fn questions_of_all_kinds_do_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/stanzas");
    assert!(replay(&folder, 400, 0x0ff_400c, check) > 0);
}
