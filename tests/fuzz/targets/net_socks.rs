//! What a SOCKS5 client or server of a bytestream says.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_net::fuzzing::socks(data));
