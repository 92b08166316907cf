//! Plain bodies of messages.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_text::fuzzing::body(data));
