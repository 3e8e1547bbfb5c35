//! Cameras: slow ones, turned ones, mistyped addresses.

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use faceattend_core::camera::Orientation;
use faceattend_server::{GateSettings, Mountings};
use serde_json::{Value, json};

use crate::common::opencv::opencv_is_there;
use crate::common::{Answer, BLACK, GREEN, Service, picture, without_a_gate};

const START: &str = "/api/v1/detection/start";

async fn with_asha(service: &Service) -> Value {
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    service.register("Asha", "R1", &session).await.json()["data"]["student_id"].clone()
}

async fn marks(service: &Service) -> usize {
    service.get("/api/v1/attendance/").await.json()["items"].as_array().unwrap().len()
}

/// Sends pictures of a browser so many milliseconds apart; returns the answers.
async fn browser(service: &Service, apart: u64, pictures: &[String]) -> Vec<Value> {
    let started = service.post(START, &json!({ "camera_source": "webcam" })).await.json();
    let mut seen = Vec::new();
    for picture in pictures {
        let body = json!({ "image_data": picture, "session_id": started["session_id"] });
        seen.push(service.post("/api/v1/detection/frame", &body).await.json());
        tokio::time::sleep(Duration::from_millis(apart)).await;
    }
    let stop = json!({ "session_id": started["session_id"] });
    service.post("/api/v1/detection/stop", &stop).await;
    seen
}

#[tokio::test]
async fn pictures_more_than_a_second_apart_still_mark() {
    let service = Service::start().await;
    let asha = with_asha(&service).await;
    let seen = browser(&service, 1300, &vec![picture(GREEN, 5); 4]).await;
    assert_eq!(seen[3]["matches"][0]["student_id"], asha, "{seen:#?}");
    assert_eq!(seen[3].get("problems"), None, "it names people");
    assert_eq!(marks(&service).await, 1);
}

#[tokio::test]
async fn pictures_too_far_apart_for_who_passes_are_said_to_be() {
    let service = Service::start().await;
    with_asha(&service).await;
    let pictures = [GREEN, BLACK, BLACK, BLACK].map(|color| picture(color, 5));
    let seen = browser(&service, 1300, &pictures).await;
    let problem = &seen[3]["problems"][0];
    assert_eq!(problem["code"], "too_slow", "{seen:#?}");
    assert!(problem["message"].as_str().unwrap().starts_with("too slow: a picture every 1.3 s"), "{problem}");
}

#[tokio::test]
async fn a_slow_source_at_a_gate_asks_for_a_second_look() {
    let live = without_a_gate().with_gate(GateSettings::default().with_wait(jiff::SignedDuration::from_secs(2)));
    let service = Service::start_with(|settings| settings.with_live(live)).await;
    with_asha(&service).await;
    browser(&service, 1300, &vec![picture(GREEN, 5); 5]).await;
    assert_eq!(marks(&service).await, 0, "nobody has seen her live");
    let looks = service.get("/api/v1/attendance/second-looks").await.json();
    assert_eq!(looks["items"][0]["student_name"], "Asha", "{looks}");
}

