//! Fuzzes [`faceattend_fuzz::portable_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::portable_file::check, data));
