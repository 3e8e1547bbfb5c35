//! What is done with a camera's frames: the core recognises and marks, this keeps the log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use faceattend_core::Result;
use faceattend_core::attendance::{Marker, Marking};
use faceattend_core::engine::FaceEngine;
use faceattend_core::frame::Frame;
use faceattend_core::gallery::Gallery;
use faceattend_core::recognition::{RecognisedFace, Recogniser, RecognitionOptions};
use faceattend_core::store::{NewDetectionLog, Store};
use faceattend_core::types::{StudentId, Threshold};
use jiff::Timestamp;

use super::events::{Events, LiveEvent};

/// How often a camera's figures go to the detection log: a row a frame would be 25 rows a second and camera.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// What the cameras share.
#[derive(Clone)]
pub(crate) struct Watcher {
    pub(crate) engine: Arc<dyn FaceEngine>,
    pub(crate) gallery: Arc<Gallery>,
    pub(crate) marker: Arc<Marker>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) threshold: Threshold,
    pub(crate) events: Events,
}

impl Watcher {
    /// What takes the frames of one camera.
    pub(crate) fn watch(&self, location: Option<&str>) -> impl FnMut(Frame<'static>) + Send + use<> {
        let location = location.map(str::to_owned);
        let options = RecognitionOptions::default().with_threshold(self.threshold);
        let recogniser = Recogniser::new(Arc::clone(&self.engine), Arc::clone(&self.gallery), &options)
            .with_marker(Arc::clone(&self.marker), location.clone());
        let mut watch = Watch {
            recogniser,
            store: Arc::clone(&self.store),
            location,
            figures: Figures::default(),
            events: self.events.clone(),
        };
        move |frame| watch.take(&frame)
    }
}

/// One camera's watch. Its last figures are logged when it ends.
struct Watch {
    recogniser: Recogniser,
    store: Arc<dyn Store>,
    location: Option<String>,
    figures: Figures,
    events: Events,
}

/// What happened since the last row of the log.
#[derive(Default)]
struct Figures {
    since: Option<Instant>,
    frames: u32,
    busy: Duration,
    /// The most faces that one frame showed.
    faces: usize,
    recognized: BTreeSet<StudentId>,
    error: Option<&'static str>,
}

impl Watch {
    fn take(&mut self, frame: &Frame<'_>) {
        let began = Instant::now();
        if let Err(error) = self.recognise(frame) {
            // The log is read through the API: the code alone, no text that could name a path.
            self.figures.error = Some(error.kind().code());
            tracing::error!(code = error.kind().code(), "a camera's frame could not be judged: {error}");
        }
        self.figures.frames += 1;
        self.figures.busy += began.elapsed();
        if self.figures.since.get_or_insert(began).elapsed() >= LOG_EVERY {
            self.log();
        }
    }

    fn recognise(&mut self, frame: &Frame<'_>) -> Result<()> {
        let report = self.recogniser.process(frame, frame.captured_at().unwrap_or_else(Timestamp::now))?;
        self.figures.faces = self.figures.faces.max(report.faces.len());
        self.figures.recognized.extend(report.faces.iter().filter_map(RecognisedFace::student));
        for mark in &report.marks {
            if let Marking::Marked(record) = mark {
                tracing::info!(student = %record.student, place = self.location, "attendance marked");
                self.events.publish(LiveEvent::marked(record));
            }
        }
        Ok(())
    }

    fn log(&mut self) {
        let figures = std::mem::take(&mut self.figures);
        if figures.faces == 0 && figures.error.is_none() {
            return;
        }
        let row = NewDetectionLog {
            timestamp: Timestamp::now(),
            faces_detected: u32::try_from(figures.faces).unwrap_or(u32::MAX),
            students_recognized: u32::try_from(figures.recognized.len()).unwrap_or(u32::MAX),
            processing_time: Some(figures.busy.as_secs_f64() / f64::from(figures.frames.max(1))),
            camera_location: self.location.clone(),
            error_message: figures.error.map(str::to_owned),
        };
        if let Err(error) = self.store.add_detection_log(&row) {
            tracing::error!("the detection log could not be written: {error}");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.log();
    }
}
