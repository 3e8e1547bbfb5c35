//! The engine: every stage of the analysis of a frame, wired together.

mod analysis;
mod builder;
mod encoded;
mod plan;
mod pool;
mod single_face;
mod workbench;

pub use analysis::{Analysis, AnalyzeOptions, Depth, Embedder, Face, FaceEngine, Selection};
pub use builder::{ANTISPOOF_PACK, Antispoof, EngineBuilder};
pub(crate) use single_face::DOMINANCE;
pub use single_face::SingleFace;

use crate::decode::{DecodeLimits, Reducible};
use crate::error::Result;
use crate::frame::Frame;
use crate::preprocess::Pixels;
use pool::Pool;
use workbench::Workbench;

/// Finds, measures and embeds faces.
///
/// One engine serves every thread. Each call takes a workbench (a session of each model and its buffers) out of a
/// bounded pool, so as many frames are analyzed at once as the thread budget allows, each on its caller's thread.
///
/// ```
/// use faceattend_core::{AnalyzeOptions, Engine, Frame};
///
/// let engine = Engine::new()?;
/// let frame = Frame::open("../examples/media/hopper/left.jpg")?;
/// for face in engine.analyze(&frame, &AnalyzeOptions::default())?.faces {
///     println!("{:?} {:?} {:?}", face.bbox, face.pose, face.embedding);
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
pub struct Engine {
    pool: Pool<Workbench>,
    embedder: Embedder,
    description: EngineDescription,
    reads_pitch: bool,
}

/// The models and the threads of an engine, for logs, health checks and support.
///
/// ```
/// use faceattend_core::Engine;
///
/// let description = Engine::new()?.description().clone();
/// println!("{} and {}, antispoof: {}", description.detector, description.embedder, description.antispoof);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineDescription {
    /// The detector's family and file.
    pub detector: String,
    /// The embedder's model id.
    pub embedder: String,
    /// The antispoof networks, or why there are none.
    pub antispoof: String,
    /// Whether the antispoof networks run.
    pub passive_check: PassiveCheck,
    /// The number of frames analyzed at once.
    pub threads: usize,
}

/// Whether an engine's passive antispoof networks run.
///
/// ```
/// use faceattend_core::Engine;
/// use faceattend_core::engine::PassiveCheck;
///
/// if Engine::new()?.description().passive_check == PassiveCheck::NotInstalled {
///     println!("run `faceattend models pull minifasnet`");
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassiveCheck {
    /// They run on every face that is analyzed to that depth.
    Runs,
    /// Their pack, [`ANTISPOOF_PACK`], is not on this machine: liveness rests on the movements alone.
    NotInstalled,
    /// They are switched off.
    Off,
}

impl Engine {
    /// Finds the faces of `frame` and takes them as far as `options` say: pose, quality, embedding, antispoof.
    ///
    /// ```
    /// use faceattend_core::{AnalyzeOptions, Depth, Engine, Frame, Selection};
    ///
    /// let engine = Engine::new()?;
    /// let frame = Frame::open("../examples/media/hopper/left.jpg")?;
    /// let options = AnalyzeOptions::default().with_depth(Depth::Pose).with_selection(Selection::Largest);
    /// let face = &engine.analyze(&frame, &options)?.faces[0];
    /// // Her left is the right edge of the picture, and yaw is positive there.
    /// assert!(face.pose.is_some_and(|pose| pose.yaw.0 > 10.0));
    /// assert!(face.embedding.is_none());
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Only for what is wrong with a model or the options. A frame without faces is an empty [`Analysis`].
    pub fn analyze(&self, frame: &Frame<'_>, options: &AnalyzeOptions) -> Result<Analysis> {
        self.pool.with(|workbench| workbench.analyze(&mut { frame }, options))
    }

