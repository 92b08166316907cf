//! SOAP answers of the IM and Presence node.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::soap(data));
