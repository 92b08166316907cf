//! Messages of a directory server.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_ldap::fuzzing::message(data));