    /// Decodes a JPEG, PNG or WebP and finds its faces as [`analyze`](Self::analyze) does, in pixels of the upright
    /// picture. To [`Depth::Detection`] the usual JPEG is decoded at a part of its size where the detector looks at no
    /// more, which takes less time.
    ///
    /// ```
    /// use faceattend_core::decode::DecodeLimits;
    /// use faceattend_core::{AnalyzeOptions, Depth, Engine};
    ///
    /// let engine = Engine::new()?;
    /// let bytes = std::fs::read("../examples/media/hopper/center.jpg").expect("a picture");
    /// let options = AnalyzeOptions::default().with_depth(Depth::Detection);
    /// let analysis = engine.analyze_encoded(&bytes, &DecodeLimits::default(), &options)?;
    /// assert_eq!(analysis.faces.len(), 1);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze), and [`Error::InvalidImage`](crate::Error::InvalidImage) as
    /// [`decode`](crate::decode::decode).
    pub fn analyze_encoded(&self, bytes: &[u8], limits: &DecodeLimits, options: &AnalyzeOptions) -> Result<Analysis> {
        let mut picture = Reducible::open(bytes, limits)?;
        if options.depth > Depth::Detection {
            // What follows the detector needs all pixels, and they serve it as well. No place in the pool is taken yet.
            Pixels::part(&mut picture, 1.0)?;
        }
        self.pool.with(|workbench| workbench.analyze(&mut picture, options))
    }

    /// Finds the faces of `frame`, largest first, and takes them no further: boxes, scores and, from most detectors,
    /// five points.
    ///
    /// ```
    /// use faceattend_core::{Engine, Frame};
    ///
    /// let engine = Engine::new()?;
    /// let faces = engine.detect(&Frame::open("../examples/media/hopper/center.jpg")?)?;
    /// assert_eq!(faces.len(), 1);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze).
    pub fn detect(&self, frame: &Frame<'_>) -> Result<Vec<Face>> {
        Ok(self.analyze(frame, &AnalyzeOptions::default().with_depth(Depth::Detection))?.faces)
    }

    /// Embeds the one face of a picture, or says why there is none to take.
    ///
    /// ```
    /// use faceattend_core::{Engine, Frame, Threshold};
    ///
    /// let engine = Engine::new()?;
    /// let center = engine.embed(&Frame::open("../examples/media/hopper/center.jpg")?)?.into_template()?;
    /// let left = engine.embed(&Frame::open("../examples/media/hopper/left.jpg")?)?.into_embedding();
    /// let similarity = engine.embedder().similarity(&center, &left.expect("a face"))?;
    /// assert!(Threshold::ACROSS_TURNS.admits(similarity));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze). No face, several faces and a poor view are values of [`SingleFace`].
    pub fn embed(&self, frame: &Frame<'_>) -> Result<SingleFace> {
        SingleFace::find(self, frame, None)
    }

    /// Takes `faces`, which were detected in this very frame, as far as `depth`: see [`FaceEngine::deepen`].
    ///
    /// ```
    /// use faceattend_core::{Depth, Engine, Frame};
    ///
    /// let engine = Engine::new()?;
    /// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
    /// let mut faces = engine.detect(&frame)?;
    /// // Embed only what is large enough.
    /// faces.retain(|face| face.bbox.width() > 60.0);
    /// engine.deepen(&frame, &mut faces, Depth::Embedding)?;
    /// assert!(faces[0].embedding.is_some());
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze).
    pub fn deepen(&self, frame: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> Result<()> {
        if faces.is_empty() { Ok(()) } else { self.pool.with(|workbench| workbench.deepen(frame, faces, depth)) }
    }

    /// Returns what makes the embeddings: model, dimension and scale.
    #[must_use]
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// Returns whether its points follow a nod: YuNet's hardly do.
    #[must_use]
    pub fn reads_pitch(&self) -> bool {
        self.reads_pitch
    }

    /// Returns what the engine runs.
    #[must_use]
    pub fn description(&self) -> &EngineDescription {
        &self.description
    }
}

impl FaceEngine for Engine {
    fn analyze(&self, frame: &Frame<'_>, options: &AnalyzeOptions) -> Result<Analysis> {
        self.analyze(frame, options)
    }

    fn analyze_encoded(&self, bytes: &[u8], limits: &DecodeLimits, options: &AnalyzeOptions) -> Result<Analysis> {
        self.analyze_encoded(bytes, limits, options)
    }

    fn deepen(&self, frame: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> Result<()> {
        self.deepen(frame, faces, depth)
    }

    fn embedder(&self) -> &Embedder {
        self.embedder()
    }

    fn reads_pitch(&self) -> bool {
        self.reads_pitch
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
