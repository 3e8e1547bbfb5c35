//! The settings of `faceattend serve` as flags, environment variables and lines of the configuration file.

mod cameras;
mod notices;
mod nouns;
mod parsers;
mod tls;

use std::net::IpAddr;
use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;
use faceattend_core::Result;
use faceattend_core::attendance::{AttendancePolicy, Period};
use faceattend_core::camera::{CameraHosts, Orientation};
use faceattend_core::decode::DecodeLimits;
use faceattend_core::detection::{DetectOptions, InputSize};
use faceattend_core::engine::{Engine, EngineBuilder};
use faceattend_core::enrolment::DuplicatePolicy;
use faceattend_core::frame::ChannelOrder;
use faceattend_core::gate::{GatePolicy, UnprovenFaces};
use faceattend_core::tracking::{Impostors, TrackingOptions};
use jiff::civil::Time;

use crate::commands::Hidden;
use crate::commands::database::DatabaseArgs;
use crate::commands::keys::KeyArgs;
use crate::commands::serve::backup_args::{BackupScheduleArgs, clock_time};
use crate::net::listen::ConnectionLimits;
use crate::settings::{AllowedHost, AllowedOrigin, BODY_WITHIN, BasePath, ChallengePolicy, LiveSettings, Network};

pub(crate) use cameras::strangers;
use cameras::{gate_wait, orientation_at, policy_at};
use notices::NoticeArgs;
use nouns::NounArgs;
pub(crate) use parsers::parsed;
pub(super) use parsers::rates;
use parsers::{duplicates, server_name};
pub(crate) use tls::{Encryption, TlsArgs};

/// The headings of `serve --help`.
mod heading {
    pub(super) const NETWORK: &str = "Network";
    pub(super) const DATA: &str = "Data and secrets";
    pub(super) const MODELS: &str = "Models";
    pub(super) const PAGES: &str = "Pages";
    pub(super) const ENROLMENT: &str = "Enrolment";
    pub(super) const CAMERAS: &str = "Cameras";
    pub(super) const COMPATIBILITY: &str = "Compatibility with the replaced service";
    pub(super) const LIMITS: &str = "Limits for clients";
    pub(super) const RETENTION: &str = "Retention";
    pub(super) const BACKUPS: &str = "Back-ups";
    pub(super) const NOTICES: &str = "Notices";
}

