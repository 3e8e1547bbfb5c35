//! Liveness beyond what existing clients know: random orders with nonces, replay across sessions, duplicates, receipts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

mod common;

use common::{BLUE, GREEN, RED, Service, picture};
use faceattend_core::enrolment::DuplicatePolicy;
use faceattend_core::liveness::{Receipt, ReceiptKey};
use faceattend_server::ChallengePolicy;
use serde_json::{Value, json};

/// A marker that differs from others in a corner that no reading looks at, so that every frame is a new one.
fn marked(pose: [u8; 3], identity: u8, number: u8) -> String {
    let pixel = |x: u32, y: u32| {
        let noise = u32::from(number).wrapping_mul(2_654_435_761).wrapping_add((x / 4) * 7919 + (y / 4) * 104_729);
        image::Rgb(match (x, y) {
            (0..16, 0..16) => pose,
            (16..32, 0..16) => [0, identity * 16, 0],
            _ => [(noise >> 7) as u8, (noise >> 11) as u8, (noise >> 3) as u8],
        })
    };
    let picture = image::RgbImage::from_fn(64, 64, pixel);
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes.into_inner())
}

fn color(position: &str) -> [u8; 3] {
    match position {
        "left" => RED,
        "right" => BLUE,
        "up" => [0, 255, 255],
        "down" => [0, 128, 255],
        _ => GREEN,
    }
}

async fn begin(service: &Service) -> Value {
    service.post("/api/v1/liveness/session", &json!({ "challenge": "random" })).await.json()["data"].clone()
}

/// Answers what is asked until the session is complete; `frame` makes the picture of a position.
async fn follow(service: &Service, begun: &Value, frame: impl Fn(&str, u8) -> String) -> Value {
    let mut asked = begun.clone();
    let mut last = Value::Null;
    for number in 0..60 {
        let position = asked["next_position"].as_str().unwrap().to_owned();
        let body = json!({
            "session_id": begun["session_id"], "position": position, "nonce": asked["nonce"],
            "frame_data": frame(&position, number), "elapsed_ms": u32::from(number) * 200,
        });
        last = service.post("/api/v1/liveness/detect", &body).await.json();
        if last["session_completed"] == true {
            break;
        }
        asked = last.clone();
    }
    last
}

#[tokio::test]
async fn a_client_that_follows_a_random_order_completes_and_gets_a_receipt() {
    let key = ReceiptKey::generate();
    let service = Service::start_with(|settings| settings.with_receipts(key.clone())).await;
    let begun = begin(&service).await;
    assert_eq!((begun["steps"]["all"].as_u64(), begun["nonce"].as_str().unwrap().len()), (Some(6), 32));
    let done = follow(&service, &begun, |position, number| marked(color(position), 5, number)).await;
    assert_eq!((&done["session_completed"], &done["steps"]["passed"]), (&json!(true), &json!(6)), "{done}");
    assert_eq!((&done["nonce"], &done["passive"]["verdict"]), (&Value::Null, &json!("not_run")));

    let registered = service.register("Asha", "R1", begun["session_id"].as_str().unwrap()).await.json();
    let public = service.get("/api/v1/liveness/receipt-key").await.json()["data"]["public_key"].clone();
    let receipt = Receipt::verify(registered["data"]["receipt"].as_str().unwrap(), public.as_str().unwrap()).unwrap();
    assert_eq!(json!(receipt.student), registered["data"]["student_id"]);
    assert_eq!(receipt.model.as_str(), "marker");
    assert_eq!(public.as_str().unwrap(), key.public_key_pem());
}

#[tokio::test]
async fn a_client_that_can_ask_for_nods_is_asked_for_them_and_no_other() {
    let service = Service::start().await;
    let mut asked_for = std::collections::BTreeSet::new();
    // No frame of one session may look like one of another: each has 21 numbers of its own.
    for session in 0..6 {
        let body = json!({ "challenge": "random", "nods": true });
        let begun = service.post("/api/v1/liveness/session", &body).await.json()["data"].clone();
        let asked = std::cell::RefCell::new(Vec::new());
        let done = follow(&service, &begun, |position, number| {
            asked.borrow_mut().push(position.to_owned());
            marked(color(position), 5, 21 * session + number)
        })
        .await;
        assert_eq!((&done["session_completed"], &done["steps"]["passed"]), (&json!(true), &json!(6)), "{done}");
        assert_eq!(done["verified"], json!(["center", "left", "right"]));
        let asked = asked.take();
        assert!(asked.iter().any(|position| position == "up" || position == "down"), "{asked:?}");
        asked_for.extend(asked);
    }
    assert!(asked_for.len() >= 4, "{asked_for:?}");

    // Whoever does not say so is never asked, and has no position of that name.
    for session in 6..12 {
        let begun = begin(&service).await;
        let asked = std::cell::RefCell::new(Vec::new());
        follow(&service, &begun, |position, number| {
            asked.borrow_mut().push(position.to_owned());
            marked(color(position), 5, 21 * session + number)
        })
        .await;
        assert!(asked.take().iter().all(|position| ["center", "left", "right"].contains(&position.as_str())));
    }
    let fixed = service.begin(&json!({ "nods": true })).await;
    let body = json!({ "session_id": fixed, "position": "up", "frame_data": marked(color("up"), 5, 1) });
    let refused = service.post("/api/v1/liveness/detect", &body).await;
    assert!(refused.text.contains("^(center|left|right)$"), "{}", refused.text);
}

