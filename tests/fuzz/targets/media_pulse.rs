//! What a sound server says on a stream.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_media::fuzzing::pulse(data));
