//! What people reported of other systems that do this job, tried on ours: each test says what must hold.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cameras;
#[path = "../common/mod.rs"]
mod common;
mod database;
mod exports;
mod names;
mod people;
mod pictures;
mod proxies;
mod streams;
