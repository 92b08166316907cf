//! Bodies of answers on their way into a report.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_report::fuzzing::body(data));
