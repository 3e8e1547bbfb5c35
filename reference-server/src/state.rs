//! What every handler shares.

use std::sync::Arc;

use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::engine::{Analysis, AnalyzeOptions, FaceEngine};
use faceattend_core::frame::Frame;
use faceattend_core::liveness::LivenessOptions;
use faceattend_core::store::Store;
use faceattend_core::types::Threshold;
use faceattend_core::{Error, Result};
use tokio::sync::Semaphore;

use crate::auth::{Secret, Tokens};
use crate::error::AppError;
use crate::live::{Live, LiveSettings};

/// How many frames may wait for the engine before a new one is answered 503: at the page's five frames a second and
/// 10 ms a frame a thread, several seconds of work.
const WAITING_PER_THREAD: usize = 64;

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Signs the tokens.
    pub secret: Secret,
    /// The site's days: attendance is marked once in each.
    pub policy: AttendancePolicy,
    /// What a liveness session demands.
    pub liveness: LivenessOptions,
    /// From which similarity a face counts as recognised.
    pub threshold: Threshold,
    /// How many frames are analysed at a time.
    pub threads: usize,
    /// How cameras are watched.
    pub live: LiveSettings,
}

impl Settings {
    /// The documented defaults, in the time zone of this machine.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            policy: AttendancePolicy::default(),
            liveness: LivenessOptions::default(),
            threshold: Threshold::DOCUMENTED,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            live: LiveSettings::default(),
        }
    }

    /// The same settings for a site with these days.
    #[must_use]
    pub fn with_policy(mut self, policy: AttendancePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The same settings with cameras watched like this.
    #[must_use]
    pub fn with_live(mut self, live: LiveSettings) -> Self {
        self.live = live;
        self
    }

    /// The same settings with `threads` frames analysed at a time.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }
}

/// The shared state: cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    engine: Arc<dyn FaceEngine>,
    tokens: Tokens,
    settings: Settings,
    live: Live,
    /// One permit a frame that waits or is analysed.
    queue: Semaphore,
    /// One permit a frame that is analysed.
    running: Arc<Semaphore>,
}

impl AppState {
    /// The state of a server over `store` and `engine`: loads the gallery and makes the admin user of an empty database.
    ///
    /// # Errors
    /// [`Error::Store`] when the database cannot be read.
    pub fn new(store: Arc<dyn Store>, engine: Arc<dyn FaceEngine>, settings: Settings) -> Result<Self> {
        crate::auth::ensure_admin(&*store, jiff::Timestamp::now())?;
        let holders = store.admins()?.into_iter().filter(|admin| admin.is_active).map(|admin| admin.username);
        let tokens = Tokens::new(&settings.secret, holders);
        let live = Live::new(Arc::clone(&store), &engine, &settings)?;
        let threads = settings.threads.max(1);
        Ok(Self(Arc::new(Shared {
            store,
            engine,
            tokens,
            settings,
            live,
            queue: Semaphore::new(threads * WAITING_PER_THREAD),
            running: Arc::new(Semaphore::new(threads)),
        })))
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
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
        self.0.live.shut_down();
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
    pub(crate) async fn analyse(
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

    /// Decodes `bytes` and does `work` with the frame and the engine, at most [`Settings::threads`] at a time.
    pub(crate) async fn with_frame<T: Send + 'static>(
        &self,
        prefix: &'static str,
        bytes: Vec<u8>,
        work: impl FnOnce(Frame<'static>, &dyn FaceEngine) -> Result<T> + Send + 'static,
    ) -> Result<T, AppError> {
        let busy = || AppError::Detail(axum::http::StatusCode::SERVICE_UNAVAILABLE, "The server is busy".into());
        let _place = self.0.queue.try_acquire().map_err(|_| busy())?;
        let permit = Arc::clone(&self.0.running).acquire_owned().await.map_err(|_| AppError::Died(prefix))?;
        let engine = Arc::clone(&self.0.engine);
        blocking(prefix, move || {
            // Moved in: a client that hangs up cancels its request, but not the analysis that has begun.
            let _permit = permit;
            work(decode(&bytes, &DecodeLimits::default())?, &*engine)
        })
        .await
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
