//! Cameras and recordings. Capture and analysis run on the core's own threads; JavaScript gets one event at a time and
//! asks for the next, so that a slow consumer never sees an old frame and nothing piles up.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use faceattend_core::camera::{
    CameraSource, CameraState as CoreState, CameraWorker, OpenOptions, Pace as CorePace, WorkerOptions,
};
use faceattend_core::engine::{Engine as CoreEngine, FaceEngine};
use faceattend_core::frame::{ChannelOrder, Frame as CoreFrame};
use faceattend_core::recognition::{RecognitionOptions, RecognizedFace, Recognizer};
use faceattend_core::tracking::{Decision as CoreDecision, TrackId, TrackingOptions};
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use napi::Status;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Either, Uint8Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::attendance::{AttendanceBook, Marking};
use crate::engine::{AnalyzeOptions, Engine, analyze_options};
use crate::error::{OrThrow as _, invalid, to_js};
use crate::face::{Analysis, Rect};
use crate::frame::{Frame, PixelFormat, captured_at};
use crate::gallery::{Gallery, threshold, whole};
use crate::job::{Job, job};
use crate::time::{self, Date};

/// How often the state of a camera is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// How fast a recording is played: as it was `recorded`, where a slow consumer misses frames as it would with a camera, or
/// `as_analyzed`, where it gets every frame.
#[napi(string_enum = "snake_case")]
pub enum Pace {
    Recorded,
    AsAnalyzed,
}

/// What a camera is doing.
#[napi(string_enum = "lowercase")]
pub enum CameraState {
    Connecting,
    Running,
    Reconnecting,
    Stopped,
    Failed,
}

/// Whose face it is, by the views of it so far.
#[napi(string_enum = "lowercase")]
pub enum Decision {
    Waiting,
    Unknown,
    Known,
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
    /// Below which similarity nobody is named, in [0, 1]. Default 0.7.
    pub threshold: Option<f64>,
    /// How many good views have to show the same face before it is known. Default 2.
    pub agreeing: Option<f64>,
    /// The share of strangers that may be named, however long they stay. Default 0.001.
    pub false_names: Option<f64>,
    /// Without effect: all views of a face decide together. Kept for callers of earlier versions.
    pub window: Option<f64>,
    /// What to do with a frame when there is an engine and no gallery.
    pub analyze: Option<AnalyzeOptions>,
    /// How long connecting to a stream may take, in milliseconds. Default 5000.
    pub open_timeout_ms: Option<f64>,
    /// How long a stream may give no frame, in milliseconds. Default 5000.
    pub read_timeout_ms: Option<f64>,
    /// The capture time of a recording's first frame. Default: now.
    pub recording_starts_at: Option<Date>,
}

/// A face in view of a camera.
#[napi(object, use_nullable = true)]
pub struct SeenFace {
    /// Where it is, in frame pixels.
    pub bbox: Rect,
    /// The same face in the frames before and after; rises, and is not used again by the same camera.
    pub track_id: i64,
    /// Whose it is, as far as the views of it agree.
    pub decision: Decision,
    /// The student, when known.
    pub student_id: Option<i64>,
    /// How alike, in the best of the agreeing views, in [0, 1]; `null` unless known.
    pub similarity: Option<f64>,
}

/// What one frame of a camera showed.
#[napi(object, use_nullable = true)]
pub struct CameraFrame {
    pub captured_at: Date,
    pub width: u32,
    pub height: u32,
    /// The faces and whose they are, when the camera has an engine and a gallery.
    pub faces: Option<Vec<SeenFace>>,
    /// What came of marking each student that is known, when the camera has a book too. `newlyMarked` tells who just came.
    pub marks: Vec<Marking>,
    /// The analysis, when the camera has an engine and no gallery.
    pub analysis: Option<Analysis>,
    /// The frame itself, when it was asked for or there is no engine.
    pub pixels: Option<Frame>,
}

/// How a camera is doing.
#[napi(object, use_nullable = true)]
pub struct CameraHealth {
    pub state: CameraState,
    /// Frames that the source gave.
    pub captured: i64,
    /// Frames that have been worked through.
    pub analyzed: i64,
    /// Frames that a newer one replaced, and frames that could not be decoded.
    pub dropped: i64,
    /// The last thing that went wrong, without credentials; it stays after a recovery.
    pub last_error: Option<String>,
    /// How long ago the source gave its last frame, in milliseconds.
    pub last_frame_age_ms: Option<f64>,
}

