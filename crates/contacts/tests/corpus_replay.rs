//! Every reader bears its corpus and mutations of it: no panic, and the invariants hold.

use std::path::Path;

use offhook_contacts::fuzzing;
use offhook_testkit::corpus::replay;

#[track_caller]
fn check(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    assert!(replay(&folder, 2000, 0x0ff_400c, run) > 0);
}

#[test]
fn vcard() {
    check("vcard", fuzzing::vcard);
}

#[test]
fn table() {
    check("table", fuzzing::table);
}

#[test]
fn number() {
    check("number", fuzzing::number);
}

#[test]
fn carddav() {
    check("carddav", fuzzing::carddav);
}
