//! A relay's stream, cut into messages.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_stun::fuzzing::stream(data));
