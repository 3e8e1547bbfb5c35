//! Notices to people and systems: webhooks, letters, and what happens to them when things break.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it is skipped"
)]

#[path = "../common/mod.rs"]
mod common;
mod killed;
mod letters;
mod post_office;
mod receiver;
mod watched;
mod webhooks;
