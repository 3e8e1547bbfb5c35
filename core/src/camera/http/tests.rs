//! Cameras of many habits, played by a server that writes what it is given.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::camera::open;
use crate::camera::tests::{color_of, jpegs};
use crate::error::ErrorKind;

const MULTIPART: &str = "multipart/x-mixed-replace; boundary=frame";

/// A camera that hands each question to `answer` with the connection; its address, and the questions.
fn camera(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, questions) = channel();
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer, asked) = (stream.unwrap(), answer.clone(), asked.clone());
            std::thread::spawn(move || {
                let mut question = Vec::new();
                let mut byte = [0];
                while !question.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
                    question.push(byte[0]);
                }
                let question = String::from_utf8(question).unwrap();
                let _ = asked.send(question.clone());
                answer(&question, &mut stream);
            });
        }
    });
    (address, questions)
}

/// A camera that always answers with these bytes.
fn saying(bytes: Vec<u8>) -> SocketAddr {
    camera(move |_, stream| drop(stream.write_all(&bytes))).0
}

fn options() -> OpenOptions {
    OpenOptions::default().with_timeouts(Duration::from_secs(5), Duration::from_secs(2))
}

fn source(url: &str) -> CameraSource {
    CameraSource::parse(url).unwrap()
}

fn head(fields: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").into_bytes()
}

fn part(delimiter: &str, fields: &str, picture: &[u8]) -> Vec<u8> {
    [format!("{delimiter}\r\nContent-Type: image/jpeg\r\n{fields}\r\n").as_bytes(), picture, b"\r\n"].concat()
}

/// The colors of the first five frames that come from the address.
fn colors(address: SocketAddr, path: &str) -> Vec<usize> {
    let mut camera = open(&source(&format!("http://{address}{path}")), &options()).unwrap();
    (0..5).map(|_| color_of(&camera.next_frame().unwrap().unwrap())).collect()
}

fn error(address: SocketAddr, login: &str) -> String {
    let opened = open(&source(&format!("http://{login}{address}/video")), &options());
    let error = opened.and_then(|mut camera| camera.next_frame()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Camera, "{error}");
    error.to_string()
}

#[test]
fn a_stream_is_read_however_its_parts_are_set_apart() {
    let length =
        |picture: &[u8], off: i64| format!("Content-Length: {}\r\n", i64::try_from(picture.len()).unwrap() + off);
    let stream = |delimiter: &str, fields: &dyn Fn(&[u8]) -> String| -> Vec<u8> {
        jpegs().iter().flat_map(|picture| part(delimiter, &fields(picture), picture)).collect()
    };
    let usual = stream("--frame", &|picture| length(picture, 0));
    let unix_lines = String::from_utf8_lossy(b"--frame\nContent-Type: image/jpeg\n\n").into_owned();
    let unix: Vec<u8> = jpegs().iter().flat_map(|jpeg| [unix_lines.as_bytes(), jpeg, b"\n"].concat()).collect();
    let without_end: Vec<u8> = jpegs().iter().flat_map(|jpeg| part("--frame", "", &jpeg[..jpeg.len() - 2])).collect();
    let mut chunked = Vec::new();
    for piece in usual.chunks(1000) {
        chunked.extend(format!("{:x};a=b\r\n", piece.len()).into_bytes());
        chunked.extend([piece, b"\r\n"].concat());
    }
    chunked.extend(b"0\r\n\r\n");
    for (habit, kind, body) in [
        ("as the standard has it", MULTIPART, usual.clone()),
        ("dashes in the name", "multipart/x-mixed-replace; boundary=--frame", usual.clone()),
        ("no dashes at all", MULTIPART, stream("frame", &|_| String::new())),
        ("quotes", "multipart/x-mixed-replace; boundary=\"fr ame\"", stream("--fr ame", &|_| String::new())),
        ("another boundary than promised", "multipart/mixed;boundary=other", usual.clone()),
        ("upper case", "Multipart/X-Mixed-Replace;Boundary=frame", usual.clone()),
        ("no boundary first", MULTIPART, usual[b"--frame\r\n".len()..].to_vec()),
        ("no boundary ever", MULTIPART, jpegs().concat()),
        ("a length that is too short", MULTIPART, stream("--frame", &|picture| length(picture, -100))),
        ("a length that is too long", MULTIPART, stream("--frame", &|picture| length(picture, 100))),
        ("more fields", MULTIPART, stream("--frame", &|_| "X-Timestamp: 1\r\nX-Note: a:b\r\n".to_owned())),
        ("line feeds alone", MULTIPART, unix),
        ("no end markers", MULTIPART, without_end),
        ("no type that says so", "application/octet-stream", usual.clone()),
        ("a type of its own", "video/x-motion-jpeg", jpegs().concat()),
        ("pictures one after the other", "image/jpeg", jpegs().concat()),
        ("chunks", "multipart/x-mixed-replace; boundary=frame\r\nTransfer-Encoding: chunked", chunked),
        (
            "chunks that are none",
            "multipart/x-mixed-replace; boundary=frame\r\nTransfer-Encoding: chunked",
            usual.clone(),
        ),
        ("a length of the whole", "multipart/x-mixed-replace; boundary=frame\r\nContent-Length: 7", usual.clone()),
    ] {
        // The last one is handed out when the next begins, or at the end.
        let address = saying([head(&format!("Content-Type: {kind}")), body].concat());
        assert_eq!(colors(address, "/"), [0, 1, 2, 3, 4], "{habit}");
    }
    for start in ["HTTP/1.0 200 OK\n", "ICY 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\n"] {
        let head = format!("{start}content-type :{MULTIPART}\nX-Long: a\n b\n\n");
        assert_eq!(colors(saying([head.into_bytes(), usual.clone()].concat()), "/"), [0, 1, 2, 3, 4], "{start}");
    }
}

