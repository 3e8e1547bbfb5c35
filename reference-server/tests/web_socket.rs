//! The WebSocket, over a real connection.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::Service;
use faceattend_server::net::listen::{ConnectionLimits, serve};
use faceattend_server::{AllowedOrigins, WebSocketAccess};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

type Link = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn listen(service: &Service) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, service.router.clone(), ConnectionLimits::default(), std::future::pending()));
    format!("ws://{address}")
}

async fn status_of(url: String) -> u16 {
    match tokio_tungstenite::connect_async(url).await {
        Err(Error::Http(refused)) => refused.status().as_u16(),
        Ok(_) => 101,
        Err(other) => panic!("{other}"),
    }
}

async fn next(link: &mut Link) -> Value {
    let message = tokio::time::timeout(Duration::from_secs(20), link.next()).await.unwrap().unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_need_a_number_and_a_token() {
    let service = Service::start().await;
    let base = listen(&service).await;
    let path = format!("{base}/api/v1/detection/ws");
    assert_eq!(status_of(format!("{path}/1")).await, 401);
    assert_eq!(status_of(format!("{path}/1?token=nonsense")).await, 401);
    assert_eq!(status_of(format!("{path}/1?token={}", service.token)).await, 101);
    for wrong in ["/x?token=", "/1/2?token=", "?token="] {
        assert_eq!(status_of(format!("{path}{wrong}{}", service.token)).await, 403, "{wrong}");
    }
    assert_eq!(status_of(format!("{base}/ws/detection/")).await, 403);
    let mut request = format!("{path}/1").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", format!("bearer, {}", service.token).parse().unwrap());
    let (_, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "bearer");
    service.get("/api/v1/detection/ws/1").await.is(404, "Not Found");

    let open = Service::start_as_recorded().await;
    let base = listen(&open).await;
    assert_eq!(status_of(format!("{base}/api/v1/detection/ws/7")).await, 101);
    assert_eq!(status_from(&base, "https://evil.example").await, 101, "as recorded");
}

/// Opens a WebSocket without a token from a page of this origin.
async fn status_from(base: &str, origin: &str) -> u16 {
    let mut request = format!("{base}/api/v1/detection/ws/7").into_client_request().unwrap();
    request.headers_mut().insert("origin", origin.parse().unwrap());
    match tokio_tungstenite::connect_async(request).await {
        Err(Error::Http(refused)) => refused.status().as_u16(),
        Ok(_) => 101,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_web_socket_follows_the_list_of_origins_and_counts_among_its_clients_requests() {
    let origins = AllowedOrigins::new(vec!["https://school.example".parse().unwrap()]);
    let open = Service::start_with(|settings| {
        settings.with_web_socket(WebSocketAccess::Open).with_allowed_origins(origins).with_at_once_per_address(2)
    })
    .await;
    let base = listen(&open).await;
    let own = base.replace("ws://", "http://");
    for (origin, status) in [("https://evil.example", 403), ("null", 403), ("https://school.example", 101), (&own, 101)]
    {
        assert_eq!(status_from(&base, origin).await, status, "{origin}");
    }
    // Each of these stays open.
    let mut kept = Vec::new();
    let refused = loop {
        match tokio_tungstenite::connect_async(format!("{base}/api/v1/detection/ws/7")).await {
            Ok((link, _)) => kept.push(link),
            Err(Error::Http(refused)) => break refused.status().as_u16(),
            Err(other) => panic!("{other}"),
        }
        assert!(kept.len() <= 2, "no limit");
    };
    assert_eq!(refused, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_comes_at_once_and_events_to_whoever_subscribed() {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    let base = listen(&service).await;
    let url = format!("{base}/api/v1/detection/ws/1?token={}", service.token);
    let (mut link, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let status = next(&mut link).await;
    assert_eq!((&status["type"], &status["cameras"]), (&json!("status_update"), &json!({})));
    assert!(status["timestamp"].is_f64());
    link.send(Message::text(r#"{"type": "ping"}"#)).await.unwrap();
    assert_eq!(next(&mut link).await["type"], "pong");
    link.send(Message::text("not json")).await.unwrap();
    link.send(Message::text(r#"{"type": "subscribe", "events": ["log"]}"#)).await.unwrap();
    assert_eq!(next(&mut link).await, json!({ "type": "subscribed", "events": ["log_line"] }));
    service.register("Asha", "R1", &session).await;
    let mut seen = next(&mut link).await;
    while seen["type"] == "status_update" {
        seen = next(&mut link).await;
    }
    assert_eq!((&seen["type"], &seen["message"]), (&json!("log_line"), &json!("Reloaded 1 known faces")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_ends_closes_what_it_opened() {
    let service = Service::start().await;
    let base = listen(&service).await;
    let url = format!("{base}/api/v1/detection/ws/1?token={}", service.token);
    let (mut link, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    next(&mut link).await;
    service.post("/api/v1/auth/logout", &Value::Null).await;
    let ended = tokio::time::timeout(Duration::from_secs(20), link.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(ended, Message::Close(Some(frame)) if u16::from(frame.code) == 1008));
}
