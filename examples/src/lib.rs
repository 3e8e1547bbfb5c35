//! The type that the example programs share.

use std::error::Error;

/// The result of an example: any error ends it with its message.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Compiles the Rust example of the repository's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// Compiles the Rust examples of the book.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/start/rust.md")]
#[doc = include_str!("../../docs/src/cookbook/compare.md")]
struct Book;
