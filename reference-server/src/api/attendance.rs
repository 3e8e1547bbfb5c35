//! Attendance.

use axum::Json;
use axum::extract::State;
use faceattend_core::Error;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::store::{AttendanceFilter, AttendanceSummary, Marking, NewAttendance, Page};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::students::student_error;
use crate::error::{AppError, during};
use crate::realtime::events::LiveEvent;
use crate::request::extract::{Authed, Input};
use crate::request::fields::{Fields, Reader};
use crate::responses::{Reply, attendance_item, done, naive_utc, page_of, read_page, reply, student_whole};
use crate::state::AppState;

/// Days of the site, both included.
pub(crate) struct Days {
    start: Option<Date>,
    end: Option<Date>,
}

impl Days {
    pub(super) fn read(query: &mut Fields<'_>) -> Self {
        Self { start: query.optional_date("start_date"), end: query.optional_date("end_date") }
    }

    pub(super) fn filter(&self, policy: &AttendancePolicy) -> faceattend_core::Result<AttendanceFilter> {
        Ok(AttendanceFilter {
            from: self.start.map(|day| policy.window(day)).transpose()?.map(|day| day.starts_at),
            until: self.end.map(|day| policy.window(day)).transpose()?.map(|day| day.ends_at),
            ..AttendanceFilter::default()
        })
    }
}

/// A slice of the attendance.
pub(crate) struct Slice {
    page: Page,
    days: Days,
    student: Option<StudentId>,
    status: Option<String>,
}

impl Input for Slice {
    fn read(request: &mut Reader) -> Option<Self> {
        let mut query = request.query();
        let page = read_page(&mut query);
        let days = Days::read(&mut query);
        let student = query.optional_integer("student_id").map(StudentId);
        let status = query.optional_text("status_filter").filter(|text| !text.is_empty());
        Some(Self { page: page?, days, student, status })
    }
}

/// `GET /attendance/`, newest first.
pub(crate) async fn list(State(app): State<AppState>, call: Authed<Slice>) -> Result<Json<Value>, AppError> {
    const PREFIX: &str = "Error retrieving attendance";
    let Slice { page, days, student, status } = call.input;
    let filter = days.filter(&app.settings().policy).map_err(during(PREFIX))?;
    let filter = AttendanceFilter { student, status, ..filter };
    let rows = app.with_store(PREFIX, move |store| store.attendance(&filter, page)).await?;
    Ok(Json(page_of(&rows, page, attendance_item)))
}

/// Whom to mark by hand.
pub(crate) struct Mark {
    student: StudentId,
    confidence: Option<f64>,
    location: Option<String>,
}

impl Input for Mark {
    fn read(request: &mut Reader) -> Option<Self> {
        let mut query = request.query();
        let student = query.integer("student_id").map(StudentId);
        let confidence = query.optional_number("confidence_score");
        let location = query.optional_text("camera_location");
        Some(Self { student: student?, confidence, location })
    }
}

/// `POST /attendance/mark`.
pub(crate) async fn mark(State(app): State<AppState>, call: Authed<Mark>) -> Result<Json<Reply<Value>>, AppError> {
    const PREFIX: &str = "Error marking attendance";
    let Mark { student, confidence, location } = call.input;
    let policy = app.settings().policy.clone();
    let marking = app
        .with_store(PREFIX, move |store| {
            let now = Timestamp::now();
            store.mark_attendance(&NewAttendance {
                student,
                at: now,
                day: policy.day(now)?,
                period: policy.period(now).to_owned(),
                status: policy.status(now),
                confidence_score: confidence,
                camera_location: location,
            })
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
    let data = json!({
        "attendance_id": record.id,
        "student_id": record.student,
        "timestamp": naive_utc(record.timestamp),
        "status": record.status,
    });
    Ok(Json(reply(message, data)))
}

/// The row in the path.
pub(crate) struct Which(i64);

impl Input for Which {
    fn read(request: &mut Reader) -> Option<Self> {
        request.path().integer("attendance_id").map(Self)
    }
}

fn no_record() -> AppError {
    AppError::not_found("Attendance record not found")
}

/// `GET /attendance/{id}`: the student of the row, as the original answers, and the row itself.
pub(crate) async fn get(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Value>, AppError> {
    let Which(id) = call.input;
    let model = app.engine().embedder().model.clone();
    let found = app
        .with_store("Error retrieving attendance record", move |store| {
            let Some(record) = store.attendance_record(id)? else { return Ok(None) };
            let Some(student) = store.student(record.student)? else { return Ok(None) };
            let embedding = store.embedding_json(student.id)?;
            Ok(Some((record, student_whole(&student, &model, embedding.as_deref()))))
        })
        .await?;
    let (record, student) = found.ok_or_else(no_record)?;
    let mut answer = attendance_item(&record);
    answer["student"] = student;
    Ok(Json(answer))
}

/// `DELETE /attendance/{id}`.
pub(crate) async fn delete(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Reply<()>>, AppError> {
    const PREFIX: &str = "Error deleting attendance record";
    let Which(id) = call.input;
    app.with_store(PREFIX, move |store| store.delete_attendance(id)).await.map_err(|error| match error {
        AppError::Core(_, Error::NotFound { .. }) => no_record(),
        other => other,
    })?;
    app.live().attendance_removed();
    Ok(Json(done("Attendance record deleted successfully")))
}

/// The days to sum up.
pub(crate) struct Summed(Days);

impl Input for Summed {
    fn read(request: &mut Reader) -> Option<Self> {
        Some(Self(Days::read(&mut request.query())))
    }
}

/// `GET /attendance/stats/summary`.
pub(crate) async fn summary(State(app): State<AppState>, call: Authed<Summed>) -> Result<Json<Reply<Value>>, AppError> {
    const PREFIX: &str = "Error retrieving attendance summary";
    let Summed(days) = call.input;
    let filter = days.filter(&app.settings().policy).map_err(during(PREFIX))?;
    let sums = app.with_store(PREFIX, move |store| store.attendance_summary(&filter)).await?;
    let data = json!({
        "total_attendance": sums.total,
        "present_count": sums.present,
        "absent_count": sums.absent,
        "late_count": sums.late,
        "attendance_rate": attendance_rate(&sums),
        "unique_students": sums.unique_students,
        "date_range": { "start_date": days.start, "end_date": days.end },
    });
    Ok(Json(reply("Attendance summary retrieved successfully", data)))
}

/// The part of the rows that are present, in percent with two decimals; 0 of none.
#[expect(clippy::cast_precision_loss, reason = "counts of rows stay far below 2^52")]
fn attendance_rate(sums: &AttendanceSummary) -> f64 {
    if sums.total == 0 { 0.0 } else { (sums.present as f64 / sums.total as f64 * 10_000.0).round() / 100.0 }
}
