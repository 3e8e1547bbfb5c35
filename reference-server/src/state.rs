//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::http::StatusCode;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::engine::{Analysis, AnalyzeOptions, FaceEngine};
use faceattend_core::enrolment::{DuplicatePolicy, Registry};
use faceattend_core::frame::Frame;
use faceattend_core::liveness::{LivenessOptions, ReceiptKey};
use faceattend_core::store::{Listed, MarksOfErased, NewAuditEntry, Page, Retention, Retired, Store, Student};
use faceattend_core::types::{StudentId, Threshold};
use faceattend_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use crate::auth::throttle::Throttle;
use crate::auth::{Secret, Tokens};
use crate::error::AppError;
use crate::live::{Live, LiveSettings};
use crate::metrics::Figures;
use crate::net::peer::Network;
use crate::net::rate_limit::{RateLimits, Rates};
use crate::passive::PassiveNetworks;

/// How many frames may wait for the engine before a new one is answered 503: at the page's five frames a second and
/// 10 ms a frame a thread, several seconds of work.
const WAITING_PER_THREAD: usize = 64;

/// Who chooses the order in which a liveness session asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ChallengePolicy {
    /// The client: existing ones follow the fixed order, the pages of this server ask for a random one.
    #[default]
    Optional,
    /// The server: a session without a random order is refused.
    Required,
}

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Signs the tokens.
    pub secret: Secret,
    /// The site's days: attendance is marked once in each.
    pub policy: AttendancePolicy,
    /// What a liveness session demands.
    pub liveness: LivenessOptions,
    /// Who chooses the order in which a session asks.
    pub challenge: ChallengePolicy,
    /// What becomes of a face that is enrolled as somebody else already.
    pub duplicates: DuplicatePolicy,
    /// Signs the receipts of enrolments; `None` for none.
    pub receipts: Option<ReceiptKey>,
    /// From which similarity a face counts as recognized.
    pub threshold: Threshold,
    /// How many frames are analyzed at a time.
    pub threads: usize,
    /// Who may open the WebSocket.
    pub web_socket: WebSocketAccess,
    /// What logging out does to the token.
    pub logout: Logout,
    /// What becomes of the marks of a student who is erased.
    pub marks_of_erased: MarksOfErased,
    /// What is deleted with time.
    pub retention: RetentionDays,
    /// How cameras are watched.
    pub live: LiveSettings,
    /// How often one client may ask.
    pub rates: RateLimits,
    /// The proxies whose word on the client's address counts.
    pub trusted_proxies: Vec<Network>,
    /// The passive antispoof networks, where they can be fetched while the server runs.
    pub passive: Option<PassiveNetworks>,
    /// How long the body of a request may take to arrive. By default a minute: a picture of the page's size (4 MB) over a
    /// line of 1 Mbit/s, twice. Who sends it drop by drop holds no place for longer.
    pub body_within: Duration,
}

/// [`Settings::body_within`] unless it is set.
pub(crate) const BODY_WITHIN: Duration = Duration::from_secs(60);

/// Who may open the WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WebSocketAccess {
    /// Whoever brings a token, in the query or as the subprotocol.
    #[default]
    Token,
    /// Everybody, as in the existing service.
    Open,
}

/// What logging out does to the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Logout {
    /// It ends it, and every other token of the login.
    #[default]
    EndsLogin,
    /// Nothing: the client forgets its token, which stays good until it expires, as in the existing service.
    LeavesToken,
}

/// After how many days what is deleted. `None` keeps it for ever, which is the default for all that the existing
/// service wrote: opening its database must not cost a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionDays {
    /// Liveness sessions, after their end; they hold embeddings.
    pub sessions: Option<u32>,
    /// Detection logs.
    pub detection_logs: Option<u32>,
    /// Attendance.
    pub attendance: Option<u32>,
    /// The audit log.
    pub audit: Option<u32>,
    /// Logins that have ended, which are ours alone.
    pub logins: Option<u32>,
}

impl Default for RetentionDays {
    fn default() -> Self {
        Self { sessions: None, detection_logs: None, attendance: None, audit: None, logins: Some(30) }
    }
}

impl RetentionDays {
    fn until(&self, now: Timestamp) -> Retention {
        let ago = |days: Option<u32>| days.map(|days| now - SignedDuration::from_hours(24 * i64::from(days)));
        Retention {
            sessions_before: ago(self.sessions),
            detection_logs_before: ago(self.detection_logs),
            attendance_before: ago(self.attendance),
            audit_before: ago(self.audit),
            logins_before: ago(self.logins),
        }
    }
}

