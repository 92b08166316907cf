//! SIP addresses.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_sip::fuzzing::uri::fuzz(data));
