//! Lists of students as schools keep them: CSV from any program, and Excel workbooks.
//!
//! [`read`] finds the columns by their headings, in any order, letter case and in the languages of the pages, and
//! returns the people of the list and what is wrong with it, by line. Nothing of it is in the database yet: a
//! [plan](crate::store::RosterPlan) says what an import would change.
//!
//! ```
//! use faceattend_core::roster_file::{ReadOptions, read};
//!
//! let list = read("Nr.;Name;Klasse\n017;Müller, Jörg;5A\n018;;5A\n".as_bytes(), &ReadOptions::default());
//! assert_eq!(list.rows[0].roll_number, "017");
//! assert_eq!(list.rows[0].name, "Müller, Jörg");
//! assert_eq!(list.problems[0].to_string(), "line 3, column Name: the name is missing: write it, or delete the line");
//! ```
//!
//! | column | usual headings |
//! |---|---|
//! | name | Name, Full name, First name and Last name, Vorname and Name, Nombre y apellidos, Nom et prénom, नाम, الاسم |
//! | roll number | Roll number, Roll no., Number, ID, Nr., Matrikelnummer, Número, Matricule, रोल नंबर, الرقم |
//! | groups | Group, Class, Section, Department, Shift, Klasse, Abteilung, Grupo, Classe, कक्षा, الصف |
//! | first day | From, Start date, Joined, Von, Eintritt, Desde, Du, से, من |
//! | last day | Until, End date, Bis, Austritt, Hasta, Au, तक, إلى |
//! | guardians' addresses | Guardian email, Parent email 2, E-Mail der Eltern, Correo del tutor, ... |

mod columns;
mod csv_file;
mod dates;
mod format;
mod headings;
mod import;
mod limits;
mod list_format;
mod options;
mod people;
mod photographs;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod workbook;
mod write;
mod write_workbook;

use std::path::Path;

use crate::error::{Error, Result};

pub use import::import;
pub use limits::{MOST_BYTES, MOST_CELLS, MOST_COLUMNS, MOST_LINES, MOST_UNPACKED};
pub use list_format::ListFormat;
pub use options::ReadOptions;
pub use people::{GuardianColumn, people};
pub use photographs::{LARGEST_PHOTOGRAPH, MatchedPhotographs, Photographs, match_photographs};
pub use rows::RosterFile;
pub use write::{COLUMNS, cells_of, csv_cell, csv_of};
pub use write_workbook::xlsx_of;

/// Returns the people whom the file at `path` lists, as [`read`] does. One that is too large is refused without being
/// read.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
pub fn read_file(path: &Path, options: &ReadOptions) -> Result<RosterFile> {
    let failed = |source| Error::Io { action: "read", path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MOST_BYTES as u64 {
        return Ok(RosterFile::unreadable(format::too_large()));
    }
    Ok(read(&std::fs::read(path).map_err(failed)?, options))
}

/// Returns the people whom a file lists, and what is wrong with it. The format is told by the contents. A list with
/// problems may be read and shown, never imported.
#[must_use]
pub fn read(bytes: &[u8], options: &ReadOptions) -> RosterFile {
    match format::table_of(bytes, options) {
        Ok(table) => RosterFile::of(&table),
        Err(problem) => RosterFile::unreadable(problem),
    }
}
