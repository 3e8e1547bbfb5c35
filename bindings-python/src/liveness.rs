//! Liveness sessions.

use std::sync::{Mutex, PoisonError};

use faceattend_core::engine::AnalyzeOptions;
use faceattend_core::liveness::{
    LivenessOptions, LivenessSession as CoreSession, Mirrored, Observation, Outcome as CoreOutcome, PadPolicy,
    Position, Verification as CoreVerification, frame_hash,
};
use faceattend_core::types::{Degrees, SessionId, StudentId, Threshold};
use faceattend_core::{Error, Result};
use jiff::SignedDuration;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::embedding::Embedding;
use crate::engine::Engine;
use crate::error::invalid_input;
use crate::frame::Picture;
use crate::gil::attached;
use crate::time::{datetime, moment_or_now};

/// What a session says of one frame. Nothing in it identifies a person.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Outcome(CoreOutcome);

#[pymethods]
impl Outcome {
    /// The position that was asked for: ``"center"``, ``"left"`` or ``"right"``.
    #[getter]
    fn requested(&self) -> &'static str {
        self.0.requested.as_str()
    }

    /// The position that the head shows; ``None`` when there is no single face with a pose.
    #[getter]
    fn detected_pose(&self) -> Option<&'static str> {
        self.0.detected_pose.map(Position::as_str)
    }

    /// The measured yaw in degrees, in the frame as received.
    #[getter]
    fn yaw(&self) -> Option<f32> {
        self.0.yaw.map(|yaw| yaw.0)
    }

    /// Whether the frame passed every check for the position asked for.
    #[getter]
    fn is_live(&self) -> bool {
        self.0.is_live
    }

    /// How well the frame shows the position asked for, in [0, 1]: 0 when it was refused, else .75 or more.
    #[getter]
    fn confidence(&self) -> f32 {
        self.0.confidence
    }

    /// The positions verified by now.
    #[getter]
    fn verified(&self) -> Vec<&'static str> {
        self.0.verified.iter().map(|position| position.as_str()).collect()
    }

    /// The position to ask for next; ``None`` when all are verified.
    #[getter]
    fn next(&self) -> Option<&'static str> {
        self.0.next.map(Position::as_str)
    }

    /// ``"PENDING"``, ``"IN_PROGRESS"``, ``"COMPLETED"``, ``"FAILED"`` or ``"EXPIRED"``.
    #[getter]
    fn status(&self) -> &'static str {
        self.0.status.as_str()
    }

    /// Whether the session is complete.
    #[getter]
    fn session_completed(&self) -> bool {
        self.0.session_completed
    }

    /// How sure a completed session is, in [0, 1]; 0 before that.
    #[getter]
    fn liveness_score(&self) -> f32 {
        self.0.liveness_score
    }

    /// Codes: why the frame was refused first, then remarks; empty when all is well.
    #[getter]
    fn reasons(&self) -> Vec<&'static str> {
        self.0.reasons.iter().map(faceattend_core::liveness::Reason::code).collect()
    }

    /// For each reason, one sentence that the person in front of the camera can act on.
    #[getter]
    fn advice(&self) -> Vec<String> {
        self.0.reasons.iter().map(|reason| reason.advice().into_owned()).collect()
    }

    /// The outcome as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("requested", self.requested())?;
        dict.set_item("detected_pose", self.detected_pose())?;
        dict.set_item("yaw", self.yaw())?;
        dict.set_item("is_live", self.is_live())?;
        dict.set_item("confidence", self.confidence())?;
        dict.set_item("verified", self.verified())?;
        dict.set_item("next", self.next())?;
        dict.set_item("status", self.status())?;
        dict.set_item("session_completed", self.session_completed())?;
        dict.set_item("liveness_score", self.liveness_score())?;
        dict.set_item("movement_verified", self.0.movement_verified)?;
        dict.set_item("reasons", self.reasons())?;
        dict.set_item("advice", self.advice())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!(
            "Outcome(requested={:?}, detected_pose={:?}, is_live={}, status={:?})",
            self.requested(),
            self.detected_pose().unwrap_or("none"),
            self.is_live(),
            self.status()
        )
    }
}

/// What closing a session finds.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Verification(CoreVerification);

