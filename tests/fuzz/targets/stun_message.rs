//! A datagram as a STUN message.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_stun::fuzzing::message(data));
