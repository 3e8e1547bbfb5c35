//! `faceattend serve`: opens the database and the engine, listens, and ends cleanly.

use std::io::Write;
use std::net::IpAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::detection::{DetectOptions, InputSize};
use faceattend_core::engine::{ANTISPOOF_PACK, Engine, EngineBuilder, FaceEngine as _, PassiveCheck};
use faceattend_core::enrolment::DuplicatePolicy;
use faceattend_core::frame::ChannelOrder;
use faceattend_core::liveness::ReceiptKey;
use faceattend_core::models::download::Downloader;
use faceattend_core::models::manifest::Manifest;
use faceattend_core::models::store::ModelStore;
use faceattend_core::store::{MarksOfErased, Store};
use faceattend_core::tracking::{Impostors, TrackingOptions};
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::auth::{DEFAULT_ADMIN, DEFAULT_PASSWORD, Secret, default_password_works, ensure_admin};
pub(crate) use crate::commands::database::DATABASE;
use crate::commands::database::{DatabaseArgs, Place};
use crate::commands::keys::KeyArgs;
use crate::commands::{Hidden, enrol_again};
use crate::net::listen::{self, ConnectionLimits};
use crate::passive;
use crate::settings::BODY_WITHIN;
use crate::{
    AppState, ChallengePolicy, LiveSettings, Logout, Network, PassiveNetworks, RateLimits, RenewableEngine,
    RetentionDays, Settings, WebSocketAccess,
};

/// The JWT secret's file in the data directory.
pub(crate) const SECRET: &str = "jwt-secret";
/// The receipt key's file in the data directory.
pub(crate) const RECEIPT_KEY: &str = "receipt-key";
/// How many of those who have to enrol again the server names when it starts: a screen holds them.
const NAMED_AT_START: usize = 20;
/// How often old rows are deleted: retention is counted in days.
const RETIRE_EVERY: Duration = Duration::from_secs(3600);

