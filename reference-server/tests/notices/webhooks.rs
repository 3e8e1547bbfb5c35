//! Webhooks: repeated until they are taken, signed, and sent only where they may be.

use faceattend_core::alerts::{AlertReach, BackOff};
use faceattend_core::camera::CameraAccess;
use faceattend_server::{NoticeSettings, Settings};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::common::Service;
use crate::receiver::{Receiver, SECRET};

/// Settings that reach this machine, and try again soon.
pub(crate) fn near_and_soon(settings: Settings) -> Settings {
    let hosts = vec!["loopback".parse().unwrap()];
    let back_off = BackOff::default().with_first(SignedDuration::from_millis(100)).with_most_tries(5);
    let notices = NoticeSettings::default()
        .with_reach(AlertReach::new(CameraAccess::default().with_hosts(hosts)))
        .with_back_off(back_off);
    settings.with_notices(notices)
}

pub(crate) fn channel(url: &str) -> Value {
    json!({ "name": "School", "kind": "webhook", "url": url, "secret": SECRET })
}

/// Adds a channel and a rule of this event for it; returns the channel.
pub(crate) async fn told(service: &Service, channel: &Value, event: &str) -> i64 {
    let made = service.post("/api/v1/notices/channels", channel).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let id = made.json()["data"]["channel_id"].as_i64().unwrap();
    let rule = json!({ "name": "Marks", "event": event, "channels": [id], "addresses": ["head@school.example"] });
    let made = service.post("/api/v1/notices/rules", &rule).await;
    assert_eq!(made.status, 200, "{}", made.text);
    id
}

pub(crate) async fn student(service: &Service, name: &str, roll: &str) -> i64 {
    let made = service.post("/api/v1/students/", &json!({ "name": name, "roll_number": roll })).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json()["data"]["student_id"].as_i64().unwrap()
}

pub(crate) async fn mark(service: &Service, student: i64) {
    let marked = service.post(&format!("/api/v1/attendance/mark?student_id={student}"), &Value::Null).await;
    assert_eq!(marked.status, 200, "{}", marked.text);
}

