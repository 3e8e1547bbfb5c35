//! Embeddings as Python holds them.

use faceattend_core::embedding::{Calibration, Embedding as CoreEmbedding};
use faceattend_core::models::manifest::Manifest;
use faceattend_core::types::{ModelId, Similarity};
use numpy::ndarray::ArrayView1;
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use crate::frame::converted;
use crate::gil::attached;

/// What `pickle` calls to make an object again, and with what.
type Reduced<'py> = (Bound<'py, PyAny>, (Bound<'py, PyBytes>, String));

/// A face as a unit vector, tagged with the model that made it. Neither ``repr`` nor ``str`` shows a value.
///
/// Only embeddings of one model can be compared; comparing others raises
/// ``ModelMismatchError``. An embedding identifies a person: do not log it. ``numpy.asarray(embedding)``,
/// ``bytes(embedding)``, ``len(embedding)`` and ``pickle`` work.
///
/// Examples
/// --------
/// >>> one = faceattend.Embedding.from_values([3.0, 4.0], "some-model")
/// >>> one.to_list()                                                  # doctest: +ELLIPSIS
/// [0.6..., 0.8...]
/// >>> one.similarity(one)
/// 1.0
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Embedding {
    pub(crate) inner: CoreEmbedding,
}

impl From<CoreEmbedding> for Embedding {
    fn from(inner: CoreEmbedding) -> Self {
        Self { inner }
    }
}

#[pymethods]
impl Embedding {
    /// Returns the embedding in ``data``, the little-endian ``float32`` bytes of the database's ``face_embedding``.
    ///
    /// Parameters
    /// ----------
    /// data : bytes
    ///     Four bytes a value.
    /// model : str
    ///     The id of the model that made it: see ``Engine.model``.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     For bytes that are no vector with a direction.
    #[classmethod]
    fn from_bytes(cls: &Bound<'_, PyType>, data: &[u8], model: &str) -> PyResult<Self> {
        attached(cls.py(), || CoreEmbedding::from_bytes(ModelId::new(model), data)).map(Self::from)
    }

    /// Returns the embedding with these values, scaled to unit length.
    ///
    /// Parameters
    /// ----------
    /// values : array_like of float
    ///     One value a dimension.
    /// model : str
    ///     The id of the model that made it.
    #[classmethod]
    fn from_values(cls: &Bound<'_, PyType>, values: &Bound<'_, PyAny>, model: &str) -> PyResult<Self> {
        let raw: Vec<f32> = match values.extract::<PyReadonlyArray1<'_, f32>>() {
            Ok(array) => array.as_array().iter().copied().collect(),
            Err(_) => values.call_method0("tolist").unwrap_or_else(|_| values.clone()).extract()?,
        };
        attached(cls.py(), || CoreEmbedding::from_raw(ModelId::new(model), &raw)).map(Self::from)
    }

    /// Returns the mean of several embeddings of one person, scaled to unit length.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     For no embedding.
    /// ModelMismatchError
    ///     For embeddings of several models.
    #[classmethod]
    fn mean(cls: &Bound<'_, PyType>, embeddings: Vec<Bound<'_, Self>>) -> PyResult<Self> {
        let all: Vec<_> = embeddings.iter().map(|embedding| embedding.get().inner.clone()).collect();
        attached(cls.py(), || CoreEmbedding::mean(&all)).map(Self::from)
    }

    /// The id of the model that made it.
    #[getter]
    fn model(&self) -> &str {
        self.inner.model().as_str()
    }

    /// The number of values.
    #[getter]
    fn dimension(&self) -> usize {
        self.inner.values().len()
    }

    /// Returns the values as a read-only NumPy array of ``float32`` and length 1, without a copy.
    fn to_numpy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let view = ArrayView1::from(slf.get().inner.values());
        // SAFETY: the view borrows from `slf`, which is frozen and is made the array's base.
        #[expect(unsafe_code, reason = "a view of a frozen object's own values")]
        let array = unsafe { PyArray1::borrow_from_array(&view, slf.clone().into_any()) };
        array.try_readwrite()?.make_nonwriteable();
        Ok(array)
    }

    /// Returns the values as the little-endian ``float32`` bytes that the database keeps.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.to_bytes())
    }

    /// Returns the values as a list of Python floats, for JSON columns.
    fn to_list(&self) -> Vec<f32> {
        self.inner.values().to_vec()
    }

    /// Returns the raw cosine to ``other``, in [-1, 1]. Its scale differs between models: see ``similarity``.
    fn cosine(&self, py: Python<'_>, other: &Self) -> PyResult<f32> {
        attached(py, || self.inner.cosine(&other.inner)).map(|cosine| cosine.0)
    }

    /// Returns how similar two faces are, in [0, 1], on the scale of every threshold. The documented threshold is 0.7.
    fn similarity(&self, py: Python<'_>, other: &Self) -> PyResult<f32> {
        attached(py, || similarity_of(&self.inner, &other.inner)).map(Similarity::value)
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        converted(Self::to_numpy(slf)?.into_any(), dtype, copy)
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.to_bytes(py)
    }

    fn __len__(&self) -> usize {
        self.dimension()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.inner == other.get().inner)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        self.inner.model().hash(&mut hasher);
        for value in self.inner.values() {
            value.to_bits().hash(&mut hasher);
        }
        hasher.finish()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
        let embedding = slf.get();
        Ok((slf.get_type().getattr("from_bytes")?, (embedding.to_bytes(slf.py()), embedding.model().to_owned())))
    }

    fn __repr__(&self) -> String {
        format!("<faceattend.Embedding of {}, {}-d>", self.inner.model(), self.dimension())
    }
}

/// Returns how similar two faces are, in [0, 1], on the scale of every threshold. The documented threshold is 0.7.
///
/// Raises
/// ------
/// ModelMismatchError
///     For embeddings of two models.
#[pyfunction]
pub(crate) fn similarity(py: Python<'_>, a: &Embedding, b: &Embedding) -> PyResult<f32> {
    a.similarity(py, b)
}

fn similarity_of(a: &CoreEmbedding, b: &CoreEmbedding) -> faceattend_core::Result<Similarity> {
    let cosine = a.cosine(b)?;
    Ok(calibration_of(a.model())?.similarity(cosine))
}

/// The calibration that the manifest gives a model; ArcFace's for one that it does not know, as the engine takes those.
pub(crate) fn calibration_of(model: &ModelId) -> faceattend_core::Result<Calibration> {
    let files = Manifest::embedded()?.packs().iter().flat_map(|pack| &pack.files);
    let known = files.filter(|file| file.model_id.as_ref() == Some(model)).find_map(|file| file.calibration.clone());
    Ok(known.unwrap_or_default())
}
