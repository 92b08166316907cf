//! Lists of address books on servers.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_contacts::fuzzing::carddav(data));
