//! The corpus and mutations of it go through the fuzzer's entry.

use std::path::Path;

#[test]
fn messages_of_any_form_do_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/messages");
    let count = offhook_testkit::corpus::replay(&folder, 60, 0x0e0, offhook_omemo::fuzzing::fuzz);
    assert!(count >= 4);
}
