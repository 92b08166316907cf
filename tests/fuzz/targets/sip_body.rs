//! Bodies of the call manager and of subscriptions.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_sip::fuzzing::body::fuzz(data));
