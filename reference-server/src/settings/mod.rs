//! What the operator chose, as plain values: at the bottom of the server, so that every module may read them.

mod backups;
mod base_path;
mod choices;
mod gate;
mod hosts;
mod live;
mod mountings;
mod notices;
mod nouns;
mod origins;
mod rates;
mod retention;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::decode::DecodeLimits;
use faceattend_core::enrolment::DuplicatePolicy;
use faceattend_core::liveness::{LivenessOptions, ReceiptKey};
use faceattend_core::store::MarksOfErased;
pub use faceattend_core::types::Network;
use faceattend_core::types::Threshold;

use crate::auth::Secret;
use crate::passive::PassiveNetworks;
use crate::tls::Tls;

pub use backups::BackupSettings;
pub use base_path::BasePath;
pub use choices::{ChallengePolicy, Embeddings, Logout, WebSocketAccess};
pub use gate::{GateSettings, SinglePictures};
pub use hosts::{AllowedHost, AllowedHosts};
pub(crate) use hosts::{host_of, is_localhost};
pub use live::LiveSettings;
pub use mountings::Mountings;
pub use notices::NoticeSettings;
pub use nouns::{Nouns, NumberNoun, PersonNoun, Spoken};
pub use origins::{AllowedOrigin, AllowedOrigins};
pub use rates::RateLimits;
pub use retention::RetentionDays;

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Signs the tokens.
    pub secret: Secret,
    /// The site's days: attendance is marked once in each.
    pub policy: AttendancePolicy,
    /// Whether somebody has named the time zone of these days, instead of leaving it to the machine.
    pub time_zone_chosen: bool,
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
    /// To whom answers show the embedding of a face.
    pub embeddings: Embeddings,
    /// What becomes of the marks of a student who is erased.
    pub marks_of_erased: MarksOfErased,
    /// What is deleted with time.
    pub retention: RetentionDays,
    /// How cameras are watched.
    pub live: LiveSettings,
    /// How often one client may ask.
    pub rates: RateLimits,
    /// How many requests of one address (of IPv6, of one network of 64 bits) are answered at the same time; 0 for no
    /// limit. By default a quarter of the connections of [`ConnectionLimits`](crate::net::listen::ConnectionLimits), so
    /// that no address holds all of them. A class of forty has some forty.
    pub at_once_per_address: usize,
    /// The names under which the server answers.
    pub allowed_hosts: AllowedHosts,
    /// The web pages whose scripts may read the answers.
    pub allowed_origins: AllowedOrigins,
    /// The proxies whose word on the client's address counts.
    pub trusted_proxies: Vec<Network>,
    /// The path under which a proxy publishes the server.
    pub base_path: BasePath,
    /// The server's certificate, where it speaks TLS itself.
    pub tls: Option<Arc<Tls>>,
    /// The passive antispoof networks, where they can be fetched while the server runs.
    pub passive: Option<PassiveNetworks>,
    /// How long the body of a request may take to arrive. By default a minute: a picture of the page's size (4 MB)
    /// over a line of 1 Mbit/s, twice. Who sends it drop by drop holds no place for longer.
    pub body_within: Duration,
    /// How many bytes of memory pictures may take together while they are decoded. A picture that takes more alone is
    /// refused. By default as much as [`DecodeLimits`] allows one picture.
    pub picture_memory: u64,
    /// The file in which marks and logs wait for a database that is held or away. By default they wait in memory alone,
    /// and do not survive the death of the process.
    pub waiting_writes: Option<PathBuf>,
    /// The back-ups that are made every day; `None` for none.
    pub backups: Option<BackupSettings>,
    /// What people and their numbers are called on the pages.
    pub nouns: Nouns,
    /// How notices to people and systems are sent.
    pub notices: NoticeSettings,
    /// How long the start waits for the known faces; `None` until all are loaded. A server that answers before
    /// recognizes nobody yet: its answers say so with a 503, and `/ready` how far it is.
    pub gallery_within: Option<Duration>,
}

