//! Liveness sessions.

mod options;
mod outcome;
mod receipt;

use std::sync::{Arc, Mutex, PoisonError};

use faceattend_core::engine::AnalyzeOptions;
use faceattend_core::enrolment::KeptSession;
use faceattend_core::liveness::{
    LivenessSession as CoreSession, Observation, Order, Outcome as CoreOutcome, Position, frame_hash,
};
use faceattend_core::types::{SessionId, StudentId};
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use pyo3::prelude::*;
use pyo3::types::PyType;

use self::options::Keywords;
pub(crate) use self::outcome::{Outcome, Verification};
pub(crate) use self::receipt::{Receipt, ReceiptKey};
use crate::embedding::Embedding;
use crate::engine::Engine;
use crate::error::invalid_input;
use crate::frame::Picture;
use crate::gil::attached;
use crate::time::{datetime, moment, moment_or_now};

/// Returns the word for an order.
fn order(order: Order) -> &'static str {
    match order {
        Order::Any => "any",
        Order::Fixed => "fixed",
        Order::Random => "random",
    }
}

/// A liveness session: a person looks straight, to the left and to the right, and thereby shows to be one living
/// person.
///
/// A session has no clock and no thread. ``to_json`` writes it down between any two frames, so that any process can
/// continue it. Every option is kept with the session.
///
/// Parameters
/// ----------
/// mirrored : bool
///     Whether frames arrive flipped, as a mirror shows them. Left and right are the person's own either way.
/// student_id : int, optional
///     The student to enrol, when there is one already.
/// ttl : float
///     Seconds until the session expires, up to a day.
/// pad : {"prefer", "require", "off"}
///     Whether scores of the passive antispoof check count where there are any, are required, or do not count.
/// center_gate, side_gate : float
///     How many degrees the head may be turned for the center, and has to be turned beyond for the sides.
/// same_person : float
///     From which similarity a side view shows the person of the center view, in [0, 1].
/// now : datetime or float, optional
///     When the session begins. Default: now.
/// guarded : bool
///     For clients that stream and follow ``next``: a random order, positions confirmed over three frames of one
///     unbroken track, and a camera that counts as frozen after five equal frames. What is given beside it goes first.
/// order : {"any", "fixed", "random"}, optional
///     In which order the session asks.
///     ``"fixed"`` (the default) is center, left, right. ``"random"`` is drawn for each session, and a client at a
///     distance has to answer each step with its ``nonce``. With ``"any"`` a frame counts for whichever position it is
///     sent for.
/// nods : bool
///     Whether a random order also asks for looking up and down, for clients that can guide the person there. It needs
///     points that follow the pitch: those of the default models or of SCRFD.
/// extra_steps : int, optional
///     How many steps a random order has beyond the three positions, from 0 to 5. Default 3.
/// wrong_turns : int, optional
///     How many turns to the wrong side a random order forgives. Default 1.
/// attempt_limit : int, optional
///     After how many frames the session fails. Default 3000.
/// steady_frames : int, optional
///     Over how many frames of one track the yaw is smoothed: 1, 3, 5 or 7. Default 1.
/// frozen_frames : int, optional
///     After how many frames with the same picture the camera counts as frozen. Default 10.
/// min_relief : float, optional
///     The least depth that the face has to show between the views, in [0, 1]. Default 0.06.
/// quality : {"refuse", "remark"}, optional
///     Whether a poor center view is refused (the default) or accepted with a remark.
/// suspicious_limit : int, optional
///     After how many suspicious frames the session fails. Default 60.
/// frozen : float, optional
///     From which raw cosine two positions show the same picture, in [0, 1]. Default 0.999.
/// min_nose_shift : float, optional
///     By how much the nose offset has to change between the center and each side. Default 0.203.
/// min_pad_mean : float, optional
///     The least mean probability of a living face for the passive check, in [0, 1]. Default 0.5.
/// dominance : float, optional
///     How many times larger than any other the face of the person has to be. Default 2.
/// left_gate, right_gate : float, optional
///     Another gate than ``side_gate`` for one side, in degrees.
///
/// Raises
/// ------
/// InvalidInputError
///     For an option that is out of its range; the message names it.
///
/// Examples
/// --------
/// >>> session = faceattend.LivenessSession(mirrored=False)
/// >>> for position in ("center", "left", "right"):                    # doctest: +SKIP
/// ...     outcome = session.observe(f"{position}.jpg", position, engine)
/// ...     print(outcome.is_live, outcome.next, outcome.advice)
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct LivenessSession {
    inner: Arc<Mutex<KeptSession>>,
}

/// A frame that a client sent, as a session's methods take it.
struct Sent<'a, 'py> {
    frame: &'a Bound<'py, PyAny>,
    position: &'a str,
    engine: &'a Engine,
    color: &'a str,
    now: Option<&'a Bound<'py, PyAny>>,
    captured_at: Option<&'a Bound<'py, PyAny>>,
}