#[test]
fn an_address_that_answers_with_one_picture_is_asked_again_and_again() {
    for kind in ["image/jpeg", "image/jpg; charset=x", "text/plain", "application/octet-stream"] {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let (address, questions) = camera(move |_, stream| {
            let picture = &jpegs()[count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 5];
            let fields = format!("Content-Type: {kind}\r\nContent-Length: {}", picture.len());
            let _ = stream.write_all(&[head(&fields), picture.clone()].concat());
            // A server that keeps the connection although it was asked to close it.
            std::thread::sleep(Duration::from_secs(20));
        });
        let begun = Instant::now();
        assert_eq!(colors(address, "/snap.jpg?x=1"), [0, 1, 2, 3, 4], "{kind}");
        assert!(begun.elapsed() >= 4 * SNAPSHOT_EVERY && begun.elapsed() < Duration::from_secs(4));
        assert!(questions.recv().unwrap().starts_with("GET /snap.jpg?x=1 HTTP/1.1\r\n"));
    }
}

#[test]
fn each_cause_has_its_own_words() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let status = |status: &str| saying(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes());
    let page = |kind: &str| saying([head(&format!("Content-Type: {kind}")), b"<html></html>".to_vec()].concat());
    for (address, login, expected) in [
        (closed, "", "the connection is refused"),
        (status("401 Unauthorized"), "", "asks for a user name"),
        (status("401 Unauthorized"), "admin:S3CRET@", "refuses the user name or the password"),
        (status("403 Forbidden"), "", "forbids"),
        (status("404 Not Found"), "", "nothing at this path (404)"),
        (status("503 Busy"), "", "an error (503)"),
        (status("302 Found\r\nLocation: http://10.0.0.1/"), "", "redirects"),
        (page("text/html"), "", "no video at this address: it answers with text/html"),
        (page("image/svg+xml"), "", "no video"),
        (saying(head("Content-Type: image/jpeg")), "", "without a picture"),
        (saying(b"220 smtp ready\r\n".to_vec()), "", "not one of HTTP"),
        (saying(Vec::new()), "", "without an answer"),
    ] {
        let error = error(address, login);
        assert!(error.contains(expected) && !error.contains("S3CRET"), "{error}, not {expected}");
    }
}

