//! How notices to people and systems are sent.

use std::path::PathBuf;

use faceattend_core::alerts::{AlertReach, BackOff};

/// How notices to people and systems are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NoticeSettings {
    /// Where they may be sent, beside the internet.
    pub reach: AlertReach,
    /// When what could not be sent is tried again.
    pub back_off: BackOff,
    /// A PEM file of authorities beside the web's, whose certificates are good for webhooks and mail servers.
    pub authorities: Option<PathBuf>,
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

    /// The same settings with the authorities in this PEM file.
    #[must_use]
    pub fn with_authorities(mut self, file: Option<PathBuf>) -> Self {
        self.authorities = file;
        self
    }
}