/// [`Settings::body_within`] unless it is set.
pub(crate) const BODY_WITHIN: Duration = Duration::from_secs(60);

impl Settings {
    /// The documented defaults, in the time zone of this machine.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            policy: AttendancePolicy::default(),
            time_zone_chosen: false,
            liveness: LivenessOptions::default(),
            challenge: ChallengePolicy::default(),
            duplicates: DuplicatePolicy::default(),
            receipts: None,
            threshold: Threshold::DOCUMENTED,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            web_socket: WebSocketAccess::default(),
            logout: Logout::default(),
            embeddings: Embeddings::default(),
            marks_of_erased: MarksOfErased::default(),
            retention: RetentionDays::default(),
            live: LiveSettings::default(),
            rates: RateLimits::default(),
            at_once_per_address: 200,
            allowed_hosts: AllowedHosts::default(),
            allowed_origins: AllowedOrigins::default(),
            trusted_proxies: Vec::new(),
            base_path: BasePath::default(),
            tls: None,
            passive: None,
            body_within: BODY_WITHIN,
            picture_memory: DecodeLimits::default().max_memory,
            waiting_writes: None,
            backups: None,
            nouns: Nouns::default(),
            notices: NoticeSettings::default(),
            gallery_within: None,
        }
    }

    /// The same settings for a start that waits so long for the known faces.
    #[must_use]
    pub fn with_gallery_within(mut self, time: Duration) -> Self {
        self.gallery_within = Some(time);
        self
    }

    /// The same settings, where marks and logs that wait for the database are kept in this file.
    #[must_use]
    pub fn with_waiting_writes(mut self, file: PathBuf) -> Self {
        self.waiting_writes = Some(file);
        self
    }

    /// The same settings, where the pages call people and their numbers so.
    #[must_use]
    pub fn with_nouns(mut self, nouns: Nouns) -> Self {
        self.nouns = nouns;
        self
    }

    /// The same settings with these back-ups.
    #[must_use]
    pub fn with_backups(mut self, backups: Option<BackupSettings>) -> Self {
        self.backups = backups;
        self
    }

    /// The same settings, where notices are sent like this.
    #[must_use]
    pub fn with_notices(mut self, notices: NoticeSettings) -> Self {
        self.notices = notices;
        self
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

    /// The same settings, where answers show embeddings to these.
    #[must_use]
    pub fn with_embeddings(mut self, embeddings: Embeddings) -> Self {
        self.embeddings = embeddings;
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

    /// The same settings with so many requests of one address at the same time.
    #[must_use]
    pub fn with_at_once_per_address(mut self, requests: usize) -> Self {
        self.at_once_per_address = requests;
        self
    }

    /// The same settings under these names.
    #[must_use]
    pub fn with_allowed_hosts(mut self, hosts: AllowedHosts) -> Self {
        self.allowed_hosts = hosts;
        self
    }

    /// The same settings for pages of these origins.
    #[must_use]
    pub fn with_allowed_origins(mut self, origins: AllowedOrigins) -> Self {
        self.allowed_origins = origins;
        self
    }

    /// The same settings behind these proxies.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: Vec<Network>) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// The same settings with this path under which a proxy publishes the server.
    #[must_use]
    pub fn with_base_path(mut self, path: BasePath) -> Self {
        self.base_path = path;
        self
    }

    /// The same settings of a server that speaks TLS with this certificate.
    #[must_use]
    pub fn with_tls(mut self, tls: Arc<Tls>) -> Self {
        self.tls = Some(tls);
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

    /// The same settings with this many bytes of memory for decoding pictures.
    #[must_use]
    pub fn with_picture_memory(mut self, bytes: u64) -> Self {
        self.picture_memory = bytes;
        self
    }

    /// The same settings with `threads` frames analyzed at a time.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }
}