#[pymethods]
impl Verification {
    /// ``"COMPLETED"``, ``"FAILED"`` or ``"EXPIRED"``.
    #[getter]
    fn status(&self) -> &'static str {
        self.0.status.as_str()
    }

    /// How sure a completed session is, in [0, 1].
    #[getter]
    fn liveness_score(&self) -> f32 {
        self.0.liveness_score
    }

    /// Whether the head has been seen to turn to both sides.
    #[getter]
    fn movement_verified(&self) -> bool {
        self.0.movement_verified
    }

    /// The template to enrol, when the session is complete.
    #[getter]
    fn final_template(&self) -> Option<Embedding> {
        self.0.final_template.clone().map(Embedding::from)
    }

    /// The positions that are still missing.
    #[getter]
    fn missing(&self) -> Vec<&'static str> {
        self.0.missing.iter().map(|position| position.as_str()).collect()
    }

    /// The answer as a dictionary that ``json.dumps`` takes, without the template.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("status", self.status())?;
        dict.set_item("liveness_score", self.liveness_score())?;
        dict.set_item("movement_verified", self.movement_verified())?;
        dict.set_item("missing", self.missing())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Verification(status={:?}, missing={:?})", self.status(), self.missing())
    }
}

/// A liveness session: a person looks straight, to the left and to the right, and is thereby shown to be one living person.
///
/// A plain state machine without a clock or a thread. ``to_json`` writes it down between any two frames, so that any process
/// can go on with it.
///
/// Parameters
/// ----------
/// mirrored : bool
///     Whether frames arrive flipped, as a mirror shows them. Left and right are the person's own either way.
/// student_id : int, optional
///     The student to enrol, when there is one already.
/// ttl : float
///     Seconds until it expires.
/// pad : {"prefer", "require", "off"}
///     What to make of the passive antispoof check.
/// center_gate, side_gate : float
///     How many degrees the head may be turned for the center, and must be turned beyond for the sides.
/// same_person : float
///     From which similarity a side view shows the person of the center view, in [0, 1].
/// now : datetime or float, optional
///     When it begins. Default: now.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct LivenessSession {
    inner: Mutex<CoreSession>,
}

impl LivenessSession {
    pub(crate) fn with<T>(&self, call: impl FnOnce(&mut CoreSession) -> T) -> T {
        call(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl LivenessSession {
    #[new]
    #[pyo3(signature = (*, mirrored=true, student_id=None, ttl=600.0, pad="prefer", center_gate=5.0, side_gate=15.0,
        same_person=0.65, now=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, which Python callers give by name")]
    fn new(
        py: Python<'_>,
        mirrored: bool,
        student_id: Option<i64>,
        ttl: f64,
        pad: &str,
        center_gate: f32,
        side_gate: f32,
        same_person: f32,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let now = moment_or_now(now)?;
        let policy = match pad {
            "prefer" => PadPolicy::Prefer,
            "require" => PadPolicy::Require,
            "off" => PadPolicy::Off,
            other => return Err(invalid_input(py, "pad", format!("{other:?} is no policy"))),
        };
        let ttl = SignedDuration::try_from_secs_f64(ttl).map_err(|_| invalid_input(py, "ttl", "it is no time"))?;
        attached(py, || {
            let side = Degrees(side_gate);
            let defaults = LivenessOptions::default();
            let options = defaults
                .with_mirrored(if mirrored { Mirrored::Yes } else { Mirrored::No })
                .with_ttl(ttl)
                .with_pad(policy, defaults.min_pad_mean)
                .with_gates(Degrees(center_gate), side, side)
                .with_same_person(Threshold::new(same_person)?);
            options.check()?;
            let session = CoreSession::new(SessionId::random(), student_id.map(StudentId), options, now);
            Ok(Self { inner: Mutex::new(session) })
        })
    }

    /// The session that ``to_json`` wrote.
    #[classmethod]
    fn from_json(cls: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        attached(cls.py(), || {
            let state = serde_json::from_str(text).map_err(|_| Error::State {
                what: "liveness session",
                reason: "its stored form cannot be read".into(),
            })?;
            Ok(Self { inner: Mutex::new(CoreSession::from_state(state)?) })
        })
    }

    /// The session as text, embeddings included: keep it as safe as those.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || {
            serde_json::to_string(&self.with(|session| session.to_state()))
                .map_err(|_| Error::Internal { reason: "a liveness session cannot be written down".into() })
        })
    }

