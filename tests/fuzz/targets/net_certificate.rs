//! Certificates that are read to explain a refusal.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_net::fuzzing::certificate(data));