/// Starts the server.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on. Any address but loopback needs another password than the documented one for
    /// `admin`
    #[arg(long, help_heading = heading::NETWORK, env = "FACEATTEND_HOST", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// The port to listen on
    #[arg(long, help_heading = heading::NETWORK, env = "FACEATTEND_PORT", default_value_t = 8001)]
    pub(crate) port: u16,
    #[command(flatten, next_help_heading = heading::NETWORK)]
    pub(crate) tls: TlsArgs,
    /// The names under which the server answers, separated by commas, or * for every name. Needed behind a proxy
    /// that passes its own name on. IP addresses, localhost and the names of this machine always work
    #[arg(
        long,
        help_heading = heading::NETWORK,
        env = "FACEATTEND_ALLOWED_HOSTS",
        value_name = "NAMES",
        value_delimiter = ',',
    )]
    pub(super) allowed_hosts: Vec<AllowedHost>,
    /// The web pages whose scripts may read the answers, separated by commas, such as `https://school.example`. The
    /// server's own pages always may [default: every page that has a token]
    #[arg(
        long,
        help_heading = heading::NETWORK,
        env = "FACEATTEND_ALLOWED_ORIGINS",
        value_name = "ORIGINS",
        value_delimiter = ',',
    )]
    pub(super) allowed_origins: Vec<AllowedOrigin>,
    /// The path under which a proxy publishes the server, such as `/attendance`, whether it strips the path or not. A
    /// trusted proxy may also tell it in X-Forwarded-Prefix [default: the top of the host]
    #[arg(long, help_heading = heading::NETWORK, env = "FACEATTEND_BASE_PATH", value_name = "PATH")]
    pub(super) base_path: Option<BasePath>,
    /// The proxies whose X-Forwarded-For names the client: addresses or ranges, separated by commas. Their word on
    /// scheme and path (Forwarded, X-Forwarded-Proto, X-Forwarded-Prefix) counts too, and that of this machine
    #[arg(
        long,
        help_heading = heading::NETWORK,
        env = "FACEATTEND_TRUSTED_PROXIES",
        value_name = "ADDRESSES",
        value_delimiter = ',',
    )]
    pub(super) trusted_proxies: Vec<Network>,
    /// The folder for the database and the secrets [default: faceattend in the user's data folder]
    #[arg(long, help_heading = heading::DATA, env = "FACEATTEND_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten, next_help_heading = heading::DATA)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten, next_help_heading = heading::DATA)]
    pub(crate) keys: KeyArgs,
    /// The secret that signs tokens, for several servers with the same logins [default: created in the data
    /// folder]
    #[arg(
        long,
        help_heading = heading::DATA,
        env = "FACEATTEND_JWT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
    )]
    pub(crate) jwt_secret: Option<Hidden>,
    /// The key that signs enrolment receipts, for several servers with the same receipts [default: created in
    /// the data folder]
    #[arg(
        long,
        help_heading = heading::DATA,
        env = "FACEATTEND_RECEIPT_KEY",
        hide_env_values = true,
        value_name = "KEY",
    )]
    pub(crate) receipt_key: Option<Hidden>,
    /// The folder of model packs [default: faceattend/models in the user's data folder]
    #[arg(long, help_heading = heading::MODELS, env = "FACEATTEND_MODELS", value_name = "DIR")]
    pub(crate) models_dir: Option<PathBuf>,
    /// The model pack, by a name that `faceattend models list` shows
    #[arg(long, help_heading = heading::MODELS, env = "FACEATTEND_PACK", value_name = "NAME")]
    pub(crate) pack: Option<String>,
    /// A detection model of your own, used instead of the pack's: SCRFD, YuNet, YOLO-face or BlazeFace,
    /// recognized by its outputs
    #[arg(long, help_heading = heading::MODELS, env = "FACEATTEND_DETECTOR", value_name = "FILE")]
    detector: Option<PathBuf>,
    /// The side of the detector's input in pixels. `auto` starts with a small input and enlarges it for small
    /// faces
    #[arg(
        long,
        help_heading = heading::MODELS,
        env = "FACEATTEND_DETECTOR_SIZE",
        value_name = "PIXELS",
        default_value = "auto",
        value_parser = parsed::<InputSize>,
    )]
    detector_size: InputSize,
    /// An embedding model of your own, used instead of the pack's. Students have to enrol again
    #[arg(long, help_heading = heading::MODELS, env = "FACEATTEND_EMBEDDER", value_name = "FILE")]
    embedder: Option<PathBuf>,
    /// The channel order of an embedding model that no pack knows: rgb or bgr
    #[arg(
        long,
        help_heading = heading::MODELS,
        env = "FACEATTEND_EMBEDDER_CHANNELS",
        value_name = "ORDER",
        value_parser = parsed::<ChannelOrder>,
    )]
    embedder_channels: Option<ChannelOrder>,
    /// The ONNX Runtime library [default: the first one in the usual places]
    #[arg(long, help_heading = heading::MODELS, env = "FACEATTEND_ONNXRUNTIME", value_name = "FILE")]
    pub(crate) onnxruntime: Option<PathBuf>,
    /// The number of frames analyzed at the same time [default: the number of processors]
    #[arg(long, help_heading = heading::MODELS, env = "FACEATTEND_THREADS")]
    pub(crate) threads: Option<NonZero<usize>>,
    /// The time zone of the site, such as Asia/Kolkata. A student is marked once a day there [default: this
    /// machine's zone]
    #[arg(long, help_heading = heading::ENROLMENT, env = "FACEATTEND_TIME_ZONE", value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// The time at which a day begins, for sites that work into the night: with 04:00, two in the morning belongs to
    /// the day before
    #[arg(
        long,
        help_heading = heading::ENROLMENT,
        env = "FACEATTEND_DAY_BOUNDARY",
        value_name = "HH:MM",
        default_value = "00:00",
        value_parser = clock_time,
    )]
    pub(super) day_boundary: Time,
    /// The periods of a day, each marked once, separated by commas: NAME=BEGIN, then a slash and from when on
    /// arrivals are late, then a slash and from when on a sighting is a check-out, such as
    /// `early=06:00/06:15,night=22:00/22:15/05:30`. Others than at the last start are recorded as the site's timetable
    /// from today on, which the pages can change [default: one mark a day]
    #[arg(
        long,
        help_heading = heading::ENROLMENT,
        env = "FACEATTEND_PERIODS",
        value_name = "PERIODS",
        value_delimiter = ',',
        value_parser = parsed::<Period>,
    )]
    pub(super) periods: Vec<Period>,
    /// Whether a liveness session must ask for its positions in a random order. Clients of the replaced service
    /// know none
    #[arg(long, help_heading = heading::ENROLMENT, env = "FACEATTEND_CHALLENGE", value_enum, default_value_t)]
    pub(super) challenge: ChallengePolicy,
    /// What happens to a face that another student already has: refuse, warn or allow. Cameras may mark neither of two
    /// students with one face until an operator merges them
    #[arg(
        long,
        help_heading = heading::ENROLMENT,
        env = "FACEATTEND_DUPLICATES",
        value_name = "POLICY",
        default_value = "refuse",
        value_parser = duplicates,
    )]
    pub(super) duplicates: DuplicatePolicy,
    /// Stores another view of a student after a confident mark by a camera, at most one a month, so that
    /// templates follow the student's age. Needs the antispoof networks
    #[arg(long, help_heading = heading::ENROLMENT, env = "FACEATTEND_AGE_TEMPLATES")]
    pub(super) age_templates: bool,
    /// Lists whom cameras saw and nobody knows, for this many hours after they were last seen, so that an operator can
    /// enrol them. In memory alone, without pictures. Faces of passers-by are among them: ask whether the law allows it
    /// [default: nobody is listed]
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_LIST_UNKNOWN_FACES",
        value_name = "HOURS",
        value_parser = clap::value_parser!(i64).range(1..=168),
    )]
    pub(super) list_unknown_faces: Option<i64>,
    /// Shows logged-in users the pictures of the cameras, with boxes and names
    #[arg(long, help_heading = heading::CAMERAS, env = "FACEATTEND_PREVIEW")]
    pub(super) preview: bool,
    /// The number of pictures of each camera analyzed in a second. It doubles while a new face is being
    /// recognized
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_RATE",
        value_name = "PER SECOND",
        default_value_t = LiveSettings::default().rate,
    )]
    pub(super) rate: f32,
    /// The share of strangers that a camera may take for a student, however long they stay in view
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_FALSE_NAMES",
        value_name = "RATE",
        default_value_t = TrackingOptions::default().false_names,
    )]
    pub(super) false_names: f32,
    /// The similarity of strangers to students, as `faceattend calibrate --live` proposes it [default: the
    /// embedding model's own figures]
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_STRANGERS",
        value_name = "MEAN,SPREAD",
        value_parser = strangers,
    )]
    pub(super) strangers: Option<Impostors>,
    /// What is asked of a face before its person is marked: off, observe (only tell), require (a living person) or ask
    /// (a living person, who is asked for a short movement where the pictures do not say)
    /// [default: require for cameras and browsers, observe for recordings]
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_GATE_LIVENESS",
        value_name = "POLICY",
        value_parser = parsed::<GatePolicy>,
    )]
    pub(super) gate_liveness: Option<GatePolicy>,
    /// The policies of single cameras by their places, separated by commas, such as `Library=observe`
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_GATE_LIVENESS_AT",
        value_name = "PLACE=POLICY",
        value_delimiter = ',',
        value_parser = policy_at,
    )]
    pub(super) gate_liveness_at: Vec<(String, GatePolicy)>,
    /// Whether faces that a photograph enrolled, without a liveness session, count for marks: count or second-look,
    /// which puts whoever is recognized by one on the second-look list
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_UNPROVEN_FACES",
        value_name = "POLICY",
        default_value = "count",
        value_parser = parsed::<UnprovenFaces>,
    )]
    pub(super) unproven_faces: UnprovenFaces,
    /// How many seconds a person is watched for signs of life before the second-look list asks an operator
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_GATE_WAIT",
        value_name = "SECONDS",
        default_value_t = LiveSettings::default().gate.wait.as_secs_f32(),
        value_parser = gate_wait,
    )]
    pub(super) gate_wait: f32,
    /// The places whose cameras are mounted upside down or on their side, separated by commas, each with the degrees
    /// clockwise by which their pictures are turned (90, 180 or 270), such as `Hall=180`
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_CAMERA_ORIENTATION_AT",
        value_name = "PLACE=DEGREES",
        value_delimiter = ',',
        value_parser = orientation_at,
    )]
    pub(super) camera_orientation_at: Vec<(String, Orientation)>,
    /// The places whose cameras give mirrored pictures, separated by commas: they are mirrored back once they are
    /// turned
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_CAMERA_MIRROR_AT",
        value_name = "PLACES",
        value_delimiter = ',',
    )]
    pub(super) camera_mirror_at: Vec<String>,
    /// The hosts whose cameras operators may start, separated by commas: addresses, ranges, names, `private`,
    /// `loopback` (this machine) or `any`. Admins may start any camera
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_CAMERA_HOSTS",
        value_name = "HOSTS",
        value_delimiter = ',',
        default_value = "private",
        value_parser = parsed::<CameraHosts>,
    )]
    pub(super) camera_hosts: Vec<CameraHosts>,
    /// The folders whose recordings operators may play, separated by commas [default: none]. Admins may play any
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_CAMERA_FOLDERS",
        value_name = "DIRS",
        value_delimiter = ',',
    )]
    pub(super) camera_folders: Vec<PathBuf>,
    /// The number of cameras that this server watches at a time. A further one is refused; of those that are kept, the
    /// rest wait, and other servers of the same database take them [default: 32 for each of --threads, at least 64, at
    /// most 512]
    #[arg(long, help_heading = heading::CAMERAS, env = "FACEATTEND_MAX_CAMERAS", value_name = "CAMERAS")]
    pub(super) max_cameras: Option<NonZero<usize>>,
    /// The name of this server, unique among the servers of one database. They share their cameras and their
    /// events
    #[arg(
        long,
        help_heading = heading::CAMERAS,
        env = "FACEATTEND_SERVER_NAME",
        value_name = "NAME",
        value_parser = server_name,
    )]
    pub(crate) server_name: Option<String>,
    /// Opens the WebSocket to everybody, without a token
    #[arg(long, help_heading = heading::COMPATIBILITY, env = "FACEATTEND_OPEN_WEB_SOCKET")]
    pub(super) open_web_socket: bool,
    /// Marks whoever is recognized in a single picture sent to `/face/recognize`, which a photograph can be
    #[arg(long, help_heading = heading::COMPATIBILITY, env = "FACEATTEND_SINGLE_PICTURES_MARK")]
    pub(super) single_pictures_mark: bool,
    /// Leaves a token valid after logging out, until it expires
    #[arg(long, help_heading = heading::COMPATIBILITY, env = "FACEATTEND_LOGOUT_LEAVES_TOKEN")]
    pub(super) logout_leaves_token: bool,
    /// Shows the embeddings of faces to every account, not to admins only
    #[arg(long, help_heading = heading::COMPATIBILITY, env = "FACEATTEND_EMBEDDINGS_TO_ALL")]
    pub(super) embeddings_to_all: bool,
    /// The number of requests a second from one address, 0 for no limit [default: 300, and no limit for this
    /// machine]
    #[arg(long, help_heading = heading::LIMITS, env = "FACEATTEND_RATE_LIMIT", value_name = "PER SECOND")]
    pub(super) rate_limit: Option<u32>,
    /// The number of requests a second with one login, 0 for no limit [default: 300, and no limit for this
    /// machine]
    #[arg(long, help_heading = heading::LIMITS, env = "FACEATTEND_RATE_LIMIT_LOGIN", value_name = "PER SECOND")]
    pub(super) rate_limit_login: Option<u32>,
    /// The number of open connections
    #[arg(
        long,
        help_heading = heading::LIMITS,
        env = "FACEATTEND_MAX_CONNECTIONS",
        default_value_t = ConnectionLimits::default().connections,
    )]
    pub(crate) max_connections: usize,
    /// The number of requests of one address that are answered at the same time, 0 for no limit [default: a quarter
    /// of --max-connections]
    #[arg(long, help_heading = heading::LIMITS, env = "FACEATTEND_MAX_PER_ADDRESS", value_name = "REQUESTS")]
    pub(super) max_per_address: Option<usize>,
    /// The time for the head of a request to arrive, and for an idle connection to stay open
    #[arg(
        long,
        help_heading = heading::LIMITS,
        env = "FACEATTEND_HEADER_TIMEOUT",
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=3600),
        default_value_t = ConnectionLimits::default().head_within.as_secs(),
    )]
    pub(super) header_timeout: u64,
    /// The time for the body of a request to arrive
    #[arg(
        long,
        help_heading = heading::LIMITS,
        env = "FACEATTEND_BODY_TIMEOUT",
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=3600),
        default_value_t = BODY_WITHIN.as_secs(),
    )]
    pub(super) body_timeout: u64,
    /// The memory in MiB for pictures that are decoded at the same time. A larger picture waits, then gets 503; one
    /// that needs more alone is refused
    #[arg(
        long,
        help_heading = heading::LIMITS,
        env = "FACEATTEND_PICTURE_MEMORY",
        value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(32..=65_536),
        default_value_t = DecodeLimits::default().max_memory >> 20,
    )]
    pub(super) picture_memory: u64,
    /// Deletes liveness sessions, which hold embeddings, this many days after their end [default: never]
    #[arg(long, help_heading = heading::RETENTION, env = "FACEATTEND_RETAIN_SESSIONS", value_name = "DAYS")]
    pub(super) retain_sessions: Option<u32>,
    /// Deletes detection logs after this many days [default: never]
    #[arg(long, help_heading = heading::RETENTION, env = "FACEATTEND_RETAIN_DETECTION_LOGS", value_name = "DAYS")]
    pub(super) retain_detection_logs: Option<u32>,
    /// Deletes attendance and second looks after this many days [default: never]
    #[arg(long, help_heading = heading::RETENTION, env = "FACEATTEND_RETAIN_ATTENDANCE", value_name = "DAYS")]
    pub(super) retain_attendance: Option<u32>,
    /// Deletes entries of the audit log after this many days [default: never]
    #[arg(long, help_heading = heading::RETENTION, env = "FACEATTEND_RETAIN_AUDIT", value_name = "DAYS")]
    pub(super) retain_audit: Option<u32>,
    /// Keeps the attendance of an erased student, without a name, for statistics. Without this it is deleted
    #[arg(long, help_heading = heading::RETENTION, env = "FACEATTEND_KEEP_MARKS_OF_ERASED")]
    pub(super) keep_marks_of_erased: bool,
    #[command(flatten, next_help_heading = heading::PAGES)]
    pub(super) nouns: NounArgs,
    #[command(flatten, next_help_heading = heading::BACKUPS)]
    pub(crate) backup: BackupScheduleArgs,
    #[command(flatten, next_help_heading = heading::NOTICES)]
    pub(crate) notices: NoticeArgs,
}

impl ServeArgs {
    /// Returns the rules of the site that the settings ask for.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](faceattend_core::Error::InvalidInput) for a name that is no time zone, and for periods
    /// that contradict each other.
    pub(super) fn policy(&self) -> Result<AttendancePolicy> {
        let policy = match &self.time_zone {
            Some(name) => AttendancePolicy::in_time_zone(name)?,
            None => AttendancePolicy::in_system_time_zone(),
        };
        policy.with_day_boundary(self.day_boundary).with_periods(self.periods.clone())
    }

    /// Returns a builder of the engine that the settings ask for.
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

#[cfg(test)]
mod tests;
