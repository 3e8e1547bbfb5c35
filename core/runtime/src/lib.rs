//! Names the release of ONNX Runtime that [`faceattend-core`](https://docs.rs/faceattend-core) is tested with, and
//! fetches its library into the user's cache, where the core looks for it.
//!
//! The Python registry is the one place where its makers publish the library for every platform. It is fetched with
//! the machine's own pip, so mirror and proxy settings hold. What is fetched must have the pinned hash.
//!
//! Programs name the feature `fetch-runtime` of `faceattend-core`; chores of its repository use this crate itself.

mod error;
mod files;
mod library;
mod package;
mod pins;

pub use error::{Error, Result};
pub use files::{sha256, unpack};
pub use library::{Library, user_cache};
pub use package::{Form, Package};
pub use pins::VERSION;
