//! The kernel's lists of links, addresses and routes.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_net::fuzzing::netlink(data));
