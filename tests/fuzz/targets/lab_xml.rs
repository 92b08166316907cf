//! The laboratory's XML.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_lab::fuzzing::xml(data));
