//! What a camera sees, as a stream of JPEG pictures with boxes and names.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::WatchStream;

use crate::error::AppError;
use crate::request::extract::{Authed, Input};
use crate::request::fields::Reader;
use crate::state::AppState;

/// The end of the name of a stream.
const ENDING: &str = ".mjpeg";

/// The camera's number, as its status tells it.
pub(crate) struct Which(Option<u64>);

impl Input for Which {
    fn read(request: &mut Reader) -> Option<Self> {
        let name = request.path().text("camera")?;
        Some(Self(name.strip_suffix(ENDING).and_then(|number| number.parse().ok())))
    }
}

/// `GET /detection/preview/{camera}.mjpeg`: pictures for as long as the client listens and the camera is started. 404
/// unless the operator has turned previews on.
pub(crate) async fn stream(State(app): State<AppState>, call: Authed<Which>) -> Result<Response, AppError> {
    if !app.settings().live.preview {
        return Err(AppError::not_found("Previews are turned off"));
    }
    let preview = call.input.0.and_then(|id| {
        let live = app.live();
        live.cameras().preview(id).or_else(|| live.laptop().preview(id))
    });
    let pictures = preview.ok_or_else(|| AppError::not_found("Camera not found"))?.watch();
    let parts = WatchStream::from_changes(pictures).map(|jpeg| {
        let mut part =
            format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len()).into_bytes();
        part.extend_from_slice(&jpeg);
        part.extend_from_slice(b"\r\n");
        Ok::<_, std::convert::Infallible>(Bytes::from(part))
    });
    let headers =
        [(header::CONTENT_TYPE, "multipart/x-mixed-replace; boundary=frame"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(parts)).into_response())
}