/// Starts the server.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on; anything but loopback needs another admin password than the documented one
    #[arg(long, env = "FACEATTEND_HOST", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// The port to listen on
    #[arg(long, env = "FACEATTEND_PORT", default_value_t = 8001)]
    pub(crate) port: u16,
    /// Where the database and the JWT secret are kept [default: faceattend among the user's data]
    #[arg(long, env = "FACEATTEND_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// The folder of model packs [default: faceattend/models among the user's data]
    #[arg(long, env = "FACEATTEND_MODELS", value_name = "DIR")]
    pub(crate) models_dir: Option<PathBuf>,
    /// The model pack, as `faceattend models list` names it
    #[arg(long, env = "FACEATTEND_PACK", value_name = "NAME")]
    pub(crate) pack: Option<String>,
    /// A detection model of your own in place of the pack's: SCRFD, YuNet, YOLO-face or BlazeFace, told by its outputs
    #[arg(long, env = "FACEATTEND_DETECTOR", value_name = "FILE")]
    detector: Option<PathBuf>,
    /// The side of the detector's input in pixels; auto looks at small pictures first and larger ones for little faces
    #[arg(long, env = "FACEATTEND_DETECTOR_SIZE", value_name = "PIXELS", default_value = "auto", value_parser = parsed::<InputSize>)]
    detector_size: InputSize,
    /// An embedding model of your own in place of the pack's: students have to enrol again
    #[arg(long, env = "FACEATTEND_EMBEDDER", value_name = "FILE")]
    embedder: Option<PathBuf>,
    /// The order of the channels that the embedding model of your own wants, where no pack knows it: rgb or bgr
    #[arg(long, env = "FACEATTEND_EMBEDDER_CHANNELS", value_name = "ORDER", value_parser = parsed::<ChannelOrder>)]
    embedder_channels: Option<ChannelOrder>,
    /// The ONNX Runtime library [default: looked for in the usual places]
    #[arg(long, env = "FACEATTEND_ONNXRUNTIME", value_name = "FILE")]
    pub(crate) onnxruntime: Option<PathBuf>,
    /// How many frames are analyzed at once [default: one a processor]
    #[arg(long, env = "FACEATTEND_THREADS")]
    pub(crate) threads: Option<NonZero<usize>>,
    /// The site's time zone, such as Asia/Kolkata: attendance is marked once a day there [default: this machine's]
    #[arg(long, env = "FACEATTEND_TIME_ZONE", value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// The secret that signs tokens, to share one between servers [default: made and kept in the data directory]
    #[arg(long, env = "FACEATTEND_JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub(crate) jwt_secret: Option<Hidden>,
    /// Whether liveness sessions must follow a random order; existing pages do not know one
    #[arg(long, env = "FACEATTEND_CHALLENGE", value_enum, default_value_t)]
    challenge: ChallengePolicy,
    /// What becomes of a face that is enrolled as somebody else already: refuse, warn or allow
    #[arg(long, env = "FACEATTEND_DUPLICATES", value_name = "POLICY", default_value = "refuse", value_parser = duplicates)]
    duplicates: DuplicatePolicy,
    /// The key that signs receipts of enrolments, to share one between servers [default: made and kept in the data directory]
    #[arg(long, env = "FACEATTEND_RECEIPT_KEY", hide_env_values = true, value_name = "KEY")]
    pub(crate) receipt_key: Option<Hidden>,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Lets logged-in users look through the cameras, with boxes and names
    #[arg(long, env = "FACEATTEND_PREVIEW")]
    preview: bool,
    /// How many pictures of each camera are analyzed in a second; twice as many while a new face is being recognized
    #[arg(long, env = "FACEATTEND_RATE", value_name = "PER SECOND", default_value_t = LiveSettings::default().rate)]
    rate: f32,
    /// Keeps a further view of a student from a confident mark that the antispoof networks call living, at most one a
    /// month, so that templates grow older with their people
    #[arg(long, env = "FACEATTEND_AGE_TEMPLATES")]
    age_templates: bool,
    /// The share of strangers that a camera may name as a student, however long they stay
    #[arg(long, env = "FACEATTEND_FALSE_NAMES", value_name = "RATE", default_value_t = TrackingOptions::default().false_names)]
    false_names: f32,
    /// How near strangers come to the students, as `faceattend calibrate --live` proposes it [default: as the
    /// embedder says]
    #[arg(long, env = "FACEATTEND_STRANGERS", value_name = "MEAN,SPREAD", value_parser = strangers)]
    strangers: Option<Impostors>,
    /// This server's name among several on one database, another for each: they share their cameras and their events
    #[arg(long, env = "FACEATTEND_SERVER_NAME", value_name = "NAME", value_parser = server_name)]
    server_name: Option<String>,
    /// Lets everybody open the WebSocket, as the service that this one replaces did, instead of asking for a token
    #[arg(long, env = "FACEATTEND_OPEN_WEB_SOCKET")]
    open_web_socket: bool,
    /// Lets a token stay good after logging out until it expires, as the service that this one replaces did
    #[arg(long, env = "FACEATTEND_LOGOUT_LEAVES_TOKEN")]
    logout_leaves_token: bool,
    /// Keeps the marks of an erased student, without a name, for the statistics, instead of deleting them
    #[arg(long, env = "FACEATTEND_KEEP_MARKS_OF_ERASED")]
    keep_marks_of_erased: bool,
    /// How many requests a second one address may send, 0 for any number [default: 300, and any number for this machine]
    #[arg(long, env = "FACEATTEND_RATE_LIMIT", value_name = "PER SECOND")]
    rate_limit: Option<u32>,
    /// How many requests a second may come with one login, 0 for any number [default: as for an address]
    #[arg(long, env = "FACEATTEND_RATE_LIMIT_LOGIN", value_name = "PER SECOND")]
    rate_limit_login: Option<u32>,
    /// The proxies, as addresses or ranges with commas between them, whose X-Forwarded-For names the client
    #[arg(long, env = "FACEATTEND_TRUSTED_PROXIES", value_name = "ADDRESSES", value_delimiter = ',')]
    trusted_proxies: Vec<Network>,
    /// How many connections may be open at a time
    #[arg(long, env = "FACEATTEND_MAX_CONNECTIONS", default_value_t = ConnectionLimits::default().connections)]
    pub(crate) max_connections: usize,
    /// How many seconds the head of a request may take, and an idle connection is kept
    #[arg(long, env = "FACEATTEND_HEADER_TIMEOUT", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600),
          default_value_t = ConnectionLimits::default().head_within.as_secs())]
    header_timeout: u64,
    /// How many seconds the body of a request may take
    #[arg(long, env = "FACEATTEND_BODY_TIMEOUT", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600),
          default_value_t = BODY_WITHIN.as_secs())]
    body_timeout: u64,
    /// Deletes liveness sessions, which hold embeddings, so many days after their end [default: never]
    #[arg(long, env = "FACEATTEND_RETAIN_SESSIONS", value_name = "DAYS")]
    retain_sessions: Option<u32>,
    /// Deletes detection logs after so many days [default: never]
    #[arg(long, env = "FACEATTEND_RETAIN_DETECTION_LOGS", value_name = "DAYS")]
    retain_detection_logs: Option<u32>,
    /// Deletes attendance after so many days [default: never]
    #[arg(long, env = "FACEATTEND_RETAIN_ATTENDANCE", value_name = "DAYS")]
    retain_attendance: Option<u32>,
    /// Deletes entries of the audit log after so many days [default: never]
    #[arg(long, env = "FACEATTEND_RETAIN_AUDIT", value_name = "DAYS")]
    retain_audit: Option<u32>,
}