/// What the threads tell: one of a frame, a new state, or a problem with a frame.
#[napi(object, use_nullable = true, object_from_js = false)]
pub struct NativeCameraEvent {
    pub frame: Option<CameraFrame>,
    pub state: Option<CameraState>,
    pub problem: Option<String>,
}

type Tell = Arc<ThreadsafeFunction<NativeCameraEvent, (), NativeCameraEvent, Status, false>>;

/// The threads of one camera. `Camera`, in JavaScript, makes events and an iterator of what it tells.
#[napi]
pub struct NativeCamera {
    worker: Arc<CameraWorker>,
    demand: Arc<Demand>,
}

/// Whether JavaScript wants the next frame.
#[derive(Default)]
struct Demand {
    state: Mutex<Wanted>,
    /// Whether a frame is being looked at.
    looking: Mutex<bool>,
    changed: Condvar,
    changed_looking: Condvar,
}

/// How long the end of a process waits for the frame in hand: far longer than one takes, and still an end.
const LAST_FRAME: Duration = Duration::from_secs(10);

#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Wanted {
    #[default]
    No,
    Yes,
    /// Nobody will want one any more.
    Never,
}

impl Demand {
    fn say(&self, wanted: Wanted) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state != Wanted::Never {
            *state = wanted;
        }
        self.changed.notify_all();
    }

    /// Waits for the next demand and takes it.
    fn wait(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while *state == Wanted::No {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if *state == Wanted::Yes {
            *state = Wanted::No;
        }
    }

    fn look(&self, looking: bool) {
        *self.looking.lock().unwrap_or_else(PoisonError::into_inner) = looking;
        self.changed_looking.notify_all();
    }

    /// Waits until no frame is being looked at.
    fn rest(&self) {
        let looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether it rested or the time ran out: the process ends.
        drop(self.changed_looking.wait_timeout_while(looking, LAST_FRAME, |looking| *looking));
    }

    fn over(&self) -> bool {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) == Wanted::Never
    }
}

/// A frame is being looked at, until this is dropped; by a panic, too.
struct Looking(Arc<Demand>);

impl Looking {
    fn at(demand: &Arc<Demand>) -> Self {
        demand.look(true);
        Self(demand.clone())
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.look(false);
    }
}

#[napi]
impl NativeCamera {
    /// Starts the threads. `tell` gets every event, on the main thread; after a frame it gets no other until `resume`.
    #[napi]
    pub fn start(
        source: String,
        options: CameraReadOptions,
        engine: Option<ClassInstance<'_, Engine>>,
        gallery: Option<ClassInstance<'_, Gallery>>,
        book: Option<ClassInstance<'_, AttendanceBook>>,
        tell: ThreadsafeFunction<NativeCameraEvent, (), NativeCameraEvent, Status, false>,
    ) -> napi::Result<Self> {
        let tell = Arc::new(tell);
        let demand = Arc::new(Demand::default());
        let start = || {
            let source = CameraSource::parse(&source)?;
            let worker_options = worker_options(&options)?;
            let pixels = options.pixels.unwrap_or(engine.is_none());
            let mut eye = eye(&options, engine.as_deref(), gallery.as_deref(), book.as_deref())?;
            let (told, wanted) = (tell.clone(), demand.clone());
            let consumer = move |frame: CoreFrame<'static>| {
                // In this order: whoever says `Never` and then sees no looking knows that none will begin.
                let looking = Looking::at(&wanted);
                if wanted.over() {
                    return;
                }
                let event = match eye.see(frame, pixels) {
                    Ok(frame) => NativeCameraEvent { frame: Some(frame), state: None, problem: None },
                    Err(error) => {
                        NativeCameraEvent { frame: None, state: None, problem: Some(to_js(&error).reason.clone()) }
                    }
                };
                let asks = event.frame.is_some();
                if told.call(event, ThreadsafeFunctionCallMode::NonBlocking) != Status::Ok {
                    // Node takes this environment down.
                    wanted.say(Wanted::Never);
                } else if asks {
                    drop(looking);
                    wanted.wait();
                }
            };
            CameraWorker::start(&source, worker_options, consumer)
        };
        let worker = Arc::new(start().or_throw()?);
        watch(worker.clone(), tell, demand.clone()).or_throw()?;
        Ok(Self { worker, demand })
    }

    /// Asks for the next frame.
    #[napi]
    pub fn resume(&self) {
        self.demand.say(Wanted::Yes);
    }

    /// Stops the threads; resolves when they are at rest.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn stop(&self) -> AsyncTask<Job<()>> {
        self.demand.say(Wanted::Never);
        let worker = self.worker.clone();
        job(move || {
            worker.stop();
            Ok(())
        })
    }

    /// No frame is begun any more.
    #[napi]
    pub fn quieten(&self) {
        self.demand.say(Wanted::Never);
    }

    /// Stops the threads and waits for the frame in hand: for the end of the process.
    #[napi]
    pub fn halt(&self) {
        self.demand.say(Wanted::Never);
        self.worker.stop();
        self.demand.rest();
    }

    /// The camera, without credentials.
    #[napi(getter)]
    pub fn source(&self) -> String {
        self.worker.camera().to_owned()
    }

    /// How it is doing.
    #[napi(getter)]
    pub fn health(&self) -> CameraHealth {
        let health = self.worker.health();
        CameraHealth {
            state: health.state.into(),
            captured: health.captured.cast_signed(),
            analyzed: health.analyzed.cast_signed(),
            dropped: health.dropped.cast_signed(),
            last_error: health.last_error,
            last_frame_age_ms: health.last_frame_age.map(|age| age.as_secs_f64() * 1000.0),
        }
    }
}

