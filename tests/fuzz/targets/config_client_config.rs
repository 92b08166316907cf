//! The client configuration file, and the profile as a layer.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::client_config(data));
