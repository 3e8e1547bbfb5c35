//! The route table. It matches as the original's framework, Starlette, does:
//!
//! - The first route that was registered and matches answers.
//! - A known path with another method gets 405, which names the method registered first. HEAD is a method of its own.
//! - A path that differs only by a slash at its end is redirected, before any check of credentials.

pub(crate) mod audit;
pub(crate) mod described;
pub(crate) mod endpoint;

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt, service_fn};

use crate::error::detail_response;
use crate::net::forwarded::{is_https, prefix};
use crate::request::extract::{Least, PathParameters, Trail};
use crate::router::described::{Described, Describes};
use crate::router::endpoint::{Access, Audit, Endpoint};
use crate::state::AppState;

struct Route {
    method: Method,
    path: &'static str,
    pattern: Vec<Segment>,
    access: Access,
    audit: Audit,
    service: Answering,
}

type Answering = BoxCloneSyncService<Request, Response, Infallible>;
/// Makes a route whose handler knows the state.
type MakeRoute = Box<dyn FnOnce(&AppState) -> Route>;

enum Segment {
    Literal(&'static str),
    Parameter(&'static str),
}

/// An endpoint of the table, for the document.
pub(crate) struct Listed {
    pub(crate) endpoint: Endpoint,
    /// Adds what its handler's signature says.
    pub(crate) describe: fn(&mut Described),
}

/// The routes, in order.
#[derive(Default)]
pub(crate) struct Routes {
    routes: Vec<MakeRoute>,
    endpoints: Vec<Listed>,
}

impl Routes {
    /// Adds an endpoint of the API.
    pub(crate) fn add<T: 'static, Arguments, H>(mut self, endpoint: Endpoint, handler: H) -> Self
    where
        H: Handler<T, AppState> + Describes<Arguments>,
    {
        let Endpoint { method, path, access, audit, .. } = &endpoint;
        self.route(method.clone(), path, *access, *audit, handler);
        self.endpoints.push(Listed { endpoint, describe: H::describe });
        self
    }

    /// Adds a page, which anybody may read with GET or HEAD. The document leaves pages out.
    pub(crate) fn page<T: 'static>(mut self, path: &'static str, handler: impl Handler<T, AppState>) -> Self {
        self.route(Method::GET, path, Access::Anyone, Audit::None, handler.clone());
        self.route(Method::HEAD, path, Access::Anyone, Audit::None, handler);
        self
    }

    fn route<T: 'static>(
        &mut self,
        method: Method,
        path: &'static str,
        access: Access,
        audit: Audit,
        handler: impl Handler<T, AppState>,
    ) {
        self.routes.push(Box::new(move |state| {
            let segment = |part: &'static str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => Segment::Parameter(name),
                None => Segment::Literal(part),
            };
            let pattern = path.split('/').map(segment).collect();
            let service = BoxCloneSyncService::new(handler.with_state(state.clone()));
            Route { method, path, pattern, access, audit, service }
        }));
    }

    /// Returns every endpoint, without the pages.
    pub(crate) fn take_endpoints(&mut self) -> Vec<Listed> {
        std::mem::take(&mut self.endpoints)
    }

    /// Returns one service that answers every request.
    pub(crate) fn into_service(
        self,
        state: AppState,
    ) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync {
        let routes: Arc<[Route]> = self.routes.into_iter().map(|route| route(&state)).collect();
        service_fn(move |request: Request| {
            let (routes, state) = (Arc::clone(&routes), state.clone());
            async move { dispatch(&routes, &state, request).await }
        })
    }
}

async fn dispatch(routes: &[Route], state: &AppState, mut request: Request) -> Result<Response, Infallible> {
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
    let mut allowed = None;
    for route in routes {
        let Some(parameters) = match_path(&route.pattern, &path) else { continue };
        if route.method == *request.method() {
            let trail = Trail::default();
            request.extensions_mut().insert(PathParameters(parameters.clone()));
            if let Some(least) = route.access.least() {
                request.extensions_mut().insert(Least(least));
            }
            request.extensions_mut().insert(trail.clone());
            let response = route.service.clone().oneshot(request).await?;
            let called = (&route.method, route.path, route.audit);
            return Ok(audit::record(state, called, &parameters, &trail, response).await);
        }
        allowed.get_or_insert(&route.method);
    }
    if let Some(method) = allowed {
        let mut response = detail_response(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
        if let Ok(name) = HeaderValue::from_str(method.as_str()) {
            response.headers_mut().insert(header::ALLOW, name);
        }
        return Ok(response);
    }
    let other =
        |path: &str| path.strip_suffix('/').map_or_else(|| format!("{path}/"), |p| p.trim_end_matches('/').to_owned());
    let known = routes.iter().any(|route| match_path(&route.pattern, &other(&path)).is_some());
    if path != "/" && known {
        return Ok(redirect(&request, &other(request.uri().path())));
    }
    Ok(detail_response(StatusCode::NOT_FOUND, "Not Found"))
}

fn match_path(pattern: &[Segment], path: &str) -> Option<Map<String, Value>> {
    let mut parameters = Map::new();
    let mut parts = path.split('/');
    for segment in pattern {
        match (segment, parts.next()?) {
            (Segment::Literal(literal), part) if *literal == part => {}
            (Segment::Parameter(name), part) if !part.is_empty() => {
                parameters.insert((*name).to_owned(), Value::String(part.to_owned()));
            }
            _ => return None,
        }
    }
    parts.next().is_none().then_some(parameters)
}

fn redirect(request: &Request, path: &str) -> Response {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    // The original's Location is absolute; behind a proxy that ends TLS, the scheme is the proxy's.
    let scheme = if is_https(request.headers()) { "https" } else { "http" };
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let base = host.map(|host| format!("{scheme}://{host}{}", prefix(request.headers()))).unwrap_or_default();
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("{base}{path}{query}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &'static str) -> Vec<Segment> {
        text.split('/')
            .map(|part| match part {
                "{id}" => Segment::Parameter("id"),
                literal => Segment::Literal(literal),
            })
            .collect()
    }

    #[test]
    fn a_parameter_takes_one_segment_and_never_an_empty_one() {
        let one = pattern("/students/{id}");
        assert_eq!(match_path(&one, "/students/7").unwrap()["id"], "7");
        for other in ["/students/", "/students", "/students/7/", "/students/7/8", "//students/7"] {
            assert!(match_path(&one, other).is_none(), "{other}");
        }
    }
}
