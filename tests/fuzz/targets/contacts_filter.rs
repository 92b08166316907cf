//! Anything typed, as part of a question to a directory.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_contacts::ldap::fuzzing::filter(data));
