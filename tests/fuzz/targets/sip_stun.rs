//! Answers to the keep-alive of a SIP flow.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_sip::fuzzing::stun::fuzz(data));
