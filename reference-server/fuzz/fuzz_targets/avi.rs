//! Fuzzes [`faceattend_fuzz::avi`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::avi::check, data));
