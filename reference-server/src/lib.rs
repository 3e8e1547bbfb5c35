//! The reference server: liveness registration, recognition and live attendance over HTTP, as the service that it
//! replaces answered, and its pages under `/ui/`.
//!
//! Thin on purpose: [`http`] keeps the conventions of the wire, `routes` translate between it and the core, and every
//! rule of the domain is the core's. [`app`] is the whole service as a router, for a server or for tests.

pub mod auth;
pub mod commands;
mod error;
mod http;
mod image_data;
mod live;
mod routes;
mod sessions;
mod state;
mod web;
mod wire;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;

pub use http::body::BODY_LIMIT;
pub use live::LiveSettings;
pub use live::events::{Events, LiveEvent, SeenFace};
pub use state::{AppState, Settings};

/// The whole service over `state`.
pub fn app(state: AppState) -> Router {
    let routes = routes::table(state)
        .get("/ui/", web::index)
        .on(Method::HEAD, "/ui/", web::index)
        .get("/ui/{file}", web::file)
        .on(Method::HEAD, "/ui/{file}", web::file);
    Router::new()
        .fallback_service(routes.into_service())
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| -> Response {
            // What a panic says may name anything; the log has it from the panic's own message.
            error::detail_response(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
        }))
        .layer(axum::middleware::from_fn(http::cors::cross_origin))
        .layer(TraceLayer::new_for_http())
}
