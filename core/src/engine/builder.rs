//! Builds an engine: models, threads and limits.

use std::num::NonZero;
use std::path::PathBuf;

use super::analysis::Embedder;
use super::plan::{DEFAULT_PACK, DetectorChoice, Plan, again, channels, embedded, role, spec_for, spec_of};
use super::pool::Pool;
use super::{Engine, EngineDescription, PassiveCheck};
use crate::detection::{DetectOptions, DetectorKind};
use crate::embedding::{EmbedderSpec, Flip};
use crate::error::Result;
use crate::frame::ChannelOrder;
use crate::models::manifest::{Manifest, ModelFile, Pack, Role};
use crate::models::session::{ExecutionProvider, ModelSource, RuntimeOptions};
use crate::models::store::{ModelStore, hash_of};
use crate::pose::PoseFit;
use crate::quality::QualityOptions;

/// The pack with the passive antispoof networks.
pub const ANTISPOOF_PACK: &str = "minifasnet";
/// Why there is no passive verdict when the pack is not installed.
const NO_ANTISPOOF: &str = "the antispoof models are not installed: run `faceattend models pull minifasnet`";
const ANTISPOOF_OFF: &str = "switched off";

/// The use of passive antispoof networks.
///
/// ```
/// use faceattend_core::Engine;
/// use faceattend_core::engine::{Antispoof, PassiveCheck};
///
/// let engine = Engine::builder().with_antispoof(Antispoof::Off).build()?;
/// assert_eq!(engine.description().passive_check, PassiveCheck::Off);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Antispoof {
    /// They run when their pack is installed.
    #[default]
    Auto,
    /// They never run.
    Off,
    /// These files, each with the size of its crop over the face box in tenths (27 and 40 for the usual two).
    Files(Vec<(PathBuf, u32)>),
}

/// The choices behind an [`Engine`].
///
/// ```
/// use std::num::NonZero;
///
/// use faceattend_core::Engine;
/// use faceattend_core::detection::{DetectOptions, InputSize};
///
/// let engine = Engine::builder()
///     .with_detect_options(DetectOptions::default().with_min_score(0.6).with_input_size(InputSize::Fixed(512)))
///     .with_threads(NonZero::<usize>::MIN)
///     .build()?;
/// # drop(engine);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct EngineBuilder {
    pack: Option<String>,
    models_folder: Option<PathBuf>,
    detector: Option<(PathBuf, Option<DetectorKind>)>,
    embedder: Option<(PathBuf, Option<EmbedderSpec>)>,
    embedder_channels: Option<ChannelOrder>,
    antispoof: Antispoof,
    flip: Option<Flip>,
    detect: DetectOptions,
    quality: QualityOptions,
    runtime: RuntimeOptions,
    threads: Option<NonZero<usize>>,
}

impl Engine {
    /// Loads the default models on the CPU.
    ///
    /// # Errors
    /// Those of [`EngineBuilder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Returns a builder, which loads the default models on the CPU unless told otherwise.
    ///
    /// ```
    /// use std::num::NonZero;
    ///
    /// use faceattend_core::Engine;
    ///
    /// let engine = Engine::builder().with_threads(NonZero::<usize>::MIN).build()?;
    /// assert_eq!(engine.description().threads, 1);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }
}

impl EngineBuilder {
    /// Uses the detector and the embedder of this pack of the manifest; it must be installed (`faceattend models
    /// pull`).
    ///
    /// ```
    /// use faceattend_core::{Engine, ErrorKind};
    ///
    /// // A pack that is not installed is an error that says what to run.
    /// let error = Engine::builder().with_models_folder("/nowhere").with_pack("buffalo_l").build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Model);
    /// ```
    #[must_use]
    pub fn with_pack(mut self, name: impl Into<String>) -> Self {
        self.pack = Some(name.into());
        self
    }

