//! Bytes that are no HTTP, smuggled requests and malformed forms are refused.

use std::io::Write as _;
use std::net::Shutdown;

use serde_json::{Value, json};

use crate::attacked::{Attacked, detail_of, heard, status_of};

#[test]
fn what_is_no_http_is_refused_and_hung_up_on() {
    let server = Attacked::start();
    let long = "a".repeat(40 * 1024);
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    for (what, bytes, expected) in [
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), vec![400]),
        ("zeros", vec![0; 64], vec![400]),
        ("no header at all", b"GET /health HTTP/1.1\r\nHost x\r\n\r\n".to_vec(), vec![400]),
        ("a version of no time", b"GET /health HTTP/7.3\r\n\r\n".to_vec(), vec![400, 505]),
        ("a path that is none", b"GET \x01\x02 HTTP/1.1\r\n\r\n".to_vec(), vec![400]),
        ("a blank before the colon", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n".to_vec(), vec![400]),
        ("a folded header", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n".to_vec(), vec![400]),
        ("a zero in a header", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n".to_vec(), vec![400]),
        ("a bare return in a header", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rX: c\r\n\r\n".to_vec(), vec![400]),
        ("a huge header", format!("GET / HTTP/1.1\r\nA: {long}\r\n\r\n").into_bytes(), vec![431]),
        ("too many headers", format!("GET / HTTP/1.1\r\n{many}\r\n").into_bytes(), vec![431]),
        ("a huge path", format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000)).into_bytes(), vec![414, 431]),
        ("a head cut short", b"GET /health HTTP/1.1\r\nHost: x\r\n".to_vec(), vec![]),
    ] {
        let mut stream = server.connect();
        let _ = stream.write_all(&bytes);
        if expected.is_empty() {
            stream.shutdown(Shutdown::Write).unwrap();
        }
        let answer = heard(&mut stream);
        assert_eq!(status_of(&answer).is_some(), !expected.is_empty(), "{what}: {answer}");
        assert!(status_of(&answer).is_none_or(|status| expected.contains(&status)), "{what}: {answer}");
        server.is_well();
    }
}

/// What a proxy in front of us and we could read as different numbers of requests.
#[test]
fn a_request_cannot_be_smuggled_behind_another() {
    let server = Attacked::start();
    let hidden = "GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: hidden\r\nConnection: close\r\n\r\n";
    for (what, headers, body) in [
        ("two lengths", "Content-Length: 0\r\nContent-Length: 5\r\n", hidden),
        ("a list of lengths", "Content-Length: 0, 5\r\n", hidden),
        ("a length with a sign", "Content-Length: +0\r\n", hidden),
        ("a negative length", "Content-Length: -1\r\n", hidden),
        ("a hexadecimal length", "Content-Length: 0x0\r\n", hidden),
        ("a length beyond all numbers", "Content-Length: 99999999999999999999999\r\n", hidden),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n", hidden),
        ("chunked, and then not", "Transfer-Encoding: chunked, identity\r\n", hidden),
        ("a length and an unknown coding", "Content-Length: 0\r\nTransfer-Encoding: identity\r\n", hidden),
    ] {
        let head = format!("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let answer = server.say(&[head.as_bytes(), body.as_bytes()].concat());
        assert_eq!(status_of(&answer), Some(400), "{what}: {answer}");
        assert!(!answer.contains("x-request-id: hidden"), "{what}: {answer}");
        server.is_well();
    }
    // Both a length and chunks: the chunks count (RFC 9112, 6.3), whichever comes first, so that what the length would
    // hide is the next request, and what it would make a request is none.
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: Chunked\r\nContent-Length: 4\r\n",
    ] {
        let head = format!("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let chunk = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
        let after = "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answer = server.say(&[head.as_bytes(), chunk.as_bytes(), after.as_bytes()].concat());
        assert!(!answer.contains("x-request-id: hidden"), "{headers}: {answer}");
        assert!(answer.matches("HTTP/1.1 ").count() <= 2, "{headers}: {answer}");
        server.is_well();
    }
    for (what, chunks) in [
        ("a size that is no number", "zz\r\nabc\r\n0\r\n\r\n"),
        ("a size beyond all numbers", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        ("a negative size", "-3\r\nabc\r\n0\r\n\r\n"),
        ("no size", "\r\nabc\r\n0\r\n\r\n"),
        ("a chunk longer than it says", "2\r\nabcdef\r\n0\r\n\r\n"),
    ] {
        let head = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
        let answer = server.ask("POST", "/api/v1/students/", head, chunks.as_bytes());
        assert_eq!(status_of(&answer), Some(400), "{what}: {answer}");
        server.is_well();
    }
}

#[test]
fn malformed_forms_are_told_what_they_are() {
    let server = Attacked::start();
    let part = "--b\r\nContent-Disposition: form-data; name=\"frame\"; filename=\"a.jpg\"\r\n\r\n";
    let unreadable = "There was an error parsing the body";
    let missing = json!([{ "type": "missing", "loc": ["body", "frame"], "msg": "Field required", "input": null }]);
    let cases: Vec<(&str, &str, Vec<u8>, u16, Value)> = vec![
        ("no boundary", "multipart/form-data", b"--b--\r\n".to_vec(), 422, missing.clone()),
        ("another type", "text/plain", b"hello".to_vec(), 422, missing.clone()),
        ("an empty body", "multipart/form-data; boundary=b", Vec::new(), 400, unreadable.into()),
        (
            "another boundary",
            "multipart/form-data; boundary=b",
            b"--c\r\n\r\nx\r\n--c--\r\n".to_vec(),
            400,
            unreadable.into(),
        ),
        ("no part", "multipart/form-data; boundary=b", b"--b--\r\n".to_vec(), 422, missing.clone()),
        ("no end", "multipart/form-data; boundary=b", [part.as_bytes(), b"abc"].concat(), 400, unreadable.into()),
        (
            "a head without an end",
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form".to_vec(),
            400,
            unreadable.into(),
        ),
        (
            "a part without a name",
            "multipart/form-data; boundary=b",
            b"--b\r\nX: y\r\n\r\nabc\r\n--b--\r\n".to_vec(),
            422,
            missing.clone(),
        ),
        (
            "a name that is no UTF-8",
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=\"\xff\xfe\"\r\n\r\nabc\r\n--b--\r\n".to_vec(),
            422,
            missing,
        ),
        (
            "no picture",
            "multipart/form-data; boundary=b",
            [part.as_bytes(), b"\xff\xd8\xff\xff\xfe no\r\n--b--\r\n"].concat(),
            400,
            "Invalid image data".into(),
        ),
        (
            "nothing as a picture",
            "multipart/form-data; boundary=b",
            [part.as_bytes(), b"\r\n--b--\r\n"].concat(),
            400,
            "Invalid image data".into(),
        ),
    ];
    for (what, kind, body, status, detail) in cases {
        let headers = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        let answer = server.ask("POST", "/api/v1/detection/process-frame", &headers, &body);
        assert_eq!((status_of(&answer), detail_of(&answer)), (Some(status), Some(detail)), "{what}: {answer}");
    }
    // Ten thousand parts of nothing.
    let mut body = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n".repeat(10_000);
    body.push_str("--b--\r\n");
    let headers = format!("Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n", body.len());
    let answer = server.ask("POST", "/api/v1/detection/process-frame", &headers, body.as_bytes());
    assert_eq!(status_of(&answer), Some(422), "{answer}");
    server.is_well();
}
