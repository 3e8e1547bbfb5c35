//! What a database does for rosters beside statements that both understand.

use jiff::Timestamp;

use super::super::outbox::statements::Statements;
use super::super::{RosterMark, RosterQuery, RosterStudent};
use crate::error::Error;
use crate::types::StudentId;

pub(in crate::store) trait RosterDatabase: Statements {
    /// Keeps others who change the roster waiting until this transaction is over.
    fn hold_roster(&mut self) -> Result<(), Self::Fault>;

    /// Tells everybody that the roster is another.
    fn tell_roster(&mut self) -> Result<(), Self::Fault>;

    /// Adds the keys of roll numbers that another program left out.
    fn complete_keys(&mut self) -> Result<(), Self::Fault>;

    /// Adds a student, whose roll number must be free.
    fn insert_student(&mut self, name: &str, roll_number: &str, now: Timestamp) -> Result<StudentId, Self::Fault>;

    /// Adds students, whose names and roll numbers fit and differ, and returns their ids in this order; `None` for one
    /// whose roll number somebody has.
    fn insert_students(&mut self, new: &[(&str, &str)], now: Timestamp) -> Result<Vec<Option<StudentId>>, Self::Fault>;

    /// Gives a student another name.
    fn rename_student(&mut self, student: StudentId, name: &str, now: Timestamp) -> Result<(), Self::Fault>;

    /// The students whom the query is about, also those who were erased.
    fn students(&mut self, query: &RosterQuery) -> Result<Vec<RosterStudent>, Self::Fault>;

    /// The marks of the query's days and students whose time can be read.
    fn marks(&mut self, query: &RosterQuery) -> Result<Vec<RosterMark>, Self::Fault>;

    /// Returns the answer of ours that the fault is, or else the fault.
    fn refusal(fault: Self::Fault) -> Result<Error, Self::Fault>;
}
