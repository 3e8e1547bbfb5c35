//! Model packs and the sessions that run them.

#[cfg(feature = "download")]
pub mod download;
pub mod manifest;
mod runtime;
pub mod session;
pub mod store;

pub use session::{ExecutionProvider, ModelSession, ModelSource, RuntimeOptions, loaded_runtime};
