//! A server's XMPP stream.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_xmpp::fuzzing::fuzz(data));
