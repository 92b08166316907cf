//! Numbers as people type and paste them.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_contacts::fuzzing::number(data));
