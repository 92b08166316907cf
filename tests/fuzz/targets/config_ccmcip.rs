//! The device list of Communications Manager 8.x.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::ccmcip(data));
