//! Messages of another device, encrypted or not.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_omemo::fuzzing::fuzz(data));
