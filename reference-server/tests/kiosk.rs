//! Kiosks: how a tablet is paired, what it is told, what people do at its screen, and how it is revoked.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::body::Body;
use axum::http::header;
use common::{Answer, BLACK, DATABASE, GREEN, Service, picture};
use faceattend_core::attendance::{AttendancePolicy, Period};
use faceattend_core::store::prelude::*;
use faceattend_core::store::{
    AttendanceFilter, AttendanceStatus, AuditEntry, NewAttendance, Page, SecondLookFilter, TemplateKeys,
};
use faceattend_core::types::StudentId;
use faceattend_server::Settings;
use jiff::civil::Time;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

/// A tablet that keeps its cookie.
struct Tablet<'s> {
    service: &'s Service,
    cookie: String,
}

impl Tablet<'_> {
    async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = self.service.asked_with("").request(method, path).header(header::COOKIE, &self.cookie);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.service.raw(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn frame(&self, pose: [u8; 3], identity: u8) -> Value {
        let answer = self.ask("POST", "/api/v1/kiosk/frame", &json!({ "image_data": picture(pose, identity) })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Shows a person until the kiosk greets.
    async fn greeting(&self, identity: u8) -> Value {
        for _ in 0..5 {
            let seen = self.frame(GREEN, identity).await;
            if let Some(greeting) = seen["greetings"].as_array().unwrap().first() {
                return greeting.clone();
            }
        }
        panic!("nobody is greeted");
    }
}

async fn open(service: &Service, body: &Value) -> Value {
    let made = service.post("/api/v1/kiosks", body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json()["data"].clone()
}

async fn pair(service: &Service, code: &str) -> Answer {
    service.asked_with("").post("/api/v1/kiosk/pair", &json!({ "code": code })).await
}

fn cookie_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn tablet<'s>(service: &'s Service, body: &Value) -> Tablet<'s> {
    let opened = open(service, body).await;
    Tablet { service, cookie: cookie_of(&pair(service, opened["code"].as_str().unwrap()).await) }
}

async fn with_asha(service: &Service) {
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    assert_eq!(service.register("Asha", "R1", &session).await.status, 200);
}

fn marks(service: &Service) -> Vec<(String, Option<String>)> {
    let rows = service.store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
    rows.into_iter().map(|row| (row.student_name, row.camera_location)).collect()
}

fn execute(service: &Service, statement: &str) {
    let database = rusqlite::Connection::open(service.folder.path().join(DATABASE)).unwrap();
    assert!(database.execute(statement, []).unwrap() > 0, "{statement}");
}

async fn actions(service: &Service) -> Vec<(String, String, Option<String>)> {
    let entries = service.store.audit(Page::ALL).unwrap().items;
    entries.into_iter().map(|AuditEntry { entry, .. }| (entry.actor, entry.action, entry.subject)).collect()
}

#[tokio::test]
async fn a_code_is_good_once_and_for_ten_minutes() {
    let service = Service::start().await;
    let opened = open(&service, &json!({ "name": "Main gate", "location": "North" })).await;
    let code = opened["code"].as_str().unwrap();
    assert_eq!((opened["kiosk"]["paired_at"].clone(), code.len()), (Value::Null, 9));
    const WRONG: &str = "This code is not good: it is wrong, used or older than ten minutes";
    for wrong in ["ABCD-EFGH", "x", "0000-0000", &code[..8]] {
        pair(&service, wrong).await.is(401, WRONG);
    }
    execute(&service, "UPDATE kiosks SET code_until = '2026-01-01 00:00:00.000000'");
    pair(&service, code).await.is(401, WRONG);

    let again = service.post("/api/v1/kiosks/1/code", &Value::Null).await.json()["data"]["code"].clone();
    // As somebody types it.
    let typed = again.as_str().unwrap().to_lowercase().replace('-', " ");
    let paired = pair(&service, &typed).await;
    let told = paired.json();
    assert_eq!(
        (&told["name"], &told["location"], &told["fallback"]),
        (&json!("Main gate"), &json!("North"), &json!(false))
    );
    let cookie = paired.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/kiosk;"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    pair(&service, &typed).await.is(401, WRONG);
    let tablet = Tablet { service: &service, cookie: cookie_of(&paired) };
    assert_eq!(tablet.ask("GET", "/api/v1/kiosk/me", &Value::Null).await.json()["name"], "Main gate");
    let listed = service.get("/api/v1/kiosks").await.json()["data"]["kiosks"][0].clone();
    assert!(listed["paired_at"].is_string() && listed["last_seen_at"].is_string(), "{listed}");
    let entries = actions(&service).await;
    let paired = ("kiosk Main gate".to_owned(), "kiosk paired".to_owned(), Some("kiosk_id 1".to_owned()));
    assert!(entries.contains(&paired), "{entries:?}");
    assert!(entries.iter().any(|entry| entry.1 == "kiosk code wrong"), "{entries:?}");
}

#[tokio::test]
async fn codes_are_not_guessed_fast() {
    let service = Service::start().await;
    let opened = open(&service, &json!({ "name": "Gate" })).await;
    let mut answers = Vec::new();
    for _ in 0..25 {
        answers.push(pair(&service, "ABCD-EFGH").await.status.as_u16());
    }
    assert_eq!((answers[0], answers[24]), (401, 429), "{answers:?}");
    let right = pair(&service, opened["code"].as_str().unwrap()).await;
    assert_eq!(right.status, 429, "also the right one waits");
    assert!(right.header("retry-after").parse::<u64>().unwrap() <= 60);
}

#[tokio::test]
async fn a_kiosk_greets_whom_it_has_marked_and_says_the_least() {
    let service = Service::start().await;
    with_asha(&service).await;
    let tablet = tablet(&service, &json!({ "name": "Tablet", "location": "Main gate" })).await;
    let nobody = tablet.frame(BLACK, 5).await;
    assert_eq!((&nobody["faces"], &nobody["advice"], &nobody["greetings"]), (&json!(0), &Value::Null, &json!([])));
    let first = tablet.frame(GREEN, 5).await;
    assert_eq!((&first["greetings"], &first["advice"]), (&json!([]), &json!("look")), "one view is not enough");
    assert_eq!(marks(&service), []);
    let greeting = tablet.greeting(5).await;
    assert_eq!(marks(&service), [("Asha".to_owned(), Some("Main gate".to_owned()))], "what is greeted is written");
    assert_eq!((&greeting["kind"], &greeting["name"]), (&json!("present"), &json!("Asha")));
    assert_eq!(greeting["time"].as_str().unwrap().len(), 5);
    let keys: Vec<&String> = greeting.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["greeting_id", "kind", "name", "time"], "and nothing else of the person");
    assert_eq!(tablet.greeting(5).await, greeting, "the same while the person stays");
    // A stranger.
    for _ in 0..6 {
        tablet.frame(BLACK, 5).await;
    }
    let mut advice = Value::Null;
    for _ in 0..8 {
        advice = tablet.frame(GREEN, 9).await["advice"].clone();
    }
    assert_eq!(advice, "unknown");
    assert_eq!(marks(&service).len(), 1);
}

