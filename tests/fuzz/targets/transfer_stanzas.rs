//! Questions and answers of a stranger while files are on their way.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_transfer::fuzzing::fuzz(
    data,
    std::time::Instant::now()
));
