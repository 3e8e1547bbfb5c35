//! The WebSocket of live detection: the cameras' status at once and every five seconds, and what happens to those who
//! subscribe.
//!
//! What a client may say, as JSON: `{"type": "ping"}` is answered `{"type": "pong"}`; `{"type": "subscribe", "events":
//! ["attendance_marked"]}` and `unsubscribe` are answered `{"type": "subscribed", "events": [...]}`. The words are
//! those of [`EVENTS`], and `all`. Anything else is ignored, as by the existing service.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::error::{AppError, detail_response};
use crate::net::forwarded::is_https;
use crate::request::body::form;
use crate::request::coerce;
use crate::request::extract::{authenticate, token_in};
use crate::settings::WebSocketAccess;
use crate::state::AppState;
use crate::state::in_flight::Turn;

/// The path, but for the client's number.
const PATH: &str = "/api/v1/detection/ws/";
/// How often the status comes, as recorded.
const STATUS_EVERY: Duration = Duration::from_secs(5);
/// A client that does not take a message in this time is dropped: nothing is kept for it.
const TAKE_WITHIN: Duration = Duration::from_secs(5);
/// A client's messages are words; a larger one ends the connection.
const LONGEST_MESSAGE: usize = 16 * 1024;
/// What can be subscribed to.
const EVENTS: [&str; 7] = [
    "detection_update",
    "attendance_marked",
    "second_look",
    "statuses_changed",
    "camera_state",
    "spoof_suspected",
    "log_line",
];
/// The subprotocol under which a browser hands the token over, followed by the token.
const SUBPROTOCOL: &str = "bearer";
/// "Try again later" (RFC 6455, registered by IANA): too slow.
const TRY_AGAIN_LATER: u16 = 1013;
/// "Policy violation": the login has ended.
const POLICY: u16 = 1008;

/// Answers handshakes, and passes on everything else. As recorded, a path that is no WebSocket's is 403 to a handshake,
/// and the WebSocket's path is not found without one.
pub(crate) async fn intercept(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let upgrades = request.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    if !upgrades.is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        return next.run(request).await;
    }
    let number = request.uri().path().strip_prefix(PATH).map(|text| Value::String(text.to_owned()));
    if number.and_then(|number| coerce::integer(&number).ok()).is_none() {
        return detail_response(StatusCode::FORBIDDEN, "Forbidden");
    }
    // A token is no page's without being given to it. Where none is asked for, the page's origin counts.
    if state.settings().web_socket == WebSocketAccess::Open && !is_own(request.headers(), &state) {
        return detail_response(StatusCode::FORBIDDEN, "Forbidden");
    }
    let (token, offered) = token_of(request.uri(), request.headers());
    if state.settings().web_socket == WebSocketAccess::Token {
        let Some(token) = &token else { return AppError::Unauthorized("Not authenticated").into_response() };
        if let Err(refused) = authenticate(token, &state).await {
            return refused.into_response();
        }
    }
    let query = form(request.uri().query().unwrap_or_default().as_bytes());
    let subscribed = query.get("events").and_then(Value::as_str).map(|text| known(text.split(','))).unwrap_or_default();
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &state).await {
        Ok(upgrade) => upgrade.max_message_size(LONGEST_MESSAGE).max_frame_size(LONGEST_MESSAGE),
        Err(_) => return detail_response(StatusCode::BAD_REQUEST, "Not a WebSocket handshake"),
    };
    // Where no token says who holds the connection, it counts among the open requests of its client.
    let turn = parts.extensions.remove::<Turn>().filter(|_| state.settings().web_socket == WebSocketAccess::Open);
    let upgrade = if offered { upgrade.protocols([SUBPROTOCOL]) } else { upgrade };
    upgrade.on_upgrade(move |socket| async move {
        state.figures().web_sockets.fetch_add(1, Relaxed);
        serve(socket, &state, token, subscribed).await;
        state.figures().web_sockets.fetch_sub(1, Relaxed);
        drop(turn);
    })
}

/// Returns whether the page that opens the WebSocket, if it is one, is the server's own or of an allowed origin.
fn is_own(headers: &HeaderMap, state: &AppState) -> bool {
    let Some(origin) = headers.get(header::ORIGIN).map(HeaderValue::as_bytes) else { return true };
    let (scheme, authority) = match origin.windows(3).position(|part| part == b"://") {
        Some(at) => (&origin[..at], Some(&origin[at + 3..])),
        None => (&[][..], None),
    };
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    // A page in plain text under the same name may be anybody's work.
    let is_as_encrypted = scheme == b"https" || !is_https(headers);
    state.settings().allowed_origins.hold(origin) || (is_as_encrypted && authority.is_some() && authority == host)
}

/// The token behind the subprotocol `bearer`, in the header `Authorization` (which no browser can send, but every other
/// client) or in `?token=`, and whether the subprotocol was offered.
fn token_of(uri: &Uri, headers: &HeaderMap) -> (Option<String>, bool) {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut offered = offered.split(',').map(str::trim);
    if offered.next().is_some_and(|first| first.eq_ignore_ascii_case(SUBPROTOCOL)) {
        return (offered.next().map(str::to_owned), true);
    }
    if let Some(token) = token_in(headers) {
        return (Some(token.to_owned()), false);
    }
    let mut query: Map<String, Value> = form(uri.query().unwrap_or_default().as_bytes());
    match query.remove("token") {
        Some(Value::String(token)) if !token.is_empty() => (Some(token), false),
        _ => (None, false),
    }
}

