//! The settings of the back-ups that the server makes by itself.

use std::path::PathBuf;

use clap::Args;
use faceattend_core::backup::Keep;
use jiff::civil::Time;

use super::args::{ServeArgs, parsed};
use crate::commands::backup::sources::DataArgs;

/// The daily back-up.
#[derive(Debug, Clone, Args)]
pub(crate) struct BackupScheduleArgs {
    /// The folder in which the server makes a back-up every day, best on another disk [default: no back-ups]
    #[arg(long = "backup-dir", id = "backup_dir", env = "FACEATTEND_BACKUP_DIR", value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The time of day at which it is made, by the clocks of the site. One that was missed is made at the next start
    #[arg(
        long = "backup-at",
        id = "backup_at",
        env = "FACEATTEND_BACKUP_AT",
        value_name = "HH:MM",
        default_value = "02:30",
        value_parser = clock_time,
    )]
    pub(crate) at: Time,
    /// How many back-ups stay, or for how many days, such as 30d
    #[arg(
        long = "backup-keep",
        id = "backup_keep",
        env = "FACEATTEND_BACKUP_KEEP",
        value_name = "NUMBER",
        default_value_t = Keep::default(),
        value_parser = parsed::<Keep>,
    )]
    pub(crate) keep: Keep,
    /// A file with the passphrase that encrypts the back-ups. FACEATTEND_BACKUP_PASSPHRASE holds one too [default:
    /// they are not encrypted]
    #[arg(
        long = "backup-passphrase-file",
        id = "backup_passphrase_file",
        env = "FACEATTEND_BACKUP_PASSPHRASE_FILE",
        value_name = "FILE"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl ServeArgs {
    /// Returns the settings that say where data and keys are.
    pub(crate) fn data(&self) -> DataArgs {
        DataArgs {
            data_dir: self.data_dir.clone(),
            database: self.database.clone(),
            keys: self.keys.clone(),
            jwt_secret: self.jwt_secret.clone(),
            receipt_key: self.receipt_key.clone(),
            server_name: self.server_name.clone(),
        }
    }
}

/// Parses a time of the site's clocks.
pub(super) fn clock_time(text: &str) -> std::result::Result<Time, String> {
    text.trim().parse().map_err(|_| "expected hours and minutes, such as 04:00".to_owned())
}
