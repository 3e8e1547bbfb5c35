//! `faceattend students import | export`: the list of a school, and the photographs of its people.

mod export;
mod import;
mod photographs;
mod table;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::store::NewAuditEntry;
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::commands::data_dir::data_dir;
use crate::commands::database::{DatabaseArgs, that_is_there};
use crate::commands::keys::KeyArgs;

/// Who the audit log says it was.
const ACTOR: &str = "command line";

/// Imports and exports the list of students, from a spreadsheet or to one.
///
/// A list has a line for each student and headings in its first line: `name`, `roll_number` and, where there are
/// groups, `group` (several are separated by semicolons), `from`, `until` and `guardian_email`. Other usual headings
/// are known too, such as `Full name`, `Roll no.`, `Class`, `Klasse` or `Matrikelnummer`.
#[derive(Debug, Args)]
pub struct StudentsArgs {
    /// The folder of the database, unless --database names one
    #[arg(long, env = "FACEATTEND_DATA_DIR", value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    day: DayArgs,
    #[command(subcommand)]
    action: Action,
}

/// Which day it is at the site.
#[derive(Debug, Clone, Args)]
struct DayArgs {
    /// The time zone of the site, such as Asia/Kolkata [default: this machine's zone]
    #[arg(long, env = "FACEATTEND_TIME_ZONE", value_name = "ZONE", global = true)]
    time_zone: Option<String>,
    /// The day on which memberships begin and end, as YYYY-MM-DD, unless the list says another [default: today]
    #[arg(long, value_name = "DAY", global = true)]
    day: Option<Date>,
}

impl DayArgs {
    fn day(&self) -> Result<Date> {
        if let Some(day) = self.day {
            return Ok(day);
        }
        let policy = match &self.time_zone {
            Some(name) => AttendancePolicy::in_time_zone(name)?,
            None => AttendancePolicy::in_system_time_zone(),
        };
        Ok(policy.day(Timestamp::now())?.date)
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Imports a list: all of it or, when anything is wrong, nothing. Says first what it will change
    Import(Box<import::ImportArgs>),
    /// Writes the list of students with their groups, as an import takes it back
    Export(export::ExportArgs),
}

/// Runs the subcommand.
///
/// # Errors
/// [`Error::InvalidInput`] for a list that is wrong; [`Error::State`] where somebody declines; those of the files and
/// of the store.
pub fn run(args: StudentsArgs) -> Result<()> {
    let StudentsArgs { data_dir: folder, database, day, action } = args;
    let place = that_is_there(database.place(|| data_dir(folder))?)?;
    let day = day.day()?;
    let open = |keys: &KeyArgs| place.open(keys.read()?);
    match action {
        Action::Import(args) => import::run(&args, &open(args.keys())?, day),
        Action::Export(args) => export::run(&args, &*open(&KeyArgs::default())?, day),
    }
}

/// The entry of the audit log for what a command did.
fn entry(action: &str, details: String) -> NewAuditEntry {
    let (at, actor, action) = (Timestamp::now(), ACTOR.to_owned(), action.to_owned());
    NewAuditEntry { at, actor, action, subject: None, details: Some(details) }
}

/// The error of a file.
fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { action, path, source }
}
