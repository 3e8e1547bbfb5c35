//! The wiring of the stages.

mod analysis;
mod builder;
mod pool;
mod workbench;

pub use analysis::{Analysis, AnalyzeOptions, Depth, Embedder, Face, FaceEngine, Selection};
pub use builder::{ANTISPOOF_PACK, Antispoof, EngineBuilder};

use crate::error::Result;
use crate::frame::Frame;
use pool::Pool;
use workbench::Workbench;

/// Finds, measures and embeds faces. One instance serves every thread: each call takes a workbench of its own out of a
/// bounded pool, so as many frames are analyzed at once as the thread budget allows, each on its caller's thread.
///
/// ```no_run
/// use faceattend_core::decode::{DecodeLimits, decode};
/// use faceattend_core::engine::{AnalyzeOptions, Engine, FaceEngine as _};
///
/// # fn main() -> faceattend_core::Result<()> {
/// let engine = Engine::builder().build()?;
/// let bytes = std::fs::read("person.jpg").expect("a picture");
/// let analysis = engine.analyze(&decode(&bytes, &DecodeLimits::default())?, &AnalyzeOptions::default())?;
/// for face in &analysis.faces {
///     println!("{:?} {:?} {:?}", face.bbox, face.pose, face.embedding);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Engine {
    pool: Pool<Workbench>,
    embedder: Embedder,
    description: EngineDescription,
}

/// What an engine runs, for logs, health checks and support.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineDescription {
    /// The detector's family and file.
    pub detector: String,
    /// The embedder's model id.
    pub embedder: String,
    /// The antispoof networks, or why there are none.
    pub antispoof: String,
    /// Whether the antispoof networks run.
    pub passive_check: PassiveCheck,
    /// How many frames are analyzed at once.
    pub threads: usize,
}

/// Whether an engine's passive antispoof networks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassiveCheck {
    /// They look at every face that is taken that far.
    Runs,
    /// Their pack, [`ANTISPOOF_PACK`], is not on this machine: liveness rests on the movements alone.
    NotInstalled,
    /// Somebody has switched them off.
    Off,
}

impl Engine {
    /// A builder: the default pack on the CPU unless told otherwise.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// What it runs.
    #[must_use]
    pub fn description(&self) -> &EngineDescription {
        &self.description
    }
}

impl FaceEngine for Engine {
    fn analyze(&self, frame: &Frame<'_>, options: &AnalyzeOptions) -> Result<Analysis> {
        self.pool.with(|workbench| workbench.analyze(frame, options))
    }

    fn deepen(&self, frame: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> Result<()> {
        if faces.is_empty() { Ok(()) } else { self.pool.with(|workbench| workbench.deepen(frame, faces, depth)) }
    }

    fn embedder(&self) -> &Embedder {
        &self.embedder
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({:?})", self.description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Engine>();
        shared::<std::sync::Arc<dyn FaceEngine>>();
    }
}
