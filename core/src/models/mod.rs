//! Model packs and the sessions that run them.

mod add;
#[cfg(feature = "download")]
pub mod download;
mod hash;
pub mod manifest;
mod pack;
mod part_file;
#[cfg(feature = "download")]
mod request;
mod runtime;
pub(crate) mod session;
pub mod store;

pub use add::Added;
pub use runtime::runtime_library;
pub use session::{ExecutionProvider, ModelSource, RuntimeOptions, loaded_runtime};