#[tokio::test]
async fn not_me_takes_the_mark_back_and_the_same_face_is_not_marked_again() {
    let service = Service::start().await;
    with_asha(&service).await;
    let tablet = tablet(&service, &json!({ "name": "Gate" })).await;
    let greeting = tablet.greeting(5).await;
    let body = json!({ "greeting_id": greeting["greeting_id"] });
    let taken = tablet.ask("POST", "/api/v1/kiosk/not-me", &body).await;
    assert_eq!((taken.status.as_u16(), &taken.json()["message"]), (200, &json!("The mark is taken back")));
    assert_eq!(marks(&service), []);
    let looks = service.store.second_looks(&SecondLookFilter::open(), Page::ALL).unwrap().items;
    assert_eq!(looks.len(), 1);
    assert_eq!((looks[0].reasons[0].as_str(), looks[0].sighting.camera_location.as_deref()), ("not_me", Some("Gate")));
    for _ in 0..5 {
        let seen = tablet.frame(GREEN, 5).await;
        assert_eq!(seen["greetings"], json!([]), "the person who said so still stands there");
        assert_eq!(seen["advice"], "second_look", "and is told to ask a person");
    }
    assert_eq!(marks(&service), []);
    tablet.ask("POST", "/api/v1/kiosk/not-me", &body).await.is(404, "Greeting not found");
    let entries = actions(&service).await;
    let noted = ("kiosk Gate".to_owned(), "POST /api/v1/kiosk/not-me".to_owned(), Some("student_id 1".to_owned()));
    assert!(entries.contains(&noted), "{entries:?}");
}

