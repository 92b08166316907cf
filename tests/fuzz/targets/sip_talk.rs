//! What is said in SIP calls.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_sip::fuzzing::talk::fuzz(data));
