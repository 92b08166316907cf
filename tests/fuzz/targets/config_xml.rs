//! The tree reader below all XML of servers.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::xml(data));
