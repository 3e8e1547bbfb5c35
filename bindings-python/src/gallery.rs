//! The gallery: the people who are known.

use std::ffi::CStr;
use std::sync::{Arc, OnceLock};

use faceattend_core::embedding::Embedding as CoreEmbedding;
use faceattend_core::engine::Embedder;
use faceattend_core::gallery::{Gallery as CoreGallery, Identification as CoreIdentification, Match as CoreMatch};
use faceattend_core::recognition::GalleryLoad;
use faceattend_core::types::{StudentId, Threshold};
use pyo3::exceptions::PyDeprecationWarning;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

use crate::embedding::{Embedding, calibration_of};
use crate::gil::{attached, detached};

/// A person that a face resembles.
#[pyclass(module = "faceattend", frozen, get_all)]
pub(crate) struct Match {
    /// The id of the person.
    student_id: i64,
    /// How similar the faces are, in [0, 1], on the scale of every threshold.
    similarity: f32,
    /// The raw cosine behind the similarity, in [-1, 1].
    cosine: f32,
}

impl From<CoreMatch> for Match {
    fn from(found: CoreMatch) -> Self {
        Self { student_id: found.student.0, similarity: found.similarity.value(), cosine: found.cosine.0 }
    }
}

#[pymethods]
impl Match {
    /// Returns the match as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("student_id", self.student_id)?;
        dict.set_item("similarity", self.similarity)?;
        dict.set_item("cosine", self.cosine)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Match(student_id={}, similarity={:.3})", self.student_id, self.similarity)
    }
}

/// Whose face one view shows. It is true where the person is known.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Identification(CoreIdentification);

#[pymethods]
impl Identification {
    /// Whether the most similar person reaches the threshold.
    #[getter]
    fn known(&self) -> bool {
        matches!(self.0, CoreIdentification::Known { .. })
    }

    /// The most similar person, known or not; ``None`` when the gallery is empty.
    #[getter]
    fn best(&self) -> Option<Match> {
        self.0.best().map(Match::from)
    }

    /// The known person's id; ``None`` when nobody reaches the threshold.
    #[getter]
    fn student_id(&self) -> Option<i64> {
        match self.0 {
            CoreIdentification::Known { best, .. } => Some(best.student.0),
            CoreIdentification::Unknown { .. } => None,
        }
    }

    /// How much more similar the known person is than the next one; 0 where nobody is known.
    #[getter]
    fn margin(&self) -> f32 {
        match self.0 {
            CoreIdentification::Known { margin, .. } => margin,
            CoreIdentification::Unknown { .. } => 0.0,
        }
    }

    /// Returns the answer as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("known", self.known())?;
        dict.set_item("student_id", self.student_id())?;
        dict.set_item("margin", self.margin())?;
        dict.set_item("best", self.best().map(|best| best.to_dict(py)).transpose()?)?;
        Ok(dict)
    }

    fn __bool__(&self) -> bool {
        self.known()
    }

    fn __repr__(&self) -> String {
        format!("Identification(known={}, student_id={:?})", self.known(), self.student_id())
    }
}

/// The people who are known, each by the mean of their templates. Threads may share one: searches never wait for
/// writers.
///
/// The first embedding decides which model it is for; those of another raise ``ModelMismatchError``.
///
/// Examples
/// --------
/// >>> gallery = faceattend.Gallery()
/// >>> gallery.insert(7, engine.embed("center.jpg"))                  # doctest: +SKIP
/// >>> gallery.identify(engine.embed("left.jpg")).student_id          # doctest: +SKIP
/// 7
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Gallery {
    inner: OnceLock<Arc<CoreGallery>>,
}

impl Gallery {
    /// The core's gallery, for the embeddings of `embedder` if it is not for others already.
    pub(crate) fn core(&self, embedder: &Embedder) -> Arc<CoreGallery> {
        Arc::clone(self.inner.get_or_init(|| Arc::new(CoreGallery::new(embedder.clone()))))
    }

    /// The core's gallery, if anybody has been in it.
    pub(crate) fn if_made(&self) -> Option<Arc<CoreGallery>> {
        self.inner.get().map(Arc::clone)
    }

    fn for_embeddings(&self, templates: &[CoreEmbedding]) -> faceattend_core::Result<Option<Arc<CoreGallery>>> {
        if let Some(gallery) = self.inner.get() {
            return Ok(Some(Arc::clone(gallery)));
        }
        let Some(first) = templates.first() else { return Ok(None) };
        let embedder = Embedder::new(first.model().clone(), first.values().len(), calibration_of(first.model())?);
        Ok(Some(self.core(&embedder)))
    }

    fn change(
        &self,
        py: Python<'_>,
        templates: &Bound<'_, PyAny>,
        change: impl FnOnce(&CoreGallery, &[CoreEmbedding]) -> faceattend_core::Result<()> + Send,
    ) -> PyResult<()> {
        let templates = templates_of(templates)?;
        detached(py, || match self.for_embeddings(&templates)? {
            Some(gallery) => change(&gallery, &templates),
            None => Ok(()),
        })
    }
}

/// One embedding, or several.
pub(crate) fn templates_of(value: &Bound<'_, PyAny>) -> PyResult<Vec<CoreEmbedding>> {
    if let Ok(one) = value.cast::<Embedding>() {
        return Ok(vec![one.get().inner.clone()]);
    }
    value.try_iter()?.map(|each| Ok(each?.cast::<Embedding>()?.get().inner.clone())).collect()
}

