//! Fuzzes [`faceattend_fuzz::exif`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::exif::check, data));