impl LivenessSession {
    pub(crate) fn with<T>(&self, call: impl FnOnce(&mut CoreSession) -> T) -> T {
        call(self.inner.lock().unwrap_or_else(PoisonError::into_inner).session_mut())
    }

    /// Returns the session and what a store has of it, for the store's calls.
    pub(crate) fn kept(&self) -> Arc<Mutex<KeptSession>> {
        Arc::clone(&self.inner)
    }

    pub(crate) fn of(kept: KeptSession) -> Self {
        Self { inner: Arc::new(Mutex::new(kept)) }
    }

    /// Analyzes the frame and hands what was seen to `take`.
    fn taken(
        &self,
        sent: &Sent<'_, '_>,
        take: impl FnOnce(&mut CoreSession, &Observation<'_>, Timestamp) -> CoreOutcome + Send,
    ) -> PyResult<Outcome> {
        let py = sent.frame.py();
        let now = moment_or_now(sent.now)?;
        let captured_at = sent.captured_at.map(moment).transpose()?;
        let requested = position_of(py, sent.position)?;
        let outcome = Picture::of(sent.frame, sent.color)?.with(py, |frame| {
            let engine = sent.engine.core()?;
            let analysis = engine.analyze(frame, &AnalyzeOptions::default())?;
            let observation = Observation {
                requested,
                analysis: &analysis,
                embedder: engine.embedder(),
                frame_hash: frame_hash(frame).with_face(frame, &analysis),
                captured_at: captured_at.or(frame.captured_at()),
            };
            Ok(self.with(|session| take(session, &observation, now)))
        })?;
        Ok(Outcome(outcome))
    }
}

fn position_of(py: Python<'_>, name: &str) -> PyResult<Position> {
    Position::parse(name)
        .ok_or_else(|| invalid_input(py, "position", format!("{name:?} is not center, left, right, up or down")))
}

#[pymethods]
impl LivenessSession {
    #[new]
    #[pyo3(signature = (*, mirrored=true, student_id=None, ttl=600.0, pad="prefer", center_gate=5.0, side_gate=15.0,
        same_person=0.65, now=None, guarded=false, order=None, nods=false, extra_steps=None, wrong_turns=None,
        attempt_limit=None, steady_frames=None, frozen_frames=None, min_relief=None, quality=None,
        suspicious_limit=None, frozen=None, min_nose_shift=None, min_pad_mean=None, dominance=None, left_gate=None,
        right_gate=None))]
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
        guarded: bool,
        order: Option<&str>,
        nods: bool,
        extra_steps: Option<u32>,
        wrong_turns: Option<u32>,
        attempt_limit: Option<u32>,
        steady_frames: Option<u32>,
        frozen_frames: Option<u32>,
        min_relief: Option<f32>,
        quality: Option<&str>,
        suspicious_limit: Option<u32>,
        frozen: Option<f32>,
        min_nose_shift: Option<f32>,
        min_pad_mean: Option<f32>,
        dominance: Option<f32>,
        left_gate: Option<f32>,
        right_gate: Option<f32>,
    ) -> PyResult<Self> {
        let now = moment_or_now(now)?;
        let gates = [center_gate, left_gate.unwrap_or(side_gate), right_gate.unwrap_or(side_gate)];
        let keywords = Keywords {
            guarded,
            mirrored,
            ttl,
            pad,
            gates,
            same_person,
            order,
            nods,
            extra_steps,
            wrong_turns,
            attempt_limit,
            steady_frames,
            frozen_frames,
            min_relief,
            quality,
            suspicious_limit,
            frozen,
            min_nose_shift,
            min_pad_mean,
            dominance,
        };
        let options = keywords.read(py)?;
        let session = CoreSession::new(SessionId::random(), student_id.map(StudentId), options, now);
        Ok(Self::of(KeptSession::new(session)))
    }

    /// Returns the session that ``to_json`` wrote.
    ///
    /// Raises
    /// ------
    /// StateError
    ///     For a text that is damaged, or that a newer version wrote.
    #[classmethod]
    fn from_json(cls: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        attached(cls.py(), || {
            let state = serde_json::from_str(text).map_err(|_| Error::State {
                what: "liveness session",
                reason: "its stored form cannot be read".into(),
            })?;
            Ok(Self::of(KeptSession::new(CoreSession::from_state(state)?)))
        })
    }

    /// Returns the session as text. It holds embeddings: keep it as safe as those.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || {
            serde_json::to_string(&self.with(|session| session.to_state()))
                .map_err(|_| Error::Internal { reason: "a liveness session cannot be written down".into() })
        })
    }

    /// Takes one frame in and returns what it was worth. It asks for no nonce: for frames of the program's own camera.
    ///
    /// Frames may come late, twice, in any order and at the same time: each gets its answer.
    ///
    /// Parameters
    /// ----------
    /// frame : array, bytes, str, path or image
    ///     See ``Engine.analyze``.
    /// position : {"center", "left", "right", "up", "down"}
    ///     What the person was asked for.
    /// engine : Engine
    ///     What looks at the frame.
    /// color : {"bgr", "rgb"}
    ///     The order of an array's channels.
    /// now : datetime or float, optional
    ///     When the frame arrived. Default: now.
    /// captured_at : datetime or float, optional
    ///     When the frame was captured, if it does not say so itself. A frame from before the session is refused.
    ///
    /// Raises
    /// ------
    /// InvalidImageError
    ///     For bytes that are no picture. A picture without a face is an outcome, not an error.
    /// InvalidInputError
    ///     For another position.
    #[pyo3(signature = (frame, position, engine, *, color="bgr", now=None, captured_at=None))]
    fn observe(
        &self,
        frame: &Bound<'_, PyAny>,
        position: &str,
        engine: &Engine,
        color: &str,
        now: Option<&Bound<'_, PyAny>>,
        captured_at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Outcome> {
        let sent = Sent { frame, position, engine, color, now, captured_at };
        self.taken(&sent, CoreSession::observe)
    }

    /// Takes in one frame of a client at a distance, and returns what it was worth.
    ///
    /// With a random order, a frame that does not carry the ``nonce`` of the present step is refused. Other orders have
    /// no nonce, and any value is accepted.
    ///
    /// Parameters
    /// ----------
    /// nonce : str or None
    ///     What the client sent as the nonce; ``None`` when it sent none.
    /// frame, position, engine, color, now, captured_at
    ///     See ``observe``.
    #[pyo3(signature = (nonce, frame, position, engine, *, color="bgr", now=None, captured_at=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, which Python callers give by name")]
    fn observe_answer(
        &self,
        nonce: Option<&str>,
        frame: &Bound<'_, PyAny>,
        position: &str,
        engine: &Engine,
        color: &str,
        now: Option<&Bound<'_, PyAny>>,
        captured_at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Outcome> {
        let sent = Sent { frame, position, engine, color, now, captured_at };
        self.taken(&sent, |session, observation, now| session.observe_answer(nonce, observation, now))
    }

    /// Closes the session. Returns the template when it is complete; otherwise the session has failed.
    #[pyo3(signature = (*, now=None))]
    fn verify(&self, now: Option<&Bound<'_, PyAny>>) -> PyResult<Verification> {
        let now = moment_or_now(now)?;
        Ok(Verification(self.with(|session| session.verify(now))))
    }

    /// Uses the session up and returns the templates to enrol, the final one first. Only the first call gets them.
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

    /// When the session expires, in UTC: from then on no frame counts.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.with(|session| session.expires_at()))
    }

    /// Returns ``"PENDING"``, ``"IN_PROGRESS"``, ``"COMPLETED"``, ``"FAILED"`` or ``"EXPIRED"``, as of ``now``.
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

    /// The position to ask the person for now; ``None`` when there is nothing more to ask.
    #[getter]
    fn next(&self) -> Option<&'static str> {
        self.with(|session| session.next()).map(Position::as_str)
    }

    /// The order in which the session asks: ``"any"``, ``"fixed"`` or ``"random"``.
    #[getter]
    fn order(&self) -> &'static str {
        order(self.with(|session| session.options().order))
    }

    /// The word that a client has to send with the frames for the present step; it changes with every step. ``None``
    /// unless the order is random and the session is not complete.
    #[getter]
    fn nonce(&self) -> Option<String> {
        self.with(|session| session.nonce())
    }

    /// How many steps have passed, and how many there are: three, or more with a random order.
    #[getter]
    fn steps(&self) -> (usize, usize) {
        self.with(|session| session.steps())
    }

    /// Returns the receipt for the enrolment of a student, to be signed with a ``ReceiptKey``.
    ///
    /// Parameters
    /// ----------
    /// student_id : int
    ///     Who was enrolled with this session.
    /// now : datetime or float, optional
    ///     When the receipt is issued. Default: now.
    ///
    /// Returns
    /// -------
    /// Receipt or None
    ///     ``None`` until the session is complete.
    #[pyo3(signature = (student_id, *, now=None))]
    fn receipt(&self, student_id: i64, now: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Receipt>> {
        let now = moment_or_now(now)?;
        Ok(self.with(|session| session.receipt(StudentId(student_id), now)).map(Receipt))
    }

    /// The positions verified by now.
    #[getter]
    fn verified(&self) -> Vec<&'static str> {
        self.with(|session| Position::ALL.into_iter().filter(|p| session.position(*p).is_some()).collect::<Vec<_>>())
            .into_iter()
            .map(Position::as_str)
            .collect()
    }

    /// Returns the embedding that verified a position, or ``None``.
    fn template(&self, py: Python<'_>, position: &str) -> PyResult<Option<Embedding>> {
        let position = position_of(py, position)?;
        Ok(self.with(|session| session.position(position).map(|view| view.embedding.clone())).map(Embedding::from))
    }

    fn __repr__(&self) -> String {
        let now = jiff::Timestamp::now();
        format!("<faceattend.LivenessSession {}>", self.with(|session| session.status_at(now)))
    }
}
