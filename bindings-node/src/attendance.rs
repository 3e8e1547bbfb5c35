//! Who attended, and on which day.

use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::attendance::{AttendancePolicy, DayWindow, Marker, Marking as CoreMarking};
use faceattend_core::store::{
    AttendanceBy as CoreBy, AttendanceFilter as CoreFilter, AttendanceRecord as CoreRecord, Listed, Order,
    Store as CoreStore,
};
use faceattend_core::types::Similarity;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use crate::error::{OrThrow as _, invalid};
use crate::gallery::student;
use crate::job::{Job, job};
use crate::store::{Store, page};
use crate::time::{self, Date};

/// The rules of the site.
#[napi(object, object_to_js = false)]
pub struct AttendanceOptions {
    /// The site's time zone, an IANA name such as `Europe/Berlin`. Default: the one this machine is set to.
    pub time_zone: Option<String>,
    /// When the site's day begins, as `HH:MM`. Default midnight.
    pub day_boundary: Option<String>,
}

/// When and where somebody was seen.
#[napi(object, object_to_js = false)]
pub struct MarkOptions {
    /// When. Default: now.
    pub at: Option<Date>,
    /// The camera's place.
    pub camera_location: Option<String>,
}

/// An attendance row with its student's name.
#[napi(object, use_nullable = true)]
pub struct AttendanceRecord {
    pub id: i64,
    pub student_id: i64,
    pub student_name: String,
    pub student_roll_number: String,
    /// When the student was seen.
    pub timestamp: Date,
    /// `Present`, `Late`, or what else an older service wrote.
    pub status: String,
    /// The similarity of the match, in [0, 1].
    pub confidence_score: Option<f64>,
    /// The camera's place.
    pub camera_location: Option<String>,
    /// The site's day as `YYYY-MM-DD`, if the row has one.
    pub local_day: Option<String>,
    /// When the row was made, in whole seconds.
    pub created_at: Date,
}

/// The result of a mark.
#[napi(object)]
pub struct Marking {
    /// Whether this call made the row; false when the day was already marked.
    pub newly_marked: bool,
    /// The row that stands for this day and period.
    pub record: AttendanceRecord,
}

/// What rows are ordered by: when the student was seen, the name, the roll number (9 before 10), the status, the
/// similarity, or the camera's place. Rows that are equal in it come newest first.
#[napi(string_enum = "snake_case")]
#[derive(Clone, Copy)]
pub enum AttendanceBy {
    Time,
    Name,
    RollNumber,
    Status,
    Similarity,
    Place,
}

/// Which rows to read. What is left out does not narrow the selection.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct AttendanceFilter {
    /// The first of the site's days, as `YYYY-MM-DD`.
    pub from_day: Option<String>,
    /// The last of the site's days, itself included, as `YYYY-MM-DD`.
    pub to_day: Option<String>,
    /// Rows of this student.
    pub student_id: Option<f64>,
    /// Rows with exactly this status.
    pub status: Option<String>,
    /// Default: newest first.
    pub sort: Option<AttendanceBy>,
    /// Whether the largest comes first. Default: false with `sort`, and true without it.
    pub descending: Option<bool>,
    /// How many rows to skip. Default 0.
    pub skip: Option<f64>,
    /// How many rows to return at most. Default 100.
    pub limit: Option<f64>,
}

/// A slice of the rows.
#[napi(object)]
pub struct AttendanceList {
    pub items: Vec<AttendanceRecord>,
    /// How many there are without the slicing.
    pub total: i64,
}

/// Counts of rows.
#[napi(object)]
pub struct AttendanceSummary {
    pub total: i64,
    pub present: i64,
    pub absent: i64,
    pub late: i64,
    /// How many students the rows belong to.
    pub unique_students: i64,
}

/// One day of the site, and the times between which it lies.
#[napi(object)]
pub struct SiteDay {
    /// Its date in the site's time zone, as `YYYY-MM-DD`.
    pub date: String,
    /// Its first moment.
    pub starts_at: Date,
    /// The first moment of the next day.
    pub ends_at: Date,
}

