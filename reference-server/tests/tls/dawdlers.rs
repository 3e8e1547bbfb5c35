//! Who dawdles over a handshake or sends rubbish takes nobody's place: the limits of plain HTTP hold for TLS too.

use std::time::{Duration, Instant};

use faceattend_server::net::listen::ConnectionLimits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Listening, SOON, heard};

/// The head of a record that announces a handshake of 512 bytes (RFC 8446, 5.1).
const ANNOUNCED: [u8; 5] = [22, 3, 1, 2, 0];
const PATIENCE: Duration = Duration::from_millis(700);

fn limits() -> ConnectionLimits {
    ConnectionLimits::default().with_connections(4).with_head_within(PATIENCE)
}

/// Connections of clients that never finish their handshakes, each in its way.
async fn dawdlers(server: &Listening) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for bytes in [&[][..], &ANNOUNCED[..1], &ANNOUNCED, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut stream = server.plain().await;
        stream.write_all(bytes).await.unwrap();
        all.push(stream);
    }
    all
}

#[tokio::test]
async fn who_never_finishes_a_handshake_is_hung_up_on() {
    let server = Listening::start(limits().with_connections(64)).await;
    let mut all = dawdlers(&server).await;
    let mut dripping = server.plain().await;
    let began = Instant::now();
    // Each drop comes well within the patience: it is the whole that has to arrive in time.
    let dripped = async {
        for byte in ANNOUNCED.iter().chain(&[0; 400]) {
            if dripping.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(PATIENCE / 7).await;
        }
    };
    tokio::time::timeout(SOON / 2, dripped).await.expect("the handshake was waited for all the while");
    for stream in &mut all {
        assert_eq!(heard(stream).await, "");
    }
    assert!(began.elapsed() < SOON / 2, "{:?}", began.elapsed());
    server.is_well().await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_gives_way_to_a_newcomer() {
    // Nothing but newcomers moves them in time.
    let server = Listening::start(limits().with_head_within(SOON * 2)).await;
    let held = dawdlers(&server).await;
    for _ in 0..8 {
        let asked = tokio::time::timeout(SOON / 3, server.is_well()).await;
        assert!(asked.is_ok(), "{} unfinished handshakes hold every place", held.len());
    }
}

#[tokio::test]
async fn when_every_place_is_at_work_a_newcomer_hears_so_over_tls() {
    let server = Listening::start_with(limits(), |settings| settings.with_body_within(SOON)).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut stream = server.connect().await;
        let head = format!(
            "POST /api/v1/students/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: \
             application/json\r\nContent-Length: 1000\r\n\r\n{{",
            server.service.token
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        held.push(stream);
    }
    tokio::time::sleep(PATIENCE / 2).await;
    let refused = server.ask("GET /api/v1/ping").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    server.is_well().await;
    // A browser would rather speak HTTP/2, and is answered in what is left.
    let mut offered = server.handshake("127.0.0.1", &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(offered.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let ready = crate::client::ask(&mut offered, server.address, "GET /ready").await;
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
}

#[tokio::test]
async fn heads_and_bodies_have_their_time_over_tls_too() {
    let server = Listening::start_with(limits(), |settings| settings.with_body_within(PATIENCE)).await;
    let mut idle = server.connect().await;
    let mut head = server.connect().await;
    head.write_all(b"GET /health HTTP/1.1\r\nA:").await.unwrap();
    let mut body = server.connect().await;
    let start = format!(
        "POST /api/v1/students/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{{",
        server.service.token
    );
    body.write_all(start.as_bytes()).await.unwrap();
    assert_eq!(heard(&mut idle).await, "");
    let answer = heard(&mut head).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    let answer = heard(&mut body).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    server.is_well().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_hung_up_on_over_tls() {
    let limits = ConnectionLimits { taken_within: PATIENCE, ..limits() };
    let server = Listening::start(limits).await;
    let mut stream = server.connect().await;
    // Far more than the system buffers for one connection.
    let one = format!("GET /openapi.json HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let asked = async {
        for _ in 0..400 {
            if stream.write_all(one.as_bytes()).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(PATIENCE * 4).await;
    };
    let _ = tokio::time::timeout(PATIENCE * 6, asked).await;
    let mut bytes = Vec::new();
    let ended = tokio::time::timeout(SOON, stream.read_to_end(&mut bytes)).await;
    // Cut in the middle of an answer: TLS says when an end is none.
    assert!(matches!(ended, Ok(Err(_))), "{ended:?} after {} bytes", bytes.len());
    server.is_well().await;
}

#[tokio::test]
async fn rubbish_ends_its_own_connection_alone() {
    let server = Listening::start(limits()).await;
    for rubbish in [&[22, 3, 1, 0, 5, 1, 2, 3, 4, 5][..], &[22; 4000], &[0; 300], b"\x15\x03\x01\x00\x02\x02\x28"] {
        let mut stream = server.plain().await;
        stream.write_all(rubbish).await.unwrap();
        let _ = heard(&mut stream).await;
    }
    server.is_well().await;
}
