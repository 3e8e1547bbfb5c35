//! The wiring of the stages.

mod analysis;

pub use analysis::{Analysis, AnalyzeOptions, Depth, Embedder, Face, FaceEngine, Selection};