/// Marks students present, once a day of the site. The database decides, so two cameras or processes cannot mark twice.
/// Make one for a whole process.
#[napi]
pub struct AttendanceBook {
    pub(crate) marker: Arc<Marker>,
    store: Arc<dyn CoreStore>,
}

#[napi]
impl AttendanceBook {
    /// Makes a book in `store` by the rules of the site. Throws `invalid_input` for a name that is no time zone.
    #[napi(constructor)]
    pub fn new(store: &Store, options: Option<AttendanceOptions>) -> napi::Result<Self> {
        let store = store.inner.clone();
        let policy = policy(options).or_throw()?;
        Ok(Self { marker: Arc::new(Marker::new(store.clone(), policy)), store })
    }

    /// Marks the student present, or resolves to the row of the same day that already does. `similarity`, in [0, 1], is
    /// kept with the row. Rejects with `not_found` for an unknown student.
    #[napi(
        ts_args_type = "studentId: number, similarity: number, options?: MarkOptions & Abortable",
        ts_return_type = "Promise<Marking>"
    )]
    pub fn mark(
        &self,
        student_id: f64,
        similarity: f64,
        options: Option<MarkOptions>,
    ) -> napi::Result<AsyncTask<Job<Marking>>> {
        let student = student(student_id).or_throw()?;
        let similarity = similarity_of(similarity).or_throw()?;
        let (at, place) = options.map_or((None, None), |options| (options.at, options.camera_location));
        let at = time::moment_or_now(at).or_throw()?;
        let marker = self.marker.clone();
        Ok(job(move || Ok(marker.mark(student, similarity, place.as_deref(), at)?.into())))
    }

    /// Resolves to the rows that pass the filter, in its order.
    #[napi(ts_args_type = "filter?: AttendanceFilter & Abortable", ts_return_type = "Promise<AttendanceList>")]
    pub fn records(&self, filter: Option<AttendanceFilter>) -> napi::Result<AsyncTask<Job<AttendanceList>>> {
        let filter = filter.unwrap_or_default();
        let page = page(filter.skip, filter.limit).or_throw()?;
        let order = order(&filter);
        let (filter, store) = (self.filter(&filter).or_throw()?, self.store.clone());
        Ok(job(move || {
            let Listed { items, total } = store.attendance_in_order(&filter, order, page)?;
            Ok(AttendanceList { items: items.iter().map(Into::into).collect(), total: total.cast_signed() })
        }))
    }

    /// Resolves to the row with this key.
    #[napi(ts_args_type = "id: number, options?: Abortable", ts_return_type = "Promise<AttendanceRecord | null>")]
    pub fn record(&self, id: f64) -> napi::Result<AsyncTask<Job<Option<AttendanceRecord>>>> {
        let (id, store) = (student(id).or_throw()?.0, self.store.clone());
        Ok(job(move || Ok(store.attendance_record(id)?.as_ref().map(Into::into))))
    }

    /// Deletes the row with this key. The student can be marked again at once. Rejects with `not_found`.
    #[napi(ts_args_type = "id: number, options?: Abortable", ts_return_type = "Promise<void>")]
    pub fn delete(&self, id: f64) -> napi::Result<AsyncTask<Job<()>>> {
        let (id, store, marker) = (student(id).or_throw()?.0, self.store.clone(), self.marker.clone());
        Ok(job(move || {
            store.delete_attendance(id)?;
            marker.forget();
            Ok(())
        }))
    }

    /// Resolves to counts of the rows that pass the filter. Its order, `skip` and `limit` have no effect.
    #[napi(ts_args_type = "filter?: AttendanceFilter & Abortable", ts_return_type = "Promise<AttendanceSummary>")]
    pub fn summary(&self, filter: Option<AttendanceFilter>) -> napi::Result<AsyncTask<Job<AttendanceSummary>>> {
        let (filter, store) = (self.filter(&filter.unwrap_or_default()).or_throw()?, self.store.clone());
        Ok(job(move || {
            let summary = store.attendance_summary(&filter)?;
            Ok(AttendanceSummary {
                total: summary.total.cast_signed(),
                present: summary.present.cast_signed(),
                absent: summary.absent.cast_signed(),
                late: summary.late.cast_signed(),
                unique_students: summary.unique_students.cast_signed(),
            })
        }))
    }

    /// Returns the day of the site that a moment belongs to. Default: now.
    #[napi]
    pub fn day(&self, at: Option<Date>) -> napi::Result<SiteDay> {
        time::moment_or_now(at).and_then(|at| self.marker.policy().day(at)).map(Into::into).or_throw()
    }

    /// Forgets what the database said within the last minute. Call it after rows or students were deleted behind this
    /// object, and after `Rosters` changed groups, timetables or the calendar.
    #[napi]
    pub fn forget(&self) {
        self.marker.forget_rosters();
    }
}

