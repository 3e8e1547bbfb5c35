//! Who is expected when: groups with members, timetables, the calendar and excuses.

mod changes;
mod days;
mod entries;
mod excuses;
mod groups;
mod lists;
mod timetables;

use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::store::Store as CoreStore;
use jiff::Timestamp;
use jiff::civil::Date as Day;
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi_derive::napi;

use crate::attendance::{AttendanceOptions, policy};
use crate::error::OrThrow as _;
use crate::gallery::student;
use crate::job::{Job, job};
use crate::store::{ACTOR, Store};
use crate::time::{self, Date};

/// How rosters are kept.
#[napi(object, object_to_js = false)]
pub struct RostersOptions {
    /// The rules of the site, the same as those of its `AttendanceBook`: they say which day it is.
    pub policy: Option<AttendanceOptions>,
}

/// Who made a change, and when.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ChangeOptions {
    /// Who makes the change. Default `node`.
    pub by: Option<String>,
    /// When. Default: now.
    pub at: Option<Date>,
}

/// Who belongs to which group when, when people are expected, and why somebody was absent. Absence is written nowhere:
/// `days` derives it. Days are the site's, as `YYYY-MM-DD`.
#[napi]
pub struct Rosters {
    store: Arc<dyn CoreStore>,
    policy: AttendancePolicy,
}

#[napi]
impl Rosters {
    /// Keeps rosters in `store`. Throws `invalid_input` for a name that is no time zone.
    #[napi(constructor)]
    pub fn new(store: &Store, options: Option<RostersOptions>) -> napi::Result<Self> {
        let policy = policy(options.and_then(|options| options.policy)).or_throw()?;
        Ok(Self { store: store.inner.clone(), policy })
    }
}

impl Rosters {
    fn job<T>(&self, work: impl FnOnce(&dyn CoreStore) -> Result<T> + Send + 'static) -> AsyncTask<Job<T>>
    where
        T: ToNapiValue + TypeName + Send + 'static,
    {
        let store = self.store.clone();
        job(move || work(&*store))
    }

    /// The day that `text` names, or the day of the site that `at` belongs to.
    fn day_or(&self, text: Option<&str>, at: Timestamp) -> Result<Day> {
        text.map_or_else(|| Ok(self.policy.day(at)?.date), time::day)
    }
}

/// Who makes a change, and when.
struct Stamp {
    by: String,
    at: Timestamp,
}

impl Stamp {
    fn of(by: Option<String>, at: Option<Date>) -> Result<Self> {
        Ok(Self { by: by.unwrap_or_else(|| ACTOR.into()), at: time::moment_or_now(at)? })
    }

    fn of_options(options: Option<ChangeOptions>) -> Result<Self> {
        let ChangeOptions { by, at } = options.unwrap_or_default();
        Self::of(by, at)
    }
}

/// The key of a row.
fn key(id: f64) -> Result<i64> {
    student(id).map(|id| id.0)
}
