//! Sequences of wishes, messages and mishaps over one user agent.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_sip::fuzzing::operations::fuzz(
    data,
    std::time::Instant::now()
));