#[tokio::test]
async fn a_supervisors_pin_marks_by_roll_number_and_says_so() {
    let service = Service::start().await;
    with_asha(&service).await;
    let silent = tablet(&service, &json!({ "name": "Silent" })).await;
    let fallback = async |tablet: &Tablet<'_>, roll: &str, pin: &str| {
        tablet.ask("POST", "/api/v1/kiosk/fallback", &json!({ "roll_number": roll, "pin": pin })).await
    };
    fallback(&silent, "R1", "493027").await.is(403, "This kiosk has no PIN");
    for bad in ["1234", "123456", "letters"] {
        let made = service.post("/api/v1/kiosks", &json!({ "name": "Weak", "pin": bad })).await;
        assert_eq!(made.status, 400, "{bad}: {}", made.text);
    }
    let tablet = tablet(&service, &json!({ "name": "Gate", "pin": "493027" })).await;
    fallback(&tablet, "R9", "000000").await.is(403, "Wrong PIN");
    fallback(&tablet, "R9", "493027").await.is(404, "Student not found");
    let marked = fallback(&tablet, " R1 ", "493027").await;
    assert_eq!((marked.status.as_u16(), &marked.json()["name"]), (200, &json!("Asha")), "{}", marked.text);
    assert_eq!(marks(&service), [("Asha".to_owned(), Some("Gate".to_owned()))]);
    let kept = service.store.corrections(1).unwrap();
    assert_eq!(kept[0].correction.by, "PIN at kiosk Gate");
    assert_eq!(service.store.attendance_record(1).unwrap().unwrap().confidence_score, None);
    let entries = actions(&service).await;
    let noted = ("kiosk Gate".to_owned(), "POST /api/v1/kiosk/fallback".to_owned(), Some("student_id 1".to_owned()));
    assert!(entries.contains(&noted), "{entries:?}");
    assert!(entries.iter().any(|entry| entry.1 == "kiosk PIN wrong"), "{entries:?}");

    // It may be the wrong number that was typed: the mark is taken back as any other.
    let body = json!({ "greeting_id": marked.json()["greeting_id"] });
    assert_eq!(tablet.ask("POST", "/api/v1/kiosk/not-me", &body).await.status, 200);
    assert_eq!(marks(&service), []);
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(fallback(&tablet, "R1", "000000").await.status.as_u16());
    }
    assert_eq!((answers[0], answers[7]), (403, 429), "{answers:?}");
    assert_eq!(fallback(&tablet, "R1", "493027").await.status, 429, "also the right one waits");
}

#[tokio::test]
async fn a_revoked_kiosk_sends_nothing_more_and_a_new_code_pairs_it_again() {
    let service = Service::start().await;
    with_asha(&service).await;
    let tablet = tablet(&service, &json!({ "name": "Gate" })).await;
    tablet.frame(GREEN, 5).await;
    let operator = service.account("olga", "operator").await;
    assert_eq!(operator.post("/api/v1/kiosks/1/revoke", &Value::Null).await.status, 200);
    const GONE: &str = "This kiosk is not paired";
    let frame = json!({ "image_data": picture(GREEN, 5) });
    tablet.ask("POST", "/api/v1/kiosk/frame", &frame).await.is(401, GONE);
    tablet.ask("GET", "/api/v1/kiosk/me", &Value::Null).await.is(401, GONE);
    assert_eq!(marks(&service), []);
    let opened = service.post("/api/v1/kiosks/1/code", &Value::Null).await.json();
    let again = Tablet { cookie: cookie_of(&pair(&service, opened["data"]["code"].as_str().unwrap()).await), ..tablet };
    again.greeting(5).await;
    assert_eq!(service.send("DELETE", "/api/v1/kiosks/1", &Value::Null).await.status, 200);
    again.ask("GET", "/api/v1/kiosk/me", &Value::Null).await.is(401, GONE);
}

#[tokio::test]
async fn a_tablet_stays_paired_over_a_restart_and_a_change() {
    let service = Service::start().await;
    with_asha(&service).await;
    let cookie = tablet(&service, &json!({ "name": "Gate" })).await.cookie;
    let changed = json!({ "name": "Front door", "location": "South", "tone": true });
    assert_eq!(service.send("PUT", "/api/v1/kiosks/1", &changed).await.status, 200);
    let Service { folder, state, store, router, .. } = service;
    state.shut_down();
    drop((state, store, router));
    let restarted = Service::start_in(folder, TemplateKeys::none(), |settings| settings).await;
    let tablet = Tablet { service: &restarted, cookie };
    let me = tablet.ask("GET", "/api/v1/kiosk/me", &Value::Null).await;
    assert_eq!((&me.json()["name"], &me.json()["tone"]), (&json!("Front door"), &json!(true)));
    assert_eq!(cookie_of(&me), tablet.cookie, "for as long again");
    tablet.greeting(5).await;
    assert_eq!(marks(&restarted), [("Asha".to_owned(), Some("South".to_owned()))]);
}

