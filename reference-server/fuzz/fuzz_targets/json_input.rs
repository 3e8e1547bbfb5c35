//! Fuzzes [`faceattend_fuzz::json_input`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::json_input::check, data));
