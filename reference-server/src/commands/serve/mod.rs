//! `faceattend serve`: opens the database and the engine, listens, and stops cleanly.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod arenas;
pub(crate) mod args;
pub(crate) mod backup_args;
mod encryption;
#[cfg(unix)]
mod redirections;
#[cfg(unix)]
mod second_start;

use std::io::{IsTerminal as _, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::backup::Clock;
use faceattend_core::camera::CameraAccess;
use faceattend_core::engine::{ANTISPOOF_PACK, FaceEngine as _, PassiveCheck};
use faceattend_core::gate::GateOptions;
use faceattend_core::liveness::ReceiptKey;
use faceattend_core::models::download::Downloader;
use faceattend_core::models::manifest::Manifest;
use faceattend_core::models::store::ModelStore;
use faceattend_core::store::{MarksOfErased, Store};
use faceattend_core::tracking::TrackingOptions;
use faceattend_core::types::ModelId;
use faceattend_core::{Error, Result};
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;

use crate::auth::{DEFAULT_ADMIN, DEFAULT_PASSWORD, Secret, default_password_works, ensure_admin};
use crate::commands::backup::passphrase;
use crate::commands::data_dir::{RECEIPT_KEY, SECRET, data_dir, default_data_dir, waiting_writes};
use crate::commands::database::{DATABASE, Place};
use crate::commands::keys::must_read_faces;
use crate::commands::restore::finish_what_was_cut_off;
use crate::commands::server_lock::ServerLock;
use crate::commands::{Hidden, enrol_again, one_roll_number, settings};
use crate::live::gallery_start::Loaded;
use crate::net::listen::{self, ConnectionLimits};
use crate::passive;
use crate::{
    AllowedHosts, AllowedOrigins, AppState, BackupSettings, Embeddings, GateSettings, LiveSettings, Logout, Mountings,
    PassiveNetworks, RenewableEngine, RetentionDays, Settings, SinglePictures, WebSocketAccess,
};
pub use args::ServeArgs;

/// How many of the students who have to enrol again the server names when it starts: one screen.
const NAMED_AT_START: usize = 20;
/// How long the start waits for the known faces: several hundred thousand are loaded by then.
const GALLERY_WITHIN: Duration = Duration::from_secs(3);
/// How often a server that listens already looks whether all are loaded.
const LOOK: Duration = Duration::from_millis(200);
/// How often the server deletes old rows. Retention is counted in days.
const RETIRE_EVERY: Duration = Duration::from_secs(3600);

/// Runs the server until it is told to stop.
///
/// # Errors
/// What keeps the server from starting, with what to do about it.
pub fn run(args: ServeArgs) -> Result<()> {
    #[cfg(unix)]
    second_start::with_variables();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|source| Error::Io {
        action: "start",
        path: "the server's threads".into(),
        source,
    })?;
    // Outside asynchronous code: the client of PostgreSQL blocks.
    let data = Data::open(&args)?;
    runtime.block_on(serve(args, data))
}

/// The stored data of the server.
struct Data {
    dir: PathBuf,
    place: Place,
    store: Arc<dyn Store>,
    /// Keeps other servers off a SQLite file.
    lock: Option<ServerLock>,
    /// Whether the admin user still has the documented password.
    known_password: bool,
}

impl Data {
    fn open(args: &ServeArgs) -> Result<Self> {
        let dir = data_dir(args.data_dir.clone())?;
        let place = args.database.place_for_server(|| Ok(dir.clone()))?;
        // Before the database is opened: opening migrates it, also for a server that is refused.
        let lock = match &place {
            Place::File(file) => Some(ServerLock::take(file)?),
            Place::Url(_) => None,
        };
        finish_what_was_cut_off(&dir, &place)?;
        let keys = args.keys.read()?;
        let store = place.open(keys.clone())?;
        must_read_faces(&*store, &keys)?;
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
                "{DEFAULT_ADMIN} still has the documented password, so the server does not listen on {}: run \
                 `faceattend admin passwd{which}` first",
                args.host,
            );
            return Err(Error::State { what: "refusing to listen", reason });
        }
        Ok(Self { dir, place, store, lock, known_password })
    }
}

