//! The string of a search filter.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_ldap::fuzzing::filter(data));
