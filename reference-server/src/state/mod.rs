//! What every handler shares.

pub(crate) mod analysis;
pub(crate) mod in_flight;
pub(crate) mod picture_memory;
pub(crate) mod rates;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use axum::http::StatusCode;
use faceattend_core::decode::{DecodeLimits, decode, memory_to_decode};
use faceattend_core::engine::{Analysis, AnalyzeOptions, Depth, FaceEngine};
use faceattend_core::enrolment::Registry;
use faceattend_core::frame::Frame;
use faceattend_core::store::{Deferred, Listed, NewAuditEntry, Page, Retired, Store, Student};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

use crate::auth::hashing::{Hashing, Turn};
use crate::auth::{Tokens, default_password_works};
use crate::error::{AppError, RETRY_AFTER};
use crate::live::Live;
use crate::metrics::Figures;
use crate::settings::Settings;

use analysis::AnalysisThreads;
use in_flight::InFlight;
use picture_memory::{PictureMemory, Room};
use rates::Rates;

/// How many frames may wait for the engine before a new one is answered 503: at the page's five frames a second and
/// 10 ms a frame a thread, several seconds of work.
const WAITING_PER_THREAD: usize = 64;

/// How many frames a thread has at hand: the one that it analyzes, and the next, so that it need not wait for the
/// runtime. A client that hangs up while its frame waits before that costs nothing.
const AT_THE_THREADS: usize = 2;

/// How long notices that were sent are kept: they name people. It is longer than anybody asks whether a letter went.
const NOTICES_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The answer while the known faces are being loaded.
pub(crate) const LOADING: &str = "The known faces are still being loaded: try again in a moment";

/// How many cameras are tried out at a time: each takes a thread for ten seconds.
const TRIALS: usize = 2;

/// The shared state: cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    engine: Arc<dyn FaceEngine>,
    tokens: Tokens,
    settings: Settings,
    live: Live,
    figures: Figures,
    hashing: Hashing,
    counting: Mutex<()>,
    rates: Rates,
    in_flight: InFlight,
    picture_memory: PictureMemory,
    /// Whether the documented password was found to be good no longer: no account is given it again.
    password_changed: AtomicBool,
    /// One permit a camera that is tried out.
    trials: Semaphore,
    /// One permit a frame that waits or is analyzed.
    queue: Semaphore,
    /// One permit a frame that a thread has, or is next to have.
    running: Arc<Semaphore>,
    analysis: AnalysisThreads,
}

impl AppState {
    /// The state of a server over `store` and `engine`: loads the gallery, or begins to
    /// ([`Settings::gallery_within`]), and makes the admin user of an empty
    /// database.
    ///
    /// # Errors
    /// [`Error::Store`] when the database cannot be read.
    pub fn new(store: Arc<dyn Store>, engine: Arc<dyn FaceEngine>, settings: Settings) -> Result<Self> {
        crate::auth::ensure_admin(&*store, jiff::Timestamp::now())?;
        let tokens = Tokens::new(&settings.secret);
        let live = Live::new(Arc::clone(&store), &engine, &settings)?;
        let rates = Rates::new(&settings.rates);
        let in_flight = InFlight::new(settings.at_once_per_address);
        let picture_memory = PictureMemory::new(settings.picture_memory);
        let threads = settings.threads.max(1);
        Ok(Self(Arc::new(Shared {
            store,
            engine,
            tokens,
            settings,
            live,
            figures: Figures::default(),
            hashing: Hashing::new(),
            counting: Mutex::new(()),
            rates,
            in_flight,
            picture_memory,
            password_changed: AtomicBool::new(false),
            trials: Semaphore::new(TRIALS),
            queue: Semaphore::new(threads * WAITING_PER_THREAD),
            running: Arc::new(Semaphore::new(threads * AT_THE_THREADS)),
            analysis: AnalysisThreads::start(threads)?,
        })))
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn figures(&self) -> &Figures {
        &self.0.figures
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.0.rates
    }

    pub(crate) fn in_flight(&self) -> &InFlight {
        &self.0.in_flight
    }

    /// Waits for a turn to hash a password.
    ///
    /// # Errors
    /// 503 when too many wait already.
    pub(crate) async fn turn_to_hash(&self) -> Result<Turn, AppError> {
        self.0.hashing.turn().await.ok_or_else(|| {
            self.0.figures.busy.fetch_add(1, Relaxed);
            AppError::Later(StatusCode::SERVICE_UNAVAILABLE, "The server is busy", 1)
        })
    }

    /// Takes the place of a camera that is tried out.
    ///
    /// # Errors
    /// 503 when others are tried out.
    pub(crate) fn place_to_try(&self) -> Result<SemaphorePermit<'_>, AppError> {
        self.0
            .trials
            .try_acquire()
            .map_err(|_| AppError::Later(StatusCode::SERVICE_UNAVAILABLE, "Other cameras are being tried out", 5))
    }

