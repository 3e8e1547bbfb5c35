//! The question to an engine, its answer, and the trait for other engines.

use serde::{Deserialize, Serialize};

use crate::antispoof::PassivePad;
use crate::decode::{DecodeLimits, decode};
use crate::detection::InputSize;
use crate::embedding::{Calibration, Embedding};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::{Landmarks5, Point, Rect};
use crate::landmarks::Mesh;
use crate::pose::Pose;
use crate::quality::Quality;
use crate::types::{ModelId, Similarity};

/// The depth of an analysis. Each level includes the ones before it.
///
/// ```
/// use faceattend_core::{AnalyzeOptions, Depth, Engine, Frame};
///
/// let engine = Engine::new()?;
/// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
/// let boxes = engine.analyze(&frame, &AnalyzeOptions::default().with_depth(Depth::Detection))?;
/// assert!(boxes.faces[0].embedding.is_none());
/// let embedded = engine.analyze(&frame, &AnalyzeOptions::default().with_depth(Depth::Embedding))?;
/// assert!(embedded.faces[0].embedding.is_some());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// Boxes and, where the detector gives them, points.
    Detection,
    /// Points, head pose and quality.
    Pose,
    /// The embedding: what recognition needs.
    Embedding,
    /// The passive antispoof score: what liveness needs.
    Antispoof,
}

/// Which of several faces to take further than detection.
///
/// ```
/// use faceattend_core::{AnalyzeOptions, Selection};
///
/// let options = AnalyzeOptions::default().with_selection(Selection::Largest);
/// assert_eq!(options.selection, Selection::Largest);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Every face, largest first.
    #[default]
    All,
    /// The one with the largest box.
    Largest,
    /// The one whose center is nearest to the frame's, weighed against its size.
    MostCentral,
}

/// Options of an analysis.
///
/// ```
/// use faceattend_core::geometry::Rect;
/// use faceattend_core::{AnalyzeOptions, Depth, Selection};
///
/// let options = AnalyzeOptions::default()
///     .with_depth(Depth::Pose)
///     .with_selection(Selection::MostCentral)
///     .with_region(Rect::new(0.0, 0.0, 640.0, 360.0));
/// assert_eq!(options.depth, Depth::Pose);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct AnalyzeOptions {
    /// The depth of the analysis of each selected face. Default: everything.
    pub depth: Depth,
    /// Which faces to take there. Faces not selected are still listed, with their detection only, after the others.
    pub selection: Selection,
    /// The region to look in, in frame pixels: a region of interest or a track's neighborhood. Default: everywhere.
    pub region: Option<Rect>,
    /// The input size, where the caller knows better than the engine's own options: in a region around a face of
    /// known size. Default: as the engine was built.
    pub input_size: Option<InputSize>,
}

impl Default for AnalyzeOptions {
    fn default() -> Self {
        Self { depth: Depth::Antispoof, selection: Selection::All, region: None, input_size: None }
    }
}

impl AnalyzeOptions {
    /// Returns the same options, taking faces as far as `depth`.
    #[must_use]
    pub fn with_depth(mut self, depth: Depth) -> Self {
        self.depth = depth;
        self
    }

    /// Returns the same options, choosing faces by `selection`.
    #[must_use]
    pub fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Returns the same options, looking in `region` of the frame only.
    ///
    /// ```
    /// use faceattend_core::geometry::Rect;
    /// use faceattend_core::{AnalyzeOptions, Engine, Frame};
    ///
    /// let engine = Engine::new()?;
    /// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
    /// // Nothing can be found in a region that misses the frame.
    /// let outside = AnalyzeOptions::default().with_region(Rect::new(-50.0, -50.0, -10.0, -10.0));
    /// assert!(engine.analyze(&frame, &outside)?.faces.is_empty());
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_region(mut self, region: Rect) -> Self {
        self.region = Some(region);
        self
    }

    /// Returns the same options, looking this closely.
    #[must_use]
    pub fn with_input_size(mut self, input_size: InputSize) -> Self {
        self.input_size = Some(input_size);
        self
    }
}

