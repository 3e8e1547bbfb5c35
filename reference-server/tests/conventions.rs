//! What the existing clients rely on around the endpoints: errors, routing, credentials, cross-origin answers.

mod common;

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{SECRET, Service};
use faceattend_server::AllowedOrigins;
use hmac::{Hmac, KeyInit as _};
use serde_json::json;

fn plain(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "site.test:8001")
}

#[tokio::test]
async fn the_root_answers_scripts_with_json_and_browsers_with_the_pages() {
    let service = Service::start().await;
    let root = service.get("/").await;
    assert_eq!((root.status.as_u16(), root.json()["version"].as_str()), (200, Some("2.0.0")));
    let browser =
        plain("GET", "/").header(header::ACCEPT, "text/html,application/xhtml+xml").body(Body::empty()).unwrap();
    let page = service.raw(browser).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (307, "/ui/"));
}

#[tokio::test]
async fn answers_list_their_keys_in_the_recorded_order() {
    let service = Service::start().await;
    assert_eq!(
        service.get("/health").await.text,
        r#"{"status":"healthy","timestamp":"2024-01-01T00:00:00Z","services":{"database":"connected","#.to_owned()
            + r#""ai_models":"initialized","liveness_detection":"ready"}}"#
    );
    let me = r#"{"success":true,"message":"Admin user information retrieved successfully","#;
    assert_eq!(
        service.get("/api/v1/auth/me").await.text,
        format!(r#"{me}"data":{{"username":"admin","role":"admin"}}}}"#)
    );
    service.post("/api/v1/students/", &json!({ "name": "Asha", "roll_number": "R1" })).await;
    let listed = service.get("/api/v1/students/").await.text;
    let first = r#"{"items":[{"id":1,"name":"Asha","roll_number":"R1","liveness_verified":false,"#;
    assert!(listed.starts_with(first), "{listed}");
    assert!(listed.ends_with(r#"}],"total":1,"page":1,"size":100,"pages":1}"#), "{listed}");
}

#[tokio::test]
async fn the_pages_come_with_a_policy_that_lets_nothing_in() {
    let service = Service::start().await;
    for file in ["", "app.css", "app.js", "register.js", "text.js", "text.en.json", "text.de.json", "icon.svg"] {
        let answer = service.get(&format!("/ui/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        // SVG names its vocabulary by an address that nobody fetches.
        let text = answer.text.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("//cdn"), "{file} names another host");
    }
    service.get("/ui/../auth.rs").await.is(404, "Not Found");
    assert_eq!(service.get("/ui").await.header("location"), "http://site.test:8001/ui/");
}

#[tokio::test]
async fn paths_and_methods_are_matched_as_recorded() {
    let service = Service::start().await;
    let ask = async |method: &str, path: &str| service.raw(plain(method, path).body(Body::empty()).unwrap()).await;
    for (method, path, allow) in [
        ("POST", "/health", "GET"),
        ("HEAD", "/health", "GET"),
        ("PATCH", "/api/v1/students/1", "GET"),
        ("DELETE", "/api/v1/liveness/session/x", "GET"),
        ("OPTIONS", "/api/v1/auth/login", "POST"),
        ("GET", "/api/v1/liveness/frames", "POST"),
    ] {
        let answer = ask(method, path).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allow), "{method} {path}");
    }
    for (path, location) in [
        ("/health/", "/health"),
        ("/api/v1/students?skip=0&limit=5", "/api/v1/students/?skip=0&limit=5"),
        ("/api/v1/liveness/session/", "/api/v1/liveness/session"),
    ] {
        let answer = ask("GET", path).await;
        assert_eq!(answer.status, 307, "{path}");
        assert_eq!(answer.header("location"), format!("http://site.test:8001{location}"));
        assert_eq!(answer.text, "");
    }
    for path in ["/nope", "//health", "/api/v1/students/1/", "/api/v1/nope/"] {
        let answer = ask("GET", path).await;
        assert!(matches!(answer.status.as_u16(), 404 | 307), "{path}");
        if path != "/api/v1/students/1/" {
            answer.is(404, "Not Found");
        }
    }
}

/// The signature of a token, made without the server's own code.
fn signed(key: impl hmac::Mac, message: &str) -> String {
    URL_SAFE_NO_PAD.encode(key.chain_update(message).finalize().into_bytes())
}

#[tokio::test]
async fn credentials_are_refused_in_the_recorded_words() {
    let service = Service::start().await;
    let ask = async |value: &str| {
        let request = plain("GET", "/api/v1/auth/me").header(header::AUTHORIZATION, value).body(Body::empty());
        service.raw(request.unwrap()).await
    };
    for nothing in ["", "Bearer ", "Basic YWRtaW4=", "Token x"] {
        let answer = ask(nothing).await;
        answer.is(401, "Not authenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let forged = |algorithm: &str, claims: serde_json::Value| {
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(json!({ "alg": algorithm, "typ": "JWT" })), part(claims));
        let signature = match algorithm {
            "HS256" => signed(Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap(), &message),
            _ => signed(Hmac::<sha2::Sha512>::new_from_slice(SECRET.as_bytes()).unwrap(), &message),
        };
        format!("{message}.{signature}")
    };
    let far = 4_102_444_800_u64;
    let (good, other) = ("HS256", "HS512");
    for bad in [
        "garbage".to_owned(),
        format!("{} b", service.token),
        forged(good, json!({ "sub": "admin", "exp": 1_700_000_000 })),
        forged(other, json!({ "sub": "admin", "exp": far })),
        forged(good, json!({ "sub": "bob", "exp": far })),
        forged(good, json!({ "exp": far })),
    ] {
        ask(&format!("Bearer {bad}")).await.is(401, "Could not validate credentials");
    }
    assert_eq!(ask(&format!("bEaReR {}", service.token)).await.status, 200);
    assert_eq!(ask(&format!("Bearer {}", forged(good, json!({ "sub": "admin" })))).await.status, 200);
}

#[tokio::test]
async fn login_takes_json_and_forms_and_nothing_else() {
    let service = Service::start().await;
    let login = async |kind: Option<&str>, body: &str| {
        let mut request = plain("POST", "/api/v1/auth/login");
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        service.raw(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let good = r#"{"username": "admin", "password": "admin123"}"#;
    for kind in ["application/json", "application/json; charset=utf-8", "application/vnd.api+json"] {
        assert_eq!(login(Some(kind), good).await.status, 200, "{kind}");
    }
    let form = Some("application/x-www-form-urlencoded");
    assert_eq!(login(form, "username=admin&password=admin123").await.status, 200);
    for kind in [None, Some("text/plain")] {
        assert_eq!(login(kind, good).await.issues(), [("model_attributes_type".to_owned(), json!(["body"]))]);
    }
    let wrong = login(form, "username=admin&password=wrong").await;
    wrong.is(401, "Incorrect username or password");
    assert_eq!(wrong.header("www-authenticate"), "Bearer");
    login(Some("application/json"), r#"{"username": "nobody", "password": "admin123"}"#)
        .await
        .is(401, "Incorrect username or password");
    assert_eq!(login(Some("application/json"), "").await.issues(), [("missing".to_owned(), json!(["body"]))]);
}

#[tokio::test]
async fn the_order_of_checks_is_syntax_then_credentials_then_fields() {
    let service = Service::start().await;
    let ask = async |body: &str| {
        let request = plain("POST", "/api/v1/liveness/detect").header(header::CONTENT_TYPE, "application/json");
        service.raw(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    assert_eq!(ask("{").await.issues()[0].0, "json_invalid");
    ask("{}").await.is(401, "Not authenticated");
    let fields = service.post("/api/v1/liveness/detect", &json!({ "position": "up" })).await;
    assert_eq!(
        fields.issues(),
        [
            ("missing".to_owned(), json!(["body", "session_id"])),
            ("string_pattern_mismatch".to_owned(), json!(["body", "position"])),
            ("missing".to_owned(), json!(["body", "frame_data"])),
        ]
    );
    // A session that is not there is told before a picture that is none.
    service.frame("nope", "center", "no picture").await.is(404, "Session not found");
}

#[tokio::test]
async fn a_body_past_the_limit_is_413_and_four_megabytes_are_not() {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.frame(&session, "center", &"A".repeat(4_000_000)).await.is(400, "Invalid image data");
    let too_much = service.frame(&session, "center", &"A".repeat(faceattend_server::BODY_LIMIT)).await;
    too_much.is(413, "Request body too large");
    // Without a length that says so, too.
    let chunks = (0..17).map(|_| Ok::<_, std::io::Error>(vec![b'A'; 1 << 20]));
    let stream = Body::from_stream(tokio_stream::iter(chunks));
    let request = service.request("POST", "/api/v1/liveness/detect").header(header::CONTENT_TYPE, "application/json");
    service.raw(request.body(stream).unwrap()).await.is(413, "Request body too large");
}

#[tokio::test]
async fn every_origin_may_ask_and_preflights_are_answered_on_any_path() {
    let service = Service::start().await;
    let preflight = async |method: &str| {
        let request = plain("OPTIONS", "/nope")
            .header(header::ORIGIN, "http://localhost:8000")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, method)
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,content-type");
        service.raw(request.body(Body::empty()).unwrap()).await
    };
    let good = preflight("POST").await;
    assert_eq!((good.status.as_u16(), good.text.as_str()), (200, "OK"));
    assert_eq!(good.header("access-control-allow-headers"), "authorization,content-type");
    assert_eq!(good.header("access-control-max-age"), "600");
    let bad = preflight("FOO").await;
    assert_eq!((bad.status.as_u16(), bad.text.as_str()), (400, "Disallowed CORS method"));
    let simple = plain("GET", "/api/v1/auth/me").header(header::ORIGIN, "https://other.test").body(Body::empty());
    let refused = service.raw(simple.unwrap()).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), "https://other.test");
    assert_eq!(refused.header("access-control-allow-credentials"), "true");
}

#[tokio::test]
async fn the_operator_can_narrow_the_origins() {
    let service = Service::start_with(|settings| {
        settings.with_allowed_origins(AllowedOrigins::new(vec!["https://school.example".parse().unwrap()]))
    })
    .await;
    let ask = async |method: &str, origin: &str, preflight: bool| {
        let mut request = plain(method, "/api/v1/ping").header(header::ORIGIN, origin);
        if preflight {
            request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET");
        }
        service.raw(request.body(Body::empty()).unwrap()).await
    };
    let good = ask("OPTIONS", "https://school.example", true).await;
    assert_eq!((good.status.as_u16(), good.header("access-control-allow-origin")), (200, "https://school.example"));
    let bad = ask("OPTIONS", "https://other.test", true).await;
    assert_eq!((bad.status.as_u16(), bad.text.as_str()), (400, "Disallowed CORS origin"));
    assert_eq!(bad.header("access-control-allow-origin"), "");
    let good = ask("GET", "https://school.example", false).await;
    assert_eq!(good.header("access-control-allow-origin"), "https://school.example");
    let bad = ask("GET", "https://other.test", false).await;
    assert_eq!((bad.status.as_u16(), bad.header("access-control-allow-origin")), (200, ""));
    assert_eq!(bad.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn a_page_of_another_machine_cannot_log_in_with_the_documented_password() {
    let service = Service::start().await;
    let login = async |origin: Option<&str>, kind: &str, body: &str| {
        let mut request = plain("POST", "/api/v1/auth/login").header(header::CONTENT_TYPE, kind);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        service.raw(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    let documented = [
        (json, r#"{"username": "admin", "password": "admin123"}"#),
        (form, "username=admin&password=admin123"),
        (json, r#"{"username": "nobody", "password": "admin123"}"#),
    ];
    for other in ["https://evil.example", "null", "http://192.168.1.5:8001", "http://localhost.evil.example"] {
        for (kind, body) in documented {
            let answer = login(Some(other), kind, body).await;
            assert_eq!(answer.status, 403, "{other}: {}", answer.text);
            assert!(answer.text.contains("faceattend admin passwd"), "{}", answer.text);
        }
    }
    for own in [None, Some("http://localhost:8000"), Some("http://127.0.0.1:8001"), Some("http://[::1]:8001")] {
        assert_eq!(login(own, json, documented[0].1).await.status, 200, "{own:?}");
    }
    // Every other password may come from any page, as recorded.
    service
        .post("/api/v1/auth/users", &json!({ "username": "eva", "password": "correct horse", "role": "viewer" }))
        .await;
    let eva = r#"{"username": "eva", "password": "correct horse"}"#;
    assert_eq!(login(Some("https://evil.example"), json, eva).await.status, 200);
}

#[tokio::test]
async fn the_server_answers_under_its_own_names_only() {
    let service = Service::start().await;
    let ask = async |path: &str, host: &str| {
        let request = Request::builder().method("GET").uri(path).header(header::HOST, host);
        service.raw(request.body(Body::empty()).unwrap()).await
    };
    for good in ["127.0.0.1:8001", "192.168.1.5:8000", "[::1]:8001", "localhost:8001", "site.test", "SITE.test.:80"] {
        assert_eq!(ask("/health", good).await.status, 200, "{good}");
    }
    for bad in ["evil.example", "evil.example:8001", "127.0.0.1.evil.example", "localhost.evil.example:8001"] {
        for path in ["/health", "/ui/", "/openapi.json", "/api/v1/students/", "/nope"] {
            let answer = ask(path, bad).await;
            assert_eq!(answer.status, 421, "{path} {bad}: {}", answer.text);
            assert!(answer.text.contains("--allowed-hosts") && answer.text.contains("evil.example"), "{}", answer.text);
        }
    }
    // A name in the request line counts as well, and one good name is no cover for another.
    let line = Request::builder().method("GET").uri("http://evil.example/health").header(header::HOST, "127.0.0.1");
    assert_eq!(service.raw(line.body(Body::empty()).unwrap()).await.status, 421);
    let two = plain("GET", "/health").header(header::HOST, "evil.example").body(Body::empty());
    assert_eq!(service.raw(two.unwrap()).await.status, 421);
    let none = Request::builder().method("GET").uri("/health").body(Body::empty());
    assert_eq!(service.raw(none.unwrap()).await.status, 200, "probes without a name");
}
