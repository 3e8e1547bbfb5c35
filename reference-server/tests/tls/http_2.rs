//! HTTP/2, where the client offers it in the handshake.

use std::time::{Duration, Instant};

use axum::http::{Request, Version};
use faceattend_server::net::listen::ConnectionLimits;
use h2::client::SendRequest;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinHandle;

use crate::client::{Listening, SOON, heard};

const PATIENCE: Duration = Duration::from_millis(700);
type Bytes = axum::body::Bytes;

/// A connection of HTTP/2, and what drives it. `window` is how much of an answer the client takes.
async fn connect(server: &Listening, window: u32) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let stream = server.handshake("127.0.0.1", &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]), "HTTP/2 comes first");
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window);
    let (sends, connection) = builder.handshake(stream).await.unwrap();
    (sends, tokio::spawn(connection))
}

fn get(server: &Listening, path: &str) -> Request<()> {
    let uri = format!("https://{}{path}", server.address);
    let request = Request::get(uri).version(Version::HTTP_2);
    request.header("authorization", format!("Bearer {}", server.service.token)).body(()).unwrap()
}

async fn status_and_body(sends: &mut SendRequest<Bytes>, request: Request<()>) -> (u16, Vec<u8>) {
    let answered = async {
        let (response, _) = sends.clone().ready().await.unwrap().send_request(request, true).unwrap();
        let response = response.await.unwrap();
        let (status, mut body, mut bytes) = (response.status().as_u16(), response.into_body(), Vec::new());
        while let Some(part) = body.data().await {
            let part = part.unwrap();
            let _ = body.flow_control().release_capacity(part.len());
            bytes.extend_from_slice(&part);
        }
        (status, bytes)
    };
    tokio::time::timeout(SOON, answered).await.unwrap()
}

#[tokio::test]
async fn many_requests_share_one_connection() {
    let server = Listening::start(ConnectionLimits::default().with_connections(2)).await;
    let (sends, _driver) = connect(&server, 65_535).await;
    let asked: Vec<_> = (0..40)
        .map(|at| {
            let (mut sends, request) =
                (sends.clone(), get(&server, ["/ui/", "/ui/app.js", "/api/v1/students/"][at % 3]));
            tokio::spawn(async move { status_and_body(&mut sends, request).await })
        })
        .collect();
    for answer in asked {
        let (status, bytes) = answer.await.unwrap();
        assert!(status == 200 && !bytes.is_empty(), "{status}");
    }
}

#[tokio::test]
async fn names_redirects_and_limits_are_those_of_http_1() {
    let server = Listening::start(ConnectionLimits::default()).await;
    let (mut sends, _driver) = connect(&server, 65_535).await;
    let foreign = Request::get("https://evil.example/health").version(Version::HTTP_2).body(()).unwrap();
    assert_eq!(status_and_body(&mut sends, foreign).await.0, 421);
    let (response, _) =
        sends.clone().ready().await.unwrap().send_request(get(&server, "/api/v1/students"), true).unwrap();
    let response = response.await.unwrap();
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!((response.status().as_u16(), location), (307, format!("https://{}/api/v1/students/", server.address)));
    let long = Request::get(format!("https://{}/health", server.address)).header("x-long", "a".repeat(40_000));
    let (response, _) = sends.clone().ready().await.unwrap().send_request(long.body(()).unwrap(), true).unwrap();
    let answered = tokio::time::timeout(SOON, response).await.unwrap();
    assert!(answered.is_err() || answered.is_ok_and(|answer| answer.status().as_u16() == 431));
    server.is_well().await;
}

#[tokio::test]
async fn who_asks_nothing_is_hung_up_on() {
    let server = Listening::start(ConnectionLimits::default().with_head_within(PATIENCE)).await;
    let (mut sends, driver) = connect(&server, 65_535).await;
    assert_eq!(status_and_body(&mut sends, get(&server, "/ui/")).await.0, 200);
    let began = Instant::now();
    let ended = tokio::time::timeout(SOON, driver).await;
    assert!(ended.is_ok(), "an idle connection is kept for ever");
    assert!(began.elapsed() < SOON / 2, "{:?}", began.elapsed());
    // Not even a preface; and a head whose end never comes (a HEADERS frame without END_HEADERS, RFC 9113, 6.2).
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for bytes in [&b""[..], &[&preface[..], b"\0\0\x01\x01\0\0\0\0\x01\x82"].concat()] {
        let mut stream = server.handshake("127.0.0.1", &[b"h2"]).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let _ = heard(&mut stream).await;
    }
    server.is_well().await;
}

#[tokio::test]
async fn who_takes_no_answer_is_hung_up_on() {
    let limits = ConnectionLimits { taken_within: PATIENCE, ..ConnectionLimits::default() };
    let server = Listening::start(limits.with_head_within(PATIENCE)).await;
    // Ten bytes of an answer, and no more.
    let (sends, driver) = connect(&server, 10).await;
    let (response, _) = sends.clone().ready().await.unwrap().send_request(get(&server, "/ui/app.js"), true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    let ended = tokio::time::timeout(SOON, driver).await;
    assert!(ended.is_ok(), "a client that takes nothing keeps its connection");
    drop(response);
    server.is_well().await;
}

#[tokio::test]
async fn an_idle_connection_gives_way_to_a_newcomer() {
    let server = Listening::start(ConnectionLimits::default().with_connections(1)).await;
    let (mut sends, driver) = connect(&server, 65_535).await;
    assert_eq!(status_and_body(&mut sends, get(&server, "/health")).await.0, 200);
    tokio::time::timeout(SOON / 3, server.is_well()).await.expect("the idle connection holds the only place");
    let _ = tokio::time::timeout(SOON, driver).await.expect("it was told to leave");
}
