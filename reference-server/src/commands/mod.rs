//! The subcommands of the `faceattend` binary.

pub mod admin;
pub mod calibrate;
pub mod database;
pub mod db;
pub mod doctor;
pub mod eval;
pub mod keys;
pub mod models;
pub mod serve;
pub mod settings;