#[test]
fn a_camera_that_falls_silent_is_given_up_in_time() {
    let short = Duration::from_millis(300);
    let options = OpenOptions::default().with_timeouts(short, short);
    for start in [Vec::new(), b"HTTP/1.1 200 OK\r\n".to_vec(), [head(MULTIPART), vec![0xFF, 0xD8, 0xFF]].concat()] {
        let (address, _questions) = camera(move |_, stream| {
            let _ = stream.write_all(&start);
            // A byte now and then is no answer.
            for _ in 0..50 {
                std::thread::sleep(Duration::from_millis(100));
                if stream.write_all(b"\0").is_err() {
                    return;
                }
            }
        });
        let begun = Instant::now();
        let opened = open(&source(&format!("http://{address}/")), &options);
        assert!(opened.and_then(|mut camera| camera.next_frame()).is_err());
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}

#[test]
fn the_login_is_sent_when_it_is_asked_for_and_to_the_same_host_alone() {
    for (challenge, sent) in [
        ("Basic realm=\"cam\"", "Authorization: Basic YWRtaW46cEBzcw=="),
        ("Digest realm=\"cam\", nonce=\"n\", qop=\"auth\", algorithm=MD5", "Authorization: Digest username=\"admin\""),
    ] {
        let (address, questions) = camera(move |question, stream| {
            let picture = &jpegs()[0];
            let answer = match (question.contains("Authorization"), question.starts_with("GET /moved ")) {
                (false, _) => {
                    format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n\r\n").into_bytes()
                }
                (true, false) => b"HTTP/1.1 301 Moved\r\nLocation: /moved\r\n\r\n".to_vec(),
                (true, true) => [head("Content-Type: image/jpeg"), picture.clone()].concat(),
            };
            let _ = stream.write_all(&answer);
        });
        let mut camera = open(&source(&format!("http://admin:p%40ss@{address}/")), &options()).unwrap();
        assert!(camera.next_frame().unwrap().is_some() && camera.next_frame().unwrap().is_some());
        let asked: Vec<String> = questions.try_iter().collect();
        assert!(!asked[0].contains("Authorization"), "{asked:?}");
        assert!(asked[1..].iter().all(|question| question.contains(sent)), "{asked:?}");
    }
}

#[test]
fn a_damaged_picture_costs_itself_and_no_other() {
    let pictures = jpegs();
    let cut = |picture: &Vec<u8>| part("--frame", "", &picture[..picture.len() / 2]);
    let whole = |picture: &Vec<u8>| part("--frame", "", picture);
    let body = [whole(&pictures[0]), cut(&pictures[1]), whole(&pictures[2]), whole(&pictures[3])].concat();
    let address = saying([head(&format!("Content-Type: {MULTIPART}")), body].concat());
    let mut camera = open(&source(&format!("http://{address}/")), &options()).unwrap();
    let mut seen = Vec::new();
    loop {
        match camera.next_frame() {
            Ok(frame) => seen.push(frame.map(|frame| color_of(&frame))),
            Err(error) if error.kind() == ErrorKind::InvalidImage => seen.push(None),
            Err(error) => {
                assert!(error.to_string().contains("the stream ended"), "{error}");
                break;
            }
        }
    }
    assert_eq!(seen, [Some(0), None, Some(2), Some(3)]);
}

#[test]
fn a_picture_without_an_end_takes_no_more_memory_than_its_limit() {
    let start = &jpegs()[0];
    let scan = start.windows(2).position(|at| at == [0xFF, 0xDA]).unwrap();
    let endless = [&start[..scan + 14], &vec![7; 100_000], start].concat();
    let (pictures, most) = pictures_of(&endless, 4096, 10_000, "frame");
    assert!(most <= 10_000 + 4096, "{most}");
    assert_eq!(pictures.last(), Some(start));
}

#[test]
fn a_thumbnail_is_no_picture() {
    let picture = &jpegs()[1];
    let thumbnail = &jpegs()[0];
    let length = u16::try_from(thumbnail.len() + 2).unwrap().to_be_bytes();
    let with = [&picture[..2], &[0xFF, 0xE1], &length, thumbnail, &picture[2..]].concat();
    assert_eq!(pictures_of(&with, 1, 1 << 20, "").0, std::slice::from_ref(&with));
}

proptest! {
    #[test]
    fn the_pictures_do_not_depend_on_how_the_bytes_arrive(
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 5),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        piece in 1usize..500,
    ) {
        let mut stream: Vec<u8> = jpegs().iter().zip(noise).flat_map(|(jpeg, noise)| [noise, jpeg.clone()].concat())
            .collect();
        for (at, value) in damage {
            let at = at.index(stream.len());
            stream[at] = value;
        }
        let (whole, _) = pictures_of(&stream, stream.len(), 1 << 20, "");
        prop_assert_eq!(pictures_of(&stream, piece, 1 << 20, "").0, whole);
    }
}
