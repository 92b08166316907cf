//! The laboratory's HTTP request heads.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_lab::fuzzing::http(data));