impl AttendanceBook {
    fn filter(&self, filter: &AttendanceFilter) -> Result<CoreFilter> {
        let window = |day: &Option<String>| day.as_deref().map(|day| self.window(day)).transpose();
        Ok(CoreFilter {
            from: window(&filter.from_day)?.map(|day| day.starts_at),
            until: window(&filter.to_day)?.map(|day| day.ends_at),
            student: filter.student_id.map(student).transpose()?,
            status: filter.status.clone(),
        })
    }

    fn window(&self, day: &str) -> Result<DayWindow> {
        self.marker.policy().window(time::day(day)?)
    }
}

/// The order that JavaScript asks for.
fn order(filter: &AttendanceFilter) -> Order<CoreBy> {
    let Some(by) = filter.sort else {
        return Order { descending: filter.descending.unwrap_or(true), ..Order::NEWEST_FIRST };
    };
    let by = match by {
        AttendanceBy::Time => CoreBy::Time,
        AttendanceBy::Name => CoreBy::Name,
        AttendanceBy::RollNumber => CoreBy::RollNumber,
        AttendanceBy::Status => CoreBy::Status,
        AttendanceBy::Similarity => CoreBy::Similarity,
        AttendanceBy::Place => CoreBy::Place,
    };
    Order { by, descending: filter.descending.unwrap_or(false) }
}

/// The similarity that JavaScript gives.
pub(crate) fn similarity_of(similarity: f64) -> Result<Similarity> {
    if !(0.0..=1.0).contains(&similarity) {
        return Err(invalid("similarity", format!("{similarity} is not between 0 and 1")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "similarities are f32 in the core")]
    Ok(Similarity::new(similarity as f32))
}

pub(crate) fn policy(options: Option<AttendanceOptions>) -> Result<AttendancePolicy> {
    let (zone, boundary) = options.map_or((None, None), |options| (options.time_zone, options.day_boundary));
    let policy = match zone {
        Some(zone) => AttendancePolicy::in_time_zone(&zone)?,
        None => AttendancePolicy::in_system_time_zone(),
    };
    match boundary {
        None => Ok(policy),
        Some(text) => Ok(policy.with_day_boundary(time::clock("dayBoundary", &text)?)),
    }
}

impl From<DayWindow> for SiteDay {
    fn from(day: DayWindow) -> Self {
        Self { date: day.date.to_string(), starts_at: time::date(day.starts_at), ends_at: time::date(day.ends_at) }
    }
}

impl From<CoreMarking> for Marking {
    fn from(marking: CoreMarking) -> Self {
        Self { newly_marked: matches!(marking, CoreMarking::Marked(_)), record: marking.record().into() }
    }
}

impl From<&CoreRecord> for AttendanceRecord {
    fn from(record: &CoreRecord) -> Self {
        Self {
            id: record.id,
            student_id: record.student.0,
            student_name: record.student_name.clone(),
            student_roll_number: record.student_roll_number.clone(),
            timestamp: time::date(record.timestamp),
            status: record.status.clone(),
            confidence_score: record.confidence_score,
            camera_location: record.camera_location.clone(),
            local_day: record.local_day.map(|day| day.to_string()),
            created_at: time::date(record.created_at),
        }
    }
}