#[tokio::test]
async fn two_kiosks_at_once_mark_once_and_both_greet() {
    let service = Service::start().await;
    with_asha(&service).await;
    let one = tablet(&service, &json!({ "name": "One" })).await;
    let two = tablet(&service, &json!({ "name": "Two" })).await;
    let (first, second) = (one.greeting(5).await, two.greeting(5).await);
    assert_eq!((&first["name"], &second["name"]), (&json!("Asha"), &json!("Asha")));
    assert_ne!(first["greeting_id"], second["greeting_id"]);
    assert_eq!(marks(&service), [("Asha".to_owned(), Some("One".to_owned()))]);
    // A greeting of one kiosk is not the other's to take back.
    let body = json!({ "greeting_id": first["greeting_id"] });
    two.ask("POST", "/api/v1/kiosk/not-me", &body).await.is(404, "Greeting not found");
    assert_eq!(marks(&service).len(), 1);
}

#[tokio::test]
async fn who_says_to_be_leaving_before_the_time_has_left_early() {
    let policy = |settings: Settings| {
        let day = Period::new("day", Time::midnight()).with_check_out_from(Time::constant(23, 59, 59, 0));
        settings.with_policy(AttendancePolicy::in_time_zone("UTC").unwrap().with_periods(vec![day]).unwrap())
    };
    let service = Service::start_with(policy).await;
    with_asha(&service).await;
    let tablet = tablet(&service, &json!({ "name": "Gate", "pin": "493027" })).await;
    assert_eq!(tablet.greeting(5).await["kind"], "present");
    assert_eq!(service.store.attendance_record(1).unwrap().unwrap().checked_out_at, None);
    let leaving = json!({ "image_data": picture(GREEN, 5), "leaving": true });
    let seen = tablet.ask("POST", "/api/v1/kiosk/frame", &leaving).await.json();
    assert_eq!(seen["greetings"][0]["kind"], "left_early", "{seen}");
    let row = service.store.attendance_record(1).unwrap().unwrap();
    assert!(row.checked_out_at.is_some() && row.status == "Present", "{row:?}");
    assert_eq!(tablet.greeting(5).await["kind"], "left_early", "whoever stays a moment is told the same");
    let body = json!({ "roll_number": "R1", "pin": "493027", "leaving": true });
    let vouched = tablet.ask("POST", "/api/v1/kiosk/fallback", &body).await;
    assert_eq!((vouched.status.as_u16(), &vouched.json()["kind"]), (200, &json!("left_early")), "{}", vouched.text);
}

#[tokio::test]
async fn who_leaves_in_time_is_told_goodbye() {
    let day = Period::new("day", Time::midnight()).with_check_out_from(Time::constant(0, 0, 1, 0));
    let policy = |settings: Settings| {
        settings.with_policy(AttendancePolicy::in_time_zone("UTC").unwrap().with_periods(vec![day]).unwrap())
    };
    let service = Service::start_with(policy).await;
    with_asha(&service).await;
    let now = Timestamp::now();
    let earlier = NewAttendance {
        student: StudentId(1),
        at: now - 2.minutes(),
        day: AttendancePolicy::in_time_zone("UTC").unwrap().day(now).unwrap(),
        period: "day".into(),
        status: AttendanceStatus::Present,
        confidence_score: None,
        camera_location: None,
    };
    let row = service.store.mark_attendance(&earlier).unwrap().record().id;
    let tablet = tablet(&service, &json!({ "name": "Gate" })).await;
    let greeting = tablet.greeting(5).await;
    assert_eq!((&greeting["kind"], &greeting["name"]), (&json!("goodbye"), &json!("Asha")));
    assert!(service.store.attendance_record(row).unwrap().unwrap().checked_out_at.is_some());
    let body = json!({ "greeting_id": greeting["greeting_id"] });
    let taken = tablet.ask("POST", "/api/v1/kiosk/not-me", &body).await;
    assert_eq!((taken.status.as_u16(), &taken.json()["message"]), (200, &json!("The check-out is taken back")));
    assert_eq!(service.store.attendance_record(row).unwrap().unwrap().checked_out_at, None);
}
