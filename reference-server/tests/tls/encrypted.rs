//! Pages, API and WebSocket over TLS.

use faceattend_server::net::listen::ConnectionLimits;
use faceattend_server::{AllowedOrigins, Settings, WebSocketAccess};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
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
async fn an_open_web_socket_is_for_the_page_over_tls_and_not_for_its_double_in_plain_text() {
    let origins = AllowedOrigins::new(vec!["https://school.example".parse().unwrap()]);
    let open = |settings: Settings| settings.with_web_socket(WebSocketAccess::Open).with_allowed_origins(origins);
    let server = Listening::start_with(ConnectionLimits::default(), open).await;
    for (scheme, taken) in [("https", true), ("http", false)] {
        let mut request = format!("wss://{}/api/v1/detection/ws/1", server.address).into_client_request().unwrap();
        let origin = format!("{scheme}://{}", server.address);
        request.headers_mut().insert("origin", origin.parse().unwrap());
        assert_eq!(client_async(request, server.connect().await).await.is_ok(), taken, "{origin}");
    }
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
    let given = server.ask("GET /ui/authority.crt").await;
    assert_eq!(header(&given, "content-type"), Some("application/x-x509-ca-cert"), "{given}");
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(given.as_bytes()).map(Result::unwrap).collect();
    assert_eq!(certificates, server.roots, "the certificate");
    assert!(given.ends_with("-----END CERTIFICATE-----\n") && !given.contains("KEY"), "and nothing else: {given}");
    // A server in plain text has neither.
    let plain = crate::common::Service::start().await;
    assert_eq!(plain.get("/ui/authority.crt").await.status, 404);
    let devices = plain.get("/api/v1/devices").await.json();
    assert_eq!((&devices["data"]["encrypted"], &devices["data"]["authority"]), (&json!(false), &Value::Null));
}
