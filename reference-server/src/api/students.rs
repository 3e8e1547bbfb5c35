//! Students.

use axum::Json;
use axum::extract::State;
use faceattend_core::Error;
use faceattend_core::store::{Page, StudentChange};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::{AppError, during};
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input};
use crate::request::fields::Reader;
use crate::responses::{Reply, done, page_of, read_page, reply, student_item, student_whole};
use crate::state::AppState;

pub(super) const NAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=255;
pub(super) const ROLL_LENGTH: std::ops::RangeInclusive<usize> = 1..=50;
pub(super) const ROLL_TAKEN: &str = "Student with this roll number already exists";

/// A student to be made. The demo pages call the roll number `roll_no`.
pub(crate) struct NewStudent {
    name: String,
    roll_number: String,
}

impl Input for NewStudent {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let name = body.text_of("name", None, NAME_LENGTH);
        let roll_number = body.text_of("roll_number", Some("roll_no"), ROLL_LENGTH);
        Some(Self { name: name?, roll_number: roll_number? })
    }
}

/// A slice of the students.
pub(crate) struct Slice {
    page: Page,
    search: Option<String>,
    /// Only those whose stored face this server's model cannot match.
    must_enrol_again: bool,
}

impl Input for Slice {
    fn read(request: &mut Reader) -> Option<Self> {
        let mut query = request.query();
        let page = read_page(&mut query);
        let search = query.optional_text("search").filter(|text| !text.is_empty());
        let must_enrol_again = query.flag_or("must_enrol_again", false);
        Some(Self { page: page?, search, must_enrol_again: must_enrol_again? })
    }
}

/// The id in the path.
pub(crate) struct Which(pub(super) StudentId);

impl Input for Which {
    fn read(request: &mut Reader) -> Option<Self> {
        request.path().integer("student_id").map(StudentId).map(Self)
    }
}

/// A change to the student in the path.
pub(crate) struct Change {
    id: StudentId,
    change: StudentChange,
}

impl Input for Change {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let id = request.path().integer("student_id").map(StudentId);
        let mut body = request.body()?;
        let name = body.optional_text_of("name", None, NAME_LENGTH);
        let roll_number = body.optional_text_of("roll_number", Some("roll_no"), ROLL_LENGTH);
        Some(Self { id: id?, change: StudentChange { name, roll_number } })
    }
}

/// Answers a duplicate roll number and a missing student in the recorded words, and everything else with `prefix`.
pub(super) fn student_error(prefix: &'static str) -> impl Fn(AppError) -> AppError {
    move |error| match error {
        AppError::Core(_, Error::Conflict { .. }) => AppError::bad_request(ROLL_TAKEN),
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found("Student not found"),
        AppError::Core(_, error) => during(prefix)(error),
        other => other,
    }
}

/// `POST /students/`.
pub(crate) async fn create(
    State(app): State<AppState>,
    call: Authed<NewStudent>,
) -> Result<Json<Reply<Value>>, AppError> {
    const PREFIX: &str = "Error creating student";
    let NewStudent { name, roll_number } = call.input;
    let student = app
        .with_store(PREFIX, move |store| store.create_student(&name, &roll_number, Timestamp::now()))
        .await
        .map_err(student_error(PREFIX))?;
    let message =
        format!("Student {} created successfully. Please complete liveness detection to add face data.", student.name);
    Ok(Json(reply(message, json!({ "student_id": student.id, "liveness_required": true }))))
}

/// `GET /students/`.
pub(crate) async fn list(State(app): State<AppState>, call: Authed<Slice>) -> Result<Json<Value>, AppError> {
    let Slice { page, search, must_enrol_again } = call.input;
    let model = app.engine().embedder().model.clone();
    let wanted = must_enrol_again.then(|| model.clone());
    let students = app
        .with_store("Error retrieving students", move |store| match wanted {
            Some(model) => store.students_to_enrol_again(&model, search.as_deref(), page),
            None => store.students(search.as_deref(), page),
        })
        .await?;
    Ok(Json(page_of(&students, page, |student| student_item(student, &model))))
}

/// `GET /students/{id}`.
pub(crate) async fn get(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Value>, AppError> {
    let Which(id) = call.input;
    let found = app
        .with_store("Error retrieving student", move |store| {
            store.student(id)?.map(|student| Ok((student, store.embedding_json(id)?))).transpose()
        })
        .await?;
    let (student, embedding) = found.ok_or_else(|| AppError::not_found("Student not found"))?;
    Ok(Json(student_whole(&student, &app.engine().embedder().model, embedding.as_deref())))
}

/// `PUT /students/{id}`.
pub(crate) async fn update(State(app): State<AppState>, call: Authed<Change>) -> Result<Json<Reply<()>>, AppError> {
    const PREFIX: &str = "Error updating student";
    let Change { id, change } = call.input;
    let student = app
        .with_store(PREFIX, move |store| store.update_student(id, &change, Timestamp::now()))
        .await
        .map_err(student_error(PREFIX))?;
    Ok(Json(done(format!("Student {} updated successfully", student.name))))
}
