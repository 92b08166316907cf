//! Packets that carry earlier sound once more.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_rtp::fuzzing::red(data));
