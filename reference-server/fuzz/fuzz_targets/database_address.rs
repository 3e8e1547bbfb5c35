//! Fuzzes [`faceattend_fuzz::database_address`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faceattend_fuzz::run(faceattend_fuzz::database_address::check, data));
