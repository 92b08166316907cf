//! Answers of the cloud's sign-in.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::webex(data));
