//! The corpus and mutations of it go through the fuzzer's entry.

use std::path::Path;

use offhook_testkit::corpus::replay;
use offhook_xmpp::fuzzing;

#[test]
fn streams_of_all_kinds_do_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/stream");
    assert!(replay(&folder, 2000, 0x0ff_400c, fuzzing::fuzz) > 0);
}
