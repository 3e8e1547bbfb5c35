//! What an engine returns.

use faceattend_core::antispoof::PassivePad;
use faceattend_core::engine::Face as CoreFace;
use faceattend_core::geometry::Rect;
use faceattend_core::pose::Pose as CorePose;
use faceattend_core::quality::Quality as CoreQuality;
use numpy::PyArray2;
use numpy::ndarray::ArrayView2;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::embedding::Embedding;

/// A head pose in degrees, in the frame as received.
#[pyclass(module = "faceattend", frozen, get_all)]
pub(crate) struct Pose {
    /// Positive when the nose points to the right edge of the image.
    yaw: f32,
    /// Positive when the face looks up.
    pitch: f32,
    /// Positive when the head leans clockwise as seen.
    roll: f32,
    /// Where the nose lies between the eyes: 0 straight ahead. It does not move when a flat picture of a face is
    /// turned.
    nose_offset: f32,
}

#[pymethods]
impl Pose {
    /// Returns the figures as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("yaw", self.yaw)?;
        dict.set_item("pitch", self.pitch)?;
        dict.set_item("roll", self.roll)?;
        dict.set_item("nose_offset", self.nose_offset)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Pose(yaw={:.1}, pitch={:.1}, roll={:.1})", self.yaw, self.pitch, self.roll)
    }
}

/// Figures about one view of a face, and the reasons against enrolling or matching it.
#[pyclass(module = "faceattend", frozen, get_all)]
pub(crate) struct Quality {
    /// The distance between the eyes, in frame pixels.
    eye_distance: f32,
    /// Variance of the Laplacian of the gray face, aligned to 112 x 112.
    sharpness: f32,
    /// Mean luminance of the aligned face, in [0, 255].
    brightness: f32,
    /// The part of the face box that lies inside the frame, in [0, 1].
    visible: f32,
    /// Codes of the reasons against this view (``"blurred"``, ``"too_dark"`` ...); empty for a good one.
    reasons: Vec<&'static str>,
    /// For each reason, what the person in front of the camera can do about it.
    advice: Vec<&'static str>,
}

#[pymethods]
impl Quality {
    /// Returns the figures as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("eye_distance", self.eye_distance)?;
        dict.set_item("sharpness", self.sharpness)?;
        dict.set_item("brightness", self.brightness)?;
        dict.set_item("visible", self.visible)?;
        dict.set_item("reasons", &self.reasons)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Quality(reasons={:?})", self.reasons)
    }
}

/// One face of a frame. Coordinates are pixels of the frame, x to the right, y down.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Face {
    inner: CoreFace,
    embedding: Option<Py<Embedding>>,
}

impl Face {
    pub(crate) fn new(py: Python<'_>, mut inner: CoreFace) -> PyResult<Self> {
        let embedding = inner.embedding.take().map(|embedding| Py::new(py, Embedding::from(embedding))).transpose()?;
        Ok(Self { inner, embedding })
    }
}

/// (x1, y1, x2, y2).
pub(crate) type Corners = (f32, f32, f32, f32);

pub(crate) fn corners(rect: &Rect) -> Corners {
    (rect.x1, rect.y1, rect.x2, rect.y2)
}

#[pymethods]
impl Face {
    /// The box as (x1, y1, x2, y2). It may reach over the frame's edge.
    #[getter]
    fn bbox(&self) -> Corners {
        corners(&self.inner.bbox)
    }

    /// The detector's score, in [0, 1].
    #[getter]
    fn score(&self) -> f32 {
        self.inner.score
    }

    /// Five points (x, y): the eye on the image's left, the one on its right, the nose, the mouth's corners; or
    /// ``None``.
    #[getter]
    fn landmarks(&self) -> Option<Vec<(f32, f32)>> {
        self.inner.landmarks.map(|points| points.0.iter().map(|p| (p.x, p.y)).collect())
    }

    /// The face mesh as a new array, 468 x 3 of (x, y, depth), where the engine has a mesh model; or ``None``.
    #[getter]
    fn mesh<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray2<f32>>> {
        let points = self.inner.mesh.as_ref()?.points();
        let view = ArrayView2::from_shape((points.len(), 3), points.as_flattened()).ok()?;
        Some(PyArray2::from_array(py, &view))
    }

    /// The head pose, from ``depth="pose"`` on.
    #[getter]
    fn pose(&self) -> Option<Pose> {
        self.inner.pose.map(|CorePose { yaw, pitch, roll, nose_offset, .. }| Pose {
            yaw: yaw.0,
            pitch: pitch.0,
            roll: roll.0,
            nose_offset,
        })
    }

    /// Size, sharpness and light, from ``depth="pose"`` on.
    #[getter]
    fn quality(&self) -> Option<Quality> {
        let CoreQuality { eye_distance, sharpness, brightness, visible, reasons, .. } = self.inner.quality.as_ref()?;
        Some(Quality {
            eye_distance: *eye_distance,
            sharpness: *sharpness,
            brightness: *brightness,
            visible: *visible,
            reasons: reasons.iter().map(|reason| reason.code()).collect(),
            advice: reasons.iter().map(|reason| reason.advice()).collect(),
        })
    }

    /// The embedding, from ``depth="embedding"`` on.
    #[getter]
    fn embedding(&self, py: Python<'_>) -> Option<Py<Embedding>> {
        self.embedding.as_ref().map(|embedding| embedding.clone_ref(py))
    }

    /// The probability of a living face by the passive check, in [0, 1]; ``None`` where it did not run.
    #[getter]
    fn real(&self) -> Option<f32> {
        self.inner.antispoof.real()
    }

    /// Why the passive check did not run; ``None`` where it did.
    #[getter]
    fn real_unavailable(&self) -> Option<&'static str> {
        match self.inner.antispoof {
            PassivePad::Scored { .. } => None,
            PassivePad::Unavailable { reason } => Some(reason),
        }
    }

    /// Returns the face as a dictionary that ``json.dumps`` takes. It holds no embedding: that identifies the person.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        let (x1, y1, x2, y2) = self.bbox();
        dict.set_item("bbox", PyList::new(py, [x1, y1, x2, y2])?)?;
        dict.set_item("score", self.score())?;
        let points = self.inner.landmarks.map(|points| points.0.map(|p| [p.x, p.y]));
        dict.set_item("landmarks", points.map(|points| points.to_vec()))?;
        dict.set_item("pose", self.pose().map(|pose| pose.to_dict(py)).transpose()?)?;
        dict.set_item("quality", self.quality().map(|quality| quality.to_dict(py)).transpose()?)?;
        dict.set_item("real", self.real())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let Rect { x1, y1, x2, y2 } = self.inner.bbox;
        format!("Face(bbox=({x1:.0}, {y1:.0}, {x2:.0}, {y2:.0}), score={:.2})", self.inner.score)
    }
}
