//! XHTML-IM.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_text::fuzzing::html(data));
