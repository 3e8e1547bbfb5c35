//! What holds for the source as a whole: no import rings, and a public API that changes only when somebody means it.

mod graph;
mod public_api;
mod rings;
mod source;
