//! The laboratory's DNS queries.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_lab::fuzzing::dns(data));