impl ServeArgs {
    /// The engine that the settings ask for.
    pub(crate) fn engine(&self) -> EngineBuilder {
        let mut builder = Engine::builder();
        if let Some(folder) = &self.models_dir {
            builder = builder.with_models_folder(folder);
        }
        if let Some(pack) = &self.pack {
            builder = builder.with_pack(pack);
        }
        if let Some(file) = &self.detector {
            builder = builder.with_detector_file(file, None);
        }
        if let Some(file) = &self.embedder {
            builder = builder.with_embedder_file(file, None);
        }
        if let Some(order) = self.embedder_channels {
            builder = builder.with_embedder_channels(order);
        }
        builder = builder.with_detect_options(DetectOptions::default().with_input_size(self.detector_size));
        if let Some(library) = &self.onnxruntime {
            builder = builder.with_onnxruntime(library);
        }
        if let Some(threads) = self.threads {
            builder = builder.with_threads(threads);
        }
        builder
    }
}

fn duplicates(name: &str) -> std::result::Result<DuplicatePolicy, String> {
    DuplicatePolicy::parse(name).ok_or_else(|| "expected refuse, warn or allow".to_owned())
}

pub(crate) fn strangers(text: &str) -> std::result::Result<Impostors, String> {
    let number = |text: &str| text.trim().parse::<f32>().ok();
    let read = text.split_once(',').and_then(|(mean, spread)| Some((number(mean)?, number(spread)?)));
    let (mean, spread) = read.ok_or("expected two numbers with a comma between them, such as 0.12,0.09")?;
    Impostors::new(mean, spread).map_err(|error| error.to_string())
}

fn server_name(name: &str) -> std::result::Result<String, String> {
    const LONGEST: usize = 100;
    match name.trim() {
        "" => Err("it is empty".to_owned()),
        name if name.chars().count() > LONGEST => Err(format!("it has more than {LONGEST} characters")),
        name => Ok(name.to_owned()),
    }
}

/// The limits for these numbers. A number that was given holds for this machine too.
fn rates(per_address: Option<u32>, per_login: Option<u32>) -> RateLimits {
    let usual = RateLimits::default();
    let or = |given: Option<u32>, usual| given.map_or(usual, |number| Some(number).filter(|number| *number > 0));
    RateLimits {
        per_address: or(per_address, usual.per_address),
        per_login: or(per_login, usual.per_login),
        this_machine: per_address.is_some() || per_login.is_some(),
    }
}

/// A value that the core reads, with what it says of a wrong one.
pub(crate) fn parsed<T: std::str::FromStr<Err = Error>>(text: &str) -> std::result::Result<T, String> {
    text.parse().map_err(|error: Error| match error {
        Error::InvalidInput { reason, .. } => reason,
        other => other.to_string(),
    })
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// One sentence on what keeps it from starting, and what to do.
pub fn run(args: ServeArgs) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|source| Error::Io {
        action: "start",
        path: "the server's threads".into(),
        source,
    })?;
    // Here and not in asynchronous code: a database's client may block.
    let data = Data::open(&args)?;
    runtime.block_on(serve(args, data))
}

/// What the server keeps.
struct Data {
    dir: PathBuf,
    place: Place,
    store: Arc<dyn Store>,
    /// Whether the admin user still has the documented password.
    known_password: bool,
}

