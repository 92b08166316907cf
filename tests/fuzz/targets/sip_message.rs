//! SIP messages.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_sip::fuzzing::message::fuzz(data));
