//! The reference server.

pub mod commands;
