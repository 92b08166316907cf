//! What systems say of their proxy settings.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_net::fuzzing::proxy_settings(data));