impl Data {
    fn open(args: &ServeArgs) -> Result<Self> {
        let dir = data_dir(args.data_dir.clone())?;
        let place = args.database.place(|| Ok(dir.clone()))?;
        let store = place.open(args.keys.read()?)?;
        ensure_admin(&*store, Timestamp::now())?;
        let known_password = default_password_works(&*store)?;
        if known_password && !args.host.is_loopback() {
            let which = match &place {
                Place::Url(_) => " with the same database".to_owned(),
                Place::File(file) if *file != dir.join(DATABASE) => format!(" --database {}", file.display()),
                Place::File(_) if dir == default_data_dir()? => String::new(),
                Place::File(_) => format!(" --data-dir {}", dir.display()),
            };
            let reason = format!(
                "not on {} while {DEFAULT_ADMIN} still has the documented password: run `faceattend admin passwd{which}` first",
                args.host,
            );
            return Err(Error::State { what: "refusing to listen", reason });
        }
        Ok(Self { dir, place, store, known_password })
    }
}

async fn serve(args: ServeArgs, data: Data) -> Result<()> {
    let Data { dir, place, store, known_password } = data;
    let secret = match args.jwt_secret.clone() {
        Some(Hidden(text)) => Secret::new(text)?,
        None => Secret::kept_in(&dir.join(SECRET))?,
    };
    let listener = TcpListener::bind((args.host, args.port)).await.map_err(|source| {
        let reason = match source.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there; choose another with --port".to_owned(),
            _ => source.to_string(),
        };
        Error::State { what: "cannot listen", reason: format!("{}:{}: {reason}", args.host, args.port) }
    })?;

    let engine = Arc::new(RenewableEngine::new(args.engine())?);
    let description = engine.current().description().clone();
    let models = ModelStore::locate(args.models_dir.as_deref())?;
    let antispoof = Manifest::embedded()?.pack(ANTISPOOF_PACK)?.clone();
    let (downloader, models_dir) = (Downloader::from_env()?, args.models_dir.as_deref());
    let passive = PassiveNetworks::new(Arc::clone(&engine), antispoof, models, downloader, models_dir);

    let policy = match &args.time_zone {
        Some(name) => AttendancePolicy::in_time_zone(name)?,
        None => AttendancePolicy::in_system_time_zone(),
    };
    let zone = policy.time_zone().iana_name().unwrap_or("UTC").to_owned();
    let receipts = match args.receipt_key {
        Some(Hidden(text)) => ReceiptKey::parse(&text)?,
        None => crate::receipts::kept_in(&dir.join(RECEIPT_KEY))?,
    };
    let retention = RetentionDays {
        sessions: args.retain_sessions,
        detection_logs: args.retain_detection_logs,
        attendance: args.retain_attendance,
        audit: args.retain_audit,
        ..RetentionDays::default()
    };
    let tracking = TrackingOptions::default().with_false_names(args.false_names)?;
    let tracking = args.strangers.map_or(tracking, |strangers| tracking.with_impostors(strangers));
    let mut live = LiveSettings::default()
        .with_preview(args.preview)
        .with_rate(args.rate)
        .with_tracking(tracking)
        .with_age_templates(args.age_templates);
    live.server_name = args.server_name;
    let rates = rates(args.rate_limit, args.rate_limit_login);
    let settings = Settings::new(secret)
        .with_policy(policy)
        .with_threads(description.threads)
        .with_challenge(args.challenge)
        .with_duplicates(args.duplicates)
        .with_receipts(receipts)
        .with_live(live)
        .with_retention(retention)
        .with_rates(rates)
        .with_passive(passive)
        .with_trusted_proxies(args.trusted_proxies)
        .with_body_within(Duration::from_secs(args.body_timeout))
        .with_web_socket(if args.open_web_socket { WebSocketAccess::Open } else { WebSocketAccess::Token })
        .with_logout(if args.logout_leaves_token { Logout::LeavesToken } else { Logout::EndsLogin })
        .with_marks_of_erased(if args.keep_marks_of_erased { MarksOfErased::Anonymise } else { MarksOfErased::Delete });
    let model = engine.embedder().model.clone();
    let loading = tokio::task::spawn_blocking(move || -> Result<_> {
        let state = AppState::new(store, engine, settings)?;
        let again = state.students_to_enrol_again()?;
        Ok((state, again))
    });
    let (state, again) = loading.await.map_err(|_| {
        let reason = "the task that loads the gallery died".into();
        Error::Internal { reason }
    })??;

    let address = listener.local_addr().map_or_else(|_| format!("{}:{}", args.host, args.port), |a| a.to_string());
    // What keeps the service from doing what people expect of it comes first.
    let mut lines = Vec::new();
    if description.passive_check == PassiveCheck::NotInstalled {
        lines.push(no_passive_check(args.models_dir.as_deref()));
    }
    if again.total > 0 {
        lines.push(enrol_again::summary(&again, &model));
        lines.extend(enrol_again::lines(&again).take(NAMED_AT_START).map(|line| format!("  {line}")));
        if let Some(others) = again.items.len().checked_sub(NAMED_AT_START).filter(|others| *others > 0) {
            lines.push(format!("  and {others} more: the page Students and `faceattend doctor` name them all"));
        }
    }
    lines.extend([
        format!("Listening on http://{address}, pages at http://{address}/ui/"),
        format!("Database {place}, other data in {}, days of {zone}", dir.display()),
        format!(
            "Detector {}, embedder {}, antispoof: {}, {} at once",
            description.detector, description.embedder, description.antispoof, description.threads
        ),
    ]);
    if args.age_templates {
        let from =
            "Templates follow their people, by views from confident marks that the antispoof networks call living";
        lines.push(format!("{from} (antispoof: {})", description.antispoof));
    }
    if known_password {
        lines.push(format!("Log in as {DEFAULT_ADMIN} / {DEFAULT_PASSWORD}"));
        tracing::warn!(
            "{DEFAULT_ADMIN} has the documented password, which everybody knows: run `faceattend admin passwd`"
        );
    }
    // Whoever closed standard output does not want to read it.
    let _ = writeln!(std::io::stdout(), "{}", lines.join("\n"));

    tokio::spawn(retire_now_and_then(state.clone()));
    let limits = ConnectionLimits::default()
        .with_connections(args.max_connections)
        .with_head_within(Duration::from_secs(args.header_timeout));
    listen::serve(listener, crate::app(state.clone()), limits, told_to_stop()).await;
    tracing::info!("stopping");
    let _ = tokio::task::spawn_blocking(move || state.shut_down()).await;
    Ok(())
}

