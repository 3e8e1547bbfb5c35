//! Finds and recognizes the faces in single pictures.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::attendance::Marking;
use faceattend_core::engine::{AnalyzeOptions, Depth, Face};
use faceattend_core::gallery::Identification;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::image_data::{self, INVALID};
use crate::live::cameras::shown_place;
use crate::live::events::LiveEvent;
use crate::live::watch::whole_pixels;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Optional, Picture};
use crate::request::texts;
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::{AppState, LOADING};

input! {
    /// A picture.
    pub(crate) struct Shown {
        body Json {
            image_data: String = Picture,
            /// Where it was taken. Recognition then marks attendance too.
            camera_source: Option<String> = Optional(texts::CAMERA_LOCATION),
        }
    }
}

/// The faces in a picture.
#[derive(Serialize, ToSchema)]
pub(crate) struct Faces {
    success: bool,
    message: String,
    faces: Vec<FaceItem>,
    /// In seconds.
    processing_time: f64,
}

/// A face in a picture.
#[derive(Serialize, ToSchema)]
struct FaceItem {
    face_id: usize,
    /// Left, top, right, bottom in pixels of the picture.
    bbox: [i64; 4],
    width: i64,
    height: i64,
    /// The detector's score, in [0, 1].
    confidence: f64,
}

impl FaceItem {
    fn of((at, face): (usize, &Face)) -> Self {
        let bbox @ [x1, y1, x2, y2] = whole_pixels(&face.bbox);
        Self { face_id: at, bbox, width: x2 - x1, height: y2 - y1, confidence: f64::from(face.score) }
    }
}

pub(super) const DETECT: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/face/detect",
    access: Access::Operator,
    // It changes nothing.
    audit: Audit::None,
    tag: Tag::Faces,
    summary: "Finds the faces in a picture",
    errors: &[(400, INVALID), (503, "The server is busy")],
};

pub(super) async fn detect(State(app): State<AppState>, call: Authed<Shown>) -> Result<Json<Faces>, AppError> {
    let started = Instant::now();
    let bytes = image_data::bytes_of(&call.input.image_data)?;
    let analysis = app.detect("Error in face detection", bytes).await?;
    let faces: Vec<FaceItem> = analysis.faces.iter().enumerate().map(FaceItem::of).collect();
    Ok(Json(Faces {
        success: true,
        message: format!("Detected {} faces", faces.len()),
        faces,
        processing_time: started.elapsed().as_secs_f64(),
    }))
}

/// The people in a picture.
#[derive(Serialize, ToSchema)]
pub(crate) struct People {
    matches: Vec<Person>,
    attendance_logs_created: u64,
    /// In seconds.
    processing_time: f64,
    /// `undecided` where a living person is asked for before a mark, which one picture cannot show; else `not_asked`.
    liveness: &'static str,
}

/// A student in a picture.
#[derive(Serialize, ToSchema)]
struct Person {
    student_id: i64,
    student_name: String,
    roll_number: String,
    roll_no: String,
    /// The similarity, in [0, 1].
    confidence: f64,
    /// Left, top, right, bottom in pixels of the picture.
    bbox: [i64; 4],
}

pub(super) const RECOGNIZE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/face/recognize",
    access: Access::Operator,
    // It comes several times a second, and marks now and then.
    audit: Audit::IfNoted,
    tag: Tag::Faces,
    summary: "Recognizes the faces in a picture and, with a camera_source, marks their attendance",
    errors: &[(400, INVALID), (503, "The server is busy"), (503, LOADING)],
};

/// Recognizes who is in the picture. One picture shows nothing of life: where the camera's place asks for a living
/// person, nobody is marked, and `liveness` says so. `/detection/frame` takes several pictures and marks.
pub(super) async fn recognize(
    State(app): State<AppState>,
    call: Authed<Shown>,
) -> Result<Json<Reply<People>>, AppError> {
    const PREFIX: &str = "Error in face recognition";
    app.faces_are_known()?;
    let started = Instant::now();
    let Shown { image_data, camera_source } = call.input;
    let camera_source = camera_source.as_deref().map(shown_place);
    let bytes = image_data::bytes_of(&image_data)?;
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
    let (_, analysis) = app.analyze(PREFIX, bytes, options).await?;
    let gallery = app.live().gallery();
    let threshold = app.settings().threshold;
    let marker = app.live().marker();
    let marks = app.settings().live.gate.marks_single_pictures(camera_source.as_deref());
    let events = app.live().events().clone();
    let (matches, marked) = app
        .with_store(PREFIX, move |store| {
            let mut matches = Vec::new();
            let mut marked = Vec::new();
            for face in &analysis.faces {
                let Some(embedding) = &face.embedding else { continue };
                let Identification::Known { best, .. } = gallery.identify(embedding, threshold)? else { continue };
                // It may have been deleted a moment ago.
                let Some(student) = store.student(best.student)? else { continue };
                if let Some(source) = camera_source.as_ref().filter(|_| marks) {
                    let marking = match marker.mark(student.id, best.similarity, Some(source), Timestamp::now()) {
                        Err(Error::NotFound { .. }) => continue,
                        marking => marking?,
                    };
                    if let Marking::Marked(record) = &marking {
                        events.publish(LiveEvent::marked(record));
                        marked.push(student.id.to_string());
                    }
                }
                matches.push(Person {
                    student_id: student.id.0,
                    student_name: student.name,
                    roll_number: student.roll_number.clone(),
                    roll_no: student.roll_number,
                    confidence: f64::from(best.similarity.value()),
                    bbox: whole_pixels(&face.bbox),
                });
            }
            Ok((matches, marked))
        })
        .await?;
    if !marked.is_empty() {
        call.trail.note(format!("marked student_id {}", marked.join(", ")));
    }
    app.figures().recognitions.fetch_add(matches.len() as u64, std::sync::atomic::Ordering::Relaxed);
    let message = format!("Recognized {} faces", matches.len());
    let processing_time = started.elapsed().as_secs_f64();
    let attendance_logs_created = marked.len() as u64;
    let liveness = if marks { "not_asked" } else { "undecided" };
    Ok(Json(reply(message, People { matches, attendance_logs_created, processing_time, liveness })))
}
