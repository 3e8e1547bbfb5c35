//! The settings of the back-ups that the server makes by itself.

use std::path::PathBuf;

use clap::Args;
use faceattend_core::backup::Keep;
use jiff::civil::Time;

use super::args::{clock_time, parsed};

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
