//! Every reader bears its corpus and mutations of it: no panic, and the invariants hold.

use std::path::Path;

use offhook_signin::fuzzing;
use offhook_testkit::corpus::replay;

#[test]
fn returned() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join("returned");
    assert!(replay(&folder, 2000, 0x0ff_400c, fuzzing::returned) > 0);
}
