//! Creates, lists and changes students.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::store::{Order, Page, StudentChange, StudentFilter, StudentsBy};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{AppError, during};
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{FlagOr, Optional, Student, Word};
use crate::request::texts;
use crate::responses::{Done, LIMIT, Listing, Reply, SKIP, StudentDetails, StudentItem, done, page_of, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

pub(super) const ROLL_TAKEN: &str = "Student with this roll number already exists";
pub(super) const NO_STUDENT: &str = "Student not found";

input! {
    /// A student to create.
    pub(crate) struct NewStudent {
        body Json {
            name: String = texts::STUDENT_NAME,
            roll_number: String = texts::ROLL_NUMBER,
        }
    }
}

/// The orders of the list; a minus begins with the largest.
const ORDERS: &[(&str, Order<StudentsBy>)] = &[
    ("id", Order { by: StudentsBy::Id, descending: false }),
    ("-id", Order { by: StudentsBy::Id, descending: true }),
    ("name", Order { by: StudentsBy::Name, descending: false }),
    ("-name", Order { by: StudentsBy::Name, descending: true }),
    ("roll_number", Order { by: StudentsBy::RollNumber, descending: false }),
    ("-roll_number", Order { by: StudentsBy::RollNumber, descending: true }),
    ("face", Order { by: StudentsBy::Face, descending: false }),
    ("-face", Order { by: StudentsBy::Face, descending: true }),
];

input! {
    /// A slice of the students.
    pub(crate) struct Slice {
        query {
            skip: u32 = SKIP,
            limit: u32 = LIMIT,
            /// A part of the name or of the roll number, in any letter case, with or without accents.
            search: Option<String> = Optional(texts::SEARCHED),
            /// Whether to list only students whose stored face this server's model cannot match.
            must_enrol_again: bool = FlagOr(false),
            /// Whether to list only students without a face.
            no_face: bool = FlagOr(false),
            /// The order of the list, `id` without one.
            sort: Option<Order<StudentsBy>> = Optional(Word(ORDERS)),
        }
    }
}

input! {
    /// The student in the path.
    pub(crate) struct Which {
        path {
            student_id: StudentId = Student,
        }
    }
}

input! {
    /// A change to the student in the path.
    pub(crate) struct Change {
        path {
            student_id: StudentId = Student,
        }
        body Json {
            name: Option<String> = Optional(texts::STUDENT_NAME),
            roll_number: Option<String> = Optional(texts::ROLL_NUMBER),
        }
    }
}

/// Answers a duplicate roll number and a missing student in the recorded words, and everything else with `prefix`.
pub(super) fn student_error(prefix: &'static str) -> impl Fn(AppError) -> AppError {
    move |error| match error {
        AppError::Core(_, Error::Conflict { .. }) => AppError::bad_request(ROLL_TAKEN),
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_STUDENT),
        AppError::Core(_, error) => during(prefix)(error),
        other => other,
    }
}

/// The student that was created.
#[derive(Serialize, ToSchema)]
pub(crate) struct Created {
    student_id: i64,
    liveness_required: bool,
}

pub(super) const CREATE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/students/",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Students,
    summary: "Creates a student without a face",
    errors: &[(400, ROLL_TAKEN)],
};

pub(super) async fn create(
    State(app): State<AppState>,
    call: Authed<NewStudent>,
) -> Result<Json<Reply<Created>>, AppError> {
    const PREFIX: &str = "Error creating student";
    let NewStudent { name, roll_number } = call.input;
    let student = app
        .with_store(PREFIX, move |store| store.create_student(&name, &roll_number, Timestamp::now()))
        .await
        .map_err(student_error(PREFIX))?;
    let message =
        format!("Student {} created successfully. Please complete liveness detection to add face data.", student.name);
    Ok(Json(reply(message, Created { student_id: student.id.0, liveness_required: true })))
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/students/",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Students,
    summary: "Lists the students",
    errors: &[],
};

pub(super) async fn list(
    State(app): State<AppState>,
    call: Authed<Slice>,
) -> Result<Json<Listing<StudentItem>>, AppError> {
    let Slice { skip, limit, search, must_enrol_again, no_face, sort } = call.input;
    let page = Page { skip, limit };
    let model = app.engine().embedder().model.clone();
    let filter = StudentFilter {
        search: search.filter(|text| !text.is_empty()),
        must_enrol_again_for: must_enrol_again.then(|| model.clone()),
        without_face: no_face,
        order: sort.unwrap_or_default(),
    };
    let students =
        app.with_store("Error retrieving students", move |store| store.students_listed(&filter, page)).await?;
    Ok(Json(page_of(&students, page, |student| StudentItem::of(student, &model))))
}

pub(super) const GET: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/students/{student_id}",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Students,
    summary: "Returns a student",
    errors: &[(404, NO_STUDENT)],
};

pub(super) async fn get(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<StudentDetails>, AppError> {
    let Which { student_id: id } = call.input;
    let shows_embedding = app.settings().embeddings.are_shown_to(call.role);
    let found = app
        .with_store("Error retrieving student", move |store| {
            let Some(student) = store.student(id)? else { return Ok(None) };
            let embedding = if shows_embedding { store.embedding_json(id)? } else { None };
            Ok(Some((student, embedding)))
        })
        .await?;
    let (student, embedding) = found.ok_or_else(|| AppError::not_found(NO_STUDENT))?;
    Ok(Json(StudentDetails::of(&student, &app.engine().embedder().model, embedding)))
}

pub(super) const UPDATE: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/students/{student_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Students,
    summary: "Changes the name or the roll number of a student",
    errors: &[(404, NO_STUDENT), (400, ROLL_TAKEN)],
};

pub(super) async fn update(State(app): State<AppState>, call: Authed<Change>) -> Result<Json<Done>, AppError> {
    const PREFIX: &str = "Error updating student";
    let Change { student_id, name, roll_number } = call.input;
    let changed = [("name", name.is_some()), ("roll number", roll_number.is_some())];
    let changed: Vec<_> = changed.into_iter().filter_map(|(word, given)| given.then_some(word)).collect();
    let change = StudentChange { name, roll_number };
    let student = app
        .with_store(PREFIX, move |store| store.update_student(student_id, &change, Timestamp::now()))
        .await
        .map_err(student_error(PREFIX))?;
    // What was changed, not to what: the entry outlives the student.
    call.trail.note(changed.join(" and "));
    Ok(Json(done(format!("Student {} updated successfully", student.name))))
}
