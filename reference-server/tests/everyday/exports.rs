//! Files for spreadsheets, and credentials as other clients send them.

use std::io::Read as _;

use axum::body::Body;
use axum::http::{Request, header};
use faceattend_server::net::listen::{ConnectionLimits, serve};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tower::ServiceExt as _;

use super::common::Service;

/// A service with two students, each marked by hand, one of them corrected to be late.
async fn with_marks() -> Service {
    let service = Service::start().await;
    for (name, roll) in [("Jörg Müller", "M1"), ("Asha Rao", "R1")] {
        let made = service.post("/api/v1/students/", &json!({ "name": name, "roll_number": roll })).await.json();
        let id = made["data"]["student_id"].as_i64().unwrap();
        assert_eq!(service.post(&format!("/api/v1/attendance/mark?student_id={id}"), &json!({})).await.status, 200);
    }
    let rows = service.get("/api/v1/attendance/").await.json()["items"].clone();
    let of =
        |name: &str| rows.as_array().unwrap().iter().find(|row| row["student_name"] == name).unwrap()["id"].clone();
    let late = faceattend_core::attendance::Correction::new(
        faceattend_core::store::CorrectedStatus::Late,
        "teacher",
        "the bus",
    );
    use faceattend_core::store::prelude::*;
    service.store.correct_attendance(of("Asha Rao").as_i64().unwrap(), &late, jiff::Timestamp::now()).unwrap();
    service
}

