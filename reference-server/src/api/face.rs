//! Single pictures: which faces, and whose.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use faceattend_core::attendance::Marking;
use faceattend_core::engine::{AnalyzeOptions, Depth, Face};
use faceattend_core::gallery::Identification;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::AppError;
use crate::image_data;
use crate::live::watch::whole_pixels;
use crate::realtime::events::LiveEvent;
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input};
use crate::request::fields::Reader;
use crate::responses::{Reply, reply};
use crate::state::AppState;

/// A picture, and where it was taken if it may mark attendance.
pub(crate) struct Picture {
    image_data: String,
    camera_source: Option<String>,
}

impl Input for Picture {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let image_data = body.text("image_data");
        let camera_source = body.optional_text("camera_source");
        Some(Self { image_data: image_data?, camera_source })
    }
}

/// `POST /face/detect`.
pub(crate) async fn detect(State(app): State<AppState>, call: Authed<Picture>) -> Result<Json<Value>, AppError> {
    let started = Instant::now();
    let bytes = image_data::bytes_of(&call.input.image_data)?;
    let options = AnalyzeOptions::default().with_depth(Depth::Detection);
    let (_, analysis) = app.analyze("Error in face detection", bytes, options).await?;
    let faces: Vec<Value> = analysis.faces.iter().enumerate().map(|(at, face)| face_item(at, face)).collect();
    Ok(Json(json!({
        "success": true,
        "message": format!("Detected {} faces", faces.len()),
        "faces": faces,
        "processing_time": started.elapsed().as_secs_f64(),
    })))
}

fn face_item(at: usize, face: &Face) -> Value {
    let [x1, y1, x2, y2] = whole_pixels(&face.bbox);
    json!({
        "face_id": at,
        "bbox": [x1, y1, x2, y2],
        "width": x2 - x1,
        "height": y2 - y1,
        "confidence": face.score,
    })
}

/// `POST /face/recognize`: who is in the picture. With a `camera_source` it marks their attendance too, as the demo page
/// expects, which shows how many marks were made.
pub(crate) async fn recognize(
    State(app): State<AppState>,
    call: Authed<Picture>,
) -> Result<Json<Reply<Value>>, AppError> {
    const PREFIX: &str = "Error in face recognition";
    let started = Instant::now();
    let Picture { image_data, camera_source } = call.input;
    let bytes = image_data::bytes_of(&image_data)?;
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
    let (_, analysis) = app.analyze(PREFIX, bytes, options).await?;
    let gallery = app.live().gallery();
    let threshold = app.settings().threshold;
    let marker = app.live().marker();
    let events = app.live().events().clone();
    let (matches, marked) = app
        .with_store(PREFIX, move |store| {
            let mut matches = Vec::new();
            let mut marked = 0;
            for face in &analysis.faces {
                let Some(embedding) = &face.embedding else { continue };
                let Identification::Known { best, .. } = gallery.identify(embedding, threshold)? else { continue };
                // It may have been deleted a moment ago.
                let Some(student) = store.student(best.student)? else { continue };
                if let Some(source) = &camera_source {
                    let marking = marker.mark(student.id, best.similarity, Some(source), Timestamp::now())?;
                    if let Marking::Marked(record) = &marking {
                        events.publish(LiveEvent::marked(record));
                        marked += 1;
                    }
                }
                matches.push(json!({
                    "student_id": student.id,
                    "student_name": student.name,
                    "roll_number": student.roll_number,
                    "roll_no": student.roll_number,
                    "confidence": best.similarity,
                    "bbox": whole_pixels(&face.bbox),
                }));
            }
            Ok((matches, marked))
        })
        .await?;
    app.figures().recognitions.fetch_add(matches.len() as u64, std::sync::atomic::Ordering::Relaxed);
    let message = format!("Recognized {} faces", matches.len());
    let data = json!({
        "matches": matches,
        "attendance_logs_created": marked,
        "processing_time": started.elapsed().as_secs_f64(),
    });
    Ok(Json(reply(message, data)))
}
