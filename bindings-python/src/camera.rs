//! Cameras and recordings, read on a thread of their own.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use faceattend_core::camera::{
    CameraSource, CameraState, CameraWorker, FrameSource, Nature, OpenCvCapture, OpenOptions, Orientation, Pace,
    WorkerOptions, open,
};
use faceattend_core::frame::Frame as CoreFrame;
use faceattend_core::gate::GatePolicy;
use faceattend_core::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{exception, invalid_input};
use crate::frame::Frame;
use crate::gil::{attached, detached};

/// How long one wait for a frame lasts before Python gets to see Ctrl-C.
const SLICE: Duration = Duration::from_millis(200);

/// Whether OpenCV can be loaded, which reads cameras and most videos. Loads it.
#[pyfunction]
pub(crate) fn has_opencv(py: Python<'_>) -> bool {
    py.detach(|| OpenCvCapture::library().is_ok())
}

/// What a source asks of a face unless somebody says otherwise: ``"require"`` of cameras, ``"observe"`` of recordings.
/// Nothing is opened.
#[pyfunction]
pub(crate) fn usual_gate(py: Python<'_>, source: &str) -> PyResult<&'static str> {
    let nature = attached(py, || CameraSource::parse(source))?.nature();
    Ok(GatePolicy::usual_for(nature).as_str())
}

/// Reads a camera or recording on a thread of its own. Use `faceattend.Camera` instead.
#[pyclass(module = "faceattend._native", frozen)]
pub(crate) struct CameraReader {
    process: u32,
    name: String,
    nature: Nature,
    worker: Mutex<Option<CameraWorker>>,
    desk: Arc<Desk>,
}

/// Where the newest frame lies until it is taken.
#[derive(Default)]
struct Desk {
    frame: Mutex<Place>,
    changed: Condvar,
}

#[derive(Default)]
struct Place {
    frame: Option<CoreFrame<'static>>,
    closed: bool,
}

impl Desk {
    /// Leaves a frame. A camera's takes the place of one that nobody took; a recording's waits until it is taken.
    fn put(&self, frame: CoreFrame<'static>, wait: bool) {
        let mut place = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        while wait && place.frame.is_some() && !place.closed {
            place = self.changed.wait(place).unwrap_or_else(PoisonError::into_inner);
        }
        if !place.closed {
            place.frame = Some(frame);
            self.changed.notify_all();
        }
    }

    fn take(&self, patience: Duration) -> Option<CoreFrame<'static>> {
        let mut place = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        if place.frame.is_none() && !place.closed {
            place = self.changed.wait_timeout(place, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        let frame = place.frame.take();
        self.changed.notify_all();
        frame
    }

    fn close(&self) {
        let mut place = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        place.closed = true;
        place.frame = None;
        self.changed.notify_all();
    }
}

#[pymethods]
impl CameraReader {
    /// Opens the source, so that an error shows here, and keeps reading it.
    #[new]
    #[pyo3(signature = (
        source, *, open_timeout=5.0, read_timeout=5.0, real_time=false, orientation=0, mirror=false
    ))]
    fn new(
        py: Python<'_>,
        source: &str,
        open_timeout: f64,
        read_timeout: f64,
        real_time: bool,
        orientation: i64,
        mirror: bool,
    ) -> PyResult<Self> {
        let seconds = |what, value: f64| {
            Duration::try_from_secs_f64(value).map_err(|_| invalid_input(py, what, format!("{value} is no time")))
        };
        let timeouts = (seconds("open_timeout", open_timeout)?, seconds("read_timeout", read_timeout)?);
        let turned = attached(py, || Orientation::from_degrees(orientation))?;
        let orientation = if mirror { turned.mirrored() } else { turned };
        let source = attached(py, || CameraSource::parse(source))?;
        let desk = Arc::new(Desk::default());
        let worker = detached(py, || {
            let options = OpenOptions::default().with_timeouts(timeouts.0, timeouts.1).with_orientation(orientation);
            let mut first: Option<Box<dyn FrameSource>> = Some(open(&source, &options)?);
            let pace = if real_time { Pace::Recorded } else { Pace::AsAnalyzed };
            let wait = source.nature() == Nature::Recording && !real_time;
            let (again, desk) = (source.clone(), Arc::clone(&desk));
            CameraWorker::start_with(
                source.to_string(),
                source.nature(),
                WorkerOptions::default().with_open(options).with_pace(pace),
                move || first.take().map_or_else(|| open(&again, &options), Ok),
                move |frame| desk.put(frame, wait),
            )
        })?;
        let (name, nature) = (source.to_string(), source.nature());
        Ok(Self { process: std::process::id(), name, nature, worker: Mutex::new(Some(worker)), desk })
    }

    /// Returns the next frame, or `None` at the end of a recording and after `close`.
    #[pyo3(signature = (timeout=None))]
    fn read(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Frame>> {
        self.check_process(py)?;
        let deadline =
            timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).map(|t| Instant::now() + t);
        loop {
            // Before the wait: what it gave until then lies on the desk.
            let over = self.over();
            let frame = detached(py, || Ok(self.desk.take(if over.is_some() { Duration::ZERO } else { SLICE })))?;
            if let Some(inner) = frame {
                return Ok(Some(Frame { inner }));
            }
            match over {
                Some(Ok(())) => return Ok(None),
                Some(Err(error)) => return Err(exception(py, &error)),
                None => py.check_signals()?,
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                let reason = "it gave no frame in time".into();
                return Err(exception(py, &Error::Camera { camera: self.name.clone(), reason }));
            }
        }
    }

    /// Stops reading. Ends every wait for a frame.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if std::process::id() != self.process {
            return Ok(());
        }
        self.desk.close();
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        detached(py, || {
            drop(worker);
            Ok(())
        })
    }

    /// The source, without credentials.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Whether the source is a camera, which has no end, rather than a recording.
    #[getter]
    fn is_live(&self) -> bool {
        self.nature == Nature::Live
    }

    /// Returns how the camera is doing, as a dictionary.
    fn health<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.check_process(py)?;
        let dict = PyDict::new(py);
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let health = worker.as_ref().map(CameraWorker::health);
        dict.set_item("state", health.as_ref().map_or("stopped", |health| health.state.as_str()))?;
        dict.set_item("captured", health.as_ref().map_or(0, |health| health.captured))?;
        dict.set_item("analyzed", health.as_ref().map_or(0, |health| health.analyzed))?;
        dict.set_item("dropped", health.as_ref().map_or(0, |health| health.dropped))?;
        dict.set_item("last_error", health.as_ref().and_then(|health| health.last_error.clone()))?;
        let age = health.and_then(|health| health.last_frame_age);
        dict.set_item("last_frame_age", age.map(|age| age.as_secs_f64()))?;
        Ok(dict)
    }
}

impl CameraReader {
    /// Whether nothing more will come, and why if that is an error.
    fn over(&self) -> Option<Result<()>> {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(worker) = &*worker else { return Some(Ok(())) };
        let health = worker.health();
        match health.state {
            CameraState::Stopped => Some(Ok(())),
            CameraState::Failed => Some(Err(Error::Camera {
                camera: self.name.clone(),
                reason: health.last_error.unwrap_or_else(|| "it cannot be read".into()),
            })),
            CameraState::Connecting | CameraState::Running | CameraState::Reconnecting => None,
        }
    }

    fn check_process(&self, py: Python<'_>) -> PyResult<()> {
        if std::process::id() == self.process {
            return Ok(());
        }
        let reason = "it was opened before a fork, and its threads stayed in the other process: open it here".into();
        Err(exception(py, &Error::State { what: "camera", reason }))
    }
}

impl Drop for CameraReader {
    fn drop(&mut self) {
        if std::process::id() == self.process {
            self.desk.close();
        } else if let Ok(worker) = self.worker.get_mut() {
            // Stopping would wait for threads that this process does not have.
            std::mem::forget(worker.take());
        }
    }
}
