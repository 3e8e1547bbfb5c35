//! Pages, API and WebSocket over TLS.

use faceattend_server::net::listen::ConnectionLimits;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::client::{Listening, SOON, header};

#[tokio::test]
async fn who_trusts_the_authority_is_answered_over_tls_and_nobody_else_is_fooled() {
    let server = Listening::start(ConnectionLimits::default()).await;
    server.is_well().await;
    for name in ["127.0.0.1", "::1", "localhost", "site.test"] {
        assert!(server.handshake(name, &[b"http/1.1"]).await.is_ok(), "{name}");
    }
    assert!(server.handshake("evil.example", &[]).await.is_err(), "another name");
    let stranger = crate::client::handshake(server.plain().await, "127.0.0.1", &[], &[]).await;
    assert!(stranger.is_err(), "the authority is not trusted");
    // Without ALPN, as simple clients do.
    assert!(server.handshake("127.0.0.1", &[]).await.is_ok());
}

#[tokio::test]
async fn redirects_and_cookies_know_of_tls() {
    let server = Listening::start(ConnectionLimits::default()).await;
    let slash = server.ask("GET /api/v1/students?limit=1").await;
    let expected = format!("https://{}/api/v1/students/?limit=1", server.address);
    assert_eq!(header(&slash, "location"), Some(expected.as_str()), "{slash}");
    let body = json!({ "username": "admin", "password": "admin123" }).to_string();
    let login = format!("POST /api/v1/auth/login\nContent-Type: application/json\nContent-Length: {}\n\n", body.len());
    let asked = server.ask(&(login + &body)).await;
    assert!(asked.starts_with("HTTP/1.1 200"), "{asked}");
    assert!(header(&asked, "set-cookie").is_some_and(|cookie| cookie.ends_with("; Secure")), "{asked}");
    assert_eq!(header(&asked, "strict-transport-security"), None, "it would lock out whoever made another certificate");
}

#[tokio::test]
async fn a_web_socket_is_open_over_tls() {
    let server = Listening::start(ConnectionLimits::default()).await;
    // As browsers do: HTTP/1.1 is all they offer for a WebSocket.
    let stream = server.connect().await;
    let path = format!("wss://{}/api/v1/detection/ws/1?token={}", server.address, server.service.token);
    let (mut socket, _) = client_async(path.into_client_request().unwrap(), stream).await.unwrap();
    let first = tokio::time::timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
    let status: Value = serde_json::from_str(first.to_text().unwrap()).unwrap();
    assert_eq!(status["type"], "status_update");
    socket.send(Message::text("ping")).await.unwrap();
    let pong = tokio::time::timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(pong.to_text().unwrap().contains("pong"), "{pong}");
}

#[tokio::test]
async fn the_page_of_devices_has_the_authority_and_never_its_key() {
    let server = Listening::start(ConnectionLimits::default()).await;
    let token = server.service.token.clone();
    let answer = server.ask(&format!("GET /api/v1/devices\nAuthorization: Bearer {token}")).await;
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let data = &body["data"];
    assert_eq!(data["encrypted"], true, "{answer}");
    assert_eq!(data["address"], Value::Null, "a server on loopback is reached by nobody else");
    assert!(data["certificate"]["names"].as_array().unwrap().contains(&json!("127.0.0.1")));
    let fingerprint = data["authority"]["fingerprint"].as_str().unwrap();
    assert_eq!(fingerprint.len(), 95);
    assert!(!answer.contains("PRIVATE"), "{answer}");
    let mut stream = server.connect().await;
    let request = format!("GET /ui/authority.crt HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes).await;
    let at = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    assert_eq!(header(&head, "content-type"), Some("application/x-x509-ca-cert"), "{head}");
    assert_eq!(&bytes[at..], &server.roots[0][..], "the certificate, and nothing behind it");
    // A server in plain text has neither.
    let plain = crate::common::Service::start().await;
    assert_eq!(plain.get("/ui/authority.crt").await.status, 404);
    let devices = plain.get("/api/v1/devices").await.json();
    assert_eq!((&devices["data"]["encrypted"], &devices["data"]["authority"]), (&json!(false), &Value::Null));
}
