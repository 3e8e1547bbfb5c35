//! Live recognition: the faces of one camera across its frames.

use std::sync::{Arc, Mutex, PoisonError};

use faceattend_core::engine::FaceEngine;
use faceattend_core::gate::{GateOptions, GatePolicy, LifeReason};
use faceattend_core::liveness::Position;
use faceattend_core::recognition::{
    CameraProblem as CoreProblem, RecognitionOptions, RecognitionReport, RecognizedFace as CoreFace,
    Recognizer as CoreRecognizer, Sighting as CoreSighting,
};
use faceattend_core::tracking::{Decision, TrackingOptions};
use faceattend_core::types::{Similarity, Threshold};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::attendance::{AttendanceBook, Marking};
use crate::engine::Engine;
use crate::face::{Corners, corners};
use crate::frame::{Picture, captured_or_now};
use crate::gallery::Gallery;
use crate::gil::{attached, detached};
use crate::per_process::PerProcess;
use crate::time::{datetime, moment, span};

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

    /// Whether its views show a living person: ``"live"``, ``"undecided"`` or ``"spoof"``. Nobody looks for it with
    /// ``gate="off"``, and for long only where it decides about a mark.
    #[getter]
    fn liveness(&self) -> &'static str {
        self.0.life.verdict.as_str()
    }

    /// What speaks against a living person, as a code such as ``"frozen"``; ``None`` for the living.
    #[getter]
    fn liveness_reason(&self) -> Option<&'static str> {
        self.0.life.reason.map(LifeReason::as_str)
    }

    /// The movement that the person is asked for with ``gate="ask"``: ``"left"`` and ``"right"`` (the person's own),
    /// ``"up"`` or ``"down"``. Show it on a screen beside the camera.
    #[getter]
    fn asked(&self) -> Option<&'static str> {
        self.0.asked.map(Position::as_str)
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
        dict.set_item("liveness", self.liveness())?;
        dict.set_item("liveness_reason", self.liveness_reason())?;
        dict.set_item("asked", self.asked())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("RecognizedFace(track={}, decision={:?})", self.track(), self.decision())
    }
}

/// A person whom a camera recognized, and what the views say of life.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Sighting(CoreSighting);

#[pymethods]
impl Sighting {
    /// The number of the track: see ``RecognizedFace.track``.
    #[getter]
    fn track(&self) -> u64 {
        self.0.track.0
    }

    /// The id of the person whom the face shows.
    #[getter]
    fn student_id(&self) -> i64 {
        self.0.student.0
    }

    /// How similar the face is, in [0, 1].
    #[getter]
    fn similarity(&self) -> f32 {
        self.0.similarity.value()
    }

    /// Whether the views show a living person: ``"live"``, ``"undecided"`` or ``"spoof"``.
    #[getter]
    fn liveness(&self) -> &'static str {
        self.0.life.verdict.as_str()
    }

    /// What speaks against a living person, as a code such as ``"frozen"``; ``None`` for the living.
    #[getter]
    fn liveness_reason(&self) -> Option<&'static str> {
        self.0.life.reason.map(LifeReason::as_str)
    }

    /// When the person was seen last, in UTC.
    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.at)
    }

    /// Returns the sighting as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("track", self.track())?;
        dict.set_item("student_id", self.student_id())?;
        dict.set_item("similarity", self.similarity())?;
        dict.set_item("liveness", self.liveness())?;
        dict.set_item("liveness_reason", self.liveness_reason())?;
        dict.set_item("at", self.0.at.to_string())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let reason = self.liveness_reason().unwrap_or("None");
        format!("Sighting(student_id={}, liveness={:?}, reason={reason})", self.student_id(), self.liveness())
    }
}

/// What keeps a camera from naming people.
#[pyclass(module = "faceattend", frozen, get_all)]
pub(crate) struct CameraProblem {
    /// A stable code: ``"too_slow"`` or ``"turned"``.
    code: &'static str,
    /// What is wrong and what to do about it.
    message: String,
}

impl From<CoreProblem> for CameraProblem {
    fn from(problem: CoreProblem) -> Self {
        Self { code: problem.code(), message: problem.to_string() }
    }
}

#[pymethods]
impl CameraProblem {
    /// Returns the problem as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("code", self.code)?;
        dict.set_item("message", &self.message)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("CameraProblem(code={:?})", self.code)
    }
}