    /// Looks for installed packs in this folder instead of the usual ones.
    #[must_use]
    pub fn with_models_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.models_folder = Some(folder.into());
        self
    }

    /// Uses this detection model; its family is told by its outputs unless `kind` says so.
    ///
    /// ```
    /// use faceattend_core::Engine;
    ///
    /// let engine = Engine::builder().with_detector_file("../models/default/blazeface.onnx", None).build()?;
    /// assert!(engine.description().detector.contains("blazeface.onnx"));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_detector_file(mut self, path: impl Into<PathBuf>, kind: Option<DetectorKind>) -> Self {
        self.detector = Some((path.into(), kind));
        self
    }

    /// Uses this embedding model. Without `spec` the manifest is asked by the file's hash; a file it does not know is
    /// taken as ArcFace-class: RGB unless [`with_embedder_channels`](Self::with_embedder_channels) says otherwise,
    /// (byte - 127.5) / 127.5, the 112 x 112 template, similarity (cosine + 1) / 2.
    #[must_use]
    pub fn with_embedder_file(mut self, path: impl Into<PathBuf>, spec: Option<EmbedderSpec>) -> Self {
        self.embedder = Some((path.into(), spec));
        self
    }

    /// Sets the order of the channels that the embedder's file wants, for a file that no pack knows. Embeddings
    /// made in another order than RGB carry a model id of their own (`NAME@HASH-bgr`), so that nothing is matched
    /// across the two.
    #[must_use]
    pub fn with_embedder_channels(mut self, order: ChannelOrder) -> Self {
        self.embedder_channels = Some(order);
        self
    }

    /// Chooses the passive antispoof networks.
    #[must_use]
    pub fn with_antispoof(mut self, antispoof: Antispoof) -> Self {
        self.antispoof = antispoof;
        self
    }

    /// Embeds the mirrored face too and averages both, or not. Default: as the model's figures were measured.
    #[must_use]
    pub fn with_flip(mut self, flip: Flip) -> Self {
        self.flip = Some(flip);
        self
    }

    /// Sets what counts as a face.
    #[must_use]
    pub fn with_detect_options(mut self, detect: DetectOptions) -> Self {
        self.detect = detect;
        self
    }

    /// Sets the limits below which a view is not good enough.
    #[must_use]
    pub fn with_quality_options(mut self, quality: QualityOptions) -> Self {
        self.quality = quality;
        self
    }

    /// Sets the execution provider that runs the models.
    #[must_use]
    pub fn with_provider(mut self, provider: ExecutionProvider) -> Self {
        self.runtime.provider = provider;
        self
    }

    /// Sets the ONNX Runtime library to load, instead of the first one found.
    #[must_use]
    pub fn with_onnxruntime(mut self, library: impl Into<PathBuf>) -> Self {
        self.runtime.library = Some(library.into());
        self
    }

    /// Sets the thread budget: how many frames are analyzed at once, each on its caller's thread. Default: the
    /// processors this process may use, cgroup limits included.
    ///
    /// ```
    /// use std::num::NonZero;
    ///
    /// use faceattend_core::Engine;
    ///
    /// let engine = Engine::builder().with_threads(NonZero::new(2).expect("two")).build()?;
    /// assert_eq!(engine.description().threads, 2);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_threads(mut self, threads: NonZero<usize>) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Threads inside one run of one model, for a single caller that wants its one answer sooner. Default 1: on a busy
    /// machine two are slower than one (83 against 44 ms, SCRFD-2.5G on two cores).
    #[must_use]
    pub fn with_threads_per_run(mut self, threads: NonZero<usize>) -> Self {
        self.runtime.threads_per_run = threads.get();
        self
    }

    /// Builds the engine. Loads every model once, so that a broken one shows here.
    ///
    /// # Errors
    /// [`Error::Runtime`](crate::Error::Runtime), [`Error::Model`](crate::Error::Model) or
    /// [`Error::InvalidInput`](crate::Error::InvalidInput), each saying what to do.
    pub fn build(self) -> Result<Engine> {
        self.detect.check()?;
        self.quality.check()?;
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let plan = self.plan()?;
        let mut workbench = plan.workbench()?;
        let spec = workbench.embedder.spec();
        let embedder = Embedder {
            model: spec.model.clone(),
            calibration: spec.calibration.clone(),
            dimension: workbench.embedder.dimension()?,
        };
        let description = EngineDescription {
            detector: format!("{:?} ({})", workbench.detector.kind(), plan.detector_name()),
            embedder: embedder.model.to_string(),
            antispoof: match &plan.antispoof {
                Ok(files) => files.iter().map(|(file, _)| file.name()).collect::<Vec<_>>().join(", "),
                Err(reason) => (*reason).to_owned(),
            },
            passive_check: match &plan.antispoof {
                Ok(_) => PassiveCheck::Runs,
                Err(reason) if *reason == NO_ANTISPOOF => PassiveCheck::NotInstalled,
                Err(_) => PassiveCheck::Off,
            },
            threads,
        };
        let reads_pitch = workbench.detector.kind() != DetectorKind::Yunet;
        Ok(Engine { pool: Pool::new(workbench, threads, move || plan.workbench()), embedder, description, reads_pitch })
    }

    fn plan(self) -> Result<Plan> {
        let manifest = Manifest::embedded()?;
        let store = ModelStore::locate(self.models_folder.as_deref());
        let pack = manifest.pack(self.pack.as_deref().unwrap_or(DEFAULT_PACK))?;
        let source = |pack: &Pack, file: &ModelFile| -> Result<ModelSource> {
            match embedded(pack, file) {
                Some(source) => Ok(source),
                None => store.as_ref().map_err(again)?.verified(pack, file).map(ModelSource::File),
            }
        };

        let detector = if let Some((path, kind)) = self.detector {
            let model = ModelSource::File(path);
            let known = manifest.file_with_hash(&hash_of(&model.bytes()?)).and_then(|(_, file)| file.yaw_fit);
            DetectorChoice { model, kind, yaw_fit: known }
        } else {
            let file = role(pack, Role::Detector)?;
            DetectorChoice { model: source(pack, file)?, kind: DetectorKind::of(file.kind), yaw_fit: file.yaw_fit }
        };
        let mut embedder = match self.embedder {
            Some((path, spec)) => {
                let model = ModelSource::File(path);
                let spec = match (spec, self.embedder_channels) {
                    (Some(_), Some(_)) => return Err(channels("the embedder's specification says them already")),
                    (Some(spec), None) => spec,
                    (None, channels) => spec_for(&model, manifest, channels)?,
                };
                (model, spec)
            }
            None if self.embedder_channels.is_some() => {
                return Err(channels("a pack says itself what its embedder wants: name the embedder's file too"));
            }
            None => {
                let file = role(pack, Role::Embedder)?;
                (source(pack, file)?, spec_of(file)?)
            }
        };
        if let Some(flip) = self.flip {
            embedder.1.flip = flip;
        }
        // The mesh of the default pack serves every detector that gives no points.
        let default = manifest.pack(DEFAULT_PACK)?;
        let mesh_file = default.file(Role::Mesh);
        let mesh = mesh_file.map(|file| source(default, file)).and_then(Result::ok);
        let mesh_fit = mesh_file.and_then(|file| file.yaw_fit).map_or(PoseFit::MESH, |yaw| PoseFit::MESH.with_yaw(yaw));
        let antispoof = match self.antispoof {
            Antispoof::Off => Err(ANTISPOOF_OFF),
            #[expect(clippy::cast_precision_loss, reason = "a few tenths")]
            Antispoof::Files(files) => {
                Ok(files.into_iter().map(|(path, tenths)| (ModelSource::File(path), tenths as f32 / 10.0)).collect())
            }
            Antispoof::Auto => {
                let pack = manifest.pack(ANTISPOOF_PACK)?;
                let installed = |file: &ModelFile| store.as_ref().is_ok_and(|store| store.path(pack, file).exists());
                if pack.files.iter().all(installed) {
                    let with_scale = |file: &ModelFile| {
                        let scale = file.preprocessing.crop_scale.unwrap_or(2.7);
                        source(pack, file).map(|model| (model, scale))
                    };
                    Ok(pack.files.iter().map(with_scale).collect::<Result<Vec<_>>>()?)
                } else {
                    Err(NO_ANTISPOOF)
                }
            }
        };
        Ok(Plan {
            detector,
            mesh,
            mesh_fit,
            embedder,
            antispoof,
            detect: self.detect,
            quality: self.quality,
            runtime: self.runtime,
        })
    }
}
