//! Lists, marks, deletes and counts attendance.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::roster::{RosterDays, StatusCounts};
use faceattend_core::store::{
    AttendanceBy, AttendanceFilter, AttendanceSummary, Marking, NewAttendance, Order, Page, RosterOf, Store,
};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Similarity};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::students::{NO_STUDENT, student_error};
use crate::error::{AppError, during};
use crate::live::events::LiveEvent;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Integer, Number, Optional, Student, Word};
use crate::request::texts;
use crate::responses::{
    AttendanceItem, Done, LIMIT, Listing, Reply, SKIP, StudentDetails, done, naive_utc, page_of, reply,
};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// Returns the filter for the days of the site from `start` to `end`, both included.
pub(super) fn filter_of_days(
    policy: &AttendancePolicy,
    start: Option<Date>,
    end: Option<Date>,
) -> faceattend_core::Result<AttendanceFilter> {
    Ok(AttendanceFilter {
        from: start.map(|day| policy.window(day)).transpose()?.map(|day| day.starts_at),
        until: end.map(|day| policy.window(day)).transpose()?.map(|day| day.ends_at),
        ..AttendanceFilter::default()
    })
}

/// The orders of the list; a minus begins with the largest.
const ORDERS: &[(&str, Order<AttendanceBy>)] = &[
    ("timestamp", Order { by: AttendanceBy::Time, descending: false }),
    ("-timestamp", Order::NEWEST_FIRST),
    ("student_name", Order { by: AttendanceBy::Name, descending: false }),
    ("-student_name", Order { by: AttendanceBy::Name, descending: true }),
    ("student_roll_number", Order { by: AttendanceBy::RollNumber, descending: false }),
    ("-student_roll_number", Order { by: AttendanceBy::RollNumber, descending: true }),
    ("status", Order { by: AttendanceBy::Status, descending: false }),
    ("-status", Order { by: AttendanceBy::Status, descending: true }),
    ("confidence_score", Order { by: AttendanceBy::Similarity, descending: false }),
    ("-confidence_score", Order { by: AttendanceBy::Similarity, descending: true }),
    ("camera_location", Order { by: AttendanceBy::Place, descending: false }),
    ("-camera_location", Order { by: AttendanceBy::Place, descending: true }),
];

input! {
    /// A slice of the attendance.
    pub(crate) struct Slice {
        query {
            skip: u32 = SKIP,
            limit: u32 = LIMIT,
            /// The first day of the site.
            start_date: Option<Date> = Optional(Day),
            /// The last day of the site, included.
            end_date: Option<Date> = Optional(Day),
            student_id: Option<StudentId> = Optional(Student),
            /// Such as `Present` or `Late`.
            status_filter: Option<String> = Optional(texts::STATUS),
            /// The order of the list, `-timestamp` without one.
            sort: Option<Order<AttendanceBy>> = Optional(Word(ORDERS)),
        }
    }
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/attendance/",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Attendance,
    summary: "Lists attendance, newest first where no other order is asked for",
    errors: &[(400, "Error retrieving attendance: a day out of range")],
};

pub(super) async fn list(
    State(app): State<AppState>,
    call: Authed<Slice>,
) -> Result<Json<Listing<AttendanceItem>>, AppError> {
    const PREFIX: &str = "Error retrieving attendance";
    let Slice { skip, limit, start_date, end_date, student_id, status_filter, sort } = call.input;
    let page = Page { skip, limit };
    let days = filter_of_days(&app.settings().policy, start_date, end_date).map_err(during(PREFIX))?;
    let status = status_filter.filter(|text| !text.is_empty());
    let filter = AttendanceFilter { student: student_id, status, ..days };
    let order = sort.unwrap_or(Order::NEWEST_FIRST);
    let rows = app.with_store(PREFIX, move |store| store.attendance_in_order(&filter, order, page)).await?;
    Ok(Json(page_of(&rows, page, AttendanceItem::of)))
}

input! {
    /// The student to mark by hand.
    pub(crate) struct Mark {
        query {
            student_id: StudentId = Student,
            confidence_score: Option<f64> = Optional(Number),
            camera_location: Option<String> = Optional(texts::CAMERA_LOCATION),
        }
    }
}

/// The row that marks a student.
#[derive(Serialize, ToSchema)]
pub(crate) struct Marked {
    attendance_id: i64,
    student_id: i64,
    timestamp: String,
    status: String,
}