/// Waits until the outbox has so many rows in this state.
pub(crate) async fn until_state(service: &Service, state: &str, number: u64) -> Value {
    for _ in 0..600 {
        let listed = service.get(&format!("/api/v1/notices?state={state}")).await.json();
        if listed["total"] == number {
            return listed;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{number} {state}: {}", service.get("/api/v1/notices").await.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_three_times_first_is_delivered_once_under_one_id() {
    let receiver = Receiver::start(&[500, 0, 302]);
    let service = Service::start_with(near_and_soon).await;
    let id = told(&service, &channel(&receiver.url()), "marked").await;
    let asha = student(&service, "Asha", "R1").await;
    mark(&service, asha).await;
    mark(&service, asha).await;
    let taken = receiver.until_taken(1);
    let all = receiver.received();
    assert_eq!(all.iter().map(|one| one.answered).collect::<Vec<_>>(), [500, 0, 302, 200]);
    assert!(all.iter().all(|one| one.id == all[0].id && one.body == all[0].body), "{all:?}");
    let body = &taken[0].body;
    assert_eq!((&body["type"], &body["id"]), (&json!("marked"), &json!(taken[0].id)));
    let data = &body["data"];
    assert_eq!(
        (&data["student_name"], &data["rule"], &data["status"]),
        (&json!("Asha"), &json!("Marks"), &json!("Present"))
    );
    let sent = until_state(&service, "sent", 1).await;
    assert_eq!((&sent["items"][0]["tries"], &sent["items"][0]["channel_id"]), (&json!(4), &json!(id)));
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(receiver.received().len(), 4, "it is sent once");
    let figures = service.get("/metrics?format=prometheus").await.text;
    for line in
        ["faceattend_notices_sent_total 1", "faceattend_notice_tries_failed_total 3", "faceattend_notices_waiting 0"]
    {
        assert!(figures.lines().any(|have| have == line), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_is_listed_and_sent_again_when_somebody_asks() {
    let receiver = Receiver::start(&[500, 500, 500, 500, 500]);
    let service = Service::start_with(near_and_soon).await;
    told(&service, &channel(&receiver.url()), "marked").await;
    mark(&service, student(&service, "Asha", "R1").await).await;
    let dead = until_state(&service, "dead", 1).await;
    let letter = dead["items"][0]["letter_id"].as_str().unwrap().to_owned();
    assert_eq!((&dead["items"][0]["tries"], &dead["items"][0]["last_error"]), (&json!(5), &json!("it answers 500")));
    assert_eq!(service.get("/api/v1/notices/state").await.json()["data"]["dead"], 1);
    let resend = format!("/api/v1/notices/{letter}/resend");
    assert_eq!(service.post(&resend, &Value::Null).await.status, 200);
    let taken = receiver.until_taken(1);
    assert_eq!((taken[0].id.as_str(), receiver.received().len()), (letter.as_str(), 6));
    until_state(&service, "sent", 1).await;
    assert_eq!(service.post(&resend, &Value::Null).await.status, 409);
    assert_eq!(service.post("/api/v1/notices/nothing/resend", &Value::Null).await.status, 404);
    // A receiver that is gone for good is not asked again.
    receiver.answer_next(&[410]);
    mark(&service, student(&service, "Ben", "R2").await).await;
    assert_eq!(until_state(&service, "dead", 1).await["items"][0]["tries"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_and_no_entry_holds_the_secret_of_a_channel() {
    let receiver = Receiver::start(&[]);
    let service = Service::start_with(near_and_soon).await;
    let id = told(&service, &channel(&receiver.url()), "marked").await;
    let path = format!("/api/v1/notices/channels/{id}");
    let mut changed = channel(&receiver.url());
    (changed["secret"], changed["name"]) = (Value::Null, json!("Office"));
    let mut said = vec![service.send("PUT", &path, &changed).await.text];
    let tested = service.post(&format!("{path}/test"), &json!({})).await;
    assert_eq!(
        (&tested.json()["data"]["delivered"], &tested.json()["data"]["answer"]),
        (&json!(true), &json!("200 heard"))
    );
    assert_eq!(receiver.until_taken(1)[0].body["type"], "test");
    said.push(tested.text);
    for path in ["/api/v1/notices/channels", "/api/v1/notices/rules", "/api/v1/audit", "/api/v1/notices"] {
        said.push(service.get(path).await.text);
    }
    for text in &said {
        assert!(!text.contains(SECRET) && !text.contains("c2VjcmV0"), "{text}");
    }
    assert!(said[2].contains("\"has_secret\":true") && said[2].contains("Office"), "{}", said[2]);
    let log = service.get("/api/v1/audit").await.text;
    assert!(!log.contains("S3CRET") && !log.contains("head@school.example"), "{log}");
    for (method, path) in [("DELETE", path.as_str()), ("DELETE", "/api/v1/notices/rules/1")] {
        assert_eq!(service.send(method, path, &Value::Null).await.status, 200);
        assert_eq!(service.send(method, path, &Value::Null).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_this_machine_or_its_network_without_a_permission() {
    let receiver = Receiver::start(&[]);
    let service = Service::start().await;
    for host in
        [format!("127.0.0.1:{}", receiver.port), format!("localhost:{}", receiver.port), "169.254.169.254".into()]
    {
        let id = told(
            &service,
            &json!({ "name": host, "kind": "webhook", "url": format!("http://{host}/x"), "secret": SECRET }),
            "marked",
        )
        .await;
        let tested = service.post(&format!("/api/v1/notices/channels/{id}/test"), &json!({})).await.json();
        let answer = tested["data"]["answer"].as_str().unwrap();
        assert!(tested["data"]["delivered"] == false && answer.contains("--notice-hosts"), "{answer}");
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_channel_or_a_rule_is_told() {
    let service = Service::start_with(near_and_soon).await;
    let refused = async |path: &str, body: &Value, word: &str| {
        let answer = service.post(path, body).await;
        assert!(answer.status == 400 && answer.text.contains(word), "{} {}", answer.status, answer.text);
    };
    let channels = "/api/v1/notices/channels";
    refused(channels, &json!({ "name": "A", "kind": "webhook", "url": "ftp://x", "secret": SECRET }), "https://HOST")
        .await;
    refused(channels, &json!({ "name": "A", "kind": "webhook", "url": "https://x/" }), "it signs").await;
    refused(channels, &json!({ "name": "A", "kind": "email", "host": "", "from": "a@b" }), "a name or an address")
        .await;
    let plain = json!({
        "name": "A", "kind": "email", "host": "x", "from": "a@b.example", "user": "u", "secret": "p",
        "security": "plain",
    });
    refused(channels, &plain, "not encrypted").await;
    let id = told(&service, &channel("https://school.example/"), "late").await;
    let rules = "/api/v1/notices/rules";
    refused(rules, &json!({ "name": "A", "event": "absent", "channels": [id] }), "time of the day").await;
    refused(rules, &json!({ "name": "A", "event": "absent", "channels": [id], "at": "25:00" }), "HH:MM").await;
    refused(rules, &json!({ "name": "A", "event": "camera_down", "channels": [id] }), "1440").await;
    assert_eq!(service.post(rules, &json!({ "name": "A", "event": "late", "channels": [99] })).await.status, 404);
    assert_eq!(service.post(rules, &json!({ "name": "A", "event": "gone", "channels": [id] })).await.status, 422);
    assert_eq!(service.post(channels, &channel("https://other.example/")).await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn guardians_are_kept_with_their_student_and_in_no_log() {
    let service = Service::start().await;
    let asha = student(&service, "Asha", "R1").await;
    let path = format!("/api/v1/students/{asha}/guardians");
    let body = json!({ "emails": ["mother@home.example", " ", "father@home.example"], "languages": ["hi"] });
    let kept = service.send("PUT", &path, &body).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    let expected = json!([
        { "email": "mother@home.example", "language": "hi" },
        { "email": "father@home.example", "language": "en" },
    ]);
    assert_eq!(service.get(&path).await.json()["data"]["guardians"], expected);
    let wrong = service.send("PUT", &path, &json!({ "emails": ["nobody"] })).await;
    assert!(wrong.status == 400 && wrong.text.contains("e-mail address"), "{}", wrong.text);
    assert_eq!(service.get("/api/v1/students/99/guardians").await.status, 404);
    assert!(!service.get("/api/v1/audit").await.text.contains("home.example"));
    let exported = service.get(&format!("/api/v1/students/{asha}/export")).await;
    assert!(exported.text.contains("mother@home.example"), "{}", exported.text);
    let erased = service.send("DELETE", &format!("/api/v1/students/{asha}"), &Value::Null).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    assert_eq!(service.get(&path).await.status, 404);
}
