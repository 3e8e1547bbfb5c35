//! Fuzzes [`faceattend_fuzz::sealed_value`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::sealed_value::check, data));