/// The events that `words` name.
fn known<'w>(words: impl IntoIterator<Item = &'w str>) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for word in words {
        match word.trim() {
            "all" => found.extend(EVENTS),
            // The existing service's word for a line of the log.
            "log" | "logs" => found.extend(["log_line"]),
            word => found.extend(EVENTS.into_iter().filter(|event| *event == word)),
        }
    }
    found
}

async fn serve(mut socket: WebSocket, state: &AppState, token: Option<String>, mut subscribed: BTreeSet<&'static str>) {
    let started = Instant::now();
    let mut events = state.live().events().subscribe();
    let mut status = interval(STATUS_EVERY);
    status.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            _ = status.tick() => {
                // A login that has ended ends what it opened.
                if state.settings().web_socket == WebSocketAccess::Token
                    && let Some(token) = &token
                    && matches!(authenticate(token, state).await, Err(AppError::Unauthorized(_)))
                {
                    return close(socket, POLICY, "the login has ended").await;
                }
                Some(status_update(state, started))
            }
            event = events.recv() => match event {
                Ok(event) => serde_json::to_value(&*event).ok().filter(|event| {
                    event["type"].as_str().is_some_and(|kind| subscribed.contains(kind))
                }),
                Err(RecvError::Lagged(_)) if subscribed.is_empty() => None,
                Err(RecvError::Lagged(_)) => return close(socket, TRY_AGAIN_LATER, "too slow").await,
                Err(RecvError::Closed) => return,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Text(text))) => reply_to(&text, &mut subscribed, started),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => None,
            },
        };
        let Some(message) = message else { continue };
        let sent = timeout(TAKE_WITHIN, socket.send(Message::Text(message.to_string().into()))).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let _ = timeout(TAKE_WITHIN, socket.send(frame)).await;
}

/// The status as recorded: a timestamp of a clock that only counts up, in seconds.
fn status_update(state: &AppState, started: Instant) -> Value {
    json!({
        "type": "status_update",
        "cameras": state.live().camera_items(),
        "timestamp": started.elapsed().as_secs_f64(),
    })
}

fn reply_to(text: &str, subscribed: &mut BTreeSet<&'static str>, started: Instant) -> Option<Value> {
    if text == "ping" {
        return Some(json!({ "type": "pong", "timestamp": started.elapsed().as_secs_f64() }));
    }
    let said: Value = serde_json::from_str(text).ok()?;
    let events = || {
        let listed = said["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        known(listed.iter().filter_map(Value::as_str).chain(said["event"].as_str()))
    };
    match said["type"].as_str()? {
        "ping" => {
            let mut pong = json!({ "type": "pong", "timestamp": started.elapsed().as_secs_f64() });
            // What the client sent to recognize the answer by comes back.
            if let Some(sent) = said.get("timestamp") {
                pong["timestamp"] = sent.clone();
            }
            return Some(pong);
        }
        "subscribe" => subscribed.extend(events()),
        "unsubscribe" => {
            let gone = events();
            subscribed.retain(|event| !gone.contains(event));
        }
        _ => return None,
    }
    Some(json!({ "type": "subscribed", "events": subscribed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str, subscribed: &mut BTreeSet<&'static str>) -> Value {
        reply_to(text, subscribed, Instant::now()).unwrap_or_default()
    }

    #[test]
    fn subscriptions_add_up_and_unknown_words_are_ignored() {
        let mut subscribed = BTreeSet::new();
        let answer = ask(r#"{"type": "subscribe", "events": ["attendance_marked", "nope", "log"]}"#, &mut subscribed);
        assert_eq!(answer["events"], json!(["attendance_marked", "log_line"]));
        let answer = ask(r#"{"type": "unsubscribe", "events": ["log_line"]}"#, &mut subscribed);
        assert_eq!(answer["events"], json!(["attendance_marked"]));
        assert_eq!(
            ask(r#"{"type": "subscribe", "events": ["all"]}"#, &mut subscribed)["events"],
            json!(EVENTS.into_iter().collect::<BTreeSet<_>>())
        );
    }

    #[test]
    fn pings_are_answered_and_noise_is_not() {
        let mut none = BTreeSet::new();
        assert_eq!(ask(r#"{"type": "ping"}"#, &mut none)["type"], "pong");
        assert_eq!(ask(r#"{"type": "ping", "timestamp": 7}"#, &mut none)["timestamp"], 7);
        assert_eq!(ask("ping", &mut none)["type"], "pong");
        for noise in ["", "{", "[]", r#"{"type": 7}"#, r#"{"type": "dance"}"#] {
            assert_eq!(ask(noise, &mut none), Value::Null, "{noise}");
        }
    }

    #[test]
    fn the_token_comes_by_query_or_subprotocol() {
        let uri: Uri = "/api/v1/detection/ws/1?token=abc".parse().unwrap();
        assert_eq!(token_of(&uri, &HeaderMap::new()), (Some("abc".into()), false));
        let mut headers = HeaderMap::new();
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, "bearer, def".parse().unwrap());
        assert_eq!(token_of(&uri, &headers), (Some("def".into()), true));
        assert_eq!(token_of(&"/x".parse().unwrap(), &HeaderMap::new()), (None, false));
    }
}
