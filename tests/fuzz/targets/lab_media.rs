//! The laboratory's session descriptions and RTP packets.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_lab::fuzzing::media(data));
