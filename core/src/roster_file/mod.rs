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
mod people;
mod photographs;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod workbook;
mod write;

pub use people::{GuardianColumn, people};
pub use photographs::{LARGEST_PHOTOGRAPH, MatchedPhotographs, Photographs, match_photographs};
pub use rows::RosterFile;
pub use write::{COLUMNS, cells_of, csv_cell, csv_of};

/// The largest file that is read, in bytes. A list of 50,000 people has about 5 MB.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;
/// The most lines of a list: more than the largest universities have students in one place.
pub const MOST_LINES: usize = 50_000;
/// The most columns of a list. School programs export up to about 200.
pub const MOST_COLUMNS: usize = 256;
/// The most cells, with the empty ones before a cell that is not: 50,000 lines of 40 columns.
pub const MOST_CELLS: usize = 2_000_000;
/// The most bytes that the parts of a workbook may have once they are unpacked. A sheet of 50,000 lines and 20 columns
/// has about 50 MB.
pub const MOST_UNPACKED: u64 = 96 * 1024 * 1024;

/// How a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The sheet of a workbook. Default: its first one that is not hidden.
    pub sheet: Option<String>,
    /// The encoding of a CSV file, as browsers name it, such as `windows-1251`. Default: told by the file.
    pub encoding: Option<String>,
}

/// Returns the people whom a file lists, and what is wrong with it. The format is told by the contents. A list with
/// problems may be read and shown, never imported.
#[must_use]
pub fn read(bytes: &[u8], options: &ReadOptions) -> RosterFile {
    match table::Table::read(bytes, options) {
        Ok(table) => RosterFile::of(&table),
        Err(problem) => RosterFile::unreadable(problem),
    }
}
