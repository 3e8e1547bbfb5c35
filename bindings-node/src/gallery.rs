//! The gallery: the people who are known.

use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::gallery::{Gallery as CoreGallery, Identification as CoreIdentification, Match as CoreMatch};
use faceattend_core::recognition::load_gallery;
use faceattend_core::types::{ModelId, StudentId, Threshold};
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use crate::embedding::{self, Embedding};
use crate::engine::Engine;
use crate::error::{OrThrow as _, invalid};
use crate::job::{Job, job};
use crate::store::Store;

/// A person that a face resembles.
#[napi(object)]
pub struct Match {
    /// The key of the person.
    pub student_id: i64,
    /// How similar the face and the mean of the person's templates are, in [0, 1].
    pub similarity: f64,
    /// The raw cosine behind it, in [-1, 1].
    pub cosine: f64,
}

/// Whose face one view shows.
#[napi(object, use_nullable = true)]
pub struct Identification {
    /// Whether the most similar person reaches the threshold.
    pub known: bool,
    /// The most similar person, known or not; `null` when the gallery is empty.
    pub best: Option<Match>,
    /// How much more similar a known person is than the next one, on the similarity scale; `null` when unknown.
    pub margin: Option<f64>,
}

/// Which templates of a store a gallery has taken.
#[napi(object)]
pub struct GalleryLoad {
    /// Students that can be recognized.
    pub people: u32,
    /// Templates left out because another model made them: those students have to enrol again.
    pub of_other_models: u32,
    /// Templates left out because nobody has said which model made them.
    pub legacy: u32,
}

/// How a gallery is filled from a store.
#[napi(object, object_to_js = false)]
pub struct GalleryLoadOptions {
    /// The model that made the templates of an older service that do not say so. Default: they are left out.
    pub legacy_model: Option<String>,
}

/// The people who are known, each by the mean of their templates, in memory. Searches never wait for writers. It holds
/// embeddings of one engine's model only.
#[napi]
pub struct Gallery {
    pub(crate) inner: Arc<CoreGallery>,
}

#[napi]
impl Gallery {
    /// Makes an empty gallery for the embeddings of `engine`.
    #[napi(constructor)]
    pub fn new(engine: &Engine) -> Self {
        Self { inner: Arc::new(CoreGallery::new(engine.inner.embedder().clone())) }
    }

    /// Adds templates to those of a student, who is matched by the mean of all of them from then on. Throws
    /// `model_mismatch`, and adds nothing, for an embedding of another model.
    #[napi]
    pub fn insert(&self, student_id: f64, templates: Vec<Embedding>) -> napi::Result<()> {
        let insert = || self.inner.insert(student(student_id)?, &embedding::take_all(&templates)?);
        insert().or_throw()
    }

    /// Replaces the templates of a student by these. No search sees the person missing in between.
    #[napi]
    pub fn replace(&self, student_id: f64, templates: Vec<Embedding>) -> napi::Result<()> {
        let replace = || self.inner.replace(student(student_id)?, &embedding::take_all(&templates)?);
        replace().or_throw()
    }

    /// Removes a student, and returns whether the person was there.
    #[napi]
    pub fn remove(&self, student_id: f64) -> napi::Result<bool> {
        student(student_id).map(|student| self.inner.remove(student)).or_throw()
    }

    /// Returns whether a student has a template here.
    #[napi]
    pub fn contains(&self, student_id: f64) -> napi::Result<bool> {
        student(student_id).map(|student| self.inner.contains(student)).or_throw()
    }

    /// The number of people.
    #[napi(getter)]
    pub fn people(&self) -> u32 {
        count(self.inner.people())
    }

    /// The number of templates.
    #[napi(getter)]
    pub fn templates(&self) -> u32 {
        count(self.inner.templates())
    }

    /// Resolves to the `k` people most similar to `probe`, most similar first. The search is exact, and runs off the
    /// main thread, because a million people take tens of milliseconds.
    #[napi(ts_args_type = "probe: Embedding, k: number, options?: Abortable", ts_return_type = "Promise<Array<Match>>")]
    pub fn search(&self, probe: Embedding, k: f64) -> napi::Result<AsyncTask<Job<Vec<Match>>>> {
        let (gallery, probe) = (self.inner.clone(), embedding::take(&probe).or_throw()?);
        let k = whole("k", k).or_throw()?;
        Ok(job(move || Ok(gallery.search(&probe, k)?.iter().map(Into::into).collect())))
    }

    /// Resolves to whose face `probe` is. `threshold` is on the similarity scale, in [0, 1]; default 0.7.
    #[napi(
        ts_args_type = "probe: Embedding, threshold?: number | null, options?: Abortable",
        ts_return_type = "Promise<Identification>"
    )]
    pub fn identify(&self, probe: Embedding, threshold: Option<f64>) -> napi::Result<AsyncTask<Job<Identification>>> {
        let (gallery, probe) = (self.inner.clone(), embedding::take(&probe).or_throw()?);
        let threshold = self::threshold(threshold).or_throw()?;
        Ok(job(move || Ok(gallery.identify(&probe, threshold)?.into())))
    }

    /// Replaces what the gallery holds by all the store's templates.
    #[napi(
        ts_args_type = "store: Store, options?: GalleryLoadOptions & Abortable",
        ts_return_type = "Promise<GalleryLoad>"
    )]
    pub fn load(&self, store: &Store, options: Option<GalleryLoadOptions>) -> AsyncTask<Job<GalleryLoad>> {
        let (gallery, store) = (self.inner.clone(), store.inner.clone());
        job(move || {
            let legacy = options.and_then(|options| options.legacy_model).map(ModelId::new);
            let load = load_gallery(&gallery, &*store, legacy.as_ref())?;
            Ok(GalleryLoad {
                people: count(load.people),
                of_other_models: count(load.of_other_models),
                legacy: count(load.legacy),
            })
        })
    }
}

impl From<&CoreMatch> for Match {
    fn from(matched: &CoreMatch) -> Self {
        Self {
            student_id: matched.student.0,
            similarity: matched.similarity.value().into(),
            cosine: matched.cosine.0.into(),
        }
    }
}

impl From<CoreIdentification> for Identification {
    fn from(identification: CoreIdentification) -> Self {
        let margin = match identification {
            CoreIdentification::Known { margin, .. } => Some(margin.into()),
            CoreIdentification::Unknown { .. } => None,
        };
        Self { known: margin.is_some(), best: identification.best().as_ref().map(Into::into), margin }
    }
}

pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The student with this key. JavaScript's numbers are exact to 2^53 only, so what is not is no key.
pub(crate) fn student(id: f64) -> Result<StudentId> {
    const EXACT: f64 = 9_007_199_254_740_991.0;
    if id.fract() == 0.0 && id.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
        return Ok(StudentId(id as i64));
    }
    Err(invalid("student", format!("{id} is no whole number")))
}

pub(crate) fn whole(what: &'static str, value: f64) -> Result<usize> {
    if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
        return Ok(value as usize);
    }
    Err(invalid(what, format!("{value} is no whole number from 0 on")))
}

pub(crate) fn threshold(value: Option<f64>) -> Result<Threshold> {
    #[expect(clippy::cast_possible_truncation, reason = "a threshold needs no more than an f32")]
    value.map_or(Ok(Threshold::DOCUMENTED), |value| Threshold::new(value as f32))
}
