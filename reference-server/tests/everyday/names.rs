//! Names, roll numbers and the search for them.

use serde_json::{Value, json};

use crate::common::Service;

async fn create(service: &Service, name: &str, roll: &str) -> (u16, Value) {
    let answer = service.post("/api/v1/students/", &json!({ "name": name, "roll_number": roll })).await;
    (answer.status.as_u16(), answer.json())
}

async fn found(service: &Service, search: &str) -> u64 {
    let encoded: String = search.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = service.get(&format!("/api/v1/students/?search={encoded}")).await;
    assert_eq!(answer.status, 200, "{search:?}: {}", answer.text);
    answer.json()["total"].as_u64().unwrap()
}

// faceid 10 and bitchat 214: one number, typed in other ways, becomes another person.
#[tokio::test]
async fn a_roll_number_is_one_however_it_is_typed() {
    let service = Service::start().await;
    assert_eq!(create(&service, "A", "Mü-7").await.0, 200);
    for alike in ["Mü-7 ", " Mü-7", "Mü-7\u{a0}", "Mü-7\u{200b}", "\u{feff}Mü-7", "Mu\u{308}-7"] {
        let (status, answer) = create(&service, "B", alike).await;
        let taken = json!("Student with this roll number already exists");
        assert_eq!((status, &answer["detail"]), (400, &taken), "{alike:?}");
    }
    assert_eq!(create(&service, "B", "mü-7").await.0, 200, "case is kept apart");
    let taken = service.send("PUT", "/api/v1/students/2", &json!({ "roll_number": "Mü-7\u{2060}" })).await;
    taken.is(400, "Student with this roll number already exists");
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    service.register("C", "Mü-7 ", &session).await.is(400, "Student with this roll number already exists");
    assert_eq!(service.register("C", "C-7", &session).await.status, 200, "the session is still good");
}

// zed 30503: what cannot be seen does not belong into a name.
#[tokio::test]
async fn a_control_character_is_refused_and_what_the_recordings_keep_is_kept() {
    let service = Service::start().await;
    for (name, roll) in [("a\0b", "N1"), ("a\nb", "N1"), ("a", "N\u{7}"), ("a", "\0")] {
        let (status, answer) = create(&service, name, roll).await;
        let told = answer["detail"].as_str().unwrap_or_default().to_owned();
        assert!(status == 400 && told.contains("control character U+00"), "{name:?} {roll:?}: {status} {answer}");
    }
    assert_eq!(create(&service, "   ", " B1 ").await.0, 200, "as recorded");
    let nul = service.send("PUT", "/api/v1/students/1", &json!({ "name": "a\0" })).await;
    assert_eq!(nul.status, 400, "{}", nul.text);
    for name in ["محمد علي", "👩🏽‍🎓 Zoë", "O'Brien \"x\"", "=1+1"] {
        assert_eq!(create(&service, name, name).await.0, 200, "{name}");
    }
}

#[tokio::test]
async fn a_search_finds_a_name_whatever_its_case_and_accents() {
    let service = Service::start().await;
    for (name, roll) in [("Jürgen MÜLLER", "A1"), ("Макс", "A2"), ("100% real_name", "A3"), ("👩🏽‍🎓 Zoë", "Ａ4")]
    {
        assert_eq!(create(&service, name, roll).await.0, 200);
    }
    for search in ["muller", "MULLER", "Mu\u{308}ller", "МАКС", "макс", "100% r", "l_n", "zoe", "ZOË", "👩🏽‍🎓", "a4"]
    {
        assert_eq!(found(&service, search).await, 1, "{search}");
    }
    for (search, total) in [("%", 4), ("", 4), ("_", 1), ("m_ller", 0), ("m%r", 0), ("\\", 0), ("\0\0\0", 0)] {
        assert_eq!(found(&service, search).await, total, "{search:?}");
    }
}
