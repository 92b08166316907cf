//! The address that the browser comes back with.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_signin::fuzzing::returned(data));
