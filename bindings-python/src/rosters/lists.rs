//! Lists of students, and what their import would change.

use std::path::PathBuf;

use faceattend_core::Result;
use faceattend_core::roster_file::{ReadOptions, RosterFile, import, read, read_file};
use faceattend_core::store::{
    ListedGroup, PlannedChange, PlannedMembership, PlannedStudent, RosterImport, RosterOrder, RosterPlan,
    RosterProblem, Store, Unlisted, UnlistedStudent,
};
use jiff::Timestamp;
use jiff::civil::Date;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyDict, PyList};

use crate::error::invalid_input;
use crate::time::date;

/// Where a list is.
enum Source {
    Bytes(PyBackedBytes),
    File(PathBuf),
}

/// A list, and how it is read.
pub(super) struct Import {
    source: Source,
    options: ReadOptions,
    unlisted: Unlisted,
    day: Date,
    language: String,
}

/// What came of an import.
pub(super) struct Imported {
    outcome: &'static str,
    list: RosterFile,
    plan: RosterPlan,
}

impl Import {
    pub(super) fn new(
        data: &Bound<'_, PyAny>,
        options: ReadOptions,
        withdraw_missing: bool,
        day: Date,
        language: &str,
    ) -> PyResult<Self> {
        let source = match data.extract::<PyBackedBytes>() {
            Ok(bytes) => Source::Bytes(bytes),
            Err(_) => Source::File(data.extract().map_err(|_| {
                invalid_input(data.py(), "list of students", "expected the bytes of a file, or its path")
            })?),
        };
        let unlisted = if withdraw_missing { Unlisted::Withdraw } else { Unlisted::Keep };
        Ok(Self { source, options, unlisted, day, language: language.to_owned() })
    }

    fn list(&self) -> Result<RosterFile> {
        match &self.source {
            Source::Bytes(bytes) => Ok(read(bytes, &self.options)),
            Source::File(path) => read_file(path, &self.options),
        }
    }

    fn order<'a>(&'a self, list: &'a RosterFile) -> RosterOrder<'a> {
        RosterOrder { rows: &list.rows, unlisted: self.unlisted, day: self.day, language: &self.language }
    }

    pub(super) fn plan(&self, store: &dyn Store) -> Result<Imported> {
        let list = self.list()?;
        let plan = store.plan_import(&self.order(&list))?;
        Ok(Imported { outcome: "planned", list, plan })
    }

    pub(super) fn run(
        &self,
        store: &dyn Store,
        fingerprint: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<Imported> {
        let list = self.list()?;
        let (outcome, plan) = match import(store, &list, &self.order(&list), fingerprint, by, now)? {
            RosterImport::Done(plan) => ("done", plan),
            RosterImport::Outdated(plan) => ("outdated", plan),
            RosterImport::Refused(plan) => ("refused", plan),
        };
        Ok(Imported { outcome, list, plan })
    }
}

fn each<'py, T>(
    py: Python<'py>,
    all: &[T],
    show: impl Fn(&Bound<'py, PyDict>, &T) -> PyResult<()>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for one in all {
        let dict = PyDict::new(py);
        show(&dict, one)?;
        list.append(dict)?;
    }
    Ok(list)
}

impl Imported {
    /// The outcome, with the plan.
    pub(super) fn shown<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("outcome", self.outcome)?;
        dict.set_item("plan", self.plan(py)?)?;
        Ok(dict)
    }

    /// The plan alone.
    pub(super) fn plan<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Self { list, plan, .. } = self;
        let problems: Vec<&RosterProblem> = list.problems.iter().chain(&plan.problems).collect();
        let dict = PyDict::new(py);
        dict.set_item("new_groups", each(py, &plan.new_groups, group)?)?;
        dict.set_item("new", each(py, &plan.new, |dict, student| new_student(py, dict, student))?)?;
        dict.set_item("changed", each(py, &plan.changed, |dict, change| changed(py, dict, change))?)?;
        dict.set_item("unchanged", plan.unchanged)?;
        dict.set_item("unlisted", each(py, &plan.unlisted, unlisted)?)?;
        dict.set_item("withdraws", plan.withdraws)?;
        dict.set_item("problems", each(py, &problems, |dict, problem| problem_of(dict, problem))?)?;
        dict.set_item("is_empty", plan.is_empty())?;
        dict.set_item("fingerprint", &plan.fingerprint)?;
        dict.set_item("sheet", &list.sheet)?;
        dict.set_item("other_sheets", &list.other_sheets)?;
        dict.set_item("guessed_encoding", list.guessed_encoding)?;
        dict.set_item("unknown_columns", &list.unknown_columns)?;
        Ok(dict)
    }
}

fn group(dict: &Bound<'_, PyDict>, group: &ListedGroup) -> PyResult<()> {
    dict.set_item("name", &group.name)?;
    dict.set_item("kind", group.kind.as_str())
}

fn unlisted(dict: &Bound<'_, PyDict>, student: &UnlistedStudent) -> PyResult<()> {
    dict.set_item("student_id", student.student.0)?;
    dict.set_item("roll_number", &student.roll_number)?;
    dict.set_item("name", &student.name)
}

fn problem_of(dict: &Bound<'_, PyDict>, problem: &RosterProblem) -> PyResult<()> {
    dict.set_item("line", problem.line)?;
    dict.set_item("column", &problem.column)?;
    dict.set_item("code", problem.code.as_str())?;
    dict.set_item("value", &problem.value)?;
    dict.set_item("message", &problem.message)
}

fn memberships<'py>(py: Python<'py>, planned: &[PlannedMembership]) -> PyResult<Bound<'py, PyList>> {
    each(py, planned, |dict, its| {
        dict.set_item("membership", its.membership)?;
        dict.set_item("group", &its.group)?;
        dict.set_item("from_day", date(py, its.from)?)?;
        dict.set_item("until_day", its.until.map(|day| date(py, day)).transpose()?)
    })
}

fn new_student<'py>(py: Python<'py>, dict: &Bound<'py, PyDict>, student: &PlannedStudent) -> PyResult<()> {
    dict.set_item("line", student.line)?;
    dict.set_item("roll_number", &student.roll_number)?;
    dict.set_item("name", &student.name)?;
    dict.set_item("joins", memberships(py, &student.joins)?)?;
    dict.set_item("guardian_emails", &student.guardian_emails)
}

fn changed<'py>(py: Python<'py>, dict: &Bound<'py, PyDict>, change: &PlannedChange) -> PyResult<()> {
    dict.set_item("line", change.line)?;
    dict.set_item("student_id", change.student.0)?;
    dict.set_item("roll_number", &change.roll_number)?;
    dict.set_item("name", &change.name)?;
    dict.set_item("new_name", &change.new_name)?;
    dict.set_item("joins", memberships(py, &change.joins)?)?;
    dict.set_item("redated", memberships(py, &change.redated)?)?;
    dict.set_item("leaves", &change.leaves)?;
    dict.set_item("guardian_emails", &change.guardian_emails)?;
    dict.set_item("returns", change.returns)?;
    dict.set_item("withdrawn_on", change.withdrawn_on.map(|day| date(py, day)).transpose()?)
}
