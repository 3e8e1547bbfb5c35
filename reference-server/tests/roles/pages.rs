//! The pages show the same to everybody, and nothing of anybody.

use std::sync::Arc;

use faceattend_server::Tls;
use serde_json::json;

use crate::common::Service;
use crate::table::PAGES;
use crate::tokens::{ask, callers};

/// One file for each page whose path has a parameter.
const FILES: [(&str, &[&str]); 3] = [
    ("/docs/{file}", &["docs.css", "docs.js", "redoc.js"]),
    ("/ui/kiosk/{file}", &["kiosk.css", "kiosk.js", "greeting.js"]),
    (
        "/ui/{file}",
        &["app.css", "app.js", "api.js", "roles.js", "accounts.js", "text.en.json", "icon.svg", "kiosk-worker.js"],
    ),
];

#[tokio::test]
async fn a_page_is_the_same_with_every_token_and_names_nobody() {
    // The page with the authority's certificate is there where the server has one.
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::own(folder.path().to_owned(), None, Vec::new(), [127, 0, 0, 1].into()).unwrap();
    let service = Service::start_with(|settings| settings.with_tls(Arc::new(tls))).await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    service.register("Zebulon Quist", "Roll-Z-77", &session).await;
    let callers = callers(&service).await;
    let mut paths: Vec<String> = Vec::new();
    for page in PAGES {
        match FILES.iter().find(|(path, _)| *path == page) {
            Some((_, files)) => paths.extend(files.iter().map(|file| page.replace("{file}", file))),
            None => paths.push(page.to_owned()),
        }
    }
    for path in paths {
        let first = service.get(&path).await;
        assert_eq!(first.status, 200, "{path}");
        for caller in &callers {
            let answer = ask(&service, caller, "GET", &path, None).await;
            assert_eq!((answer.status, &answer.text), (first.status, &first.text), "{path} by {}", caller.name);
            for method in ["POST", "PUT", "DELETE"] {
                let answer = ask(&service, caller, method, &path, Some(&json!({}))).await;
                answer.is(405, "Method Not Allowed");
            }
        }
        for secret in ["Zebulon Quist", "Roll-Z-77", &session, &service.token] {
            assert!(!first.text.contains(secret), "{path} tells {secret}");
        }
    }
}
