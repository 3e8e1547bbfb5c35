//! What both sides are asked.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

/// Crops in a batch.
pub(crate) const BATCH: usize = 8;
/// Values of a gallery's row: ArcFace's.
pub(crate) const DIMENSION: usize = 512;
/// How many people a search returns.
pub(crate) const SEARCH_K: usize = 5;

/// Models of the user's own, in the place of the default pack's.
#[derive(Args, Clone, Default)]
pub(crate) struct Models {
    /// An SCRFD detector with points, in the place of the default pack's.
    #[arg(long, requires = "embedder")]
    pub(crate) detector: Option<PathBuf>,
    /// An ArcFace-class embedder, in the place of the default pack's.
    #[arg(long, requires = "detector")]
    pub(crate) embedder: Option<PathBuf>,
}

impl Models {
    /// Whether any was given.
    pub(crate) fn are_given(&self) -> bool {
        self.detector.is_some()
    }

    /// The embedder's file.
    pub(crate) fn embedder_file(&self) -> PathBuf {
        self.embedder.clone().unwrap_or_else(|| default_pack().join("sface.onnx"))
    }
}

/// The folder of the default pack.
pub(crate) fn default_pack() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/default"))
}

/// One request. Each is done once to warm up, then `repeat` times.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "task")]
pub(crate) enum Task {
    /// Everything up to the embedding, on one face in 720p.
    One { repeat: usize },
    /// The same on six faces.
    Six { repeat: usize },
    /// From base64 to boxes.
    Base64 { repeat: usize },
    /// Eight faces aligned and embedded in one run.
    Batch { repeat: usize },
    /// The most similar of `rows` people.
    Search { rows: usize, repeat: usize },
    /// A plain read of as much memory: ours alone.
    Read { bytes: usize, repeat: usize },
    /// The most memory held so far.
    Peak,
}
