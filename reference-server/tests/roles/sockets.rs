//! What stays open: the WebSocket, and the stream of a camera's pictures.

use std::time::Duration;

use axum::http::header;
use faceattend_server::net::listen::{ConnectionLimits, serve};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::common::Service;
use crate::tokens::{PASSWORD, Standing, callers, log_in};

/// Everything that is opened and stays open ends this soon after its login; the status is told every 5 seconds.
const SOON: Duration = Duration::from_secs(20);

async fn listen(service: &Service) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, service.router.clone(), ConnectionLimits::default(), std::future::pending()));
    address.to_string()
}

async fn status_of(request: impl tokio_tungstenite::tungstenite::client::IntoClientRequest + Unpin) -> u16 {
    match connect_async(request).await {
        Err(Error::Http(refused)) => refused.status().as_u16(),
        Ok(_) => 101,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_socket_opens_for_accounts_alone() {
    let service = Service::start().await;
    let callers = callers(&service).await;
    let address = listen(&service).await;
    let url = format!("ws://{address}/api/v1/detection/ws/1");
    for caller in &callers {
        let expected = if matches!(caller.standing, Standing::Account(_)) { 101 } else { 401 };
        let token = caller.token();
        assert_eq!(status_of(format!("{url}?token={token}")).await, expected, "in the query: {}", caller.name);
        let mut request = url.clone().into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", format!("bearer, {token}").parse().unwrap());
        let status = match connect_async(request).await {
            Ok(_) => 101,
            Err(Error::Http(refused)) => refused.status().as_u16(),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(status, expected, "as subprotocol: {}", caller.name);
    }
    // A handshake reaches no other route, whatever its token.
    let admin = callers.last().unwrap().token();
    for path in ["/api/v1/audit", "/api/v1/students/1/export", "/api/v1/detection/preview/1.mjpeg", "/metrics"] {
        assert_eq!(status_of(format!("ws://{address}{path}?token={admin}")).await, 403, "{path}");
    }
    // And no route but the WebSocket's takes a token from the address, which logs and histories keep.
    let mut stranger = service;
    stranger.token.clear();
    for path in ["/api/v1/audit", "/api/v1/students/", "/api/v1/detection/preview/1.mjpeg"] {
        for name in ["token", "access_token", "jwt"] {
            stranger.get(&format!("{path}?{name}={admin}")).await.is(401, "Not authenticated");
        }
    }
}

/// What ends a login, by the name of the account whose login ends.
async fn end(admin: &Service, name: &str) {
    let path = format!("/api/v1/auth/users/{name}");
    match name {
        "renewed" => assert_eq!(admin.send("PUT", &path, &json!({ "password": "battery staple" })).await.status, 200),
        "disabled" => assert_eq!(admin.send("PUT", &path, &json!({ "is_active": false })).await.status, 200),
        _ => {
            let database = admin.folder.path().join(crate::common::DATABASE);
            let database = rusqlite::Connection::open(database).unwrap();
            assert_eq!(database.execute("DELETE FROM admin_users WHERE username = ?1", [name]).unwrap(), 1);
        }
    }
}

const ENDS: [&str; 3] = ["renewed", "disabled", "deleted"];

async fn tokens(service: &Service) -> Vec<(&'static str, String)> {
    let mut tokens = Vec::new();
    for name in ENDS {
        let body = json!({ "username": name, "password": PASSWORD, "role": "admin" });
        assert_eq!(service.post("/api/v1/auth/users", &body).await.status, 200);
        tokens.push((name, log_in(service, name, PASSWORD).await["access_token"].as_str().unwrap().to_owned()));
    }
    tokens
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_ends_a_login_closes_its_web_socket() {
    let service = Service::start().await;
    let address = listen(&service).await;
    let mut links = Vec::new();
    for (name, token) in tokens(&service).await {
        let (mut link, _) = connect_async(format!("ws://{address}/api/v1/detection/ws/1?token={token}")).await.unwrap();
        link.next().await.unwrap().unwrap();
        links.push((name, link));
    }
    for name in ENDS {
        end(&service, name).await;
    }
    for (name, mut link) in links {
        let ended = tokio::time::timeout(SOON, async {
            loop {
                if let Message::Close(frame) = link.next().await.unwrap().unwrap() {
                    return frame.map(|frame| u16::from(frame.code));
                }
            }
        });
        assert_eq!(ended.await.unwrap_or_else(|_| panic!("{name}: still open")), Some(1008), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_ends_a_login_ends_its_stream_of_pictures() {
    let service = Service::start_with(|settings| {
        let live = crate::common::without_a_gate().with_preview(true);
        settings.with_live(live)
    })
    .await;
    // A recording that is longer than the test.
    let clip = service.folder.path().join("clip");
    std::fs::create_dir(&clip).unwrap();
    let picture = crate::common::picture(crate::common::GREEN, 5);
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture).unwrap();
    for at in 0..2000 {
        std::fs::write(clip.join(format!("{at:04}.png")), &bytes).unwrap();
    }
    let started = service.post("/api/v1/detection/start", &json!({ "camera_url": clip })).await;
    assert_eq!(started.status, 200, "{}", started.text);
    let status = service.get("/api/v1/detection/status").await.json();
    let cameras = status["data"]["cameras"].as_object().unwrap();
    let number = &cameras.values().next().unwrap()["id"];
    let mut streams = Vec::new();
    for (name, token) in tokens(&service).await {
        let request = axum::http::Request::get(format!("/api/v1/detection/preview/{number}.mjpeg"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(service.router.clone(), request).await.unwrap();
        assert_eq!(response.status(), 200, "{name}");
        let mut pictures = response.into_body().into_data_stream();
        let first = tokio::time::timeout(SOON, pictures.next()).await.unwrap().unwrap().unwrap();
        assert!(first.starts_with(b"--frame"), "{name}");
        streams.push((name, pictures));
    }
    for name in ENDS {
        end(&service, name).await;
    }
    for (name, mut pictures) in streams {
        let ended = tokio::time::timeout(SOON, async { while pictures.next().await.is_some() {} });
        assert!(ended.await.is_ok(), "{name}: the pictures go on");
    }
}
