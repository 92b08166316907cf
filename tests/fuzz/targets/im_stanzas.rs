//! Stanzas of a stranger, a colleague or the server.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_im::fuzzing::fuzz(
    data,
    std::time::Instant::now()
));
