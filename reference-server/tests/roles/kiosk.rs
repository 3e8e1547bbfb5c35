//! What the token of a kiosk opens: its own endpoints, and nothing else.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::common::{Answer, GREEN, Service, picture};
use crate::document::routes;
use crate::matrix::{contents, filled, prepared};
use crate::table::{Least, ROUTES};
use crate::tokens::{NO_CREDENTIALS, NOT_VALID};

/// Pairs a kiosk and returns its token.
pub(crate) async fn paired(service: &Service) -> String {
    let made = service.post("/api/v1/kiosks", &json!({ "name": "Gate", "pin": "493027" })).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let code = json!({ "code": made.json()["data"]["code"] });
    let answer = service.asked_with("").post("/api/v1/kiosk/pair", &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let cookie = answer.header("set-cookie").to_owned();
    cookie.strip_prefix("faceattend_kiosk=").unwrap().split(';').next().unwrap().to_owned()
}

async fn ask(service: &Service, method: &str, path: &str, headers: &[(&str, String)], body: &Value) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "site.test:8001");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.header(header::CONTENT_TYPE, "application/json");
    service.raw(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn the_token_of_a_kiosk_opens_its_own_endpoints_alone() {
    let (service, body) = prepared().await;
    let token = paired(&service).await;
    let before = contents(&service);
    let cookie = ("cookie", format!("faceattend_kiosk={token}"));
    let bearer = ("authorization", format!("Bearer {token}"));
    let refresh = json!({ "refresh_token": token });
    assert_eq!(service.asked_with("").post("/api/v1/auth/refresh", &refresh).await.status, 401);
    let mut refused = 0;
    for (method, path) in routes(&service).await.into_keys() {
        let least = ROUTES.iter().find(|row| (row.0, row.1) == (&method, &path)).unwrap().2;
        let filled = filled(&path, &body["session_id"]);
        for (headers, detail) in
            [(vec![cookie.clone()], NO_CREDENTIALS), (vec![cookie.clone(), bearer.clone()], NOT_VALID)]
        {
            if matches!(least, Least::Anyone | Least::Kiosk) {
                continue;
            }
            let answer = ask(&service, &method, &filled, &headers, &body).await;
            answer.is(401, detail);
            refused += 1;
        }
    }
    assert!(refused > 120, "{refused} refusals");
    assert_eq!(contents(&service), before, "a kiosk has changed what is not its own");

    // By the cookie it does what it is for; as a bearer token it opens not even that.
    let frame = json!({ "image_data": picture(GREEN, 5) });
    for (method, path, body) in [
        ("GET", "/api/v1/kiosk/me", &Value::Null),
        ("POST", "/api/v1/kiosk/frame", &frame),
        ("POST", "/api/v1/kiosk/fallback", &json!({ "roll_number": "R1", "pin": "493027" })),
    ] {
        let answer = ask(&service, method, path, std::slice::from_ref(&cookie), body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        ask(&service, method, path, std::slice::from_ref(&bearer), body).await.is(401, "This kiosk is not paired");
        for secret in [token.as_str(), "R1", "student_id", "embedding"] {
            assert!(!answer.text.contains(secret), "{path} tells {secret}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_kiosks_token_is_kept_as_a_hash_and_no_list_shows_it() {
    let (service, _) = prepared().await;
    let token = paired(&service).await;
    assert_eq!(token.len(), 64, "256 random bits");
    assert!(!contents(&service).iter().any(|row| row.contains(&token)));
    let listed = service.get("/api/v1/kiosks").await;
    assert!(!listed.text.contains("hash") && !listed.text.contains(&token), "{}", listed.text);
    assert!(!listed.text.contains("493027"));
}