/// One face of a frame, in frame pixels.
///
/// ```
/// use faceattend_core::{AnalyzeOptions, Engine, Frame};
///
/// let engine = Engine::new()?;
/// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
/// let face = engine.analyze(&frame, &AnalyzeOptions::default())?.faces.remove(0);
/// println!("{:?}, score {:.2}", face.bbox, face.score);
/// println!("yaw {}", face.pose.expect("the default depth has a pose").yaw);
/// println!("{} values", face.embedding.expect("and an embedding").values().len());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Face {
    /// The box of the detector, as far as it lies in the frame.
    pub bbox: Rect,
    /// The same box whole: a face at the border goes on beyond it. What is measured by the size of a face takes this.
    pub(crate) whole: Rect,
    /// The detector's score, in [0, 1].
    pub score: f32,
    /// The five points, once the depth reached [`Depth::Pose`] or the detector gave them.
    pub landmarks: Option<Landmarks5>,
    /// The eyes on the image's left and right, from detectors that give those alone.
    pub eyes: Option<[Point; 2]>,
    /// The 468 points, when the engine has a mesh model.
    pub mesh: Option<Mesh>,
    /// The head pose, from [`Depth::Pose`] on.
    pub pose: Option<Pose>,
    /// Size, sharpness, light and what speaks against using this view, from [`Depth::Pose`] on.
    pub quality: Option<Quality>,
    /// The embedding, from [`Depth::Embedding`] on; `None` when there was nothing to align by.
    pub embedding: Option<Embedding>,
    /// The passive antispoof verdict, from [`Depth::Antispoof`] on.
    pub antispoof: PassivePad,
}

impl Face {
    /// Cuts the box at the borders of a frame of this size.
    pub(crate) fn clip(&mut self, width: u32, height: u32) {
        self.bbox = self.whole.clipped(width, height);
    }

    /// Creates a face that has been detected and taken no further.
    ///
    /// ```
    /// use faceattend_core::engine::Face;
    /// use faceattend_core::geometry::Rect;
    ///
    /// let face = Face::detected(Rect::new(0.0, 0.0, 80.0, 80.0), 0.9, None);
    /// assert!(face.pose.is_none() && face.embedding.is_none());
    /// ```
    #[must_use]
    pub fn detected(bbox: Rect, score: f32, landmarks: Option<Landmarks5>) -> Self {
        Self {
            bbox,
            whole: bbox,
            score,
            landmarks,
            eyes: None,
            mesh: None,
            pose: None,
            quality: None,
            embedding: None,
            antispoof: PassivePad::not_run(),
        }
    }
}

/// The faces that an engine found in a frame.
///
/// ```
/// use faceattend_core::{Analysis, ChannelOrder, Engine, Frame};
///
/// let nothing = Frame::new(vec![90; 3 * 64 * 64], 64, 64, ChannelOrder::Rgb)?;
/// let analysis: Analysis = Engine::new()?.analyze(&nothing, &Default::default())?;
/// assert!(analysis.faces.is_empty());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Analysis {
    /// The faces: those taken furthest first, then by the area of their boxes, largest first.
    pub faces: Vec<Face>,
    /// The longer side of the detector's input that found them, in pixels.
    pub input_size: u32,
}

impl Analysis {
    /// Creates the analysis of an engine of your own from the faces that it found.
    #[must_use]
    pub fn of(faces: Vec<Face>) -> Self {
        Self { faces, input_size: 0 }
    }
}

/// The properties of an engine's embeddings: their model, their length and their scale.
///
/// ```
/// use faceattend_core::Engine;
///
/// let engine = Engine::new()?;
/// let embedder = engine.embedder();
/// println!("{} with {} values", embedder.model, embedder.dimension);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Embedder {
    /// The tag on every embedding.
    pub model: ModelId,
    /// The number of values.
    pub dimension: usize,
    /// The map from this model's cosine to similarity.
    pub calibration: Calibration,
}

impl Embedder {
    /// Describes the embeddings of `model`: `dimension` values each, with `calibration` from cosine to similarity.
    #[must_use]
    pub fn new(model: ModelId, dimension: usize, calibration: Calibration) -> Self {
        Self { model, dimension, calibration }
    }

