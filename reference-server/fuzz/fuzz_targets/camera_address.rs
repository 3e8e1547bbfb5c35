//! Fuzzes [`faceattend_fuzz::camera_address`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::camera_address::check, data));