#[tokio::test]
async fn a_pause_between_frames_is_seen_whatever_time_the_client_claims() {
    let service = Service::start().await;
    let begun = begin(&service).await;
    let mut asked = begun.clone();
    let mut codes = Vec::new();
    for number in 0..7_u8 {
        if number == 6 {
            // Somebody fetches another picture, and says that it took a fifth of a second.
            tokio::time::sleep(std::time::Duration::from_millis(2700)).await;
        }
        let position = asked["next_position"].as_str().unwrap().to_owned();
        let body = json!({
            "session_id": begun["session_id"], "position": position, "nonce": asked["nonce"],
            "frame_data": marked(color(&position), 5, number), "elapsed_ms": u32::from(number) * 200,
        });
        asked = service.post("/api/v1/liveness/detect", &body).await.json();
        codes.push(asked["reasons"][0]["code"].clone());
    }
    assert_eq!((&codes[6], &asked["steps"]["passed"]), (&json!("track_broken"), &json!(0)), "{codes:?}");
}

#[tokio::test]
async fn an_answer_without_its_nonce_or_for_another_step_does_not_count() {
    let service = Service::start().await;
    let begun = begin(&service).await;
    let asked = begun["next_position"].as_str().unwrap();
    let send = async |position: &str, nonce: Value, number| {
        let frame = marked(color(position), 5, number);
        let body =
            json!({ "session_id": begun["session_id"], "position": position, "nonce": nonce, "frame_data": frame });
        service.post("/api/v1/liveness/detect", &body).await.json()
    };
    for (number, wrong) in [Value::Null, json!(""), json!("0123456789abcdef0123456789abcdef")].into_iter().enumerate() {
        let refused = send(asked, wrong, number as u8).await;
        assert_eq!((&refused["is_live"], &refused["reasons"][0]["code"]), (&json!(false), &json!("wrong_nonce")));
    }
    let other = if asked == "center" { "left" } else { "center" };
    let refused = send(other, begun["nonce"].clone(), 9).await;
    assert_eq!(refused["reasons"][0]["code"], "out_of_order", "{refused}");
}

#[tokio::test]
async fn frames_of_one_session_do_not_serve_another_that_follows_an_order() {
    let service = Service::start().await;
    let begun = begin(&service).await;
    let sent = std::cell::RefCell::new(Vec::new());
    let done = follow(&service, &begun, |position, number| {
        sent.borrow_mut().push((position.to_owned(), number));
        marked(color(position), 5, number)
    })
    .await;
    assert_eq!(done["session_completed"], true, "{done}");
    let again = begin(&service).await;
    let asked = again["next_position"].as_str().unwrap();
    // What the first session has had for this position, as it was.
    let recorded: Vec<u8> =
        sent.take().into_iter().filter(|(position, _)| position == asked).map(|(_, at)| at).collect();
    assert!(recorded.len() >= 2, "{recorded:?}");
    for number in recorded {
        let body = json!({
            "session_id": again["session_id"], "position": asked, "nonce": again["nonce"],
            "frame_data": marked(color(asked), 5, number),
        });
        let answer = service.post("/api/v1/liveness/detect", &body).await.json();
        assert_eq!((&answer["is_live"], &answer["reasons"][0]["code"]), (&json!(false), &json!("replayed_frame")));
    }
}

#[tokio::test]
async fn where_an_order_is_required_a_session_without_one_is_refused() {
    let service = Service::start_with(|settings| settings.with_challenge(ChallengePolicy::Required)).await;
    let refused = service.post("/api/v1/liveness/session", &json!({})).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("random order"), "{}", refused.text);
    assert!(begin(&service).await["nonce"].is_string());
    let unknown = service.post("/api/v1/liveness/session", &json!({ "challenge": "some" })).await;
    assert_eq!(unknown.issues(), [("string_pattern_mismatch".to_owned(), json!(["body", "challenge"]))]);
}

