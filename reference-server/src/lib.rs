//! The reference server: liveness registration, recognition and live attendance over HTTP, as the service that it
//! replaces answered, and its pages under `/ui/`.
//!
//! Thin on purpose: `http` keeps the conventions of the wire, `routes` translate between it and the core, and every
//! rule of the domain is the core's. [`app`] is the whole service as a router, for a server or for tests.

pub mod auth;
pub mod commands;
mod error;
mod figures;
mod hs256;
mod http;
mod image_data;
pub mod listen;
mod live;
mod openapi;
mod passive;
mod receipts;
mod routes;
mod sessions;
mod state;
mod throttle;
mod web;
mod wire;
mod ws;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

pub use http::body::{BODY_LIMIT, STRANGERS_BODY_LIMIT};
pub use http::peer::Network;
pub use http::rate::RateLimits;
pub use live::LiveSettings;
pub use live::events::{Events, LiveEvent, SeenFace};
pub use passive::{PassiveNetworks, RenewableEngine};
pub use state::{AppState, ChallengePolicy, Logout, RetentionDays, Settings, WebSocketAccess};

/// The whole service over `state`.
pub fn app(state: AppState) -> Router {
    let routes = routes::table(state.clone())
        .get("/docs", openapi::pages::docs)
        .on(Method::HEAD, "/docs", openapi::pages::docs)
        .get("/docs/oauth2-redirect", openapi::pages::oauth2_redirect)
        .get("/docs/{file}", openapi::pages::file)
        .get("/redoc", openapi::pages::redoc)
        .on(Method::HEAD, "/redoc", openapi::pages::redoc)
        .get("/openapi.json", openapi::pages::document)
        .on(Method::HEAD, "/openapi.json", openapi::pages::document)
        .get("/ui/", web::index)
        .on(Method::HEAD, "/ui/", web::index)
        .get("/ui/{file}", web::file)
        .on(Method::HEAD, "/ui/{file}", web::file);
    Router::new()
        .fallback_service(routes.into_service())
        .layer(axum::middleware::from_fn_with_state(state.clone(), ws::intercept))
        .layer(axum::middleware::from_fn_with_state(state.clone(), http::rate::limit))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| -> Response {
            // What a panic says may name anything; the log has it from the panic's own message.
            error::detail_response(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
        }))
        .layer(axum::middleware::from_fn(http::cors::cross_origin))
        .layer(axum::middleware::from_fn_with_state(state, http::trace::trace))
}

/// Method and path of every endpoint of the API, in the order of the route table; pages are not among them.
#[must_use]
pub fn routes_of_the_api(state: AppState) -> Vec<(Method, &'static str)> {
    routes::table(state).listed().into_iter().map(|(method, path, _)| (method, path)).collect()
}
