//! A school's list comes in from a spreadsheet, over HTTP and from the command line, and goes out again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::process::{Command, Output};

use axum::body::Body;
use common::{Answer, Service};
use faceattend_core::store::prelude::*;
use faceattend_core::store::{Page, SqliteStore};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const IMPORT: &str = "/api/v1/students/import";

/// Sends a file as a browser's form does.
async fn send(service: &Service, path: &str, name: &str, bytes: &[u8]) -> Answer {
    let mut body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    let request = service.request("POST", path).header("content-type", "multipart/form-data; boundary=edge");
    service.raw(request.body(Body::from(body)).unwrap()).await
}

/// The bytes of an answer that is no text.
async fn download(service: &Service, path: &str) -> Vec<u8> {
    let request = service.request("GET", path).body(Body::empty()).unwrap();
    let response = service.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

/// A list of this many students in classes of 30, as Excel in German writes CSV.
fn list_of(count: usize) -> String {
    let line = |number: usize| format!("{number:04};Müller {number};Klasse {}\r\n", number / 30);
    "Nr.;Name;Klasse\r\n".to_owned() + &(0..count).map(line).collect::<String>()
}

#[tokio::test]
async fn a_list_of_300_is_shown_first_imported_as_shown_and_comes_out_as_it_went_in() {
    let service = Service::start().await;
    let operator = service.account("op", "operator").await;
    let list = list_of(300);
    let shown = send(&operator, IMPORT, "list.csv", list.as_bytes()).await.json();
    let plan = &shown["data"];
    assert_eq!((&plan["counts"]["new"], &plan["applied"]), (&json!(300), &json!(false)));
    assert_eq!(plan["new_groups"].as_array().unwrap().len(), 10);
    assert_eq!(plan["new"][7]["name"], "Müller 7");
    assert_eq!(service.store.students(None, Page::ALL).unwrap().total, 0, "a preview changes nothing");

    let fingerprint = plan["fingerprint"].as_str().unwrap();
    let apply = format!("{IMPORT}?mode=apply&fingerprint={fingerprint}");
    let done = send(&operator, &apply, "list.csv", list.as_bytes()).await.json();
    assert_eq!(done["data"]["applied"], true, "{done}");
    let groups = operator.get("/api/v1/groups").await.json()["data"]["groups"].clone();
    assert_eq!(
        (groups.as_array().unwrap().len(), &groups[0]["members"], &groups[0]["kind"]),
        (10, &json!(30), &json!("class"))
    );

    for format in ["csv&byte_order_mark=true", "xlsx"] {
        let exported = download(&operator, &format!("/api/v1/students/export?format={format}")).await;
        let again = send(&operator, IMPORT, "again", &exported).await.json();
        let counts = &again["data"]["counts"];
        assert_eq!(
            (&counts["unchanged"], &counts["changed"], &counts["problems"]),
            (&json!(300), &json!(0), &json!(0)),
            "{format}"
        );
    }
    let entries = service.get("/api/v1/audit").await.json()["items"].clone();
    let told = |action: &str| {
        entries.as_array().unwrap().iter().find(|entry| entry["action"] == action).unwrap()["details"].clone()
    };
    assert_eq!(told("POST /api/v1/students/import"), "list list.csv: 300 new, 0 changed");
}

#[tokio::test]
async fn a_wrong_list_is_told_by_line_and_changes_nothing() {
    let service = Service::start().await;
    let wrong = "Roll no,Name,Class,From\n1,Asha,5A,\n,Ben,5A,\n3,Carla,5A,31.2.2026\n";
    let answer = send(&service, &format!("{IMPORT}?mode=apply"), "wrong.csv", wrong.as_bytes()).await.json();
    assert_eq!(answer["data"]["applied"], false);
    let problems: Vec<(Value, Value)> = answer["data"]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["line"].clone(), problem["code"].clone()))
        .collect();
    assert_eq!(problems, [(json!(3), json!("missing")), (json!(4), json!("bad_date"))]);
    let nothing = send(&service, &format!("{IMPORT}?mode=apply"), "a.pdf", b"%PDF-1.7").await.json();
    assert_eq!(nothing["data"]["problems"][0]["code"], "unknown_format");
    assert_eq!(service.store.students(None, Page::ALL).unwrap().total, 0);
    let viewer = service.account("vi", "viewer").await;
    send(&viewer, IMPORT, "list.csv", b"x").await.is(403, "Not enough permissions");
    assert_eq!(service.post(IMPORT, &json!({})).await.issues()[0].0, "missing");
}

#[tokio::test]
async fn an_import_that_is_not_what_was_shown_is_refused() {
    let service = Service::start().await;
    let list = b"Roll no,Name\n1,Asha\n";
    let shown = send(&service, IMPORT, "list.csv", list).await.json();
    service.store.create_student("Somebody", "1", jiff::Timestamp::now()).unwrap();
    let apply = format!("{IMPORT}?mode=apply&fingerprint={}", shown["data"]["fingerprint"].as_str().unwrap());
    let refused = send(&service, &apply, "list.csv", list).await.json();
    assert_eq!((&refused["data"]["applied"], &refused["data"]["outdated"]), (&json!(false), &json!(true)));
    assert_eq!(refused["data"]["changed"][0]["new_name"], "Asha");
    assert_eq!(service.store.students(None, Page::ALL).unwrap().items[0].name, "Somebody");
}

