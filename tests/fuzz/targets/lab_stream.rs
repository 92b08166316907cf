//! The laboratory's XMPP streams.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_lab::fuzzing::stream(data));
