//! The subcommands of the `faceattend` binary that are not the server itself.

pub mod models;
