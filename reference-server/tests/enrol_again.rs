//! A database whose faces another model made: who has to enrol again is told, listed and never taken for anybody.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{GREEN, Service, picture};
use faceattend_core::embedding::Embedding;
use faceattend_core::store::TemplateKeys;
use faceattend_core::store::prelude::*;
use faceattend_core::types::{ModelId, StudentId};
use faceattend_server::Settings;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A school of three: Asha's face is of this engine's model, Ben's of another, and Cara has none.
async fn school() -> (Service, [StudentId; 3]) {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 1).await;
    let asha = service.register("Asha", "R1", &session).await.json()["data"]["student_id"].as_i64().unwrap();
    let now = Timestamp::now();
    let ben = service.store.create_student("Ben", "R2", now).unwrap().id;
    let cara = service.store.create_student("Cara", "R3", now).unwrap().id;
    // The very values that this engine makes of Asha, under another model's name.
    let hers = service.store.templates_of(StudentId(asha)).unwrap();
    let values = match &hers[0].embedding {
        faceattend_core::store::StoredEmbedding::Tagged(embedding) => embedding.values().to_vec(),
        faceattend_core::store::StoredEmbedding::Legacy(_) => panic!("it says no model"),
    };
    let foreign = Embedding::from_raw(ModelId::new("older@00000000"), &values).unwrap();
    service.store.replace_templates(ben, &[foreign], now).unwrap();
    (service, [StudentId(asha), ben, cara])
}

fn flags(list: &Value) -> Vec<(String, bool, bool)> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let flag = |name: &str| item[name].as_bool().unwrap();
            (item["name"].as_str().unwrap().to_owned(), flag("has_face"), flag("must_enrol_again"))
        })
        .collect()
}

#[tokio::test]
async fn who_must_enrol_again_is_told_in_every_list_and_listed_alone() {
    let (service, [asha, ben, _]) = school().await;
    let all = service.get("/api/v1/students/").await.json();
    let expected = [("Asha", true, false), ("Ben", true, true), ("Cara", false, false)];
    assert_eq!(flags(&all), expected.map(|(name, face, again)| (name.to_owned(), face, again)));
    let only = service.get("/api/v1/students/?must_enrol_again=true&limit=1").await.json();
    assert_eq!((only["total"].as_u64(), flags(&only)), (Some(1), vec![("Ben".to_owned(), true, true)]));
    let none = service.get("/api/v1/students/?must_enrol_again=true&search=asha").await.json();
    assert_eq!(none["total"], 0);
    assert_eq!(service.get("/api/v1/students/?must_enrol_again=false").await.json()["total"], 3);
    assert_eq!(service.get("/api/v1/students/?must_enrol_again=perhaps").await.status, 422);
    assert_eq!(service.get(&format!("/api/v1/students/{ben}")).await.json()["must_enrol_again"], true);
    assert_eq!(service.get(&format!("/api/v1/students/{asha}")).await.json()["must_enrol_again"], false);
    let told = service.state.students_to_enrol_again().unwrap();
    assert_eq!(told.items.iter().map(|student| student.id).collect::<Vec<_>>(), [ben]);
}

#[tokio::test]
async fn a_face_of_another_model_is_matched_by_nobody_until_its_owner_enrols_again() {
    let (service, [asha, ben, _]) = school().await;
    // Without Asha there is nobody left whom this engine knows, though Ben has her very values.
    let named = |answer: Value| answer["data"]["matches"][0]["student_name"].as_str().map(str::to_owned);
    let seen = json!({ "image_data": picture(GREEN, 1) });
    assert_eq!(named(service.post("/api/v1/face/recognize", &seen).await.json()).as_deref(), Some("Asha"));
    assert_eq!(service.send("DELETE", &format!("/api/v1/students/{asha}"), &json!({})).await.status, 200);
    let answer = service.post("/api/v1/face/recognize", &seen).await.json();
    assert_eq!(named(answer.clone()), None, "{answer}");

    let session = service.begin(&json!({})).await;
    service.complete(&session, 2).await;
    let body = json!({ "session_id": session, "student_id": ben });
    let answer = service.post("/api/v1/liveness/complete", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(service.get("/api/v1/students/?must_enrol_again=true").await.json()["total"], 0);
    let seen = json!({ "image_data": picture(GREEN, 2) });
    assert_eq!(named(service.post("/api/v1/face/recognize", &seen).await.json()).as_deref(), Some("Ben"));
}

#[tokio::test]
async fn a_server_over_such_a_database_starts_and_knows_the_others() {
    let (service, [_, ben, _]) = school().await;
    let Service { folder, store, state, router, .. } = service;
    drop((store, state, router));
    let again = Service::start_in(folder, TemplateKeys::none(), |settings: Settings| settings).await;
    assert_eq!(again.get("/ready").await.json()["known_faces"], 1);
    assert_eq!(again.state.students_to_enrol_again().unwrap().items[0].id, ben);
}
