//! The answer of a proxy's script.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_net::fuzzing::pac_result(data));
