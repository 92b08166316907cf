//! SIP messages cut from a stream.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_sip::fuzzing::framing::fuzz(data));
