//! Configuration URLs.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::provision_url(data));
