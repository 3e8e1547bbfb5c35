//! Exports and erases what is stored on a person, and keeps consents.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::store::{
    AttendanceFilter, AuditEntry, Consent, Erasure, NewAuditEntry, Page, SecondLookFilter, SessionSummary,
    StoredEmbedding, StoredTemplate,
};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::notices::guardians::GuardianItem;
use super::notices::letters::NoticeItem;
use super::student_roster::RosterExport;
use super::students::{NO_STUDENT, Which, student_error};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::Student;
use crate::request::texts;
use crate::responses::{AttendanceItem, Done, Reply, SecondLookItem, StudentItem, done, naive_utc, null, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// What was erased.
#[derive(Serialize, ToSchema)]
pub(crate) struct Erased {
    success: bool,
    message: String,
    /// Always null.
    #[schema(schema_with = null)]
    data: (),
    // Ours: existing clients read the three above.
    receipt: ErasureReceipt,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ErasureReceipt {
    student_id: i64,
    erased_at: String,
    erased_by: String,
    templates: u64,
    liveness_sessions: u64,
    attendance_deleted: u64,
    attendance_anonymised: u64,
    second_looks: u64,
}

pub(super) const ERASE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/students/{student_id}",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Students,
    summary: "Erases a student and returns a receipt",
    errors: &[(404, NO_STUDENT)],
};

/// Erases the face, the sessions, and the marks as the operator chose, in the store and in the gallery.
pub(super) async fn erase(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Erased>, AppError> {
    const PREFIX: &str = "Error deleting student";
    let Which { student_id: id } = call.input;
    let marks = app.settings().marks_of_erased;
    let now = Timestamp::now();
    let live = app.clone();
    let erasure = app
        .with_registry(PREFIX, move |registry| {
            let erasure = registry.erase(id, marks, now)?;
            live.live().student_erased();
            Ok(erasure)
        })
        .await
        .map_err(student_error(PREFIX))?;
    let mut told = format!(
        "{} templates, {} liveness sessions and {} marks deleted, {} marks anonymized",
        erasure.templates, erasure.sessions, erasure.marks_deleted, erasure.marks_anonymised
    );
    if erasure.second_looks > 0 {
        told += &format!(", {} second looks deleted", erasure.second_looks);
    }
    call.trail.note(told);
    let message = format!("Student {} deleted successfully", erasure.student.name);
    Ok(Json(Erased { success: true, message, data: (), receipt: receipt(&erasure, call.user, now) }))
}

pub(super) fn receipt(erasure: &Erasure, erased_by: String, at: Timestamp) -> ErasureReceipt {
    ErasureReceipt {
        student_id: erasure.student.id.0,
        erased_at: naive_utc(at),
        erased_by,
        templates: erasure.templates,
        liveness_sessions: erasure.sessions,
        attendance_deleted: erasure.marks_deleted,
        attendance_anonymised: erasure.marks_anonymised,
        second_looks: erasure.second_looks,
    }
}

/// Everything that is stored on a student.
#[derive(Serialize, ToSchema)]
pub(crate) struct StudentExport {
    student: StudentItem,
    #[schema(required)]
    consent: Option<ConsentItem>,
    templates: Vec<TemplateValues>,
    liveness_sessions: Vec<SessionItem>,
    attendance: Vec<AttendanceItem>,
    /// Always empty: no picture is kept.
    frames: [String; 0],
    /// What the audit log says of the student, oldest first: whose face was enrolled when, by whom.
    history: Vec<HistoryItem>,
    /// Sightings that were not believed to be of a living person, newest first, and what was decided.
    second_looks: Vec<SecondLookItem>,
    /// The groups of the student, and the days on which the student was away.
    roster: RosterExport,
    /// The addresses of the student's guardians.
    guardians: Vec<GuardianItem>,
    /// What was told, or is to be told, about the student, oldest first.
    notices: Vec<NoticeItem>,
    exported_at: String,
}

/// A template with its embedding, or of the replaced service without.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum TemplateValues {
    Tagged {
        model: String,
        origin: &'static str,
        values: Vec<f64>,
    },
    Legacy {
        /// Always null.
        #[schema(schema_with = null)]
        model: (),
        /// How many values it has.
        dimension: usize,
    },
}

impl TemplateValues {
    fn of(template: &StoredTemplate) -> Self {
        match &template.embedding {
            StoredEmbedding::Tagged(embedding) => Self::Tagged {
                model: embedding.model().as_str().to_owned(),
                origin: template.origin.as_str(),
                values: embedding.values().iter().map(|value| f64::from(*value)).collect(),
            },
            StoredEmbedding::Legacy(vector) => Self::Legacy { model: (), dimension: vector.dimension() },
        }
    }
}

/// An entry of the audit log about the student.
#[derive(Serialize, ToSchema)]
struct HistoryItem {
    timestamp: String,
    actor: String,
    action: String,
    #[schema(required)]
    details: Option<String>,
}

impl HistoryItem {
    fn of(AuditEntry { entry, .. }: &AuditEntry) -> Self {
        Self {
            timestamp: naive_utc(entry.at),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            details: entry.details.clone(),
        }
    }
}

/// A liveness session of a student.
#[derive(Serialize, ToSchema)]
struct SessionItem {
    session_id: String,
    status: String,
    created_at: String,
    #[schema(required)]
    completed_at: Option<String>,
    /// How many frames it judged.
    frames: u32,
}

impl SessionItem {
    fn of(session: &SessionSummary) -> Self {
        Self {
            session_id: session.id.clone(),
            status: session.status.clone(),
            created_at: naive_utc(session.created_at),
            completed_at: session.completed_at.map(naive_utc),
            frames: session.attempts,
        }
    }
}

pub(super) const EXPORT: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/students/{student_id}/export",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Privacy,
    summary: "Exports everything that is stored on a student",
    errors: &[(404, NO_STUDENT)],
};

