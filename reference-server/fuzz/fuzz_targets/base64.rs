//! Fuzzes [`faceattend_fuzz::base64`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::base64::check, data));
