//! Fuzzes [`faceattend_fuzz::http_mjpeg`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::http_mjpeg::check, data));