pub(super) async fn export(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<StudentExport>, AppError> {
    const PREFIX: &str = "Error exporting student";
    let Which { student_id: id } = call.input;
    let model = app.engine().embedder().model.clone();
    let found = app
        .with_store(PREFIX, move |store| {
            let Some(student) = store.student(id)? else { return Ok(None) };
            let filter = AttendanceFilter { student: Some(id), ..AttendanceFilter::default() };
            let attendance = store.attendance(&filter, Page::ALL)?;
            let of_student = SecondLookFilter { student: Some(id), ..SecondLookFilter::default() };
            let second_looks = store.second_looks(&of_student, Page::ALL)?;
            Ok(Some(StudentExport {
                student: StudentItem::of(&student, &model),
                consent: store.consent(id)?.map(ConsentItem::of),
                templates: store.templates_of(id)?.iter().map(TemplateValues::of).collect(),
                liveness_sessions: store.sessions_of(id)?.iter().map(SessionItem::of).collect(),
                attendance: attendance.items.iter().map(AttendanceItem::of).collect(),
                frames: [],
                history: store.audit_about(&NewAuditEntry::subject_of(id))?.iter().map(HistoryItem::of).collect(),
                second_looks: second_looks.items.iter().map(SecondLookItem::of).collect(),
                roster: RosterExport::of(store, id)?,
                guardians: store.guardians(id)?.into_iter().map(GuardianItem::of).collect(),
                notices: store.outbox_of(id)?.iter().map(NoticeItem::of).collect(),
                exported_at: naive_utc(Timestamp::now()),
            }))
        })
        .await?;
    found.map(Json).ok_or_else(|| AppError::not_found(NO_STUDENT))
}

/// A consent.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsentItem {
    given_at: String,
    given_by: String,
    /// The version of the notice that was agreed to.
    notice: String,
}

impl ConsentItem {
    fn of(consent: Consent) -> Self {
        Self { given_at: naive_utc(consent.given_at), given_by: consent.given_by, notice: consent.notice }
    }
}

/// The consent that was given; null without one.
#[derive(Serialize, ToSchema)]
pub(crate) struct GivenConsent {
    #[schema(required)]
    consent: Option<ConsentItem>,
}

pub(super) const CONSENT: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/students/{student_id}/consent",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Privacy,
    summary: "Returns the consent that was given",
    errors: &[(404, NO_STUDENT)],
};

pub(super) async fn consent(
    State(app): State<AppState>,
    call: Authed<Which>,
) -> Result<Json<Reply<GivenConsent>>, AppError> {
    let Which { student_id: id } = call.input;
    let consent = app
        .with_store("Error retrieving consent", move |store| {
            let Some(_) = store.student(id)? else { return Ok(None) };
            Ok(Some(store.consent(id)?))
        })
        .await?
        .ok_or_else(|| AppError::not_found(NO_STUDENT))?;
    let given = GivenConsent { consent: consent.map(ConsentItem::of) };
    Ok(Json(reply("Consent retrieved successfully", given)))
}

input! {
    /// A consent to record.
    pub(crate) struct NewConsent {
        path {
            student_id: StudentId = Student,
        }
        body Json {
            given_by: String = texts::PERSON,
            /// The version of the notice that was agreed to.
            notice: String = texts::NOTICE,
        }
    }
}

pub(super) const GIVE: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/students/{student_id}/consent",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Privacy,
    summary: "Records a consent",
    errors: &[(404, NO_STUDENT)],
};

pub(super) async fn give(State(app): State<AppState>, call: Authed<NewConsent>) -> Result<Json<Done>, AppError> {
    const PREFIX: &str = "Error recording consent";
    let NewConsent { student_id: id, given_by, notice } = call.input;
    app.with_store(PREFIX, move |store| {
        let now = Timestamp::now();
        store.set_consent(id, Some(&Consent { given_at: now, given_by, notice }), now)
    })
    .await
    .map_err(student_error(PREFIX))?;
    Ok(Json(done("Consent recorded successfully")))
}

pub(super) const WITHDRAW: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/students/{student_id}/consent",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Privacy,
    summary: "Withdraws a consent",
    errors: &[(404, NO_STUDENT)],
};

/// Withdraws a consent. The operator erases what was kept with it.
pub(super) async fn withdraw(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Done>, AppError> {
    const PREFIX: &str = "Error recording consent";
    let Which { student_id: id } = call.input;
    app.with_store(PREFIX, move |store| store.set_consent(id, None, Timestamp::now()))
        .await
        .map_err(student_error(PREFIX))?;
    Ok(Json(done("Consent withdrawn successfully")))
}
