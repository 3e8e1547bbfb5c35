//! What no mark tells: who is absent, and which camera is down.

use faceattend_core::store::prelude::*;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use crate::common::Service;
use crate::receiver::Receiver;
use crate::webhooks::{channel, mark, near_and_soon, student, told, until_state};

/// Makes every rule as old as yesterday: one that is new begins with the next time.
fn age_rules(service: &Service) {
    let database = rusqlite::Connection::open(service.folder.path().join(crate::common::DATABASE)).unwrap();
    let yesterday = (Timestamp::now() - 24.hours()).strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
    database.execute("UPDATE alert_rules SET changed_at = ?1", [yesterday]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_absent_is_told_once_also_after_a_restart_and_not_of_who_came_or_is_excused() {
    let receiver = Receiver::start(&[]);
    let service = Service::start_with(near_and_soon).await;
    let channels = service.post("/api/v1/notices/channels", &channel(&receiver.url())).await.json();
    let [came, missing, ill] = [("Came", "R1"), ("Missing", "R2"), ("Ill", "R3")];
    let came = student(&service, came.0, came.1).await;
    let missing = student(&service, missing.0, missing.1).await;
    let ill = student(&service, ill.0, ill.1).await;
    mark(&service, came).await;
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    // Every day is a school day here, whatever day the test runs on.
    let extra = faceattend_core::store::NewCalendarEntry {
        scope: faceattend_core::store::RosterScope::Site,
        kind: faceattend_core::store::CalendarKind::ExtraDay,
        first_day: today.date() - 1.day(),
        last_day: today.date() + 1.day(),
        name: "Open".into(),
        by: "admin".into(),
        at: Timestamp::now(),
    };
    service.store.add_calendar_entry(&extra).unwrap();
    let excuse = faceattend_core::store::NewExcuse {
        student: faceattend_core::StudentId(ill),
        first_day: today.date() - 1.day(),
        last_day: today.date() + 1.day(),
        period: None,
        reason: "ill".into(),
        by: "office".into(),
        at: Timestamp::now(),
    };
    service.store.add_excuse(&excuse).unwrap();
    // The time has just come: five minutes ago, and on the same day.
    let at = if today.hour() == 0 && today.minute() < 6 { today.time() } else { today.time() - 5.minutes() };
    let rule = json!({
        "name": "Absent", "event": "absent", "channels": [channels["data"]["channel_id"]],
        "at": at.strftime("%H:%M").to_string(),
    });
    let made = service.post("/api/v1/notices/rules", &rule).await;
    assert_eq!(made.status, 200, "{}", made.text);
    age_rules(&service);
    let taken = receiver.until_taken(1);
    let data = &taken[0].body["data"];
    assert_eq!((&taken[0].body["type"], &data["student_id"]), (&json!("absent"), &json!(missing)));
    until_state(&service, "sent", 1).await;
    // Another server on the file, and some more rounds.
    let (folder, token) = (service.folder, service.token);
    service.state.shut_down();
    drop(service.state);
    let again = Service::start_in(folder, faceattend_core::store::TemplateKeys::none(), near_and_soon).await;
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    assert_eq!(again.asked_with(&token).get("/api/v1/notices").await.json()["total"], 1);
    assert_eq!(receiver.received().len(), 1, "{:?}", receiver.received());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_without_pictures_is_told_of_once() {
    let receiver = Receiver::start(&[]);
    let service = Service::start_with(near_and_soon).await;
    let channels = service.post("/api/v1/notices/channels", &channel(&receiver.url())).await.json();
    let rule = json!({
        "name": "Cameras", "event": "camera_down", "channels": [channels["data"]["channel_id"]], "after_minutes": 1,
    });
    assert_eq!(service.post("/api/v1/notices/rules", &rule).await.status, 200);
    // Nothing listens at this port.
    let camera = json!({ "name": "Gate", "camera_url": "http://127.0.0.1:9/cam.mjpeg", "camera_location": "North" });
    let kept = service.post("/api/v1/cameras", &camera).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    for _ in 0..200 {
        if service.store.cameras_down().unwrap().len() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(receiver.received().len(), 0, "a minute has to pass");
    let database = rusqlite::Connection::open(service.folder.path().join(crate::common::DATABASE)).unwrap();
    let before = (Timestamp::now() - 2.minutes()).strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
    assert_eq!(database.execute("UPDATE cameras_down SET down_since = ?1", [before]).unwrap(), 1);
    let taken = receiver.until_taken(1);
    let data = &taken[0].body["data"];
    assert_eq!((&data["camera"], &data["camera_location"]), (&json!("Gate"), &json!("North")));
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    assert_eq!(receiver.received().len(), 1);
    let id = kept.json()["data"]["camera_id"].as_i64().unwrap();
    assert_eq!(service.post(&format!("/api/v1/cameras/{id}/pause"), &json!({})).await.status, 200);
    for _ in 0..200 {
        if service.store.cameras_down().unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("a camera that is paused is not down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_a_group_tells_of_its_members_alone() {
    let receiver = Receiver::start(&[]);
    let service = Service::start_with(near_and_soon).await;
    let id = told(&service, &channel(&receiver.url()), "late").await;
    let new = faceattend_core::store::NewGroup {
        name: "5A".into(),
        kind: faceattend_core::store::GroupKind::Class,
        by: "admin".into(),
        at: Timestamp::now(),
    };
    let group = service.store.create_group(&new).unwrap().id;
    let rule = json!({ "name": "5A", "event": "marked", "channels": [id], "groups": [group] });
    assert_eq!(service.post("/api/v1/notices/rules", &rule).await.status, 200);
    let (member, other) = (student(&service, "Member", "R1").await, student(&service, "Other", "R2").await);
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let join = faceattend_core::store::RosterChange::Join {
        student: faceattend_core::store::StudentRef::Id(faceattend_core::StudentId(member)),
        group: faceattend_core::store::GroupRef::Id(group),
        from_day: today,
        until_day: None,
    };
    let run = faceattend_core::store::RosterRun::Apply;
    service.store.change_roster(&[join], run, "admin", Timestamp::now()).unwrap();
    for who in [other, member] {
        mark(&service, who).await;
    }
    let taken = receiver.until_taken(1);
    assert_eq!(taken[0].body["data"]["student_id"], member);
    until_state(&service, "sent", 1).await;
    assert_eq!(service.get("/api/v1/notices").await.json()["total"], 1);
}