    /// Takes one frame in and says what it was worth.
    ///
    /// Parameters
    /// ----------
    /// frame : array, bytes, str, path or image
    ///     See ``Engine.analyze``.
    /// position : {"center", "left", "right"}
    ///     What the person was asked for.
    /// engine : Engine
    ///     What looks at the frame.
    /// color : {"bgr", "rgb"}
    ///     The order of an array's channels.
    /// now : datetime or float, optional
    ///     When the frame arrived. Default: now.
    #[pyo3(signature = (frame, position, engine, *, color="bgr", now=None))]
    fn observe(
        &self,
        frame: &Bound<'_, PyAny>,
        position: &str,
        engine: &Engine,
        color: &str,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Outcome> {
        let py = frame.py();
        let now = moment_or_now(now)?;
        let requested = Position::parse(position)
            .ok_or_else(|| invalid_input(py, "position", format!("{position:?} is not center, left or right")))?;
        let outcome = Picture::of(frame, color)?.with(py, |frame| {
            let engine = engine.core()?;
            let analysis = engine.analyze(frame, &AnalyzeOptions::default())?;
            let observation = Observation {
                requested,
                analysis: &analysis,
                embedder: engine.embedder(),
                frame_hash: frame_hash(frame),
                captured_at: frame.captured_at(),
            };
            Ok(self.with(|session| session.observe(&observation, now)))
        })?;
        Ok(Outcome(outcome))
    }

    /// Closes the session: the template when it is complete, otherwise it has failed.
    #[pyo3(signature = (*, now=None))]
    fn verify(&self, now: Option<&Bound<'_, PyAny>>) -> PyResult<Verification> {
        let now = moment_or_now(now)?;
        Ok(Verification(self.with(|session| session.verify(now))))
    }

    /// Uses the session up: the templates to enrol, the final one first. Only the first call gets them.
    ///
    /// Raises
    /// ------
    /// StateError
    ///     When the session is not complete.
    /// ConflictError
    ///     When it has been used.
    fn consume(&self, py: Python<'_>) -> PyResult<Vec<Embedding>> {
        let templates: Result<_> = self.with(CoreSession::consume);
        Ok(attached(py, || templates)?.into_iter().map(Embedding::from).collect())
    }

    /// The session's key: a random UUID.
    #[getter]
    fn id(&self) -> String {
        self.with(|session| session.id().to_string())
    }

    /// The student to enrol, when the session was begun for one.
    #[getter]
    fn student_id(&self) -> Option<i64> {
        self.with(|session| session.student()).map(|student| student.0)
    }

    /// When it began, in UTC.
    #[getter]
    fn created_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.with(|session| session.created_at()))
    }

    /// From when on no frame counts any more, in UTC.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.with(|session| session.expires_at()))
    }

    /// ``"PENDING"``, ``"IN_PROGRESS"``, ``"COMPLETED"``, ``"FAILED"`` or ``"EXPIRED"``, at ``now``.
    #[pyo3(signature = (now=None))]
    fn status(&self, now: Option<&Bound<'_, PyAny>>) -> PyResult<&'static str> {
        let now = moment_or_now(now)?;
        Ok(self.with(|session| session.status_at(now)).as_str())
    }

    /// How sure a completed session is, in [0, 1]; 0 before that.
    #[getter]
    fn liveness_score(&self) -> f32 {
        self.with(|session| session.liveness_score())
    }

    /// Whether every position is verified.
    #[getter]
    fn is_completed(&self) -> bool {
        self.with(|session| session.is_completed())
    }

    /// Whether it has enrolled somebody.
    #[getter]
    fn is_consumed(&self) -> bool {
        self.with(|session| session.is_consumed())
    }

    /// A number that grows with every change, to write back only what nobody has changed meanwhile.
    #[getter]
    fn revision(&self) -> u64 {
        self.with(|session| session.revision())
    }

    /// The positions verified by now.
    #[getter]
    fn verified(&self) -> Vec<&'static str> {
        self.with(|session| Position::ALL.into_iter().filter(|p| session.position(*p).is_some()).collect::<Vec<_>>())
            .into_iter()
            .map(Position::as_str)
            .collect()
    }

    /// The embedding that verified a position, or ``None``.
    fn template(&self, py: Python<'_>, position: &str) -> PyResult<Option<Embedding>> {
        let position = Position::parse(position)
            .ok_or_else(|| invalid_input(py, "position", format!("{position:?} is not center, left or right")))?;
        Ok(self.with(|session| session.position(position).map(|view| view.embedding.clone())).map(Embedding::from))
    }

    fn __repr__(&self) -> String {
        let now = jiff::Timestamp::now();
        format!("<faceattend.LivenessSession {}>", self.with(|session| session.status_at(now)))
    }
}
