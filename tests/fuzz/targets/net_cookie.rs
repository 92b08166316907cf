//! `Set-Cookie` headers.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_net::fuzzing::cookie(data));
