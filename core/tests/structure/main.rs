//! What holds for the source as a whole: no import rings, and a public API that changes only when somebody means it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

mod examples;
mod graph;
mod public_api;
mod rings;
mod source;
