//! Somebody who asks the server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::server_process::ServerProcess;
use crate::common::{BLUE, GREEN, RED, picture};

/// Status and body of an answer; `None` for a request that the death of the server
/// cut off.
pub(crate) type Answer = Option<(u16, Value)>;

pub(crate) struct Client {
    agent: ureq::Agent,
    address: String,
    token: String,
}

impl Client {
    pub(crate) fn of(server: &ServerProcess, token: &str) -> Self {
        Self::at(&server.address().to_string(), token)
    }

    pub(crate) fn at(address: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let config = config.timeout_global(Some(Duration::from_secs(120))).build();
        Self { agent: config.into(), address: format!("http://{address}"), token: format!("Bearer {token}") }
    }

    /// The same with another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { agent: self.agent.clone(), address: self.address.clone(), token: format!("Bearer {token}") }
    }

    /// Logs in as the documented admin and returns a client with the token.
    pub(crate) fn logged_in(server: &ServerProcess) -> (Self, String) {
        let admin = json!({ "username": "admin", "password": "admin123" });
        let (status, login) = Self::of(server, "").post("/auth/login", &admin).unwrap();
        assert_eq!(status, 200, "{login}");
        let token = login["access_token"].as_str().unwrap().to_owned();
        (Self::of(server, &token), token)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.agent.post(self.url(path));
        let request = request.header("Authorization", &self.token).header("Content-Type", "application/json");
        read(request.send(body.to_string()))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        read(self.agent.get(self.url(path)).header("Authorization", &self.token).call())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        read(self.agent.delete(self.url(path)).header("Authorization", &self.token).call())
    }

    fn url(&self, path: &str) -> String {
        let outside = ["/health", "/ready", "/test/"].iter().any(|start| path.starts_with(start));
        if outside { format!("{}{path}", self.address) } else { format!("{}/api/v1{path}", self.address) }
    }

    /// All items of a paged list.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let (status, body) = self.get(&format!("{path}?skip={}&limit=100", items.len())).unwrap();
            assert_eq!(status, 200, "{body}");
            items.extend(body["items"].as_array().unwrap().iter().cloned());
            if items.len() as u64 >= body["total"].as_u64().unwrap() {
                break;
            }
        }
        items
    }

    /// Takes a session through its positions; the session.
    pub(crate) fn complete(&self, identity: u8) -> Option<Result<String, (u16, Value)>> {
        let (status, begun) = self.post("/liveness/session", &json!({}))?;
        if status != 200 {
            return Some(Err((status, begun)));
        }
        let session = begun["data"]["session_id"].as_str().unwrap().to_owned();
        for (position, color) in [("center", GREEN), ("left", RED), ("right", BLUE)] {
            let frame = json!({ "session_id": session, "position": position, "frame_data": picture(color, identity) });
            let (status, answer) = self.post("/liveness/detect", &frame)?;
            if status != 200 {
                return Some(Err((status, answer)));
            }
            assert_eq!(answer["is_live"], true, "{answer}");
        }
        Some(Ok(session))
    }

    /// Enrols `identity` through a liveness session; the answer of the last step.
    pub(crate) fn enrol(&self, name: &str, roll: &str, identity: u8) -> Answer {
        match self.complete(identity)? {
            Ok(session) => {
                let body = json!({ "name": name, "roll_number": roll, "session_id": session });
                self.post("/liveness/register-student", &body)
            }
            Err(refused) => Some(refused),
        }
    }

    /// Shows a face to a camera, and checks that nobody else is named; the answer.
    pub(crate) fn show(&self, identity: u8) -> Answer {
        let seen = json!({ "image_data": picture(GREEN, identity), "camera_source": "gate" });
        let (status, answer) = self.post("/face/recognize", &seen)?;
        if status == 200 {
            for person in answer["data"]["matches"].as_array().unwrap() {
                assert_eq!(person["roll_number"], format!("K{identity}"), "a wrong name: {answer}");
            }
        }
        Some((status, answer))
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut answer = answer.ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    let status = answer.status().as_u16();
    assert_ne!(status, 500, "{text}");
    // An answer that was cut off is no answer.
    let body = serde_json::from_str(&text).ok()?;
    if status == 503 {
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        // The health check is for machines, and the corrections are the test's own route.
        let other = ["The database does not answer", "store: "].iter().any(|part| text.contains(part));
        assert!(other || wait.is_some_and(|seconds| seconds > 0), "503 says when to come back: {text}");
    }
    Some((status, body))
}
