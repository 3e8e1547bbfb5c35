//! The back-ups that the server makes every day.

use std::path::PathBuf;

use faceattend_core::backup::{Clock, Keep, Passphrase, Source};

/// What is backed up, when, and into which folder.
#[derive(Debug, Clone)]
pub struct BackupSettings {
    /// The folder, which is made when it is missing.
    pub folder: PathBuf,
    /// What is backed up.
    pub source: Source,
    /// When.
    pub clock: Clock,
    /// Which back-ups stay.
    pub keep: Keep,
    /// What encrypts them.
    pub passphrase: Option<Passphrase>,
    /// Who makes them, among the servers of one database.
    pub server_name: Option<String>,
}
