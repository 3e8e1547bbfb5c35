//! Changes of who belongs to which group.

use faceattend_core::store::{
    GroupKind as CoreKind, GroupRef, RosterChange, RosterChanged as CoreChanged, RosterOutcome as CoreOutcome,
    RosterRun, StudentRef,
};
use faceattend_core::{Error, Result};
use jiff::civil::Date as Day;
use napi::bindgen_prelude::{AsyncTask, Either};
use napi_derive::napi;

use super::groups::GroupKind;
use super::{Rosters, Stamp, key};
use crate::error::{FaceAttendErrorCode, OrThrow as _, invalid};
use crate::gallery::student;
use crate::job::Job;
use crate::time::{self, Date};

/// `RosterChange` of the types.
#[napi(object, object_to_js = false)]
pub struct NativeRosterChange {
    pub change: String,
    pub roll_number: Option<String>,
    pub name: Option<String>,
    pub kind: Option<GroupKind>,
    pub student: Option<Either<f64, String>>,
    pub group: Option<Either<f64, String>>,
    pub membership: Option<f64>,
    pub from_day: Option<String>,
    pub until_day: Option<String>,
    pub day: Option<String>,
}

/// What a change did: it made something, it changed something that was there, or all was so already.
#[napi(string_enum = "lowercase")]
pub enum RosterChanged {
    Created,
    Changed,
    Unchanged,
}

/// Why a change cannot be made.
#[napi(object)]
pub struct RefusedChange {
    /// The place of the change in the list, from 0.
    pub place: u32,
    pub code: FaceAttendErrorCode,
    pub message: String,
}

/// What became of changes: all were made (or would be, in a preview), or nothing has changed.
#[napi(object)]
pub struct RosterOutcome {
    #[napi(ts_type = "'done' | 'refused'")]
    pub outcome: String,
    /// What each change did; empty when they were refused.
    pub changed: Vec<RosterChanged>,
    /// The changes that cannot be made.
    pub refused: Vec<RefusedChange>,
}

/// Who changes a roster, and whether it is only tried.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct RosterChangeOptions {
    /// Whether the changes are tried and taken back. Default false.
    pub preview: Option<bool>,
    /// Who makes them. Default `node`.
    pub by: Option<String>,
    /// When. Default: now.
    pub at: Option<Date>,
}

/// From when until when.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct SpanOptions {
    /// The first day, as `YYYY-MM-DD`. Default: the day of `at`.
    pub from_day: Option<String>,
    /// The first day on which a membership is over. Default: none; for `leave` the day of `at`.
    pub until_day: Option<String>,
    /// Who makes the change. Default `node`.
    pub by: Option<String>,
    /// When. Default: now.
    pub at: Option<Date>,
}

#[napi]
impl Rosters {
    /// Makes the changes in one transaction, all of them or none. A later one finds the student and the group that an
    /// earlier one made.
    #[napi(
        ts_args_type = "changes: ReadonlyArray<RosterChange>, options?: RosterChangeOptions & Abortable",
        ts_return_type = "Promise<RosterOutcome>"
    )]
    pub fn change_roster(
        &self,
        changes: Vec<NativeRosterChange>,
        options: Option<RosterChangeOptions>,
    ) -> napi::Result<AsyncTask<Job<RosterOutcome>>> {
        let RosterChangeOptions { preview, by, at } = options.unwrap_or_default();
        let Stamp { by, at } = Stamp::of(by, at).or_throw()?;
        let today = self.day_or(None, at).or_throw()?;
        let changes = changes.into_iter().map(|change| change.read(today)).collect::<Result<Vec<_>>>().or_throw()?;
        let run = if preview.unwrap_or(false) { RosterRun::Preview } else { RosterRun::Apply };
        Ok(self.job(move |store| store.change_roster(&changes, run, &by, at).map(Into::into)))
    }

    /// Makes a student a member of a group, each named by its key, or by roll number and name. A membership that begins
    /// later begins earlier then. Rejects with `not_found`, and with `state` for an archived group.
    #[napi(
        ts_args_type = "student: number | string, group: number | string, options?: SpanOptions & Abortable",
        ts_return_type = "Promise<RosterChanged>"
    )]
    pub fn join(
        &self,
        student: Either<f64, String>,
        group: Either<f64, String>,
        options: Option<SpanOptions>,
    ) -> napi::Result<AsyncTask<Job<RosterChanged>>> {
        self.change_one(options, |from_day, until_day, today| {
            let (student, group) = (student_ref(student)?, group_ref(group)?);
            Ok(RosterChange::Join { student, group, from_day: from_day.unwrap_or(today), until_day })
        })
    }

    /// Ends a membership. One that would not have begun is deleted.
    #[napi(
        ts_args_type = "student: number | string, group: number | string, options?: SpanOptions & Abortable",
        ts_return_type = "Promise<RosterChanged>"
    )]
    pub fn leave(
        &self,
        student: Either<f64, String>,
        group: Either<f64, String>,
        options: Option<SpanOptions>,
    ) -> napi::Result<AsyncTask<Job<RosterChanged>>> {
        self.change_one(options, |_, until_day, today| {
            let (student, group) = (student_ref(student)?, group_ref(group)?);
            Ok(RosterChange::Leave { student, group, until_day: until_day.unwrap_or(today) })
        })
    }

    /// Notes that a student has left: all memberships end, and nobody expects the student from `fromDay` on.
    #[napi(
        ts_args_type = "student: number | string, options?: SpanOptions & Abortable",
        ts_return_type = "Promise<RosterChanged>"
    )]
    pub fn withdraw(
        &self,
        student: Either<f64, String>,
        options: Option<SpanOptions>,
    ) -> napi::Result<AsyncTask<Job<RosterChanged>>> {
        self.change_one(options, |from_day, _, today| {
            Ok(RosterChange::Withdraw { student: student_ref(student)?, from_day: from_day.unwrap_or(today) })
        })
    }

    /// Notes that a student who was withdrawn is expected again from `fromDay` on. Memberships do not come back.
    #[napi(
        ts_args_type = "student: number | string, options?: SpanOptions & Abortable",
        ts_return_type = "Promise<RosterChanged>"
    )]
    pub fn readmit(
        &self,
        student: Either<f64, String>,
        options: Option<SpanOptions>,
    ) -> napi::Result<AsyncTask<Job<RosterChanged>>> {
        self.change_one(options, |from_day, _, today| {
            Ok(RosterChange::Readmit { student: student_ref(student)?, from_day: from_day.unwrap_or(today) })
        })
    }
}