/// A folder of pictures of Asha by a camera that is mounted like this, as a recording.
fn clip(service: &Service, name: &str, turn: impl Fn(&image::DynamicImage) -> image::DynamicImage) -> String {
    let folder = service.folder.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    let upright = base64::engine::general_purpose::STANDARD.decode(picture(GREEN, 5)).unwrap();
    let turned = turn(&image::load_from_memory(&upright).unwrap());
    for at in 0..4 {
        turned.save(folder.join(format!("{at}.png"))).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

/// Plays a recording to its end; returns what the status says of it.
async fn played(service: &Service, body: &Value) -> Value {
    let started = service.post(START, body).await;
    assert_eq!(started.status, 200, "{}", started.text);
    let url = body["camera_url"].as_str().unwrap();
    let mut camera = Value::Null;
    for _ in 0..200 {
        camera = service.get("/api/v1/detection/status").await.json()["data"]["cameras"][url].clone();
        if camera["is_running"] == false {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    camera
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_is_mounted_upside_down_or_mirrored_is_set_upright_by_its_place_or_its_start() {
    let hall = ("Hall".to_owned(), Orientation::HalfTurn);
    let mountings = Mountings::default().with_orientations([hall]).with_mirrored(["Mirror".to_owned()]);
    let live = without_a_gate().with_mountings(mountings);
    let service = Service::start_with(|settings| settings.with_live(live)).await;
    with_asha(&service).await;
    let upside_down = clip(&service, "upside-down", image::DynamicImage::rotate180);
    let on_its_side = clip(&service, "side", image::DynamicImage::rotate90);
    let mirrored = clip(&service, "mirrored", image::DynamicImage::fliph);
    let both = clip(&service, "both", |upright| upright.fliph().rotate270());
    for (body, orientation, mirror, expected) in [
        (json!({ "camera_url": upside_down }), 0, false, 0),
        (json!({ "camera_url": upside_down, "camera_location": "Hall" }), 180, false, 1),
        (json!({ "camera_url": upside_down, "orientation": 180 }), 180, false, 1),
        (json!({ "camera_url": on_its_side, "orientation": 270, "mirror": null }), 270, false, 1),
        (json!({ "camera_url": mirrored, "camera_location": "Mirror" }), 0, true, 1),
        (json!({ "camera_url": mirrored, "camera_location": "Mirror", "mirror": false }), 0, false, 0),
        (json!({ "camera_url": both, "orientation": 90, "mirror": true }), 90, true, 1),
    ] {
        let before = service.get("/api/v1/attendance/").await.json();
        for row in before["items"].as_array().unwrap() {
            service.send("DELETE", &format!("/api/v1/attendance/{}", row["id"]), &json!({})).await;
        }
        let camera = played(&service, &body).await;
        assert_eq!((&camera["orientation"], &camera["mirror"]), (&json!(orientation), &json!(mirror)), "{camera}");
        assert_eq!(camera["problems"], json!([]), "{camera}");
        assert_eq!(marks(&service).await, expected, "{body}");
    }
    let refused = service.post(START, &json!({ "camera_url": upside_down, "orientation": 45 })).await;
    refused.is(400, "Error starting face detection: invalid orientation: 45 is none of 0, 90, 180, 270");
}

async fn start(service: &Service, url: &str) -> Answer {
    service.post(START, &json!({ "camera_url": url })).await
}

#[tokio::test]
async fn an_address_without_a_host_or_with_a_line_break_is_refused() {
    let service = Service::start().await;
    for url in [
        "rtsp://",
        "RTSP://",
        "rtsp:///stream",
        "http://?a=b",
        "rtsp://admin:pw@",
        "rtsp://127.0.0.1:1/a\r\nX-Header: y",
        "rtsp://127.0.0.1:1/a\n",
        "clip\u{7}.avi",
    ] {
        let refused = start(&service, url).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{url:?}: {}", refused.text);
    }
    let status = service.get("/api/v1/detection/status").await.json();
    assert_eq!(status["data"]["cameras"], json!({}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_raw_signs_of_a_password_reach_the_host_that_is_meant() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, questions) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut head = [0; 1024];
            let read = std::io::Read::read(&mut stream.unwrap(), &mut head).unwrap_or(0);
            if asked.send(String::from_utf8_lossy(&head[..read]).into_owned()).is_err() {
                return;
            }
        }
    });
    let service = Service::start().await;
    for (scheme, password) in [("rtsp", "S3#CRET"), ("RTSP", "S3/CR?ET"), ("rtsp", "S3@CR/ET"), ("Http", "S3#C?R/ET@")]
    {
        let url = format!("{scheme}://admin:{password}@127.0.0.1:{port}/live");
        let started = start(&service, &url).await;
        assert_eq!(started.status, 200, "{}", started.text);
        let shown = started.json()["data"]["camera_url"].clone();
        assert_eq!(shown, format!("{scheme}://admin:***@127.0.0.1:{port}/live"));
        let shown = shown.as_str().unwrap();
        // It hangs up, so the camera has failed and says why.
        let mut camera = Value::Null;
        for _ in 0..200 {
            camera = service.get("/api/v1/detection/status").await.json()["data"]["cameras"][shown].clone();
            if camera["state"] == "failed" {
                break;
            }
            assert_eq!(camera["state"], "connecting", "{camera}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(camera["state"], "failed", "{camera}");
        assert!(camera["last_error"].is_string() && !camera.to_string().contains("S3"), "{camera}");
        if opencv_is_there() {
            let question = questions.recv_timeout(Duration::from_secs(5)).unwrap();
            assert!(question.contains("/live"), "{question}");
        }
        let stopped = service.post("/api/v1/detection/stop", &json!({ "camera_url": url })).await;
        assert_eq!(stopped.status, 200);
        while questions.try_recv().is_ok() {}
    }
}

#[tokio::test]
async fn on_a_machine_without_cameras_a_switch_answers_as_recorded() {
    if !faceattend_core::camera::devices().is_empty() {
        return;
    }
    let service = Service::start().await;
    let switch = async |index: i64| {
        service.post("/api/v1/detection/laptop-camera/switch", &json!({ "camera_index": index })).await
    };
    switch(1).await.is(404, "No running laptop camera processor found");
    service.post("/api/v1/detection/laptop-camera/start?camera_index=0", &json!({})).await;
    let switched = switch(1).await;
    // Where no camera can be read, the first one is over at once.
    assert!(switched.status == 200 || !opencv_is_there(), "{}", switched.text);
}
