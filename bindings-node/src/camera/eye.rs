//! What is done with the frames of a camera.

use std::sync::Arc;
use std::time::Duration;

use faceattend_core::Result;
use faceattend_core::camera::{Nature, OpenOptions, Orientation, Pace as CorePace, WorkerOptions};
use faceattend_core::engine::Engine as CoreEngine;
use faceattend_core::frame::{ChannelOrder, Frame as CoreFrame};
use faceattend_core::gate::{GateOptions, GatePolicy};
use faceattend_core::recognition::{RecognitionOptions, Recognizer};
use faceattend_core::tracking::TrackingOptions;
use jiff::{SignedDuration, Timestamp};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;

use super::events::{CameraFrame, Sighting};
use crate::attendance::AttendanceBook;
use crate::engine::{AnalyzeOptions, Engine, analyze_options};
use crate::error::invalid;
use crate::face::Analysis;
use crate::frame::{Frame, PixelFormat, captured_at};
use crate::gallery::{Gallery, threshold, whole};
use crate::time::{self, Date};

/// How fast a recording is played: as it was `recorded`, where a slow consumer misses frames as it would with a
/// camera, or `as_analyzed`, where it gets every frame. `as_analysed` is the deprecated spelling of earlier versions.
#[napi(string_enum = "snake_case")]
pub enum Pace {
    Recorded,
    AsAnalyzed,
    AsAnalysed,
}

/// What is asked of a face before its person is marked. `require`: that its views show a living person; whoever is
/// recognized and does not show it goes on the second-look list. `ask`: the same, and whose views do not say is asked
/// for a short movement, which `SeenFace.asked` names. `observe`: nothing, but every face says what its views tell of
/// life. `off`: nothing, and nobody looks.
#[napi(string_enum = "snake_case")]
pub enum Gate {
    Off,
    Observe,
    Require,
    Ask,
}

/// How a camera is read and its faces are followed.
#[napi(object, object_to_js = false)]
pub struct CameraReadOptions {
    /// Default `recorded`.
    pub pace: Option<Pace>,
    /// Whether events carry the frame's pixels. Default: only when there is no engine.
    pub pixels: Option<bool>,
    /// The camera's place, for marks.
    pub location: Option<String>,
    /// Below this similarity nobody is named, in [0, 1]. Default 0.7.
    pub threshold: Option<f64>,
    /// How many good views have to show the same person before the face is known. Default 2.
    pub agreeing: Option<f64>,
    /// The share of strangers that may be named, however long they stay. Default 0.001.
    pub false_names: Option<f64>,
    /// What is asked of a face before its person is marked. Default: `require` of cameras, `observe` of recordings.
    pub gate: Option<Gate>,
    /// How long a person is watched for signs of life before the sighting goes on the second-look list, in
    /// milliseconds. Default 4000.
    pub gate_wait_ms: Option<f64>,
    /// Without effect: all views of a face decide together. Kept for callers of earlier versions.
    pub window: Option<f64>,
    /// How a frame is analyzed when there is an engine and no gallery.
    pub analyze: Option<AnalyzeOptions>,
    /// How long connecting to a stream may take, in milliseconds. Default 5000.
    pub open_timeout_ms: Option<f64>,
    /// How long a stream may give no frame, in milliseconds. Default 5000.
    pub read_timeout_ms: Option<f64>,
    /// By how many degrees clockwise the pictures have to be turned to be upright: 0, 90, 180 or 270. Default 0.
    pub orientation: Option<f64>,
    /// Whether they are mirrored left to right then. Default false.
    pub mirror: Option<bool>,
    /// The capture time of a recording's first frame. Default: now.
    pub recording_starts_at: Option<Date>,
}

/// What analyzes the frames of a camera.
pub(super) enum Eye {
    Nobody,
    Engine(Arc<CoreEngine>, faceattend_core::engine::AnalyzeOptions),
    Recognizer(Box<Recognizer>),
}

pub(super) fn eye(
    options: &CameraReadOptions,
    nature: Nature,
    engine: Option<&Engine>,
    gallery: Option<&Gallery>,
    book: Option<&AttendanceBook>,
) -> Result<Eye> {
    let Some(engine) = engine else {
        return match (gallery, book) {
            (None, None) => Ok(Eye::Nobody),
            _ => Err(invalid("camera options", "a gallery or a book needs an engine")),
        };
    };
    let Some(gallery) = gallery else {
        if book.is_some() {
            return Err(invalid("camera options", "a book needs a gallery"));
        }
        let analyze = options.analyze.as_ref().map(|analyze| AnalyzeOptions {
            depth: analyze.depth,
            selection: analyze.selection,
            region: analyze.region,
        });
        return Ok(Eye::Engine(engine.inner.clone(), analyze_options(analyze)));
    };
    let mut tracking = TrackingOptions::default();
    if let Some(agreeing) = options.agreeing {
        tracking = tracking.with_agreeing(whole("agreeing", agreeing)?);
    }
    if let Some(rate) = options.false_names {
        #[expect(clippy::cast_possible_truncation, reason = "a rate")]
        let rate = rate as f32;
        tracking = tracking.with_false_names(rate)?;
    }
    let recognition = RecognitionOptions::default()
        .with_threshold(threshold(options.threshold)?)
        .with_tracking(tracking)
        .with_gate(gate(options, nature)?);
    let mut recognizer = Recognizer::new(engine.inner.clone(), gallery.inner.clone(), &recognition);
    if let Some(book) = book {
        recognizer = recognizer.with_marker(book.marker.clone(), options.location.clone());
    }
    Ok(Eye::Recognizer(Box::new(recognizer)))
}

