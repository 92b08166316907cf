//! Session descriptions, as an offer and as an answer.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_rtp::fuzzing::sdp(data));
