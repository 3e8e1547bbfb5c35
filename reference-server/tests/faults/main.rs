//! The server while things break: killed at random, its disk full or read-only, its database held, restarted or gone,
//! its memory short. What it has answered with success stays, nobody is marked twice or under another's name, and it
//! says what is wrong and goes on when that is over.
//!
//! `cargo xtask faults` runs all of it for long; a plain `cargo test` a little of each.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, says its figures, and why it is skipped"
)]

mod client;
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod database;
mod disk;
mod killed;
mod load;
mod locked;
mod memory;
mod postgres_away;
mod server;
mod waiting;