impl Settings {
    /// The documented defaults, in the time zone of this machine.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            policy: AttendancePolicy::default(),
            liveness: LivenessOptions::default(),
            challenge: ChallengePolicy::default(),
            duplicates: DuplicatePolicy::default(),
            receipts: None,
            threshold: Threshold::DOCUMENTED,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            web_socket: WebSocketAccess::default(),
            logout: Logout::default(),
            marks_of_erased: MarksOfErased::default(),
            retention: RetentionDays::default(),
            live: LiveSettings::default(),
            rates: RateLimits::default(),
            trusted_proxies: Vec::new(),
            passive: None,
            body_within: BODY_WITHIN,
        }
    }

    /// The same settings with the WebSocket for these.
    #[must_use]
    pub fn with_web_socket(mut self, access: WebSocketAccess) -> Self {
        self.web_socket = access;
        self
    }

    /// The same settings, where logging out does this.
    #[must_use]
    pub fn with_logout(mut self, logout: Logout) -> Self {
        self.logout = logout;
        self
    }

    /// The same settings, where the marks of the erased are treated so.
    #[must_use]
    pub fn with_marks_of_erased(mut self, marks: MarksOfErased) -> Self {
        self.marks_of_erased = marks;
        self
    }

    /// The same settings with this retention.
    #[must_use]
    pub fn with_retention(mut self, retention: RetentionDays) -> Self {
        self.retention = retention;
        self
    }

    /// The same settings for a site with these days.
    #[must_use]
    pub fn with_policy(mut self, policy: AttendancePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The same settings with this rule about the order of liveness sessions.
    #[must_use]
    pub fn with_challenge(mut self, challenge: ChallengePolicy) -> Self {
        self.challenge = challenge;
        self
    }

    /// The same settings with another answer to a face that is enrolled as somebody else already.
    #[must_use]
    pub fn with_duplicates(mut self, duplicates: DuplicatePolicy) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// The same settings with a key that signs receipts.
    #[must_use]
    pub fn with_receipts(mut self, key: ReceiptKey) -> Self {
        self.receipts = Some(key);
        self
    }

    /// The same settings with cameras watched like this.
    #[must_use]
    pub fn with_live(mut self, live: LiveSettings) -> Self {
        self.live = live;
        self
    }

    /// The same settings with these limits on how often one client may ask.
    #[must_use]
    pub fn with_rates(mut self, rates: RateLimits) -> Self {
        self.rates = rates;
        self
    }

    /// The same settings behind these proxies.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: Vec<Network>) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// The same settings with passive antispoof networks that can be fetched while the server runs.
    #[must_use]
    pub fn with_passive(mut self, networks: PassiveNetworks) -> Self {
        self.passive = Some(networks);
        self
    }

    /// The same settings with this time for the body of a request.
    #[must_use]
    pub fn with_body_within(mut self, time: Duration) -> Self {
        self.body_within = time;
        self
    }

    /// The same settings with `threads` frames analyzed at a time.
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
    figures: Figures,
    throttle: Throttle,
    rates: Rates,
    /// One permit a frame that waits or is analyzed.
    queue: Semaphore,
    /// One permit a frame that is analyzed.
    running: Arc<Semaphore>,
}

impl AppState {
    /// The state of a server over `store` and `engine`: loads the gallery and makes the admin user of an empty database.
    ///
    /// # Errors
    /// [`Error::Store`] when the database cannot be read.
    pub fn new(store: Arc<dyn Store>, engine: Arc<dyn FaceEngine>, settings: Settings) -> Result<Self> {
        crate::auth::ensure_admin(&*store, jiff::Timestamp::now())?;
        let tokens = Tokens::new(&settings.secret);
        let live = Live::new(Arc::clone(&store), &engine, &settings)?;
        let rates = Rates::new(&settings.rates);
        let threads = settings.threads.max(1);
        Ok(Self(Arc::new(Shared {
            store,
            engine,
            tokens,
            settings,
            live,
            figures: Figures::default(),
            throttle: Throttle::default(),
            rates,
            queue: Semaphore::new(threads * WAITING_PER_THREAD),
            running: Arc::new(Semaphore::new(threads)),
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

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// The students whose stored faces this server's embedding model cannot match: they have to enrol again. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn students_to_enrol_again(&self) -> Result<Listed<Student>> {
        self.0.store.students_to_enrol_again(&self.0.engine.embedder().model, None, Page::ALL)
    }

    /// Deletes what the retention no longer keeps, and says so in the audit log. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn retire(&self, now: Timestamp) -> Result<Retired> {
        let retired = self.0.store.retire(&self.0.settings.retention.until(now))?;
        if retired.total() > retired.logins {
            let details = format!(
                "{} liveness sessions, {} detection logs, {} attendance rows, {} audit entries",
                retired.sessions, retired.detection_logs, retired.attendance, retired.audit
            );
            let (actor, action) = ("retention".into(), "delete old rows".into());
            self.0.store.add_audit(&NewAuditEntry { at: now, actor, action, subject: None, details: Some(details) })?;
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

    /// Runs `work` with the registry on a thread that may block.
    pub(crate) async fn with_registry<T: Send + 'static>(
        &self,
        prefix: &'static str,
        work: impl FnOnce(&Registry) -> Result<T> + Send + 'static,
    ) -> Result<T, AppError> {
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

    /// Decodes `bytes` and does `work` with the frame and the engine, at most [`Settings::threads`] at a time.
    pub(crate) async fn with_frame<T: Send + 'static>(
        &self,
        prefix: &'static str,
        bytes: Vec<u8>,
        work: impl FnOnce(Frame<'static>, &dyn FaceEngine) -> Result<T> + Send + 'static,
    ) -> Result<T, AppError> {
        let busy = || {
            self.0.figures.busy.fetch_add(1, Relaxed);
            AppError::Later(StatusCode::SERVICE_UNAVAILABLE, "The server is busy", 1)
        };
        let _place = self.0.queue.try_acquire().map_err(|_| busy())?;
        let permit = Arc::clone(&self.0.running).acquire_owned().await.map_err(|_| AppError::Died(prefix))?;
        let engine = Arc::clone(&self.0.engine);
        self.0.figures.frames.fetch_add(1, Relaxed);
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
