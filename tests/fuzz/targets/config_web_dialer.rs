//! Answers of WebDialer.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::web_dialer(data));
