//! SRTP and SRTCP packets.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_rtp::fuzzing::srtp(data));
