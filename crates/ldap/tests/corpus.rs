//! The corpora and mutations of them go through the fuzzers' entries.

use std::path::Path;

use offhook_ldap::fuzzing;
use offhook_testkit::corpus::replay;

#[test]
fn messages_of_all_kinds_do_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/message");
    assert!(replay(&folder, 5000, 0x0ff_4001, fuzzing::message) > 0);
}

#[test]
fn filters_of_all_kinds_mean_what_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/filter");
    assert!(replay(&folder, 5000, 0x0ff_4002, fuzzing::filter) > 0);
}
