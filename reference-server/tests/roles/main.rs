//! Asks every route of the server's own document with every kind of token. The table says who may ask what; a route
//! without a row, and a row without a route, fail the test.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod document;
mod kiosk;
mod matrix;
mod pages;
mod sockets;
mod table;
mod tokens;