/// Node drops it when it takes an environment down, a worker's or the process's: the threads are at rest before anything
/// they use goes away.
impl Drop for NativeCamera {
    fn drop(&mut self) {
        self.halt();
    }
}

/// Tells every change of the camera's state, the last one after its last frame.
fn watch(worker: Arc<CameraWorker>, tell: Tell, demand: Arc<Demand>) -> Result<()> {
    let watching = move || {
        let mut told = None;
        loop {
            let state = worker.wait(GLANCE);
            if told != Some(state) {
                told = Some(state);
                let event = NativeCameraEvent { frame: None, state: Some(state.into()), problem: None };
                if tell.call(event, ThreadsafeFunctionCallMode::NonBlocking) != Status::Ok {
                    demand.say(Wanted::Never);
                    worker.stop();
                }
            }
            if state.is_over() {
                return;
            }
        }
    };
    match std::thread::Builder::new().name("camera-watch".into()).spawn(watching) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Internal { reason: format!("no thread for the camera: {error}") }),
    }
}

/// What looks at a camera's frames.
enum Eye {
    Nobody,
    Engine(Arc<CoreEngine>, faceattend_core::engine::AnalyzeOptions),
    Recognizer(Box<Recognizer>),
}

fn eye(
    options: &CameraReadOptions,
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
    let recognition =
        RecognitionOptions::default().with_threshold(threshold(options.threshold)?).with_tracking(tracking);
    let mut recognizer = Recognizer::new(engine.inner.clone(), gallery.inner.clone(), &recognition);
    if let Some(book) = book {
        recognizer = recognizer.with_marker(book.marker.clone(), options.location.clone());
    }
    Ok(Eye::Recognizer(Box::new(recognizer)))
}

impl Eye {
    fn see(&mut self, frame: CoreFrame<'static>, pixels: bool) -> Result<CameraFrame> {
        let captured_at = frame.captured_at().unwrap_or_else(Timestamp::now);
        let mut seen = CameraFrame {
            captured_at: time::date(captured_at),
            width: frame.width(),
            height: frame.height(),
            faces: None,
            marks: Vec::new(),
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

fn worker_options(options: &CameraReadOptions) -> Result<WorkerOptions> {
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
    let pace = match options.pace {
        None | Some(Pace::Recorded) => CorePace::Recorded,
        Some(Pace::AsAnalyzed) => CorePace::AsAnalyzed,
    };
    Ok(WorkerOptions::default().with_open(open).with_pace(pace))
}

impl From<CoreState> for CameraState {
    fn from(state: CoreState) -> Self {
        match state {
            CoreState::Connecting => Self::Connecting,
            CoreState::Running => Self::Running,
            CoreState::Reconnecting => Self::Reconnecting,
            CoreState::Stopped => Self::Stopped,
            CoreState::Failed => Self::Failed,
        }
    }
}

impl From<&RecognizedFace> for SeenFace {
    fn from(face: &RecognizedFace) -> Self {
        let TrackId(track) = face.track;
        Self {
            bbox: (&face.bbox).into(),
            track_id: track.cast_signed(),
            decision: match face.decision {
                CoreDecision::Waiting => Decision::Waiting,
                CoreDecision::Unknown => Decision::Unknown,
                CoreDecision::Known { .. } => Decision::Known,
            },
            student_id: face.student().map(|student| student.0),
            similarity: face.similarity().map(|similarity| similarity.value().into()),
        }
    }
}
