//! Which cameras and recordings who may start, and what an address shows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::opencv::opencv_is_there;
use common::{Answer, GREEN, Service, picture, without_a_gate};
use faceattend_core::camera::CameraAccess;
use serde_json::{Value, json};

const START: &str = "/api/v1/detection/start";
const NOT_PERMITTED: &str = "This camera or recording is not there, or only an admin may start it";

/// The service as an operator sees it, who may start what `access` says.
async fn as_operator(access: CameraAccess) -> (Service, Service) {
    let live = without_a_gate().with_camera_access(access);
    let admin = Service::start_with(|settings| settings.with_live(live)).await;
    let operator = admin.account("op", "operator").await;
    (admin, operator)
}

async fn start(service: &Service, url: &str) -> Answer {
    service.post(START, &json!({ "camera_url": url })).await
}

async fn cameras(service: &Service) -> Value {
    service.get("/api/v1/detection/status").await.json()["data"]["cameras"].clone()
}

#[tokio::test]
async fn an_operator_starts_cameras_of_private_networks_and_no_file() {
    let (admin, operator) = as_operator(CameraAccess::default()).await;
    let there = admin.folder.path().join("there.avi");
    std::fs::write(&there, b"x").unwrap();
    let there = there.to_str().unwrap();
    for url in [
        there,
        "/etc/passwd",
        "/etc/no-such-file",
        "no-such-file.avi",
        "/dev/watchdog",
        "http://127.0.0.1:9200/",
        "http://localhost:9200/",
        "http://169.254.169.254/latest/meta-data",
        "rtsp://8.8.8.8/1",
        "rtsp://no-such-host.invalid/1",
        "rtsp://8.8.8.8/@192.168.0.1/",
        "rtmp://192.168.0.9/1",
    ] {
        start(&operator, url).await.is(403, NOT_PERMITTED);
    }
    assert_eq!(cameras(&operator).await, json!({}), "nothing was opened");
    for url in ["rtsp://192.168.213.7:9/1", "0"] {
        assert_eq!(start(&operator, url).await.status, 200, "{url}");
    }
    operator.post("/api/v1/detection/stop-all", &json!({})).await;
    // As recorded.
    for url in ["/etc/no-such-file", "", there, "http://127.0.0.1:1/"] {
        assert_eq!(start(&admin, url).await.status, 200, "{url}");
    }
    admin.post("/api/v1/detection/stop-all", &json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_plays_the_recordings_of_the_folders_that_were_named() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip");
    std::fs::create_dir(&clip).unwrap();
    let png = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture(GREEN, 5)).unwrap();
    std::fs::write(clip.join("1.png"), png).unwrap();
    let access = CameraAccess::default().with_folders(vec![folder.path().to_owned()]);
    let (_admin, operator) = as_operator(access).await;
    let clip = clip.to_str().unwrap();
    assert_eq!(start(&operator, clip).await.status, 200);
    let mut played = Value::Null;
    for _ in 0..100 {
        played = cameras(&operator).await[clip].clone();
        if played["is_running"] == false {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((&played["frame_count"], &played["last_error"]), (&json!(1), &Value::Null), "{played}");
    start(&operator, &format!("{clip}/2.avi")).await.is(403, NOT_PERMITTED);
    start(&operator, &format!("{clip}/../../passwd")).await.is(403, NOT_PERMITTED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_of_a_mistyped_address_is_shown_nowhere() {
    let service = Service::start().await;
    let urls = [
        ("rtsp:/admin:S3CRET@127.0.0.1:1/s", "***@127.0.0.1:1/s"),
        ("admin:S3CRET@127.0.0.1/s", "***@127.0.0.1/s"),
        ("http://127.0.0.1:1/s?pw=S3CRET&pin=S3CRET&channel=2", "http://127.0.0.1:1/s?pw=***&pin=***&channel=2"),
        ("rtsp://127.0.0.1:1/user=a&word=S3CRET", "rtsp://127.0.0.1:1/user=***&word=***"),
    ];
    let mut told = Vec::new();
    for (url, shown) in urls {
        let started = start(&service, url).await;
        assert_eq!(started.status, 200, "{}", started.text);
        assert_eq!(started.json()["data"]["camera_url"], shown);
        told.push(started.text);
    }
    let browser = service.post(START, &json!({ "camera_source": "rtsp:/admin:S3CRET@127.0.0.1/s" })).await;
    told.push(browser.text);
    let refused = start(&service, "gopher://admin:S3CRET@host/s").await;
    assert_eq!(refused.status, 400);
    told.push(refused.text);
    // Until both files were tried for the last time, and say why they failed.
    for _ in 0..100 {
        let status = cameras(&service).await;
        if urls[..2].iter().all(|(_, shown)| status[shown]["is_running"] == false) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let status = cameras(&service).await;
    assert!(status[urls[0].1]["last_error"].is_string(), "{status}");
    told.push(status.to_string());
    for path in ["/api/v1/detection/logs", "/api/v1/audit", "/metrics?format=prometheus"] {
        told.push(service.get(path).await.text);
    }
    // What the status shows stops it.
    for (_, shown) in urls {
        told.push(service.post("/api/v1/detection/stop", &json!({ "camera_url": shown })).await.text);
    }
    assert_eq!(cameras(&service).await, json!({}));
    assert!(told.iter().all(|text| !text.contains("S3CRET")), "{told:#?}");
}

/// A server that answers every connection, and sends the path of each request.
fn http_server(answer: String) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, paths) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 1024];
            let read = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let _ = stream.write_all(answer.as_bytes());
            if asked.send(head.split(' ').nth(1).unwrap_or_default().to_owned()).is_err() {
                return;
            }
        }
    });
    (port, paths)
}

/// `faceattend serve`, which is killed when it is dropped.
struct Serving(Child, String);

impl Serving {
    fn start(folder: &std::path::Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
        for name in ["FACEATTEND_DATABASE", "FACEATTEND_DATA_DIR", "FACEATTEND_CONFIG", "FACEATTEND_SERVER_NAME"] {
            command.env_remove(name);
        }
        command.args(["serve", "--port", "0", "--data-dir"]).arg(folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("http://")?.1.split(',').next()?.to_owned()));
        let serving = Self(child, address.expect("the server listens"));
        std::thread::spawn(move || lines.for_each(drop));
        serving
    }

    fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("http://{}{path}", self.1)).header("Content-Type", "application/json");
        let mut answer = request.header("Authorization", format!("Bearer {token}")).send(body.to_string()).unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_camera_sends_the_server_nowhere_else() {
    if !cfg!(unix) || !opencv_is_there() {
        return;
    }
    let (inner, reached) = http_server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into());
    let (outer, asked) = http_server(format!(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{inner}/internal\r\nContent-Length: 0\r\nConnection: \
         close\r\n\r\n"
    ));
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path());
    let admin = json!({ "username": "admin", "password": "admin123" });
    let tokens = server.post("/api/v1/auth/login", "", &admin);
    let token = tokens["access_token"].as_str().unwrap();
    let url = format!("http://127.0.0.1:{outer}/camera.mjpeg");
    assert_eq!(server.post(START, token, &json!({ "camera_url": url }))["success"], true);
    // Opened twice: the first redirection has been dealt with by then.
    for _ in 0..2 {
        while asked.recv_timeout(Duration::from_secs(30)).expect("the camera is asked") != "/camera.mjpeg" {}
    }
    assert_eq!(reached.try_recv().ok(), None, "a redirection was followed");
}
