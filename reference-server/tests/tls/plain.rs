//! Plain HTTP where the server speaks TLS.

use faceattend_server::BasePath;
use faceattend_server::net::listen::ConnectionLimits;

use crate::client::{Listening, ask, header};

async fn plainly(server: &Listening, request: &str) -> String {
    ask(&mut server.plain().await, server.address, request).await
}

#[tokio::test]
async fn a_page_in_plain_text_is_led_to_tls_on_the_same_port() {
    let server = Listening::start(ConnectionLimits::default()).await;
    for (asked, led) in [("/", "/"), ("/ui/", "/ui/"), ("/api/v1/students?limit=1", "/api/v1/students?limit=1")] {
        let answer = plainly(&server, &format!("GET {asked}")).await;
        assert!(answer.starts_with("HTTP/1.1 307"), "{answer}");
        assert_eq!(header(&answer, "location"), Some(format!("https://{}{led}", server.address).as_str()));
        assert_eq!(header(&answer, "connection"), Some("close"));
    }
    let head = plainly(&server, "HEAD /ui/").await;
    assert!(head.starts_with("HTTP/1.1 307"), "{head}");
}

#[tokio::test]
async fn a_token_or_a_password_in_plain_text_is_refused_and_never_led_on() {
    let server = Listening::start(ConnectionLimits::default()).await;
    let token = server.service.token.clone();
    let login = r#"{"username":"admin","password":"admin123"}"#;
    for request in [
        format!("GET /api/v1/auth/me\nAuthorization: Bearer {token}"),
        format!("POST /api/v1/auth/login\nContent-Type: application/json\nContent-Length: {}\n\n{login}", login.len()),
        "GET /api/v1/detection/ws/1\nConnection: upgrade\nUpgrade: websocket".into(),
        "OPTIONS /ui/".into(),
        // A proxy on this machine that was told of no TLS does not talk the server out of it.
        "POST /api/v1/auth/login\nX-Forwarded-Proto: https\nContent-Length: 0".into(),
    ] {
        let answer = plainly(&server, &request).await;
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("HTTPS"), "{request}: {answer}");
        assert_eq!(header(&answer, "location"), None);
    }
}

#[tokio::test]
async fn nobody_is_led_to_another_host() {
    let server = Listening::start(ConnectionLimits::default()).await;
    let mut stream = server.plain().await;
    let request = "GET /ui/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let answer = crate::client::heard(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
}

#[tokio::test]
async fn programs_of_this_machine_may_ask_in_plain_text_how_the_server_is() {
    let server = Listening::start(ConnectionLimits::default()).await;
    for path in ["/health", "/ready", "/metrics"] {
        let answer = plainly(&server, &format!("GET {path}")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    let answer = plainly(&server, "GET /api/v1/ping").await;
    assert!(answer.starts_with("HTTP/1.1 307"), "nothing else: {answer}");
}

#[tokio::test]
async fn the_path_of_the_operator_stays() {
    let base: BasePath = "/school".parse().unwrap();
    let server = Listening::start_with(ConnectionLimits::default(), |settings| settings.with_base_path(base)).await;
    let answer = plainly(&server, "GET /school/ui/").await;
    assert_eq!(
        header(&answer, "location"),
        Some(format!("https://{}/school/ui/", server.address).as_str()),
        "{answer}"
    );
}
