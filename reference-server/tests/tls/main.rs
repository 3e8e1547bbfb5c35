//! TLS in the server, before it and behind it: handshakes, HTTP/2, certificates that change, proxies, PostgreSQL.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod client;
mod dawdlers;
mod encrypted;
mod http_2;
mod plain;
mod postgres;
mod process;
mod proxies;
mod renewed;