#[pymethods]
impl Gallery {
    #[new]
    fn new() -> Self {
        Self { inner: OnceLock::new() }
    }

    /// Adds templates to those of a person, who is matched by the mean of all of them from then on.
    ///
    /// Parameters
    /// ----------
    /// student_id : int
    ///     Whose templates they are.
    /// templates : Embedding or iterable of Embedding
    ///     Several views of a person are recognized more surely than one.
    ///
    /// Raises
    /// ------
    /// ModelMismatchError
    ///     For an embedding of another model. Nothing is added then.
    fn insert(&self, py: Python<'_>, student_id: i64, templates: &Bound<'_, PyAny>) -> PyResult<()> {
        self.change(py, templates, |gallery, templates| gallery.insert(StudentId(student_id), templates))
    }

    /// Adds templates.
    ///
    /// .. deprecated:: 0.2
    ///     Use ``insert``, which this calls.
    fn add(&self, py: Python<'_>, student_id: i64, templates: &Bound<'_, PyAny>) -> PyResult<()> {
        const OLD: &CStr = c"Gallery.add is deprecated: use Gallery.insert";
        PyErr::warn(py, &py.get_type::<PyDeprecationWarning>(), OLD, 1)?;
        self.insert(py, student_id, templates)
    }

    /// Replaces the templates of a person by these. No search sees the person missing in between.
    fn replace(&self, py: Python<'_>, student_id: i64, templates: &Bound<'_, PyAny>) -> PyResult<()> {
        self.change(py, templates, |gallery, templates| gallery.replace(StudentId(student_id), templates))
    }

    /// Removes a person, and returns whether the person was there.
    fn remove(&self, py: Python<'_>, student_id: i64) -> PyResult<bool> {
        detached(py, || Ok(self.inner.get().is_some_and(|gallery| gallery.remove(StudentId(student_id)))))
    }

    /// Replaces everybody by these people, at once, and returns how many there are.
    ///
    /// Parameters
    /// ----------
    /// people : mapping or iterable of pairs
    ///     From a person's id to an embedding or several.
    fn load(&self, py: Python<'_>, people: &Bound<'_, PyAny>) -> PyResult<usize> {
        let pairs = match people.cast::<PyMapping>() {
            Ok(mapping) => mapping.items()?.into_any(),
            Err(_) => people.clone(),
        };
        let mut all = Vec::new();
        for pair in pairs.try_iter()? {
            let (student, templates): (i64, Bound<'_, PyAny>) = pair?.extract()?;
            all.push((StudentId(student), templates_of(&templates)?));
        }
        detached(py, || {
            let first = all.iter().find_map(|(_, templates)| templates.first().cloned());
            match self.for_embeddings(first.as_slice())? {
                Some(gallery) => gallery.load(all),
                None => Ok(0),
            }
        })
    }

    /// Returns the ``k`` people most similar to an embedding, most similar first. The search is exact.
    ///
    /// Raises
    /// ------
    /// ModelMismatchError
    ///     For an embedding of another model.
    #[pyo3(signature = (probe, k=5))]
    fn search(&self, py: Python<'_>, probe: &Embedding, k: usize) -> PyResult<Vec<Match>> {
        let Some(gallery) = self.inner.get() else { return Ok(Vec::new()) };
        let found = detached(py, || gallery.search(&probe.inner, k))?;
        Ok(found.into_iter().map(Match::from).collect())
    }

    /// Returns whose face an embedding is.
    ///
    /// Parameters
    /// ----------
    /// probe : Embedding
    /// threshold : float
    ///     From which similarity a person is known, in [0, 1].
    #[pyo3(signature = (probe, threshold=0.7))]
    fn identify(&self, py: Python<'_>, probe: &Embedding, threshold: f32) -> PyResult<Identification> {
        let threshold = attached(py, || Threshold::new(threshold))?;
        let Some(gallery) = self.inner.get() else {
            return Ok(Identification(CoreIdentification::Unknown { best: None }));
        };
        detached(py, || gallery.identify(&probe.inner, threshold)).map(Identification)
    }

    /// The model whose embeddings it takes; ``None`` until the first one.
    #[getter]
    fn model(&self) -> Option<String> {
        self.inner.get().map(|gallery| gallery.embedder().model.to_string())
    }

    /// The number of templates.
    #[getter]
    fn templates(&self) -> usize {
        self.inner.get().map_or(0, |gallery| gallery.templates())
    }

    /// The number of people.
    #[getter]
    fn people(&self) -> usize {
        self.__len__()
    }

    /// Returns whether a person has a template here.
    fn contains(&self, student_id: i64) -> bool {
        self.__contains__(student_id)
    }

    /// The number of people.
    fn __len__(&self) -> usize {
        self.inner.get().map_or(0, |gallery| gallery.people())
    }

    fn __contains__(&self, student_id: i64) -> bool {
        self.inner.get().is_some_and(|gallery| gallery.contains(StudentId(student_id)))
    }

    fn __repr__(&self) -> String {
        format!("<faceattend.Gallery of {} people>", self.__len__())
    }
}

/// What was loaded from a store, and what was left out.
pub(crate) fn loaded<'py>(py: Python<'py>, load: &GalleryLoad) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("people", load.people)?;
    dict.set_item("of_other_models", load.of_other_models)?;
    dict.set_item("legacy", load.legacy)?;
    Ok(dict)
}
