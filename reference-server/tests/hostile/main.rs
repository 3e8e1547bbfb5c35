//! The server answers hostile clients clearly: with a documented status, without a panic, without a connection or
//! memory that stays taken. The server is healthy afterwards.
//!
//! Violations of HTTP go to a server in a process of its own, whose log, connections and memory the tests look at.
//! Well-formed HTTP with bad contents goes to every endpoint of a service inside the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says its figures"
)]

mod attacked;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod floods;
mod http;
mod inputs;
mod large_bodies;
mod overload;
mod pictures;
