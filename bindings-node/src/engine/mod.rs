//! The engine: from a frame to faces.

mod options;

use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::embedding::Embedding as CoreEmbedding;
use faceattend_core::engine::{AnalyzeOptions as CoreOptions, Depth as CoreDepth, Engine as CoreEngine, SingleFace};
use faceattend_core::types::{Cosine, Similarity};
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

pub(crate) use self::options::{AnalyzeOptions, analyze_options};
use self::options::{EngineOptions, build, with_region};
use crate::embedding::{self, Embedding};
use crate::error::OrThrow as _;
use crate::face::{Analysis, Detection, Rect};
use crate::frame::{ImageInput, Picture};
use crate::job::{Job, job};

/// Where to look for faces.
#[napi(object, object_to_js = false)]
pub struct DetectCallOptions {
    /// In frame pixels. Default: everywhere.
    pub region: Option<Rect>,
}

/// What an engine runs, for logs and health checks.
#[napi(object)]
pub struct EngineDescription {
    /// The detector's family and file.
    pub detector: String,
    /// The embedder's model id, as on every embedding.
    pub embedder: String,
    /// The number of values of an embedding.
    pub dimension: u32,
    /// The antispoof networks, or why there are none.
    pub antispoof: String,
    /// How many frames are analyzed at once.
    pub threads: u32,
}

/// Finds, measures and embeds faces. One engine serves a whole process: make it once and keep it.
#[napi]
pub struct Engine {
    pub(crate) inner: Arc<CoreEngine>,
}

#[napi]
impl Engine {
    /// Loads every model once, so that what is wrong with one shows here. Rejects with code `runtime`, `model` or
    /// `invalid_input`, each saying what to do.
    #[napi(ts_args_type = "options?: EngineOptions & Abortable", ts_return_type = "Promise<Engine>")]
    pub fn create(options: Option<EngineOptions>) -> AsyncTask<Job<Engine>> {
        job(move || Ok(Self { inner: Arc::new(build(options)?) }))
    }

    /// Resolves to the faces of `image`; a picture without faces is an empty list, not an error. All the work, decoding
    /// too, is done off the main thread.
    #[napi(
        ts_args_type = "image: ImageInput, options?: AnalyzeOptions & Abortable",
        ts_return_type = "Promise<Analysis>"
    )]
    pub fn analyze(
        &self,
        image: ImageInput,
        options: Option<AnalyzeOptions>,
    ) -> napi::Result<AsyncTask<Job<Analysis>>> {
        let (engine, picture) = (self.inner.clone(), Picture::take(image).or_throw()?);
        Ok(job(move || {
            let frame = picture.into_frame()?;
            let analysis = engine.analyze(&frame, &analyze_options(options))?;
            Ok(Analysis::of(&analysis, &frame))
        }))
    }

    /// Resolves to where the faces of `image` are, largest first. It is faster than `analyze`: a JPEG is decoded
    /// only as large as the detector needs it.
    #[napi(
        ts_args_type = "image: ImageInput, options?: DetectCallOptions & Abortable",
        ts_return_type = "Promise<Array<Detection>>"
    )]
    pub fn detect(
        &self,
        image: ImageInput,
        options: Option<DetectCallOptions>,
    ) -> napi::Result<AsyncTask<Job<Vec<Detection>>>> {
        let (engine, picture) = (self.inner.clone(), Picture::take(image).or_throw()?);
        Ok(job(move || {
            let region = options.and_then(|options| options.region);
            let options = with_region(CoreOptions::default().with_depth(CoreDepth::Detection), region);
            let analysis = picture.analyze(&engine, &options)?;
            Ok(analysis.faces.iter().map(Into::into).collect())
        }))
    }

    /// Resolves to the embedding of the largest face of `image`, or `null` when there is no face that can be aligned.
    #[napi(
        ts_args_type = "image: ImageInput, options?: DetectCallOptions & Abortable",
        ts_return_type = "Promise<Embedding | null>"
    )]
    pub fn embed(
        &self,
        image: ImageInput,
        options: Option<DetectCallOptions>,
    ) -> napi::Result<AsyncTask<Job<Option<Embedding>>>> {
        let (engine, picture) = (self.inner.clone(), Picture::take(image).or_throw()?);
        Ok(job(move || {
            let region = options.and_then(|options| options.region).map(Into::into);
            let found = SingleFace::find(&*engine, &picture.into_frame()?, region)?;
            Ok(found.into_embedding().as_ref().map(Into::into))
        }))
    }

    /// Resolves to the embedding of the only face of `image`, if it is clear enough to enrol somebody by it. A small
    /// face in the background does no harm. Rejects with `invalid_input` when there is no face, when there are
    /// several, or when the face is not clear; the message says what to do.
    #[napi(
        ts_args_type = "image: ImageInput, options?: DetectCallOptions & Abortable",
        ts_return_type = "Promise<Embedding>"
    )]
    pub fn template(
        &self,
        image: ImageInput,
        options: Option<DetectCallOptions>,
    ) -> napi::Result<AsyncTask<Job<Embedding>>> {
        let (engine, picture) = (self.inner.clone(), Picture::take(image).or_throw()?);
        Ok(job(move || {
            let region = options.and_then(|options| options.region).map(Into::into);
            let found = SingleFace::find(&*engine, &picture.into_frame()?, region)?;
            Ok((&found.into_template()?).into())
        }))
    }

    /// Returns how similar two faces are, in [0, 1]. From 0.7 on they count as one person. (cosine + 1) / 2 for
    /// ArcFace-class models, calibrated to the same false match rate for the others. Takes microseconds. Throws
    /// `model_mismatch` for embeddings of another model.
    #[napi]
    pub fn similarity(&self, a: Embedding, b: Embedding) -> napi::Result<f64> {
        self.between(&a, &b).map(|cosine| self.scaled(cosine).value().into()).or_throw()
    }

    /// Returns the raw cosine between two faces, in [-1, 1]. Its scale differs from model to model: compare
    /// similarities.
    #[napi]
    pub fn cosine(&self, a: Embedding, b: Embedding) -> napi::Result<f64> {
        self.between(&a, &b).map(|cosine| cosine.0.into()).or_throw()
    }

    /// Returns the mean of several embeddings of one person, at unit length. Throws `invalid_input` for none.
    #[napi]
    pub fn mean(&self, embeddings: Vec<Embedding>) -> napi::Result<Embedding> {
        let all = embedding::take_all(&embeddings).or_throw()?;
        CoreEmbedding::mean(&all).map(|mean| (&mean).into()).or_throw()
    }

    /// What it runs.
    #[napi(getter)]
    pub fn description(&self) -> EngineDescription {
        let of = self.inner.description();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        EngineDescription {
            detector: of.detector.clone(),
            embedder: of.embedder.clone(),
            dimension: count(self.inner.embedder().dimension),
            antispoof: of.antispoof.clone(),
            threads: count(of.threads),
        }
    }
}

impl Engine {
    fn between(&self, a: &Embedding, b: &Embedding) -> Result<Cosine> {
        embedding::take(a)?.cosine(&embedding::take(b)?)
    }

    fn scaled(&self, cosine: Cosine) -> Similarity {
        self.inner.embedder().calibration.similarity(cosine)
    }
}
