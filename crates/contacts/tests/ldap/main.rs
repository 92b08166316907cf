//! The directory by LDAP, over a double of the port.

mod groups;
mod keys;
mod people;
mod plan;
mod servers;
mod support;

use std::path::Path;

use offhook_contacts::ldap::fuzzing;
use offhook_testkit::corpus::replay;

#[test]
fn nothing_typed_changes_the_shape_of_a_question() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/filter");
    assert!(replay(&folder, 3000, 0x0ff_4003, fuzzing::filter) > 0);
}
