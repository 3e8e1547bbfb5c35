//! Cameras that speak HTTP in their own ways, in every build.

use std::io::{Cursor, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{GREEN, Service, picture};

const START: &str = "/api/v1/detection/start";

/// A camera that answers each question with `head` and then `body`, again after each `pause` unless it is zero.
fn camera(head: String, body: Vec<u8>, pause: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, head, body) = (stream.unwrap(), head.clone(), body.clone());
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(head.as_bytes());
                while stream.write_all(&body).is_ok() && !pause.is_zero() {
                    std::thread::sleep(pause);
                }
            });
        }
    });
    address
}

/// A picture of the person with this identity, as a camera sends it.
fn jpeg(identity: u8) -> Vec<u8> {
    let png = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture(GREEN, identity)).unwrap();
    let mut bytes = Cursor::new(Vec::new());
    image::load_from_memory(&png).unwrap().to_rgb8().write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// What the status says of the camera once `is_told` holds for it.
async fn status(service: &Service, url: &str, is_told: impl Fn(&Value) -> bool) -> Value {
    let mut camera = Value::Null;
    for _ in 0..200 {
        let answer = service.get("/api/v1/detection/status").await.json();
        camera = answer["data"]["cameras"][url].clone();
        if is_told(&camera) {
            return camera;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never told: {camera}");
}

async fn is_marked(service: &Service, name: &str) {
    for _ in 0..200 {
        if service.get("/api/v1/attendance/").await.text.contains(name) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} was never marked");
}

async fn start(service: &Service, url: &str) {
    let started = service.post(START, &json!({ "camera_url": url, "camera_location": "Gate" })).await;
    assert_eq!(started.status, 200, "{}", started.text);
}

async fn with_asha() -> Service {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    service.register("Asha", "R1", &session).await;
    service
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_passes_before_a_stream_without_a_first_boundary_and_with_wrong_lengths_is_marked() {
    let service = with_asha().await;
    let head = "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=\"--a\"\r\n\r\n".to_owned();
    let part = [&b"Content-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n"[..], &jpeg(5), b"\r\n----a\r\n"].concat();
    let url = format!("http://{}/video", camera(head, part, Duration::from_millis(50)));
    start(&service, &url).await;
    is_marked(&service, "Asha").await;
    let seen = status(&service, &url, |_| true).await;
    assert_eq!((&seen["is_running"], &seen["last_error"]), (&json!(true), &Value::Null), "{seen}");
    service.post("/api/v1/detection/stop-all", &json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_on_the_pictures_of_an_address_of_single_pictures_is_marked() {
    let service = with_asha().await;
    let picture = jpeg(5);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.len());
    let url = format!("http://{}/snapshot.jpg", camera(head, picture, Duration::ZERO));
    start(&service, &url).await;
    is_marked(&service, "Asha").await;
    let seen = status(&service, &url, |_| true).await;
    assert_eq!((&seen["is_running"], &seen["last_error"]), (&json!(true), &Value::Null), "{seen}");
    service.post("/api/v1/detection/stop-all", &json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_says_which_of_four_causes_keeps_a_camera_away() {
    let service = Service::start().await;
    let answering = |head: &str| camera(format!("HTTP/1.1 {head}\r\n\r\n"), Vec::new(), Duration::ZERO);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, words) in [
        (nobody, "refused"),
        (answering("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"cam\""), "password"),
        (answering("404 Not Found"), "nothing at this path"),
        (answering("200 OK\r\nContent-Type: text/html"), "no video"),
    ] {
        let (url, shown) = (format!("http://admin:S3CRET@{address}/v"), format!("http://admin:***@{address}/v"));
        start(&service, &url).await;
        let told = status(&service, &shown, |camera| camera["last_error"].is_string()).await;
        let error = told["last_error"].as_str().unwrap();
        assert!(error.contains(words) && !error.contains("S3CRET"), "{error}, not {words}");
    }
    service.post("/api/v1/detection/stop-all", &json!({})).await;
}
