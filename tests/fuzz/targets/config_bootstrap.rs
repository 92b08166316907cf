//! The bootstrap file of installer switches.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::bootstrap(data));
