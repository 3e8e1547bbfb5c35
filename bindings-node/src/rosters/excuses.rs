//! Excuses of students.

use faceattend_core::store::{Excuse as CoreExcuse, ExcuseFilter, NewExcuse as CoreNew};
use faceattend_core::types::StudentId;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use super::{ChangeOptions, Rosters, Stamp, key};
use crate::error::OrThrow as _;
use crate::gallery::student;
use crate::job::Job;
use crate::time::{self, Date};

/// That an absence of a student is excused.
#[napi(object, use_nullable = true)]
pub struct Excuse {
    /// The key.
    pub id: i64,
    pub student_id: i64,
    /// The first day, as `YYYY-MM-DD`.
    pub first_day: String,
    /// The last day, itself included.
    pub last_day: String,
    /// The period that it is for; `null` for the whole of each day.
    pub period: Option<String>,
    pub reason: String,
    pub created_at: Date,
    /// Who noted it.
    pub created_by: String,
    /// When it was withdrawn: it excuses nothing any more.
    pub withdrawn_at: Option<Date>,
    /// Who withdrew it.
    pub withdrawn_by: Option<String>,
}

/// An excuse that is to be noted.
#[napi(object, object_to_js = false)]
pub struct NewExcuse {
    pub student_id: f64,
    /// The first day, as `YYYY-MM-DD`.
    pub first_day: String,
    /// The last day, itself included. Default: the first day.
    pub last_day: Option<String>,
    /// The period that it is for. Default: the whole of each day.
    #[napi(ts_type = "string | null")]
    pub period: Option<String>,
    pub reason: String,
    /// Who notes it. Default `node`.
    pub by: Option<String>,
    /// When. Default: now.
    pub at: Option<Date>,
}

/// Which excuses to read. What is left out does not narrow the selection.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ExcuseQuery {
    /// Those of this student.
    pub student_id: Option<f64>,
    /// Those that end on this day or later, as `YYYY-MM-DD`.
    pub from_day: Option<String>,
    /// Those that begin on this day or earlier, as `YYYY-MM-DD`.
    pub to_day: Option<String>,
}

#[napi]
impl Rosters {
    /// Resolves to the excuses that pass the query, ordered by day. Withdrawn ones are among them.
    #[napi(ts_args_type = "query?: ExcuseQuery & Abortable", ts_return_type = "Promise<Array<Excuse>>")]
    pub fn excuses(&self, query: Option<ExcuseQuery>) -> napi::Result<AsyncTask<Job<Vec<Excuse>>>> {
        let query = query.unwrap_or_default();
        let filter = ExcuseFilter {
            student: query.student_id.map(student).transpose().or_throw()?,
            from: query.from_day.as_deref().map(time::day).transpose().or_throw()?,
            to: query.to_day.as_deref().map(time::day).transpose().or_throw()?,
        };
        Ok(self.job(move |store| Ok(store.excuses(&filter)?.iter().map(Into::into).collect())))
    }

    /// Resolves to the excuse with this key.
    #[napi(ts_args_type = "id: number, options?: Abortable", ts_return_type = "Promise<Excuse | null>")]
    pub fn excuse(&self, id: f64) -> napi::Result<AsyncTask<Job<Option<Excuse>>>> {
        let id = key(id).or_throw()?;
        Ok(self.job(move |store| Ok(store.excuse(id)?.as_ref().map(Into::into))))
    }

    /// Notes an excuse. Rejects with `not_found` for an unknown student, and with `invalid_input` without a reason and
    /// for a last day before the first.
    #[napi(ts_args_type = "excuse: NewExcuse, options?: Abortable", ts_return_type = "Promise<Excuse>")]
    pub fn add_excuse(&self, excuse: NewExcuse) -> napi::Result<AsyncTask<Job<Excuse>>> {
        let Stamp { by, at } = Stamp::of(excuse.by, excuse.at).or_throw()?;
        let first_day = time::day(&excuse.first_day).or_throw()?;
        let new = CoreNew {
            student: student(excuse.student_id).or_throw()?,
            first_day,
            last_day: excuse.last_day.as_deref().map_or(Ok(first_day), time::day).or_throw()?,
            period: excuse.period,
            reason: excuse.reason,
            by,
            at,
        };
        Ok(self.job(move |store| store.add_excuse(&new).map(|excuse| (&excuse).into())))
    }

    /// Withdraws an excuse: it stays, and excuses nothing any more. Rejects with `state` for one that was withdrawn
    /// before.
    #[napi(ts_args_type = "id: number, options?: ChangeOptions & Abortable", ts_return_type = "Promise<Excuse>")]
    pub fn withdraw_excuse(&self, id: f64, options: Option<ChangeOptions>) -> napi::Result<AsyncTask<Job<Excuse>>> {
        let id = key(id).or_throw()?;
        let Stamp { by, at } = Stamp::of_options(options).or_throw()?;
        Ok(self.job(move |store| store.withdraw_excuse(id, &by, at).map(|excuse| (&excuse).into())))
    }
}

impl From<&CoreExcuse> for Excuse {
    fn from(excuse: &CoreExcuse) -> Self {
        let StudentId(student_id) = excuse.student;
        Self {
            id: excuse.id,
            student_id,
            first_day: excuse.first_day.to_string(),
            last_day: excuse.last_day.to_string(),
            period: excuse.period.clone(),
            reason: excuse.reason.clone(),
            created_at: time::date(excuse.created_at),
            created_by: excuse.created_by.clone(),
            withdrawn_at: excuse.withdrawn_at.map(time::date),
            withdrawn_by: excuse.withdrawn_by.clone(),
        }
    }
}
