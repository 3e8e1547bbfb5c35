#![doc = include_str!("../README.md")]
#![expect(unsafe_code, reason = "a library that is loaded while the program runs is called through pointers")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod abi;
mod capture;
mod library;
mod lookup;

pub use capture::{Capture, ReadError, Source, View, Wishes};
pub use library::{Library, LoadError};
pub use lookup::{VARIABLE, file_name};
