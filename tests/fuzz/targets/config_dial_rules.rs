//! Dial rules.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::dial_rules(data));