async fn serve(args: ServeArgs, data: Data) -> Result<()> {
    let Data { dir, place, store, lock: _lock, known_password } = data;
    let secret = match args.jwt_secret.clone() {
        Some(Hidden(text)) => Secret::new(text)?,
        None => Secret::kept_in(&dir.join(SECRET))?,
    };
    let listener = TcpListener::bind((args.host, args.port)).await.map_err(|source| {
        let reason = match source.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there; choose another with --port".to_owned(),
            std::io::ErrorKind::PermissionDenied => {
                format!("{source}; ports below 1024 are the system's: choose one above with --port")
            }
            std::io::ErrorKind::AddrNotAvailable => {
                format!("{source}; this machine has no such address: choose another with --host")
            }
            _ => source.to_string(),
        };
        Error::State { what: "cannot listen", reason: format!("{}:{}: {reason}", args.host, args.port) }
    })?;

    let hosts = AllowedHosts::new(args.allowed_hosts.clone());
    let tls = encryption::open(&args, &dir, &hosts)?;

    let engine = Arc::new(RenewableEngine::new(args.engine())?);
    let description = engine.current().description().clone();
    let models = ModelStore::locate(args.models_dir.as_deref())?;
    let antispoof = Manifest::embedded()?.pack(ANTISPOOF_PACK)?.clone();
    let (downloader, models_dir) = (Downloader::from_env()?, args.models_dir.as_deref());
    let passive = PassiveNetworks::new(Arc::clone(&engine), antispoof, models, downloader, models_dir);

    let policy = args.policy()?;
    let backups = backups(&args, &dir, &place, &policy)?;
    let zone = policy.time_zone().iana_name().unwrap_or("UTC").to_owned();
    let day = day_in_words(&policy, args.day_boundary);
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
    let single_pictures = if args.single_pictures_mark { SinglePictures::Mark } else { SinglePictures::Name };
    let gate = GateSettings::default()
        .with_policy(args.gate_liveness)
        .with_unproven(args.unproven_faces)
        .with_places(args.gate_liveness_at)
        .with_wait(SignedDuration::try_from_secs_f32(args.gate_wait).unwrap_or(GateOptions::default().wait))
        .with_single_pictures(single_pictures);
    let notices = args.notices.settings(&args.camera_hosts);
    let mut live = LiveSettings::default()
        .with_preview(args.preview)
        .with_rate(args.rate)
        .with_tracking(tracking)
        .with_camera_access(CameraAccess::default().with_hosts(args.camera_hosts).with_folders(args.camera_folders))
        .with_age_templates(args.age_templates)
        .with_max_cameras(args.max_cameras)
        .with_unknown_faces(args.list_unknown_faces.map(SignedDuration::from_hours))
        .with_mountings(
            Mountings::default()
                .with_orientations(args.camera_orientation_at)
                .with_mirrored(args.camera_mirror_at.into_iter().map(|place| place.trim().to_owned())),
        )
        .with_gate(gate);
    live.server_name = args.server_name;
    let waiting_writes = waiting_writes(&place, &dir, live.server_name.as_deref());
    let at_once_per_address = args.max_per_address.unwrap_or_else(|| (args.max_connections / 4).max(1));
    let rates = args::rates(args.rate_limit, args.rate_limit_login);
    let time_zone_chosen = args.time_zone.is_some();
    let mut settings = Settings::new(secret)
        .with_policy(policy)
        .with_threads(description.threads)
        .with_challenge(args.challenge)
        .with_duplicates(args.duplicates)
        .with_receipts(receipts)
        .with_live(live)
        .with_waiting_writes(waiting_writes)
        .with_nouns(args.nouns.into())
        .with_backups(backups)
        .with_notices(notices)
        .with_retention(retention)
        .with_rates(rates)
        .with_at_once_per_address(at_once_per_address)
        .with_passive(passive)
        .with_trusted_proxies(args.trusted_proxies)
        .with_base_path(args.base_path.unwrap_or_default())
        .with_allowed_hosts(hosts)
        .with_allowed_origins(AllowedOrigins::new(args.allowed_origins))
        .with_body_within(Duration::from_secs(args.body_timeout))
        .with_picture_memory(args.picture_memory << 20)
        .with_web_socket(if args.open_web_socket { WebSocketAccess::Open } else { WebSocketAccess::Token })
        .with_gallery_within(GALLERY_WITHIN)
        .with_logout(if args.logout_leaves_token { Logout::LeavesToken } else { Logout::EndsLogin })
        .with_embeddings(if args.embeddings_to_all { Embeddings::Everyone } else { Embeddings::Admins })
        .with_marks_of_erased(if args.keep_marks_of_erased { MarksOfErased::Anonymise } else { MarksOfErased::Delete });
    settings.time_zone_chosen = time_zone_chosen;
    let base = settings.base_path.to_string();
    let settings = match &tls {
        Some(tls) => settings.with_tls(Arc::clone(tls)),
        None => settings,
    };
    let model = engine.embedder().model.clone();
    let loading = tokio::task::spawn_blocking(move || -> Result<_> {
        let state = AppState::new(store, engine, settings)?;
        // Of a large site even this takes seconds: it is said when everybody is known.
        let to_do = if state.live().gallery_start().is_whole() { to_do(&state, &model)? } else { Vec::new() };
        Ok((state, to_do))
    });
    let (state, to_do) = loading.await.map_err(|_| {
        let reason = "the task that loads the gallery panicked".into();
        Error::Internal { reason }
    })??;

    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::new(args.host, args.port));
    let scheme = if tls.is_some() { "https" } else { "http" };
    // What keeps the service from its work comes first.
    let mut lines = Vec::new();
    if description.passive_check == PassiveCheck::NotInstalled {
        lines.push(no_passive_check(args.models_dir.as_deref()));
    }
    lines.extend(to_do);
    lines.extend([
        format!("Listening on {scheme}://{address}, pages at {scheme}://{address}{base}/ui/"),
        format!("Database {place}, other data in {}, days of {zone}{day}", dir.display()),
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
    if args.single_pictures_mark {
        let what = "Single pictures mark attendance (--single-pictures-mark)";
        tracing::warn!("{what}: a photograph sent to /face/recognize marks whom it shows");
        lines.push(format!("{what}: so does a photograph"));
    }
    if known_password {
        lines.push(format!("Log in as {DEFAULT_ADMIN} / {DEFAULT_PASSWORD}"));
        tracing::warn!(
            "{DEFAULT_ADMIN} has the documented password, which everybody knows: run `faceattend admin passwd`"
        );
    }
    if let Some(tls) = &tls {
        let pages = tls.pages_from_outside(address, &base);
        lines.extend(encryption::lines(tls, pages.as_deref(), std::io::stdout().is_terminal()));
    }
    let loading = state.live().gallery_start().progress();
    lines.extend(loading.map(|Loaded { loaded, of }| {
        format!(
            "{loaded} of {of} known faces are loaded: nobody is recognized until all are; /ready says how far it is"
        )
    }));
    say(&lines);
    if loading.is_some() {
        tokio::spawn(say_when_whole(state.clone()));
    }

    tokio::spawn(retire_now_and_then(state.clone()));
    let limits = ConnectionLimits::default()
        .with_connections(args.max_connections)
        .with_head_within(Duration::from_secs(args.header_timeout));
    let router = crate::app(state.clone());
    match &tls {
        Some(tls) => {
            tokio::spawn(encryption::keep_fresh(Arc::clone(tls)));
            listen::serve_tls(listener, router, limits, tls, told_to_stop()).await?;
        }
        None => listen::serve(listener, router, limits, told_to_stop()).await,
    }
    tracing::info!("stopping");
    let _ = tokio::task::spawn_blocking(move || state.shut_down()).await;
    Ok(())
}

/// Returns what the site has to do about its students: who has to enrol again, and who shares a roll number.
fn to_do(state: &AppState, model: &ModelId) -> Result<Vec<String>> {
    let (again, alike) = (state.students_to_enrol_again()?, state.students_of_one_roll_number()?);
    let mut lines = Vec::new();
    if again.total > 0 {
        lines.push(enrol_again::summary(&again, model));
        lines.extend(enrol_again::lines(&again).take(NAMED_AT_START).map(|line| format!("  {line}")));
        if let Some(others) = again.items.len().checked_sub(NAMED_AT_START).filter(|others| *others > 0) {
            lines.push(format!("  and {others} more: the page Students and `faceattend doctor` name them all"));
        }
    }
    if !alike.is_empty() {
        lines.push(one_roll_number::summary(&alike));
        lines.extend(one_roll_number::lines(&alike).take(NAMED_AT_START).map(|line| format!("  {line}")));
    }
    Ok(lines)
}

/// Writes the lines to standard output. A closed one is no error: nobody reads it.
fn say(lines: &[String]) {
    let _ = writeln!(std::io::stdout(), "{}", lines.join("\n"));
}

/// Says that everybody is known, and what the site has to do, of a server that listened before.
async fn say_when_whole(state: AppState) {
    while !state.live().gallery_start().is_whole() {
        tokio::time::sleep(LOOK).await;
    }
    let telling = tokio::task::spawn_blocking(move || {
        let known = state.live().gallery().people();
        let mut lines = vec![format!("All known faces are loaded: {known} people are recognized")];
        match to_do(&state, &state.engine().embedder().model) {
            Ok(to_do) => lines.extend(to_do),
            Err(error) => tracing::warn!("who has to enrol again cannot be told: {error}"),
        }
        say(&lines);
    });
    let _ = telling.await;
}

/// Returns the back-ups that are made every day, if a folder for them is set.
fn backups(args: &ServeArgs, dir: &Path, place: &Place, policy: &AttendancePolicy) -> Result<Option<BackupSettings>> {
    let Some(folder) = &args.backup.dir else { return Ok(None) };
    let settings = settings::file_named_in(&std::env::args_os().collect::<Vec<_>>());
    let source = args.data().places_in(dir.to_owned(), place.clone()).source(settings.as_deref());
    Ok(Some(BackupSettings {
        folder: folder.clone(),
        source,
        clock: Clock::new(args.backup.at, policy.time_zone().clone()),
        keep: args.backup.keep,
        passphrase: passphrase::kept(args.backup.passphrase_file.as_deref())?,
        server_name: args.server_name.clone(),
    }))
}

/// Returns when a day begins and its periods, as the lines at the start say it; nothing for plain days from midnight.
fn day_in_words(policy: &AttendancePolicy, boundary: Time) -> String {
    let begins =
        if boundary == Time::midnight() { String::new() } else { format!(" from {}", boundary.strftime("%H:%M")) };
    let periods: Vec<_> = policy
        .periods()
        .iter()
        .map(|period| format!("{} {}", period.name(), period.begins().strftime("%H:%M")))
        .collect();
    if periods.is_empty() { begins } else { format!("{begins}, periods {}", periods.join(", ")) }
}

/// Returns the warning of a server without the passive antispoof networks.
fn no_passive_check(models_dir: Option<&Path>) -> String {
    format!(
        "NO PASSIVE ANTISPOOF CHECK: a recording of a head that turns passes for a living person. Fetch the models \
         with \
         `{}` (3.5 MB, Apache-2.0), or press the button that admins see on the pages; without internet, `faceattend \
         models add FILE`",
        passive::command(models_dir)
    )
}

/// Deletes old rows at the start and every hour.
async fn retire_now_and_then(state: AppState) {
    let mut hourly = tokio::time::interval(RETIRE_EVERY);
    loop {
        hourly.tick().await;
        let state = state.clone();
        match tokio::task::spawn_blocking(move || state.retire(Timestamp::now())).await {
            Ok(Ok(retired)) if retired.total() > 0 => tracing::info!(?retired, "deleted old rows"),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!("cannot delete old rows: {error}"),
            Err(_) => tracing::error!("cannot delete old rows: the task panicked"),
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
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
