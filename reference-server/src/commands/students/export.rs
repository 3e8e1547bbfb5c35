//! `faceattend students export`.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use faceattend_core::own_file::{self, Readers};
use faceattend_core::roster_file::{GuardianColumn, ListFormat, people};
use faceattend_core::store::Store;
use faceattend_core::{Error, Result};
use jiff::civil::Date;

use super::{entry, io};
use crate::commands::say;

/// Exports the list of students.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The file, which must not exist: .xlsx for a workbook, any other name for CSV; `-` for CSV on standard output
    file: PathBuf,
    /// Begins CSV with a byte-order mark, by which Excel knows that the text is UTF-8
    #[arg(long)]
    byte_order_mark: bool,
    /// Writes the addresses of guardians too
    #[arg(long)]
    guardians: bool,
}

pub(super) fn run(args: &ExportArgs, store: &dyn Store, day: Date) -> Result<()> {
    let to_stdout = args.file.as_os_str() == "-";
    if !to_stdout && args.file.exists() {
        let reason = format!("{} is there: an export overwrites nothing", args.file.display());
        return Err(Error::InvalidInput { what: "export file", reason });
    }
    let is_workbook = args.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
    let format = if is_workbook { ListFormat::Xlsx } else { ListFormat::Csv };
    let guardians = if args.guardians { GuardianColumn::Written } else { GuardianColumn::Empty };
    let people = people(store, day, guardians)?;
    let bytes = format.write(&people, args.byte_order_mark)?;
    if to_stdout {
        std::io::stdout().write_all(&bytes).map_err(io("write", &args.file))?;
    } else {
        // Names and addresses of people: not for everybody on the machine.
        let mut file = own_file::create_new(&args.file, Readers::Owner).map_err(io("create", &args.file))?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(io("write", &args.file))?;
        say(&format!("{} students are in {}.", people.len(), args.file.display()));
    }
    store.add_audit(&entry("students export", format!("{} students", people.len()))).map(drop)
}
