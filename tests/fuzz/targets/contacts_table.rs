//! Tables of contacts.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_contacts::fuzzing::table(data));
