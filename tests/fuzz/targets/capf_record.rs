//! What a CAPF server sends.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_capf::fuzzing::record(data));