/// What a server without the passive antispoof networks says before anything else.
fn no_passive_check(models_dir: Option<&Path>) -> String {
    format!(
        "NO PASSIVE ANTISPOOF CHECK: a recording of a head that turns passes for a living person. Fetch the models with \
         `{}` (3.5 MB, Apache-2.0), or press the button that admins see on the pages; without internet, `faceattend models \
         add FILE`",
        passive::command(models_dir)
    )
}

/// Deletes what is old at the start and every hour.
async fn retire_now_and_then(state: AppState) {
    let mut hourly = tokio::time::interval(RETIRE_EVERY);
    loop {
        hourly.tick().await;
        let state = state.clone();
        match tokio::task::spawn_blocking(move || state.retire(Timestamp::now())).await {
            Ok(Ok(retired)) if retired.total() > 0 => tracing::info!(?retired, "old rows deleted"),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!("old rows could not be deleted: {error}"),
            Err(_) => tracing::error!("old rows could not be deleted: the task died"),
        }
    }
}

/// Waits for Ctrl-C or a polite request to end.
async fn told_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            return interrupted.await;
        };
        tokio::select! {
            () = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}

/// The data directory: the one given, or faceattend's among the user's data; made when it is not there.
pub(crate) fn data_dir(given: Option<PathBuf>) -> Result<PathBuf> {
    let dir = match given {
        Some(dir) => dir,
        None => default_data_dir()?,
    };
    std::fs::create_dir_all(&dir).and_then(|()| check_writable(&dir)).map_err(|error| Error::InvalidInput {
        what: "data directory",
        reason: format!("{} cannot be written ({error}): choose another with --data-dir", dir.display()),
    })?;
    Ok(dir)
}

pub(crate) fn check_writable(dir: &Path) -> std::io::Result<()> {
    let probe = dir.join(format!(".writable-{}", std::process::id()));
    std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe))
}

pub(crate) fn default_data_dir() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("XDG_DATA_HOME")
        .filter(|dir| dir.is_absolute())
        .or_else(|| from("HOME").map(|home| home.join(".local/share")))
        .or_else(|| from("LOCALAPPDATA"))
        .map(|dir| dir.join("faceattend"))
        .ok_or_else(|| Error::InvalidInput {
            what: "data directory",
            reason: "there is no home: use --data-dir".into(),
        })
}
