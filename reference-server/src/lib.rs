//! The reference server: liveness registration, recognition and live attendance over HTTP, as the service that it
//! replaces answered, and its pages under `/ui/`.
//!
//! The server is thin on purpose: `request` and `router` keep the conventions of the wire, `api` translates between the
//! wire and the core, and every rule of the domain is the core's. [`app`] is the whole service as a router, for a
//! server or for tests.
//!
//! Modules import in one direction: `settings` (plain values) <- `live` <- `state` <- `request`, `net` <- `router` <-
//! `api`, `web_socket`, `openapi`, `web` <- [`app`] <- [`commands`].

mod api;
pub mod auth;
pub mod commands;
mod error;
mod image_data;
#[doc(hidden)]
pub mod internals;
mod live;
mod metrics;
pub mod net;
mod openapi;
mod passive;
mod priority;
mod receipts;
mod request;
mod responses;
mod router;
mod settings;
mod state;
mod tls;
mod web;
mod web_socket;
mod wire_time;

use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use openapi::pages::Document;
use tower_http::catch_panic::CatchPanicLayer;

pub use live::events::{Events, LiveEvent, SeenFace};
pub use passive::{PassiveNetworks, RenewableEngine};
pub use request::body::{BODY_LIMIT, STRANGERS_BODY_LIMIT};
pub use settings::{
    AllowedHost, AllowedHosts, AllowedOrigin, AllowedOrigins, BackupSettings, BasePath, ChallengePolicy, Embeddings,
    GateSettings, LiveSettings, Logout, Mountings, Network, NoticeSettings, Nouns, NumberNoun, PersonNoun, RateLimits,
    RetentionDays, Settings, SinglePictures, Spoken, WebSocketAccess,
};
pub use state::AppState;
pub use tls::Tls;

/// Returns the whole service over `state`.
pub fn app(state: AppState) -> Router {
    let mut routes = api::table();
    let document = Document::of(routes.take_endpoints());
    let routes = routes
        .page("/docs", openapi::pages::docs)
        .page("/docs/oauth2-redirect", openapi::pages::oauth2_redirect)
        .page("/docs/{file}", openapi::pages::file)
        .page("/redoc", openapi::pages::redoc)
        .page("/openapi.json", move |headers: HeaderMap| document.answer(headers))
        .page("/ui/", web::index)
        .page("/ui/authority.crt", api::devices::authority)
        .page("/ui/nouns.json", web::nouns)
        .page("/ui/kiosk", web::kiosk)
        .page("/ui/kiosk/{file}", web::kiosk_file)
        .page("/ui/{file}", web::file);
    Router::new()
        .fallback_service(routes.into_service(state.clone()))
        .layer(axum::middleware::from_fn_with_state(state.clone(), web_socket::intercept))
        .layer(axum::middleware::from_fn_with_state(state.clone(), net::in_flight::limit))
        .layer(axum::middleware::from_fn_with_state(state.clone(), net::rate_limit::limit))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| -> Response {
            // What a panic says may name anything; the log has it from the panic's own message.
            error::detail_response(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
        }))
        .layer(axum::middleware::from_fn_with_state(state.clone(), net::cors::cross_origin))
        .layer(axum::middleware::from_fn_with_state(state.clone(), net::encryption::require))
        .layer(axum::middleware::from_fn_with_state(state.clone(), net::host::check))
        .layer(axum::middleware::from_fn_with_state(state.clone(), net::forwarded::hear))
        .layer(axum::middleware::map_response(net::private::keep_private))
        .layer(axum::middleware::from_fn_with_state(state, net::trace::trace))
}

/// Returns method and path of every endpoint of the API, in the order of the route table, without the pages.
#[must_use]
pub fn routes_of_the_api() -> Vec<(Method, &'static str)> {
    let endpoints = api::table().take_endpoints();
    endpoints.into_iter().map(|listed| (listed.endpoint.method, listed.endpoint.path)).collect()
}
