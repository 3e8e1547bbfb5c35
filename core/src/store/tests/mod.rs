//! The contract that every [`Store`](super::Store) keeps, and what only a file on a disk can break.

#[cfg(feature = "postgres")]
mod cluster;
mod contract;
#[cfg(feature = "sqlite")]
mod portable;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "postgres")]
mod postgres_cameras;
#[cfg(all(feature = "sqlite", feature = "encryption"))]
mod sealed;
#[cfg(all(feature = "sqlite", feature = "encryption"))]
mod sealed_cameras;
mod sharing;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_erasure;
#[cfg(feature = "sqlite")]
mod sqlite_merge;
#[cfg(feature = "sqlite")]
mod sqlite_notices;
#[cfg(feature = "sqlite")]
mod sqlite_old_rows;
#[cfg(feature = "sqlite")]
mod sqlite_second_looks;

use jiff::Timestamp;

#[cfg(feature = "sqlite")]
pub(crate) use contract::mark;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::of_the_existing_service;

use super::{Enrolee, Enrolment, Store, Student};
use crate::error::Result;
use crate::types::{SessionId, StudentId};

/// Returns whether a file of the folder holds `wanted`.
#[cfg(feature = "sqlite")]
fn files_hold(folder: &std::path::Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(folder)
        .unwrap()
        .any(|entry| std::fs::read(entry.unwrap().path()).unwrap().windows(wanted.len()).any(|window| window == wanted))
}

/// Enrolments that compare the face with nobody.
pub(crate) trait EnrolUnchecked {
    /// Creates a student with the face.
    fn register_student(
        &self,
        session: SessionId,
        name: &str,
        roll_number: &str,
        enrolment: &Enrolment,
        now: Timestamp,
    ) -> Result<Student>;

    /// Gives the face to a student who is there.
    fn enrol_student(
        &self,
        session: SessionId,
        student: StudentId,
        enrolment: &Enrolment,
        now: Timestamp,
    ) -> Result<Student>;
}

impl<S: Store + ?Sized> EnrolUnchecked for S {
    fn register_student(
        &self,
        session: SessionId,
        name: &str,
        roll_number: &str,
        enrolment: &Enrolment,
        now: Timestamp,
    ) -> Result<Student> {
        let enrolled = self.enrol(session, &Enrolee::New { name, roll_number }, enrolment, None, "test", now)?;
        Ok(enrolled.expect("nothing was asked that could refuse it"))
    }

    fn enrol_student(
        &self,
        session: SessionId,
        student: StudentId,
        enrolment: &Enrolment,
        now: Timestamp,
    ) -> Result<Student> {
        let enrolled = self.enrol(session, &Enrolee::Student(student), enrolment, None, "test", now)?;
        Ok(enrolled.expect("nothing was asked that could refuse it"))
    }
}
