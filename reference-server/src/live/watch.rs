//! What is done with a camera's frames: recognise, mark, log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use faceattend_core::Result;
use faceattend_core::attendance::{Marker, Marking};
use faceattend_core::engine::{AnalyzeOptions, Depth, FaceEngine};
use faceattend_core::frame::Frame;
use faceattend_core::gallery::{Gallery, Identification};
use faceattend_core::store::{NewDetectionLog, Store};
use faceattend_core::types::{StudentId, Threshold};
use jiff::Timestamp;

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
}

impl Watcher {
    /// What takes the frames of one camera.
    pub(crate) fn watch(&self, location: Option<&str>) -> impl FnMut(Frame<'static>) + Send + use<> {
        let mut watch =
            Watch { shared: self.clone(), location: location.map(str::to_owned), figures: Figures::default() };
        move |frame| watch.take(&frame)
    }
}

/// One camera's watch. Its last figures are logged when it ends.
struct Watch {
    shared: Watcher,
    location: Option<String>,
    figures: Figures,
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
        let Watcher { engine, gallery, marker, threshold, .. } = &self.shared;
        let analysis = engine.analyze(frame, &AnalyzeOptions::default().with_depth(Depth::Embedding))?;
        self.figures.faces = self.figures.faces.max(analysis.faces.len());
        let at = frame.captured_at().unwrap_or_else(Timestamp::now);
        for embedding in analysis.faces.iter().filter_map(|face| face.embedding.as_ref()) {
            let Identification::Known { best, .. } = gallery.identify(embedding, *threshold)? else { continue };
            self.figures.recognized.insert(best.student);
            if let Marking::Marked(record) = marker.mark(best.student, best.similarity, self.location.as_deref(), at)? {
                tracing::info!(student = %record.student, place = self.location, "attendance marked");
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
        if let Err(error) = self.shared.store.add_detection_log(&row) {
            tracing::error!("the detection log could not be written: {error}");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.log();
    }
}
