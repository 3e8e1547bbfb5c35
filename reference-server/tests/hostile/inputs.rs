//! Well-formed HTTP with bad contents: every endpoint answers it with a documented status.

use axum::body::Body;
use axum::http::{Request, header};
use faceattend_server::{Logout, RateLimits, routes_of_the_api};
use serde_json::{Value, json};

use crate::attacked::SOON;
use crate::common::{GREEN, Service, picture};

/// Bodies that no endpoint expects.
fn bad_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    let mut bodies: Vec<(&str, Vec<u8>)> = vec![
        (json, Vec::new()),
        (json, b"\xff\xfe\x00".to_vec()),
        (json, b"{\"name\":\"\xc3\x28\"}".to_vec()),
        (json, b"[".repeat(200_000)),
        (json, b"{\"a\":".repeat(50_000)),
        (json, [b"[".repeat(100_000), b"]".repeat(100_000)].concat()),
        (json, b"{}x".to_vec()),
        (json, b"\x00".to_vec()),
        (json, b"{\"name\":\"\\ud800\",\"roll_number\":\"\\udfff\"}".to_vec()),
        (json, b"{\"name\":NaN}".to_vec()),
        (json, b"{\"student_id\":1e999}".to_vec()),
        (json, format!("{{\"student_id\":{}}}", "9".repeat(5000)).into_bytes()),
        (json, format!("{{\"name\":\"{}\"}}", "\u{1F600}".repeat(100_000)).into_bytes()),
        ("text/plain", b"hello".to_vec()),
        ("application/json; charset=latin-1", b"{\"name\":\"\xe9\"}".to_vec()),
        ("\u{feff}nonsense//", b"{}".to_vec()),
        (form, b"username=%ff%fe&password=%00".to_vec()),
        (form, b"%=&&=&===%zz".to_vec()),
        ("multipart/form-data; boundary=", b"--\r\n".to_vec()),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n\xff".to_vec()),
    ];
    let values = [json!(null), json!([]), json!("text"), json!(7), json!(true), json!({}), json!({ "": null })];
    bodies.extend(values.iter().map(|value| (json, value.to_string().into_bytes())));
    let fields = [
        "name",
        "roll_number",
        "roll_no",
        "username",
        "password",
        "role",
        "session_id",
        "position",
        "frame_data",
        "image_data",
        "camera_url",
        "camera_source",
        "camera_index",
        "camera_location",
        "student_id",
        "format",
        "start_date",
        "end_date",
        "refresh_token",
        "mirrored",
        "challenge",
        "policy_version",
        "given_by",
    ];
    let wrong = [
        json!(null),
        json!(-1),
        json!(9_223_372_036_854_775_807_i64),
        json!(1e308),
        json!([[[]]]),
        json!({ "a": { "b": [] } }),
        json!(""),
        json!("\u{0}"),
        json!("'; DROP TABLE students; --"),
        json!("../../etc/passwd"),
        json!("\u{202e}\u{0301}\u{1F468}\u{200D}\u{1F469}"),
        json!("data:image/png;base64,AAAA"),
        json!("9999-99-99"),
    ];
    for value in &wrong {
        let object: serde_json::Map<String, Value> =
            fields.iter().map(|field| ((*field).to_owned(), value.clone())).collect();
        bodies.push((json, Value::Object(object).to_string().into_bytes()));
    }
    bodies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_answers_every_bad_input_with_a_documented_status() {
    let nobody_waits = RateLimits { per_address: None, per_login: None, this_machine: false };
    let service =
        Service::start_with(|settings| settings.with_rates(nobody_waits).with_logout(Logout::LeavesToken)).await;
    let document = service.get("/openapi.json").await.json();
    let parameters = ["1", "0", "-1", "%00", "%ff%fe", "99999999999999999999", "..%2f..", "%27%20OR%201=1", "a%20b"];
    let queries = [
        "skip=-1&limit=-1",
        "skip=99999999999999999999&limit=0",
        "limit=1e9&search=%ff%00%25_",
        "student_id=NaN&confidence_score=inf&camera_location=%00",
        "start_date=9999-99-99&end_date=x&status_filter=%ff",
        "student_id=1&student_id=2&&=&%=%",
        "camera_index=-99999999999&token=%00",
    ];
    let mut asked = 0;
    let mut ask = async |method: &str, path: &str, documented: &Value, kind: Option<&str>, body: Vec<u8>| {
        let mut request = service.request(method, path);
        if let Some(kind) = kind.and_then(|kind| header::HeaderValue::from_bytes(kind.as_bytes()).ok()) {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let request: Request<Body> = request.body(Body::from(body)).unwrap();
        let answer = tokio::time::timeout(SOON, service.raw(request)).await.unwrap();
        let status = answer.status.as_u16();
        let told = documented["responses"].as_object().unwrap();
        assert!(
            told.contains_key(&status.to_string()) && status != 500,
            "{method} {path} {shown}: {status} {}",
            answer.text
        );
        for secret in ["SELECT", "UPDATE", "INSERT", "sqlite", "/tmp", ".rs:", "panicked"] {
            assert!(!answer.text.contains(secret), "{method} {path} {shown}: {}", answer.text);
        }
        asked += 1;
    };
    for (number, (method, pattern)) in routes_of_the_api().into_iter().enumerate() {
        // It would look for the machine's own cameras.
        if pattern.contains("laptop-camera") && method == "POST" && !pattern.ends_with("stop") {
            continue;
        }
        // One that is there, though an earlier endpoint may have erased the last.
        let student = json!({ "name": "Asha", "roll_number": format!("R{number}") });
        let id = service.post("/api/v1/students/", &student).await.json()["data"]["student_id"].to_string();
        service.post(&format!("/api/v1/attendance/mark?student_id={id}"), &Value::Null).await;
        let documented = &document["paths"][pattern][method.as_str().to_lowercase()];
        let method = method.as_str();
        let path = |parameter: &str| {
            let part = |part: &str| if part.starts_with('{') { parameter.to_owned() } else { part.to_owned() };
            pattern.split('/').map(part).collect::<Vec<_>>().join("/")
        };
        if pattern.contains('{') {
            for parameter in parameters {
                ask(method, &path(parameter), documented, None, Vec::new()).await;
            }
        }
        for query in queries {
            ask(method, &format!("{}?{query}", path(&id)), documented, None, Vec::new()).await;
        }
        if documented.get("requestBody").is_some() {
            for status in ["400", "408", "413"] {
                assert!(documented["responses"].get(status).is_some(), "{method} {pattern} has no {status}");
            }
        }
        for (kind, body) in bad_bodies() {
            ask(method, &path(&id), documented, Some(kind), body).await;
        }
    }
    assert!(asked > 2000, "{asked}");
    assert_eq!(service.get("/health").await.status, 200);
    assert_eq!(service.get("/api/v1/auth/me").await.status, 200, "the token still counts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_that_are_none_are_invalid_image_data() {
    let service = Service::start().await;
    let bomb = {
        // A PNG's head that announces 60,000 x 60,000 pixels, with a right checksum.
        let mut chunk = b"IHDR".to_vec();
        chunk.extend_from_slice(&60_000_u32.to_be_bytes());
        chunk.extend_from_slice(&60_000_u32.to_be_bytes());
        chunk.extend_from_slice(&[8, 2, 0, 0, 0]);
        let crc = chunk.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        });
        let mut png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d".to_vec();
        png.extend_from_slice(&chunk);
        png.extend_from_slice(&(!crc).to_be_bytes());
        png.extend_from_slice(b"\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e");
        png
    };
    let encode = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let good = picture(GREEN, 1);
    for bad in [
        String::new(),
        "A".into(),
        "AAAA".into(),
        "\u{0}\u{1}".into(),
        "%%%%".into(),
        "data:".into(),
        "data:image/png;base64,".into(),
        good[..good.len() / 2].to_owned(),
        good[..100].to_owned(),
        encode(b"GIF89a\xff\xff\xff\xff\x00\x00\x00"),
        encode(b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00"),
        encode(b"BM\xff\xff\xff\x7f\x00\x00\x00\x00\x36\x00\x00\x00"),
        encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        encode(&bomb),
    ] {
        let answer = service.post("/api/v1/face/detect", &json!({ "image_data": bad })).await;
        answer.is(400, "Invalid image data");
    }
    assert_eq!(service.post("/api/v1/face/detect", &json!({ "image_data": good })).await.status, 200);
}
