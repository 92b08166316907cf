//! The corpora and mutations of them go through the fuzzer's entries.

use std::path::Path;

use offhook_report::fuzzing;
use offhook_testkit::corpus::replay;

#[track_caller]
fn check(folder: &str, rounds: u32, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder);
    assert!(replay(&folder, rounds, 7, target) > 0);
}

#[test]
fn reports_that_somebody_sent() {
    check("zip", 2_000, fuzzing::zip);
}

#[test]
fn bodies_are_redacted_once_and_for_all() {
    check("body", 4_000, fuzzing::body);
}

#[test]
fn texts_are_redacted_once_and_for_all() {
    check("text", 4_000, fuzzing::text);
}