    /// Returns how alike two embeddings of this model are, on the scale of every threshold.
    ///
    /// ```
    /// use faceattend_core::embedding::Calibration;
    /// use faceattend_core::engine::Embedder;
    /// use faceattend_core::{Embedding, ModelId};
    ///
    /// let model = ModelId::new("example");
    /// let embedder = Embedder::new(model.clone(), 2, Calibration::arcface());
    /// let (a, b) = (Embedding::from_raw(model.clone(), &[1.0, 0.0])?, Embedding::from_raw(model, &[0.0, 1.0])?);
    /// assert_eq!(embedder.similarity(&a, &a)?.value(), 1.0);
    /// assert_eq!(embedder.similarity(&a, &b)?.value(), 0.5);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ModelMismatch`](crate::Error::ModelMismatch) unless this embedder's model made both.
    pub fn similarity(&self, a: &Embedding, b: &Embedding) -> Result<Similarity> {
        for embedding in [a, b] {
            if embedding.model() != &self.model {
                return Err(Error::ModelMismatch {
                    expected: self.model.to_string(),
                    got: embedding.model().to_string(),
                });
            }
        }
        Ok(self.calibration.similarity(a.cosine(b)?))
    }
}

/// The size of the region around a face that is analyzed again, in box sides: room for the detector's margin.
const AROUND: f32 = 2.0;
/// The overlap (IoU) of a face with itself when it is found again.
const SAME_FACE: f32 = 0.3;

/// An engine as the server and the bindings hold it: the real one, or a test's.
///
/// ```
/// use faceattend_core::embedding::Calibration;
/// use faceattend_core::engine::{Analysis, AnalyzeOptions, Embedder};
/// use faceattend_core::{FaceEngine, Frame, ModelId, Result};
///
/// /// An engine that sees nobody.
/// struct Blind(Embedder);
///
/// impl FaceEngine for Blind {
///     fn analyze(&self, _: &Frame<'_>, _: &AnalyzeOptions) -> Result<Analysis> {
///         Ok(Analysis::of(Vec::new()))
///     }
///
///     fn embedder(&self) -> &Embedder {
///         &self.0
///     }
/// }
///
/// let blind = Blind(Embedder::new(ModelId::new("none"), 1, Calibration::arcface()));
/// assert_eq!(blind.embedder().dimension, 1);
/// ```
pub trait FaceEngine: Send + Sync {
    /// Finds the faces of `frame` and takes them as far as `options` say.
    ///
    /// # Errors
    /// Only for what is wrong with the engine or the frame; a frame without faces is an empty [`Analysis`].
    fn analyze(&self, frame: &Frame<'_>, options: &AnalyzeOptions) -> Result<Analysis>;

    /// Decodes a picture and analyzes it. An engine that looks at fewer pixels than a picture has may decode fewer.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze), and [`Error::InvalidImage`] as [`decode`].
    fn analyze_encoded(&self, bytes: &[u8], limits: &DecodeLimits, options: &AnalyzeOptions) -> Result<Analysis> {
        self.analyze(&decode(bytes, limits)?, options)
    }

    /// Takes `faces`, which were detected in this very frame, as far as `depth`; what they hold already is kept. Faces
    /// that a closer look finds to be none are removed. For a caller who chooses by what it sees: live recognition
    /// detects every face and embeds the few that are worth it.
    ///
    /// An engine that cannot go on where it stopped looks around each face again, which is what this does by itself.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze).
    fn deepen(&self, frame: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> Result<()> {
        let mut deeper = Vec::with_capacity(faces.len());
        for face in faces.iter() {
            let around = face.bbox.scaled(AROUND);
            let options = AnalyzeOptions::default().with_depth(depth).with_region(around);
            let again = self.analyze(frame, &options)?.faces.into_iter();
            let same = again.max_by(|a, b| a.bbox.iou(&face.bbox).total_cmp(&b.bbox.iou(&face.bbox)));
            deeper.extend(same.filter(|again| again.bbox.iou(&face.bbox) >= SAME_FACE));
        }
        *faces = deeper;
        Ok(())
    }

    /// Returns what makes the embeddings: model, dimension and scale.
    fn embedder(&self) -> &Embedder;

    /// Returns whether the pitch that it reads follows a nod. Yes, unless it says otherwise.
    fn reads_pitch(&self) -> bool {
        true
    }
}
