//! The table, the code and the document say the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::common::Service;
use crate::table::{Least, PAGES, ROUTES};

/// The routes of the document, each with its operation.
pub(crate) async fn routes(service: &Service) -> BTreeMap<(String, String), Value> {
    let document = service.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(|(verb, operation)| ((verb.to_uppercase(), path.clone()), operation.clone()))
    });
    operations.collect()
}

#[tokio::test]
async fn every_route_has_one_row_in_the_table() {
    let service = Service::start().await;
    let rows: BTreeSet<(String, String)> =
        ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(rows.len(), ROUTES.len(), "a row twice");
    let documented: BTreeSet<(String, String)> = routes(&service).await.into_keys().collect();
    assert_eq!(rows, documented, "left: the table; right: the document");
    let code = faceattend_server::routes_of_the_api();
    let code: BTreeSet<_> = code.into_iter().map(|(method, path)| (method.to_string(), path.to_owned())).collect();
    assert_eq!(rows, code, "left: the table; right: the code");
}

#[tokio::test]
async fn every_page_has_a_row_in_the_table() {
    let code = include_str!("../../src/lib.rs");
    let pages: Vec<&str> = code.split(".page(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(pages, PAGES);
}

#[tokio::test]
async fn the_document_tells_the_role_of_every_route() {
    let service = Service::start().await;
    let documented = routes(&service).await;
    for (method, path, least) in ROUTES {
        let operation = &documented[&(method.to_owned(), path.to_owned())];
        let (asks, answers) = (operation.get("security"), &operation["responses"]);
        assert_eq!(asks.is_some(), least > Least::Anyone, "{method} {path}: {asks:?}");
        if least == Least::Kiosk {
            assert_eq!(asks.unwrap()[0]["KioskCookie"], serde_json::json!([]), "{method} {path}");
            assert_eq!(operation["description"], "Needs the token of a paired kiosk; no login is enough.");
            assert!(answers.get("401").is_some(), "{method} {path}: 401");
            continue;
        }
        if least > Least::Anyone {
            assert_eq!(asks.unwrap()[0]["HTTPBearer"], serde_json::json!([]), "{method} {path}");
            let said = format!("Needs the role {} or a higher one.", least.word());
            assert_eq!(operation["description"], said, "{method} {path}");
            assert!(answers.get("401").is_some(), "{method} {path}: 401");
        }
        // The login refuses the documented password to pages of other machines.
        let forbids = least > Least::Viewer || path == "/api/v1/auth/login";
        assert_eq!(answers.get("403").is_some(), forbids, "{method} {path}: 403");
    }
}
