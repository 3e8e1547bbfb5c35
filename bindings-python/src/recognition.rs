//! Live recognition: the faces of one camera across its frames.

use std::sync::{Arc, Mutex, PoisonError};

use faceattend_core::engine::FaceEngine;
use faceattend_core::recognition::{RecognitionOptions, RecognizedFace as CoreFace, Recognizer as CoreRecognizer};
use faceattend_core::tracking::{Decision, TrackingOptions};
use faceattend_core::types::{Similarity, Threshold};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::attendance::{AttendanceBook, Marking};
use crate::engine::Engine;
use crate::face::{Corners, corners};
use crate::frame::{Picture, captured_or_now};
use crate::gallery::Gallery;
use crate::gil::attached;
use crate::per_process::PerProcess;
use crate::time::moment;

/// A face of a frame, and whose face it is, as far as its views agree.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct RecognizedFace(CoreFace);

#[pymethods]
impl RecognizedFace {
    /// The box as (x1, y1, x2, y2), in pixels of the frame.
    #[getter]
    fn bbox(&self) -> Corners {
        corners(&self.0.bbox)
    }

    /// The number of the track: the same face has the same number in the frames before and after.
    #[getter]
    fn track(&self) -> u64 {
        self.0.track.0
    }

    /// ``"waiting"`` for more views, ``"unknown"`` or ``"known"``.
    #[getter]
    fn decision(&self) -> &'static str {
        match self.0.decision {
            Decision::Waiting => "waiting",
            Decision::Unknown => "unknown",
            Decision::Known { .. } => "known",
        }
    }

    /// The id of the person; ``None`` while the face is not known.
    #[getter]
    fn student_id(&self) -> Option<i64> {
        self.0.student().map(|student| student.0)
    }

    /// How similar the face is, in the best of the agreeing views, in [0, 1]; ``None`` unless known.
    #[getter]
    fn similarity(&self) -> Option<f32> {
        self.0.similarity().map(Similarity::value)
    }

    /// Returns the face as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        let (x1, y1, x2, y2) = self.bbox();
        dict.set_item("bbox", vec![x1, y1, x2, y2])?;
        dict.set_item("track", self.track())?;
        dict.set_item("decision", self.decision())?;
        dict.set_item("student_id", self.student_id())?;
        dict.set_item("similarity", self.similarity())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("RecognizedFace(track={}, decision={:?})", self.track(), self.decision())
    }
}

/// What a frame showed.
#[pyclass(module = "faceattend", frozen, get_all)]
pub(crate) struct Recognition {
    /// The faces, largest first.
    faces: Vec<Py<RecognizedFace>>,
    /// What came of marking each student that was recognized; empty without an attendance book.
    marks: Vec<Py<Marking>>,
}

#[pymethods]
impl Recognition {
    fn __repr__(&self) -> String {
        format!("Recognition({} faces, {} marks)", self.faces.len(), self.marks.len())
    }
}

/// Recognizes the faces of one camera: it follows them across frames, and all views of a face decide together.
///
/// Parameters
/// ----------
/// engine : Engine
/// gallery : Gallery
///     Shared by all cameras.
/// book : AttendanceBook, optional
///     Where recognized people are marked.
/// camera_location : str, optional
///     The place that marks name.
/// threshold : float
///     Below which similarity nobody is named, in [0, 1].
/// agreeing : int
///     How many good views have to show the same person.
/// false_names : float
///     The share of strangers that may be named, however long they stay. With the number of templates in the gallery it
///     sets how much evidence names somebody.
///
/// Examples
/// --------
/// >>> recognizer = faceattend.Recognizer(engine, gallery, book=book)  # doctest: +SKIP
/// >>> for frame in camera:                                           # doctest: +SKIP
/// ...     print([face.student_id for face in recognizer.process(frame).faces])
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Recognizer {
    inner: PerProcess<Mutex<CoreRecognizer>>,
}

#[pymethods]
impl Recognizer {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, which Python callers give by name")]
    #[pyo3(signature = (
        engine, gallery, *, book=None, camera_location=None, threshold=0.7, agreeing=2, false_names=0.001
    ))]
    fn new(
        py: Python<'_>,
        engine: Py<Engine>,
        gallery: Py<Gallery>,
        book: Option<Py<AttendanceBook>>,
        camera_location: Option<String>,
        threshold: f32,
        agreeing: usize,
        false_names: f32,
    ) -> PyResult<Self> {
        let threshold = attached(py, || Threshold::new(threshold))?;
        let tracking = TrackingOptions::default().with_agreeing(agreeing.max(1));
        let tracking = attached(py, || tracking.with_false_names(false_names))?;
        let options = RecognitionOptions::default().with_threshold(threshold).with_tracking(tracking);
        let make = move || {
            let core = engine.get().core()?;
            let gallery = gallery.get().core(core.embedder());
            let recognizer = CoreRecognizer::new(core as Arc<dyn FaceEngine>, gallery, &options);
            Ok(Mutex::new(match &book {
                Some(book) => recognizer.with_marker(book.get().marker()?, camera_location.clone()),
                None => recognizer,
            }))
        };
        Ok(Self { inner: PerProcess::new(make) })
    }

    /// Returns what a frame shows, and the marks that it leads to.
    ///
    /// Parameters
    /// ----------
    /// frame : array, bytes, str, path or image
    ///     See ``Engine.analyze``.
    /// color : {"bgr", "rgb"}
    ///     The order of an array's channels.
    /// now : datetime or float, optional
    ///     When it was captured. Default: as the frame itself says, else now.
    #[pyo3(signature = (frame, *, color="bgr", now=None))]
    fn process(&self, frame: &Bound<'_, PyAny>, color: &str, now: Option<&Bound<'_, PyAny>>) -> PyResult<Recognition> {
        let py = frame.py();
        let now = now.map(moment).transpose()?;
        let report = Picture::of(frame, color)?.with(py, |frame| {
            let recognizer = self.inner.get()?;
            let mut recognizer = recognizer.lock().unwrap_or_else(PoisonError::into_inner);
            recognizer.process(frame, now.unwrap_or_else(|| captured_or_now(frame)))
        })?;
        Ok(Recognition {
            faces: report.faces.into_iter().map(|face| Py::new(py, RecognizedFace(face))).collect::<PyResult<_>>()?,
            marks: report.marks.into_iter().map(|mark| Py::new(py, Marking::from(mark))).collect::<PyResult<_>>()?,
        })
    }

    fn __repr__(&self) -> &'static str {
        "<faceattend.Recognizer>"
    }
}