#[tokio::test]
async fn groups_members_timetables_calendar_and_excuses_are_kept_over_http() {
    let service = Service::start().await;
    let operator = service.account("op", "operator").await;
    let student = service.store.create_student("Asha", "1", jiff::Timestamp::now()).unwrap().id.0;
    let group =
        operator.post("/api/v1/groups", &json!({ "name": "5A", "kind": "class" })).await.json()["data"]["group_id"]
            .clone();
    operator
        .post("/api/v1/groups", &json!({ "name": "5a", "kind": "shift" }))
        .await
        .is(400, "Group with this name already exists");
    let members = format!("/api/v1/groups/{group}/members");
    let joined = operator.post(&members, &json!({ "student_ids": [student], "from_day": "2026-01-05" })).await.json();
    assert_eq!(joined["data"]["changed"], 1);
    assert_eq!(operator.get(&format!("{members}?day=2026-01-04")).await.json()["data"]["members"], json!([]));
    assert_eq!(
        operator.get(&format!("{members}?day=2026-01-05")).await.json()["data"]["members"][0]["student_name"],
        "Asha"
    );

    let timetable = json!({
        "group_id": group, "weekdays": "mon tue sat",
        "periods": [
            { "name": "late shift", "begins": "14:00", "late_after": "14:10" },
            { "name": "early", "begins": "06:00" },
        ],
    });
    let kept = operator.post("/api/v1/timetables", &timetable).await.json()["data"].clone();
    assert_eq!((&kept["weekdays"], &kept["periods"][0]["name"]), (&json!("mon tue sat"), &json!("early")));
    let same = json!([{ "name": "a", "begins": "06:00" }, { "name": "a", "begins": "07:00" }]);
    let twice = json!({ "weekdays": "mon", "periods": same });
    assert_eq!(operator.post("/api/v1/timetables", &twice).await.status, 400);
    assert_eq!(operator.post("/api/v1/timetables", &json!({ "weekdays": "", "periods": [] })).await.status, 422);

    let holiday = json!({ "kind": "holiday", "first_day": "2026-12-24", "last_day": "2027-01-02", "name": "Winter" });
    let entry = operator.post("/api/v1/calendar", &holiday).await.json()["data"]["calendar_id"].clone();
    assert_eq!(
        operator.get("/api/v1/calendar?from_day=2027-01-02").await.json()["data"]["entries"][0]["name"],
        "Winter"
    );
    assert_eq!(operator.send("DELETE", &format!("/api/v1/calendar/{entry}"), &Value::Null).await.status, 200);

    let excuse = json!({ "student_id": student, "first_day": "2026-03-02", "reason": "flu" });
    let noted = operator.post("/api/v1/excuses", &excuse).await.json()["data"].clone();
    assert_eq!((&noted["last_day"], &noted["created_by"]), (&json!("2026-03-02"), &json!("op")));
    let withdrawn = format!("/api/v1/excuses/{}/withdraw", noted["excuse_id"]);
    assert_eq!(operator.post(&withdrawn, &Value::Null).await.json()["data"]["withdrawn_by"], "op");
    assert_eq!(operator.post(&withdrawn, &Value::Null).await.status, 409);
    let viewer = service.account("vi", "viewer").await;
    assert_eq!(viewer.get("/api/v1/excuses").await.status, 403, "a reason may tell of an illness");

    operator.post(&format!("/api/v1/students/{student}/withdraw"), &json!({ "from_day": "2026-05-01" })).await.json();
    let of = operator.get(&format!("/api/v1/students/{student}/memberships")).await.json()["data"].clone();
    assert_eq!(
        (&of["members"][0]["until_day"], &of["withdrawals"][0]["from_day"]),
        (&json!("2026-05-01"), &json!("2026-05-01"))
    );
    let removed = operator.send("DELETE", &format!("/api/v1/groups/{group}"), &Value::Null).await.json();
    assert_eq!(removed["data"]["archived"], true, "its history stays");
    let entries = service.get("/api/v1/audit").await.json()["items"].clone();
    let told = entries.to_string();
    assert!(told.contains("class 5A") && !told.contains("flu"), "{told}");
}

fn faceattend(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    for name in ["FACEATTEND_DATABASE", "FACEATTEND_DATA_DIR", "FACEATTEND_CONFIG"] {
        command.env_remove(name);
    }
    command.args(words).output().unwrap()
}

#[test]
fn the_command_shows_imports_and_exports_and_fails_on_a_wrong_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    SqliteStore::open(folder.path().join("a.db")).unwrap();
    let (database, list, wrong) = (path("a.db"), path("list.csv"), path("wrong.csv"));
    std::fs::write(&list, list_of(40)).unwrap();
    std::fs::write(&wrong, "Nr.;Name\n1;\n").unwrap();
    let run = |words: &[&str]| {
        let output = faceattend(&[&["students", "--database", &database], words].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (fine, said, _) = run(&["import", &list, "--dry-run"]);
    assert!(fine && said.contains("Müller 7") && said.contains("Nothing was changed"), "{said}");
    let (fine, said, complaint) = run(&["import", &wrong]);
    assert!(!fine && said.contains("line 2, column Name: the name is missing"), "{said}");
    assert!(complaint.contains("Nothing was changed"), "{complaint}");
    let (fine, said, _) = run(&["import", &list, "--json"]);
    let told: Value = serde_json::from_str(&said).unwrap();
    assert!(fine && told["outcome"] == "imported" && told["new"].as_array().unwrap().len() == 40, "{said}");
    for name in ["out.csv", "out.xlsx"] {
        assert!(run(&["export", &path(name)]).0);
        let (fine, said, _) = run(&["import", &path(name)]);
        assert!(fine && said.contains("Nothing to change: 40 students"), "{said}");
        assert!(!run(&["export", &path(name)]).0, "an export overwrites nothing");
    }
    std::fs::write(&list, "Nr.;Name\n0001;Müller 1\n").unwrap();
    let (fine, said, _) = run(&["import", &list, "--withdraw-missing"]);
    assert!(fine && said.contains("39 withdrawn"), "{said}");
}
