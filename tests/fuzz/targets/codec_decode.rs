//! Payloads of any bytes through every decoder.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_codec::fuzzing::fuzz(data));
