//! A proxy's answer to CONNECT.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_net::fuzzing::connect(data));
