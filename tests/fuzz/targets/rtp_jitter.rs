//! Operations on a jitter buffer.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_rtp::fuzzing::jitter(data));
