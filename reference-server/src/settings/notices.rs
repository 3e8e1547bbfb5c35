//! How notices to people and systems are sent.

use std::path::PathBuf;
use std::time::Duration;

use faceattend_core::alerts::{AlertReach, BackOff};

/// How notices to people and systems are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoticeSettings {
    /// Where they may be sent, beside the internet.
    pub reach: AlertReach,
    /// When what could not be sent is tried again.
    pub back_off: BackOff,
    /// A PEM file of authorities beside the web's, whose certificates are good for webhooks and mail servers.
    pub authorities: Option<PathBuf>,
    /// How long a webhook belongs to the server that sends it, and a fifth of how long a letter does: longer than a try
    /// may take. What a server that was killed has left is sent by another one after this time. Default a minute.
    pub lease: Duration,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self {
            reach: AlertReach::default(),
            back_off: BackOff::default(),
            authorities: None,
            lease: Duration::from_secs(60),
        }
    }
}

impl NoticeSettings {
    /// The same settings with this reach.
    #[must_use]
    pub fn with_reach(mut self, reach: AlertReach) -> Self {
        self.reach = reach;
        self
    }

    /// The same settings with this back-off.
    #[must_use]
    pub fn with_back_off(mut self, back_off: BackOff) -> Self {
        self.back_off = back_off;
        self
    }

    /// The same settings with this lease.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The same settings with the authorities in this PEM file.
    #[must_use]
    pub fn with_authorities(mut self, file: Option<PathBuf>) -> Self {
        self.authorities = file;
        self
    }
}
