//! Reverse proxies that publish the server under a path of their host, and end TLS.

use axum::body::Body;
use axum::http::{Request, header};
use faceattend_server::BasePath;
use serde_json::json;

use crate::common::{Answer, Service};

/// How nginx asks with `location /face/ { proxy_pass http://127.0.0.1:8001/; }`, which takes the path away.
async fn through_a_proxy(service: &Service, method: &str, path: &str, body: Option<&str>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1:8001")
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, "application/json")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Prefix", "/face");
    let body = body.map_or_else(Body::empty, |text| Body::from(text.to_owned()));
    service.raw(request.body(body).unwrap()).await
}

#[tokio::test]
async fn redirects_lead_to_where_the_proxy_publishes_the_server() {
    let service = Service::start().await;
    let root = through_a_proxy(&service, "GET", "/", None).await;
    assert_eq!((root.status.as_u16(), root.header("location")), (307, "/face/ui/"));
    let slash = through_a_proxy(&service, "GET", "/api/v1/students?limit=1", None).await;
    assert_eq!(slash.status, 307);
    assert_eq!(slash.header("location"), "https://127.0.0.1:8001/face/api/v1/students/?limit=1");
    // Without a proxy, as recorded.
    let own = service.get("/api/v1/students").await;
    assert!(own.header("location").ends_with("/api/v1/students/"), "{}", own.header("location"));
    assert!(!own.header("location").contains("face/"));
}

#[tokio::test]
async fn a_cookie_and_the_document_name_the_published_path() {
    let service = Service::start().await;
    let admin = json!({ "username": "admin", "password": "admin123" }).to_string();
    let login = through_a_proxy(&service, "POST", "/api/v1/auth/login", Some(&admin)).await;
    assert_eq!(login.status, 200, "{}", login.text);
    let cookie = login.header("set-cookie");
    assert!(cookie.contains("; Path=/face/api/v1/auth;") && cookie.ends_with("; Secure"), "{cookie}");
    let document = through_a_proxy(&service, "GET", "/openapi.json", None).await.json();
    assert_eq!(document["servers"], json!([{ "url": "/face" }]));
    assert!(service.get("/openapi.json").await.json().get("servers").is_none(), "as recorded");
}

#[tokio::test]
async fn with_a_base_path_a_proxy_may_leave_the_path_as_it_is() {
    let base: BasePath = "/school/attendance/".parse().unwrap();
    let service = Service::start_with(|settings| settings.with_base_path(base)).await;
    let bare = service.get("/school/attendance").await;
    assert_eq!((bare.status.as_u16(), bare.header("location")), (307, "/school/attendance/"));
    for path in ["/ui/", "/ui/app.js", "/docs", "/api/v1/students/?limit=1", "/health"] {
        for asked in [format!("/school/attendance{path}"), path.to_owned()] {
            assert_eq!(service.get(&asked).await.status, 200, "{asked}");
        }
    }
    let slash = service.get("/school/attendance/api/v1/students").await;
    assert!(slash.header("location").ends_with("/school/attendance/api/v1/students/"), "{}", slash.header("location"));
    assert_eq!(service.get("/school/attendances/health").await.status, 404, "another folder of the host");
    assert_eq!(service.get("/school/attendance//health").await.status, 404);
    let pages = service.get("/school/attendance/ui/").await.text + &service.get("/school/attendance/docs").await.text;
    for start in ["href=\"/", "src=\"/", "data-document=\"/"] {
        assert!(!pages.contains(start), "a page asks for {start}..., which is another place of the host");
    }
}
