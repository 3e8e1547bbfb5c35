//! Letters, received by a real mail server.

use faceattend_core::alerts::{AlertReach, BackOff};
use faceattend_core::camera::CameraAccess;
use faceattend_server::{NoticeSettings, Settings};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::common::Service;
use crate::post_office::{PASSWORD, PostOffice, USER};
use crate::webhooks::{mark, student, until_state};

/// Settings that trust the authority of the mail server.
fn trusting(office: &PostOffice) -> impl FnOnce(Settings) -> Settings {
    let notices = NoticeSettings::default()
        .with_reach(AlertReach::new(CameraAccess::default().with_hosts(vec!["loopback".parse().unwrap()])))
        .with_back_off(BackOff::default().with_first(SignedDuration::from_millis(200)).with_most_tries(4))
        .with_authorities(Some(office.authority.clone()));
    |settings| settings.with_notices(notices)
}

fn channel(office: &PostOffice, security: &str) -> Value {
    json!({
        "name": "Letters", "kind": "email", "host": "localhost", "port": office.port, "security": security,
        "user": USER, "secret": PASSWORD, "from": "Schule Ü <office@school.example>", "window_minutes": 0,
    })
}

async fn made(service: &Service, path: &str, body: &Value) -> Value {
    let answer = service.post(path, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["data"].clone()
}

async fn told(service: &Service, channel: &Value, rule: Value) -> i64 {
    let id = made(service, "/api/v1/notices/channels", channel).await["channel_id"].as_i64().unwrap();
    let mut rule = rule;
    (rule["name"], rule["channels"]) = (json!("Marks"), json!([id]));
    made(service, "/api/v1/notices/rules", &rule).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_arrives_over_starttls_with_a_login_and_says_what_happened() {
    let Some(mut office) = PostOffice::open("start_tls", "localhost") else { return };
    let service = Service::start_with(trusting(&office)).await;
    let rule = json!({ "event": "marked", "addresses": ["head@school.example"], "guardians": true, "language": "de" });
    let id = told(&service, &channel(&office, "start_tls"), rule).await;
    let path = format!("/api/v1/notices/channels/{id}/test");
    let tested = service.post(&path, &json!({ "address": "me@school.example" })).await;
    assert_eq!(tested.json()["data"]["delivered"], true, "{}", tested.text);
    assert_eq!(office.letter()["to"], json!(["me@school.example"]));

    // It does not take the letter at first.
    office.refuse_next("451 4.7.1 come back later");
    let asha = student(&service, "Asha <Rao>", "R1").await;
    let guardian = json!({ "emails": ["mother@home.example"], "languages": ["hi"] });
    service.send("PUT", &format!("/api/v1/students/{asha}/guardians"), &guardian).await;
    mark(&service, asha).await;
    assert_eq!(office.letter()["refused"], "451 4.7.1 come back later");
    let mut letters = [office.letter(), office.letter()];
    letters.sort_by_key(|letter| letter["to"].to_string());
    let sent = until_state(&service, "sent", 2).await;
    let ids: Vec<&str> =
        sent["items"].as_array().unwrap().iter().map(|row| row["letter_id"].as_str().unwrap()).collect();
    for (letter, (to, language)) in letters.iter().zip([("head@school.example", "de"), ("mother@home.example", "hi")]) {
        assert_eq!((&letter["to"], &letter["from"]), (&json!([to]), &json!("office@school.example")));
        assert_eq!((&letter["encrypted"], &letter["login"]), (&json!(true), &json!(true)));
        let text = letter["text"].as_str().unwrap();
        assert!(ids.iter().any(|id| text.contains(&format!("Message-ID: <{id}@school.example>"))), "{text}");
        for line in
            ["Auto-Submitted: auto-generated", &format!("Content-Language: {language}"), "text/plain", "text/html"]
        {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(!text.contains("http"), "it loads nothing: {text}");
    }
    office.is_quiet();
    let said = [service.get("/api/v1/notices").await.text, service.get("/api/v1/audit").await.text].concat();
    assert!(!said.contains("home.example") && !said.contains(PASSWORD), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_events_of_one_window_are_one_letter_over_tls() {
    let Some(office) = PostOffice::open("tls", "localhost") else { return };
    let service = Service::start_with(trusting(&office)).await;
    let mut channel = channel(&office, "tls");
    channel["window_minutes"] = json!(1440);
    let id = told(&service, &channel, json!({ "event": "marked", "addresses": ["head@school.example"] })).await;
    for n in 0..30 {
        mark(&service, student(&service, &format!("Student {n}"), &format!("R{n}")).await).await;
    }
    assert_eq!(service.get("/api/v1/notices?state=waiting").await.json()["total"], 30);
    // The window ends now.
    let database = rusqlite::Connection::open(service.folder.path().join(crate::common::DATABASE)).unwrap();
    database.execute("UPDATE outbox SET due_at = '2026-01-01 00:00:00.000000'", []).unwrap();
    let letter = office.letter();
    let sent = until_state(&service, "sent", 30).await;
    let first = sent["items"][0]["letter_id"].clone();
    assert!(sent["items"].as_array().unwrap().iter().all(|row| row["letter_id"] == first));
    let text = letter["text"].as_str().unwrap();
    assert!(text.contains("Subject: Present: 30") && text.matches("- Student ").count() == 30, "{text}");
    office.is_quiet();
    assert_eq!(service.get("/api/v1/notices/channels").await.json()["data"]["channels"][0]["channel_id"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_whose_certificate_is_not_its_own_gets_neither_password_nor_letter() {
    for (security, name, trusts) in [("start_tls", "other.example", true), ("tls", "localhost", false)] {
        let Some(office) = PostOffice::open(security, name) else { return };
        let change = trusting(&office);
        let service = Service::start_with(|settings| {
            let mut settings = change(settings);
            if !trusts {
                settings.notices.authorities = None;
            }
            settings
        });
        let service = service.await;
        let rule = json!({ "event": "marked", "addresses": ["head@school.example"] });
        let id = told(&service, &channel(&office, security), rule).await;
        let tested = service.post(&format!("/api/v1/notices/channels/{id}/test"), &json!({})).await.json();
        let answer = tested["data"]["answer"].as_str().unwrap();
        assert!(tested["data"]["delivered"] == false && answer.contains("certificate"), "{answer}");
        mark(&service, student(&service, "Asha", "R1").await).await;
        let dead = until_state(&service, "dead", 1).await;
        assert!(dead["items"][0]["last_error"].as_str().unwrap().contains("certificate"), "{dead}");
        office.is_quiet();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_recipient_are_told_without_either() {
    let Some(office) = PostOffice::open("start_tls", "localhost") else { return };
    let service = Service::start_with(trusting(&office)).await;
    let rule = json!({ "event": "marked", "addresses": ["nobody@school.example", "head@school.example"] });
    let id = told(&service, &channel(&office, "start_tls"), rule).await;
    mark(&service, student(&service, "Asha", "R1").await).await;
    // The one letter is refused for good, and the other one goes.
    let dead = until_state(&service, "dead", 1).await;
    let (row, told) = (&dead["items"][0], dead.to_string());
    assert_eq!(
        (&row["tries"], &row["last_error"]),
        (&json!(1), &json!("it refuses the letter or its recipient (550)"))
    );
    assert!(!told.contains("nobody@"), "{told}");
    assert_eq!(office.letter()["to"], json!(["head@school.example"]));
    let mut wrong = channel(&office, "start_tls");
    wrong["secret"] = json!("another S3CRET");
    let path = format!("/api/v1/notices/channels/{id}");
    assert_eq!(service.send("PUT", &path, &wrong).await.status, 200);
    let tested = service.post(&format!("{path}/test"), &json!({})).await;
    assert!(
        tested.text.contains("user name or the password (535)") && !tested.text.contains("S3CRET"),
        "{}",
        tested.text
    );
}