/// What a frame showed.
#[pyclass(module = "faceattend", frozen, get_all)]
pub(crate) struct Recognition {
    /// The faces, largest first.
    faces: Vec<Py<RecognizedFace>>,
    /// What came of marking each student that was recognized; empty without an attendance book.
    marks: Vec<Py<Marking>>,
    /// The people who may be marked, by what the recognizer asks of a face: those to mark in an attendance table of
    /// your own. With ``gate="require"`` and ``"ask"`` they are the living; without those whom the book knows to be
    /// marked already.
    admitted: Vec<Py<Sighting>>,
    /// The people who were recognized and are not marked, because their views did not show in time that they are alive.
    /// Each is told once, and goes on the second-look list of the book's store.
    second_looks: Vec<Py<Sighting>>,
    /// The faces that show a picture of a person, each told once.
    suspected: Vec<Py<Sighting>>,
    /// What keeps the camera from naming people, as far as its frames tell, for as long as it lasts.
    problems: Vec<Py<CameraProblem>>,
}

impl Recognition {
    fn of(py: Python<'_>, report: RecognitionReport) -> PyResult<Self> {
        let sightings =
            |all: Vec<CoreSighting>| all.into_iter().map(|one| Py::new(py, Sighting(one))).collect::<PyResult<_>>();
        Ok(Self {
            faces: report.faces.into_iter().map(|face| Py::new(py, RecognizedFace(face))).collect::<PyResult<_>>()?,
            marks: report.marks.into_iter().map(|mark| Py::new(py, Marking::from(mark))).collect::<PyResult<_>>()?,
            admitted: sightings(report.admitted)?,
            second_looks: sightings(report.second_looks)?,
            suspected: sightings(report.suspected)?,
            problems: report
                .problems
                .into_iter()
                .map(|problem| Py::new(py, CameraProblem::from(problem)))
                .collect::<PyResult<_>>()?,
        })
    }
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
/// gate : {"require", "ask", "observe", "off"}
///     What is asked of a face before its person is marked. ``"require"``: that its views show a living person; whoever
///     is recognized and does not show it goes on the second-look list. ``"ask"``: the same, and whose views do not
///     say is asked for a short movement, which `RecognizedFace.asked` names. ``"observe"``: nothing, but every face
///     says what its views tell of life; for recordings. ``"off"``: nothing, and nobody looks.
/// gate_wait : float
///     How many seconds a person is watched for signs of life before the sighting goes on the second-look list.
///
/// Leave it by ``with``, or call ``finish``: else whoever was being watched at the end is on no list.
///
/// Examples
/// --------
/// >>> with faceattend.Recognizer(engine, gallery, book=book) as recognizer:   # doctest: +SKIP
/// ...     for frame in camera:
/// ...         print([(face.student_id, face.liveness) for face in recognizer.process(frame).faces])
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Recognizer {
    inner: PerProcess<Mutex<CoreRecognizer>>,
}

#[pymethods]
impl Recognizer {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, which Python callers give by name")]
    #[pyo3(signature = (
        engine, gallery, *, book=None, camera_location=None, threshold=0.7, agreeing=2, false_names=0.001,
        gate="require", gate_wait=4.0
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
        gate: &str,
        gate_wait: f64,
    ) -> PyResult<Self> {
        let threshold = attached(py, || Threshold::new(threshold))?;
        let tracking = TrackingOptions::default().with_agreeing(agreeing.max(1));
        let tracking = attached(py, || tracking.with_false_names(false_names))?;
        let policy: GatePolicy = attached(py, || gate.parse())?;
        let gate = GateOptions::of(policy).with_wait(span(py, "gate_wait", gate_wait)?);
        let options = RecognitionOptions::default().with_threshold(threshold).with_tracking(tracking).with_gate(gate);
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
        Recognition::of(py, report)
    }

    /// Ends the watch: whoever is recognized and has not shown to be alive yet goes on the second-look list, and is
    /// told in ``second_looks``. Frames may follow.
    fn finish(&self, py: Python<'_>) -> PyResult<Recognition> {
        let report = detached(py, || {
            let recognizer = self.inner.get()?;
            let mut recognizer = recognizer.lock().unwrap_or_else(PoisonError::into_inner);
            recognizer.finish()
        })?;
        Recognition::of(py, report)
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (kind, value, traceback))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: Option<&Bound<'_, PyType>>,
        value: Option<&Bound<'_, PyAny>>,
        traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = (kind, value, traceback);
        self.finish(py).map(drop)
    }

    fn __repr__(&self) -> &'static str {
        "<faceattend.Recognizer>"
    }
}
