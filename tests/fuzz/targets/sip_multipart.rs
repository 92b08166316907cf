//! Bodies of several parts.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_sip::fuzzing::multipart::fuzz(data));
