//! Fuzzes [`faceattend_fuzz::naive_time`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::naive_time::check, data));
