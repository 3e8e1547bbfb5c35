//! Fuzzes [`faceattend_fuzz::roster_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::roster_file::check, data));
