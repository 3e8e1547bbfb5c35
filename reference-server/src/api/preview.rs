//! Streams what a camera sees as JPEG pictures with boxes and names.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::WatchStream;

use crate::error::AppError;
use crate::request::extract::{Authed, holder_of};
use crate::request::input::input;
use crate::request::texts;
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// The end of the name of a stream.
const ENDING: &str = ".mjpeg";

input! {
    /// The camera in the path.
    pub(crate) struct Which {
        path {
            /// The number of the camera, as its status tells it, and `.mjpeg`.
            camera: String = texts::PREVIEW,
        }
    }
}

/// A stream of pictures.
pub(crate) struct Pictures(Body);

impl IntoResponse for Pictures {
    fn into_response(self) -> Response {
        let headers =
            [(header::CONTENT_TYPE, "multipart/x-mixed-replace; boundary=frame"), (header::CACHE_CONTROL, "no-store")];
        (headers, self.0).into_response()
    }
}

impl Answer for Pictures {
    fn describe(described: &mut Described) {
        described.file("multipart/x-mixed-replace");
    }
}

const TURNED_OFF: &str = "Previews are turned off";
const NO_CAMERA: &str = "Camera not found";

pub(super) const STREAM: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/detection/preview/{camera}",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Streams what a camera sees, with boxes and names",
    errors: &[(404, TURNED_OFF), (404, NO_CAMERA)],
};

/// How often a stream asks whether its login still stands, as the WebSocket does.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Streams pictures for as long as the client listens, the camera is started and the login has not ended, where the
/// operator has turned previews on. The age of the token does not matter: a display on a wall shows pictures all day.
pub(super) async fn stream(State(app): State<AppState>, call: Authed<Which>) -> Result<Pictures, AppError> {
    if !app.settings().live.preview {
        return Err(AppError::not_found(TURNED_OFF));
    }
    let Authed { user, login, input, .. } = call;
    let id = input.camera.strip_suffix(ENDING).and_then(|number| number.parse().ok());
    let preview = id.and_then(|id| {
        let live = app.live();
        live.cameras().preview(id).or_else(|| live.laptop().preview(id))
    });
    let pictures = preview.ok_or_else(|| AppError::not_found(NO_CAMERA))?.watch();
    let mut checked = Instant::now();
    let checking = WatchStream::from_changes(pictures).then(move |jpeg| {
        let due = checked.elapsed() >= CHECK_EVERY;
        if due {
            checked = Instant::now();
        }
        let (app, user, login) = (app.clone(), user.clone(), login.clone());
        async move {
            // A database that does not answer now has ended no login.
            let ended = due && matches!(holder_of(user, login, &app).await, Err(AppError::Unauthorized(_)));
            (!ended).then_some(jpeg)
        }
    });
    let parts = checking.map_while(|jpeg| {
        let jpeg = jpeg?;
        let mut part =
            format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len()).into_bytes();
        part.extend_from_slice(&jpeg);
        part.extend_from_slice(b"\r\n");
        Some(Ok::<_, std::convert::Infallible>(Bytes::from(part)))
    });
    Ok(Pictures(Body::from_stream(parts)))
}
