//! Datagrams to an agent of ICE in the middle of its work.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_ice::fuzzing::agent(data));