#[tokio::test]
async fn a_face_that_is_enrolled_already_is_named_or_refused() {
    let service = Service::start_with(|settings| settings.with_duplicates(DuplicatePolicy::Warn)).await;
    let enrol = async |service: &Service, roll: &str| {
        let session = service.begin(&json!({})).await;
        service.complete(&session, 5).await;
        service.register("Asha", roll, &session).await
    };
    let first = enrol(&service, "R1").await.json()["data"].clone();
    assert_eq!(first["warnings"], json!([]));
    let second = enrol(&service, "R2").await.json()["data"].clone();
    assert_eq!(second["warnings"][0]["code"], "already_enrolled");
    assert_eq!(second["warnings"][0]["student_id"], first["student_id"]);

    // Unless told otherwise it refuses.
    let service = Service::start().await;
    let first = enrol(&service, "R1").await.json()["data"].clone();
    let refused = enrol(&service, "R2").await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains(&format!("already enrolled as student {}", first["student_id"])), "{}", refused.text);
    assert_eq!(service.get("/api/v1/students/").await.json()["total"], 1);
    // A session that was begun for somebody else keeps the face to itself.
    let other = service.post("/api/v1/students/", &json!({ "name": "B", "roll_number": "R3" })).await.json();
    let session = service.begin(&json!({ "student_id": other["data"]["student_id"] })).await;
    let done = service.complete(&session, 5).await;
    assert_eq!(
        (&done["final_embedding_saved"], &done["reasons"][0]["code"]),
        (&json!(false), &json!("already_enrolled"))
    );
    let last = json!({ "session_id": session, "student_id": other["data"]["student_id"] });
    let refused = service.post("/api/v1/liveness/complete", &last).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("already enrolled as student"), "{}", refused.text);
}

#[tokio::test]
async fn of_two_registrations_of_one_face_at_once_one_is_refused() {
    let service = Service::start().await;
    for identity in 1..=8 {
        let sessions = [service.begin(&json!({})).await, service.begin(&json!({})).await];
        for session in &sessions {
            service.complete(session, identity).await;
        }
        let rolls = [format!("A{identity}"), format!("B{identity}")];
        let (one, two) = tokio::join!(
            service.register("Asha", &rolls[0], &sessions[0]),
            service.register("Asha", &rolls[1], &sessions[1]),
        );
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400], "identity {identity}: {} {}", one.text, two.text);
        let refused = if one.status == 400 { one } else { two };
        assert!(refused.text.contains("already enrolled as student"), "{}", refused.text);
    }
    assert_eq!(service.get("/api/v1/students/").await.json()["total"], 8);
}

#[tokio::test]
async fn a_server_without_a_key_says_so() {
    let service = Service::start().await;
    service.get("/api/v1/liveness/receipt-key").await.is(404, "This server signs no receipts");
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    assert_eq!(service.register("Asha", "R1", &session).await.json()["data"]["receipt"], Value::Null);
    // One picture more is answered as ever.
    assert_eq!(service.frame(&session, "center", &picture(GREEN, 5)).await.json()["session_completed"], true);
}

/// Runs `program` on a script that reads the receipt and the public key from its arguments and prints the subject;
/// `None` where the program, or the library that the script begins with, is not here.
fn read_by(program: &str, flag: &str, script: &str, key: &str, receipt: &str) -> Option<(bool, String)> {
    let output = std::process::Command::new(program).args([flag, script, receipt, key]).output().ok()?;
    let told = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (told != "absent").then_some((output.status.success(), told))
}

#[test]
fn python_and_node_check_a_receipt_without_this_library() {
    let key = ReceiptKey::generate();
    let forger = ReceiptKey::generate();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let receipt = runtime.block_on(async {
        let service = Service::start_with(|settings| settings.with_receipts(key.clone())).await;
        let session = service.begin(&json!({})).await;
        service.complete(&session, 5).await;
        service.register("Asha", "R1", &session).await.json()["data"]["receipt"].as_str().unwrap().to_owned()
    });
    let python = "import sys\ntry: import jwt\nexcept ImportError: print('absent'); sys.exit()\n\
        print(jwt.decode(sys.argv[1], sys.argv[2], algorithms=['EdDSA'], issuer='faceattend')['sub'])";
    let node = "const [receipt, key] = process.argv.slice(1); const [h, c, s] = receipt.split('.');\
        if (!require('crypto').verify(null, Buffer.from(h + '.' + c), key, Buffer.from(s, 'base64url'))) \
        process.exit(1);\
        console.log(JSON.parse(Buffer.from(c, 'base64url')).sub);";
    for (program, flag, script) in [("python3", "-c", python), ("node", "-e", node)] {
        let Some(read) = read_by(program, flag, script, &key.public_key_pem(), &receipt) else {
            println!("skipped: {program}, or its PyJWT, is not here");
            continue;
        };
        assert_eq!(read, (true, "1".to_owned()), "{program}");
        let forged = read_by(program, flag, script, &forger.public_key_pem(), &receipt).unwrap();
        assert!(!forged.0, "{program} takes a receipt of another key");
    }
}