impl Rosters {
    fn change_one(
        &self,
        options: Option<SpanOptions>,
        change: impl FnOnce(Option<Day>, Option<Day>, Day) -> Result<RosterChange>,
    ) -> napi::Result<AsyncTask<Job<RosterChanged>>> {
        let SpanOptions { from_day, until_day, by, at } = options.unwrap_or_default();
        let Stamp { by, at } = Stamp::of(by, at).or_throw()?;
        let day = |text: Option<String>| text.as_deref().map(time::day).transpose();
        let today = self.day_or(None, at).or_throw()?;
        let change = change(day(from_day).or_throw()?, day(until_day).or_throw()?, today).or_throw()?;
        Ok(self.job(move |store| match store.change_roster(&[change], RosterRun::Apply, &by, at)? {
            CoreOutcome::Done(changed) => {
                changed.first().copied().map(Into::into).ok_or_else(|| internal("a change has no result"))
            }
            CoreOutcome::Refused(refused) => {
                Err(refused.into_iter().next().map_or_else(|| internal("no change was refused"), |(_, why)| why))
            }
        }))
    }
}

fn internal(reason: &'static str) -> Error {
    Error::Internal { reason: reason.into() }
}

fn student_ref(given: Either<f64, String>) -> Result<StudentRef> {
    Ok(match given {
        Either::A(id) => StudentRef::Id(student(id)?),
        Either::B(roll_number) => StudentRef::RollNumber(roll_number),
    })
}

fn group_ref(given: Either<f64, String>) -> Result<GroupRef> {
    Ok(match given {
        Either::A(id) => GroupRef::Id(key(id)?),
        Either::B(name) => GroupRef::Name(name),
    })
}

impl NativeRosterChange {
    fn read(self, today: Day) -> Result<RosterChange> {
        let missing = |what: &str| invalid("change", format!("{:?} needs {what}", self.change));
        let day = |text: &Option<String>| text.as_deref().map(time::day).transpose();
        let name = || self.name.clone().ok_or_else(|| missing("a name"));
        let who = || self.student.clone().ok_or_else(|| missing("a student")).and_then(student_ref);
        let group = || self.group.clone().ok_or_else(|| missing("a group")).and_then(group_ref);
        let from_day = || Ok::<_, Error>(day(&self.from_day)?.unwrap_or(today));
        Ok(match self.change.as_str() {
            "student" => {
                let roll_number = self.roll_number.clone().ok_or_else(|| missing("a rollNumber"))?;
                RosterChange::Student { roll_number, name: name()? }
            }
            "group" => RosterChange::Group { name: name()?, kind: self.kind.map_or(CoreKind::Class, Into::into) },
            "join" => {
                let until_day = day(&self.until_day)?;
                RosterChange::Join { student: who()?, group: group()?, from_day: from_day()?, until_day }
            }
            "leave" => {
                let until_day = day(&self.until_day)?.unwrap_or(today);
                RosterChange::Leave { student: who()?, group: group()?, until_day }
            }
            "redate" => RosterChange::Redate {
                membership: self.membership.ok_or_else(|| missing("a membership")).and_then(key)?,
                from_day: day(&self.from_day)?.ok_or_else(|| missing("a fromDay"))?,
                until_day: day(&self.until_day)?,
            },
            "withdraw" => RosterChange::Withdraw { student: who()?, from_day: from_day()? },
            "readmit" => RosterChange::Readmit { student: who()?, from_day: from_day()? },
            "first_day" => {
                RosterChange::FirstDay { student: who()?, day: day(&self.day)?.ok_or_else(|| missing("a day"))? }
            }
            other => return Err(invalid("change", format!("{other:?} is no change of a roster, such as \"join\""))),
        })
    }
}

impl From<CoreChanged> for RosterChanged {
    fn from(changed: CoreChanged) -> Self {
        match changed {
            CoreChanged::Created => Self::Created,
            CoreChanged::Changed => Self::Changed,
            CoreChanged::Unchanged => Self::Unchanged,
        }
    }
}

impl From<CoreOutcome> for RosterOutcome {
    fn from(outcome: CoreOutcome) -> Self {
        match outcome {
            CoreOutcome::Done(changed) => Self {
                outcome: "done".into(),
                changed: changed.into_iter().map(Into::into).collect(),
                refused: Vec::new(),
            },
            CoreOutcome::Refused(refused) => Self {
                outcome: "refused".into(),
                changed: Vec::new(),
                refused: refused
                    .iter()
                    .map(|(place, error)| RefusedChange {
                        place: u32::try_from(*place).unwrap_or(u32::MAX),
                        code: error.kind().into(),
                        message: error.to_string(),
                    })
                    .collect(),
            },
        }
    }
}