fn gate(options: &CameraReadOptions, nature: Nature) -> Result<GateOptions> {
    let policy = match options.gate {
        Some(Gate::Off) => GatePolicy::Off,
        Some(Gate::Observe) => GatePolicy::Observe,
        Some(Gate::Require) => GatePolicy::Require,
        Some(Gate::Ask) => GatePolicy::Ask,
        None => GatePolicy::usual_for(nature),
    };
    let gate = GateOptions::of(policy);
    let Some(wait) = options.gate_wait_ms else { return Ok(gate) };
    let span = SignedDuration::try_from_secs_f64(wait / 1000.0).ok().filter(|span| !span.is_negative());
    Ok(gate.with_wait(span.ok_or_else(|| invalid("gateWaitMs", format!("{wait} is no duration")))?))
}

impl Eye {
    /// Ends the watch; returns whom somebody has to look at again.
    pub(super) fn finish(&mut self) -> Result<Vec<Sighting>> {
        let Self::Recognizer(recognizer) = self else { return Ok(Vec::new()) };
        Ok(recognizer.finish()?.second_looks.iter().map(Into::into).collect())
    }

    /// Analyzes a frame; `pixels` says whether the answer carries them.
    pub(super) fn see(&mut self, frame: CoreFrame<'static>, pixels: bool) -> Result<CameraFrame> {
        let captured_at = frame.captured_at().unwrap_or_else(Timestamp::now);
        let mut seen = CameraFrame {
            captured_at: time::date(captured_at),
            width: frame.width(),
            height: frame.height(),
            faces: None,
            marks: Vec::new(),
            admitted: Vec::new(),
            second_looks: Vec::new(),
            suspected: Vec::new(),
            problems: Vec::new(),
            analysis: None,
            pixels: None,
        };
        match self {
            Self::Nobody => {}
            Self::Engine(engine, options) => {
                seen.analysis = Some(Analysis::of(&engine.analyze(&frame, options)?, &frame));
            }
            Self::Recognizer(recognizer) => {
                let report = recognizer.process(&frame, captured_at)?;
                seen.faces = Some(report.faces.iter().map(Into::into).collect());
                seen.admitted = report.admitted.iter().map(Into::into).collect();
                seen.second_looks = report.second_looks.iter().map(Into::into).collect();
                seen.suspected = report.suspected.iter().map(Into::into).collect();
                seen.problems = report.problems.iter().map(Into::into).collect();
                seen.marks = report.marks.into_iter().map(Into::into).collect();
            }
        }
        if pixels {
            seen.pixels = Some(Frame {
                data: Either::A(Uint8Array::new(frame.pixels().to_vec())),
                width: frame.width().into(),
                height: frame.height().into(),
                format: Some(match frame.order() {
                    ChannelOrder::Rgb => PixelFormat::Rgb,
                    ChannelOrder::Bgr => PixelFormat::Bgr,
                }),
                captured_at: Some(time::date(captured_at)),
            });
        }
        Ok(seen)
    }
}

pub(super) fn worker_options(options: &CameraReadOptions) -> Result<WorkerOptions> {
    let duration = |what, value: Option<f64>, default: Duration| match value {
        None => Ok(default),
        Some(ms) => Duration::try_from_secs_f64(ms / 1000.0).map_err(|_| invalid(what, format!("{ms} is no duration"))),
    };
    let mut open = OpenOptions::default();
    open = open.with_timeouts(
        duration("openTimeoutMs", options.open_timeout_ms, open.open_timeout)?,
        duration("readTimeoutMs", options.read_timeout_ms, open.read_timeout)?,
    );
    if let Some(starts_at) = captured_at(options.recording_starts_at)? {
        open = open.with_recording_starts_at(starts_at);
    }
    let degrees = options.orientation.map(|degrees| whole("orientation", degrees)).transpose()?.unwrap_or(0);
    let turned = Orientation::from_degrees(i64::try_from(degrees).unwrap_or(i64::MAX))?;
    open = open.with_orientation(if options.mirror == Some(true) { turned.mirrored() } else { turned });
    let pace = match options.pace {
        None | Some(Pace::Recorded) => CorePace::Recorded,
        Some(Pace::AsAnalyzed | Pace::AsAnalysed) => CorePace::AsAnalyzed,
    };
    Ok(WorkerOptions::default().with_open(open).with_pace(pace))
}