pub(super) const MARK: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/attendance/mark",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Attendance,
    summary: "Marks a student present, once a day",
    errors: &[(400, "Error marking attendance: a place with control characters"), (404, NO_STUDENT)],
};

pub(super) async fn mark(State(app): State<AppState>, call: Authed<Mark>) -> Result<Json<Reply<Marked>>, AppError> {
    const PREFIX: &str = "Error marking attendance";
    let Mark { student_id: student, confidence_score, camera_location } = call.input;
    let marker = app.live().marker();
    let marking = app
        .with_store(PREFIX, move |store| {
            let now = Timestamp::now();
            let seen = marker.sighting(student, Similarity::new(0.0), camera_location.as_deref(), now)?;
            store.mark_attendance(&NewAttendance { confidence_score, ..seen })
        })
        .await
        .map_err(student_error(PREFIX))?;
    let record = marking.record();
    if let Marking::Marked(record) = &marking {
        app.live().events().publish(LiveEvent::marked(record));
    }
    let message = match &marking {
        Marking::Marked(record) => format!("Attendance marked for {}", record.student_name),
        Marking::AlreadyMarked(_) => "Attendance already marked today".to_owned(),
    };
    let marked = Marked {
        attendance_id: record.id,
        student_id: record.student.0,
        timestamp: naive_utc(record.timestamp),
        status: record.status.clone(),
    };
    Ok(Json(reply(message, marked)))
}

input! {
    /// The row in the path.
    pub(crate) struct Which {
        path {
            attendance_id: i64 = Integer,
        }
    }
}

const NO_RECORD: &str = "Attendance record not found";

/// A row and its student, as the original answers; the row's own fields are ours.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordWithStudent {
    student: StudentDetails,
    #[serde(flatten)]
    record: AttendanceItem,
}

pub(super) const GET: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/attendance/{attendance_id}",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Attendance,
    summary: "Returns a row with its student",
    errors: &[(404, NO_RECORD)],
};