    /// Whether no account has the documented password any more. Asked until it is so, then never again.
    ///
    /// # Errors
    /// 503 when too many passwords are hashed, and those of the store.
    pub(crate) async fn password_is_changed(&self) -> Result<bool, AppError> {
        if self.0.password_changed.load(Relaxed) {
            return Ok(true);
        }
        let turn = self.turn_to_hash().await?;
        let works = self
            .with_store("Error checking the password", move |store| turn.run(|| default_password_works(store)))
            .await?;
        self.0.password_changed.store(!works, Relaxed);
        Ok(!works)
    }

    /// Waits for a turn to count rows for somebody without a login.
    pub(crate) async fn turn_to_count(&self) -> MutexGuard<'_, ()> {
        self.0.counting.lock().await
    }

    /// The students whose stored faces this server's embedding model cannot match: they have to enrol again. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn students_to_enrol_again(&self) -> Result<Listed<Student>> {
        self.0.store.students_to_enrol_again(&self.0.engine.embedder().model, None, Page::ALL)
    }

    /// The students whose roll numbers are one, written differently: a list for each number. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn students_of_one_roll_number(&self) -> Result<Vec<Vec<Student>>> {
        self.0.store.students_of_one_roll_number()
    }

    /// Deletes what the retention no longer keeps, and says so in the audit log. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn retire(&self, now: Timestamp) -> Result<Retired> {
        let retired = self.0.store.retire(&self.0.settings.retention.until(now))?;
        self.0.store.retire_outbox(now - NOTICES_KEPT)?;
        if retired.total() > retired.logins {
            let details = format!(
                "{} liveness sessions, {} detection logs, {} attendance rows, {} second looks, {} excuses, {} audit \
                 entries",
                retired.sessions,
                retired.detection_logs,
                retired.attendance,
                retired.second_looks,
                retired.excuses,
                retired.audit
            );
            let (actor, action) = ("retention".into(), "delete old rows".into());
            let entry = NewAuditEntry { at: now, actor, action, subject: None, details: Some(details) };
            self.0.live.backlog().write(Deferred::Audit(entry), now)?;
        }
        Ok(retired)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    pub(crate) fn engine(&self) -> &dyn FaceEngine {
        &*self.0.engine
    }

    /// What happens in live detection, as it happens.
    #[must_use]
    pub fn events(&self) -> &crate::Events {
        self.0.live.events()
    }

    /// Stops every camera and writes what is still to be written. Blocks.
    pub fn shut_down(&self) {
        if let Some(networks) = &self.0.settings.passive {
            networks.stop();
        }
        self.0.live.shut_down();
    }

    /// Lets the cameras recognize a student with the templates that the store has from now on.
    pub(crate) async fn templates_changed(&self, student: StudentId) {
        let state = self.clone();
        // A panic there is in the log, and the templates are stored.
        let _ = tokio::task::spawn_blocking(move || state.live().templates_changed(student)).await;
    }

    /// Goes on where everybody is known who has a face. Until then nobody can be named, and nobody called unknown.
    ///
    /// # Errors
    /// 503 while the known faces are being loaded.
    pub(crate) fn faces_are_known(&self) -> Result<(), AppError> {
        if self.live().gallery_start().is_whole() {
            return Ok(());
        }
        Err(AppError::Later(StatusCode::SERVICE_UNAVAILABLE, LOADING, RETRY_AFTER))
    }

    /// Runs `work` with the registry on a thread that may block. It compares with everybody who is known, so all have
    /// to be.
    pub(crate) async fn with_registry<T: Send + 'static>(
        &self,
        prefix: &'static str,
        work: impl FnOnce(&Registry) -> Result<T> + Send + 'static,
    ) -> Result<T, AppError> {
        self.faces_are_known()?;
        let state = self.clone();
        blocking(prefix, move || work(state.live().registry())).await
    }

    /// Runs `work` with the store on a thread that may block.
    pub(crate) async fn with_store<T: Send + 'static>(
        &self,
        prefix: &'static str,
        work: impl FnOnce(&dyn Store) -> Result<T> + Send + 'static,
    ) -> Result<T, AppError> {
        let store = Arc::clone(&self.0.store);
        blocking(prefix, move || work(&*store)).await
    }

    /// Decodes `bytes` and analyses the frame, at most [`Settings::threads`] at a time.
    pub(crate) async fn analyze(
        &self,
        prefix: &'static str,
        bytes: Vec<u8>,
        options: AnalyzeOptions,
    ) -> Result<(Frame<'static>, Analysis), AppError> {
        self.with_frame(prefix, bytes, move |frame, engine| {
            let analysis = engine.analyze(&frame, &options)?;
            Ok((frame, analysis))
        })
        .await
    }

    /// Finds the faces in `bytes`, of which no more is decoded than the detector looks at.
    pub(crate) async fn detect(&self, prefix: &'static str, bytes: Vec<u8>) -> Result<Analysis, AppError> {
        let options = AnalyzeOptions::default().with_depth(Depth::Detection);
        self.with_picture(prefix, bytes, move |bytes, limits, _, engine| {
            engine.analyze_encoded(&bytes, limits, &options)
        })
        .await
    }

    /// Decodes `bytes` and does `work` with the frame and the engine, at most [`Settings::threads`] at a time and
    /// within [`Settings::picture_memory`].
    pub(crate) async fn with_frame<T: Send + 'static>(
        &self,
        prefix: &'static str,
        bytes: Vec<u8>,
        work: impl FnOnce(Frame<'static>, &dyn FaceEngine) -> Result<T> + Send + 'static,
    ) -> Result<T, AppError> {
        self.with_picture(prefix, bytes, move |bytes, limits, room, engine| {
            let frame = decode(&bytes, limits)?;
            drop(bytes);
            room.keep(frame.pixels().len());
            work(frame, engine)
        })
        .await
    }

    async fn with_picture<T: Send + 'static>(
        &self,
        prefix: &'static str,
        bytes: Vec<u8>,
        work: impl FnOnce(Vec<u8>, &DecodeLimits, &mut Room, &dyn FaceEngine) -> Result<T> + Send + 'static,
    ) -> Result<T, AppError> {
        let busy = || {
            self.0.figures.busy.fetch_add(1, Relaxed);
            AppError::Later(StatusCode::SERVICE_UNAVAILABLE, "The server is busy", 1)
        };
        let limits = DecodeLimits::default().with_max_memory(self.0.settings.picture_memory);
        let (bytes, needed) = blocking(prefix, move || {
            let needed = memory_to_decode(&bytes, &limits)?;
            Ok((bytes, needed))
        })
        .await?;
        // Before the queue: what waits for room keeps no thread and no place from the usual pictures.
        let mut room = self.0.picture_memory.take(needed).await.ok_or_else(busy)?;
        let _place = self.0.queue.try_acquire().map_err(|_| busy())?;
        let permit = Arc::clone(&self.0.running).acquire_owned().await.map_err(|_| AppError::Died(prefix))?;
        let engine = Arc::clone(&self.0.engine);
        self.0.figures.frames.fetch_add(1, Relaxed);
        let analyzing = move || {
            // Moved in: a client that hangs up cancels its request, but not the analysis that has begun.
            let _permit = permit;
            work(bytes, &limits, &mut room, &*engine)
        };
        self.0.analysis.run(prefix, analyzing).await
    }

    /// Refuses a picture before its request is parsed, where it would be refused afterwards: under a flood of pictures,
    /// parsing those that are refused would take a core from those that are not.
    ///
    /// # Errors
    /// 503 when as many pictures wait as may.
    pub(crate) fn must_have_place(&self) -> Result<(), AppError> {
        if self.0.queue.available_permits() > 0 {
            return Ok(());
        }
        self.0.figures.busy.fetch_add(1, Relaxed);
        Err(AppError::Later(StatusCode::SERVICE_UNAVAILABLE, "The server is busy", 1))
    }
}

/// Runs `work` on a thread that may block, and answers a panic there as an error of ours.
pub(crate) async fn blocking<T: Send + 'static>(
    prefix: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T, AppError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error: Error| AppError::Core(prefix, error)),
        Err(_) => Err(AppError::Died(prefix)),
    }
}
