//! A clip, analyzed once and then shown to a recognizer for each gallery.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use faceattend_core::Result;
use faceattend_core::camera::{CameraSource, OpenOptions, open};
use faceattend_core::engine::{Analysis, AnalyzeOptions, Depth, Embedder, FaceEngine};
use faceattend_core::evaluation::live::PerMinute;
use faceattend_core::frame::{ChannelOrder, Frame};
use faceattend_core::gallery::Gallery;
use faceattend_core::recognition::{Effort, RecognitionOptions, Recognizer};
use faceattend_core::tracking::{TrackId, TrackingOptions};
use faceattend_core::types::{StudentId, Threshold};
use jiff::{SignedDuration, Timestamp};

use super::super::bad;

/// What a clip shows: its faces, at their times in seconds.
pub(super) struct Clip {
    pictures: Vec<(f64, Analysis)>,
    embedder: Embedder,
}

/// What came of showing a clip with one gallery.
pub(super) struct Seen {
    /// Whose clip it is.
    pub(super) person: usize,
    /// For how many seconds faces were followed.
    pub(super) seconds: f64,
    /// Seconds from the first face to the right name.
    pub(super) right_after: Option<f64>,
    /// The names that are false.
    pub(super) others: Vec<StudentId>,
}

impl Seen {
    /// The false names, in the time that faces were followed.
    pub(super) fn false_names(&self) -> PerMinute {
        PerMinute { events: self.others.len() as u64, minutes: self.seconds / 60.0 }
    }
}

impl Clip {
    /// Analyses so many pictures a second of a clip.
    pub(super) fn read(path: &Path, engine: &dyn FaceEngine, rate: f64) -> Result<Self> {
        let text = path.to_str().ok_or_else(|| bad("clip", format!("{}: no name in UTF-8", path.display())))?;
        let start = Timestamp::UNIX_EPOCH;
        let options = OpenOptions::default().with_recording_starts_at(start);
        let mut source = open(&CameraSource::parse(text)?, &options)?;
        let interval = source.frame_interval().map_or(1.0 / 25.0, |interval| interval.as_secs_f64());
        let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
        let (mut pictures, mut due, mut at) = (Vec::new(), 0.0, 0.0);
        loop {
            // Half an interval early is nearer than half an interval late.
            if at + interval / 2.0 < due {
                if !source.skip()? {
                    break;
                }
            } else {
                let Some(frame) = source.next_frame()? else { break };
                pictures.push((at, engine.analyze(&frame, &options)?));
                due += 1.0 / rate;
            }
            at += interval;
        }
        if pictures.is_empty() {
            return Err(bad("clip", format!("{}: no picture in it could be read", path.display())));
        }
        Ok(Self { pictures, embedder: engine.embedder().clone() })
    }

    /// Shows the clip to a recognizer with `gallery`. Of whom it is, is named `right` there.
    pub(super) fn play(
        &self,
        person: usize,
        right: Option<StudentId>,
        gallery: &Arc<Gallery>,
        threshold: Threshold,
        tracking: TrackingOptions,
    ) -> Result<Seen> {
        let engine = Arc::new(Recorded { embedder: self.embedder.clone(), next: Mutex::default() });
        let options = RecognitionOptions::default()
            .with_threshold(threshold)
            .with_tracking(tracking)
            .with_effort(Effort::Everything);
        let mut recognizer = Recognizer::new(Arc::clone(&engine) as Arc<dyn FaceEngine>, Arc::clone(gallery), &options);
        let frame = Frame::new(vec![0; 3], 1, 1, ChannelOrder::Rgb)?;
        let mut seen = Seen { person, seconds: 0.0, right_after: None, others: Vec::new() };
        let (mut first, mut last) = (None, None);
        let mut names: HashMap<TrackId, StudentId> = HashMap::new();
        for (at, analysis) in &self.pictures {
            *engine.next.lock().unwrap_or_else(PoisonError::into_inner) = analysis.clone();
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a clip")]
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_millis((at * 1000.0) as i64);
            let report = recognizer.process(&frame, now)?;
            if report.faces.is_empty() {
                last = None;
                continue;
            }
            // A face is followed from one picture to the next that shows one.
            seen.seconds += last.map_or(0.0, |last| at - last);
            last = Some(*at);
            let first = *first.get_or_insert(*at);
            for (face, student) in report.faces.iter().filter_map(|face| Some((face, face.student()?))) {
                if Some(student) == right {
                    seen.right_after.get_or_insert(at - first);
                } else if names.get(&face.track) != Some(&student) {
                    seen.others.push(student);
                }
                names.insert(face.track, student);
            }
        }
        Ok(seen)
    }
}

/// Answers with what was seen before.
struct Recorded {
    embedder: Embedder,
    next: Mutex<Analysis>,
}

impl FaceEngine for Recorded {
    fn analyze(&self, _frame: &Frame<'_>, _options: &AnalyzeOptions) -> Result<Analysis> {
        Ok(std::mem::take(&mut *self.next.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn embedder(&self) -> &Embedder {
        &self.embedder
    }
}
