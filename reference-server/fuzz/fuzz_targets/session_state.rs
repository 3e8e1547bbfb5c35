//! Fuzzes [`faceattend_fuzz::session_state`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::session_state::check, data));
