//! The laboratory's SIP messages.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_lab::fuzzing::sip(data));