pub(super) async fn get(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<RecordWithStudent>, AppError> {
    let Which { attendance_id } = call.input;
    let shows_embedding = app.settings().embeddings.are_shown_to(call.role);
    let model = app.engine().embedder().model.clone();
    let found = app
        .with_store("Error retrieving attendance record", move |store| {
            let Some(record) = store.attendance_record(attendance_id)? else { return Ok(None) };
            let Some(student) = store.student(record.student)? else { return Ok(None) };
            let embedding = if shows_embedding { store.embedding_json(student.id)? } else { None };
            let student = StudentDetails::of(&student, &model, embedding);
            Ok(Some(RecordWithStudent { student, record: AttendanceItem::of(&record) }))
        })
        .await?;
    found.map(Json).ok_or_else(|| AppError::not_found(NO_RECORD))
}

pub(super) const DELETE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/attendance/{attendance_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Attendance,
    summary: "Deletes a row",
    errors: &[(404, NO_RECORD)],
};

pub(super) async fn delete(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Done>, AppError> {
    const PREFIX: &str = "Error deleting attendance record";
    let Which { attendance_id } = call.input;
    let deleted = app
        .with_store(PREFIX, move |store| {
            let record = store.attendance_record(attendance_id)?;
            store.delete_attendance(attendance_id)?;
            Ok(record)
        })
        .await
        .map_err(|error| match error {
            AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_RECORD),
            other => other,
        })?;
    if let Some(record) = deleted {
        let (student, at) = (record.student, naive_utc(record.timestamp));
        call.trail.note(format!("{} of student_id {student} at {at} UTC", record.status));
    }
    app.live().attendance_removed();
    Ok(Json(done("Attendance record deleted successfully")))
}

input! {
    /// The days to sum up.
    pub(crate) struct Days {
        query {
            /// The first day of the site.
            start_date: Option<Date> = Optional(Day),
            /// The last day of the site, included.
            end_date: Option<Date> = Optional(Day),
        }
    }
}

/// Counts of attendance rows.
#[derive(Serialize, ToSchema)]
pub(crate) struct Summary {
    total_attendance: u64,
    present_count: u64,
    absent_count: u64,
    late_count: u64,
    /// The part of the rows that are present, in percent.
    attendance_rate: f64,
    unique_students: u64,
    date_range: DateRange,
    /// The rest is derived: it counts people in the periods of `counted_days`, also those who have no row because they
    /// did not come. Null where these days are more than 31.
    #[schema(required, inline)]
    counted_days: Option<CountedDays>,
    #[schema(required)]
    expected_count: Option<u64>,
    /// Those who were expected, have not come and are not excused.
    #[schema(required)]
    missing_count: Option<u64>,
    #[schema(required)]
    excused_count: Option<u64>,
    #[schema(required)]
    left_early_count: Option<u64>,
    /// Those who may still come in time.
    #[schema(required)]
    pending_count: Option<u64>,
}

/// The days for which people are counted: those that were asked for, and today for what was left out.
#[derive(Serialize, ToSchema)]
struct CountedDays {
    #[schema(value_type = String, format = Date)]
    start_date: Date,
    #[schema(value_type = String, format = Date)]
    end_date: Date,
}

/// The most days for which the summary counts people: reading the rows of more takes longer than the rest of it.
const MOST_COUNTED_DAYS: i32 = 31;

/// Counts those who were expected from `start` to `end`; `None` for too many days.
fn people(
    store: &dyn Store,
    policy: &AttendancePolicy,
    (start, end): (Option<Date>, Option<Date>),
    now: Timestamp,
) -> faceattend_core::Result<Option<(CountedDays, StatusCounts)>> {
    let today = policy.day(now)?.date;
    let end_date = end.unwrap_or_else(|| start.map_or(today, |start| start.max(today)));
    let start_date = start.unwrap_or(end_date);
    if end_date < start_date || (end_date - start_date).get_days() >= MOST_COUNTED_DAYS {
        return Ok(None);
    }
    let roster = RosterDays::read(store, policy, RosterOf::Everybody, (start_date, end_date), now)?;
    let mut counts = StatusCounts::default();
    for day in start_date.series(1.day()).take_while(|day| *day <= end_date) {
        for entry in roster.students().iter().flat_map(|student| roster.entries(student, day)) {
            counts.add(entry.status);
        }
    }
    Ok(Some((CountedDays { start_date, end_date }, counts)))
}

#[derive(Serialize, ToSchema)]
struct DateRange {
    #[schema(required, value_type = Option<String>, format = Date)]
    start_date: Option<Date>,
    #[schema(required, value_type = Option<String>, format = Date)]
    end_date: Option<Date>,
}

pub(super) const SUMMARY: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/attendance/stats/summary",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Attendance,
    summary: "Counts the attendance",
    errors: &[(400, "Error retrieving attendance summary: a day out of range")],
};

pub(super) async fn summary(State(app): State<AppState>, call: Authed<Days>) -> Result<Json<Reply<Summary>>, AppError> {
    const PREFIX: &str = "Error retrieving attendance summary";
    let Days { start_date, end_date } = call.input;
    let filter = filter_of_days(&app.settings().policy, start_date, end_date).map_err(during(PREFIX))?;
    let policy = app.settings().policy.clone();
    let (sums, counted) = app
        .with_store(PREFIX, move |store| {
            let sums = store.attendance_summary(&filter)?;
            Ok((sums, people(store, &policy, (start_date, end_date), Timestamp::now())?))
        })
        .await?;
    let (counted_days, counts) = counted.unzip();
    let summary = Summary {
        total_attendance: sums.total,
        present_count: sums.present,
        absent_count: sums.absent,
        late_count: sums.late,
        attendance_rate: attendance_rate(&sums),
        unique_students: sums.unique_students,
        date_range: DateRange { start_date, end_date },
        counted_days,
        expected_count: counts.map(|counts| counts.expected()),
        missing_count: counts.map(|counts| counts.absent),
        excused_count: counts.map(|counts| counts.excused),
        left_early_count: counts.map(|counts| counts.left_early),
        pending_count: counts.map(|counts| counts.pending),
    };
    Ok(Json(reply("Attendance summary retrieved successfully", summary)))
}

/// Returns the part of the rows that are present, in percent with two decimals; 0 without rows.
#[expect(clippy::cast_precision_loss, reason = "counts of rows stay far below 2^52")]
fn attendance_rate(sums: &AttendanceSummary) -> f64 {
    if sums.total == 0 { 0.0 } else { (sums.present as f64 / sums.total as f64 * 10_000.0).round() / 100.0 }
}
