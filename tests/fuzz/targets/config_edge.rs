//! The edge's answer to `get_edge_config`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| offhook_config::fuzzing::edge(data));