async fn exported(service: &Service, body: &Value) -> Vec<u8> {
    let request = service.request("POST", "/api/v1/attendance/export").header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    let response = service.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

#[tokio::test]
async fn a_csv_file_begins_with_a_byte_order_mark_where_one_is_asked_for() {
    let service = with_marks().await;
    let plain = String::from_utf8(exported(&service, &json!({})).await).unwrap();
    assert!(plain.starts_with("Student Name,"), "as recorded: {plain}");
    let marked = String::from_utf8(exported(&service, &json!({ "byte_order_mark": true })).await).unwrap();
    assert_eq!(marked.strip_prefix('\u{feff}'), Some(plain.as_str()));
    assert!(marked.contains("Jörg Müller"));
    // Without rows too: what opens the file learns the encoding.
    let none = json!({ "byte_order_mark": true, "status_filter": "Absent" });
    assert_eq!(exported(&service, &none).await, "\u{feff}\n".as_bytes());
    let again = exported(&service, &json!({ "format": "excel", "byte_order_mark": true })).await;
    assert!(again.starts_with(b"PK"), "a workbook says its encoding itself");
}

#[tokio::test]
async fn the_export_holds_every_filter_of_the_list() {
    let service = with_marks().await;
    let names = async |body: Value| {
        let text = String::from_utf8(exported(&service, &body).await).unwrap();
        let names: Vec<_> = text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect();
        names
    };
    assert_eq!(names(json!({})).await.len(), 2);
    for (status, name) in [("Late", "Asha Rao"), ("Present", "Jörg Müller")] {
        let listed = service.get(&format!("/api/v1/attendance/?status_filter={status}")).await.json();
        assert_eq!((listed["total"].as_u64(), &listed["items"][0]["student_name"]), (Some(1), &json!(name)));
        assert_eq!(names(json!({ "status_filter": status })).await, [name]);
    }
    // As in the list, an empty word asks for nothing.
    assert_eq!(names(json!({ "status_filter": "" })).await.len(), 2);
    assert_eq!(names(json!({ "status_filter": null })).await.len(), 2);
    let id = service.get("/api/v1/students/?search=M1").await.json()["items"][0]["id"].clone();
    assert_eq!(names(json!({ "status_filter": "Present", "student_id": id })).await, ["Jörg Müller"]);
    assert_eq!(names(json!({ "status_filter": "Late", "student_id": id })).await, [""; 0]);
    assert_eq!(names(json!({ "start_date": "2000-01-01", "end_date": "2000-01-02" })).await, [""; 0]);
    let audit = service.get("/api/v1/audit?limit=20").await.json()["items"].clone();
    let told = audit.as_array().unwrap().iter().any(|entry| entry["details"] == "1 rows of all days, Late alone");
    assert!(told, "{audit}");
}

/// The text of a part of a workbook.
fn part(book: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(book)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_workbook_has_days_and_times_that_can_be_counted_and_a_head_that_stays() {
    let service = with_marks().await;
    let book = exported(&service, &json!({ "format": "excel" })).await;
    let sheet = part(&book, "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("state=\"frozen\"") && sheet.contains("ySplit=\"1\""), "{sheet}");
    let styles = part(&book, "xl/styles.xml");
    for shown in ["yyyy-mm-dd", "hh:mm:ss", "yyyy-mm-dd hh:mm:ss"] {
        assert!(styles.contains(&format!("formatCode=\"{shown}\"")), "{shown}: {styles}");
    }
    let cell = |place: &str| {
        let cell = sheet.split_once(&format!("<c r=\"{place}\"")).unwrap_or_else(|| panic!("{place}: {sheet}")).1;
        cell.split_once("</c>").unwrap().0.to_owned()
    };
    let number = |place| -> f64 {
        let cell = cell(place);
        assert!(!cell.contains("t=\"s\""), "{place} is a text: {cell}");
        cell.split_once("<v>").unwrap().1.split_once("</v>").unwrap().0.parse().unwrap()
    };
    // Days since 1899-12-30, as Excel counts them.
    let [day, time, created] = ["C2", "D2", "H2"].map(number);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let since = today.since(jiff::civil::date(1899, 12, 30)).unwrap().get_days();
    assert!((day - f64::from(since)).abs() <= 1.0 && day.fract() == 0.0, "{day} {since}");
    assert!((0.0..1.0).contains(&time), "{time}");
    assert!((created - day - time).abs() < 0.01, "{created}");
    assert!(cell("A2").contains("t=\"s\"") && cell("C1").contains("t=\"s\""));
}

#[tokio::test]
async fn a_workbook_has_the_days_of_the_site_as_the_csv_has_them() {
    use faceattend_core::store::prelude::*;
    use faceattend_core::store::{AttendanceStatus, NewAttendance};
    let policy = faceattend_core::AttendancePolicy::in_time_zone("Asia/Kolkata").unwrap();
    let given = policy.clone();
    let service = Service::start_with(|settings| settings.with_policy(given)).await;
    let now = jiff::Timestamp::now();
    // Twenty minutes after midnight there, the day before in UTC; and the last second of a day.
    for (roll, at) in [("A", "2026-03-02T18:50:00Z"), ("B", "2026-03-31T18:29:59Z")] {
        let at: jiff::Timestamp = at.parse().unwrap();
        let student = service.store.create_student("Asha", roll, now).unwrap().id;
        let mark = NewAttendance {
            student,
            at,
            day: policy.day(at).unwrap(),
            period: "day".into(),
            status: AttendanceStatus::Present,
            confidence_score: None,
            camera_location: None,
        };
        service.store.mark_attendance(&mark).unwrap();
    }
    let csv = String::from_utf8(exported(&service, &json!({})).await).unwrap();
    let sheet = part(&exported(&service, &json!({ "format": "xlsx" })).await, "xl/worksheets/sheet1.xml");
    for (line, row) in csv.lines().skip(1).zip(2..) {
        let fields: Vec<&str> = line.split(',').collect();
        let value = |column: &str| -> f64 {
            let cell = sheet.split_once(&format!("<c r=\"{column}{row}\"")).unwrap().1;
            cell.split_once("<v>").unwrap().1.split_once("</v>").unwrap().0.parse().unwrap()
        };
        let day: jiff::civil::Date = fields[2].parse().unwrap();
        let since = day.since(jiff::civil::date(1899, 12, 30)).unwrap().get_days();
        assert!((value("C") - f64::from(since)).abs() < 1e-9, "{line}");
        let time: jiff::civil::Time = fields[3].parse().unwrap();
        let [hours, minutes, seconds] = [time.hour(), time.minute(), time.second()].map(i32::from);
        let seconds = f64::from(hours * 3600 + minutes * 60 + seconds);
        assert!((value("D") * 86_400.0 - seconds).abs() < 0.5, "{line}");
    }
    assert!(csv.contains(",2026-03-03,00:20:00,") && csv.contains(",2026-03-31,23:59:59,"), "{csv}");
}

#[tokio::test]
async fn a_token_is_taken_as_http_lets_clients_write_it() {
    let service = Service::start().await;
    let ask = async |value: String| {
        let request = Request::builder().uri("/api/v1/auth/me").header(header::HOST, "site.test:8001");
        let request = request.header(header::AUTHORIZATION, value).body(Body::empty()).unwrap();
        service.raw(request).await.status.as_u16()
    };
    let token = &service.token;
    for good in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER {token}"),
        format!("Bearer  {token}"),
        format!("Bearer\t{token}"),
        format!("  Bearer {token}  "),
        format!("Bearer {token}\t"),
    ] {
        assert_eq!(ask(good.clone()).await, 200, "{good:?}");
    }
    for bad in [token.clone(), format!("Bearer{token}"), format!("Token {token}"), "Bearer   ".into(), String::new()] {
        assert_eq!(ask(bad.clone()).await, 401, "{bad:?}");
    }
    let two = format!("Bearer {token} {token}");
    assert_eq!(ask(two).await, 401, "a token has no space");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_web_socket_takes_the_header_that_every_other_path_takes() {
    let service = Service::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/api/v1/detection/ws/1", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, service.router.clone(), ConnectionLimits::default(), std::future::pending()));
    let ask = async |value: String| {
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, value.parse().unwrap());
        match tokio_tungstenite::connect_async(request).await {
            Ok((_, response)) => response.status().as_u16(),
            Err(Error::Http(refused)) => refused.status().as_u16(),
            Err(other) => panic!("{other}"),
        }
    };
    let token = &service.token;
    assert_eq!(ask(format!("Bearer {token}")).await, 101);
    assert_eq!(ask(format!("bearer  {token}")).await, 101);
    assert_eq!(ask("Bearer nonsense".into()).await, 401);
    assert_eq!(ask(format!("Basic {token}")).await, 401);
}
