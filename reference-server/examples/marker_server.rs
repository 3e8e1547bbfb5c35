//! The whole service over an engine that reads the recorded exchanges' marker pictures, to replay them by hand:
//! `cargo run -p faceattend-server --example marker_server -- --port 8011 --database /tmp/x.db --secret SECRET`

#[path = "../tests/common/marker.rs"]
#[expect(unreachable_pub, reason = "the tests share the file")]
mod marker;

use std::sync::Arc;

use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::enrolment::DuplicatePolicy;
use faceattend_core::store::SqliteStore;
use faceattend_server::auth::Secret;
use faceattend_server::net::listen::{ConnectionLimits, serve};
use faceattend_server::{AppState, Logout, Settings, WebSocketAccess, app};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut port, mut database, mut secret) = ("8011".to_owned(), "marker.db".to_owned(), Secret::random());
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or("every option has a value")?;
        match name.as_str() {
            "--port" => port = value,
            "--database" => database = value,
            "--secret" => secret = Secret::new(value)?,
            other => return Err(format!("{other} is no option").into()),
        }
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    // The recordings open the WebSocket without a token, go on with theirs after logging out, and know few faces.
    let settings = Settings::new(secret)
        .with_policy(AttendancePolicy::in_time_zone("UTC")?)
        .with_web_socket(WebSocketAccess::Open)
        .with_logout(Logout::LeavesToken)
        .with_duplicates(DuplicatePolicy::Warn);
    let state = AppState::new(Arc::new(SqliteStore::open(database)?), Arc::new(marker::MarkerEngine::new()), settings)?;
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    serve(listener, app(state), ConnectionLimits::default(), std::future::pending()).await;
    Ok(())
}
