//! What happens to a login while the account changes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use common::Service;
use faceattend_core::store::NewAdmin;
use faceattend_core::store::prelude::*;
use jiff::Timestamp;
use serde_json::{Value, json};

const LOGIN: &str = "/api/v1/auth/login";
const OLD: &str = "correct horse";
const NEW: &str = "battery staple";

fn credentials(name: &str, password: &str) -> Value {
    json!({ "username": name, "password": password })
}

fn account_with_hash(service: &Service, hashed_password: String) {
    let new = NewAdmin { username: "bob".into(), hashed_password, role: "operator".into() };
    service.store.create_admin(&new, Timestamp::now()).unwrap();
}

/// Changes the password while a login with the old one is being checked, which takes long.
async fn change_during_login(service: &Service) {
    let asked = service.asked_with("");
    let login = tokio::spawn(async move { asked.post(LOGIN, &credentials("bob", OLD)).await });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let changed = service.send("PUT", "/api/v1/auth/users/bob", &json!({ "password": NEW })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let answer = login.await.unwrap();
    if answer.status == 200 {
        let bob = service.asked_with(answer.json()["access_token"].as_str().unwrap());
        bob.get("/api/v1/auth/me").await.is(401, "Could not validate credentials");
    } else {
        answer.is(401, "Incorrect username or password");
    }
    let other = service.asked_with("");
    other.post(LOGIN, &credentials("bob", OLD)).await.is(401, "Incorrect username or password");
    assert_eq!(other.post(LOGIN, &credentials("bob", NEW)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_checked_while_the_password_changes_does_not_survive_the_change() {
    let service = Service::start().await;
    // Some fifty times the work of an ordinary hash: the change happens meanwhile.
    let slow = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 100, 1, None).unwrap());
    account_with_hash(&service, slow.hash_password(OLD.as_bytes()).unwrap().to_string());
    change_during_login(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_hash_that_is_upgraded_at_login_does_not_bring_an_old_password_back() {
    let service = Service::start().await;
    account_with_hash(&service, bcrypt::hash(OLD, 13).unwrap());
    change_during_login(&service).await;
}
