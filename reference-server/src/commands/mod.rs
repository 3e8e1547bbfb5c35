//! The subcommands of the `faceattend` binary.

pub mod admin;
pub mod models;
pub mod serve;
pub mod settings;
