//! Problem reports that somebody sent.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_report::fuzzing::zip(data));
