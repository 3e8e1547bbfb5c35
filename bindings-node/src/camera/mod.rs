//! Cameras and recordings. Capture and analysis run on the core's own threads; JavaScript gets one event at a time and
//! asks for the next, so that a slow consumer never sees an old frame and nothing piles up.

mod events;
mod eye;

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use faceattend_core::camera::{CameraSource, CameraWorker};
use faceattend_core::frame::Frame as CoreFrame;
use faceattend_core::{Error, Result};
use napi::Status;
use napi::bindgen_prelude::{AsyncTask, ClassInstance};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use self::events::{CameraFrame, CameraHealth, CameraState, Sighting};
use self::eye::{CameraReadOptions, Eye, eye, worker_options};
use crate::attendance::AttendanceBook;
use crate::engine::Engine;
use crate::error::{OrThrow as _, to_js};
use crate::gallery::Gallery;
use crate::job::{Job, job};

/// How often the state of a camera is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// What the threads tell: one of a frame, a new state, a problem with a frame, or whom somebody has to look at again
/// after the last one.
#[napi(object, use_nullable = true, object_from_js = false)]
pub struct NativeCameraEvent {
    pub frame: Option<CameraFrame>,
    pub state: Option<CameraState>,
    pub problem: Option<String>,
    pub second_looks: Option<Vec<Sighting>>,
}

impl NativeCameraEvent {
    const NOTHING: Self = Self { frame: None, state: None, problem: None, second_looks: None };

    fn problem(error: &Error) -> Self {
        Self { problem: Some(to_js(error).reason.clone()), ..Self::NOTHING }
    }
}

type Tell = Arc<ThreadsafeFunction<NativeCameraEvent, (), NativeCameraEvent, Status, false>>;

/// The threads of one camera. `Camera`, in JavaScript, makes events and an iterator of what it tells.
#[napi]
pub struct NativeCamera {
    worker: Arc<CameraWorker>,
    demand: Arc<Demand>,
    eye: Arc<Mutex<Eye>>,
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
            let eye = eye(&options, source.nature(), engine.as_deref(), gallery.as_deref(), book.as_deref())?;
            let eye = Arc::new(Mutex::new(eye));
            let (told, wanted, seeing) = (tell.clone(), demand.clone(), eye.clone());
            let consumer = move |frame: CoreFrame<'static>| {
                // In this order: whoever says `Never` and then sees no looking knows that none will begin.
                let looking = Looking::at(&wanted);
                if wanted.over() {
                    return;
                }
                let seen = seeing.lock().unwrap_or_else(PoisonError::into_inner).see(frame, pixels);
                let event = match seen {
                    Ok(frame) => NativeCameraEvent { frame: Some(frame), ..NativeCameraEvent::NOTHING },
                    Err(error) => NativeCameraEvent::problem(&error),
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
            Ok((CameraWorker::start(&source, worker_options, consumer)?, eye))
        };
        let (worker, eye) = start().or_throw()?;
        let worker = Arc::new(worker);
        watch(worker.clone(), tell, demand.clone(), eye.clone()).or_throw()?;
        Ok(Self { worker, demand, eye })
    }

    /// Asks for the next frame.
    #[napi]
    pub fn resume(&self) {
        self.demand.say(Wanted::Yes);
    }

    /// Stops the threads; resolves when they are at rest, to the people whom somebody has to look at again.
    #[napi(ts_return_type = "Promise<Array<Sighting>>")]
    pub fn stop(&self) -> AsyncTask<Job<Vec<Sighting>>> {
        self.demand.say(Wanted::Never);
        let (worker, eye) = (self.worker.clone(), self.eye.clone());
        job(move || {
            worker.stop();
            eye.lock().unwrap_or_else(PoisonError::into_inner).finish()
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
        // Whoever was being watched is on the second-look list; nobody is left to tell of a failure.
        if let Ok(mut eye) = self.eye.try_lock() {
            drop(eye.finish());
        }
    }

    /// The camera, without credentials.
    #[napi(getter)]
    pub fn source(&self) -> String {
        self.worker.camera().to_owned()
    }

    /// How it is doing.
    #[napi(getter)]
    pub fn health(&self) -> CameraHealth {
        self.worker.health().into()
    }
}

/// Node drops it when it takes an environment down, a worker's or the process's: the threads are at rest before
/// anything they use goes away.
impl Drop for NativeCamera {
    fn drop(&mut self) {
        self.halt();
    }
}

/// Tells every change of the camera's state, the last one after its last frame.
fn watch(worker: Arc<CameraWorker>, tell: Tell, demand: Arc<Demand>, eye: Arc<Mutex<Eye>>) -> Result<()> {
    let watching = move || {
        let mut told = None;
        loop {
            let state = worker.wait(GLANCE);
            if told != Some(state) {
                told = Some(state);
                // Whoever stops it finishes it.
                if state.is_over() && !demand.over() {
                    let event = match eye.lock().unwrap_or_else(PoisonError::into_inner).finish() {
                        Ok(looks) => NativeCameraEvent { second_looks: Some(looks), ..NativeCameraEvent::NOTHING },
                        Err(error) => NativeCameraEvent::problem(&error),
                    };
                    tell.call(event, ThreadsafeFunctionCallMode::NonBlocking);
                }
                let event = NativeCameraEvent { state: Some(state.into()), ..NativeCameraEvent::NOTHING };
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
